"""What a user asks of recordings and trials, and which of them fall short of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# How a measure is judged: its name among the measures, its factor to the unit of the threshold, the
# unit, and what a person calls it. Of thresholds called ``max_…`` more is too much.
_MEASURES: dict[str, tuple[str, float, str, str]] = {
    "max_loss_percent": ("loss", 100.0, "%", "lost"),
    "max_gap_ms": ("longest_gap_ms", 1.0, "ms", "longest gap"),
    "max_rms_deg": ("window_rms_s2s_deg", 1.0, "deg", "RMS-S2S"),
    "max_std_deg": ("window_std_deg", 1.0, "deg", "STD"),
    "min_rate_hz": ("effective_rate_hz", 1.0, "Hz", "effective rate"),
    "min_fixations": ("fixations", 1.0, "", "fixations"),
}
WITHIN, BEYOND, UNKNOWN, NOT_ASKED = "within", "beyond", "unknown", "not asked"


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What the quality of recordings and trials is judged by; nothing by default.

    Parameters
    ----------
    max_loss_percent : float, optional
        Most samples without gaze, in percent of all.
    max_gap_ms : float, optional
        The longest stretch without gaze, in milliseconds.
    max_rms_deg, max_std_deg : float, optional
        Precision within fixations, in degrees: medians of RMS-S2S and STD in a moving window.
    min_rate_hz : float, optional
        Fewest samples with gaze per second.
    min_fixations : int, optional
        Fewest fixations in each trial.

    Raises
    ------
    ConfigError
        A threshold is no number, or below 0.
    """

    max_loss_percent: float | None = None
    max_gap_ms: float | None = None
    max_rms_deg: float | None = None
    max_std_deg: float | None = None
    min_rate_hz: float | None = None
    min_fixations: int | None = None

    def __post_init__(self) -> None:
        for name, limit in self.asked().items():
            if not (math.isfinite(limit) and limit >= 0):
                raise ConfigError(f"{name} = {limit}", hint="use a number, 0 or above")

    def asked(self) -> dict[str, float]:
        """Return the thresholds that were set, by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: limit for name, limit in found.items() if limit is not None}

    def in_words(self) -> list[str]:
        """Return each threshold that was set as a person reads it, such as ``lost ≤ 20 %``."""
        words = []
        for name, limit in self.asked().items():
            _, _, unit, title = _MEASURES[name]
            sign = "≤" if name.startswith("max") else "≥"
            words.append(f"{title} {sign} {limit:g} {unit}".strip())
        return words


@dataclass(frozen=True)
class Judgement:
    """How one recording or trial does against the thresholds.

    Parameters
    ----------
    status : {"within", "beyond", "unknown", "not asked"}
        ``unknown`` where a measure that was asked for is not known and no other is beyond.
    reasons : tuple of str
        Each threshold that is not met, with the value found.
    """

    status: str
    reasons: tuple[str, ...] = ()


def judge(measures: Mapping[str, float], thresholds: Thresholds) -> Judgement:
    """Hold measures against thresholds.

    Parameters
    ----------
    measures : mapping of str to float
        Under the names of the schema `QUALITY`, and ``fixations``; what is missing or NaN is not
        known.
    thresholds : Thresholds
        What the user asks for.

    Returns
    -------
    Judgement
    """
    beyond = []
    unknown = []
    asked = thresholds.asked()
    for name, limit in asked.items():
        measure, factor, unit, title = _MEASURES[name]
        value = factor * measures.get(measure, math.nan)
        is_most = name.startswith("max")
        if math.isnan(value):
            unknown.append(f"{title} is not known")
        elif (value > limit) if is_most else (value < limit):
            sign = ">" if is_most else "<"
            found = _apart(value, limit)
            beyond.append(" ".join(f"{title} {found} {unit} {sign} {limit:g} {unit}".split()))
    status = BEYOND if beyond else UNKNOWN if unknown else WITHIN if asked else NOT_ASKED
    return Judgement(status, (*beyond, *unknown))


def _apart(value: float, limit: float) -> str:
    """Return a value in few digits, but in as many as tell it from the limit it does not meet."""
    short = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    if float(short) != limit and f"{limit:g}" != short:
        return short
    more = (f"{value:.{digits}g}" for digits in range(4, 18))
    return next((text for text in more if float(text) != limit), repr(value))
