"""The one decorator of all kernels, so that the compile policy is one line, and that of their innermost parts."""

from __future__ import annotations

from functools import partial

import numba

# Missing gaze is NaN and an empty minimum is infinity: the flags nnan and ninf would let the compiler
# delete isnan() tests, so they are left out of the fast-math set.
_policy = partial(
    numba.njit, cache=True, nogil=True, error_model="numpy", fastmath={"nsz", "arcp", "contract", "afn", "reassoc"}
)
jit = _policy()
inlined = _policy(forceinline=True)  # a call costs more than what these do
