"""The screen that BIDS sidecars state, with lengths that were written in other units than metres.

Specification: "Brain Imaging Data Structure" 1.11, ``StimulusPresentation``: ``ScreenResolution``
in pixels, ``ScreenSize`` and ``ScreenDistance`` in metres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

# Lengths of screens, and the ways to them, as they are in each unit: see `_in_mm`.
_MOST_METRES = 5.0
_LEAST_CM = 10.0
_MOST_CM = 150.0
_LEAST_MM = 300.0


def stated_screen(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of the screen.

    Since 1.11 it stands in the sidecar of the task's events, in drafts in that of the gaze.
    """
    shown = facts.get("StimulusPresentation", facts)
    return shown if isinstance(shown, dict) and shown.get("ScreenResolution") else {}


def screen_of(shown: dict[str, Any], notes: list[str]) -> Screen | None:
    """Return the screen, None where its resolution is not usable; anybody may write a sidecar."""
    size = shown.get("ScreenSize")
    distance = shown.get("ScreenDistance")
    try:
        pixels = shown["ScreenResolution"]
        lengths = [None, None] if size is None else _in_mm("ScreenSize", size, notes)
        away = [None] if distance is None else _in_mm("ScreenDistance", [distance], notes)
        return Screen(
            width_px=int(pixels[0]),
            height_px=int(pixels[1]),
            width_mm=lengths[0],
            height_mm=lengths[1],
            distance_mm=away[0],
        )
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, ConfigError):
        return None


def screen_without(facts: dict[str, Any]) -> tuple[Screen | None, str]:
    """Return what stands for the screen where positions are on none, and a world camera's model.

    Parameters
    ----------
    facts : dict
        What the sidecar of the gaze says, with ``WorldCamera`` or ``DirectionPlane`` as
        `gazetrack bids` writes them.
    """
    camera = facts.get("WorldCamera")
    plane = facts.get("DirectionPlane")
    image = camera.get("Image") if isinstance(camera, dict) else plane
    if not isinstance(image, dict):
        return None, ""
    try:
        screen = Screen(**image)
    except (TypeError, ValueError, ConfigError):
        return None, ""
    return screen, str(camera.get("Model") or "") if isinstance(camera, dict) else ""


def _in_mm(what: str, values: Sequence[Any], notes: list[str]) -> list[float | None]:
    """Return lengths that BIDS states in metres, in mm.

    Those that were written in cm or mm all the same are noticed. A screen, or the way to it,
    measures between 5 cm and 5 m. Written in cm it is 10 to 150 (5 to 10 would be metres of a
    cinema, from 150 on mm of a telephone), in mm at least 300. Anything else is not used.
    """
    lengths = [float(value) for value in values]
    largest = max(lengths)
    if largest <= _MOST_METRES:
        return [1000 * length for length in lengths]
    stated = " x ".join(f"{length:g}" for length in lengths)
    if _LEAST_CM <= largest <= _MOST_CM:
        unit = "cm"
    elif _LEAST_MM <= largest <= 1000 * _MOST_METRES:
        unit = "mm"
    else:
        notes.append(f"{what} {stated} is no length of a screen in metres: not used")
        return [None] * len(lengths)
    notes.append(f"{what} {stated} taken as {unit}: in metres, as BIDS has it, it would be absurd")
    return [length * (10 if unit == "cm" else 1) for length in lengths]
