"""The most probable sequence of two hidden states."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]


@jit
def two_states(
    v: Floats, means: Floats, deviations: Floats, log_stay: Floats, log_leave: Floats
) -> npt.NDArray[np.int8]:
    """Return the most probable states (0 or 1) of v [N].

    In each state v is Gaussian, with means [2] and deviations [2]. Both states are equally probable
    at the start; log_stay and log_leave [2] are the logarithms of going on and ending. Of equally
    probable ways into a state the one that stays is taken, of such last states the first.
    """
    n = v.size
    states = np.zeros(n, np.int8)
    came_from = np.zeros((n, 2), np.int8)
    best0 = 0.0
    best1 = 0.0
    for i in range(n):
        z0 = (v[i] - means[0]) / deviations[0]
        z1 = (v[i] - means[1]) / deviations[1]
        if i > 0:
            stay0, enter0 = best0 + log_stay[0], best1 + log_leave[1]
            stay1, enter1 = best1 + log_stay[1], best0 + log_leave[0]
            came_from[i, 0] = 1 if enter0 > stay0 else 0
            came_from[i, 1] = 0 if enter1 > stay1 else 1
            best0, best1 = max(stay0, enter0), max(stay1, enter1)
        best0 += -0.5 * z0 * z0 - math.log(deviations[0])
        best1 += -0.5 * z1 * z1 - math.log(deviations[1])
    if n > 0:
        states[n - 1] = 1 if best1 > best0 else 0
        for i in range(n - 1, 0, -1):
            states[i - 1] = came_from[i, states[i]]
    return states
