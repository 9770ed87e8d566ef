"""Rendering with every option, refining stored maps, and what both refuse."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import gazetrack
from gazetrack.maps.parameters import KINDS
from gazetrack.maps.store import read_maps
from tests.fixation_tables import write_fixations

HEADER = "IMAGE," + ",".join(
    f"CURRENT_FIX_{n}" for n in ("INDEX", "X", "Y", "DURATION", "PUPIL", "START")
)


@pytest.fixture(scope="module")
def _written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 15
    noise = np.random.default_rng(0).normal(0, 3, (60, 80, 3))
    (folder / "images").mkdir()
    for name in "pq":
        pixels = np.where(disc[..., None], [170, 60, 60], [90, 120, 90]) + noise
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        picture.save(folder / "images" / f"{name}.png")
    for observer, images in (("one", "pq"), ("two", "p")):
        rows = [
            f"{image}.jpg,{i + 1},{0.4 + 0.05 * (i % 5)},{0.4 + 0.04 * (i * 7 % 5)},"
            f"{150 + 50 * i},1,{i * 910},60,80\n"
            for image in images
            for i in range(8)
        ]
        text = f"{HEADER},IMAGE_HEIGHT,IMAGE_WIDTH\n{''.join(rows)}"
        (folder / f"{observer}.csv").write_text(text)
    gazetrack.convert([folder / "one.csv", folder / "two.csv"])
    return folder


@pytest.fixture
def folder(_written, tmp_path):
    """Two observers on p, one on q, as fixation tables; images with a red disc where they look."""
    return shutil.copytree(_written, tmp_path, dirs_exist_ok=True)


def meta_of(path):
    return json.loads(pq.read_schema(path).metadata[b"gazetrack"])


def test_the_options_reach_the_maps(run, folder):
    options = (
        "--kind disc --ratios .3,1 --by time --truncation head --seed 3 "
        "--max-saccade .4 --duration-exponent .5"
    )
    assert run(f"gazetrack render {options} --radius .06 --min-duration-ms 0").code == 0
    params = meta_of(folder / "maps" / "maps.parquet")["params"]
    told = {
        "kind": "disc",
        "levels": 2,
        "ratios": [0.3, 1.0],
        "by": "time",
        "truncation": "head",
        "seed": 3,
    }
    told |= {
        "max_saccade": 0.4,
        "duration_exponent": 0.5,
        "radius": 0.06,
        "min_duration_ms": 0.0,
        "drop_first": 1,
    }
    assert {key: params[key] for key in told} == told


def test_a_preset_is_a_start_and_options_change_it(run, folder):
    assert run("gazetrack render --preset prostate --levels 2 --softness .02").code == 0
    params = meta_of(folder / "maps" / "maps.parquet")["params"]
    assert (params["kind"], params["radius"], params["levels"], params["softness"]) == (
        "hull",
        0.024,
        2,
        0.02,
    )
    assert run("gazetrack render --preset polyp --crf --levels 1").code == 0
    meta = meta_of(folder / "maps" / "maps.parquet")
    assert (meta["params"]["threshold"], meta["crf"]["position_px"], meta["crf"]["weight"]) == (
        0.17,
        50,
        5,
    )


def test_observers_stay_apart_or_are_pooled(run, folder):
    assert run("gazetrack render one.fixations.parquet two.fixations.parquet").code == 0
    apart = read_maps(folder / "maps")
    assert [row.stimulus for row in apart.rows()] == ["p.jpg", "q.jpg", "p.jpg"]
    assert (
        run("gazetrack render one.fixations.parquet two.fixations.parquet --pool -o pooled").code
        == 0
    )
    pooled = read_maps(folder / "pooled")
    rows = list(pooled.rows())
    assert [row.stimulus for row in rows] == ["p.jpg", "q.jpg"]
    assert rows[0].recording == "one, two"
    assert rows[0].n_fixations == 14
    for image_id in "pq":
        np.testing.assert_allclose(pooled.load(image_id).astype(int), apart.load(image_id), atol=1)


def test_what_is_not_rendered_has_its_reason(run, tmp_path):
    fixations = [(-9, 300), (20, 300), (30, 40), (40, 300), (50, 300), (60, 300), (70, 49)]
    rows = [
        f"a.jpg,{i + 1},{x / 80},.5,{d},1,{i * 900},60,80\n" for i, (x, d) in enumerate(fixations)
    ]
    (tmp_path / "t.csv").write_text(f"{HEADER},IMAGE_HEIGHT,IMAGE_WIDTH\n{''.join(rows)}")
    assert run("gazetrack convert t.csv -q").code == 0
    told = run("gazetrack render t.fixations.parquet --report r.jsonl")
    assert (
        "3 of 7 fixations rendered; not used: 2, shorter than 50 ms; not used: 1, off the image"
        in told.out
    )
    report = json.loads((tmp_path / "r.jsonl").read_text())
    assert report["dropped"] == {
        "shorter than 50 ms": 2,
        "off the image": 1,
        "first of their track": 1,
    }
    assert report["rows_out"] == report["rows_used"] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_heatmap_keeps_the_first_fixation(run, folder, kind):
    assert run(f"gazetrack render one.fixations.parquet --kind {kind} --report r.jsonl").code == 0
    params = meta_of(folder / "maps" / "maps.parquet")["params"]
    first = 0 if kind in ("heatmap", "gazemedseg") else 1
    assert params["drop_first"] == first
    dropped = json.loads((folder / "r.jsonl").read_text())["dropped"]
    assert dropped.get("first of their track", 0) == 2 * first
    assert run(f"gazetrack render one.fixations.parquet --kind {kind} --drop-first 2").code == 0
    assert meta_of(folder / "maps" / "maps.parquet")["params"]["drop_first"] == 2


def test_overlays_are_the_image_with_the_maps_on_it(run, folder):
    assert run("gazetrack render one.fixations.parquet --kind tube --overlay").code == 0
    drawn = sorted((folder / "maps" / "overlay").iterdir())
    assert len(drawn) == 2
    with Image.open(drawn[0]) as picture, Image.open(folder / "images" / "p.png") as image:
        assert picture.size == image.size
        assert np.asarray(picture)[0, 0] == pytest.approx(np.asarray(image)[0, 0], abs=1)
        assert (np.asarray(picture) == 255).all(-1).any()
    result = run("gazetrack render one.fixations.parquet --overlay --images nowhere")
    assert result.code != 0


def test_refine_is_render_with_a_crf(run, folder):
    tables = "one.fixations.parquet two.fixations.parquet"
    assert run(f"gazetrack render {tables} --preset polyp").code == 0
    assert run(f"gazetrack render {tables} --preset polyp --crf -o direct").code == 0
    result = run("gazetrack refine --preset polyp")
    assert result.code == 0, result.err
    assert "3 of 3 tracks refined" in result.out
    later, direct, before = (
        list(read_maps(folder / name).rows()) for name in ("refined", "direct", "maps")
    )
    for a, b, c in zip(later, direct, before, strict=True):
        assert (a.stimulus, a.recording, a.n_fixations) == (b.stimulus, b.recording, b.n_fixations)
        np.testing.assert_array_equal(a.values[:-1], c.values[:-1])
        assert ((a.values[-1] >= 128) == (b.values[-1] >= 128)).mean() > 0.99
    meta = meta_of(folder / "refined" / "maps.parquet")
    assert meta["crf"]["weight"] == 5
    assert meta["params"]["kind"] == "density"
    assert run("gazetrack refine --preset polyp --all-levels -o all").code == 0
    assert not np.array_equal(next(read_maps(folder / "all").rows()).values[0], before[0].values[0])


def test_floats_on_request(run, folder):
    tables = "one.fixations.parquet two.fixations.parquet"
    assert run(f"gazetrack render {tables}").code == 0
    assert run(f"gazetrack render {tables} --dtype float32 -o exact").code == 0
    assert run("gazetrack refine exact --preset polyp").code == 0
    for name, dtype in (("exact", "float32"), ("refined", "uint8")):
        assert {row.values.dtype.name for row in read_maps(folder / name).rows()} == {dtype}
    for exact, rounded in zip(
        read_maps(folder / "exact").rows(), read_maps(folder / "maps").rows(), strict=True
    ):
        np.testing.assert_array_equal(np.rint(exact.values * 255), rounded.values)


def test_refine_twice_gives_the_same_bytes(run, folder):
    assert run("gazetrack render --levels 1").code == 0
    for out in ("a", "b"):
        assert run(f"gazetrack refine maps/maps.parquet -q -o {out}").code == 0
    assert (folder / "a" / "maps.parquet").read_bytes() == (
        folder / "b" / "maps.parquet"
    ).read_bytes()


@pytest.mark.parametrize(
    ("before", "line", "says"),
    [("--kind heatmap", "refine", ".5 is the border, and kind 'heatmap' has none"),
     ("--crf", "refine", "went through a CRF already"),
     ("", "refine --images maps", "holds no image of these maps"),
     ("", "refine elsewhere", "no such file"),
     ("", "refine -o maps", "maps.parquet"),
     ("", "refine --weight 0", "positive"),
     ("", "render --ratios .5,.2,1", "increasing"),
     ("", "render --ratios a,b", "not like"),
     ("", "render --levels 3 --ratios .5,1", "2 ratios for 3 levels"),
     ("", "render --max-saccade nan", "use 0 or more"),
     ("", "render --kind linear --crf", "has none there")],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_line(run, folder, before, line, says):
    assert run(f"gazetrack render {before}").code == 0
    bytes_before = (folder / "maps" / "maps.parquet").read_bytes()
    result = run(f"gazetrack {line}")
    assert result.code != 0
    assert says in result.err
    assert "Traceback" not in result.err
    assert (folder / "maps" / "maps.parquet").read_bytes() == bytes_before
    assert not (folder / "refined").exists()


def test_maps_without_image_are_named_and_the_rest_is_written(run, folder):
    assert run("gazetrack render").code == 0
    (folder / "images" / "q.png").unlink()
    result = run("gazetrack refine")
    assert result.code != 0
    assert "no image for 1 of 2 maps: q" in result.err
    assert [row.stimulus for row in read_maps(folder / "refined").rows()] == ["p.jpg", "p.jpg"]


def test_plot_takes_the_same_options(run, folder):
    assert (
        run("gazetrack plot one.fixations.parquet --preset prostate --levels 2 --limit 1").code == 0
    )
    (picture,) = (folder / "plots").iterdir()
    with Image.open(picture) as opened:
        assert opened.width > 1.5 * opened.height
    assert run("gazetrack plot one.fixations.parquet -q --force-nothing").code == 2
    assert run("gazetrack plot one.fixations.parquet -q").out == ""


@pytest.mark.parametrize("command", ["render one.fixations.parquet --crf", "refine rendered"])
@pytest.mark.parametrize("fails_at", [1, 2])
def test_an_interrupted_run_goes_on_where_it_was(run, folder, monkeypatch, command, fails_at):
    from gazetrack.maps import crf

    Image.new("RGB", (80, 60), (90, 120, 90)).save(folder / "images" / "q.png")  # unlike p
    assert run("gazetrack render one.fixations.parquet -q -o rendered").code == 0
    line = f"gazetrack {command} -q -o"
    assert run(f"{line} whole").code == 0
    assert [path.name for path in (folder / "whole").iterdir()] == ["maps.parquet"]
    calls, refine = [], crf.refine

    def failing(*arguments):
        calls.append(1)
        if len(calls) == fails_at:
            raise KeyboardInterrupt
        return refine(*arguments)

    monkeypatch.setattr(crf, "refine", failing)
    assert run(f"{line} cut").code == 130
    assert not (folder / "cut" / "maps.parquet").exists()
    assert len(list(folder.glob("cut/.maps.parquet.kept/*"))) == fails_at - 1
    assert run(f"{line} cut").code == 0
    assert len(calls) == 2 + 1  # the one that was cut short is done again, no other
    assert [path.name for path in (folder / "cut").iterdir()] == ["maps.parquet"]
    assert (folder / "cut" / "maps.parquet").read_bytes() == (
        folder / "whole" / "maps.parquet"
    ).read_bytes()


def test_what_unseen_networks_saw_is_mixed_in(run, folder):
    from gazetrack.workflows.refining import mixed

    assert run("gazetrack render -q").code == 0
    assert run("gazetrack refine -q").code == 0
    (folder / "seen").mkdir()
    rng = np.random.default_rng(1)
    seen = {name: rng.integers(0, 256, (60, 80), np.uint8) for name in "pq"}
    Image.fromarray(seen["p"]).save(folder / "seen" / "p.png")
    result = run("gazetrack refine --probabilities seen -o mixed")
    assert result.code == 1
    assert "has no probabilities of 1 images, first 'q'" in result.err
    Image.fromarray(seen["q"]).save(folder / "seen" / "q.png")
    assert run("gazetrack refine --probabilities seen --share 0.3 -q -o mixed").code == 0
    result = run("gazetrack refine --probabilities images -o wrong")
    assert result.code == 1
    assert "is no probability" in result.err
    assert not (folder / "wrong").exists()
    assert meta_of(folder / "mixed" / "maps.parquet")["probabilities_share"] == 0.3
    rows = (read_maps(folder / name).rows() for name in ("maps", "refined", "mixed"))
    for before, refined, after in zip(*rows, strict=True):
        np.testing.assert_array_equal(after.values[:-1], before.values[:-1])
        levels = before.values[-1], refined.values[-1], seen[before.stimulus[0]]
        a, b, c = (np.clip(level / 255, 0.03, 0.97) for level in levels)
        logits = 0.35 * np.log(a / (1 - a)) + 0.35 * np.log(b / (1 - b)) + 0.3 * np.log(c / (1 - c))
        np.testing.assert_allclose(after.values[-1], 255 / (1 + np.exp(-logits)), atol=0.51)
        np.testing.assert_array_equal(after.values[-1], mixed(*levels, 0.3))
    said = run("gazetrack refine --probabilities seen --share 1 -o x").err
    assert "use a number above 0 and below 1" in said


def test_masks_are_no_probabilities_and_a_folder_of_predictions_has_both(run, folder):
    assert run("gazetrack render -q").code == 0
    (folder / "seen" / "probabilities").mkdir(parents=True)
    rng = np.random.default_rng(1)
    for name in "pq":
        seen = rng.integers(1, 255, (60, 80), np.uint8)
        Image.fromarray(seen).save(folder / "seen" / "probabilities" / f"{name}.png")
        mask = np.where(seen > 127, np.uint8(255), np.uint8(0))
        Image.fromarray(mask).save(folder / "seen" / f"{name}.png")
    assert run("gazetrack refine --probabilities seen -q -o whole").code == 0
    assert run("gazetrack refine --probabilities seen/probabilities -q -o inner").code == 0
    whole, inner = (folder / name / "maps.parquet" for name in ("whole", "inner"))
    assert whole.read_bytes() == inner.read_bytes()
    assert meta_of(whole)["probabilities"]["images"] == 2
    (folder / "seen" / "probabilities").rename(folder / "away")
    result = run("gazetrack refine --probabilities seen -o masks")
    assert result.code == 1
    assert "holds masks and no probabilities" in result.err
    assert not (folder / "masks").exists()


@pytest.mark.parametrize(
    "line",
    [
        "render one.fixations.parquet -o images",
        "render one.fixations.parquet --png --images maps/png",
        "plot one.fixations.parquet -o images",
        "refine rendered -o images",
    ],
)
def test_nothing_is_written_among_the_images(run, folder, line):
    assert run("gazetrack render one.fixations.parquet -q -o rendered").code == 0
    if "maps/png" in line:
        (folder / "maps").mkdir()
        (folder / "images").rename(folder / "maps" / "png")
    before = sorted(folder.rglob("*"))
    result = run(f"gazetrack {line}")
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert "is a folder of inputs" in result.err
    assert "--out" in result.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("params", [[1], "tube", 5, None, {"kind": ["tube"]}])
def test_refining_maps_whose_metadata_are_odd_is_an_error_that_says_so(run, tmp_path, params):
    from gazetrack.maps.store import StoredMaps, map_writer

    (tmp_path / "images").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "images" / "p.png")
    with map_writer(tmp_path / "maps" / "maps.parquet", {"params": params}) as write:
        write(
            StoredMaps(
                stimulus="p.png",
                recording="r",
                participant="",
                trial="",
                n_fixations=3,
                values=np.zeros((1, 3, 4), np.uint8),
            )
        )
    result = run("gazetrack refine")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "internal" not in result.err


def test_maps_of_slices_gain_from_their_neighbours(run, tmp_path):
    write_fixations(tmp_path / "a.fixations.parquet", ["case_1.png", "case_2.png"])
    assert run("gazetrack render a.fixations.parquet -o plain -q").code == 0
    assert run("gazetrack render a.fixations.parquet --slice-sigma 1 -q").code == 0
    told = meta_of(tmp_path / "maps" / "maps.parquet")["slice_smoothing"]
    assert told == {"sigma": 1.0, "unit": "slices"}
    assert "slice_smoothing" not in meta_of(tmp_path / "plain" / "maps.parquet")
    for options, what in (
        ("--slice-sigma 0", "a sigma of 0 over slices"),
        ("--slice-sigma-mm 3", "the distance between its slices is not known"),
        ("--slice-sigma 1 --slice-sigma-mm 3", "cannot be given with"),
    ):
        refused = run(f"gazetrack render a.fixations.parquet {options} -o never")
        assert refused.code == 2
        assert what in refused.err
    assert not (tmp_path / "never").exists()
