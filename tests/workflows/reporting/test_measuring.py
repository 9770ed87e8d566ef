from dataclasses import replace

import pytest

import gazetrack
from gazetrack.errors import InputError
from gazetrack.workflows.reporting.measuring import measured
from gazetrack.workflows.reporting.options import ReportOptions


@pytest.fixture(scope="module")
def recording(study):
    return gazetrack.read(study.exports[0])


def test_recordings_and_trials_have_the_figures_of_quality(recording):
    (entry,) = measured(recording, ReportOptions(), 1000).entries
    by_trial = gazetrack.quality(recording, "trial")
    whole = gazetrack.quality(recording)
    assert entry.quality["loss"] == whole["loss"][0]
    assert [trial.quality["loss"] for trial in entry.trials] == list(by_trial["loss"])
    assert [trial.stimulus for trial in entry.trials] == ["lesion-001.png", "lesion-002.png"]
    n_fixations = [trial.events["fixation"]["n"] for trial in entry.trials]
    assert sum(n_fixations) == entry.events["fixation"]["n"]


def test_a_trial_knows_the_screen_and_where_its_image_lay(recording):
    (entry,) = measured(recording, ReportOptions(), 1000).entries
    placement = recording.placements["lesion-001.png"]
    trial = entry.trials[0]
    assert trial.plane == (1280, 1024)
    assert not trial.is_image
    assert trial.placed == (placement.x_px, placement.y_px, placement.width_px, placement.height_px)


def test_without_a_screen_the_plane_is_as_far_as_gaze_goes(recording):
    bare = replace(recording, screen=None, placements={})
    (entry,) = measured(bare, ReportOptions(), 1000).entries
    width, height = entry.trials[0].plane
    assert 100 < width <= 1300
    assert 100 < height <= 1100


def test_messages_are_those_of_the_trial(recording):
    (entry,) = measured(recording, ReportOptions(), 1000).entries
    for trial in entry.trials:
        assert 0 < len(trial.messages) <= trial.n_messages
        assert any(text.startswith("TRIAL_RESULT") for _, text in trial.messages)


def test_fixations_that_cannot_be_detected_leave_the_rest_with_a_note(recording):
    behind_camera = replace(
        recording, event_table=recording.event_table.slice(0, 0), world_camera="Pupil Core"
    )
    found = measured(behind_camera, ReportOptions(), 1000)
    assert found.notes[0].startswith("no fixations: detecting fixations needs degrees")
    assert found.entries[0].quality["loss"] < 1


def test_degrees_that_are_assumed_are_said(recording):
    silent = replace(recording, event_table=recording.event_table.slice(0, 0))
    known = replace(silent, screen=gazetrack.Screen(1280, 1024, 376, 301, 600))
    assumed = [
        measured(one, ReportOptions(), 1000).facts["degrees_assumed"]
        for one in (recording, silent, known)
    ]
    # Amplitudes of the tracker's own saccades are the tracker's.
    assert assumed == [False, True, False]


def test_nothing_at_all_is_an_error(recording):
    nothing = replace(recording, sample_table=None, event_table=recording.event_table.slice(0, 0))
    with pytest.raises(InputError, match="neither fixations nor samples"):
        measured(nothing, ReportOptions(), 1000)
