"""A study: methods times seeds on one data set, each trained and then evaluated.

The evaluation is of the validation images, segmented by the image alone.

``<out>/<method>/<seed>/`` holds the run in ``run/``, as gradtrack-train writes it, the predicted
masks with their ``evaluation/`` in ``plain/`` or ``flips/``, and ``result.json``, written last:
what is complete is not done again while settings and data are the same, and what was interrupted
goes on to the same result as without a pause.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from gazetrack.errors import CheckpointError, DataError, GazetrackError, quote
from gazetrack.publish import output_errors, write_json, write_text
from gradtrack_model.data.loading import load_data
from gradtrack_model.evaluation.evaluate import (
    MEASURES,
    SCORES_FILE,
    SURFACES,
    evaluate_folder,
    read_scores,
)
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.evaluation.volume_scores import VOLUMES_FILE, read_volumes
from gradtrack_model.network.classes import refuse_classes
from gradtrack_model.network.precision import precision_on
from gradtrack_model.study.jobs import WAYS, Job, Result
from gradtrack_model.study.pruning import MedianRule, read_curve
from gradtrack_model.study.report.html import installed
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training.learner import pick_device
from gradtrack_model.training.loggers import check_loggers
from gradtrack_model.training.loop import train
from gradtrack_model.training.preflight import check_machine
from gradtrack_model.training.resume import States, check_same
from gradtrack_model.training.run_log import METRICS_FILE
from gradtrack_model.weights.checkpoint import load_model, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.training.loop import Progress


def run_jobs(
    jobs: Iterable[Job],
    out: Path,
    ways: Sequence[str] = ("plain",),
    *,
    force: bool = False,
    prune: bool = False,
    report: Callable[[Job, Progress], None] | None = None,
) -> Iterator[Result]:
    """Do what is left of a study, job by job; one that fails does not touch the others.

    Parameters
    ----------
    jobs : iterable of Job
        The jobs in the order in which they are done.
    out : pathlib.Path
        The folder of the study, with a folder for each job.
    ways : sequence of str
        How the validation images are segmented, of `gradtrack_model.study.jobs.WAYS`.
    force : bool
        Train again what is there already.
    prune : bool
        End runs that are hopeless beside the whole ones before them, see
        `gradtrack_model.study.pruning`; without, runs that were so ended go on.
    report : callable, optional
        Called after every training step.

    Yields
    ------
    Result
        After SIGINT or SIGTERM the one at hand is the last, with its state saved and `stopped_by`
        set.
    """
    # Runs of other lengths are at other places of their schedules: each length has its own rule.
    rules: dict[int, MedianRule] = {}
    for job in jobs:
        steps = job.config.steps
        rule = rules.setdefault(steps, MedianRule(steps=steps)) if prune else None
        try:
            result = _do(job, job.folder(out), ways, _How(force, report, rule))
            if rule is not None and result.facts and not result.facts.get("given_up"):
                rule.curves.append(read_curve(job.folder(out) / "run" / METRICS_FILE))
        except GazetrackError as error:
            result = Result(job, {}, {}, error)
        except (RuntimeError, MemoryError) as error:  # of torch: out of memory, no kernel for it, …
            what = f"{type(error).__name__}: {quote(error, 200)}"
            hint = "change the settings, and call again: what is done stays"
            result = Result(job, {}, {}, GazetrackError(what, hint=hint))
        yield result
        if result.stopped_by is not None:
            return


class _How(NamedTuple):
    """How the jobs of a study are done."""

    force: bool
    report: Callable[[Job, Progress], None] | None
    rule: MedianRule | None


def _do(job: Job, folder: Path, ways: Sequence[str], how: _How) -> Result:
    check_machine(job.config.device, job.config.model, job.config.optimizer)
    check_loggers(job.config.loggers)
    refuse_classes(job.config.classes, "a comparison")
    data = load_data(job.sources, job.config)
    ids = [sample.image_id for sample in data.val if sample.mask is not None]
    if not ids or job.sources.masks is None:
        where = job.sources.masks or job.sources.images
        hint = "give --masks and --val-ids"
        raise DataError("no validation image has a mask", path=where, hint=hint)
    if how.force:
        # First of all: an interruption shall not leave the old result with half of a new run.
        _forget(folder)
    facts = _finished(job, folder, data)
    if facts is not None and facts.get("given_up") and how.rule is None:
        # A run that was given up goes on where nobody is given up.
        _forget(folder)
        facts = None
    evaluated = all(_scores_file(folder, way).exists() for way in ways)
    again = facts is not None and evaluated
    if facts is None:
        facts, stopped_by = _train(job, folder / "run", data, how)
        if stopped_by is not None:
            return Result(job, {}, {}, stopped_by=stopped_by)
        for way in WAYS:  # evaluations of a network that is no more
            _remove(_scores_file(folder, way))
        if installed():
            write_run_report(folder / "run", data)
    write_text(folder / "val.txt", "".join(f"{image_id}\n" for image_id in ids))
    for way in ways:
        if not _scores_file(folder, way).exists():
            _evaluate(job, folder, way, tuple(ids))
    # Last of all: what has a result is complete.
    write_json(folder / "result.json", facts)
    names = tuple(MEASURES.values())
    scores = {way: read_scores(_scores_file(folder, way), names, SURFACES) for way in ways}
    volumes = {way: read_volumes(_scores_file(folder, way).with_name(VOLUMES_FILE)) for way in ways}
    return Result(job, facts, scores, again=again, volumes=volumes)


def _forget(folder: Path) -> None:
    """Remove the result of a job, so that the job is done again."""
    _remove(folder / "result.json")


def _remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with output_errors(path):
        path.unlink(missing_ok=True)


def _train(job: Job, run: Path, data: TrainingData, how: _How) -> tuple[dict[str, Any], int | None]:
    """Train, or go on with what is there.

    Returns the facts of ``result.json``, and the number of the signal that stopped it, if any.
    """
    # A run that another one should have replaced is put back, and gone on with.
    resume = not how.force and bool(States(standing(run)).paths)
    report = how.report
    tell = None if report is None else lambda progress: report(job, progress)
    done = train(
        job.config,
        data,
        run,
        force=not resume,
        resume=resume,
        report=tell,
        hopeless=None if how.rule is None else how.rule.reason,
    )
    facts = {
        "method": job.name,
        "seed": job.seed,
        "steps": done.step,
        "best_step": done.best_step,
        "selected_by": done.selected_by,
        "seconds": round(done.seconds, 3),
        "images": {"train": len(data.train), "val": len(data.val)},
        "data": data.sha256(),
        "learned_from": data.gaze.recorded,
        "precision": precision_on(job.config.precision, pick_device(job.config.device)),
        "config": data.gaze.trained(job.config).as_dict(),
        "drawn_by": data.gaze.drawn_by,
        "given_up": done.given_up,
    }
    return facts, done.stopped_by


def _finished(job: Job, folder: Path, data: TrainingData) -> dict[str, Any] | None:
    """Return the facts of a complete job, None where there is none; another one's are refused."""
    path = folder / "result.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        check_same(facts, data.gaze.trained(job.config).as_dict(), data, path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError("is damaged", path=path, hint="remove it, and call again") from error
    return facts


def _scores_file(folder: Path, way: str) -> Path:
    return folder / way / "evaluation" / SCORES_FILE


def _evaluate(job: Job, folder: Path, way: str, ids: tuple[str, ...]) -> None:
    """Segment the validation images with the best network, and compare with their masks."""
    masks = job.sources.masks
    assert masks is not None  # noqa: S101 - _do has seen to it
    options = PredictOptions(
        tta=WAYS[way],
        batch_size=job.config.batch_size,
        device=pick_device(job.config.device),
        ids=ids,
    )
    network = load_model(folder / "run")
    for _ in predict_folder(job.sources.images, network, folder / way, options):
        pass  # an image that fails is missing in the evaluation, which says so
    scores_file = _scores_file(folder, way)
    evaluated = evaluate_folder(
        folder / way,
        masks,
        scores_file.parent,
        folder / "val.txt",
        images=job.sources.images,  # masks that are pictures do not tell their slices
    )
    if not evaluated.complete:
        n = sum(score.error is None for score in evaluated.scores)
        what = f"{n} of {evaluated.n_wanted} validation images could be evaluated"
        raise DataError(what, path=scores_file, hint="it says which could not")
