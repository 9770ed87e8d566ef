"""What a report says of one recording and of its trials: plain values that processes can send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.reporting.packing import Packed

Size = tuple[float, float]  # width and height, px
Rectangle = tuple[float, float, float, float]  # x, y, width and height, px


@dataclass(frozen=True, kw_only=True)
class TrialEntry:
    """What is said of one trial.

    Parameters
    ----------
    recording, participant, trial, stimulus : str
        Names as the tables have them, with pseudonyms where these were asked for.
    onset_ms, duration_ms : float
        Its start on the clock of the recording, and its length, in milliseconds.
    quality : dict of str to float
        The measures of its gaze, see the schema `QUALITY`; empty without samples.
    events : dict of str to dict of str to float
        Of each kind of movement: how many, and what they are like.
    plane : (width, height)
        What gaze and fixations lie on, in pixels: the screen, or the image itself.
    is_image : bool
        Whether the plane is the image.
    placed : (x, y, width, height) or None
        Where on the plane the image lay; None where nobody says.
    packed : Packed
        Its gaze and its fixations, as bytes in a text.
    messages : tuple of (float, str)
        Times from the start of the trial in milliseconds, and texts.
    n_messages : int
        How many messages there are in all.
    """

    recording: str
    participant: str
    trial: str
    stimulus: str
    onset_ms: float
    duration_ms: float
    quality: dict[str, float]
    events: dict[str, dict[str, float]]
    plane: Size
    is_image: bool
    placed: Rectangle | None
    packed: Packed
    messages: tuple[tuple[float, str], ...] = ()
    n_messages: int = 0


@dataclass(frozen=True, kw_only=True)
class RecordingEntry:
    """What is said of one recording.

    Parameters
    ----------
    name, participant : str
        Its own name, and that of who was recorded; with pseudonyms where these were asked for.
    eyes : dict of str to dict of str to float
        The measures of each eye's gaze, see the schema `QUALITY`; empty without samples.
    events : dict of str to dict of str to float
        Of each kind of movement: how many, and what they are like.
    trials : tuple of TrialEntry
        In the order of first appearance.
    """

    name: str
    participant: str
    eyes: dict[str, dict[str, float]]
    events: dict[str, dict[str, float]]
    trials: tuple[TrialEntry, ...]

    @property
    def quality(self) -> dict[str, float]:
        """The measures of the gaze that is shown: that of both eyes, or else of the better one."""
        return shown_eye(self.eyes)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What is said of one input of a report.

    Parameters
    ----------
    outcome : Outcome
        What became of it: its file, digest and format, and its error where it failed.
    provenance : dict
        The file, and how its fixations were made, as JSON values.
    entries : tuple of RecordingEntry
        The recordings in it; none where it failed.
    """

    outcome: Outcome
    provenance: dict[str, Any] = field(default_factory=dict)
    entries: tuple[RecordingEntry, ...] = ()


def shown_eye(eyes: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the measures of both eyes together, or else of the eye with the least loss."""
    if not eyes:
        return {}
    if "both" in eyes:
        return eyes["both"]
    return min(eyes.values(), key=lambda measures: measures["loss"])
