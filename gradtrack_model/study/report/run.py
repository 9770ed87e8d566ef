"""The report of a run: curves, measures with intervals, best and worst cases, notes, settings."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import quote
from gazetrack.version import __version__
from gradtrack_model.computed import Computed
from gradtrack_model.evaluation.class_metrics import EMPTY_CLASS_POLICY, class_scores
from gradtrack_model.evaluation.metrics import Scores, score
from gradtrack_model.study.report.cases import Case, draw_case
from gradtrack_model.study.report.certainty import certainty_of_run
from gradtrack_model.study.report.charts import Chart, chart
from gradtrack_model.study.report.evaluation import measure_rows
from gradtrack_model.study.report.html import POLICY, REPORT, write_page
from gradtrack_model.training.learner import pick_device
from gradtrack_model.training.resume import flat
from gradtrack_model.training.validation import predicted_masks
from gradtrack_model.weights.checkpoint import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

    from gradtrack_model.data.sample import Sample, TrainingData
    from gradtrack_model.weights.checkpoint import Checkpoint

N_CASES = 4
_LOSSES = ("loss", "val_loss", "loss_mask", "loss_tracks")
_OVERLAPS = ("val_dice", "val_iou")
_PROTOCOL = (
    "clean: the checkpoint is chosen on the validation images, which are also the ones shown"
)
_MAX_NOTE_CHARS = 2000
_CLASS_POLICY = (
    f" Of several classes, an image counts for a class {EMPTY_CLASS_POLICY}; the first rows are of "
    "each image's mean over its classes."
)


def write_run_report(run: Path, data: TrainingData) -> Path:
    """Write ``report.html`` of a complete run, about its best network on the validation images.

    Parameters
    ----------
    run : pathlib.Path
        The folder of the run.
    data : TrainingData
        The data that it was trained and validated on.

    Returns
    -------
    pathlib.Path
        The page.

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
    config = checkpoint.config
    device = pick_device(config.device)
    checkpoint.model.to(device)
    scores, of_classes = _scores(checkpoint, data, device)
    page = {
        "title": f"{Computed(config).name}, seed {config.seed}",
        "lead": "Trained on masks." if config.method == "full" else "Trained on gaze alone.",
        "facts": _facts(checkpoint, data, *_planned(run, config.steps)),
        "measures": measure_rows(list(scores.values())) + _class_rows(of_classes),
        "policy": POLICY + (_CLASS_POLICY if of_classes else ""),
        "charts": _charts(run / "metrics.csv", checkpoint.step),
        "certainty": certainty_of_run(checkpoint, data.val, scores, device),
        "groups": [
            (heading, _drawn(checkpoint, samples, scores, device))
            for heading, samples in _chosen(data.val, scores)
        ],
        "notes": _notes(run / "log.txt"),
        "settings": list(flat(config.as_dict()).items()),
    }
    return write_page(run / REPORT, "run.html", page)


def _scores(
    checkpoint: Checkpoint, data: TrainingData, device: torch.device
) -> tuple[dict[str, Scores], dict[str, list[Scores]]]:
    """Return the measures of every validation image that has a mask, by image id.

    Of several classes, these are the means over those that are on the image; and the measures of
    each class come second, by its name, of the images that count for it.
    """
    predicting = checkpoint.config.predicting()
    classes = checkpoint.config.classes
    scores: dict[str, Scores] = {}
    of_classes: dict[str, list[Scores]] = {name: [] for name in classes.names}
    for sample, predicted in predicted_masks(checkpoint.model, data.val, predicting, device):
        if sample.mask is None:
            continue
        if not classes.names:
            scores[sample.image_id] = score(predicted, sample.mask)
            continue
        found = dict(
            zip(classes.names, class_scores(predicted, sample.mask, classes.n), strict=True)
        )
        present = {name: one for name, one in found.items() if one is not None}
        for name, one in present.items():
            of_classes[name].append(one)
        if present:
            scores[sample.image_id] = _mean_of(list(present.values()))
    return scores, of_classes


def _mean_of(scores: Sequence[Scores]) -> Scores:
    return Scores(
        **{
            one.name: float(np.mean([getattr(score, one.name) for score in scores]))
            for one in fields(Scores)
        }
    )


def _class_rows(of_classes: Mapping[str, Sequence[Scores]]) -> list[list[str]]:
    """Return the rows of the measures of each class."""
    return [
        [f"{measure} of {name}", *figures]
        for name, scores in of_classes.items()
        for measure, *figures in measure_rows(scores)
    ]


def _drawn(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    scores: Mapping[str, Scores],
    device: torch.device,
) -> list[Case]:
    # Predicted once more: the masks of all validation images would not fit into every memory.
    predicting = checkpoint.config.predicting()
    cases = []
    for sample, predicted in predicted_masks(checkpoint.model, samples, predicting, device):
        measured = scores.get(sample.image_id)
        dice = None if measured is None else measured.dice
        cases.append(draw_case(sample, predicted, dice, predicting))
    return cases


def _chosen(
    samples: Sequence[Sample], scores: Mapping[str, Scores]
) -> list[tuple[str, list[Sample]]]:
    """Return the samples to show under their headings.

    These are the worst and the best by Dice, or the first ones where nothing has a mask.
    """
    if not samples:
        return []
    measured = [sample for sample in samples if sample.image_id in scores]
    if not measured:
        return [("Validation images", list(samples[:N_CASES]))]
    ranked = sorted(measured, key=lambda sample: scores[sample.image_id].dice)
    groups = [("Worst cases", ranked[:N_CASES])]
    if len(ranked) > N_CASES:  # no image is shown twice
        best_first = ranked[N_CASES:][::-1]
        groups.append(("Best cases", best_first[:N_CASES]))
    return groups


def _planned(run: Path, steps: int) -> tuple[int, list[tuple[str, str]]]:
    """Return how many steps a run was to take in the end, and a row where these became more.

    The best network may be from before the run was extended: what was saved last knows.
    """
    try:
        facts = json.loads((run / "last.json").read_text("utf-8"))
        extended = facts["metrics"].get("extended", [])
        said = "; ".join(
            f"from {one['planned']} to {one['steps']} steps, after step {one['after']}"
            for one in extended
        )
        steps = facts["config"]["steps"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return steps, []
    return steps, [("extended", said)] if said else []


def _facts(
    checkpoint: Checkpoint, data: TrainingData, planned: int, extensions: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    config = checkpoint.config
    sizes = dict.fromkeys((config.image_size, config.predicting_size))
    pixels = ", validated at ".join(f"{size} x {size}" for size in sizes)
    selected_by = checkpoint.metrics.get("selected_by", "")
    parts = Computed(config).parts
    # What "auto" was, the run has recorded since it does.
    parts["precision"] = checkpoint.metrics.get("precision", parts["precision"])
    return [
        ("method", _method(checkpoint)),
        ("learned from", data.gaze.recorded),
        *parts.items(),
        ("data", f"{len(data.train)} training images, {len(data.val)} validation images"),
        ("data, SHA-256", data.sha256().partition(":")[2]),
        ("network", f"{config.model.encoder}, {pixels} pixels"),
        ("best step", f"{checkpoint.step} of {planned}, by {selected_by}"),
        *extensions,
        ("protocol", _PROTOCOL),
        ("gazetrack", __version__),
    ]


def _method(checkpoint: Checkpoint) -> str:
    """Return what was computed, and what had been asked for where that is another method."""
    asked = checkpoint.config.method
    computed = Computed(checkpoint.config).name
    return computed if computed == asked else f"{computed}; asked for: {asked}"


def _charts(metrics: Path, best_step: int) -> list[Chart]:
    if not metrics.exists():
        return []
    with metrics.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def curves(names: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
        return {
            name: [(float(row["step"]), float(row[name])) for row in rows if row.get(name)]
            for name in names
        }

    loss = chart("loss", curves(_LOSSES), best_step)
    overlap = chart("validation", curves(_OVERLAPS), best_step)
    return [one for one in (loss, overlap) if one is not None]


def _notes(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [quote(line, _MAX_NOTE_CHARS) for line in path.read_text("utf-8").splitlines()]
