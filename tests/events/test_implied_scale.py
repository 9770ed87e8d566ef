"""The size of a degree that the tracker's own amplitudes imply."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import gazetrack
from gazetrack.events.implied_scale import implied_px_per_deg, scale_note
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

UNKNOWN = Screen(1000, 600)
ASSUMED = 1000 / 45


def saccades(px_per_deg, n=40, screen=UNKNOWN, **more):
    """Return a recording of saccades whose tracker has seen so many pixels in a degree."""
    rng = np.random.default_rng(1)
    start = rng.uniform(100, 500, (2, n))
    end = start + rng.uniform(60, 300, (2, n)) * rng.choice([-1, 1], (2, n))
    degrees = np.hypot(*(end - start)) / px_per_deg
    columns = {"recording": "r", "kind": "saccade", "onset_ms": 300.0 * np.arange(n)}
    columns |= {"x_px": start[0], "y_px": start[1], "end_x_px": end[0], "end_y_px": end[1]}
    table = conform(columns | {"duration_ms": 30.0, "amplitude_deg": degrees} | more, EVENTS)
    return Recording(
        name="r", format="made", sample_table=None, event_table=table, screen=screen, eyes="left"
    )


@pytest.mark.parametrize("scale", [15.0, 36.0, 60.0])
def test_the_scale_is_found_and_the_view_to_give_leads_to_it(scale):
    recording = saccades(scale)
    assert implied_px_per_deg(recording) == pytest.approx(scale, rel=1e-5)
    note = scale_note(recording)
    assert f"imply {scale:.1f} px per degree, not the {ASSUMED:.1f} assumed" in note
    fov = float(re.search(r"--fov (\S+),", note)[1])
    assert Screen(1000, 600, fov_deg=fov).px_per_deg == pytest.approx(scale, rel=0.005)


def test_a_few_wrong_amplitudes_do_not_move_it():
    recording = saccades(36.0)
    degrees = np.array(recording.event_table["amplitude_deg"].to_numpy())
    degrees[:8] *= 20
    degrees[8:12] = np.nan
    assert implied_px_per_deg(saccades(36.0, amplitude_deg=degrees)) == pytest.approx(36, rel=1e-5)


@pytest.mark.parametrize(
    "recording",
    [
        saccades(ASSUMED * 1.08),
        saccades(ASSUMED * 0.93),
        saccades(36.0, n=9),
        saccades(36.0, amplitude_deg=np.nan),
        saccades(36.0, amplitude_deg=0.5),
        saccades(36.0, end_x_px=np.nan),
        saccades(36.0, kind="fixation"),
        saccades(36.0, screen=None),
        saccades(36.0, screen=Screen(1000, 600, fov_deg=40.0)),
        replace(saccades(36.0), event_table=EVENTS.empty_table()),
    ],
    ids=["near", "below", "few", "untold", "small", "nowhere", "none", "bare", "stated", "empty"],
)
def test_nothing_is_said_without_reason(recording):
    assert scale_note(recording) is None


def test_an_eyelink_export_is_told_and_no_number_changes(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=3, size=(48, 64))
    frame = gazetrack.detect_events(gazetrack.read(example.exports[0]))
    known = frame.attrs["gazetrack"]
    (note,) = [note for note in known["notes"] if "imply" in note]
    scale = known["movements"]["detector"]["px_per_deg"]
    assert f"not the {scale:.1f} assumed" in note
    fov = float(re.search(r"--fov (\S+),", note)[1])
    given = gazetrack.detect_events(gazetrack.read(example.exports[0], fov_deg=fov))
    assert not [note for note in given.attrs["gazetrack"]["notes"] if "imply" in note]


def test_ten_saccades_of_a_degree_are_enough():
    assert implied_px_per_deg(saccades(36.0, n=10)) == pytest.approx(36, rel=1e-5)
    across = {"x_px": 100.0, "end_x_px": 130.0, "y_px": 50.0, "end_y_px": 90.0}
    assert implied_px_per_deg(saccades(36.0, n=10, amplitude_deg=1.0, **across)) == 50.0
    still = across | {"end_x_px": 100.0, "end_y_px": 50.0}
    assert implied_px_per_deg(saccades(36.0, amplitude_deg=1.0, **still)) is None
