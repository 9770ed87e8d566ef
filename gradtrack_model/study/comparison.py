"""A comparison of methods: a study of methods times seeds, its table and its plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, GazetrackError
from gazetrack.publish import refuse_input_folder
from gradtrack_model.computed import Computed
from gradtrack_model.data.gaze import choose_gaze
from gradtrack_model.parallel import world
from gradtrack_model.settings import config_from
from gradtrack_model.study.pruning import RULE
from gradtrack_model.study.report.comparison import write_comparison_report
from gradtrack_model.study.report.html import installed
from gradtrack_model.study.runner import run_jobs
from gradtrack_model.study.table import Line, summarise, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gradtrack_model.data.sources import Sources
    from gradtrack_model.study.jobs import Job, Result
    from gradtrack_model.training.loop import Progress

NAME = "comparison"
_SINCE = ("learned_from", "precision", "given_up")


@dataclass(frozen=True)
class Comparison:
    """What became of a comparison.

    Parameters
    ----------
    results : tuple of Result
        What became of every job, in their order.
    lines : list of dict
        The table, see `table.summarise`; empty when nothing could be done, and then nothing is
        written.
    """

    results: tuple[Result, ...]
    lines: list[Line]

    @property
    def stopped_by(self) -> int | None:
        """Number of the signal that stopped it."""
        return self.results[-1].stopped_by

    @property
    def failed(self) -> bool:
        """Whether a job ended with an error."""
        return any(result.error is not None for result in self.results)


def compare_methods(
    jobs: Sequence[Job],
    out: Path,
    *,
    reference: str | None = None,
    flips: bool = False,
    force: bool = False,
    prune: bool = False,
    report: Callable[[Job, Progress], None] | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Comparison:
    """Train what is not trained yet, evaluate it on the validation images, and write the table.

    Parameters
    ----------
    jobs : sequence of Job
        Every method with every seed.
    out : pathlib.Path
        The folder that receives ``comparison.md``, ``.csv``, ``.json``, ``.png`` and, with Jinja2,
        ``.html``, and a folder per method and seed, see `gradtrack_model.study.runner`.
    reference : str, optional
        The method the others are compared with; the first one by default.
    flips : bool
        Average predictions over the four flips of each image.
    force : bool
        Train again what is there already.
    prune : bool
        End runs that are hopeless, see `gradtrack_model.study.pruning`; the table says which.
    report : callable, optional
        Called after every training step.
    tell : callable, optional
        Called with every result as it comes.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigError
        There is no job, `reference` is none of the methods, two methods would compute the same, or
        several processes share this call.
    OutputError
        `out` cannot be written, or holds the images or masks.
    """
    if world() > 1:
        what = f"a comparison in {world()} processes"
        raise ConfigError(what, hint="leave out torchrun; it is for one gradtrack-train")
    names = list(dict.fromkeys(job.name for job in jobs))
    if not names:
        raise ConfigError("nothing to compare", hint="name at least one method and one seed")
    reference = reference or names[0]
    if reference not in names:
        raise ConfigError(
            f"the reference {reference!r} is not compared", hint=f"use one of {', '.join(names)}"
        )
    # A plot among the images would be one of them the next time.
    refuse_input_folder([out], [place for job in jobs for place in _inputs(job.sources)])
    refuse_doubles(jobs)
    way = "flips" if flips else "plain"
    results = []
    for result in run_jobs(jobs, out, (way,), force=force, prune=prune, report=report):
        results.append(result)
        if tell is not None:
            tell(result)
    lines = summarise(results, reference, way)
    if lines:
        runs = [_facts(result, out, way) for result in results]
        about = {"reference": reference, "flips": flips, "pruning": RULE if prune else None}
        plot = write_table(out, NAME, lines, {**about, "runs": runs})
        if installed():
            write_comparison_report(out / f"{NAME}.html", lines, runs, plot, flips)
    return Comparison(tuple(results), lines)


def _inputs(sources: Sources) -> tuple[Path | None, Path | None]:
    return sources.images, sources.masks


def refuse_doubles(jobs: Sequence[Job]) -> None:
    """Refuse two methods that would compute the same: a table of them would show chance as effect.

    Parameters
    ----------
    jobs : sequence of Job
        Every method with every seed.

    Raises
    ------
    ConfigError
        It names the two, and what both would compute.
    """
    seen: dict[str, tuple[object, ...]] = {}
    for job in jobs:
        if job.name in seen:
            continue
        try:
            gaze = choose_gaze(job.sources, job.config)
        except GazetrackError:
            # Its own row will say so; there is nothing to compute twice.
            continue
        computed = Computed(gaze.trained(job.config))
        essence = (computed.essence, gaze.source, gaze.fixations, gaze.maps)
        for other, theirs in seen.items():
            if theirs == essence:
                what = f"{other} and {job.name} would compute the same: {computed.summary}"
                hint = "leave one out, or the settings or maps that make them the same"
                raise ConfigError(what, hint=hint)
        seen[job.name] = essence


def _facts(result: Result, out: Path, way: str) -> dict[str, Any]:
    """Return what the JSON says of a run.

    The run's folder is said from that of the comparison on, so that both can move together.
    """
    folder = result.job.folder(out).relative_to(out).as_posix()
    facts = {"method": result.job.name, "seed": result.job.seed, "folder": folder}
    if result.error is not None:
        return {**facts, "error": str(result.error)}
    if result.stopped_by is not None:
        return {**facts, "stopped_by": result.stopped_by}
    for key in ("steps", "best_step", "selected_by", "seconds", "images", "data"):
        facts[key] = result.facts[key]
    config = config_from(result.facts["config"])
    computed = Computed(config)
    facts |= {"computed": computed.name, **computed.parts}
    # Results of older versions do not say these.
    facts |= {key: result.facts[key] for key in _SINCE if key in result.facts}
    facts["dice"] = {image: row["dice"] for image, row in result.scores[way].items()}
    return facts
