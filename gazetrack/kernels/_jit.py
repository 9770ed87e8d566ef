"""The one decorator of all kernels, so that the compile policy is one line."""

from __future__ import annotations

import numba

# Missing gaze is NaN and an empty minimum is infinity: the flags nnan and ninf would let the compiler
# delete isnan() tests, so they are left out of the fast-math set.
jit = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nsz", "arcp", "contract", "afn", "reassoc"})
