"""Tobii Pro Lab and Tobii Studio 3: positions in any unit the export offers, as pixels of the screen.

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
from gazetrack.tables.recording import Screen

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
    """Turns exported positions into pixels.

    Parameters
    ----------
    unit : str
        Of the gaze points, one of those of `_tobii_columns`.
    wanted : mapping of str to (int, kind)
        The columns of the export.
    screen : Screen or None
        As the user states it.
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
        """Return what the first of some columns that is there is in; pixels of the screen without any.

        Parameters
        ----------
        keys : sequence of str
            The columns, by our names.
        header, wanted, path
            Of the export.
        screen : Screen or None
            As the user states it: its lengths make pixels of millimetres.

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
        what = hint = ""
        if unit == SCREEN_MM and (screen is None or screen.width_mm is None):
            what = f"positions in mm on a screen whose size in mm is not stated: {name}"
            hint = "give its size, as in --screen 1920x1080,531x299mm, or export the gaze points in DACS px"
        elif unit == MEDIA_NORM and not ({"media_width", "media_height"} <= set(wanted)):
            what = f"positions in fractions of a medium whose size is not stated: {name}"
            hint = "export Presented Media width, height and position as well, or the gaze points in DACS px"
        if what:
            raise ParseError(what, path=path, line=header.lines, column=at + 1, hint=hint)
        return cls(unit, wanted, screen)

    @property
    def on_screen(self) -> bool:
        """Whether pixels count from the corner of the screen, not from that of the medium."""
        return self.unit in (SCREEN_PX, SCREEN_NORM, SCREEN_MM) or {"media_x", "media_y"} <= set(
            self.wanted
        )

    @property
    def fractions_of_unknown_screen(self) -> bool:
        """Whether positions are fractions of a screen whose size the export does not state."""
        return self.unit == SCREEN_NORM and not self._screen

    def notes(self) -> list[str]:
        """Return what had to be inferred, in words for the user."""
        found = []
        if self.unit in (MEDIA_PX, MEDIA_NORM):
            words = "px" if self.unit == MEDIA_PX else "fractions"
            found.append(
                f"positions in {words} of the medium shown, moved to where it lay on the screen"
                if self.on_screen
                else _ON_MEDIUM
            )
        if self.unsized:
            found.append(
                f"{self.unsized} samples on a medium without size or place: their positions are missing"
            )
        return found

    def pixels(self, table: Columns, axis: str, exported: Floats) -> Floats:
        """Return positions along an axis, x or y, in pixels."""
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
        """Return media without a place as the plane that positions count on: at the origin, in their own size."""
        width, height = (
            media[f"media_{side}"].fillna(media[f"image_{side}"]) for side in ("width", "height")
        )
        if self.unit == MEDIA_PX:
            width, height = media["image_width"].fillna(width), media["image_height"].fillna(height)
        sizes = {"media_width": width, "media_height": height}
        own = {
            "image_width": media["image_width"].fillna(width),
            "image_height": media["image_height"].fillna(height),
        }
        return media.assign(**sizes, **own, media_x=0.0, media_y=0.0)

    def count_unsized(self, table: Columns, is_sample: npt.NDArray[np.bool_]) -> None:
        """Count the samples of a part whose position cannot become pixels."""
        if self.unit not in (MEDIA_PX, MEDIA_NORM):
            return
        key = next((key for key in GAZE_POINTS if key in self.wanted), None)
        if key is None:
            return
        exported = table.number(key)
        lost = is_sample & np.isfinite(exported) & ~np.isfinite(self.pixels(table, "x", exported))
        self.unsized += int(np.count_nonzero(lost))

    def _px_per_mm(self, axis: str) -> float:
        """Return the pixels in a millimetre; they are square where the user states the width alone."""
        screen = self.screen
        if screen is None or screen.width_mm is None:
            raise ConfigError(
                "a screen without its size in mm", hint="give --screen 1920x1080,531x299mm"
            )
        if axis == "y" and screen.height_mm is not None:
            return screen.height_px / screen.height_mm
        return screen.width_px / screen.width_mm

    def _length_of_screen(self, table: Columns, axis: str) -> Floats:
        """Return the width or height of each row's screen; rows without it have that of others."""
        side = f"screen_{_SIDES[axis]}"
        stated = table.number(side)
        known = stated >= 1
        if known.any():
            self._screen.setdefault(side, float(stated[known][0]))
        usual = self._screen.get(side, float(getattr(NOMINAL, f"{_SIDES[axis]}_px")))
        lengths: Floats = np.where(known, stated, usual)
        if known.any():
            self._screen[side] = float(stated[known][-1])
        return lengths

    def _scale_of_medium(self, table: Columns, axis: str) -> Floats:
        """Return the pixels of the screen, or of the medium where that has no place, in one unit of the export."""
        shown, own = (table.number(f"{what}_{_SIDES[axis]}") for what in ("media", "image"))
        if self.unit == MEDIA_NORM:
            return shown
        # Pixels of the medium are those of its file, which may be shown larger or smaller.
        if not self.on_screen:
            return np.ones(table.n_rows)
        known = (shown >= 1) & (own >= 1)
        return np.where(known, shown / np.where(known, own, 1.0), 1.0)
