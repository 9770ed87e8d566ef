"""Tobii Pro Glasses: rows of gaze on the scene camera's image as a table of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.shared.clock import check_line_parts
from gazetrack.readers.shared.number_rows import sorted_rows
from gazetrack.readers.shared.sink import SampleSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.head import Head
    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]

_PUPILS = ("left_pupil", "right_pupil")


def camera_samples(
    head: Head,
    parts: Sequence[pa.RecordBatch],
    camera: Screen,
    *,
    to_ms: Callable[[Floats], Floats],
    pupil: Callable[[str, pa.RecordBatch], Floats],
) -> tuple[pa.Table, float, int]:
    """Return rows of gaze as samples, in temporal order whatever that of the lines.

    Parameters
    ----------
    head : Head
        The first look at the file.
    parts : sequence of pyarrow.RecordBatch
        The rows in the order of their lines: ``t``, ``x`` and ``y`` as fractions of the image, and
        ``line``.
    camera : Screen
        The size of the image that positions become pixels of.
    to_ms : callable
        Returns times of the export in ms.
    pupil : callable
        Given ``left_pupil`` or ``right_pupil`` and some rows, returns the pupil's sizes in mm.

    Returns
    -------
    table : pyarrow.Table
        The samples that have a time, in the schema `SAMPLES`.
    origin_ms : float
        The time of the first of them in ms, 0 without any.
    n_timed : int
        How many there are.

    Raises
    ------
    ParseError
        The clock begins again, or the lines are in no order of time.
    """

    def times() -> Iterator[tuple[Floats, Floats]]:
        for part in parts:
            t = part["t"].to_numpy()
            timed = np.isfinite(t)
            yield to_ms(t[timed]), part["line"].to_numpy()[timed]

    # The order of the lines is checked before they are sorted: a second segment is no late line.
    check_line_parts(head, times())
    ordered = sorted_rows(parts, "t")
    n_timed = sum(batch.num_rows for batch in ordered)
    origin = float(to_ms(ordered[0]["t"].to_numpy()[:1])[0]) if n_timed else 0.0
    sink = SampleSink()
    for batch in ordered:
        none = np.zeros(batch.num_rows, np.int32)
        pixels = {
            "x_px": batch["x"].to_numpy() * camera.width_px,
            "y_px": batch["y"].to_numpy() * camera.height_px,
            **{name: pupil(name, batch) for name in _PUPILS},
        }
        sink.append(
            {
                **dict.fromkeys(("recording", "trial", "stimulus"), none),
                "t_ms": to_ms(batch["t"].to_numpy()) - origin,
                **{name: values.astype(np.float32) for name, values in pixels.items()},
            }
        )
    names = {"recording": [head.stem], "trial": [""], "stimulus": [""]}
    return sink.table(names), origin, n_timed
