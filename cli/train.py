"""gradtrack-train."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gazetrack.errors import quote

from . import completing, exit_codes
from . import options as opt
from .examples import examples
from .printing import print_json
from .train_printing import reporter, show_data, show_folds, show_plan, show_result, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradtrack_model.config import DataConfig, TrainConfig
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.study.folds import CrossValidation
    from gradtrack_model.training.loop import Progress

_NNUNET_VARIABLES = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")


@click.command(
    "train",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        # what is wrong with the data of this folder? what will it take?
        gradtrack-train check
        gradtrack-train --dry-run
        gradtrack-train
        # go on after an interruption
        gradtrack-train --resume
        # five networks; gradtrack-predict --weights runs/folds takes them together
        gradtrack-train --folds 5
        gradtrack-train --data study --preset polyp --method plain --steps 2000 \\
          --set optimizer.lr=0.001 -o study/runs/plain
        gradtrack-train nnunet --data study -o nnunet
        gradtrack-train nnunet --soft
        """
    ),
)
@click.argument("action", type=click.Choice(["run", "check", "nnunet"]), default="run")
@click.option(
    "--data",
    type=opt.FILE,
    default=Path(),
    show_default="this folder",
    metavar="DIR",
    help="Folder of the data set.",
)
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of images; DIR/images or DIR by default."
)
@click.option(
    "--masks",
    type=opt.FILE,
    metavar="DIR",
    help="Folder of masks, for validation only; DIR/masks by default where there is one.",
)
@click.option(
    "--fixations",
    type=opt.FILE,
    multiple=True,
    metavar="FILE",
    help=(
        "Train on this fixation table, or folder of them, whatever maps there are; may be repeated."
    ),
)
@click.option(
    "--maps",
    type=opt.FILE,
    metavar="FILE",
    help=(
        "Train on these stored maps; DIR/refined or DIR/maps by default where they fit the tables."
    ),
)
@click.option(
    "--train-ids",
    type=opt.FILE,
    metavar="FILE",
    help="Ids of training images; DIR/train.txt or DIR/fit.txt.",
)
@click.option(
    "--val-ids",
    type=opt.FILE,
    metavar="FILE",
    help="Ids of validation images; DIR/val.txt, else a tenth by the hash of their case.",
)
@click.option(
    "--test-ids",
    type=opt.FILE,
    metavar="FILE",
    help="Ids of test images, never trained on; DIR/test.txt by default.",
)
@click.option(
    "--case",
    metavar="REGEX",
    help=(
        "Start of every image id; its group is the case, such as '(case\\d+)_'. "
        "Slices belong to their volume."
    ),
)
@click.option(
    "--split",
    type=opt.FILE,
    metavar="FILE",
    help="splits.json of a run: the same images in the same splits again.",
)
@click.option(
    "--allow-changes",
    is_flag=True,
    help="With --split, leave out missing images and take changed ones.",
)
@click.option(
    "--allow-overlap", is_flag=True, help="Train although one case or image is in two splits."
)
@click.option(
    "--placement",
    metavar="RULE",
    shell_complete=completing.placements,
    help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "polyp", "tiny", "gazemedseg"]),
    default="default",
    show_default=True,
    help="Recipe to start from; what is trained, --method says.",
)
@click.option(
    "--method",
    show_default="gradtrack",
    metavar="NAME",
    shell_complete=completing.train_method,
    help=(
        "gradtrack, plain (its labels without Track Attention), full (from masks), heatmap, "
        "gazemedseg, or a control such as gradtrack-discs."
    ),
)
@click.option(
    "--config",
    "config_file",
    type=opt.FILE,
    metavar="FILE",
    help="TOML file of settings, over the preset.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="A.B=C",
    help="One setting, such as optimizer.lr=0.001; may be repeated.",
)
@click.option(
    "--encoder",
    metavar="NAME",
    shell_complete=completing.among(*completing.ENCODERS),
    show_default="lite",
    help=(
        "lite: EfficientNet-Lite0, pretrained; lite1, lite2, dinov2: larger; "
        "basic: U-Net from scratch; timm:NAME; smp:NAME."
    ),
)
@click.option("--steps", type=int, show_default="1500", help="Training steps.")
@click.option("--batch-size", type=int, show_default="8", help="Images a step.")
@click.option(
    "--image-size",
    type=int,
    show_default="224",
    help="Images are resized to a square of this many pixels.",
)
@click.option("--seed", type=int, show_default="0", help="Seed of weights, order and augmentation.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    show_default="auto",
    help="Where to compute.",
)
@click.option(
    "--levels", type=int, show_default="4", help="Levels of the track maps rendered from fixations."
)
@click.option(
    "--radius",
    type=float,
    show_default="0.05",
    help="Radius of --set maps.kind=tube, share of sqrt(H x W).",
)
@click.option(
    "--drop-first",
    type=int,
    show_default="1",
    help="Fixations dropped from the start of each track.",
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    metavar="DIR",
    help="Run folder; DIR/runs/gradtrack by default (nnunet: DIR/nnunet).",
)
@click.option("--force", is_flag=True, help="Replace a run that is there.")
@click.option(
    "--resume",
    is_flag=True,
    help=(
        "Go on with the run that is there, to the same result as without a pause; with more "
        "--steps than it was begun with, extend it."
    ),
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    metavar="K",
    help=(
        "Cross-validation: K networks, each validated on the cases that it has not seen; "
        "DIR/runs/folds by default."
    ),
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what the run will take, after three steps in memory; write nothing.",
)
@click.option(
    "--nnunet-name",
    default="Dataset511_Gaze",
    show_default=True,
    metavar="NAME",
    help="Name of the data set in nnU-Net.",
)
@click.option(
    "--soft",
    is_flag=True,
    help="Of nnunet: give images their soft label, for the trainer nnUNetTrainerGaze.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every log row and whole notes.")
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(action: str, data: Path, quiet: bool, as_json: bool, **given: Any) -> int:
    """Train a segmentation network on gaze alone, or check its data.

    Takes images, gaze and splits from the folder it runs in, or from --data. Masks, where there are
    any, choose the best checkpoint on the validation images; training never opens them, unless they
    are the --method.

    `gradtrack-train check` names every image without gaze, gaze without image, odd mask, empty
    label, and case or image in two splits. `gradtrack-train nnunet` writes images, labels and
    splits in the layout of nnU-Net v2.
    """
    from gradtrack_model.parallel import is_first, joined

    # Of several processes, the first one talks.
    quiet = quiet or not is_first()
    as_json = as_json and is_first()
    with joined():
        return _run(action, data, given, quiet, as_json)


def _run(action: str, data: Path, given: dict[str, Any], quiet: bool, as_json: bool) -> int:
    """Do what was asked for, and return the exit code."""
    from gazetrack.errors import ConfigError
    from gradtrack_model.data.loading import load_data
    from gradtrack_model.parallel import is_first, world
    from gradtrack_model.training.preflight import check_machine, plan
    from gradtrack_model.verbs.cross_validate import cross_validate_sources
    from gradtrack_model.verbs.train import train_sources

    out, force, resume, dry, verbose = (
        given.pop(name) for name in ("out", "force", "resume", "dry_run", "verbose")
    )
    name, folds = given.pop("nnunet_name"), given.pop("folds")
    soft = given.pop("soft")
    if folds is not None and (dry or action != "run"):
        what = "--dry-run" if dry else action
        raise ConfigError(f"--folds with {what}", hint="leave out --folds: it is about one network")
    if soft and action != "nnunet":
        hint = "write gradtrack-train nnunet --soft; gradtrack-train always learns soft maps"
        raise ConfigError("--soft is for nnU-Net's data sets", hint=hint)
    if action != "run" and world() > 1:
        raise ConfigError(f"{action} in {world()} processes", hint="leave out torchrun")
    config, sources = _chosen(data, given, quiet)
    if action == "check":
        return _show_findings(sources, config, quiet, as_json)
    if action == "nnunet":
        raw = _Target(out or data / "nnunet", name, force, soft)
        return _show_nnunet(sources, config, raw, quiet, as_json)
    tell = silent if quiet else partial(show_data, verbose=verbose)
    if dry:
        check_machine(config.device, config.model, config.optimizer)
        loaded = load_data(sources, config)
        tell(loaded)
        planned = plan(config, loaded)
        return show_plan(planned, as_json) if is_first() else exit_codes.DONE
    if folds is not None:
        runs = out or data / "runs" / "folds"
        train = partial(cross_validate_sources, sources, config, runs, loaded=tell)
        train = partial(train, force=force, resume=resume)
        return _train_folds(train, folds, config.steps, (quiet, verbose, as_json))
    report = reporter(config.steps, quiet, verbose)
    run = out or data / "runs" / "gradtrack"
    result = train_sources(
        sources, config, run, force=force, resume=resume, loaded=tell, report=report
    )
    show_result(result, quiet, as_json)
    return exit_codes.DONE if result.stopped_by is None else exit_codes.of_signal(result.stopped_by)


def _chosen(data: Path, given: dict[str, Any], quiet: bool) -> tuple[TrainConfig, Sources]:
    """Return settings and sources of the options, and say which gaze trains.

    The options are taken out of `given`.
    """
    from gradtrack_model.computed import Computed
    from gradtrack_model.data.gaze import choose_gaze
    from gradtrack_model.data.sources import discover
    from gradtrack_model.settings import load_config, map_settings

    preset, file = given.pop("preset"), given.pop("config_file")
    settings, options = given.pop("settings"), settings_of(given)
    config = load_config(preset, file, settings, options)
    asked = map_settings(file, settings, options)
    need_gaze = config.method != "full"
    sources = discover(data, need_gaze=need_gaze, map_settings=asked, **given)
    if not quiet:
        gaze = choose_gaze(sources, config)
        trained = gaze.trained(config)
        click.echo(gaze.line, err=True)
        click.echo(f"computes {Computed(trained).line}", err=True)
    return config, sources


def _train_folds(
    train: Callable[..., CrossValidation], folds: int, steps: int, how: tuple[bool, bool, bool]
) -> int:
    """Let `train` train a network for each fold, show what came of it, and return the exit code."""
    quiet, verbose, as_json = how
    reports: dict[int, Callable[[Progress], None]] = {}

    def report(fold: int, progress: Progress) -> None:
        if fold not in reports:
            reports[fold] = reporter(steps, quiet, verbose)
            if not quiet:
                click.echo(f"fold {fold}/{folds}", err=True)
        reports[fold](progress)

    found = train(folds=folds, report=report)
    if found.stopped_by is not None:
        if not quiet:
            click.echo("stopped; --resume goes on", err=True)
        return exit_codes.of_signal(found.stopped_by)
    show_folds(found, quiet, as_json)
    return exit_codes.DONE


class _Target(NamedTuple):
    """Where a data set for nnU-Net goes."""

    out: Path
    name: str
    force: bool
    soft: bool


def _show_findings(sources: Sources, config: DataConfig, quiet: bool, as_json: bool) -> int:
    """Print what is wrong with the data.

    Returned is the exit code of unusable data where training would stop.
    """
    from gradtrack_model.data.checks import check

    findings = check(sources, config)
    fatal = sum(finding.fatal for finding in findings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(
                f"{'error' if finding.fatal else 'note'}: {quote(finding.image_id)}: {finding.what}"
            )
        if not quiet:
            click.echo(f"{len(findings)} findings, {fatal} of them would stop training", err=True)
    return exit_codes.DATA if fatal else exit_codes.DONE


def _show_nnunet(
    sources: Sources, config: DataConfig, target: _Target, quiet: bool, as_json: bool
) -> int:
    """Write the data set for nnU-Net, and say what to do with it."""
    from gradtrack_model.data.nnunet import write_nnunet
    from gradtrack_model.nnunet import FOLDER, TRAINER

    written = write_nnunet(
        sources, config, target.out, target.name, force=target.force, soft=target.soft
    )
    if as_json or not quiet:
        show_plan(written, as_json)
    if not (as_json or quiet):
        raw = Path(written["folder"])
        number, beside = raw.name[7:10], raw.parent.parent
        places = " ".join(f"{name}={shlex.quote(str(beside / name))}" for name in _NNUNET_VARIABLES)
        trainer = ""
        if target.soft:
            places += f" nnUNet_extTrainer={shlex.quote(str(FOLDER))}"
            trainer = f" -tr {TRAINER}"
        plan, train = f"nnUNetv2_plan_and_preprocess -d {number} -c 2d", f"{number} 2d 0{trainer}"
        click.echo(f"next: export {places}")
        click.echo(f"      {plan}; nnUNetv2_train {train}")
    return 0


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options that are settings out of `given`, under their dotted names."""
    names = {"encoder": "model.encoder"} | {
        name: f"maps.{name}" for name in ("levels", "radius", "drop_first")
    }
    plain = ("method", "steps", "batch_size", "image_size", "seed", "device")
    return {
        key: given.pop(name, None)
        for name, key in {**names, **{name: name for name in plain}}.items()
    }
