"""Any table of fixations: read at once, and placed on the screen or on images of their own size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.readers.generic.asked import NAME, Asked, note_lost, refuse_step_back, refuse_unit
from gazetrack.readers.generic.columns import PAIRS, TEXTS, TIME_KEYS
from gazetrack.readers.shared.fixation_rows import (
    SHARED,
    end_to_end,
    eyes_of,
    fixation_recording,
    names_of_pairs,
    numbers_of,
    order_within,
)
from gazetrack.readers.shared.positions import (
    Frame,
    frame_of,
    refuse_other_units,
    to_px,
    without_marks_of_loss,
)
from gazetrack.readers.text.table import Columns, read_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen


def read_fixations(asked: Asked, notes: list[str]) -> tuple[Recording, Screen | None]:
    """Return a table of fixations as a recording without samples, and the screen it needed.

    Parameters
    ----------
    asked : Asked
        The table and its columns.
    notes : list of str
        What was inferred so far, in words for the user.

    Raises
    ------
    ParseError
        Times that step back or cannot be in ms, positions that cannot be in pixels.
    """
    head = asked.head
    table = read_columns(head, asked.header, asked.wanted())
    values = dict(table.found)
    for key in TIME_KEYS:
        if key in values:
            values[key] = values[key] * asked.factor(key)
    table = Columns(table.n_rows, values)
    groups = _groups(table)
    _check_times(asked, table, groups)
    duration = table.number("duration")
    if "duration" not in asked.units:
        refuse_unit(asked, "duration", float(pd.Series(duration[duration > 0]).median()))
    placed, screen = _placed(asked, table, notes)
    table = Columns(table.n_rows, values | placed)
    notes = sorted(notes)
    onset = table.number("t")
    if "t" not in table.found:
        onset = end_to_end(groups, duration)
        notes.append("no time column: fixations laid end to end within a trial")
    columns = {
        "recording": _recordings(head, table, notes),
        "participant": table.text("participant"),
        "stimulus": table.text("stimulus"),
        "trial": table.text("trial"),
        "index": order_within(groups).astype(np.int32),
        "eye": eyes_of(table.text("eye")),
        "onset_ms": onset,
        "duration_ms": duration,
        "x_px": table.number("x"),
        "y_px": table.number("y"),
        "pupil": table.number("pupil"),
        "image_width_px": table.number("width"),
        "image_height_px": table.number("height"),
    }
    found = fixation_recording(head.stem, NAME, columns, table.n_rows, notes)
    return found, screen


def _groups(table: Columns) -> npt.NDArray[np.int64]:
    """Return a number per row that is the same for the rows of one trial, person and stimulus."""
    texts = [table.text(key) for key in sorted(TEXTS)]
    return numbers_of(*texts)


def _placed(
    asked: Asked, table: Columns, notes: list[str]
) -> tuple[dict[str, npt.NDArray[np.floating]], Screen | None]:
    """Return the positions in pixels by key, and the screen that they needed, if any."""
    axes = asked.axes
    path = asked.head.path
    # Fixations may lie on images of their own size.
    of_image = axes.fractions and {"width", "height"} <= set(table.found)
    frame = frame_of(axes, asked.screen, path)
    if of_image:
        frame = Frame(table.number("width"), table.number("height"), frame.screen)
    placed: dict[str, npt.NDArray[np.floating]] = {}
    n_lost = 0
    for x_key, y_key in PAIRS:
        if not {x_key, y_key} <= set(table.found):
            continue
        x, y, n_marks = without_marks_of_loss(axes, table.number(x_key), table.number(y_key))
        if not axes.stated:
            refuse_other_units(x, y, path, asked.named)
        placed[x_key], placed[y_key] = to_px(axes, x, y, frame)
        n_lost += n_marks
    note_lost(n_lost, notes)
    needed = not axes.plain and not of_image
    return placed, frame.screen if needed else None


def _check_times(asked: Asked, table: Columns, groups: npt.NDArray[np.int64]) -> None:
    """Refuse times that step back within the rows of one trial."""
    times = table.number("t")
    rows = np.flatnonzero(np.isfinite(times))  # a row without a time hides no step back
    steps = pd.Series(times[rows]).groupby(groups[rows]).diff()
    back = steps.to_numpy() < 0
    if back.any():
        refuse_step_back(asked, int(rows[int(back.argmax())]))


def _recordings(head: Head, table: Columns, notes: list[str]) -> npt.NDArray[np.object_]:
    """Return the recording of each row.

    Two participants are never in one recording, whatever theirs are called.
    """
    if "recording" not in table.found:
        if "participant" in table.found:
            return table.text("participant")
        return np.full(table.n_rows, head.stem, object)
    labels = table.text("recording")
    if "participant" not in table.found:
        return labels
    rows = pd.DataFrame({"recording": labels, "participant": table.text("participant")})
    different = rows.drop_duplicates().itertuples(index=False)
    pairs = [(str(label), str(who)) for label, who in different]
    names = names_of_pairs(pairs)
    if names == [label for label, _ in pairs]:
        return labels
    notes.append(SHARED)
    places = rows.groupby(["recording", "participant"], sort=False).ngroup().to_numpy()
    return np.array(names, object)[places]
