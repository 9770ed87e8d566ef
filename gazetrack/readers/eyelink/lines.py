"""EyeLink ASC: the lines that are not samples, each given to what it is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.eyelink.declarations import Declarations
from gazetrack.readers.eyelink.event_rows import EventRows
from gazetrack.readers.eyelink.findings import Findings
from gazetrack.readers.eyelink.movements import (
    BEGINNINGS,
    EVENT_FIELDS,
    Movements,
    artefact,
    message_of,
    movement_of,
)
from gazetrack.readers.eyelink.pairs import Pairs
from gazetrack.readers.eyelink.repeats import Repeats
from gazetrack.readers.eyelink.tokens import number
from gazetrack.readers.eyelink.trials import Trials

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.eyelink.tokens import Line

_MODEL = re.compile(r"\*\*\s+(EYELINK\s+.*?v[0-9.]+)")
_SOFTWARE = re.compile(r"\busing (edfapi [0-9.]+)")
_FIRST_LETTERS = "*ABDEIMPRSV"  # of the keywords: most messages are told apart by this alone


class Lines:
    """Collects what the lines say, in the order of the file.

    Attributes
    ----------
    findings : Findings
        Notes, and what is not used.
    declared : Declarations
        How samples and events are recorded.
    trials : Trials
        Trials, images, and the screen.
    events : EventRows
        The eye movements, messages, buttons and inputs.
    pairs : Pairs
        The beginnings and ends of eye movements.
    repeats : Repeats
        The eye movements that are there twice, of which one is among the events.
    tracker, software : str
        The model of the tracker and the program that made the file, where the header names them.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.declared = Declarations(self.findings)
        self.trials = Trials(self.findings)
        self.events = EventRows()
        self.pairs = Pairs()
        self.repeats = Repeats()
        self.tracker = ""
        self.software = ""
        self._recording = False  # between START and END; elsewhere numbers are a calibration's

    def take(self, line: Line) -> None:
        """Take one line that is not empty."""
        text = line.text
        keyword = text.split(None, 1)[0] if text[0] in _FIRST_LETTERS else ""
        if keyword == "MSG":
            self._message(line)
        elif keyword in EVENT_FIELDS:
            self._movement(line)
        elif keyword in BEGINNINGS:
            self.findings.drop(f"{keyword} line without an eye or a time")
        elif keyword in {"INPUT", "BUTTON"}:
            tokens = text.split()
            time = line.time(tokens, 1)
            self.events.add(message_of(line, keyword.lower(), time, " ".join(tokens[2:])))
        elif keyword == "START":
            self._recording = True
            time = self.declared.start(line, text.split())
            self.trials.start_block(str(self.declared.n_blocks), time)
        elif keyword == "END":
            self._recording = False
            self.trials.end_block()
        elif keyword == "SAMPLES":
            self.declared.samples(line, text.split())
        elif keyword == "EVENTS":
            self.declared.events(text.split())
        elif keyword == "PUPIL":
            self.declared.pupil(text.split())
        elif keyword == "**":
            self._header(line)
        elif not keyword and self._recording:
            self._unread(text)

    def _unread(self, text: str) -> None:
        """Count a line that is none of the format's but looks like a sample or a movement."""
        words = text.strip("\"'\ufeff \t").split(None, 3)
        if words and words[0].upper() in EVENT_FIELDS:
            self.findings.drop(f"eye movement written as {words[0]}")
        elif len(words) > 2 and all(
            word == "." or number(word) == number(word) for word in words[:3]
        ):
            self.findings.drop("sample that does not begin with its time")

    def take_movements(
        self,
        kinds: npt.NDArray[np.uint8],
        fields: npt.NDArray[np.float64],
        lines: npt.NDArray[np.int64],
    ) -> None:
        """Take eye movements, which all belong to what the lines so far declare.

        Parameters
        ----------
        kinds, fields : ndarray, shapes (n,) and (n, 10)
            The movements as `kernels.event_lines.parse_events` gives them.
        lines : ndarray of int, shape (n,)
            Their lines in the file, counted from 1.
        """
        is_kept = ~self.repeats.among(kinds, fields, lines)
        kinds, fields, lines = kinds[is_kept], fields[is_kept], lines[is_kept]
        if len(kinds):
            steps = np.full(len(kinds), self.declared.step_ms)
            self.events.add_movements(Movements(kinds, fields, lines, steps))
            self.pairs.add(kinds, fields, lines)

    def end_block(self) -> None:
        """Take the end of a block: what follows stands on later lines than all so far."""
        self.events.end_block()
        self.pairs.end_block()

    def _movement(self, line: Line) -> None:
        event = movement_of(
            line, line.text.split(), self.declared.step_ms, self.declared.events_in_pixels
        )
        reason = artefact(event.onset, event.last)
        if not reason and self.repeats.is_again(event):
            return
        self.pairs.add_end(event)
        if reason:
            self.findings.drop(reason)
            return
        self.events.add(event)

    def _header(self, line: Line) -> None:
        if line.text.startswith("** CONVERTED FROM") and self.declared.n_blocks:
            raise line.second_recording("a second header")
        # Nothing else of the header is kept: it holds paths, dates and serial numbers.
        if not self.tracker and (match := _MODEL.match(line.text)):
            self.tracker = " ".join(match[1].split())
        if not self.software and (match := _SOFTWARE.search(line.text)):
            self.software = match[1].rstrip(".")

    def _message(self, line: Line) -> None:
        tokens = line.text.split(None, 2)
        time = line.time(tokens, 1)
        message = tokens[2].strip() if len(tokens) > 2 else ""
        self.events.add(message_of(line, "message", time, message))
        self.trials.take(message, time)
