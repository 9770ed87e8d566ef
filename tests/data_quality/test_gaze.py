"""The gaze that measures are taken of."""

from __future__ import annotations

import numpy as np

from gazetrack.data_quality.gaze import Gaze


def test_steps_are_within_pieces_and_forward():
    t = np.array([0.0, 4.0, 8.0, 8.0, 100.0, 106.0])
    gaze = Gaze(t, t, t, np.array([0, 0, 0, 0, 1, 1]))
    assert gaze.steps_ms.tolist() == [4.0, 4.0, 6.0]
    assert gaze.usual_step_ms == 4.0
    assert gaze.piece_starts.tolist() == [0, 4]


def test_a_single_sample_has_no_step():
    one = np.zeros(1)
    gaze = Gaze(one, one, one, np.zeros(1, np.int64))
    assert gaze.usual_step_ms == 0.0
    assert gaze.piece_starts.tolist() == [0]
