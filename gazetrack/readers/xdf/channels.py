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
_VAGUE = {
    "",
    "gaze",
    "eye",
    "position",
    "pupil",
    "area",
    "screen",
}  # types that leave the axis to the label
_LEAST_CONFIDENCE = 0.6  # Pupil Labs' own advice; below it the pupil was not found
_MOST_FRACTION = 2.0  # gaze leaves the screen by less than its size, and no gaze stays within 3 px


class Channel(NamedTuple):
    """What the meta-data say about a channel, in lower case."""

    label: str = ""
    eye: str = ""
    kind: str = ""
    unit: str = ""
    system: str = ""

    @property
    def role(self) -> str:
        """``x``, ``y``, ``pupil`` with the eye before it where it is one, ``confidence``, or nothing."""
        bare = re.sub(r"[^a-z0-9]", "", self.label)
        position, pupil = _POSITION.fullmatch(bare), _PUPIL.fullmatch(bare)
        if self.kind in _KINDS:
            what = _KINDS[self.kind]
        elif self.kind in _VAGUE and (position or pupil):
            what = position[3] if position else "pupil"
        else:
            return ""
        words = (
            self.eye,
            *(group for match in (position, pupil) if match for group in match.groups()),
        )
        side = next((_SIDES[word] for word in words if word in _SIDES), "")
        return what if what == "confidence" else side + what


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
    keys = ("label", "eye", "type", "unit", "coordinate_system")
    return [
        Channel(*(str(_first(channel, key) or "").strip().lower() for key in keys))
        for channel in found
    ]


def gaze_of(
    series: npt.NDArray[np.floating], channels: list[Channel], path: Path, notes: list[str]
) -> Gaze:
    """Return the gaze of a stream.

    Parameters
    ----------
    series : ndarray, shape (samples, channels)
    channels : list of Channel
        Empty where the stream does not describe them.
    path : pathlib.Path
        For errors.
    notes : list of str
        Receives what had to be inferred.

    Raises
    ------
    ParseError
        No channels of positions, or positions in a unit that is neither pixels nor fractions.
    """
    if len(channels) != series.shape[1] or not any(
        channel.label or channel.kind for channel in channels
    ):
        if series.shape[1] != 2:
            what = f"a gaze stream of {series.shape[1]} channels that does not say what they are"
            raise ParseError(what, path=path, hint="record it with the meta-data of its channels")
        notes.append("the gaze stream does not name its two channels: taken as x and y")
        channels = [Channel("x"), Channel("y")]
    at: dict[str, int] = {}
    for number, channel in enumerate(channels):
        if channel.role:
            at.setdefault(channel.role, number)
    pairs = [pair for pair in ("", "left_", "right_") if {f"{pair}x", f"{pair}y"} <= set(at)]
    if not pairs:
        labels = quote(", ".join(channel.label or channel.kind for channel in channels), 150)
        hint = f"there are {labels}; label them left_x, left_y or type them ScreenX, ScreenY"
        raise ParseError(
            "a gaze stream without channels of positions on a screen", path=path, hint=hint
        )
    values: dict[str, npt.NDArray[np.floating]] = {
        key: series[:, n].astype(np.float64) for key, n in at.items()
    }
    for eye in ("left", "right") if "pupil" in values else ():
        values.setdefault(f"{eye}_pupil", values["pupil"])
    positions = [f"{pair}{axis}" for pair in pairs for axis in "xy"]
    described = [channels[at[key]] for key in positions]
    unit = _unit(
        {channel.unit for channel in described}, [values[key] for key in positions], path, notes
    )
    _mend(values, described, positions, notes)
    eyes = (
        {"": "combined", "left_": "left", "right_": "right"}[pairs[0]]
        if len(pairs) == 1
        else "binocular"
    )
    if pairs in (["left_"], ["right_"]):
        other = "right" if eyes == "left" else "left"
        values |= {f"{other}_{axis}": np.full(len(series), np.nan) for axis in "xy"}
    kept = {*positions, "left_x", "left_y", "right_x", "right_y", "left_pupil", "right_pupil"}
    gaze = {key: array for key, array in values.items() if key in kept}
    return Gaze(gaze, eyes, unit, described[0].system.startswith("world"))


def _unit(
    units: set[str], positions: list[npt.NDArray[np.floating]], path: Path, notes: list[str]
) -> str:
    known = {_UNITS.get(unit, unit) for unit in units}
    unit = known.pop() if len(known) == 1 else "a mixture of units"
    if unit == "":
        values = np.concatenate(positions)
        values = values[np.isfinite(values)]
        small = values.size and np.abs(np.quantile(values, (0.01, 0.99))).max() <= _MOST_FRACTION
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
            f"{int(lost.sum())} samples with a confidence below {_LEAST_CONFIDENCE}: gaze taken as missing"
        )


def _first(node: Any, key: str) -> Any:
    value = node.get(key) if isinstance(node, dict) else None
    return value[0] if isinstance(value, list) and value else None
