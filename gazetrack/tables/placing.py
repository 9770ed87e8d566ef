"""Fixations from the pixels of a screen to those of the image that was shown on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.tables.placement import Placement, place
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.screen import Screen
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

_POSITIONS = (["x_px", "y_px"], ["median_x_px", "median_y_px"])


def place_known(table: pa.Table, placements: Mapping[str, Placement]) -> pa.Table:
    """Map the fixations on every stimulus with a known placement from screen to image pixels.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`; rows whose image size is known already stay as they are.
    placements : mapping of str to Placement
        Where the image of each stimulus lay on the screen, by the stimulus' name.

    Returns
    -------
    pyarrow.Table
        Schema `FIXATIONS`, the same rows.
    """
    return _place(table, placements.get) if placements else table


def place_by_rule(
    table: pa.Table, screen: Screen | None, sizes: Mapping[str, tuple[int, int]], rule: str | None
) -> pa.Table:
    """Map the fixations whose image size the table does not know, by a rule of the user's.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`; rows whose image size is known already stay as they are.
    screen : Screen or None
        The screen of the recording, which most rules need.
    sizes : mapping of str to (int, int)
        Width and height of each image in pixels, by image id; stimuli without one stay as they are.
    rule : str or None
        See `gazetrack.tables.placement.place`; None leaves the table as it is.

    Returns
    -------
    pyarrow.Table
        Schema `FIXATIONS`, the same rows.
    """
    if rule is None:
        return table

    def placement(stimulus: str) -> Placement | None:
        size = sizes.get(stem(stimulus))
        return None if size is None else place(rule, screen, *size)

    return _place(table, placement)


def back_on_screen(table: pa.Table, meta: Mapping[str, Any]) -> pa.Table:
    """Map the fixations on images whose place the metadata state back to screen pixels.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`; rows on an image whose place is not known stay as they are.
    meta : mapping
        The table's metadata, whose ``placement`` says where the image of each stimulus lay.

    Returns
    -------
    pyarrow.Table
        Schema `FIXATIONS`, the same rows; those on the screen have no size of an image.
    """
    stated = meta.get("placement")
    if not isinstance(stated, dict) or not stated:
        return table
    frame = table.to_pandas()
    is_on_image = frame["image_width_px"].notna()
    for stimulus, rows in frame[is_on_image].groupby("stimulus", observed=True, sort=False):
        fields = stated.get(str(stimulus))
        if not isinstance(fields, dict):
            continue
        placement = Placement(**fields)
        for names in _POSITIONS:
            x, y = (rows[name].to_numpy(np.float64) for name in names)
            on_screen = np.column_stack(placement.to_screen(x, y))
            frame.loc[rows.index, names] = on_screen.astype(np.float32)
        frame.loc[rows.index, ["image_width_px", "image_height_px"]] = np.nan
    return conform({name: frame[name] for name in frame}, FIXATIONS)


def screen_of(meta: Mapping[str, Any]) -> Screen | None:
    """Return the screen that a table's metadata state, or None where they state none."""
    fields = meta.get("screen")
    return Screen(**fields) if isinstance(fields, dict) else None


def _place(table: pa.Table, placement_of: Callable[[str], Placement | None]) -> pa.Table:
    frame = table.to_pandas()
    is_on_screen = frame["image_width_px"].isna()
    for stimulus, rows in frame[is_on_screen].groupby("stimulus", observed=True, sort=False):
        placement = placement_of(str(stimulus))
        if placement is None:
            continue
        for names in _POSITIONS:
            x, y = (rows[name].to_numpy(np.float64) for name in names)
            on_image = np.column_stack(placement.to_image(x, y))
            frame.loc[rows.index, names] = on_image.astype(np.float32)
        frame.loc[rows.index, "image_width_px"] = placement.image_width_px
        frame.loc[rows.index, "image_height_px"] = placement.image_height_px
    return conform({name: frame[name] for name in frame}, FIXATIONS)
