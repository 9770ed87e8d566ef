"""EyeLink ASC: the lines that are not samples, and what they say about the samples around them."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.kernels.text import UNKNOWN_TIME
from gazetrack.tables.clock import MOST_DISORDER_MS
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_NUMBER = re.compile(r"[+-]?([0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})")
_IMAGE_VARIABLE = re.compile(
    r"!V\s+TRIAL_VAR\s+(?:image|stimulus|picture)(?:_name|_file)?\s+(\S.*)", re.IGNORECASE
)
_IMAGE_LOAD = re.compile(r"!V\s+IMGLOAD\s+(FILL|TOP_LEFT|CENTER)\s+(\S.*)")
_SCREEN = re.compile(r"(?:DISPLAY_COORDS|GAZE_COORDS)\b[\s=]*(.*)")
_TRIAL = re.compile(r"TRIALID\b\s*(.*)")
_MODEL = re.compile(r"\*\*\s+(EYELINK\s+.*?v[0-9.]+)")
_SOFTWARE = re.compile(r"\busing (edfapi [0-9.]+)")
_EYES = {("LEFT",): "left", ("RIGHT",): "right", ("LEFT", "RIGHT"): "binocular"}
_EVENT_FIELDS = {"EFIX": 8, "ESACC": 11, "EBLINK": 5}
_MAX_RATE_HZ = 10_000.0


class Event(NamedTuple):
    """One line of the export that becomes a row of the events; times on the tracker's clock."""

    kind: str
    eye: str
    onset: float
    last: float
    vendor_duration: float
    step: float
    x: float = math.nan
    y: float = math.nan
    end_x: float = math.nan
    end_y: float = math.nan
    amplitude: float = math.nan
    peak_velocity: float = math.nan
    pupil: float = math.nan
    text: str = ""
    in_pixels: bool = True
    line: int = 0


class Movements(NamedTuple):
    """Eye movements as `kernels.text.parse_events` gives them, with their lines and the ordinary step of samples."""

    kinds: npt.NDArray[np.uint8]
    fields: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]
    steps: npt.NDArray[np.float64]


class Layout(NamedTuple):
    """How the samples that follow were recorded; href: as directions of the eye, not in pixels of the screen."""

    eyes: str
    rate_hz: float | None
    href: bool = False


class Load(NamedTuple):
    """An image put on the screen: when, which, and how."""

    time: float
    sample: int
    name: str
    mode: str
    numbers: tuple[float, ...]


@dataclass
class Trial:
    """A stretch of the recording, from a time and a sample on."""

    name: str
    time: float
    sample: int
    named: bool = False
    loads: list[Load] = field(default_factory=list)
    variable: str = ""


class Segment(NamedTuple):
    """From this time and sample on, this trial and stimulus."""

    time: float
    sample: int
    trial: str
    stimulus: str


def _artefact(onset: float, last: float) -> str:
    """Return why an eye movement cannot have been, empty when it can."""
    # The tracker's online parser leaves such events at the edges of blinks and of recording blocks.
    if max(onset, last) >= UNKNOWN_TIME:
        return "event of unknown time"
    return "event that ends before it starts" if last < onset else ""


def number(token: str) -> float:
    """Return a plain decimal number, NaN for anything else."""
    return float(token) if _NUMBER.fullmatch(token) else math.nan


class Lines:
    """Collects what the lines say, in the order of the file.

    Parameters
    ----------
    path : pathlib.Path
        The file, for errors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.eyes = ""
        self.rate_hz: float | None = None
        self.rates: list[tuple[float, float]] = []
        self.origin: float | None = None
        self.events: list[Event] = []
        self._movements: list[Movements] = []
        self.n_segments = 1
        self.trials = [Trial("", -math.inf, 0)]
        self.screen: Screen | None = None
        self.tracker = self.software = ""
        self.notes: dict[str, None] = {}
        self.dropped: dict[str, int] = {}
        self.pupil_measure = ""
        self._blocks = 0
        self._last_start = -math.inf
        self._started: tuple[str, ...] = ()  # the eyes of the last START
        self.samples_line = 0  # the first one
        self._recording = False
        self.pixels = True  # of the events that follow
        self.href: bool | None = None  # of the samples; None until a line says so
        self._loads: list[Load] = []

    def take(self, text: str, line: int, sample: int) -> None:
        """Take one line, with the number of samples before it."""
        keyword = text.split(None, 1)[0] if text[0] in "*ABDEIMPRSV" else ""
        if keyword in _EVENT_FIELDS:
            self._event(keyword, text.split(), line)
        elif keyword == "MSG":
            self._message(text, line, sample)
        elif keyword in {"INPUT", "BUTTON"}:
            self._signal(keyword, text.split(), line)
        elif keyword == "START":
            self._start(text.split(), line, sample)
        elif keyword == "END":
            self._recording = False
        elif keyword in {"SAMPLES", "EVENTS"}:
            self._declare(keyword, text.split(), line)
        elif keyword == "PUPIL":
            self._pupil(text.split()[1:])
        elif keyword == "**":
            self._header(text, line)

    def take_movements(
        self,
        kinds: npt.NDArray[np.uint8],
        fields: npt.NDArray[np.float64],
        lines: npt.NDArray[np.int64],
    ) -> None:
        """Take eye movements, which all belong to what the lines so far declare."""
        if len(kinds):
            self._movements.append(
                Movements(kinds, fields, lines, np.full(len(kinds), self._step()))
            )

    def movements(self) -> Movements:
        """Return all eye movements that the kernel has parsed."""
        none = Movements(
            np.empty(0, np.uint8), np.empty((0, 10)), np.empty(0, np.int64), np.empty(0)
        )
        return Movements(*map(np.concatenate, zip(none, *self._movements, strict=True)))

    @property
    def layout(self) -> Layout:
        """How the samples after the lines so far were recorded."""
        return Layout(self.eyes, self.rate_hz, bool(self.href))

    def rates_from(self, origin: float) -> tuple[tuple[float, float], ...]:
        """Return from which time of the recording on (ms) which sampling rate holds (Hz); empty when there is one."""
        if len(self.rates) < 2:
            return ()
        return tuple((max(start - origin, 0.0), rate) for start, rate in self.rates)

    @property
    def n_events(self) -> int:
        """The number of events so far."""
        return len(self.events) + sum(len(movements.kinds) for movements in self._movements)

    def first_onset(self) -> float:
        """Return the earliest time of an event."""
        onsets = [event.onset for event in self.events]
        return min(onsets + [float(movements.fields[:, 1].min()) for movements in self._movements])

    def _step(self) -> float:
        return 1000.0 / self.rate_hz if self.rate_hz else math.nan

    def _time(self, tokens: list[str], at: int, line: int) -> float:
        time = number(tokens[at]) if at < len(tokens) else math.nan
        if math.isnan(time):
            what = f"{quote(tokens[0])} line without a time"
            raise ParseError(
                what,
                path=self.path,
                line=line,
                hint="the file is damaged here; convert the EDF again",
            )
        return time

    def _event(self, keyword: str, tokens: list[str], line: int) -> None:
        needed = _EVENT_FIELDS[keyword]
        if len(tokens) < needed or tokens[1] not in {"L", "R"}:
            what = (
                f"{keyword} line with {len(tokens)} fields"
                if len(tokens) < needed
                else f"{keyword} of no eye"
            )
            hint = f"it needs {needed}, the second L or R; convert the EDF again"
            raise ParseError(what, path=self.path, line=line, hint=hint)
        onset, last = self._time(tokens, 2, line), self._time(tokens, 3, line)
        if artefact := _artefact(onset, last):
            self.drop(artefact)
            return
        eye = "left" if tokens[1] == "L" else "right"
        rest = [number(token) for token in tokens[5:needed]]
        common = (eye, onset, last, number(tokens[4]), self._step())
        if keyword == "EFIX":
            event = Event(
                "fixation",
                *common,
                x=rest[0],
                y=rest[1],
                pupil=rest[2] or math.nan,
                in_pixels=self.pixels,
                line=line,
            )
        elif keyword == "ESACC":
            event = Event(
                "saccade",
                *common,
                x=rest[0],
                y=rest[1],
                end_x=rest[2],
                end_y=rest[3],
                amplitude=rest[4],
                peak_velocity=rest[5],
                in_pixels=self.pixels,
                line=line,
            )
        else:
            event = Event("blink", *common, line=line)
        self.events.append(event)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count lines that are not used, by reason."""
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    def _signal(self, keyword: str, tokens: list[str], line: int) -> None:
        time = self._time(tokens, 1, line)
        self.events.append(
            Event(keyword.lower(), "", time, time, 0.0, 0.0, text=" ".join(tokens[2:]), line=line)
        )

    def _start(self, tokens: list[str], line: int, sample: int) -> None:
        time = self._time(tokens, 1, line)
        if time < self._last_start:
            raise self._second_recording(f"START {time:g} after START {self._last_start:g}", line)
        self._last_start = time
        self.origin = time if self.origin is None else self.origin
        self._blocks += 1
        self._recording = True
        self._set_eyes(tokens)
        self._started = _eyes_in(tokens)
        if not self.trials[-1].named:
            self._begin(Trial(str(self._blocks), time, sample))

    def _second_recording(self, what: str, line: int) -> ParseError:
        hint = "give each recording a file of its own; convert each EDF by itself"
        return ParseError(f"another recording begins: {what}", path=self.path, line=line, hint=hint)

    def check_clock(self, first: float, before: float, time: float, line: int) -> None:
        """Refuse a sample whose time steps back further than any disorder within one recording.

        Raises
        ------
        ParseError
            It does, by more than a second, or from a time after that of the first sample to that or
            before it.
        """
        if time < before - MOST_DISORDER_MS or time <= first < before:
            raise self._second_recording(f"a sample at {time:g} after one at {before:g}", line)

    def _begin(self, trial: Trial) -> None:
        trial.loads, self._loads = self._loads, []
        self.trials.append(trial)
        self.n_segments += max(len(trial.loads), 1)

    def _set_eyes(self, tokens: list[str]) -> None:
        self.eyes = _EYES.get(_eyes_in(tokens), self.eyes)

    def _check_eyes(self, tokens: list[str], line: int) -> None:
        """Refuse a SAMPLES line that names an eye which the START line above it does not."""
        self.samples_line = self.samples_line or line
        if self._started and not set(_eyes_in(tokens)) <= set(self._started):
            what = f"SAMPLES of {_said(_eyes_in(tokens))} after START with {_said(self._started)}"
            raise ParseError(
                what,
                path=self.path,
                line=line,
                hint="the file is damaged here; convert the EDF again",
            )

    def _set_rate(self, rate: float) -> None:
        if rate != self.rate_hz:
            self.rates.append((self._last_start, rate))
        self.rate_hz = rate

    def _pupil(self, words: list[str]) -> None:
        measure = words[0].lower() if words and words[0] in {"AREA", "DIAMETER"} else ""
        if self.pupil_measure and measure != self.pupil_measure:
            self.notes["pupil sizes are areas in some blocks and diameters in others"] = None
        self.pupil_measure = measure

    def _declare(self, keyword: str, tokens: list[str], line: int) -> None:
        if "RATE" in tokens[:-1]:
            rate = number(tokens[tokens.index("RATE") + 1])
            if 0 < rate <= _MAX_RATE_HZ:
                self._set_rate(rate)
            else:
                self.notes["a sampling rate in the header is not usable: ignored"] = None
        if keyword == "EVENTS":
            self.pixels = "GAZE" in tokens
            return
        self._check_eyes(tokens, line)
        self._set_eyes(tokens)
        hint = "convert the EDF with gaze coordinates (edf2asc -sg)"
        if "PUPIL" in tokens[:2]:
            what = "sample positions are those of the pupil in the camera's image"
            raise ParseError(what, path=self.path, line=line, hint=hint)
        href = "HREF" in tokens
        if self.href is not None and href != self.href:
            what = "positions are HREF in some blocks and pixels in others"
            raise ParseError(what, path=self.path, line=line, hint=hint)
        self.href = href

    def _header(self, text: str, line: int) -> None:
        if text.startswith("** CONVERTED FROM") and self._blocks:
            raise self._second_recording("a second header", line)
        # Nothing else of the header is kept: it holds paths, dates and serial numbers.
        if not self.tracker and (match := _MODEL.match(text)):
            self.tracker = " ".join(match[1].split())
        if not self.software and (match := _SOFTWARE.search(text)):
            self.software = match[1].rstrip(".")

    def _message(self, text: str, line: int, sample: int) -> None:
        tokens = text.split(None, 2)
        time = self._time(tokens, 1, line)
        message = tokens[2].strip() if len(tokens) > 2 else ""
        self.events.append(Event("message", "", time, time, 0.0, 0.0, text=message, line=line))
        if match := _SCREEN.match(message):
            self._set_screen(match[1].split())
        elif match := _TRIAL.match(message):
            self._begin(Trial(match[1].strip() or str(len(self.trials)), time, sample, named=True))
        elif match := _IMAGE_LOAD.search(message):
            self._load(time, sample, match[1], match[2])
        elif match := _IMAGE_VARIABLE.search(message):
            self.trials[-1].variable = _base_name(match[1])

    def _load(self, time: float, sample: int, mode: str, rest: str) -> None:
        words = rest.split()
        numbers: list[float] = []
        while (
            mode != "FILL"
            and len(words) > 1
            and len(numbers) < 4
            and not math.isnan(number(words[-1]))
        ):
            numbers.append(number(words.pop()))
        load = Load(time, sample, _base_name(" ".join(words)), mode, tuple(reversed(numbers)))
        # Before a START the image belongs to the block that follows, unless a TRIALID has opened
        # the trial already.
        waits = not self._recording and not self.trials[-1].named
        loads = self._loads if waits else self.trials[-1].loads
        self.n_segments += bool(loads) and not waits
        loads.append(load)

    def _set_screen(self, tokens: list[str]) -> None:
        if self.screen is not None:
            return
        corners = [number(token) for token in tokens[:4]]
        if len(corners) == 4 and not any(map(math.isnan, corners)) and corners[:2] == [0.0, 0.0]:
            with suppress(ConfigError):
                self.screen = Screen(_pixels(corners[2]), _pixels(corners[3]))
        if self.screen is None:
            self.notes["the screen geometry in the file is not usable: ignored"] = None

    def segments(self) -> list[Segment]:
        """Return the trials and stimuli in the order of the file; the first begins at minus infinity."""
        any_named = any(trial.named for trial in self.trials)
        found = []
        for trial in self.trials:
            name = trial.name if trial.named or not any_named else ""
            first = trial.loads[0].name if trial.loads else trial.variable
            found.append(Segment(trial.time, trial.sample, name, first))
            found += [
                Segment(max(load.time, trial.time), max(load.sample, trial.sample), name, load.name)
                for load in trial.loads[1:]
            ]
        return found

    def placements(self) -> dict[str, Placement]:
        """Return where the images lay; those shown at several places are left out, with a note."""
        found: dict[str, Placement] = {}
        clashes = set()
        for load in (load for trial in self.trials for load in trial.loads):
            placement = self._placement(load)
            if placement is not None and found.setdefault(load.name, placement) != placement:
                clashes.add(load.name)
        if clashes:
            self.notes[
                f"{len(clashes)} images were shown at several places: not mapped to image pixels"
            ] = None
        return {name: placement for name, placement in found.items() if name not in clashes}

    def _placement(self, load: Load) -> Placement | None:
        if load.mode == "FILL":
            if self.screen is None:
                return None
            size = self.screen.width_px, self.screen.height_px
            return Placement(0.0, 0.0, *size, *size)
        if len(load.numbers) < 4:
            return None
        x, y, width, height = load.numbers
        if min(width, height) < 1:
            return None
        shift = (width / 2, height / 2) if load.mode == "CENTER" else (0.0, 0.0)
        return Placement(x - shift[0], y - shift[1], width, height, round(width), round(height))


def _eyes_in(tokens: list[str]) -> tuple[str, ...]:
    return tuple(token for token in ("LEFT", "RIGHT") if token in tokens)


def _said(eyes: tuple[str, ...]) -> str:
    return " and ".join(eyes)


def _base_name(name: str) -> str:
    return re.split(r"[\\/]", name.strip().strip('"'))[-1]


def _pixels(last: float) -> int:
    # The coordinates name the last pixel ("0 0 1023 767") or the size ("0.00 0.00 1920.00
    # 1080.00"); screens are even.
    whole = round(last)
    return whole + 1 if whole % 2 else whole
