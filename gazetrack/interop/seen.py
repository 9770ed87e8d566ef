"""Which eyes a recording really has gaze of: the columns of all are always there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.tables.eyes import EYES, GAZE_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.tables.recording import Recording


def seen_eyes(recording: Recording) -> tuple[str, ...]:
    """Return the eyes that have gaze of their own: none where the export combines them.

    Parameters
    ----------
    recording : Recording
        A recording, with or without samples.

    Returns
    -------
    tuple of str
        ``left``, ``right``, both of them, or neither.
    """
    table = recording.sample_table
    if table is None:
        return ()
    return tuple(eye for eye in EYES if _any_known(table, *GAZE_COLUMNS[eye]))


def is_one_gaze(recording: Recording) -> bool:
    """Tell whether the combined gaze is all there is: no eye, or one, has gaze of its own.

    Parameters
    ----------
    recording : Recording
        A recording with samples. Where a single eye has other gaze than what the export calls
        combined, there are two.
    """
    seen = seen_eyes(recording)
    if len(seen) == 1:
        return _is_combined(recording.arrow("samples"), seen[0])
    return not seen


def _any_known(table: pa.Table, *names: str) -> bool:
    return any(bool(np.isfinite(table[name].to_numpy()).any()) for name in names)


def _is_combined(table: pa.Table, eye: str) -> bool:
    pairs = zip(GAZE_COLUMNS[eye], GAZE_COLUMNS["both"], strict=True)
    return all(
        np.array_equal(table[own].to_numpy(), table[both].to_numpy(), equal_nan=True)
        for own, both in pairs
    )
