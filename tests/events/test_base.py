"""What every detector shares: the trial, and how long runs last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import ConfigError
from gazetrack.events.base import (
    Detector,
    Trial,
    between,
    clear_of,
    detect,
    detector_facts,
    durations,
    lasting_runs,
    mean_pupil,
    runs_of,
    scale_of,
    spans_of,
    steps_back,
    trials_of,
)
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen


def trial_of(t):
    t = np.asarray(t, float)
    return Trial(t, np.zeros(t.size), np.zeros(t.size), 40.0)


def test_the_step_is_the_median_of_the_steps_forward():
    assert trial_of([0, 4, 8, 8, 12, 500]).step_ms == 4.0
    assert trial_of([0, 4, 4, 4, 8, 8, 12]).step_ms == 4.0
    assert trial_of([7]).step_ms == 0.0
    assert trial_of([0, 0.25, 0.5, 0.75]).step_ms == 0.25


def test_a_run_lasts_until_its_last_sample_is_over():
    trial = trial_of([0, 4, 8, 10, 14])
    # One step of 4 ms after the last sample, but no longer than to the next one, which is at 10.
    found = durations(trial, np.array([0, 0, 3]), np.array([2, 3, 5]))
    assert found.tolist() == [8.0, 10.0, 8.0]
    late = trial_of([0, 4, 8, 12, 14])  # and no longer than to the very last one
    assert durations(late, np.array([0]), np.array([4])).tolist() == [14.0]


def test_runs_of_exactly_the_least_duration_stay():
    trial = trial_of(np.arange(10) * 4)
    runs = np.array([0, 4]), np.array([2, 8])  # 8 and 16 ms
    starts, ends = lasting_runs(trial, runs, 16.0)
    assert (starts.tolist(), ends.tolist()) == ([4], [8])


@pytest.mark.parametrize(
    ("labels", "starts", "ends"),
    [("0110", [1], [3]), ("101", [0, 2], [1, 3]), ("111", [0], [3]), ("", [], [])],
)
def test_runs_of_labels(labels, starts, ends):
    found = runs_of(np.array([label == "1" for label in labels], bool))
    assert (found[0].tolist(), found[1].tolist()) == (starts, ends)


@dataclass(frozen=True, kw_only=True)
class Given(Detector):
    """Finds the same runs in every piece, as long as its samples reach."""

    name: ClassVar[str] = "given"
    least: float = 0.0

    def runs(self, trial):
        starts = np.array([0, 3, 5])
        ends = np.array([2, 5, 8])
        is_there = ends <= trial.t_ms.size
        return starts[is_there], ends[is_there]


def samples_of(t, x, y=None, **columns):
    y = x if y is None else y
    return conform({"t_ms": t, "x_px": x, "y_px": y} | columns, SAMPLES)


def test_what_lies_between_fixations_is_a_saccade_of_up_to_200_ms():
    trial = trial_of(np.arange(100) * 10)
    fixations = np.array([0, 10, 10 + 25, 60, 90]), np.array([10, 15, 40, 70, 100])
    starts, ends = between(trial, fixations)
    # The first two touch, 200 ms lie between the next and the two after them each.
    assert (starts.tolist(), ends.tolist()) == ([15, 40, 70], [35, 60, 90])
    later = np.array([0, 31]), np.array([10, 40])
    assert between(trial, later)[0].size == 0
    assert Given().movements(trial)["saccade"][0].tolist() == [2]


def test_a_screen_of_unknown_size_is_taken_to_be_45_degrees_wide():
    assert scale_of(None) == (1920 / 45, True)
    assert scale_of(Screen(900, 500)) == (20, True)
    scale, is_assumed = scale_of(Screen(1920, 1080, 531.0, 299.0, 650.0))
    assert scale == pytest.approx(1920 / np.degrees(2 * np.arctan(531 / 2 / 650)), rel=0.1)
    assert not is_assumed
    facts = detector_facts(None, Given(least=3.0))
    assert facts == {
        "name": "given",
        "least": 3.0,
        "px_per_deg": 1920 / 45,
        "px_per_deg_assumed": True,
    }


@pytest.mark.parametrize("least", [-1.0, np.nan, np.inf])
def test_parameters_are_numbers_of_0_or_more(least):
    assert Given(least=0.0).least == 0
    with pytest.raises(ConfigError, match="least = "):
        Given(least=least)


def test_fixations_are_described_by_their_samples_and_numbered_through_a_trial():
    t = np.r_[np.arange(8), np.arange(4)] * 10.0  # the clock was set once
    x = np.r_[1.0, 3, 0, 10, 14, 40, 40, 40, 7, 9, 0, 0]
    screen = Screen(1920, 1080, 531.0, 299.0, 650.0)
    found, _ = detect(samples_of(t, x, 2 * x, trial=["a"] * 12), screen, Given())
    frame = found.to_pandas()
    assert frame["index"].tolist() == [1, 2, 3, 4]
    assert frame["onset_ms"].tolist() == [0, 30, 50, 0]
    assert frame["duration_ms"].tolist() == [20, 20, 30, 20]
    assert frame["x_px"].tolist() == [2, 12, 40, 8]
    assert frame["y_px"].tolist() == [4, 24, 80, 16]
    assert frame["n_samples"].tolist() == [2, 2, 3, 2]
    assert set(frame["eye"]) == {"both"}
    steps = np.hypot([10, 28], [20, 56]) / screen.px_per_deg
    np.testing.assert_allclose(frame["amplitude_deg"], [np.nan, *steps, np.nan])
    assumed, _ = detect(samples_of(t, x, 2 * x), None, Given())
    assert np.isnan(assumed["amplitude_deg"].to_numpy()).all()


def test_a_fixation_in_which_nothing_was_seen_is_none():
    x = np.r_[1.0, 1, np.nan, np.nan, np.nan, 4, np.nan, np.nan]
    found, _ = detect(samples_of(np.arange(8) * 10.0, x), None, Given())
    assert found["x_px"].to_pylist() == [1, 4]
    assert found["n_samples"].to_pylist() == [2, 1]
    nothing, _ = detect(samples_of([], []), None, Given())
    assert nothing.num_rows == 0


def test_half_a_position_is_missing():
    x = np.array([1.0, np.nan, 3.0, 4.0])
    y = np.array([1.0, 2.0, np.nan, 4.0])
    ((_, pieces),) = trials_of(samples_of(np.arange(4.0), x, y), 40.0)
    (piece,) = pieces
    expected = [1, np.nan, np.nan, 4]
    np.testing.assert_array_equal(piece.x_px, expected)
    np.testing.assert_array_equal(piece.y_px, expected)
    assert (piece.px_per_deg, piece.pupil) == (40.0, None)


def test_a_trial_that_was_interrupted_is_one_whatever_the_chunks_of_its_table():
    trial = list("aabbbac")
    whole = samples_of(np.arange(7.0), np.arange(7.0), trial=trial)
    spans = {"a": [(0, 2), (5, 1)], "b": [(2, 3)], "c": [(6, 1)]}
    for cut in range(8):
        chunked = pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])
        assert {key[1]: found for key, found in spans_of(chunked).items()} == spans
        found = {
            key[1]: [piece.t_ms.tolist() for piece in pieces]
            for key, pieces in trials_of(chunked, 40.0)
        }
        assert found == {"a": [[0, 1, 5]], "b": [[2, 3, 4]], "c": [[6]]}


def test_the_clock_steps_back_within_chunks_and_between_them():
    t = [0.0, 5, 5, 3, 4, 2, 2, 9]
    for cut in range(9):
        assert steps_back(pa.chunked_array([t[:cut], t[cut:]], pa.float64())) == [3, 5]
    by_twos = pa.chunked_array([t[k : k + 2] for k in range(0, 8, 2)], pa.float64())
    assert steps_back(by_twos) == [3, 5]
    by_threes = pa.chunked_array([t[:3], t[3:6], t[6:]], pa.float64())
    assert steps_back(by_threes) == [3, 5]


def test_the_mean_pupil_is_of_what_is_known_and_above_zero():
    left = np.array([2.0, 0.0, np.nan, -1.0, 4.0])
    right = np.array([4.0, 3.0, np.nan, 0.0, 0.5])
    np.testing.assert_array_equal(mean_pupil([left, right]), [3, 3, np.nan, np.nan, 2.25])
    columns = {"left_pupil": left, "right_pupil": right}
    ((_, pieces),) = trials_of(samples_of(np.arange(5.0), left, **columns), 1.0, list(columns))
    np.testing.assert_array_equal(next(pieces).pupil, [3, 3, np.nan, np.nan, 2.25])


@pytest.mark.parametrize(
    ("x", "y", "lengths"),
    [
        # Pieces of at most ten samples, cut among the last four of these.
        ([0] * 10, [0] * 10, [10]),
        ([0] * 8 + [5] * 3 + [0], [0] * 12, [8, 4]),
        ([0] * 8 + [5] * 3 + [0], [0] * 9 + [9] + [0] * 2, [9, 3]),
        ([0] * 8 + [5, np.nan, 0, 0], [0] * 12, [9, 3]),
        ([0, 0, 9, *[0] * 9], [0] * 12, [7, 5]),
        ([*[0] * 9, 7, *[0] * 12], [0] * 22, [9, 7, 6]),
    ],
)
def test_a_long_trial_is_cut_where_gaze_jumps(monkeypatch, x, y, lengths):
    monkeypatch.setattr("gazetrack.events.base.MAX_PIECE_SAMPLES", 10)
    monkeypatch.setattr("gazetrack.events.base.CUT_SAMPLES", 4)
    x, y = np.array(x, float), np.array(y, float)
    ((_, pieces),) = trials_of(samples_of(np.arange(x.size) * 1.0, x, y), 40.0)
    pieces = list(pieces)
    assert [piece.t_ms.size for piece in pieces] == lengths
    assert np.concatenate([piece.t_ms for piece in pieces]).tolist() == list(range(x.size))


@given(st.lists(st.integers(0, 3), max_size=24), st.lists(st.integers(0, 3), max_size=24))
def test_runs_clear_of_others_share_no_sample_with_them(labels, others):
    n = min(len(labels), len(others))
    runs = runs_of(np.array(labels[:n], int) > 0)
    other = np.array(others[:n], int) == 3
    starts, ends = clear_of(runs, runs_of(other))
    expected = [
        (start, end)
        for start, end in zip(*(part.tolist() for part in runs), strict=True)
        if not other[start:end].any()
    ]
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == expected
