"""The logistic function of many single-precision numbers, in one vectorised pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

_LOG2_E, _LN_2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
_LARGEST = np.float32(126.0)
# Taylor's coefficients of exp up to the sixth power: exact to 1e-7 within half an octave.
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / n) for n in (2, 6, 24, 120, 720))


@jit
def logistic(values: npt.NDArray[np.float32], scale: np.float32, shift: np.float32) -> None:
    """Replace each v of values [N] by 1 / (1 + exp(-(scale v + shift))), exact to 2e-7.

    exp(-u) is 2^k exp(f) with a whole k, put into the exponent's bits, and |f| <= ln(2) / 2. Beyond
    2^126 it is 0 or 1; infinite values are allowed.
    """
    one = np.float32(1.0)
    for i in range(values.size):
        u = -(values[i] * scale + shift) * _LOG2_E
        u = min(max(u, -_LARGEST), _LARGEST)
        k = np.floor(u + np.float32(0.5))
        f = (u - k) * _LN_2
        p = ((((_C6 * f + _C5) * f + _C4) * f + _C3) * f + _C2) * f + one
        p = p * f + one
        power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)
        values[i] = one / (one + p * power) if u < _LARGEST else np.float32(0.0)
