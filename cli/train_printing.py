"""What gradtrack-train prints: its data, its steps, its plan and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .printing import print_json, with_report
from .progress import draws, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.study.folds import CrossValidation
    from gradtrack_model.training.loop import Progress, TrainResult

_SHOWN_CHARS = 300


def silent(_data: TrainingData) -> None:
    """Say nothing of the data."""


def show_data(data: TrainingData, verbose: bool) -> None:
    """Say what there is to train on, and what was noticed; long notes are cut unless `verbose`."""
    click.echo(
        f"{len(data.train)} training images with gaze, {len(data.val)} validation images", err=True
    )
    for note in data.notes:
        short = verbose or len(note) <= _SHOWN_CHARS
        click.echo(
            f"note: {note if short else note[:_SHOWN_CHARS] + '… (all in log.txt)'}", err=True
        )


def reporter(steps: int, quiet: bool, verbose: bool) -> Callable[[Progress], None]:
    """Return what a run of `steps` steps calls after each of them.

    On a terminal it draws a bar, unless `verbose`. Otherwise it prints the steps that were
    validated; with `verbose`, every tenth step as well.
    """
    bar = progress_bar("training", lines=False) if draws() else None

    def report(progress: Progress) -> None:
        if quiet:
            return
        for note in progress.notes:
            click.echo(f"note: {note}", err=True)
        if bar is not None and not verbose:
            bar(progress.step, steps)
        elif (
            "val_loss" in progress.row
            or "val_dice" in progress.row
            or (verbose and progress.step % 10 == 0)
        ):
            values = "  ".join(f"{name} {value:.4g}" for name, value in progress.row.items())
            best = "  (best so far)" if progress.saved_best else ""
            click.echo(f"step {progress.step}/{steps}  {values}{best}", err=True)

    return report


def show_plan(planned: dict[str, Any], as_json: bool) -> int:
    """Print facts, one a line and sizes in MB, or as JSON in bytes; return the exit code."""
    if as_json:
        print_json(planned)
        return 0
    for name, value in planned.items():
        if name.endswith("_bytes"):
            shown = f"{value / 1e6:,.1f} MB"
        else:
            shown = f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.removesuffix('_bytes').replace('_', ' '):20s}{shown}")
    return 0


def show_folds(found: CrossValidation, quiet: bool, as_json: bool) -> None:
    """Print the figures of every fold and over all of them, and what was written."""
    if as_json:
        print_json(found.summary)
        return
    if quiet:
        return
    for fold in found.summary["folds"]:
        values = ", ".join(f"{name} {value:.4f}" for name, value in fold["best"].items())
        click.echo(f"fold {fold['number']}: best at step {fold['best_step']}: {values}")
    for kind in ("best", "last"):
        for name, over in found.summary[kind].items():
            click.echo(f"  {kind} {name}  {over['mean']:.4f} ± {over['sd']:.4f} over folds")
    click.echo(f"  {found.summary['chosen']}")
    click.echo(
        f"  wrote {found.folder}/folds.json; all together: gradtrack-predict --weights "
        f"{found.folder}"
    )


def show_result(result: TrainResult, quiet: bool, as_json: bool) -> None:
    """Print how a run ended, its best step, and what was written."""
    facts = {
        "run": str(result.folder),
        "step": result.step,
        "best_step": result.best_step,
        "selected_by": result.selected_by,
        **result.best,
        "seconds": round(result.seconds, 3),
        "waiting": round(result.waiting, 4),
    }
    if as_json:
        print_json(facts)
    elif not quiet:
        values = ", ".join(f"{name} {value:.4f}" for name, value in result.best.items())
        ended = "stopped after" if result.stopped_by is not None else "trained"
        time = f"{result.seconds:.0f} s, {result.waiting:.1%} of them waiting for batches"
        click.echo(f"{ended} {result.step} steps in {time}")
        click.echo(
            f"best at step {result.best_step} by {result.selected_by}: {values or 'not measured'}"
        )
        page = "" if result.stopped_by is not None else with_report("report.html")
        click.echo(f"  wrote {result.folder}/best.safetensors, last.safetensors, metrics.csv{page}")
