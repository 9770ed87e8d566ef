"""Where gaze is in a `Gaze` of pymovements: pixels or degrees, of one eye, two, or two and both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import SchemaError, quote
from gazetrack.readers.shared.gaze import gaze_columns, pupils_of
from gazetrack.tables.eyes import EYES
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]

UPPER_LEFT, CENTRE = "upper left", "center"  # all origins that pymovements can compute with
PIXELS, DEGREES, PUPIL = "pixel", "position", "pupil"
_MM_PER_CM = 10.0
_EYES_OF = {2: ("both",), 4: EYES, 6: (*EYES, "both")}


def screen_of(gaze: Any) -> Screen | None:
    """Return the screen of a `Gaze`; None where it does not say how many pixels it has.

    Parameters
    ----------
    gaze : pymovements.Gaze
        Its experiment may be missing, and so may any length of it.
    """
    screen = None if gaze.experiment is None else gaze.experiment.screen
    if screen is None or screen.width_px is None or screen.height_px is None:
        return None
    lengths = (screen.width_cm, screen.height_cm, screen.distance_cm)
    width, height, distance = (
        None if length is None else float(length) * _MM_PER_CM for length in lengths
    )
    return Screen(int(screen.width_px), int(screen.height_px), width, height, distance)


def only_eye(gaze: Any) -> str:
    """Return the eye of which a `Gaze` is, where it is of one alone and says so; else nothing.

    Parameters
    ----------
    gaze : pymovements.Gaze
        Its tracker says which eyes were tracked.
    """
    tracker = None if gaze.experiment is None else gaze.experiment.eyetracker
    if tracker is None or bool(tracker.left) == bool(tracker.right):
        return ""
    return "left" if tracker.left else "right"


def positions_of(gaze: Any, screen: Screen | None, notes: list[str]) -> dict[str, object]:
    """Return the columns of positions and pupils as `schema.SAMPLES` has them.

    Parameters
    ----------
    gaze : pymovements.Gaze
        A gaze that holds at least one sample.
    screen : Screen or None
        Where the gaze was recorded, see `screen_of`.
    notes : list of str
        What had to be inferred is added to it, in words for the user.

    Raises
    ------
    SchemaError
        There are neither pixels, nor degrees on a screen of known size and distance.
    """
    columns = gaze.samples.columns
    if PIXELS in columns:
        components = _components(gaze, PIXELS)
    elif DEGREES in columns:
        components = _from_degrees(_components(gaze, DEGREES), _known(screen))
        notes.append("positions are degrees in pymovements, turned back into pixels")
    else:
        what = f"the gaze has neither pixels nor positions: {quote(columns, 100)}"
        raise SchemaError(what, hint="name its columns: pymovements.Gaze(…, pixel_columns=[…])")
    # pymovements has no degrees from the corner: their centre is that of the screen.
    origin = UPPER_LEFT if PIXELS not in columns else _origin(gaze, notes)
    if origin == CENTRE:
        components = _from_centre(components, _known(screen))
    elif origin != UPPER_LEFT:
        what = f"pixels from the {quote(origin, 40)} of the screen"
        raise SchemaError(what, hint="pymovements computes with 'upper left' and 'center'")
    return gaze_columns(_named(components, only_eye(gaze)) | _pupils(gaze, notes))


def _origin(gaze: Any, notes: list[str]) -> str:
    stated = None if gaze.experiment is None else gaze.experiment.screen.origin
    if stated is None:
        notes.append("no origin stated: pixels are taken as from the upper left corner")
    return stated or UPPER_LEFT


def _components(gaze: Any, column: str) -> list[Floats]:
    n = gaze.samples[column].list.len().max()
    if n not in _EYES_OF:
        what = f"{n} numbers a sample in {column!r}"
        raise SchemaError(what, hint="pymovements has 2, 4 or 6: x and y of one eye, two, or three")
    return [numbers_of(gaze.samples[column].list.get(i)) for i in range(n)]


def numbers_of(series: Any) -> Floats:
    """Return a series of polars as float64, with NaN for its nulls."""
    found: Floats = series.cast(float).fill_null(np.nan).to_numpy().astype(np.float64)
    return found


def _known(screen: Screen | None) -> Screen:
    if screen is None:
        what = "a gaze without the size of its screen"
        raise SchemaError(what, hint="give it an Experiment with screen_width_px and so on")
    return screen


def _from_centre(components: list[Floats], screen: Screen) -> list[Floats]:
    # The middle as pymovements counts it, between the first pixel's 0 and the last one's size - 1.
    middle = ((screen.width_px - 1) / 2, (screen.height_px - 1) / 2)
    return [values + middle[i % 2] for i, values in enumerate(components)]


def _from_degrees(components: list[Floats], screen: Screen) -> list[Floats]:
    """Undo pymovements' `pix2deg`, which takes each axis by itself."""
    if screen.distance_mm is None or screen.width_mm is None or screen.height_mm is None:
        what = "degrees on a screen whose size in cm or distance is not known"
        hint = "give the gaze an Experiment with all of them, or pixels"
        raise SchemaError(what, hint=hint)
    px_per_mm = (screen.width_px / screen.width_mm, screen.height_px / screen.height_mm)
    found: list[Floats] = [
        np.tan(np.radians(values)) * screen.distance_mm * px_per_mm[i % 2]
        for i, values in enumerate(components)
    ]
    return _from_centre(found, screen)


def _named(components: list[Floats], only: str) -> dict[str, Floats]:
    """Return the components by the eyes they are of; one gaze is also that of the only eye."""
    named = {}
    for place, eye in enumerate(_EYES_OF[len(components)]):
        prefix = "" if eye == "both" else f"{eye}_"
        named[f"{prefix}x"] = components[2 * place]
        named[f"{prefix}y"] = components[2 * place + 1]
    if len(components) == 2 and only:
        named |= {f"{only}_x": named["x"], f"{only}_y": named["y"]}
    return named


def _pupils(gaze: Any, notes: list[str]) -> dict[str, Floats]:
    if PUPIL not in gaze.samples.columns:
        return {}
    sizes = gaze.samples[PUPIL]
    if hasattr(sizes.dtype, "inner"):  # a list of left and right
        pair = {f"{eye}_pupil": numbers_of(sizes.list.get(i)) for i, eye in enumerate(EYES)}
        return {name: pupils_of(values) for name, values in pair.items()}
    eye = only_eye(gaze)
    if not eye:
        notes.append("nobody says whose pupil it is: it is taken as the left one")
    return {f"{eye or 'left'}_pupil": pupils_of(numbers_of(sizes))}
