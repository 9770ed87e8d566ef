"""Maps of slices that gain from their neighbours, against the definition written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError
from gazetrack.images.folder import find_images
from gazetrack.maps.neighbours import SliceSmoothing
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import read_maps
from gazetrack.maps.track import Track
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.render import render
from gazetrack.workflows.render_slices import slices_around
from tests.dicom_files import STEP as DICOM_STEP
from tests.dicom_files import corners, write_series
from tests.fixation_tables import write_fixations
from tests.volume_files import write_nrrd

SIZE = (30, 40)  # height and width of slices
N = 6
PARAMS = MapParams(kind="disc", levels=2, radius=0.1, softness=0.02, drop_first=0)
STEP = 3.0  # mm from slice to slice


def track(stimulus, x=10.0, recording="r", trial="1", durations=(200.0, 300.0), **more):
    n = len(durations)
    xs = x + np.arange(n, dtype=float)
    facts = {"participant": "p", "width": SIZE[1], "height": SIZE[0]} | more
    return Track(recording, trial, stimulus, xs, np.full(n, 12.0), np.array(durations), **facts)


@pytest.fixture
def images(tmp_path):
    pytest.importorskip("nrrd")
    folder = tmp_path / "images"
    folder.mkdir()
    stored = np.zeros((*SIZE[::-1], N), np.int16)
    write_nrrd(folder / "case.nrrd", stored, ((1, 0, 0), (0, 1, 0), (0, 0, STEP)))
    return find_images(folder)


def around(tracks, images, smoothing, tables=None):
    outcomes = {name: Outcome(name) for name in tables or "t"}
    work = [(one, outcomes[(tables or "t" * len(tracks))[i]]) for i, one in enumerate(tracks)]
    return slices_around(work, images, smoothing, PARAMS)


def slow(index, tracks, sigma, step):
    """The map of one track by the formula: observers, slices and their tracks, one by one."""
    own = tracks[index]
    number = int(own.stimulus.split("_")[1])
    total, weights = render_maps(own, PARAMS).values.astype(float), 1.0
    for other in range(1, N + 1):
        on_it = [
            one
            for one in tracks
            if one.stimulus == f"case_{other}" and one.recording == own.recording
        ]
        distance = abs(other - number) * step
        if other == number or not on_it or distance > 3 * sigma:
            continue
        weight = math.exp(-(distance**2) / (2 * sigma**2))
        mean = np.mean([render_maps(one, PARAMS).values for one in on_it], axis=0)
        total += weight * mean
        weights += weight
    return total / weights


@pytest.mark.parametrize(("sigma", "unit", "step"), [(1.0, "slices", 1), (4.0, "mm", STEP)])
def test_maps_are_those_of_the_formula(images, tmp_path, sigma, unit, step):
    rng = np.random.default_rng(3)
    rows = {"x_px": rng.uniform(2, 38, 12), "y_px": rng.uniform(2, 28, 12)}
    stimuli = ["case_1", "case_2", "case_4", "case_4", "case_6", "case_2"] * 2
    tables = [
        write_fixations(
            tmp_path / f"{name}.fixations.parquet",
            stimuli[part],
            recording=name,
            **{key: values[part] for key, values in rows.items()},
        )
        for name, part in (("one", slice(0, 6)), ("two", slice(6, 12)))
    ]
    smoothing = SliceSmoothing(sigma=sigma, unit=unit)
    out = tmp_path / "maps"
    options = {"params": PARAMS, "dtype": "float32", "smoothing": smoothing}
    render(tables, tmp_path / "images", out, **options)
    plain = tmp_path / "plain"
    render(tables, tmp_path / "images", plain, params=PARAMS, dtype="float32")
    found = list(read_maps(out).rows())
    tracks = gazetrack_tracks(tables, tmp_path / "images")
    assert [row.stimulus for row in found] == [one.stimulus for one in tracks]
    for index, row in enumerate(found):
        np.testing.assert_allclose(row.values, slow(index, tracks, sigma, step), atol=1e-6)
    changed = [
        not np.array_equal(a.values, b.values)
        for a, b in zip(found, read_maps(plain).rows(), strict=True)
    ]
    assert all(changed)
    assert read_maps(out).meta["slice_smoothing"] == {"sigma": sigma, "unit": unit}
    assert "slice_smoothing" not in read_maps(plain).meta


def gazetrack_tracks(tables, images):
    import gazetrack

    return [one for table in tables for one in gazetrack.tracks(table, images=images)]


def test_slices_without_a_look_and_other_observers_count_nothing(images):
    smoothing = SliceSmoothing(sigma=1)
    short = (10.0,)  # ms: no fixation that counts
    tracks = [
        track("case_3"),
        track("case_4", durations=short),
        track("case_4", recording="another"),
        track("case_2", eye="left"),
        track("other_2"),
    ]
    assert around(tracks, images, smoothing) == [[], [], [], [], []]
    # The same names in another table are somebody else.
    assert around([track("case_3"), track("case_4")], images, smoothing, "ab") == [[], []]


def test_trials_do_not_part_an_observer_and_share_a_slice(images):
    tracks = [track("case_3"), track("case_4", trial="2"), track("case_4", trial="3", x=20.0)]
    first, second, third = around(tracks, images, SliceSmoothing(sigma=1))
    weight = math.exp(-0.5)
    assert [(w, t.trial) for w, t in first] == [(weight / 2, "2"), (weight / 2, "3")]
    # Another trial on the same slice is no neighbour.
    assert [t.stimulus for _, t in second] == [t.stimulus for _, t in third] == ["case_3"]


def test_a_look_too_short_to_count_gains_nothing(images):
    tracks = [track("case_3", durations=(10.0,)), track("case_4")]
    assert around(tracks, images, SliceSmoothing(sigma=1)) == [[], []]


def test_pictures_are_slices_by_their_names():
    tracks = [track("case_7.png"), track("case_8.png"), track("case.png")]
    first, _, third = around(tracks, {}, SliceSmoothing(sigma=1))
    assert [one.stimulus for _, one in first] == ["case_8.png"]
    assert third == []


def test_what_cannot_be_smoothed_is_said(images):
    with pytest.raises(ConfigError, match="no stimulus is one"):
        around([track("polyp.png")], images, SliceSmoothing(sigma=1))
    with pytest.raises(ConfigError, match=r"not known.*--slice-sigma"):
        around([track("a_1.png"), track("a_2.png")], {}, SliceSmoothing(sigma=3, unit="mm"))
    with pytest.raises(ConfigError, match="slices of 40 x 30 and 80 x 30 pixels"):
        around([track("a_1"), track("a_2", width=80)], {}, SliceSmoothing(sigma=1))


def test_targets_are_not_mixed(images):
    tracks = [track("case_3", target="liver"), track("case_4", target="spleen")]
    assert around(tracks, images, SliceSmoothing(sigma=1)) == [[], []]


def test_slices_of_a_dicom_series_lie_where_their_positions_say(tmp_path):
    pytest.importorskip("pydicom")
    # By their names the slices would lie in another order, and further apart.
    names = ["im_9", "im_1", "im_7", "im_2"]
    write_series(tmp_path, np.zeros((4, *SIZE), np.int16), names=names)
    images = find_images(tmp_path)
    tracks = [track(f"{name}.dcm") for name in names]
    found = around(tracks, images, SliceSmoothing(sigma=2 * DICOM_STEP, unit="mm"))
    assert [one.stimulus for _, one in found[0]] == ["im_1.dcm", "im_7.dcm", "im_2.dcm"]
    weights = [math.exp(-(distance**2) / 8) for distance in (1, 2, 3)]
    assert [weight for weight, _ in found[0]] == pytest.approx(weights)
    in_slices = around(tracks, images, SliceSmoothing(sigma=2))
    assert [weight for weight, _ in in_slices[0]] == pytest.approx(weights)


def test_a_dicom_series_with_a_gap_is_refused(tmp_path):
    pytest.importorskip("pydicom")
    places = corners(6)
    kept = [*places[:2], *places[3:]]
    write_series(tmp_path, np.zeros((5, *SIZE), np.int16), names=list("abcde"), places=kept)
    with pytest.raises(DataError, match="missing or unevenly spaced"):
        around([track("a"), track("b")], find_images(tmp_path), SliceSmoothing(sigma=1))
