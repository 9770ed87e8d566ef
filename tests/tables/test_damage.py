"""What is wrong with a recording as a whole is said, or refused, whatever reader it came from."""

from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.tables.plausible import checked
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen

NO_EVENTS = conform({}, EVENTS)
SCREEN = Screen(1280, 720)


def of_samples(t, x=None, y=None, trial="", **facts):
    """A recording of samples with wandering gaze."""
    n = len(t)
    x = 600 + np.arange(n) % 7 if x is None else x
    y = 300 + np.arange(n) % 5 if y is None else y
    columns = {"recording": "r", "trial": trial, "t_ms": np.array(t, float), "x_px": x, "y_px": y}
    return Recording(
        name="r",
        format="f",
        sample_table=conform(columns, SAMPLES),
        event_table=NO_EVENTS,
        screen=SCREEN,
        rows_in=n,
        **facts,
    )


def of_fixations(onsets, x=None, durations=None, eye="both", **facts):
    n = len(onsets)
    x = 600 + np.arange(n) % 7 if x is None else x
    durations = 80.0 + np.arange(n) % 11 if durations is None else durations
    columns = {
        "recording": ["r"] * n,
        "onset_ms": np.array(onsets, float),
        "duration_ms": durations,
        "x_px": x,
    }
    columns["eye"] = eye
    table = conform(columns | {"y_px": np.arange(n) + 1.0}, FIXATIONS)
    return Recording(
        name="r",
        format="f",
        sample_table=None,
        event_table=NO_EVENTS,
        fixation_table=table,
        screen=SCREEN,
        rows_in=n,
        **facts,
    )


def test_an_ordinary_recording_has_no_notes():
    recording = of_samples(4.0 * np.arange(50), rate_hz=250.0)
    assert checked(recording).notes == ()
    assert checked(of_fixations(100.0 * np.arange(50))).notes == ()


@pytest.mark.parametrize(
    ("t", "note"),
    [
        ([0, 4, 8, 6, 10, 14], "the clock steps back 1 times, by 2 ms at most"),
        (
            [0, 4, 8, 8, 8, 12],
            "the clock stands still: 2 samples have the time of the one before them",
        ),
    ],
)
def test_a_clock_that_falters_is_noted_with_a_count(t, note):
    assert checked(of_samples(t)).notes == (note,)


@pytest.mark.parametrize(
    ("t", "what"),
    [
        (4.0 * np.random.default_rng(1).permutation(50), "rows in no order"),
        (4.0 * np.arange(50)[::-1], "the clock runs backwards: 49 of 49"),
        (np.full(50, 8.0), "the clock stands still: 50 samples have one time"),
        ([0, 500, 1000, 1500, 0, 500], "a second recording begins with sample 5"),
    ],
)
def test_a_clock_that_makes_no_sense_is_refused(t, what):
    with pytest.raises(ParseError, match=what):
        checked(of_samples(t))


def test_trials_in_another_order_are_noted():
    note = "the time steps back 1 times to where there are no samples: trials in any order"
    assert checked(of_samples([2000, 2004, 2002, 2008, 0, 4, 8])).notes == (
        note,
        "the clock steps back 1 times, by 2 ms at most",
    )


def test_trials_may_have_clocks_of_their_own():
    trials = np.array(["1"] * 3 + ["2"] * 3, object)
    recording = of_samples([0, 4, 8, 0, 4, 8], trial=trials, time_origin="trial")
    assert checked(recording).notes == ()
    with pytest.raises(ParseError, match="second recording"):
        checked(of_samples([0, 4, 8, 0, 4, 8], trial=trials))


def test_a_rate_that_is_not_that_of_the_times_is_noted():
    recording = of_samples(10.0 * np.arange(200), rate_hz=1000.0)
    assert checked(recording).notes == (
        "the file states a sampling rate of 1000 Hz, its times say 100 Hz",
    )


def test_a_rate_that_whole_milliseconds_do_not_tell_is_noted_where_no_rate_is_stated():
    t = np.arange(100.0).repeat(2)
    doubt = "times in whole milliseconds do not tell the sampling rate: 2010 Hz or 1000 Hz"
    assert any(note.startswith(doubt) for note in checked(of_samples(t)).notes)
    stated = checked(of_samples(t, rate_hz=2000.0)).notes
    assert not any("do not tell" in note for note in stated)


def test_gaze_that_is_lost_throughout_is_noted():
    nothing = np.full(30, np.nan)
    assert checked(of_samples(4.0 * np.arange(30), nothing, nothing)).notes == (
        "all gaze is lost: none of 30 samples has a position",
    )


def test_a_position_that_never_changes_is_noted_and_refused_off_the_screen():
    t = 4.0 * np.arange(30)
    note = "the vertical position is 360 px in all 30 samples that have one"
    assert checked(of_samples(t, y=np.full(30, 360.0))).notes == (note,)
    with pytest.raises(
        ParseError,
        match=r"the vertical position is 1440 px in all 30 samples .*off the screen of 720",
    ):
        checked(of_samples(t, y=np.full(30, 1440.0)))
    with pytest.raises(ParseError, match="the horizontal position is -1 px in all 30 fixations"):
        checked(of_fixations(100.0 * np.arange(30), x=np.full(30, -1.0)))
    # A few fixations may well be at one place.
    assert checked(of_fixations([0.0, 100.0], x=np.full(2, -1.0))).notes == ()


def test_fixations_in_another_order_than_that_of_time_are_noted():
    notes = checked(of_fixations([0.0, 300.0, 100.0, 100.0])).notes
    assert notes == (
        "1 fixations begin before the one above them: the rows are not in order of time",
        "1 fixations begin together with the one above them",
    )


def test_a_file_of_which_nothing_is_left_is_refused():
    nothing = Recording(
        name="r",
        format="f",
        sample_table=None,
        event_table=NO_EVENTS,
        rows_in=7,
        dropped={"no time": 7},
    )
    with pytest.raises(ParseError, match=r"none of its 7 rows can be used \(7 no time\)"):
        checked(nothing)
    with pytest.raises(ParseError, match="a header and no rows"):
        checked(
            Recording(
                name="r", format="f", sample_table=conform({}, SAMPLES), event_table=NO_EVENTS
            )
        )
    message = conform({"recording": ["r"], "kind": ["message"], "onset_ms": [0.0]}, EVENTS)
    with pytest.raises(ParseError, match="none of its 1 rows"):
        checked(Recording(name="r", format="f", sample_table=None, event_table=message, rows_in=1))


@pytest.mark.parametrize(("step_ms", "rate"), [(4000.0, "0.25 Hz"), (0.004, "2.5e+05 Hz")])
def test_times_in_another_unit_are_noted(step_ms, rate):
    (note,) = checked(of_samples(step_ms * np.arange(200))).notes
    assert note == f"by its times it was sampled at {rate}: are they in another unit?"


@pytest.mark.parametrize("rate_hz", [4, 30, 250, 2000])
def test_the_rates_of_trackers_and_webcams_are_no_note(rate_hz):
    assert checked(of_samples(1000 / rate_hz * np.arange(200))).notes == ()


def test_durations_that_nobody_has_are_noted():
    lengths = 200.0 + np.arange(50) % 11
    onsets = 300.0 * np.arange(50)
    assert checked(of_fixations(onsets, durations=lengths)).notes == ()
    (note,) = checked(of_fixations(onsets, durations=lengths / 1000)).notes
    assert note == "half of the fixations last 0.204 ms or less: are durations in another unit?"
    notes = checked(of_fixations(onsets, durations=lengths * 1000)).notes
    assert (
        notes[0] == "half of the fixations last 2.04e+05 ms or more: are durations in another unit?"
    )
    assert notes[1].startswith("49 of 50 fixations begin before the one before them ends")
    assert checked(of_fixations(onsets, durations=np.full(50, 250.0))).notes == (
        "all 50 fixations last 250 ms",
    )


def test_fixations_of_two_people_in_one_recording_are_noted():
    onsets = np.sort(np.concatenate([300.0 * np.arange(25), 300.0 * np.arange(25) + 130]))
    lengths = 240.0 + np.arange(50) % 11
    (note,) = checked(of_fixations(onsets, durations=lengths)).notes
    assert note.startswith(
        "49 of 50 fixations begin before the one before them ends: are onsets and durations"
    )
    eyes = np.array(["left", "right"] * 25, object)  # of two eyes they may well be at one time
    assert checked(of_fixations(onsets, durations=lengths, eye=eyes)).notes == ()


def test_the_same_fixations_twice_are_noted_whatever_recording_they_are_in():
    onsets = np.tile(300.0 * np.arange(25), 2)
    recording = of_fixations(
        onsets, x=600.0 + np.arange(50) % 25, durations=200.0 + np.arange(50) % 25
    )
    table = recording.fixation_table.to_pandas().assign(
        y_px=np.arange(50) % 25 + 1.0, recording=["a"] * 25 + ["b"] * 25
    )
    twice = replace(
        recording, fixation_table=conform({name: table[name] for name in table}, FIXATIONS)
    )
    (note,) = checked(twice).notes
    assert note.startswith(
        "25 of 50 fixations are another one to the last digit: onset, duration and place"
    )
    table["x_px"] += np.arange(50)
    others = replace(
        recording, fixation_table=conform({name: table[name] for name in table}, FIXATIONS)
    )
    assert checked(others).notes == ()


def test_events_in_no_order_are_noted_where_there_are_neither_samples_nor_fixations():
    times = np.array([0.0, 300.0, 100.0])
    events = conform(
        {"recording": "r", "kind": ["saccade"] * 3, "onset_ms": times, "duration_ms": 50.0}, EVENTS
    )
    mended = checked(
        Recording(name="r", format="f", sample_table=None, event_table=events, rows_in=3)
    )
    assert any("1 events begin before the one above them" in note for note in mended.notes)


def test_samples_in_no_trial_are_noted_where_others_are_in_one():
    trials = ["1"] * 20 + [""] * 5 + ["2"] * 25
    recording = checked(of_samples(4.0 * np.arange(50), trial=trials))
    assert recording.notes == ("5 of 50 samples are of no trial",)
    assert not checked(of_samples(4.0 * np.arange(50))).notes
    assert not checked(of_samples(4.0 * np.arange(50), trial="1")).notes


@pytest.mark.parametrize("name", ["trial", "recording"])
def test_fixations_of_no_name_are_noted_where_others_have_one(name):
    recording = of_fixations(100.0 * np.arange(4))
    table = recording.fixation_table
    at = table.column_names.index(name)
    named = conform({name: ["a", "a", "", "a"]}, FIXATIONS)[name]
    recording = replace(recording, fixation_table=table.set_column(at, table.schema[at], named))
    assert f"1 of 4 fixations are of no {name}" in checked(recording).notes
