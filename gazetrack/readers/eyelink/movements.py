"""EyeLink ASC: eye movements and messages, one from a line and many from the kernel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.kernels.event_lines import UNKNOWN_TIME
from gazetrack.readers.eyelink.tokens import number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gazetrack.readers.eyelink.tokens import Line

# How many words a line has at least, by keyword.
EVENT_FIELDS = {"EFIX": 8, "ESACC": 11, "EBLINK": 5}
BEGINNINGS = ("SFIX", "SSACC", "SBLINK")
# Places of the numbers of `Movements.fields`, in the order of the line; see `parse_events`.
EYE, ONSET, LAST, DURATION, X, Y = range(6)
PUPIL = 6  # of a fixation
END_X, END_Y, AMPLITUDE, PEAK_VELOCITY = range(6, 10)  # of a saccade
N_FIELDS = 10
# The kinds of movements as the kernel numbers them.
FIXATION, SACCADE, BLINK = 1, 2, 3


class Event(NamedTuple):
    """One line of the export that becomes a row of the events.

    Times are ms of the tracker's clock. `last` is the time of the last sample, `step` the time
    between two samples, both NaN where unknown. Positions are pixels of the screen, or HREF where
    `in_pixels` is false.
    """

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
    """Eye movements as `kernels.event_lines.parse_events` gives them, one a row.

    `lines` are their lines in the file, `steps` the time between two samples, ms.
    """

    kinds: npt.NDArray[np.uint8]
    fields: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]
    steps: npt.NDArray[np.float64]


def artefact(onset: float, last: float) -> str:
    """Return why an eye movement cannot have been, empty when it can.

    The tracker's online parser leaves such events at the edges of blinks and of recording blocks.
    """
    if max(onset, last) >= UNKNOWN_TIME:
        return "event of unknown time"
    return "event that ends before it starts" if last < onset else ""


def movement_of(line: Line, tokens: list[str], step: float, in_pixels: bool) -> Event:
    """Return the eye movement that a line of `EVENT_FIELDS` describes.

    Parameters
    ----------
    line : Line
        Where it stands in the file.
    tokens : list of str
        The words of the line.
    step : float
        The time between two samples, ms; NaN where unknown.
    in_pixels : bool
        Whether positions are pixels of the screen.

    Raises
    ------
    ParseError
        The line is too short, of no eye, or without times.
    """
    keyword = tokens[0]
    needed = EVENT_FIELDS[keyword]
    hint = f"it needs {needed}, the second L or R; convert the EDF again"
    if len(tokens) < needed:
        raise line.error(f"{keyword} line with {len(tokens)} fields", hint)
    if tokens[1] not in {"L", "R"}:
        raise line.error(f"{keyword} of no eye", hint)
    numbers = [number(token) for token in tokens[5:needed]]
    blink = Event(
        kind="blink",
        eye="left" if tokens[1] == "L" else "right",
        onset=line.time(tokens, 2),
        last=line.time(tokens, 3),
        vendor_duration=number(tokens[4]),
        step=step,
        line=line.number,
    )
    if keyword == "EBLINK":
        return blink
    placed = blink._replace(x=numbers[0], y=numbers[1], in_pixels=in_pixels)
    if keyword == "EFIX":
        # A pupil of 0 is none: the recording has no pupil sizes.
        return placed._replace(kind="fixation", pupil=numbers[2] or math.nan)
    end_x, end_y, amplitude, peak_velocity = numbers[2:]
    return placed._replace(
        kind="saccade",
        end_x=end_x,
        end_y=end_y,
        amplitude=amplitude,
        peak_velocity=peak_velocity,
    )


def message_of(line: Line, kind: str, time: float, text: str) -> Event:
    """Return a moment without an eye or a place: a message, a button, or an input.

    Parameters
    ----------
    line : Line
        Where it stands in the file.
    kind : str
        The kind of event: ``message``, ``button`` or ``input``.
    time : float
        When it was, ms of the tracker's clock.
    text : str
        What the line says behind the time.
    """
    return Event(
        kind=kind,
        eye="",
        onset=time,
        last=time,
        vendor_duration=0.0,
        step=0.0,
        text=text,
        line=line.number,
    )
