"""How many rows went for which reason; a reason that took none is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


def counted(reasons: Mapping[str, int | npt.NDArray[np.bool_]]) -> dict[str, int]:
    """Return how many rows each reason took, without the reasons that took none.

    Parameters
    ----------
    reasons : mapping of str to int or ndarray of bool
        By each reason, the number of rows that it took, or which rows it took.
    """
    rows = {reason: int(np.sum(which)) for reason, which in reasons.items()}
    return {reason: count for reason, count in rows.items() if count}
