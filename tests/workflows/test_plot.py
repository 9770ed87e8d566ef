"""Pictures of the first tracks of tables: which are drawn, on what, and where they go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, InputError, OutputError, SchemaError
from gazetrack.maps.parameters import MapParams
from gazetrack.simulate.example import write_example
from gazetrack.tables.screen import Screen
from gazetrack.workflows.convert import convert
from gazetrack.workflows.plot import plot
from tests.fixation_tables import write_fixations

QUICK = MapParams(levels=1)


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for name in "pq":
        Image.new("RGB", (80, 60), (90, 120, 90)).save(tmp_path / "images" / f"{name}.png")
    return tmp_path / "images"


@pytest.fixture
def tables(tmp_path):
    one = write_fixations(tmp_path / "one.fixations.parquet", ["p.png", "q.png"], recording="one")
    two = write_fixations(tmp_path / "two.fixations.parquet", ["p.png"], recording="two")
    return [one, two]


def test_each_track_has_a_picture_under_its_image_and_recording(tables, images, tmp_path):
    done = []
    out = tmp_path / "plots"
    written = plot(tables, images, out, params=QUICK, progress=lambda *now: done.append(now))
    assert written == [out / f"{name}.png" for name in ("p.one", "q.one", "p.two")]
    assert sorted(out.iterdir()) == sorted(written)
    for path in written:
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "PNG"
    assert done[-1] == (3, 3)


def test_no_more_than_the_limit_are_drawn(tables, images, tmp_path):
    (written,) = plot(tables, images, tmp_path / "plots", params=QUICK, limit=1)
    assert written.name == "p.one.png"
    assert list((tmp_path / "plots").iterdir()) == [written]


def test_a_mask_is_outlined_where_there_is_one(tables, images, tmp_path):
    (tmp_path / "masks").mkdir()
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:60] = 255
    Image.fromarray(mask).save(tmp_path / "masks" / "p.png")
    plain = plot(tables, images, tmp_path / "plain", params=QUICK)
    outlined = plot(tables, images, tmp_path / "out", params=QUICK, masks=tmp_path / "masks")
    same = [a.read_bytes() == b.read_bytes() for a, b in zip(plain, outlined, strict=True)]
    assert same == [False, True, False]  # there is none of q


def test_more_levels_make_a_larger_picture(tables, images, tmp_path):
    sizes = []
    for levels in (1, 4):
        params = MapParams(levels=levels)
        (path,) = plot(tables, images, tmp_path / str(levels), params=params, limit=1)
        with Image.open(path) as picture:
            sizes.append(picture.width * picture.height)
    assert sizes[1] > 2 * sizes[0]


def test_without_images_the_tracks_are_drawn_on_an_empty_ground(tables, tmp_path):
    written = plot(tables[1], out=tmp_path / "plots", params=QUICK)
    assert [path.name for path in written] == ["p.two.png"]
    assert written[0].exists()


def test_without_images_the_screen_is_drawn(tmp_path):
    gaze = "x,y,t\n" + "".join(
        f"{[100, 400][i // 70 % 2] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(280)
    )
    (tmp_path / "a.csv").write_text(gaze)
    convert(tmp_path / "a.csv", screen=Screen(1000, 600))
    table = tmp_path / "a.fixations.parquet"
    (picture,) = plot(table, out=tmp_path / "plots", params=QUICK)
    assert picture.name == "screen.a.png"
    with Image.open(picture) as drawn:
        assert drawn.width > 500
    convert(tmp_path / "a.csv", force=True)
    with pytest.raises(
        SchemaError, match=r"a.fixations.parquet: the size of the screen is not known.*--screen"
    ):
        plot(table, out=tmp_path / "plots", params=QUICK)


def test_images_of_other_stimuli_are_an_error(tables, images, tmp_path):
    for path in images.iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    with pytest.raises(InputError, match="holds no image of these fixations") as caught:
        plot(tables, images, tmp_path / "plots")
    assert caught.value.path == Path(images)
    assert not (tmp_path / "plots").exists()


def test_nothing_is_written_among_the_inputs(tables, images, tmp_path):
    before = {path: path.read_bytes() for path in images.iterdir()}
    with pytest.raises(OutputError, match="folder of inputs"):
        plot(tables, images, images, params=QUICK)
    assert {path: path.read_bytes() for path in images.iterdir()} == before


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("scanpath", ["p.one", "q.one", "p.two"]),
        ("heatmap", ["p", "q"]),
        ("durations", ["one.durations", "two.durations"]),
    ],
)
def test_every_kind_of_figure_of_tables(tables, images, tmp_path, what, names):
    written = plot(tables, images, tmp_path / "plots", what=what, file_type="svg")
    assert [path.name for path in written] == [f"{name}.svg" for name in names]
    assert all(path.read_bytes().startswith(b"<?xml") for path in written)


@pytest.fixture
def export(tmp_path):
    return write_example(tmp_path / "example", n_images=4, size=(48, 64)).exports[0]


def test_figures_of_exports(export, tmp_path):
    written = plot(export, out=tmp_path / "plots", what="time-series", seconds=2)
    assert [path.name for path in written] == [
        "reader-1.lesion-001.1.time-series.png",
        "reader-1.lesion-002.2.time-series.png",
    ]
    (one,) = plot(export, out=tmp_path / "main.pdf", what="main-sequence")
    assert one == tmp_path / "main.pdf"
    assert one.read_bytes().startswith(b"%PDF")


def test_several_figures_for_one_file_are_refused_and_one_is_not(tables, images, tmp_path):
    with pytest.raises(ConfigError, match=r"3 figures for the one file a\.svg.*--limit 1"):
        plot(tables, images, tmp_path / "a.svg", what="scanpath")
    assert not (tmp_path / "a.svg").exists()
    plot(tables, images, tmp_path / "a.svg", what="scanpath", limit=1)
    assert (tmp_path / "a.svg").exists()


def test_unknown_figures_and_types_are_refused_in_words(tables, tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'scanpath'"):
        plot(tables, what="scanpth", out=tmp_path / "plots")
    with pytest.raises(ConfigError, match=r"end the name in \.png"):
        plot(tables, file_type="jpg", out=tmp_path / "plots")
    assert not (tmp_path / "plots").exists()


def test_arguments_that_there_are_not_are_refused_with_the_nearest(tables, tmp_path):
    with pytest.raises(TypeError, match=r"no argument 'aoi' - did you mean 'aois'\?"):
        plot(tables, out=tmp_path / "plots", what="scanpath", aoi="x")
    with pytest.raises(ConfigError, match="limit=0"):
        plot(tables, out=tmp_path / "plots", limit=0)
    with pytest.raises(ConfigError, match=r"saved as '\.gif' - end the name in \.png"):
        plot(tables, out=tmp_path / "z.gif", what="scanpath", limit=1)
    assert not (tmp_path / "z.gif").exists()
    (tmp_path / "old.gif").mkdir()
    (written,) = plot(tables, out=tmp_path / "old.gif", what="scanpath", limit=1)
    assert written.parent == tmp_path / "old.gif"
