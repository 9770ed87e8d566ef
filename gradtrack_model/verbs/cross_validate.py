"""Train as many networks as there are folds, each validated on the images it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from gazetrack.errors import ConfigError
from gradtrack_model.data.sources import discover
from gradtrack_model.parallel import world
from gradtrack_model.settings import load_config, map_settings
from gradtrack_model.study.folds import CrossValidation, make_folds, summarise, write_summary
from gradtrack_model.training.run_folder import refuse_run
from gradtrack_model.verbs.parts import Parts, as_paths
from gradtrack_model.verbs.train import refuse_both, train_sources
from gradtrack_model.weights.ensemble import FOLDS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.training.loop import Progress


def cross_validate(
    data: str | Path = ".",
    preset: str = "default",
    *,
    folds: int = 5,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    report: Callable[[int, Progress], None] | None = None,
    **parts: Unpack[Parts],
) -> CrossValidation:
    """Train a network for each fold of a data set, as ``gradtrack-train --folds`` does.

    Training and validation images are shared out by their cases; test images stay out of all folds.
    All networks have the same settings and the same seed.

    Parameters
    ----------
    data : path-like
        Folder of the data set: images, and gaze as fixation tables or maps.
    preset : str
        A preset such as ``tiny`` or ``polyp``.
    folds : int
        How many folds there are, at least two.
    settings : mapping, optional
        Settings over those of the preset, by dotted keys.
    out : path-like, optional
        Folder of all runs, ``fold-1`` and so on, and of ``folds.json``; ``runs/folds`` in that of
        the data by default.
    force : bool
        Replace the runs that are there.
    resume : bool
        Go on with what is there; a fold that is complete is left as it is.
    report : callable, optional
        Called with the number of the fold and a `Progress` after every step.
    **parts
        Parts of the data set that lie elsewhere, as for `train`.

    Returns
    -------
    CrossValidation
        ``summary`` has the figures of every fold, and over all. `predict` takes its ``folder``, and
        averages what the networks say.

    Raises
    ------
    GazetrackError
        The data set is not complete or has fewer cases than folds, or the folder holds a run.

    Examples
    --------
    >>> found = gradtrack_model.cross_validate("demo", "tiny", folds=3)  # doctest: +SKIP
    >>> found.summary["last"]["val_dice"]["mean"]  # doctest: +SKIP
    0.7
    """
    folder = Path(data)
    config = load_config(preset, overrides=settings)
    need_gaze = config.method != "full"
    asked = map_settings(overrides=settings)
    sources = discover(folder, need_gaze=need_gaze, map_settings=asked, **as_paths(parts))
    runs = folder / "runs" / "folds" if out is None else Path(out)
    return cross_validate_sources(
        sources, config, runs, folds=folds, force=force, resume=resume, report=report
    )


def cross_validate_sources(
    sources: Sources,
    config: TrainConfig,
    out: Path,
    *,
    folds: int,
    force: bool = False,
    resume: bool = False,
    loaded: Callable[[TrainingData], None] | None = None,
    report: Callable[[int, Progress], None] | None = None,
) -> CrossValidation:
    """Train a network for each fold of a data set whose parts are found.

    Parameters
    ----------
    sources : Sources
        Where images, masks and gaze lie, as `gradtrack_model.data.sources.discover` found them.
    config : TrainConfig
        The settings of all networks, the seed included.
    out : pathlib.Path
        The folder that the runs of all folds are written to.
    folds, force, resume, report
        Described at `cross_validate`, and meant alike here.
    loaded : callable, optional
        Called with the data of each fold when they are read.

    Returns
    -------
    CrossValidation

    Raises
    ------
    GazetrackError
        As in `cross_validate`.
    """
    if world() > 1:
        what = f"a cross-validation in {world()} processes"
        raise ConfigError(what, hint="leave out torchrun; it is for one network")
    refuse_both(force=force, resume=resume)
    # A run beside its folds would be taken for what they are.
    refuse_run(out)
    if not (force or resume):
        for number in range(1, folds + 1):
            refuse_run(out / f"fold-{number}")
    made = make_folds(sources, config, out, folds=folds, seed=config.seed, resume=resume)
    # Until all folds are there again, nobody takes old ones and new ones for one cross-validation.
    (out / FOLDS_FILE).unlink(missing_ok=True)
    results = []
    data: list[TrainingData] = []

    def read(found: TrainingData) -> None:
        data.append(found)
        if loaded is not None:
            loaded(found)

    for fold in made:
        number = fold.number
        tell = None if report is None else lambda p, number=number: report(number, p)
        result = train_sources(
            fold.sources, config, fold.folder, force=force, resume=resume, loaded=read, report=tell
        )
        results.append(result)
        if result.stopped_by is not None:
            return CrossValidation(
                folder=out, results=tuple(results), summary={}, stopped_by=result.stopped_by
            )
    summary = summarise(made, results, data, config.seed)
    write_summary(out, summary)
    return CrossValidation(folder=out, results=tuple(results), summary=summary)
