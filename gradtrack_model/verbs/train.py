"""Train a segmentation network on gaze."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import MapParams
from gazetrack.publish import refuse_input_folder
from gradtrack_model import parallel
from gradtrack_model.config import TrainConfig
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config, map_settings
from gradtrack_model.study.report.html import installed
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training import loop
from gradtrack_model.training.loggers import check_loggers
from gradtrack_model.training.preflight import check_machine
from gradtrack_model.training.replaced import refuse_in_the_way
from gradtrack_model.training.run_folder import refuse_run
from gradtrack_model.verbs.parts import Parts, as_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.training.loop import Progress, TrainResult


def train(
    data: str | Path = ".",
    preset: str | TrainConfig = "default",
    *,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    loaded: Callable[[TrainingData], None] | None = None,
    report: Callable[[Progress], None] | None = None,
    **parts: Unpack[Parts],
) -> TrainResult:
    """Train a segmentation network on gaze, as the command ``gradtrack-train`` does.

    Parameters
    ----------
    data : path-like
        Folder of the data set: images, and gaze as fixation tables or maps.
    preset : str or TrainConfig
        A preset such as ``tiny`` or ``polyp``, or a whole configuration.
    settings : mapping, optional
        Settings over those of the preset, by dotted keys, such as
        ``{"steps": 500, "optimizer.lr": 1e-3, "method": "heatmap"}``.
    out : path-like, optional
        The run folder; ``runs/gradtrack`` in that of the data by default.
    force : bool
        Replace a run that is there.
    resume : bool
        Go on with the run that is there, to the same result as without a pause; with more steps
        than it was begun with, extend it.
    loaded : callable, optional
        Called with the data when they are read, before the first step.
    report : callable, optional
        Called with a `Progress` after every step.
    **parts
        Parts of the data set that lie elsewhere, such as `images`, `masks` and `val_ids`; see
        `gradtrack_model.data.sources.discover`.

    Returns
    -------
    TrainResult
        The run folder, the best step and its validation. `load_model` takes the folder.

    Raises
    ------
    GazetrackError
        The data set is not complete, a setting is unknown, or the folder holds a run.

    Examples
    --------
    >>> result = gradtrack_model.train("demo", "tiny", settings={"steps": 50})  # doctest: +SKIP
    >>> result.best["val_dice"]  # doctest: +SKIP
    0.71
    """
    folder = Path(data)
    if isinstance(preset, TrainConfig):
        if settings:
            what = "a configuration and settings"
            raise ConfigError(what, hint="put the settings into the configuration")
        config = preset
        asked = _not_default(config.maps)
    else:
        config = load_config(preset, overrides=settings)
        asked = map_settings(overrides=settings)
    need_gaze = config.method != "full"
    sources = discover(folder, need_gaze=need_gaze, map_settings=asked, **as_paths(parts))
    run = folder / "runs" / "gradtrack" if out is None else Path(out)
    return train_sources(
        sources, config, run, force=force, resume=resume, loaded=loaded, report=report
    )


def train_sources(
    sources: Sources,
    config: TrainConfig,
    out: Path,
    *,
    force: bool = False,
    resume: bool = False,
    loaded: Callable[[TrainingData], None] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> TrainResult:
    """Train on a data set whose parts are found, and write the report of the run.

    Parameters
    ----------
    sources : Sources
        Where images, masks and gaze lie, as `gradtrack_model.data.sources.discover` found them.
    config : TrainConfig
        The settings of the training, as `load_config` gives them.
    out : pathlib.Path
        The folder that the run is written to.
    force, resume, loaded, report
        Described at `train`, and meant alike here.
    """
    refuse_both(force=force, resume=resume)
    with parallel.joined():
        # What would stop the run anyway is said before minutes go by with reading images.
        refuse_input_folder([out], [sources.images, sources.masks])
        if parallel.is_first() and not (force or resume):
            refuse_run(out)
        if parallel.is_first() and force:
            refuse_in_the_way(out)
        check_machine(config.device, config.model, config.optimizer)
        check_loggers(config.loggers)
        found = load_data(sources, config)
        if loaded is not None:
            loaded(found)
        result = loop.train(config, found, out, force=force, resume=resume, report=report)
        # The report is written here, where the data are in memory, and by one process alone.
        if installed() and parallel.is_first() and result.stopped_by is None:
            write_run_report(result.folder, found)
    return result


def refuse_both(*, force: bool, resume: bool) -> None:
    """Refuse to replace a run and to go on with it at once.

    Parameters
    ----------
    force, resume : bool
        As in `train`: replace the run that is there, or go on with it.

    Raises
    ------
    ConfigError
        Both are asked for.
    """
    if force and resume:
        what = "--force replaces the run, and --resume goes on with it"
        raise ConfigError(what, hint="give one of them")


def _not_default(maps: MapParams) -> tuple[str, ...]:
    """Return the names of the map parameters that somebody has chosen."""
    default = MapParams()
    names = [field.name for field in fields(maps)]
    return tuple(name for name in names if getattr(maps, name) != getattr(default, name))
