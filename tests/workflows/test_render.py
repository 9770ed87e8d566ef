"""Many tables rendered into one map file: whose maps, of what size, and what is not in them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, DataError, InputError, OutputError
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.store import MAP_FILE, read_maps
from gazetrack.workflows.engine.run import Engine
from gazetrack.workflows.render import RenderOptions, render, render_tables
from tests.fixation_tables import write_fixations

DISC = MapParams(kind="disc", levels=1, radius=0.1, softness=0.02, drop_first=0)
SIZE = (60, 80)  # of the images: height and width


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name, grey in (("p", 90), ("q", 160)):
        Image.new("RGB", SIZE[::-1], (grey, grey, grey)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def tables(tmp_path):
    """One observer of p and q, who looks at (10, 10), and another of p, who looks at (50, 30)."""
    one = write_fixations(tmp_path / "one.fixations.parquet", ["p.png", "q.png"], recording="one")
    there = {"x_px": np.array([50.0]), "y_px": np.array([30.0])}
    two = write_fixations(tmp_path / "two.fixations.parquet", ["p.png"], recording="two", **there)
    return [one, two]


def disc_at(x_px, y_px):
    """A disc by its definition: the logistic of how far each pixel lies within the radius."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5  # the centres of the pixels
    distance = np.hypot(x - x_px, y - y_px) / np.sqrt(SIZE[0] * SIZE[1])
    return 1 / (1 + np.exp((distance - DISC.radius) / DISC.softness))


def maps_of(folder):
    return {(row.stimulus, row.recording): row.values for row in read_maps(folder).rows()}


def test_each_track_has_its_maps_of_the_size_of_its_image(tables, images, tmp_path):
    outcomes = render(tables, images, tmp_path / "maps", params=DISC, dtype="float32")
    found = maps_of(tmp_path / "maps")
    assert list(found) == [("p.png", "one"), ("q.png", "one"), ("p.png", "two")]
    for (_, recording), values in found.items():
        x_px, y_px = (10, 10) if recording == "one" else (50, 30)
        np.testing.assert_allclose(values, disc_at(x_px, y_px)[None], atol=1e-5)
    assert [(one.status, one.rows_in, one.rows_out) for one in outcomes] == [
        ("ok", 2, 2),
        ("ok", 1, 1),
    ]
    # The one file that all tables made is listed once.
    assert [len(one.outputs) for one in outcomes] == [1, 0]
    assert outcomes[0].outputs[0]["rows"] == 3


def test_pooled_maps_are_the_mean_over_the_observers_of_an_image(tables, tmp_path):
    render(tables, out=tmp_path / "pooled", params=DISC, pooled=True, dtype="float32")
    found = maps_of(tmp_path / "pooled")
    assert list(found) == [("p.png", "one, two"), ("q.png", "one")]
    both = (disc_at(10, 10) + disc_at(50, 30)) / 2
    np.testing.assert_allclose(found["p.png", "one, two"][0], both, atol=1e-5)
    told = read_maps(tmp_path / "pooled").meta["observers"]
    assert told == {
        "pooled": True, "participants": None, "recordings": 2, "most_tracks_a_map": 2,
    }  # fmt: skip


def test_a_size_that_is_asked_for_is_that_of_all_maps(tables, tmp_path):
    render(tables, out=tmp_path / "small", size=(15, 20))
    assert {values.shape for values in maps_of(tmp_path / "small").values()} == {(4, 15, 20)}
    with pytest.raises(ConfigError):
        render(tables, out=tmp_path / "none", size=(0, 20))
    assert not (tmp_path / "none").exists()


def test_bytes_of_values_are_rounded_floats(tables, tmp_path):
    for dtype in ("uint8", "float32"):
        render(tables, out=tmp_path / dtype, dtype=dtype)
    exact = maps_of(tmp_path / "float32")
    for key, rounded in maps_of(tmp_path / "uint8").items():
        np.testing.assert_array_equal(rounded, np.rint(exact[key] * 255))


@pytest.mark.parametrize(
    "more",
    [
        {},
        pytest.param({"pooled": True}, marks=pytest.mark.slow),
        pytest.param(
            {"crf": CRFParams(position_px=8, iterations=2), "png": True, "overlay": True},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_bytes_do_not_depend_on_the_jobs(tables, images, tmp_path, more):
    written = []
    for who in ({"jobs": 1}, {"jobs": 3}, {"engine": Engine(jobs=2)}):
        folder = tmp_path / f"out{len(written)}"
        outcomes = render(tables, images, folder, **who, **more)
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.p*")}
        written.append((files, [(one.rows_out, one.dropped) for one in outcomes]))
    assert written[0] == written[1] == written[2]
    # With pictures: the map file, four levels of three tracks, and three overlays.
    assert len(written[0][0]) == (1 + 3 * 4 + 3 if more.get("png") else 1)


def test_what_cleaning_leaves_out_is_counted_by_reason(tmp_path):
    path = write_fixations(
        tmp_path / "g.fixations.parquet",
        ["a.png"] * 6,
        x_px=np.array([-9.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
        duration_ms=np.array([300.0, 300.0, 40.0, 300.0, 300.0, 300.0]),
    )
    (outcome,) = render(path, out=tmp_path / "maps")
    assert outcome.dropped == {
        "shorter than 50 ms": 1,
        "off the image": 1,
        "first of their track": 1,
    }
    assert outcome.rows_out == 3
    assert outcome.rows_in == outcome.rows_out + sum(outcome.dropped.values())


def test_stimuli_without_image_are_named_and_the_others_rendered(tables, images, tmp_path):
    (images / "q.png").unlink()
    with pytest.raises(InputError, match="no image for 1 of 2 stimuli: q"):
        render(tables, images, tmp_path / "maps")
    assert list(maps_of(tmp_path / "maps")) == [("p.png", "one"), ("p.png", "two")]
    outcomes = render(tables, images, tmp_path / "maps", errors="report")
    assert [one.status for one in outcomes] == ["partial", "ok"]


def test_an_image_of_another_shape_than_was_shown_is_an_error(tables, images, tmp_path):
    Image.new("RGB", (50, 60)).save(images / "q.png")
    with pytest.raises(DataError, match="1 images of another shape than the table says"):
        render(tables, images, tmp_path / "maps")
    assert list(maps_of(tmp_path / "maps")) == [("p.png", "one"), ("p.png", "two")]


def test_a_damaged_table_leaves_the_others_alone(tables, tmp_path):
    tables[0].write_bytes(b"PAR1 and nothing more")
    outcomes = render_tables(tables, RenderOptions(out=tmp_path / "maps"))
    assert [one.status for one in outcomes] == ["failed", "ok"]
    assert outcomes[0].error.path == tables[0]
    assert list(maps_of(tmp_path / "maps")) == [("p.png", "two")]
    # The map file is listed with the first table that is in it.
    assert [len(one.outputs) for one in outcomes] == [0, 1]


def test_nothing_is_written_when_no_table_is_left(tmp_path):
    bad = tmp_path / "bad.fixations.parquet"
    bad.write_bytes(b"PAR1 and nothing more")
    (outcome,) = render_tables([bad], RenderOptions(out=tmp_path / "maps"))
    assert outcome.status == "failed"
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"crf": CRFParams()}, "a CRF needs the images"),
        ({"overlay": True}, "an overlay needs the images"),
    ],
)
def test_what_needs_images_says_so_before_any_work(tables, tmp_path, more, says):
    with pytest.raises(ConfigError, match=says):
        render(tables, out=tmp_path / "maps", **more)
    assert not (tmp_path / "maps").exists()


def test_a_kind_without_border_goes_through_no_crf(tables, images, tmp_path):
    with pytest.raises(ConfigError):
        render(tables, images, tmp_path / "m", params=MapParams(kind="linear"), crf=CRFParams())
    assert not (tmp_path / "m").exists()


def test_neither_inputs_nor_files_of_others_are_replaced(tables, images, tmp_path):
    with pytest.raises(OutputError, match="folder of inputs"):
        render(tables, images, images)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / MAP_FILE).write_bytes(b"of somebody else")
    with pytest.raises(OutputError):
        render(tables, images, tmp_path / "maps")
    assert (tmp_path / "maps" / MAP_FILE).read_bytes() == b"of somebody else"
    render(tables, images, tmp_path / "maps", force=True)
    assert len(maps_of(tmp_path / "maps")) == 3


def test_progress_is_told_after_each_track(tables, tmp_path):
    seen = []
    gazetrack.render(tables, out=tmp_path / "m", progress=lambda done, total: seen.append(done))
    assert seen[-1] == 3
    assert seen == sorted(seen)
