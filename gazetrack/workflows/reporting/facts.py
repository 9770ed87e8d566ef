"""Facts and numbers of a report as a person reads them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.reporting.entries import Reported

_CHARS = 300


def number(value: float | None, digits: int, factor: float = 1.0) -> tuple[float, str] | None:
    """Return a number for sorting, and as text; None for what is not known.

    Parameters
    ----------
    value : float or None
        The number; NaN is not known either.
    digits : int
        How many digits behind the point the text has.
    factor : float
        What the number is multiplied with first, such as 100 for percent.

    Examples
    --------
    >>> number(0.25, 1, 100.0)
    (25.0, '25.0')
    """
    if value is None or not math.isfinite(value):
        return None
    scaled = factor * float(value)
    return scaled, f"{scaled:,.{digits}f}"


def facts_of(one: Reported) -> list[tuple[str, str]]:
    """Return where a recording comes from and how its events were found, each with its name.

    What is not known is left out.
    """
    return [(name, quote(value, _CHARS)) for name, value in _facts(one) if value]


def summed(outcome: Outcome) -> list[str]:
    """Return what is left out of an input, each reason with its count."""
    rows = {**outcome.dropped}
    said = [f"not used: {count:,} rows, {quote(reason, _CHARS)}" for reason, count in rows.items()]
    said += [
        f"left out: {count:,} fixations, {quote(reason, _CHARS)}"
        for reason, count in outcome.left_out.items()
    ]
    said += [
        f"mended: {count:,} rows, {quote(reason, _CHARS)}"
        for reason, count in outcome.mended.items()
    ]
    return said


def _facts(one: Reported) -> Iterator[tuple[str, str]]:
    outcome, made = one.outcome, one.provenance
    source = made.get("source", {})
    yield "file", source.get("file") or outcome.file
    yield "SHA-256", outcome.sha256
    yield "made of", str(made.get("made_of") or "")
    reason = outcome.summary.get("reason", "")
    confidence = outcome.summary.get("confidence", "")
    yield "format", outcome.format
    yield "recognised", f"{confidence}: {reason}" if reason else ""
    yield "tracker", made.get("tracker") or ""
    yield "software", made.get("software") or ""
    yield "eyes", made.get("eyes") or ""
    yield "screen", _screen(made.get("screen"))
    yield "rows read", f"{outcome.rows_in:,}" if outcome.rows_in else ""
    yield "fixations", _fixations(made)
    yield "settings", _settings(made.get("detector"))
    yield "prepared", _settings(made.get("preparation"))
    eye = made.get("fixation_eye")
    if isinstance(eye, dict):
        yield "eye of the fixations", str(eye.get("held") or "")
    sources = {"tracker": "the tracker's own", "detected": "detected in the samples"}
    assumed = ", degrees as if the screen were 45 deg wide" if made.get("degrees_assumed") else ""
    source = sources.get(made.get("saccade_source", ""), "")
    eyes = made.get("saccade_eye")
    of_eye = f", eye: {eyes}" if eyes else ""
    yield "saccades and blinks", f"{source}{of_eye}{assumed}" if source else ""


def _screen(screen: Mapping[str, Any] | None) -> str:
    if not screen:
        return ""
    size = f"{screen['width_px']} x {screen['height_px']} px"
    known = {
        "width_mm": "mm wide",
        "distance_mm": "mm away",
        "fov_deg": "deg wide",
    }
    more = [f"{screen[name]:g} {unit}" for name, unit in known.items() if screen.get(name)]
    return ", ".join([size, *more])


def _fixations(made: Mapping[str, Any]) -> str:
    if made.get("fixation_source") == "export":
        return "the export's own"
    detector = made.get("detector")
    if not isinstance(detector, dict):
        return ""
    assumed = " (as if the screen were 45 deg wide)" if detector.get("px_per_deg_assumed") else ""
    return f"detected by {detector.get('name')}{assumed}"


def _settings(values: object) -> str:
    """Return settings as one line, such as ``min_duration_ms=60``."""
    if not isinstance(values, dict):
        return ""
    parts = []
    for name, value in values.items():
        if isinstance(value, dict):
            parts.append(_settings(value))
        elif name != "name" and value is not None:
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            parts.append(f"{name}={shown}")
    return ", ".join(part for part in parts if part)
