"""Values that users type in a form of ours: pairs of names, screens, sizes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gazetrack.maps.neighbours import SliceSmoothing
    from gazetrack.tables.screen import Screen

_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = r'mm|cm|in|"'
_SIDES = rf"(?P<wide>{_NUMBER})x(?P<high>{_NUMBER})(?P<unit>{_UNIT})"
_DIAGONAL = rf"(?P<diagonal>{_NUMBER})(?:in|\")"
_DISTANCE = rf"(?P<far>{_NUMBER})(?P<far_unit>{_UNIT})"
_SCREEN = re.compile(
    r"(?P<width>\d{1,6})x(?P<height>\d{1,6})(?:px)?"
    rf"(?:,(?:{_SIDES}|{_DIAGONAL})(?:,{_DISTANCE})?)?",
    re.ASCII,
)
_MM_PER = {"mm": 1.0, "cm": 10.0, "in": 25.4, '"': 25.4}


def parse_pairs(text: str | None, option: str) -> dict[str, str]:
    """Parse ``a=b,c=d``; usage errors name `option`."""
    pairs: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, _, value = (piece.strip() for piece in part.partition("="))
        if not key or not value:
            what = f"{text!r} is not of the form name=value,name=value"
            raise click.BadParameter(what, param_hint=option)
        if key in pairs:
            raise click.BadParameter(f"{key!r} is there twice", param_hint=option)
        pairs[key] = value
    return pairs


def parse_labels(text: str | None) -> dict[int, str] | None:
    """Parse ``1=polyp,2=tool``, the names of labels; None where nothing was typed."""
    if text is None:
        return None
    pairs = parse_pairs(text, "--labels")
    for label in pairs:
        if not label.isdecimal() or int(label) == 0:
            what = f"{label!r} is no label: give whole numbers above 0, as in 1=polyp"
            raise click.BadParameter(what, param_hint="--labels")
    return {int(label): name for label, name in pairs.items()}


def parse_screen(text: str | None) -> Screen | None:
    """Parse ``1920x1080``, ``1920x1080,531x299mm``, ``1920x1080,24in,65cm`` and the like.

    One length in inches is the diagonal, as screens are sold; its pixels are taken as square.
    """
    if text is None:
        return None
    match = _SCREEN.fullmatch(text.replace(" ", ""))
    if match is None:
        what = f"{text!r} is not like 1920x1080,531x299mm,650mm or 1920x1080,24in,65cm"
        raise click.BadParameter(what, param_hint="--screen")
    from gazetrack.tables.screen import Screen

    width, height = int(match["width"]), int(match["height"])
    wide_mm = high_mm = distance_mm = None
    if match["diagonal"] is not None:
        diagonal_mm = float(match["diagonal"]) * _MM_PER["in"]
        mm_per_px = diagonal_mm / max(math.hypot(width, height), 1.0)
        wide_mm = width * mm_per_px
        high_mm = height * mm_per_px
    elif match["wide"] is not None:
        mm_per_unit = _MM_PER[match["unit"]]
        wide_mm = float(match["wide"]) * mm_per_unit
        high_mm = float(match["high"]) * mm_per_unit
    if match["far"] is not None:
        distance_mm = float(match["far"]) * _MM_PER[match["far_unit"]]
    return Screen(width, height, wide_mm, high_mm, distance_mm)


def export_choices(choices: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `options.export_options` out of a command's, as `InputOptions` calls them.

    Parameters
    ----------
    choices : dict
        The values of a command's options by name; those about exports are gone afterwards.
    """
    return {
        "format": choices.pop("format_name"),
        "columns": parse_pairs(choices.pop("columns"), "--columns"),
        "screen": parse_screen(choices.pop("screen")),
        "fov_deg": choices.pop("fov"),
        "salvage": choices.pop("salvage"),
        "trust_gzip": choices.pop("trust_gzip"),
    }


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Parse ``224`` or ``HEIGHTxWIDTH`` into (height, width)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{text!r} is not like 224 or 480x640", param_hint="--size")
    return int(parts[0]), int(parts[-1])


def parse_smoothing(slices: float | None, mm: float | None) -> SliceSmoothing | None:
    """Return the smoothing over slices that one of two options asks for, None for neither."""
    if slices is None and mm is None:
        return None
    from gazetrack.maps.neighbours import SliceSmoothing

    if mm is None:
        return SliceSmoothing(sigma=slices or 0.0)
    if slices is not None:
        what = "cannot be given with --slice-sigma-mm"
        raise click.BadParameter(what, param_hint="--slice-sigma")
    return SliceSmoothing(sigma=mm, unit="mm")
