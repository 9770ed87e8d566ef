"""The decorators of all kernels, and of their innermost parts: the compile policy in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

from gazetrack.kernels._cache import keep_compiled

if TYPE_CHECKING:
    from collections.abc import Callable

_Kernel = TypeVar("_Kernel", bound="Callable[..., Any]")

# Missing gaze is NaN and an empty minimum is infinity: the flags nnan and ninf would let the
# compiler delete isnan() tests, so they are left out of the fast-math set.
_POLICY = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
}


def jit(function: _Kernel) -> _Kernel:
    """Compile a kernel on its first call, or take what an earlier run has compiled."""
    return _compiled(function)


def inlined(function: _Kernel) -> _Kernel:
    """Compile a kernel into those that call it: a call costs more than what it does."""
    return _compiled(function, forceinline=True)


def _compiled(function: _Kernel, **more: Any) -> _Kernel:
    njit: Any = (
        numba.njit
    )  # its own type would be that of a dispatcher; here a kernel stays the function it is
    compiled: _Kernel = njit(**_POLICY, **more)(function)
    if compiled is not function:  # as it stays under NUMBA_DISABLE_JIT
        keep_compiled(compiled)
    return compiled
