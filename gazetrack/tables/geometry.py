"""What the user states of the screen or world camera beside the export, and whether gaze fits.

The stage after `checks`: a reader knows the export alone, and only here both are known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.tables.cameras import field_of_view, is_fisheye

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen

MAX_OFF_SCREEN = 0.2
_SAME_LENGTH = 0.02  # lengths that differ by less are the same, measured twice
# Fractions of a screen that are taken for pixels all lie at the corner of the origin.
_CORNER_PX = 1.5
_NEARLY_ALL = 0.95  # of the gaze
_ENOUGH = 10  # positions, to say anything of all
_NAMED_COLUMNS = ("generic", "iohub")
_LENGTHS = ("width_mm", "height_mm", "distance_mm")


def with_geometry(
    recording: Recording, screen: Screen | None = None, fov_deg: float | None = None
) -> Recording:
    """Return the recording on the screen, or behind the camera, that the user states.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    screen : Screen, optional
        In place of the export's; lengths that it leaves open are the export's where both have as
        many pixels.
    fov_deg : float, optional
        How many degrees the width of the screen, or of a world camera's image, covers.

    Returns
    -------
    Recording
        As it is where positions are directions, which lie on no screen. Else with notes where the
        user contradicts the export (the user wins), where a field of view is taken from the
        camera's model, and, first of all, where more than a fifth of the gaze lies off the screen.

    Raises
    ------
    ConfigError
        A field of view without the size of the image.
    """
    if recording.directions and (screen is not None or fov_deg is not None):
        note = "positions are directions, on a plane of their own: --screen and --fov are not used"
        return replace(recording, notes=(*recording.notes, note))
    notes = _contradictions(recording.screen, screen, recording.fractions_of)
    recording = recording.with_screen(_completed(screen, recording.screen, recording.fractions_of))
    recording = _with_field_of_view(recording, fov_deg)
    off = _off_screen(recording)
    return replace(recording, notes=(*([off] if off else []), *recording.notes, *notes))


def _contradictions(own: Screen | None, given: Screen | None, fractions_of: str) -> list[str]:
    """Say where the user's screen is another than the one the export states.

    A nominal screen is nobody's statement.
    """
    if given is None or own is None or fractions_of:
        return []
    differ = []
    if (own.width_px, own.height_px) != (given.width_px, given.height_px):
        differ.append(f"{own.width_px}x{own.height_px} px, not {given.width_px}x{given.height_px}")
    for name in _LENGTHS:
        stated, told = getattr(own, name), getattr(given, name)
        if stated is not None and told is not None and abs(told - stated) > _SAME_LENGTH * stated:
            differ.append(f"a {name.removesuffix('_mm')} of {stated:g} mm, not {told:g}")
    return (
        [f"--screen contradicts the export, which states {', '.join(differ)}: --screen wins"]
        if differ
        else []
    )


def _completed(given: Screen | None, own: Screen | None, fractions_of: str) -> Screen | None:
    """Return the user's screen with the export's lengths where it has none of its own.

    Fractions of an image are the same angles whatever its pixels; a screen of other pixels may be
    another screen.
    """
    if given is None or own is None or given.fov_deg is not None:
        return given
    if not fractions_of and (own.width_px, own.height_px) != (given.width_px, given.height_px):
        return given
    missing = {name: getattr(own, name) for name in _LENGTHS if getattr(given, name) is None}
    if given.width_mm is None:
        missing |= {"fov_deg": own.fov_deg, "fisheye": own.fisheye}
    return replace(given, **missing)


def _with_field_of_view(recording: Recording, fov_deg: float | None) -> Recording:
    """Return the recording with the user's field of view, else with that of its camera's model."""
    screen = recording.screen
    camera = recording.world_camera
    if fov_deg is not None:
        if screen is None:
            hint = "give it as well, as in --screen 1088x1080"
            raise ConfigError("a field of view without the size of the image in pixels", hint=hint)
        return replace(
            recording, screen=_seen_under(screen, fov_deg, bool(camera) and is_fisheye(camera))
        )
    if not camera or screen is None or screen.px_per_deg is not None:
        return recording
    known = field_of_view(camera, screen.width_px, screen.height_px)
    if known is None:
        return recording
    size = f"{screen.width_px}x{screen.height_px} px"
    note = (
        f"the world camera of {camera} is {known:g} degrees wide at {size} by its makers "
        "(--fov for another lens)"
    )
    seen = _seen_under(screen, known, is_fisheye(camera))
    return replace(recording, screen=seen, notes=(*recording.notes, note))


def _seen_under(screen: Screen, fov_deg: float, fisheye: bool) -> Screen:
    return replace(
        screen, width_mm=None, height_mm=None, distance_mm=None, fov_deg=fov_deg, fisheye=fisheye
    )


def _off_screen(recording: Recording) -> str:
    """Say that much of the gaze lies off the screen, or all of it at its corner.

    The usual cause is named; without either the text is empty. Without a known screen what has a
    negative coordinate lies off any. Fixations on image pixels are not looked at; events are where
    an export has nothing else.
    """
    tables = (recording.sample_table, recording.fixation_table, recording.event_table)
    table = next(table for table in tables if table is not None)
    known, off, at_corner = _counted(table, recording.screen)
    if known >= _ENOUGH and at_corner >= _NEARLY_ALL * known:
        where = f"within {_CORNER_PX:g} px of the corner at (0, 0)"
        return (
            f"{100 * at_corner / known:.0f} % of the gaze lies {where}: are these fractions of the "
            "screen, which the export gives for pixels?"
        )
    if not known or off <= MAX_OFF_SCREEN * known:
        return ""
    size = (
        f"{recording.screen.width_px}x{recording.screen.height_px} px"
        if recording.screen
        else "negative positions"
    )
    what = "the world camera's image" if recording.world_camera else "the screen"
    option = " (--columns …,origin=centre,y_axis=up)" if recording.format in _NAMED_COLUMNS else ""
    causes = f"are x and y swapped, is the origin another{option}, or is the size wrong (--screen)?"
    return f"{100 * off / known:.0f} % of the gaze lies off {what} ({size}): {causes}"


def _counted(table: pa.Table, screen: Screen | None) -> tuple[int, int, int]:
    """Return how many positions there are, lie off the screen, and lie at its corner."""
    width = np.inf if screen is None else screen.width_px
    height = np.inf if screen is None else screen.height_px
    names = ["x_px", "y_px", "image_width_px"]
    known = off = at_corner = 0
    for batch in table.select([name for name in names if name in table.column_names]).to_batches():
        x = batch.column("x_px").to_numpy()
        y = batch.column("y_px").to_numpy()
        counts = np.isfinite(x) & np.isfinite(y)
        if "image_width_px" in batch.schema.names:
            # Fixations with the size of their image are on its pixels, not on the screen's.
            counts &= ~np.isfinite(batch.column("image_width_px").to_numpy())
        inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        near_corner = np.maximum(np.abs(x), np.abs(y)) <= _CORNER_PX
        known += int(np.count_nonzero(counts))
        off += int(np.count_nonzero(counts & ~inside))
        at_corner += int(np.count_nonzero(counts & near_corner))
    return known, off, at_corner
