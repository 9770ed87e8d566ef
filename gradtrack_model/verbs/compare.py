"""Train several methods on one data set and compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config, map_settings
from gradtrack_model.study.comparison import Comparison, compare_methods
from gradtrack_model.study.jobs import Job
from gradtrack_model.verbs.parts import Parts, as_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradtrack_model.study.jobs import Result
    from gradtrack_model.training.loop import Progress


def compare(
    data: str | Path = ".",
    methods: str | Sequence[str] = ("gradtrack", "heatmap"),
    *,
    seeds: int | Sequence[int] = (0,),
    preset: str = "default",
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    reference: str | None = None,
    tta: bool = False,
    force: bool = False,
    prune: bool = False,
    report: Callable[[Job, Progress], None] | None = None,
    tell: Callable[[Result], None] | None = None,
    **parts: Unpack[Parts],
) -> Comparison:
    """Train several methods on one data set, evaluate each, and write a table of them.

    As the command ``gradtrack-compare`` does. A call after an interruption goes on where that was.

    Parameters
    ----------
    data : path-like
        Folder of the data set. Its validation images need masks.
    methods : str or sequence of str
        Names of methods, such as ``gradtrack``, ``heatmap`` and ``full``.
    seeds : int or sequence of int
        Each method is trained once with every seed.
    preset : str
        A preset such as ``tiny``, the same for all methods.
    settings : mapping, optional
        Settings over those of the preset, by dotted keys, the same for all methods.
    out : path-like, optional
        Folder for it all; ``comparison`` in that of the data by default.
    reference : str, optional
        The method the others are compared with; the first one by default.
    tta : bool
        Average over the four flips of each image.
    force : bool
        Train again what is there.
    prune : bool
        End runs that are hopeless beside the whole ones before them; the table says which. Without,
        runs that were so ended go on.
    report : callable, optional
        Called with the job and a `Progress` after every training step.
    tell : callable, optional
        Called with every result as it comes.
    **parts
        Parts of the data set that lie elsewhere, as for `train`.

    Returns
    -------
    Comparison
        ``lines`` is the table: a line per method, with intervals.

    Raises
    ------
    GazetrackError
        The data set is not complete, or a method or a setting is unknown.

    Examples
    --------
    >>> methods = ["gradtrack", "full"]
    >>> found = gradtrack_model.compare("demo", methods, preset="tiny")  # doctest: +SKIP
    >>> [line["method"] for line in found.lines]  # doctest: +SKIP
    ['gradtrack', 'full']
    """
    folder = Path(data)
    methods = [methods] if isinstance(methods, str) else methods
    seeds = [seeds] if isinstance(seeds, int) else seeds
    jobs = study_jobs(folder, methods, seeds, (preset, None, ()), settings or {}, **parts)
    return compare_methods(
        jobs,
        folder / "comparison" if out is None else Path(out),
        reference=reference,
        flips=tta,
        force=force,
        prune=prune,
        report=report,
        tell=tell,
    )


def study_jobs(
    data: Path,
    methods: Sequence[str],
    seeds: Sequence[int],
    source: tuple[str, str | Path | None, Sequence[str]],
    settings: Mapping[str, Any],
    **parts: Unpack[Parts],
) -> list[Job]:
    """Return what a comparison has to train: every method with every seed.

    Parameters
    ----------
    data, methods, seeds, settings, **parts
        Described at `compare`, and meant alike here.
    source : (str, path-like or None, sequence of str)
        Preset, TOML file, and settings such as ``a.b=c``; see `load_config`.
    """
    preset, file, typed = source
    need_gaze = any(name != "full" for name in methods)
    asked = map_settings(file, typed, settings)
    sources = discover(data, need_gaze=need_gaze, map_settings=asked, **as_paths(parts))
    jobs = []
    for seed in seeds:
        for name in methods:
            own = {**settings, "method": name, "seed": seed}
            config = load_config(preset, file, typed, own)
            jobs.append(Job(config.method, config.seed, config, sources))
    return jobs
