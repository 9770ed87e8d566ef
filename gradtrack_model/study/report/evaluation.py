"""The report of an evaluation: measures, how sure the predictions were, and the worst images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote
from gazetrack.version import __version__
from gradtrack_model.evaluation.evaluate import MEASURES, SUMMARY_FILE
from gradtrack_model.evaluation.statistics import describe
from gradtrack_model.evaluation.uncertainty import read_uncertainty
from gradtrack_model.study.report.certainty import AS_IT_IS, SCALED, certainty_of
from gradtrack_model.study.report.html import POLICY, REPORT, write_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.evaluation.evaluate import Evaluation
    from gradtrack_model.evaluation.metrics import Scores

N_WORST = 20
_MAX_CHARS = 300
_MAX_BYTES = 50_000_000


def write_evaluation_report(
    out: Path, found: Evaluation, predictions: Path, against: Path | None = None
) -> Path:
    """Write ``report.html`` of an evaluation.

    Parameters
    ----------
    out : pathlib.Path
        The folder of the evaluation.
    found : Evaluation
        What was measured on the predictions.
    predictions : pathlib.Path
        The folder of predictions that it is of.
    against : pathlib.Path, optional
        ``evaluation.csv`` of another evaluation: where ``summary.json`` beside it tells of its
        calibration, this is shown as well, such as that without a temperature.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        Jinja2 is not installed.
    OutputError
        The page cannot be written.
    """
    summary = found.summary()
    scores = [one.measures for one in found.scores if one.measures is not None]
    page = {
        "title": "Evaluation",
        "lead": f"{summary['n']} of {summary['n_wanted']} images, predictions against masks.",
        "facts": _facts(predictions, summary),
        "measures": measure_rows(scores),
        "policy": POLICY,
        "certainty": certainty_of(_diagrams(summary, against), summary.get("referral")),
        "worst": _worst(found, read_uncertainty(predictions)),
    }
    return write_page(out / REPORT, "evaluation.html", page)


def measure_rows(scores: Sequence[Scores]) -> list[list[str]]:
    """Return a row per measure: its name, mean, interval, and how it is spread over images."""
    rows = []
    for name, key in MEASURES.items():
        found = describe([getattr(one, name) for one in scores])
        if found is None:
            continue
        digits = 1 if key.endswith("_px") else 4
        low, high = found["interval"]
        row = [key.replace("_px", ", px"), f"{found['mean']:.{digits}f}"]
        row.append(f"{low:.{digits}f} to {high:.{digits}f}")
        row += [f"{found[part]:.{digits}f}" for part in ("std", "median", "min", "max")]
        rows.append(row)
    return rows


def _facts(predictions: Path, summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("predictions", quote(str(predictions), _MAX_CHARS))]
    network = summary["network"] or {"network": "not recorded"}
    facts += [
        (name.replace("_", " "), quote(str(value), _MAX_CHARS))
        for name, value in network.items()
        if value not in (None, False)
    ]
    paired = summary.get("against")
    if paired is not None:
        low, high = paired["interval"]
        said = f"{paired['difference']:+.4f}, {low:+.4f} to {high:+.4f}, of {paired['n']} images"
        facts.append((f"Dice from {quote(paired['file'], _MAX_CHARS)}", said))
    return [*facts, ("gazetrack", __version__)]


def _diagrams(summary: Mapping[str, Any], against: Path | None) -> dict[str, dict[str, Any]]:
    """Return the reliability diagrams by their names: that of before first, where it is known."""
    own = summary.get("calibration")
    if own is None:
        return {}
    network = summary["network"] or {}
    name = SCALED if network.get("temperature") else AS_IT_IS
    before = None if against is None else _calibration_beside(against)
    if before is None:
        return {name: own}
    other, other_name = before
    if other_name == name:
        other_name = "compared with"
    return {other_name: other, name: own}


def _calibration_beside(evaluation: Path) -> tuple[dict[str, Any], str] | None:
    """Return the calibration of another evaluation and its name; None where it tells of none."""
    try:
        with evaluation.with_name(SUMMARY_FILE).open("rb") as file:
            summary = json.loads(file.read(_MAX_BYTES))
        found = summary["calibration"]
        bins = [{key: float(one[key]) for key in ("said", "seen")} for one in found["bins"]]
        counts = [int(one["pixels"]) for one in found["bins"]]
        network = summary["network"] or {}
        name = SCALED if network.get("temperature") else AS_IT_IS
        own = [{**one, "pixels": n} for one, n in zip(bins, counts, strict=True)]
        return {"ece": float(found["ece"]), "bins": own}, name
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _worst(found: Evaluation, uncertainty: Mapping[str, float]) -> list[list[str]]:
    """Return the images of the lowest Dice: name, Dice, and uncertainty where it is known."""
    ours = {one.image_id: one.measures.dice for one in found.scores if one.measures is not None}
    ranked = sorted(ours, key=lambda name: (ours[name], name))[:N_WORST]
    rows = []
    for name in ranked:
        unsure = f"{uncertainty[name]:.4f}" if name in uncertainty else ""
        rows.append([quote(name, _MAX_CHARS), f"{ours[name]:.4f}", unsure])
    return rows
