"""EyeLink ASC: how samples and events are recorded; START, SAMPLES, EVENTS and PUPIL lines say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.readers.eyelink.tokens import DAMAGED, number
from gazetrack.tables.clock import MOST_DISORDER_MS

if TYPE_CHECKING:
    from gazetrack.readers.eyelink.findings import Findings
    from gazetrack.readers.eyelink.tokens import Line

_EYES = {("LEFT",): "left", ("RIGHT",): "right", ("LEFT", "RIGHT"): "binocular"}
_MAX_RATE_HZ = 10_000.0  # five times what the fastest tracker does: more is damage


class Layout(NamedTuple):
    """How the samples that follow were recorded.

    `eyes` is left, right, binocular, or empty when no line says. `href`: as directions of the eye,
    not in pixels of the screen. `n_values`: how many numbers stand between the time and the marks
    of quality, 0 when no line says. `has_input`: whether the last of them is of the input port.
    `has_target`: whether those of a head target follow the marks, or all others without marks.
    """

    eyes: str
    rate_hz: float | None
    href: bool = False
    n_values: int = 0
    has_input: bool = False
    has_target: bool = False


class Declarations:
    """Follows what the lines declare, in the order of the file.

    Parameters
    ----------
    findings : Findings
        Where to note what is not usable.

    Attributes
    ----------
    origin : float or None
        The time of the first START, ms of the tracker's clock.
    eyes : str
        The eyes that are recorded now, as in `Layout`.
    n_blocks : int
        How many START lines there were.
    events_in_pixels : bool
        Whether the positions of the events that follow are pixels.
    href : bool or None
        Whether those of the samples are directions; None until a line says so.
    pupil_measure : str
        What pupil sizes measure: area, diameter, or empty.
    samples_line : int
        The first SAMPLES line, 0 without any.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.origin: float | None = None
        self.eyes = ""
        self.n_blocks = 0
        self.events_in_pixels = True
        self.href: bool | None = None
        self.pupil_measure = ""
        self.samples_line = 0
        self._rate_hz: float | None = None
        self._n_values = 0
        self._has = (False, False)  # a column of the input port, those of a head target
        self._rates: list[tuple[float, float]] = []
        self._last_start = -math.inf
        self._eyes_of_start: tuple[str, ...] = ()

    @property
    def layout(self) -> Layout:
        """How the samples after the lines so far were recorded."""
        href = bool(self.href)
        return Layout(self.eyes, self._rate_hz, href, self._n_values, *self._has)

    @property
    def step_ms(self) -> float:
        """The time between two samples, ms; NaN where no line says."""
        return 1000.0 / self._rate_hz if self._rate_hz else math.nan

    @property
    def only_rate_hz(self) -> float | None:
        """The sampling rate, if it is known and the same throughout."""
        return self._rate_hz if len(self._rates) < 2 else None

    def rates_from(self, origin: float) -> tuple[tuple[float, float], ...]:
        """Return from which time of the recording on (ms) which sampling rate holds (Hz).

        Parameters
        ----------
        origin : float
            The tracker's time of t = 0, ms.

        Returns
        -------
        tuple of (float, float)
            In the order of the file; empty where one rate holds throughout.
        """
        if len(self._rates) < 2:
            return ()
        return tuple((max(start - origin, 0.0), rate) for start, rate in self._rates)

    def start(self, line: Line, tokens: list[str]) -> float:
        """Take a START line, and return its time.

        Raises
        ------
        ParseError
            It has no time, or one before that of the START line above.
        """
        time = line.time(tokens, 1)
        if time < self._last_start:
            raise line.second_recording(f"START {time:g} after START {self._last_start:g}")
        if time == self._last_start:
            self._findings.note(
                f"START {time:.12g} is there twice, again in line {line.number}: "
                "taken as the start of another block"
            )
        self._last_start = time
        self.origin = time if self.origin is None else self.origin
        self.n_blocks += 1
        self._eyes_of_start = _eyes_in(tokens)
        self._set_eyes(tokens)
        return time

    def samples(self, line: Line, tokens: list[str]) -> None:
        """Take a SAMPLES line.

        Raises
        ------
        ParseError
            It names another eye than the START line, or positions that are neither pixels nor
            directions throughout the file.
        """
        self._take_rate(tokens)
        self._check_eyes(line, tokens)
        self._set_eyes(tokens)
        self._n_values = _n_values(tokens)
        self._has = ("INPUT" in tokens and "BUTTONS" not in tokens, "HTARGET" in tokens)
        hint = "convert the EDF with gaze coordinates (edf2asc -sg)"
        # The kind of position stands behind the keyword.
        if "PUPIL" in tokens[:2]:
            what = "sample positions are those of the pupil in the camera's image"
            raise line.error(what, hint)
        href = "HREF" in tokens
        if self.href is not None and href != self.href:
            raise line.error("positions are HREF in some blocks and pixels in others", hint)
        self.href = href

    def events(self, tokens: list[str]) -> None:
        """Take an EVENTS line."""
        self._take_rate(tokens)
        self.events_in_pixels = "GAZE" in tokens

    def pupil(self, tokens: list[str]) -> None:
        """Take a PUPIL line."""
        words = tokens[1:2]
        measure = words[0].lower() if words and words[0] in {"AREA", "DIAMETER"} else ""
        if self.pupil_measure and measure != self.pupil_measure:
            self._findings.note("pupil sizes are areas in some blocks and diameters in others")
        self.pupil_measure = measure

    def _take_rate(self, tokens: list[str]) -> None:
        if "RATE" not in tokens[:-1]:
            return
        rate = number(tokens[tokens.index("RATE") + 1])
        if not 0 < rate <= _MAX_RATE_HZ:
            self._findings.note("a sampling rate in the header is not usable: ignored")
            return
        # SAMPLES and EVENTS both state it for each block: a rate is kept where it changes, with the
        # START from which it holds.
        if rate != self._rate_hz:
            self._rates.append((self._last_start, rate))
        self._rate_hz = rate

    def _set_eyes(self, tokens: list[str]) -> None:
        self.eyes = _EYES.get(_eyes_in(tokens), self.eyes)

    def _check_eyes(self, line: Line, tokens: list[str]) -> None:
        """Refuse a SAMPLES line that names an eye which the START line above it does not."""
        self.samples_line = self.samples_line or line.number
        eyes = _eyes_in(tokens)
        # It may name fewer: edf2asc can be told to write the samples of one eye alone.
        if self._eyes_of_start and not set(eyes) <= set(self._eyes_of_start):
            started = " and ".join(self._eyes_of_start)
            what = f"SAMPLES of {' and '.join(eyes)} after START with {started}"
            raise line.error(what, DAMAGED)


def steps_back_too_far(first: float, before: float, time: float) -> bool:
    """Return whether a sample cannot be of the same recording as the ones before it.

    It cannot where its time steps back further than any disorder within one recording, or to the
    beginning.

    Parameters
    ----------
    first, before, time : float
        Times of the first sample, of the one before it, and its own; ms of the tracker's clock.
    """
    return time < before - MOST_DISORDER_MS or time <= first < before


def _n_values(tokens: list[str]) -> int:
    """Return how many numbers a SAMPLES line states for each sample, 0 where it names no eye.

    Of each eye x, y and the pupil, and with ``VEL`` its velocity in x and y; then with ``RES`` the
    resolution in x and y, and a number for each of ``INPUT`` and ``BUTTONS``. Those of the head
    target follow the marks of quality and do not count.
    """
    n_eyes = len(_eyes_in(tokens))
    if not n_eyes:
        return 0
    of_an_eye = 5 if "VEL" in tokens else 3
    of_both = 2 * ("RES" in tokens) + ("INPUT" in tokens) + ("BUTTONS" in tokens)
    return n_eyes * of_an_eye + of_both


def _eyes_in(tokens: list[str]) -> tuple[str, ...]:
    return tuple(token for token in ("LEFT", "RIGHT") if token in tokens)
