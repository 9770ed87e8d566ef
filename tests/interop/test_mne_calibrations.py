"""Calibrations are those that MNE reads from the same file."""

from __future__ import annotations

import mne
import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.interop.mne_calibrations import mne_calibrations
from gazetrack.interop.to_mne import to_mne
from gazetrack.tables.screen import Screen
from tests.interop.recordings import recording

SCREEN = Screen(1280, 1024, 380.0, 300.0, 600.0)
# Written by us, in the words of the tracker.
VALIDATED = """\
MSG	990 !CAL VALIDATION HV3 LR LEFT  GOOD ERROR 0.41 avg. 0.64 max  OFFSET 0.35 deg. 12.5,9.6 pix.
MSG	990 !CAL VALIDATION HV3 LR RIGHT POOR ERROR 0.31 avg. 1.84 max  OFFSET 0.27 deg. 9.2,8.4 pix.
MSG	990 VALIDATE LR POINT 0  LEFT  at 640,512  OFFSET 0.48 deg.  20.7,7.9 pix.
MSG	990 VALIDATE LR 4POINT 0 RIGHT  at 640,512  OFFSET 0.18 deg.  7.9,1.7 pix.
MSG	990 VALIDATE LR POINT 1  LEFT  at 640,92  OFFSET 0.55 deg.  -7.4,23.9 pix.
MSG	990 VALIDATE LR 4POINT 1 RIGHT  at 640,92  OFFSET 0.52 deg.  5.9,-23.1 pix.
MSG	990 VALIDATE LR POINT 2  LEFT  at 115,540  OFFSET 0.26 deg.  10.7,5.2 pix.
MSG	990 VALIDATE LR 4POINT 2 RIGHT  at 115,540  OFFSET 1.84 deg.  10.7,6.4 pix.
MSG	991 !CAL VALIDATION HV3 LR ABORTED
"""
RECORDED = """\
MSG	995 DISPLAY_COORDS 0 0 1279 1023
START	1000 	LEFT	RIGHT	SAMPLES	EVENTS
PRESCALER	1
VPRESCALER	1
PUPIL	AREA
EVENTS	GAZE	LEFT	RIGHT	RATE	 250.00	TRACKING	CR	FILTER	2
SAMPLES	GAZE	LEFT	RIGHT	RATE	 250.00	TRACKING	CR	FILTER	2
"""
SAMPLE = "{}	  {:.1f}	  512.0	  900.0	  {:.1f}	  500.0	  910.0	.....\n"


@pytest.fixture
def export(tmp_path):
    samples = "".join(SAMPLE.format(1000 + 4 * i, 600 + i, 605 + i) for i in range(30))
    path = tmp_path / "validated.asc"
    head = (
        "** CONVERTED FROM validated.edf using edfapi 4.2\n** DATE: Mon Jan  1 00:00:00 2024\n**\n"
    )
    end = "END	1120 	SAMPLES	EVENTS	RES	  38.54	  31.12\n"
    path.write_text(head + VALIDATED + RECORDED + samples + end, "utf-8")
    return path


def test_validations_are_what_mne_reads_of_the_file(export):
    theirs = mne.preprocessing.eyetracking.read_eyelink_calibration(
        export, screen_size=(0.38, 0.3), screen_distance=0.6, screen_resolution=(1280, 1024)
    )
    ours = mne_calibrations(gazetrack.read(export, screen=SCREEN))
    assert [one["eye"] for one in ours] == ["left", "right"]
    for one, other in zip(ours, theirs, strict=True):
        assert set(one) == set(other)
        for name, value in other.items():
            np.testing.assert_array_equal(one[name], value, err_msg=name)


def test_the_screen_alone_is_enough_for_mne_to_convert():
    own = recording(eyes=("left",))
    (calibration,) = mne_calibrations(own)
    raw = to_mne(own)
    mne.preprocessing.eyetracking.convert_units(raw, calibration, to="radians")
    # Along the middle row its angles are Fick angles.
    x = own.samples["x_px"].to_numpy(np.float64)
    azimuth, _ = SCREEN.degrees(x, np.full(len(x), 512.0))
    np.testing.assert_allclose(np.degrees(raw.get_data("xpos_left")[0]), azimuth, rtol=1e-12)


def test_what_is_not_known_of_the_screen_stays_open():
    assert mne_calibrations(recording(screen=None)) == []
    (pixels,) = mne_calibrations(recording(screen=Screen(800, 600)))
    assert pixels["screen_resolution"] == (800, 600)
    assert pixels["screen_size"] is None
    (square,) = mne_calibrations(recording(screen=Screen(800, 600, 400.0, None, 500.0)))
    assert square["screen_size"] == (0.4, 0.3)


def test_what_is_no_recording_is_refused():
    with pytest.raises(ConfigError, match="the recording is of type str"):
        mne_calibrations("raw.asc")
