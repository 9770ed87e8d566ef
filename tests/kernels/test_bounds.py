"""Where kernels are run with their bounds checked, an index beyond them is an error.

`make test-bounds` compiles all kernels so (NUMBA_BOUNDSCHECK=1), and `make test` runs them without
compilation, too: both would be worth nothing if such an index went by there in silence.
"""

from __future__ import annotations

import os

import numba
import numpy as np
import pytest

from gazetrack.kernels import _jit

CHECKED = {"NUMBA_BOUNDSCHECK", "NUMBA_DISABLE_JIT"}


@pytest.mark.kernel
@pytest.mark.skipif(
    not any(os.environ.get(name) == "1" for name in CHECKED),
    reason="compiled code looks at no bounds: make test-bounds",
)
def test_an_index_out_of_bounds_is_noticed():
    @numba.njit(**_jit._POLICY)
    def beyond(values):
        return values[values.size]

    with pytest.raises(IndexError):
        beyond(np.zeros(3))
