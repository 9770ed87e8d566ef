"""Areas of interest: which of a stimulus' parts a study asks about.

An area is one shape or several, always there or for a time. The areas of a stimulus may overlap: a
fixation then counts for each, and shares of the areas sum to more than 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gazetrack.errors import DataError, quote
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gazetrack.measures.shapes import Flags, Floats, Shape

SPACES = ("image", "screen")
EVERY = "*"  # the stimulus of areas that are the same on all
OUTSIDE = "(outside)"  # how transitions call what lies in no area


@dataclass(frozen=True, kw_only=True)
class Part:
    """A shape, and when it is there.

    Parameters
    ----------
    shape : Rectangle, Ellipse, Polygon or Label
        Where it lies, in pixels.
    onset_ms, offset_ms : float
        When it appears and disappears, in milliseconds from the start of the trial, half open; from
        always until forever by default.
    """

    shape: Shape
    onset_ms: float = -math.inf
    offset_ms: float = math.inf

    @property
    def window(self) -> tuple[float, float]:
        """From when until when it is there, in milliseconds from the start of the trial."""
        return self.onset_ms, self.offset_ms


@dataclass(frozen=True, kw_only=True)
class Aoi:
    """One area of interest.

    Parameters
    ----------
    name : str
        What it is called, once among the areas of its stimulus.
    parts : tuple of Part
        Its shapes. Those that are there at the same time are one area together; others are places
        that it moves to.
    """

    name: str
    parts: tuple[Part, ...]

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """The times in which it is there, each once, in their order."""
        return tuple(sorted({part.window for part in self.parts}))

    @property
    def is_dynamic(self) -> bool:
        """Whether it is there for a time only, or moves."""
        return any(map(math.isfinite, (bound for part in self.parts for bound in part.window)))

    @cached_property
    def area_px2(self) -> float:
        """Its area in square pixels; of one that moves, the mean over its times.

        Shapes of one time are added up, also where they overlap.
        """
        by_window: dict[tuple[float, float], float] = dict.fromkeys(self.windows, 0.0)
        for part in self.parts:
            by_window[part.window] += part.shape.area_px2
        return sum(by_window.values()) / len(by_window)

    def inside(
        self, x: Floats, y: Floats, margin_px: float = 0.0
    ) -> dict[tuple[float, float], Flags]:
        """Return which positions lie in it, by the time in which it is so.

        Parameters
        ----------
        x, y : ndarray of float64, shape (N,)
            Positions in pixels; those that are no numbers lie in no area.
        margin_px : float
            How far from it a position still counts, in pixels.

        Returns
        -------
        dict of (float, float) to ndarray of bool, shape (N,)
            One entry for each of `windows`.
        """
        found: dict[tuple[float, float], Flags] = {}
        for part in self.parts:
            here = part.shape.inside(x, y, margin_px)
            before = found.get(part.window)
            found[part.window] = here if before is None else here | before
        return found


@dataclass(frozen=True, kw_only=True)
class StimulusAois:
    """The areas of one stimulus.

    Parameters
    ----------
    stimulus : str
        The stimulus as the file of the areas calls it; matched without folder and image suffix.
    aois : tuple of Aoi
        Its areas; none is allowed, of a stimulus that was looked at and has none.
    size : (int, int), optional
        Width and height in pixels of the image that they were drawn on, where it is known.
    """

    stimulus: str
    aois: tuple[Aoi, ...]
    size: tuple[int, int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its areas, in their order."""
        return tuple(aoi.name for aoi in self.aois)


@dataclass(frozen=True, kw_only=True)
class AoiSet:
    """The areas of interest of a study.

    Parameters
    ----------
    stimuli : tuple of StimulusAois
        The areas by stimulus, each stimulus once; that of the name ``*`` stands for all others.
    space : {"image", "screen"}
        Whose pixels the areas are given in: those of the image, or of the screen it was shown on.
    source : mapping of str to str
        Where they come from, for the metadata of what is made of them: file, format, SHA-256.
    notes : tuple of str
        What was inferred when they were read, in words for the user.

    Raises
    ------
    DataError
        There is no area; a stimulus or the area of a stimulus is named twice; an area has a shape
        that cannot be, such as a polygon whose edges cross; all look like fractions of an image.

    Examples
    --------
    >>> face = Aoi(name="face", parts=(Part(shape=Rectangle(...)),))  # doctest: +SKIP
    >>> aois = AoiSet(stimuli=(StimulusAois(stimulus="cat", aois=(face,)),))  # doctest: +SKIP
    """

    stimuli: tuple[StimulusAois, ...]
    space: str = "image"
    source: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise DataError(f"areas in the space {quote(self.space)!r}", hint="use image or screen")
        if not any(one.aois for one in self.stimuli):
            raise DataError("there is no area of interest", hint="draw one, or name another file")
        _refuse_twice((stem(one.stimulus) for one in self.stimuli), "stimulus", "rename one")
        for one in self.stimuli:
            for aoi in one.aois:
                _check(aoi, one.stimulus)
            hint = (
                "give them names of their own, such as polyp-1 and polyp-2: render --target "
                '"aoi=^([a-z]+)" makes one target of both'
            )
            _refuse_twice(one.names, f"area of stimulus {quote(one.stimulus, 40)!r}", hint)
        self._refuse_fractions()

    def __len__(self) -> int:
        return sum(len(one.aois) for one in self.stimuli)

    def __repr__(self) -> str:
        return f"<AoiSet: {len(self)} areas on {len(self.stimuli)} stimuli, {self.space} pixels>"

    @cached_property
    def _by_stem(self) -> dict[str, StimulusAois]:
        return {stem(one.stimulus): one for one in self.stimuli}

    @property
    def known(self) -> tuple[str, ...]:
        """The stimuli that have areas of their own, without folder and image suffix."""
        return tuple(name for name in self._by_stem if name != EVERY)

    def of(self, stimulus: str) -> StimulusAois | None:
        """Return the areas of a stimulus.

        Parameters
        ----------
        stimulus : str
            Its name as a table of fixations has it, with or without folder and image suffix.

        Returns
        -------
        StimulusAois or None
            None where it has no areas of its own and there are none for every stimulus.
        """
        return self._by_stem.get(stem(stimulus)) or self._by_stem.get(EVERY)

    def _refuse_fractions(self) -> None:
        """Refuse areas that are given in another unit: no screen is one pixel wide."""
        shapes = [part.shape for one in self.stimuli for aoi in one.aois for part in aoi.parts]
        reach = max(max(map(abs, shape.bounds)) for shape in shapes)
        if reach <= 1.0:
            what = "all areas lie within one pixel: they look like fractions of the image"
            raise DataError(what, hint="give pixels: multiply by the image's width and height")


def checked_on(aois: StimulusAois, size: tuple[float, float]) -> str:
    """Check that the areas of a stimulus lie on its image.

    Parameters
    ----------
    aois : StimulusAois
        The areas of the stimulus.
    size : (float, float)
        Width and height of its image, in pixels.

    Returns
    -------
    str
        Which areas reach beyond it, in words for the user; empty where none does.

    Raises
    ------
    DataError
        An area lies outside the image altogether.
    """
    width, height = size
    beyond = []
    for aoi in aois.aois:
        for part in aoi.parts:
            left, top, right, bottom = part.shape.bounds
            if right <= 0 or bottom <= 0 or left >= width or top >= height:
                where = f"x {left:g} to {right:g}, y {top:g} to {bottom:g}"
                what = f"{_called(aoi.name, aois.stimulus)} lies outside the image"
                hint = "are the areas in pixels of this image, and is y counted from the top?"
                raise DataError(f"{what} of {width:g} x {height:g} px: {where}", hint=hint)
            if left < 0 or top < 0 or right > width or bottom > height:
                beyond.append(aoi.name)
    if not beyond:
        return ""
    names = ", ".join(quote(name, 30) for name in dict.fromkeys(beyond))
    return f"{names} of {quote(aois.stimulus, 40)}"


def _check(aoi: Aoi, stimulus: str) -> None:
    """Refuse an area that cannot be."""
    called = _called(aoi.name, stimulus)
    if not aoi.name or aoi.name == OUTSIDE:
        hint = f"give it another name: {OUTSIDE} is what lies in none"
        raise DataError(
            f"an area of stimulus {quote(stimulus, 40)!r} is named {aoi.name!r}", hint=hint
        )
    if not aoi.parts:
        raise DataError(f"{called} has no shape", hint="give it one, or leave it out")
    for part in aoi.parts:
        problem = part.shape.problem()
        if problem:
            raise DataError(f"{called} {problem}", hint="draw it again")
        if not part.onset_ms < part.offset_ms:
            times = f"from {part.onset_ms:g} to {part.offset_ms:g} ms"
            raise DataError(f"{called} is there {times}", hint="its offset comes after its onset")
    ends = [window[1] for window in aoi.windows]
    begins = [window[0] for window in aoi.windows]
    for end, begin in zip(ends, begins[1:], strict=False):
        if begin < end:
            what = f"{called} is at two places from {begin:g} to {end:g} ms"
            raise DataError(what, hint="give the two areas two names, or times that follow")


def _refuse_twice(names: Iterable[str], what: str, hint: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{what} {quote(name, 40)!r} is there twice", hint=hint)
        seen.add(name)


def _called(name: str, stimulus: str) -> str:
    return f"area {quote(name, 40)!r} of stimulus {quote(stimulus, 40)!r}"
