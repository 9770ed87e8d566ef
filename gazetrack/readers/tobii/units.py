"""Tobii Pro Lab and Tobii Studio 3: positions in any unit of the export, as pixels of the screen.

Specification: "Tobii Pro Lab User Manual", Tobii AB, "Coordinate systems". The display area (DACS,
in Studio ADCS) and the medium shown (MCS) both count from their top left corner; ``norm`` is a
fraction of their width and height.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.tobii.columns import (
    MEDIA_NORM,
    MEDIA_PX,
    SCREEN_MM,
    SCREEN_NORM,
    SCREEN_PX,
    unit_of,
)
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from gazetrack.readers.text.header import Header, Wanted
    from gazetrack.readers.text.table import Columns

    Floats = npt.NDArray[np.floating]

NOMINAL = Screen(1920, 1080)
GAZE_POINTS = ("x", "left_x", "right_x")
FIXATION_POINTS = ("fixation_x",)
_SIDES = {"x": "width", "y": "height"}
_ON_MEDIUM = (
    "positions count from the corner of the medium shown: the export does not say where that lay"
)


@dataclass
class Positions:
    """Turns exported positions into pixels of the screen, or of the medium where it has no place.

    Parameters
    ----------
    unit : str
        The unit of the positions: ``SCREEN_PX``, ``MEDIA_NORM``, … of `tobii.columns`.
    wanted : mapping of str to (int, kind)
        The columns of the export by our names, with their place and kind.
    screen : Screen or None
        The screen as the user states it; its lengths make pixels of millimetres.
    unsized : int
        Samples with gaze on a medium whose size their row does not state; they have no position.
    """

    unit: str
    wanted: Wanted
    screen: Screen | None = None
    unsized: int = 0
    _screen: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        keys: Sequence[str],
        header: Header,
        wanted: Wanted,
        *,
        path: Path,
        screen: Screen | None,
    ) -> Positions:
        """Return positions in the unit of the first of some columns that is there.

        Without any of the columns they are in pixels of the screen.

        Parameters
        ----------
        keys : sequence of str
            The columns, by our names, in the order of preference.
        header : Header
            The header of the export.
        wanted : mapping of str to (int, kind)
            The columns of the export by our names, with their place and kind.
        path : pathlib.Path
            The export, which an error names.
        screen : Screen or None
            The screen as the user states it.

        Raises
        ------
        ParseError
            A unit that cannot become pixels with what the export states.
        """
        at = next((wanted[key][0] for key in keys if key in wanted), None)
        if at is None:
            return cls(SCREEN_PX, wanted)
        name = quote(header.names[at], 60)
        unit = unit_of(header.names[at])
        screen_unsized = screen is None or screen.width_mm is None
        medium_sized = {"media_width", "media_height"} <= set(wanted)
        what = hint = ""
        if unit == SCREEN_MM and screen_unsized:
            what = f"positions in mm on a screen whose size in mm is not stated: {name}"
            hint = (
                "give its size, as in --screen 1920x1080,531x299mm, "
                "or export the gaze points in DACS px"
            )
        elif unit == MEDIA_NORM and not medium_sized:
            what = f"positions in fractions of a medium whose size is not stated: {name}"
            hint = (
                "export Presented Media width, height and position as well, "
                "or the gaze points in DACS px"
            )
        if what:
            raise ParseError(what, path=path, line=header.lines, column=at + 1, hint=hint)
        return cls(unit, wanted, screen)

    @property
    def on_screen(self) -> bool:
        """Whether pixels count from the corner of the screen, not from that of the medium."""
        of_screen = self.unit in (SCREEN_PX, SCREEN_NORM, SCREEN_MM)
        medium_placed = {"media_x", "media_y"} <= set(self.wanted)
        return of_screen or medium_placed

    @property
    def fractions_of_unknown_screen(self) -> bool:
        """Whether positions are fractions of a screen whose size the export does not state."""
        return self.unit == SCREEN_NORM and not self._screen

    def notes(self) -> list[str]:
        """Return what had to be inferred, in words for the user."""
        found = []
        if self.unit in (MEDIA_PX, MEDIA_NORM):
            words = "px" if self.unit == MEDIA_PX else "fractions"
            moved = f"positions in {words} of the medium shown, moved to where it lay on the screen"
            found.append(moved if self.on_screen else _ON_MEDIUM)
        if self.unsized:
            found.append(
                f"{self.unsized} samples on a medium without size or place: "
                "their positions are missing"
            )
        return found

    def pixels(self, table: Columns, axis: str, exported: Floats) -> Floats:
        """Return positions along an axis in pixels.

        Parameters
        ----------
        table : Columns
            The rows of the positions, which may state the size of the screen or of the medium.
        axis : str
            The axis of the positions, ``x`` or ``y``.
        exported : ndarray, shape (n,)
            Positions in the unit of the export, NaN where there is none.
        """
        if self.unit == SCREEN_PX:
            return exported
        if self.unit == SCREEN_NORM:
            return (exported * self._length_of_screen(table, axis)).astype(exported.dtype)
        if self.unit == SCREEN_MM:
            return (exported * self._px_per_mm(axis)).astype(exported.dtype)
        scale = self._scale_of_medium(table, axis)
        offset = table.number(f"media_{axis}") if self.on_screen else 0.0
        return (exported * scale + offset).astype(exported.dtype)

    def media_by_themselves(self, media: pd.DataFrame) -> pd.DataFrame:
        """Return media whose place is not stated as lying at the origin, in their own size.

        Positions then count from the corner of the medium, which is the plane they lie on.
        """
        placed = media.assign(media_x=0.0, media_y=0.0)
        for side in ("width", "height"):
            shown = media[f"media_{side}"]
            own = media[f"image_{side}"]
            size = shown.fillna(own)
            if self.unit == MEDIA_PX:  # counted in pixels of the file, however large it was shown
                size = own.fillna(size)
            placed[f"media_{side}"] = size
            placed[f"image_{side}"] = own.fillna(size)
        return placed

    def count_unsized(self, table: Columns, is_sample: npt.NDArray[np.bool_]) -> None:
        """Count the samples of a part whose position cannot become pixels."""
        if self.unit not in (MEDIA_PX, MEDIA_NORM):
            return
        key = next(key for key in GAZE_POINTS if key in self.wanted)
        exported = table.number(key)
        in_pixels = self.pixels(table, "x", exported)
        lost = is_sample & np.isfinite(exported) & ~np.isfinite(in_pixels)
        self.unsized += int(np.count_nonzero(lost))

    def _px_per_mm(self, axis: str) -> float:
        """Return the pixels in a millimetre; they are square where only the width is stated."""
        screen = self.screen
        if screen is None or screen.width_mm is None:
            raise ConfigError(
                "a screen without its size in mm", hint="give --screen 1920x1080,531x299mm"
            )
        if axis == "y" and screen.height_mm is not None:
            return screen.height_px / screen.height_mm
        return screen.width_px / screen.width_mm

    def _length_of_screen(self, table: Columns, axis: str) -> Floats:
        """Return the width or height of each row's screen.

        Rows that do not state it have that of others: of the last part, else of this one.
        """
        side = f"screen_{_SIDES[axis]}"
        stated = table.number(side)
        known = stated >= 1
        if known.any():
            self._screen.setdefault(side, float(stated[known][0]))
        nominal = NOMINAL.width_px if axis == "x" else NOMINAL.height_px
        usual = self._screen.get(side, float(nominal))
        lengths: Floats = np.where(known, stated, usual)
        if known.any():
            self._screen[side] = float(stated[known][-1])
        return lengths

    def _scale_of_medium(self, table: Columns, axis: str) -> Floats:
        """Return the pixels in one unit of the export.

        They are those of the screen, or those of the medium where its place is not stated.
        """
        shown = table.number(f"media_{_SIDES[axis]}")
        own = table.number(f"image_{_SIDES[axis]}")
        if self.unit == MEDIA_NORM:
            return shown
        # Pixels of the medium are those of its file, which may be shown larger or smaller.
        if not self.on_screen:
            return np.ones(table.n_rows)
        known = (shown >= 1) & (own >= 1)
        divisor = np.where(known, own, 1.0)
        return np.where(known, shown / divisor, 1.0)
