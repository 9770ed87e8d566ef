"""EyeLink ASC: trials and the images shown in them, as messages of the experiment's program say.

The messages are those that SR Research's own programs write for Data Viewer; "EyeLink Data Viewer
User Manual", chapter "Protocol for EyeLink Data to Viewer Integration".
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.errors import ConfigError
from gazetrack.readers.eyelink.tokens import number
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from gazetrack.readers.eyelink.findings import Findings

_IMAGE_VARIABLE = re.compile(
    r"!V\s+TRIAL_VAR\s+(?:image|stimulus|picture)(?:_name|_file)?\s+(\S.*)", re.IGNORECASE
)
_IMAGE_LOAD = re.compile(r"!V\s+IMGLOAD\s+(FILL|TOP_LEFT|CENTER)\s+(\S.*)")
_SCREEN = re.compile(r"(?:DISPLAY_COORDS|GAZE_COORDS)\b[\s=]*(.*)")
_TRIAL = re.compile(r"TRIALID\b\s*(.*)")
_MOST_LOAD_NUMBERS = 4  # x, y, width, height


class Load(NamedTuple):
    """An image put on the screen.

    `time` is ms of the tracker's clock, `mode` how the image is laid out, and `numbers` say where.
    """

    time: float
    name: str
    mode: str
    numbers: tuple[float, ...]


class Segment(NamedTuple):
    """From this time on (ms of the tracker's clock), this trial and stimulus."""

    time: float
    trial: str
    stimulus: str


@dataclass
class _Trial:
    """A stretch of the recording, from a time on.

    `named`: whether the experiment names it, or it is just a block between START and END.
    `variable` is the image that a variable of the trial names.
    """

    name: str
    time: float
    named: bool = False
    loads: list[Load] = field(default_factory=list)
    variable: str = ""


class Trials:
    """Follows the trials, in the order of the file.

    Parameters
    ----------
    findings : Findings
        Where to note what is not usable.

    Attributes
    ----------
    n_segments : int
        How many stretches with one trial and stimulus there are so far.
    screen : Screen or None
        The screen, once a message describes it.
    """

    def __init__(self, findings: Findings) -> None:
        self.n_segments = 1
        self.screen: Screen | None = None
        self._findings = findings
        self._trials = [_Trial("", -math.inf)]
        self._recording = False  # between START and END
        self._waiting: list[Load] = []  # images shown before the START of their block

    def start_block(self, name: str, time: float) -> None:
        """Take a START: unless the experiment has opened a trial, the block is one."""
        self._recording = True
        if not self._trials[-1].named:
            self._begin(_Trial(name, time))

    def end_block(self) -> None:
        """Take an END."""
        self._recording = False

    def take(self, message: str, time: float) -> None:
        """Take a message of the experiment's program; most say nothing about trials."""
        if match := _SCREEN.match(message):
            self._set_screen(match[1].split())
        elif match := _TRIAL.match(message):
            name = match[1].strip() or str(len(self._trials))
            self._begin(_Trial(name, time, named=True))
        elif match := _IMAGE_LOAD.search(message):
            self._load(time, mode=match[1], rest=match[2])
        elif match := _IMAGE_VARIABLE.search(message):
            self._trials[-1].variable = _base_name(match[1])

    def _begin(self, trial: _Trial) -> None:
        trial.loads = self._waiting
        self._waiting = []
        self._trials.append(trial)
        self.n_segments += max(len(trial.loads), 1)

    def _load(self, time: float, mode: str, rest: str) -> None:
        words = rest.split()
        numbers: list[float] = []
        # A name may hold blanks: the numbers are what can be read from the right. An image that
        # fills the screen has none.
        while mode != "FILL" and len(words) > 1 and len(numbers) < _MOST_LOAD_NUMBERS:
            value = number(words[-1])
            if math.isnan(value):
                break
            numbers.insert(0, value)
            words.pop()
        load = Load(time, _base_name(" ".join(words)), mode, tuple(numbers))

        # Before a START the image belongs to the block that follows, unless a TRIALID has opened
        # the trial already.
        if not self._recording and not self._trials[-1].named:
            self._waiting.append(load)
            return
        loads = self._trials[-1].loads
        if loads:  # the trial's first image is part of the segment that the trial began
            self.n_segments += 1
        loads.append(load)

    def _set_screen(self, tokens: list[str]) -> None:
        if self.screen is not None:
            return
        corners = [number(token) for token in tokens[:4]]
        usable = len(corners) == 4 and not any(map(math.isnan, corners))
        if usable and corners[:2] == [0.0, 0.0]:
            with suppress(ConfigError):
                self.screen = Screen(_pixels(corners[2]), _pixels(corners[3]))
        if self.screen is None:
            self._findings.note("the screen geometry in the file is not usable: ignored")

    def segments(self) -> list[Segment]:
        """Return the trials and stimuli in the order of the file.

        The first begins at minus infinity.
        """
        any_named = any(trial.named for trial in self._trials)
        found = []
        for trial in self._trials:
            # Where the experiment names trials, what is between them is none.
            name = trial.name if trial.named or not any_named else ""
            first = trial.loads[0].name if trial.loads else trial.variable
            found.append(Segment(trial.time, name, first))
            for load in trial.loads[1:]:
                # Images shown before the START belong to a trial that begins later.
                time = max(load.time, trial.time)
                found.append(Segment(time, name, load.name))
        return found

    def placements(self) -> dict[str, Placement]:
        """Return where the images lay, by their names.

        Those shown at several places are left out, with a note.
        """
        found: dict[str, Placement] = {}
        clashes = set()
        for trial in self._trials:
            for load in trial.loads:
                placement = self._placement(load)
                if placement is None:
                    continue
                if found.setdefault(load.name, placement) != placement:
                    clashes.add(load.name)
        if clashes:
            self._findings.note(
                f"{len(clashes)} images were shown at several places: not mapped to image pixels"
            )
        return {name: placement for name, placement in found.items() if name not in clashes}

    def _placement(self, load: Load) -> Placement | None:
        if load.mode == "FILL":
            if self.screen is None:
                return None
            return Placement(
                x_px=0.0,
                y_px=0.0,
                width_px=self.screen.width_px,
                height_px=self.screen.height_px,
                image_width_px=self.screen.width_px,
                image_height_px=self.screen.height_px,
            )
        if len(load.numbers) < _MOST_LOAD_NUMBERS:
            return None
        x, y, width, height = load.numbers
        if min(width, height) < 1:
            return None
        if load.mode == "CENTER":
            x -= width / 2
            y -= height / 2
        return Placement(
            x_px=x,
            y_px=y,
            width_px=width,
            height_px=height,
            image_width_px=round(width),
            image_height_px=round(height),
        )


def _base_name(name: str) -> str:
    return re.split(r"[\\/]", name.strip().strip('"'))[-1]


def _pixels(last: float) -> int:
    # The coordinates name the last pixel ("0 0 1023 767") or the size ("0.00 0.00 1920.00
    # 1080.00"); screens are even.
    whole = round(last)
    return whole + 1 if whole % 2 else whole
