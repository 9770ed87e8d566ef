"""gazetrack refine."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gazetrack.maps.parameters import PRESETS, CRFParams, crf_params
from gazetrack.sam.parameters import PromptParams

from . import completing
from . import options as opt
from .dry_run import job_of
from .engine_options import cluster_option, dry_run_option, engine, track_retries_option
from .examples import examples
from .map_options import with_default
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.prompting import PromptOptions


F = TypeVar("F", bound="Callable[..., Any]")

# Each field of `CRFParams`: its help. What nobody gave comes from the preset.
_FIELDS = {
    "weight": "Weight of the bilateral term.",
    "position_px": "Reach in position, pixels of the image itself.",
    "colour": "Reach in colour, 0 to 255.",
    "iterations": "Mean-field steps.",
    "smooth_weight": "Weight of a term of position alone, which smooths.",
    "smooth_px": "Reach of that term, pixels of the image itself.",
}


def _crf_options(command: F) -> F:
    """Add the fields of `CRFParams` to a command as options; None where they are not given."""
    defaults = {field.name: field.default for field in fields(CRFParams)}
    for name, text in reversed(_FIELDS.items()):
        flag = "--" + name.replace("_", "-")
        default = defaults[name]
        help_ = with_default(text, default)
        command = click.option(flag, type=type(default), help=help_)(command)
    return command


@click.command(
    "refine",
    short_help="Refine stored maps by a dense CRF or a prompt model.",
    epilog=examples(
        """
        # maps/maps.parquet and images/ → refined/maps.parquet
        gazetrack refine
        gazetrack refine maps --images images --preset polyp --jobs 2
        # and then drawn by a prompt model, asked by map and gaze
        gazetrack refine maps --prompt-model mobilesam -o drawn
        """
    ),
)
@click.argument("maps", type=opt.FILE, default=Path("maps"))
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of the images; ./images by default."
)
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Parameters chosen for a kind of image."
)
@_crf_options
@click.option(
    "--all-levels", is_flag=True, help="Let the CRF refine every level, not just the full track's."
)
@click.option(
    "--prompt-model",
    metavar="NAME|DIR",
    shell_complete=completing.prompt_models,
    help="Then let a prompt model draw the full track's map anew; see `gazetrack models`.",
)
@click.option(
    "--prompt-size",
    type=click.IntRange(64, 4096),
    show_default=str(PromptParams.size),
    metavar="PX",
    help="Longest side of the image as the prompt model sees it; 384 to 512 is good.",
)
@click.option(
    "--fixations",
    type=opt.FILE,
    multiple=True,
    metavar="TABLE|DIR",
    help=(
        "Fixations that are prompts too: those the maps were made from, "
        "by default where the maps name them and they lie beside."
    ),
)
@click.option("--no-crf", is_flag=True, help="Prompt with the maps as they are.")
@click.option(
    "--probabilities",
    type=opt.FILE,
    metavar="DIR",
    help=(
        "Also mix in what networks saw that were not trained on the image: "
        "PNG of gradtrack-predict --probabilities."
    ),
)
@click.option(
    "--share",
    type=float,
    show_default="0.45, beside a prompt model 0.35",
    help="Of the networks in that mix.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Threads to refine with.  [default: 1; with --cluster local, processes, one a core]",
)
@cluster_option
@track_retries_option
@dry_run_option
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("refined"),
    show_default=True,
    metavar="DIR",
    help="Folder for the new maps.",
)
@opt.force_option
@opt.report_option
@opt.quiet_option
@opt.debug_option
def command(
    maps: Path,
    images: Path | None,
    preset: str | None,
    all_levels: bool,
    prompt_model: str | None,
    prompt_size: int | None,
    fixations: tuple[Path, ...],
    no_crf: bool,
    probabilities: Path | None,
    share: float | None,
    jobs: int | None,
    cluster: str | None,
    retries: int,
    is_dry_run: bool,
    out: Path,
    force: bool,
    report: Path | None,
    quiet: bool,
    **choices: Any,
) -> int:
    """Refine stored maps on their images, by a dense CRF or a prompt model.

    The CRF moves the border of the full track's map to the edges of the image. A prompt model,
    such as MobileSAM, then draws what the map marks; it takes maps that a CRF refined before as
    they are.

    MAPS is a maps.parquet or its folder, ./maps by default. Only calibrated maps are taken (tube,
    density, disc, hull): of other kinds .5 is no border, and a CRF would make the object vanish.
    """
    from gazetrack.workflows.refine import plan_refining, refine_maps

    if share is not None and probabilities is None:
        raise click.UsageError("--share is that of networks: give their --probabilities")
    params = _crf_of(preset, choices)
    prompt = _prompt_of(prompt_model, prompt_size, fixations, no_crf)
    check_report(report, [maps])
    task: dict[str, Any] = {
        "params": params,
        "prompt": prompt,
        "seen": probabilities,
        "share": share,
        "all_levels": all_levels,
    }
    images = images or Path("images")
    if is_dry_run:
        job = job_of(cluster)  # refused before anything is printed
        code = finish([plan_refining(maps, images, out, **task)], None, _show_planned)
        click.echo(job, nl=False)
        return code
    who = engine(jobs, cluster, retries, quiet=quiet) if cluster else None
    bar = progress_bar("refining", quiet)
    done = refine_maps(
        maps, images, out, **task, jobs=jobs or 1, engine=who, force=force, progress=bar
    )
    return finish([done], report, None if quiet else _show)


def _crf_of(preset: str | None, choices: dict[str, Any]) -> CRFParams | None:
    """Return the CRF that is asked for; None where nothing is said of it."""
    is_given = preset is not None or any(value is not None for value in choices.values())
    return crf_params(preset, **choices) if is_given else None


def _prompt_of(
    model: str | None, size: int | None, fixations: tuple[Path, ...], no_crf: bool
) -> PromptOptions | None:
    """Return how the prompt model is asked; None where there is none."""
    if model is None:
        if fixations or no_crf or size is not None:
            what = "--fixations, --no-crf and --prompt-size are about a prompt model"
            raise click.UsageError(f"{what}: name it by --prompt-model")
        return None
    from gazetrack.workflows.prompting import PromptOptions

    params = PromptParams(size=size or PromptParams.size)
    return PromptOptions(model=model, params=params, fixations=fixations, crf=not no_crf)


def _show_planned(outcome: Outcome) -> None:
    click.echo(f"{outcome.file}: would refine {outcome.rows_out:,} of {outcome.rows_in:,} tracks")
    _show_how(outcome)


def _show(outcome: Outcome) -> None:
    click.echo(f"{outcome.file}: {outcome.rows_out:,} of {outcome.rows_in:,} tracks refined")
    _show_how(outcome)
    for output in outcome.outputs:
        click.echo(f"  wrote {output['path']}")


def _show_how(outcome: Outcome) -> None:
    for note in outcome.notes:
        click.echo(f"  note: {note}")
    if outcome.summary:
        click.echo("  drawn by {model}, asked by {how}".format_map(outcome.summary))
        click.echo("  it learned from {learned_from}".format_map(outcome.summary))
