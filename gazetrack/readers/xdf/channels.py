"""Which channels of a gaze stream are what, by its meta-data.

Specification: "Gaze Meta-Data", https://github.com/sccn/xdf/wiki/Gaze-Meta-Data: label, eye, type
and unit of every channel, all of them optional.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazetrack.errors import ParseError, quote

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

PIXELS, FRACTIONS = "px", "fractions"
_UNITS = {
    **dict.fromkeys(("pixel", "pixels", "px"), PIXELS),
    **dict.fromkeys(("normalized", "normalised", "norm", "fraction", "relative"), FRACTIONS),
}
# Labels without punctuation: leftEyeX, left_gaze_point_on_display_area_x, GazePointXLeft,
# norm_pos_x, x.
_SIDE = "(left|right|l|r)?"
_POSITION = re.compile(
    f"{_SIDE}(?:eye|gaze(?:point)?(?:ondisplayarea|2d)?|screen|normpos|por)?{_SIDE}([xy]){_SIDE}"
)
_PUPIL = re.compile(f"{_SIDE}(?:eye)?(?:pupil|diameter){_SIDE}(?:area|diameter|size)?{_SIDE}")
_SIDES = {"left": "left_", "l": "left_", "right": "right_", "r": "right_"}
_KINDS = {"screenx": "x", "screeny": "y", "diameter": "pupil", "confidence": "confidence"}
# Types that leave the axis to the label.
_VAGUE = {"", "gaze", "eye", "position", "pupil", "area", "screen"}
_LEAST_CONFIDENCE = 0.6  # Pupil Labs' own advice; below it the pupil was not found
_MOST_FRACTION = 2.0  # gaze leaves the screen by less than its size, and no gaze stays within 3 px


# What stands before x and y, and whose gaze it then is.
_PREFIXES = {"": "combined", "left_": "left", "right_": "right"}


class Channel(NamedTuple):
    """What the meta-data say about a channel, in lower case."""

    label: str = ""
    eye: str = ""
    kind: str = ""
    unit: str = ""
    system: str = ""

    @property
    def role(self) -> str:
        """What the channel holds, or an empty text.

        It is ``x``, ``y`` or ``pupil``, with the eye before it where it is one's (``left_x``), or
        ``confidence``.
        """
        bare = re.sub(r"[^a-z0-9]", "", self.label)
        position = _POSITION.fullmatch(bare)
        pupil = _PUPIL.fullmatch(bare)
        if self.kind in _KINDS:
            what = _KINDS[self.kind]
        elif self.kind in _VAGUE and position:
            what = position[3]
        elif self.kind in _VAGUE and pupil:
            what = "pupil"
        else:
            return ""
        if what == "confidence":
            return what
        # The eye is stated, or the label tells it at any of several places.
        words = [self.eye]
        for match in (position, pupil):
            words += match.groups() if match else ()
        side = next((_SIDES[word] for word in words if word in _SIDES), "")
        return side + what


class Gaze(NamedTuple):
    """Gaze by ``left_x``, …, as the stream has it, and what its positions are."""

    values: dict[str, npt.NDArray[np.floating]]
    eyes: str
    unit: str
    of_camera: bool


def channels_of(info: Any) -> list[Channel]:
    """Return the channels that the meta-data describe, from pyxdf's dictionary of them."""
    described = _first(_first(info, "desc"), "channels")
    found = described.get("channel", []) if isinstance(described, dict) else []
    return [
        Channel(
            label=_text(channel, "label"),
            eye=_text(channel, "eye"),
            kind=_text(channel, "type"),
            unit=_text(channel, "unit"),
            system=_text(channel, "coordinate_system"),
        )
        for channel in found
    ]


def _text(node: Any, key: str) -> str:
    """Return a text of the meta-data in lower case, empty where it is not there."""
    return str(_first(node, key) or "").strip().lower()


def gaze_of(
    series: npt.NDArray[np.floating], channels: list[Channel], path: Path, notes: list[str]
) -> Gaze:
    """Return the gaze of a stream.

    Parameters
    ----------
    series : ndarray, shape (samples, channels)
        The values of the stream.
    channels : list of Channel
        What they are; empty where the stream does not describe them.
    path : pathlib.Path
        The file's name, which an error gives.
    notes : list of str
        Receives what had to be inferred.

    Raises
    ------
    ParseError
        No channels of positions, or positions in a unit that is neither pixels nor fractions.
    """
    channels = _described(channels, series.shape[1], path, notes)
    at: dict[str, int] = {}
    for number, channel in enumerate(channels):
        if channel.role:
            at.setdefault(channel.role, number)
    prefixes = [prefix for prefix in _PREFIXES if {f"{prefix}x", f"{prefix}y"} <= set(at)]
    if not prefixes:
        labels = quote(", ".join(channel.label or channel.kind for channel in channels), 150)
        what = "a gaze stream without channels of positions on a screen"
        hint = f"there are {labels}; label them left_x, left_y or type them ScreenX, ScreenY"
        raise ParseError(what, path=path, hint=hint)

    values: dict[str, npt.NDArray[np.floating]] = {
        key: series[:, number].astype(np.float64) for key, number in at.items()
    }
    if "pupil" in values:  # one pupil is taken for both eyes
        values.setdefault("left_pupil", values["pupil"])
        values.setdefault("right_pupil", values["pupil"])
    positions = [f"{prefix}{axis}" for prefix in prefixes for axis in "xy"]
    of_positions = [channels[at[key]] for key in positions]
    units = {channel.unit for channel in of_positions}
    unit = _unit(units, [values[key] for key in positions], path, notes)
    _mend(values, of_positions, positions, notes)

    eyes = _PREFIXES[prefixes[0]] if len(prefixes) == 1 else "binocular"
    if eyes in ("left", "right"):
        other = "right" if eyes == "left" else "left"
        values[f"{other}_x"] = np.full(len(series), np.nan)
        values[f"{other}_y"] = np.full(len(series), np.nan)
    kept = {*positions, "left_x", "left_y", "right_x", "right_y", "left_pupil", "right_pupil"}
    return Gaze(
        values={key: array for key, array in values.items() if key in kept},
        eyes=eyes,
        unit=unit,
        of_camera=of_positions[0].system.startswith("world"),
    )


def _described(
    channels: list[Channel], n_channels: int, path: Path, notes: list[str]
) -> list[Channel]:
    """Return the channels; two that nobody describes can be nothing but x and y."""
    named = any(channel.label or channel.kind for channel in channels)
    if named and len(channels) == n_channels:
        return channels
    if n_channels != 2:
        what = f"a gaze stream of {n_channels} channels that does not say what they are"
        raise ParseError(what, path=path, hint="record it with the meta-data of its channels")
    notes.append("the gaze stream does not name its two channels: taken as x and y")
    return [Channel("x"), Channel("y")]


def _unit(
    units: set[str], positions: list[npt.NDArray[np.floating]], path: Path, notes: list[str]
) -> str:
    """Return the unit of positions: as the channels state it, else as far as they reach."""
    known = {_UNITS.get(unit, unit) for unit in units}
    unit = known.pop() if len(known) == 1 else "a mixture of units"
    if unit == "":
        values = np.concatenate(positions)
        values = values[np.isfinite(values)]
        # Single values may lie anywhere, so a hundredth at either end does not count.
        reach = np.abs(np.quantile(values, (0.01, 0.99))).max() if values.size else np.inf
        small = reach <= _MOST_FRACTION
        unit = FRACTIONS if small else PIXELS
        words = "within 0 to 1: taken as fractions" if small else "beyond 0 to 1: taken as pixels"
        notes.append(f"the gaze stream does not state the unit of positions, which lie {words}")
    if unit not in (PIXELS, FRACTIONS):
        hint = "pixels and fractions (normalized) of a screen can be read"
        raise ParseError(f"positions in {quote(unit, 30)!r}", path=path, hint=hint)
    return unit


def _mend(
    values: dict[str, npt.NDArray[np.floating]],
    channels: list[Channel],
    positions: list[str],
    notes: list[str],
) -> None:
    """Turn Pupil Capture's axis down, and take gaze out that its tracker does not trust."""
    for key, channel in zip(positions, channels, strict=True):
        if channel.label.startswith("norm_pos") and key.endswith("y"):
            values[key] = 1 - values[key]  # Pupil Labs' origin is at the bottom
    if "confidence" in values:
        lost = ~(values["confidence"] >= _LEAST_CONFIDENCE)
        for key in positions:
            values[key] = np.where(lost, np.nan, values[key])
        notes.append(
            f"{int(lost.sum())} samples with a confidence below {_LEAST_CONFIDENCE}: "
            "gaze taken as missing"
        )


def _first(node: Any, key: str) -> Any:
    """Return the first of the elements of a name, which pyxdf gives as a list, or None."""
    value = node.get(key) if isinstance(node, dict) else None
    return value[0] if isinstance(value, list) and value else None
