"""Reports: one page of HTML that holds all it shows, of a run or of a comparison.

A page refers to nothing outside but, in a comparison, to the reports of its runs beside it; text
from data is escaped.
"""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, quote
from gazetrack.publish import write_text
from gazetrack.version import __version__
from gradtrack_model.evaluation.evaluate import MEASURES
from gradtrack_model.evaluation.metrics import EMPTY_DISTANCE_POLICY, EMPTY_POLICY, Scores, score
from gradtrack_model.evaluation.statistics import describe
from gradtrack_model.study.cases import data_uri, draw_case
from gradtrack_model.study.charts import chart
from gradtrack_model.study.table import cells
from gradtrack_model.training.learner import pick_device
from gradtrack_model.training.resume import flat
from gradtrack_model.training.validation import predicted_masks
from gradtrack_model.weights.checkpoint import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradtrack_model.data.sample import Sample, TrainingData
    from gradtrack_model.study.table import Line
    from gradtrack_model.weights.checkpoint import Checkpoint

REPORT = "report.html"
N_CASES = 4
_POLICY = f"Empty masks: Dice, IoU, precision and recall are {EMPTY_POLICY}; distances {EMPTY_DISTANCE_POLICY}."
_LOSSES = ("loss", "val_loss", "loss_mask", "loss_tracks")


def installed() -> bool:
    """Whether Jinja2, which the reports need, is installed."""
    return find_spec("jinja2") is not None


def write_run_report(run: Path, data: TrainingData) -> Path:
    """Write ``report.html`` of a complete run, about its best network on the validation images.

    Parameters
    ----------
    run : pathlib.Path
        The run's folder.
    data : TrainingData
        What it was trained and validated on.

    Returns
    -------
    pathlib.Path
        The page: curves, measures with intervals, best and worst cases, notes and settings.

    Raises
    ------
    ConfigError
        Jinja2 is not installed.
    CheckpointError
        The run has no usable best checkpoint.
    OutputError
        The page cannot be written.
    """
    checkpoint = load_model(run)
    config, predicting = checkpoint.config, checkpoint.config.predicting()
    checkpoint.model.to(device := pick_device(config.device))
    scores: dict[str, Scores] = {}
    for sample, mask in predicted_masks(checkpoint.model, data.val, predicting, device):
        if sample.mask is not None:
            scores[sample.image_id] = score(mask, sample.mask)
    groups = []
    for heading, samples in _chosen(data.val, scores):
        drawn = predicted_masks(checkpoint.model, samples, predicting, device)
        dice = {image_id: one.dice for image_id, one in scores.items()}
        groups.append(
            (heading, [draw_case(s, mask, dice.get(s.image_id), predicting) for s, mask in drawn])
        )
    page = {
        "title": f"{config.method}, seed {config.seed}",
        "lead": "Trained on gaze alone." if config.method != "full" else "Trained on masks.",
        "facts": _facts(checkpoint, data),
        "measures": _measures(list(scores.values())),
        "policy": _POLICY,
        "charts": _charts(run / "metrics.csv", checkpoint.step),
        "groups": groups,
        "notes": _lines(run / "log.txt"),
        "settings": list(flat(config.as_dict()).items()),
    }
    return _write(run / REPORT, "run.html", page)


def write_comparison_report(
    path: Path, lines: Sequence[Line], runs: Sequence[Mapping[str, Any]], plot: bytes, flips: bool
) -> Path:
    """Write the page of a comparison.

    Parameters
    ----------
    path : pathlib.Path
        The page.
    lines : sequence of dict
        Of `table.summarise`.
    runs : sequence of mapping
        What the comparison's JSON says of each run.
    plot : bytes
        A PNG.
    flips : bool
        Whether predictions were averaged over flips.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ConfigError
        Jinja2 is not installed.
    OutputError
        The page cannot be written.
    """
    header, rows = cells(lines)
    averaged = ", averaged over flips" if flips else ""
    page = {
        "title": "Comparison of methods",
        "lead": f"{lines[0]['images']} validation images, segmented from the image alone{averaged}.",
        "header": header,
        "rows": rows,
        "policy": f"95 %: bootstrap over images; ±: standard deviation over seeds. {_POLICY}",
        "plot": data_uri(plot, "image/png"),
        "runs": [_of_run(path.parent, run) for run in runs],
    }
    return _write(path, "comparison.html", page)


def _of_run(folder: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    beside = f"{run['folder']}/run/{REPORT}"
    name = f"{run['method']}, seed {run['seed']}"
    if "dice" not in run:
        return {"name": name, "link": "", "cells": [], "trouble": run.get("error", "stopped")}
    mean = sum(run["dice"].values()) / len(run["dice"])
    texts = [f"{mean:.4f}", str(run["best_step"]), str(run["steps"]), f"{run['seconds']:.0f}"]
    return {"name": name, "cells": texts, "link": beside if (folder / beside).exists() else ""}


def _write(path: Path, template: str, page: Mapping[str, Any]) -> Path:
    if not installed():
        raise ConfigError(
            "Jinja2 is not installed, reports need it", hint='pip install "gazetrack[report]"'
        )
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).with_name("templates")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    write_text(path, environment.get_template(template).render(page))
    return path


def _chosen(
    samples: Sequence[Sample], scores: Mapping[str, Scores]
) -> list[tuple[str, list[Sample]]]:
    """Return the samples to show: the worst and the best by Dice, or the first ones where nothing has a mask."""
    ranked = sorted(
        (s for s in samples if s.image_id in scores), key=lambda s: scores[s.image_id].dice
    )
    if not ranked:
        return [("Validation images", list(samples[:N_CASES]))] if samples else []
    worst, rest = ranked[:N_CASES], ranked[N_CASES:]
    return [("Worst cases", worst), *([("Best cases", rest[::-1][:N_CASES])] if rest else [])]


def _facts(checkpoint: Checkpoint, data: TrainingData) -> list[tuple[str, str]]:
    metrics = checkpoint.metrics
    config = checkpoint.config
    sizes = dict.fromkeys((config.image_size, config.predicting_size))
    pixels = ", validated at ".join(f"{size} x {size}" for size in sizes)
    return [
        ("method", config.method),
        ("learned from", data.gaze.recorded),
        ("data", f"{len(data.train)} training images, {len(data.val)} validation images"),
        ("data, SHA-256", data.sha256().partition(":")[2]),
        ("network", f"{config.model.encoder}, {pixels} pixels"),
        ("best step", f"{checkpoint.step} of {config.steps}, by {metrics.get('selected_by', '')}"),
        (
            "protocol",
            "clean: the checkpoint is chosen on the validation images, which are also the ones shown",
        ),
        ("gazetrack", __version__),
    ]


def _measures(scores: Sequence[Scores]) -> list[list[str]]:
    rows = []
    for name, key in MEASURES.items():
        if (found := describe([getattr(one, name) for one in scores])) is not None:
            digits = 1 if key.endswith("_px") else 4
            low, high = (f"{end:.{digits}f}" for end in found["interval"])
            rest = [f"{found[part]:.{digits}f}" for part in ("std", "median", "min", "max")]
            rows.append(
                [
                    key.replace("_px", ", px"),
                    f"{found['mean']:.{digits}f}",
                    f"{low} to {high}",
                    *rest,
                ]
            )
    return rows


def _charts(metrics: Path, best_step: int) -> list[Any]:
    if not metrics.exists():
        return []
    with metrics.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def of(name: str) -> list[tuple[float, float]]:
        return [(float(row["step"]), float(row[name])) for row in rows if row.get(name)]

    losses = chart("loss", {name: of(name) for name in _LOSSES}, best_step)
    overlap = chart("validation", {name: of(name) for name in ("val_dice", "val_iou")}, best_step)
    return [one for one in (losses, overlap) if one is not None]


def _lines(path: Path) -> list[str]:
    return (
        [quote(line, 2000) for line in path.read_text("utf-8").splitlines()]
        if path.exists()
        else []
    )
