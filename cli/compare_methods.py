"""gradtrack-compare."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import click

from . import completing, exit_codes, train
from . import options as opt
from .errors import say
from .examples import examples
from .printing import print_json, print_table, with_report
from .progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gradtrack_model.study.comparison import Comparison
    from gradtrack_model.study.jobs import Job, Result
    from gradtrack_model.training.loop import Progress

_METHODS = "full,heatmap,gazemedseg,gradtrack"
_OF_ONE_RUN = {
    "action",
    "method",
    "seed",
    "out",
    "folds",
    "force",
    "resume",
    "dry_run",
    "verbose",
    "nnunet_name",
    "soft",
}
_PROGRAM = "gradtrack-compare"


def _with_options_of_train(command: click.Command) -> click.Command:
    """Add what `gradtrack-train` takes, but what is of one run alone."""
    own = {parameter.name for parameter in command.params} | _OF_ONE_RUN
    command.params += [parameter for parameter in train.command.params if parameter.name not in own]
    return command


@_with_options_of_train
@click.command(
    "compare",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-compare --preset tiny
        gradtrack-compare --data study --methods full,gradtrack --seeds 0,1,2 \\
          --reference full -o study/comparison
        """
    ),
)
@click.option(
    "--methods",
    default=_METHODS,
    show_default=True,
    metavar="A,B,…",
    shell_complete=completing.train_methods,
    help="full, plain, heatmap, gazemedseg, gradtrack, or controls such as gradtrack-discs.",
)
@click.option(
    "--seeds",
    default="0",
    show_default=True,
    metavar="N,N,…",
    help="Each method is trained with each.",
)
@click.option(
    "--reference",
    metavar="METHOD",
    shell_complete=completing.train_method,
    show_default="the first one",
    help="The others are compared with this method.",
)
@click.option("--tta", is_flag=True, help="Average over the four flips of each image.")
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    metavar="DIR",
    help="Folder for it all; DIR/comparison by default.",
)
@click.option(
    "--force", is_flag=True, help="Train again what is there; by default what is left is done."
)
@click.option(
    "--prune",
    is_flag=True,
    help=(
        "End runs whose best validation Dice is below the median of the whole runs before them "
        "(at least 3, after a third of the steps); the table says which."
    ),
)
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(data: Path, methods: str, seeds: str, quiet: bool, as_json: bool, **given: Any) -> int:
    """Train several methods on one data set, evaluate each on the validation images, and compare.

    Takes the folder, options and settings of `gradtrack-train`, for every method alike. Validation
    images need masks. Call it again after an interruption: it goes on, and does nothing twice.

    Presets: tiny, a small U-Net on 96 x 96, takes a minute a method on a CPU; default has a
    pretrained encoder on 224 x 224; gazemedseg is that recipe's U-Net, from scratch.
    """
    from gradtrack_model.study.comparison import compare_methods
    from gradtrack_model.verbs.compare import study_jobs

    names = _names(methods)
    numbers = _numbers(seeds)
    source = (given.pop("preset"), given.pop("config_file"), given.pop("settings"))
    options = {name: given.pop(name) for name in ("reference", "force", "prune")}
    options["flips"] = given.pop("tta")
    out = given.pop("out") or data / "comparison"
    common = train.settings_of(given)
    jobs = study_jobs(data, names, numbers, source, common, **given)
    if not quiet:
        _show_gaze(jobs)
    result = compare_methods(
        jobs, out, **options, report=_reporter(jobs, quiet), tell=_teller(quiet)
    )
    _show(result, out, quiet, as_json)
    if result.stopped_by is not None:
        return exit_codes.of_signal(result.stopped_by)
    return exit_codes.SOME_FAILED if result.failed else exit_codes.DONE


def _show_gaze(jobs: Sequence[Job]) -> None:
    """Say what each method trains on, and why: some have maps of their own."""
    from gradtrack_model.data.gaze import choose_gaze

    by_method = {job.name: job for job in jobs}
    for method, job in by_method.items():
        click.echo(f"{method} {choose_gaze(job.sources, job.config).line}", err=True)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise click.BadParameter("names no method", param_hint="--methods")
    return list(dict.fromkeys(names))


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{text!r} is not like 0,1,2", param_hint="--seeds")
    return list(dict.fromkeys(map(int, parts)))


def _reporter(jobs: list[Job], quiet: bool) -> Callable[[Job, Progress], None]:
    """Say what is to be done, and return what draws a bar for each job, on a terminal."""
    if not quiet:
        click.echo(
            f"{len(jobs)} runs: {', '.join(f'{job.name} {job.seed}' for job in jobs)}", err=True
        )
    bars: dict[tuple[str, int], Callable[[int, int], None]] = {}

    def report(job: Job, progress: Progress) -> None:
        key = (job.name, job.seed)
        if key not in bars:
            label = f"{jobs.index(job) + 1}/{len(jobs)} {job.name}, seed {job.seed}"
            bars[key] = progress_bar(label, quiet, lines=False)
        bars[key](progress.step, progress.steps)

    return report


def _teller(quiet: bool) -> Callable[[Result], None]:
    def tell(result: Result) -> None:
        name = f"{result.job.name}, seed {result.job.seed}"
        if result.error is not None:
            say(_PROGRAM, f"{name}: {result.error}")
        elif result.stopped_by is not None:
            click.echo(f"{name}: stopped; call again to go on", err=True)
        elif not quiet:
            all_dice = [row["dice"] for rows in result.scores.values() for row in rows.values()]
            how = "done before"
            if not result.again:
                how = f"{result.facts['steps']} steps in {result.facts['seconds']:.0f} s"
                if result.facts.get("given_up"):
                    how += f"; {result.facts['given_up']}"
            click.echo(f"{name}: Dice {statistics.fmean(all_dice):.4f}, {how}", err=True)

    return tell


def _show(result: Comparison, out: Path, quiet: bool, as_json: bool) -> None:
    from gradtrack_model.study.table import cells

    if as_json:
        print_json(result.lines)
    elif result.lines and not quiet:
        print_table(*cells(result.lines))
        click.echo(
            f"  {result.lines[0]['images']} validation images; segmented from the image alone"
        )
        click.echo(f"  wrote {out}/comparison.md, .csv, .json, .png{with_report('.html')}")
