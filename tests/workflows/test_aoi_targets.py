"""The label of an area of interest as the target: a map of what gaze fell on, by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, DataError
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import prepare, render_maps
from gazetrack.maps.store import read_maps
from gazetrack.maps.track import Track
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Rectangle
from gazetrack.workflows.aoi_targets import area_targets, within_areas
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.render import RenderOptions, render, render_tables
from gazetrack.workflows.table_tracks import TableTracks
from tests.fixation_tables import write_fixations

# Of an image of 80 x 60 pixels: a polyp on the left, an ulcer on the right, nothing between.
LEFT = Rectangle(x_px=0, y_px=0, width_px=30, height_px=60)
RIGHT = Rectangle(x_px=50, y_px=0, width_px=30, height_px=60)
WIDE = Rectangle(x_px=0, y_px=0, width_px=60, height_px=60)
TUBE = MapParams(kind="tube", levels=1, radius=0.05, softness=0.01, drop_first=0)


def area(name, shape, **when):
    return Aoi(name=name, parts=(Part(shape=shape, **when),))


def aois(*areas, stimulus="p.png", **facts):
    return AoiSet(stimuli=(StimulusAois(stimulus=stimulus, aois=areas, **facts),))


TWO = aois(area("polyp", LEFT), area("ulcer", RIGHT))


def gaze(folder, *places, stimuli=None, **columns):
    x, y = np.array(places, float).T
    names = stimuli or ["p.png"] * len(places)
    return write_fixations(folder / "g.fixations.parquet", names, x_px=x, y_px=y, **columns)


def rows_of(folder):
    return {row.target: row for row in read_maps(folder).rows()}


def test_gaze_goes_to_the_class_of_the_area_it_fell_on_and_lines_break_where_it_left(tmp_path):
    # Polyp, polyp, ulcer, polyp: the polyp has a line, and a point that no line leads to.
    table = gaze(tmp_path, (10, 10.5), (20, 10.5), (70, 30.5), (10.5, 50.5), (40, 30))
    (told,) = render(
        table, out=tmp_path / "maps", params=TUBE, target="aoi", aois=TWO, dtype="float32"
    )
    found = rows_of(tmp_path / "maps")
    assert {name: row.n_fixations for name, row in found.items()} == {"polyp": 3, "ulcer": 1}
    # With s = sqrt(80 * 60), a pixel at distance D has 1 / (1 + exp((D / s - .05) / .01)).
    side = np.sqrt(80 * 60)
    polyp, ulcer = found["polyp"].values[0], found["ulcer"].values[0]
    on_line = 1 / (1 + np.exp(-5))
    assert polyp[10, 15] == pytest.approx(on_line, abs=1e-5)  # between the first two
    assert polyp[50, 10] == pytest.approx(on_line, abs=1e-5)  # the point
    five_off = 1 / (1 + np.exp((5 / side - 0.05) / 0.01))
    assert polyp[15, 15] == pytest.approx(five_off, abs=1e-5)
    assert polyp[45, 10] == pytest.approx(five_off, abs=1e-5)
    assert polyp[30, 15] < 1e-3  # half way from the line to the point: nobody's gaze went there
    assert polyp[20, 45] < 1e-3  # nor to the ulcer and back
    y, x = np.mgrid[:60, :80] + 0.5
    away = np.hypot(x - 70, y - 30.5) / side
    np.testing.assert_allclose(ulcer, 1 / (1 + np.exp((away - 0.05) / 0.01)), atol=1e-5)
    assert (told.rows_in, told.rows_out) == (5, 4)
    assert told.dropped == {"in no area of interest": 1}
    meta = read_maps(tmp_path / "maps").meta
    assert meta["target_rule"] == "aoi"


def test_noise_ends_no_visit_and_the_first_of_the_trial_is_no_look(tmp_path):
    places = [(70, 20), (10, 10.5), (40, 30), (20, 10.5), (70, 30)]
    short = np.array([300.0, 300, 20, 300, 300])
    table = gaze(tmp_path, *places, duration_ms=short)
    params = replace(TUBE, drop_first=1)
    (told,) = render(table, out=tmp_path / "maps", params=params, target="aoi", aois=TWO)
    found = rows_of(tmp_path / "maps")
    # The first fixation of the trial is dropped, not that of each class; the short one is bridged.
    assert {name: row.n_fixations for name, row in found.items()} == {"polyp": 2, "ulcer": 1}
    assert found["polyp"].as_float32()[0, 10, 15] > 0.99
    assert told.dropped == {"shorter than 50 ms": 1, "first of their track": 1}
    assert told.rows_in == told.rows_out + sum(told.dropped.values())


def test_levels_are_the_last_fixations_of_each_class(tmp_path):
    table = gaze(tmp_path, (10, 10.5), (70, 10.5), (10, 50.5), (70, 50.5))
    params = replace(TUBE, levels=2, ratios=(0.5, 1.0))
    render(table, out=tmp_path / "maps", params=params, target="aoi", aois=TWO)
    for name, column in (("polyp", 10), ("ulcer", 70)):
        core, full = rows_of(tmp_path / "maps")[name].as_float32()
        assert core[50, column] > 0.98 > 0.01 > core[10, column]
        assert min(full[50, column], full[10, column]) > 0.98


def test_a_fixation_in_two_areas_is_one_of_either(tmp_path):
    table = gaze(tmp_path, (10, 10), (55, 30), (70, 30))
    both = aois(area("polyp", WIDE), area("ulcer", RIGHT))
    (told,) = render(table, out=tmp_path / "maps", params=TUBE, target="aoi", aois=both)
    counts = {name: row.n_fixations for name, row in rows_of(tmp_path / "maps").items()}
    assert counts == {"polyp": 2, "ulcer": 2}
    assert (told.rows_in, told.rows_out, told.dropped) == (3, 3, {})


def test_a_pattern_makes_one_class_of_several_areas(tmp_path):
    table = gaze(tmp_path, (10, 10), (70, 30), (40, 30))
    three = aois(
        area("polyp-1", LEFT),
        area("polyp-2", RIGHT),
        area("tool", Rectangle(x_px=30, y_px=0, width_px=20, height_px=60)),
    )
    render(table, out=tmp_path / "maps", params=TUBE, target="aoi=^(polyp)", aois=three)
    assert {name: row.n_fixations for name, row in rows_of(tmp_path / "maps").items()} == {
        "polyp": 2
    }
    with pytest.raises(DataError, match="says nothing of area 'polyp-1', nor of any other"):
        render(table, out=tmp_path / "none", target="aoi=^lesion", aois=three)


def test_images_without_areas_are_left_out_and_said(tmp_path):
    table = gaze(tmp_path, (10, 10), (10, 10), (20, 20), stimuli=["p.png", "q.png", "q.png"])
    (told,) = render(table, out=tmp_path / "maps", params=TUBE, target="aoi", aois=TWO)
    assert [row.stimulus for row in read_maps(tmp_path / "maps").rows()] == ["p.png"]
    assert told.dropped == {"no areas of interest": 2}
    assert any("1 stimuli have no areas of interest: q.png" in note for note in told.notes)
    # The ulcer is in the image, and nobody looked at it: that is not a map of nothing.
    assert any("nobody looked at a target" in note for note in told.notes)


@pytest.mark.parametrize(
    ("kind", "areas", "said"),
    [
        (DataError, aois(area("polyp", LEFT), stimulus="q.png"), "none of its stimuli has areas"),
        (DataError, aois(area("polyp", RIGHT)), "no fixation lies in an area of interest"),
        (DataError, aois(area("polyp", LEFT), size=(80, 80)), "another shape than its areas"),
    ],
)
def test_areas_that_do_not_fit_the_gaze_fail_with_its_file(tmp_path, kind, areas, said):
    table = gaze(tmp_path, (10, 10), (20, 20))
    options = RenderOptions(params=TUBE, target="aoi", aois=areas, out=tmp_path / "maps")
    (told,) = render_tables([table], options)
    assert told.status == "failed"
    assert isinstance(told.error, kind)
    assert said in str(told.error)
    assert str(told.error.path) == str(table)
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize(
    ("rule", "areas", "error", "said"),
    [
        ("aoi", None, ConfigError, "needs the areas of interest"),
        ("trial", TWO, ConfigError, "a target that is not the area"),
        (None, TWO, ConfigError, "a target that is not the area"),
        ("aoi=(", TWO, ConfigError, "no regular expression"),
        ("aoi=", TWO, ConfigError, "target"),
        ("aoi", replace(TWO, space="screen"), ConfigError, "no place on an image"),
        ("aoi", aois(area("mask", LEFT)), ConfigError, "without labels"),
        ("aoi", aois(area("polyp", LEFT, onset_ms=0, offset_ms=9)), DataError, "for a time only"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_table_is_read(rule, areas, error, said):
    with pytest.raises(error, match=said):
        area_targets(rule, areas)
    assert area_targets("trial", None) is None


def test_areas_drawn_on_a_larger_image_are_found_on_a_smaller_one(tmp_path):
    table = gaze(tmp_path, (10, 10), (70, 30))
    whole = aois(
        area("polyp", Rectangle(x_px=0, y_px=0, width_px=60, height_px=120)), size=(160, 120)
    )
    (told,) = render(table, out=tmp_path / "maps", params=TUBE, target="aoi", aois=whole)
    assert rows_of(tmp_path / "maps")["polyp"].n_fixations == 1
    assert any("gaze scaled to the image" in note for note in told.notes)


def test_pictures_of_two_classes_of_one_trial_have_names_of_their_own(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (80, 60)).save(tmp_path / "images" / "p.png")
    table = gaze(tmp_path, (10, 10), (70, 30))
    out = tmp_path / "maps"
    render(
        table, tmp_path / "images", out, params=TUBE, target="aoi", aois=TWO, png=True, overlay=True
    )
    names = sorted(path.name for path in (out / "overlay").iterdir())
    assert len(names) == 2
    assert ".polyp" in names[0]
    assert ".ulcer" in names[1]
    assert len(list((out / "png").iterdir())) == 2


def test_pooled_maps_are_the_mean_over_those_who_looked(tmp_path):
    one = gaze(tmp_path, (10, 10), (70, 30))
    there = {"x_px": np.array([12.0]), "y_px": np.array([40.0])}
    two = write_fixations(tmp_path / "two.fixations.parquet", ["p.png"], recording="two", **there)
    render(
        [one, two], out=tmp_path / "maps", params=TUBE, target="aoi", aois=TWO,
        pooled=True, dtype="float32",
    )  # fmt: skip
    polyp = rows_of(tmp_path / "maps")["polyp"].values[0]
    assert polyp[10, 10] == pytest.approx(polyp[40, 12], abs=1e-3)
    assert 0.4 < polyp[10, 10] < 0.5  # one of the two looked there


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 85), st.floats(-5, 65), st.floats(0, 400)), max_size=30),
    st.lists(st.integers(1, 79), max_size=4, unique=True),
    st.lists(st.integers(1, 59), max_size=3, unique=True),
    st.integers(0, 2),
)
def test_areas_without_gaps_and_overlaps_share_out_each_fixation_once(fixations, xs, ys, drop):
    x, y, duration = np.array(fixations, float).reshape(-1, 3).T
    track = Track("r", "t", "p.png", x, y, duration, 80, 60)
    columns = [0, *sorted(xs), 80]
    rows = [0, *sorted(ys), 60]
    tiles = [
        Rectangle(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)
        for left, right in pairwise(columns)
        for top, bottom in pairwise(rows)
    ]
    areas = area_targets("aoi", aois(*(area(f"tile{i}", tile) for i, tile in enumerate(tiles))))
    params = MapParams(drop_first=drop)
    kept = prepare(track, params)
    if not len(kept):
        return
    outcome = Outcome("g")
    found = TableTracks((track,), len(track), {}, (), {})
    parts = within_areas(found, areas, params, outcome)
    together = np.concatenate([np.stack([p.x, p.y, p.duration_ms], 1) for p in parts.tracks])
    whole = np.stack([kept.x, kept.y, kept.duration_ms], 1)
    assert sorted(together.tolist()) == sorted(whole.tolist())
    assert outcome.rows_out == len(kept)
    assert outcome.rows_out + sum(parts.dropped.values()) == len(track)
    # Within a visit fixations followed each other, and nowhere else.
    steps = sum(int((np.diff(part.visit) == 0).sum()) for part in parts.tracks)
    number = np.empty(len(kept), int)
    for i, tile in enumerate(tiles):
        number[tile.inside(kept.x, kept.y)] = i
    assert steps == int((np.diff(number) == 0).sum())
    # What is rendered is what was split: cleaning again leaves all of it.
    assert all(len(prepare(part, params)) == len(part) for part in parts.tracks)


def test_an_area_of_all_has_the_map_of_the_whole_track(tmp_path):
    rng = np.random.default_rng(2)
    track = Track("r", "t", "p.png", *rng.uniform(1, 59, (2, 9)), rng.uniform(40, 400, 9), 80, 60)
    all_of_it = Rectangle(x_px=0, y_px=0, width_px=80, height_px=60)
    areas = area_targets("aoi", aois(area("all", all_of_it)))
    found = TableTracks((track,), 9, {}, (), {})
    for kind in ("tube", "density", "hull", "heatmap"):
        params = MapParams(kind=kind, levels=3)
        (part,) = within_areas(found, areas, params, Outcome("g")).tracks
        whole = render_maps(track, params)
        np.testing.assert_array_equal(render_maps(part, params).values, whole.values)


def test_files_of_areas_and_of_labels_are_read_for_it(tmp_path):
    table = gaze(tmp_path, (10, 10), (70, 30))
    labels = np.zeros((60, 80), np.uint8)
    labels[:, :30], labels[:, 50:] = 1, 2
    (tmp_path / "labels").mkdir()
    Image.fromarray(labels).save(tmp_path / "labels" / "p.png")
    areas = gazetrack.read_aois(tmp_path / "labels", labels={1: "polyp", 2: "ulcer"})
    render(table, out=tmp_path / "maps", target="aoi", aois=areas)
    assert sorted(read_maps(tmp_path / "maps").targets) == ["polyp", "ulcer"]
    assert read_maps(tmp_path / "maps").meta["target_areas"]["format"] == "masks"


def test_a_label_that_an_image_lacks_is_no_target_that_nobody_looked_at(tmp_path):
    table = gaze(tmp_path, (10, 10), (20, 20), (10, 10), stimuli=["p.png", "p.png", "q.png"])
    (tmp_path / "labels").mkdir()
    for name, held in (("p", (1,)), ("q", (1, 2))):
        labels = np.zeros((60, 80), np.uint8)
        for value in held:
            labels[:, 30 * (value - 1) : 30 * value] = value
        Image.fromarray(labels).save(tmp_path / "labels" / f"{name}.png")
    # The ulcer is in one of two images, and the value of the tool is mistyped: it is in none.
    names = {1: "polyp", 2: "ulcer", 33: "tool"}
    areas = gazetrack.read_aois(tmp_path / "labels", labels=names)
    (told,) = render(table, out=tmp_path / "maps", target="aoi", aois=areas)
    assert any("1 times nobody looked at a target that is in the image" in n for n in told.notes)
    (said,) = [note for note in told.notes if "--labels" in note]
    assert said.startswith("none of 2 tracks is of an image that has tool: ")
