"""The public verbs: train, predict, evaluate, compare and export, as functions.

The commands ``gradtrack-train`` and so on parse, call these, and print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np

from gazetrack.errors import ConfigError, DataError, quote, refuse_other_type
from gazetrack.maps.parameters import MapParams
from gradtrack_model import parallel
from gradtrack_model.config import TrainConfig
from gradtrack_model.data.image_files import find_images, read_mask
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.evaluation.evaluate import Evaluation, Score, evaluate_folder
from gradtrack_model.evaluation.in_memory import Segmentation, segment
from gradtrack_model.evaluation.metrics import score
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.settings import load_config, map_settings
from gradtrack_model.study.comparison import Comparison, compare_methods
from gradtrack_model.study.jobs import Job
from gradtrack_model.study.report.html import installed
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training import loop
from gradtrack_model.weights.checkpoint import Checkpoint, load_model
from gradtrack_model.weights.export import export_model
from gradtrack_model.weights.hub import save_pretrained

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    import numpy.typing as npt

    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.evaluation.in_memory import AnyImage
    from gradtrack_model.study.jobs import Result
    from gradtrack_model.training.loop import Progress, TrainResult

    AnyMasks: TypeAlias = (
        str
        | Path
        | Segmentation
        | npt.NDArray[np.bool_]
        | Mapping[str, npt.NDArray[np.bool_]]
        | Sequence[Segmentation]
        | Sequence[npt.NDArray[np.bool_]]
    )

_MASKS_HINT = "give folders, what predict returns, or bool arrays of shape (H, W)"
_PATHS = ("images", "masks", "maps", "train_ids", "val_ids", "test_ids", "split")


class Parts(TypedDict, total=False):
    """Parts of a data set that do not lie where `discover` looks for them, as keyword arguments."""

    images: str | Path | None
    masks: str | Path | None
    fixations: str | Path | Sequence[str | Path]
    maps: str | Path | None
    train_ids: str | Path | None
    val_ids: str | Path | None
    test_ids: str | Path | None
    split: str | Path | None
    placement: str | None
    case: str | None
    allow_changes: bool
    allow_overlap: bool


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
        Go on with the run that is there, to the same result as without a pause.
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
    sources = discover(folder, need_gaze=need_gaze, map_settings=asked, **_as_paths(parts))
    run = folder / "runs" / "gradtrack" if out is None else Path(out)
    return train_sources(
        sources, config, run, force=force, resume=resume, loaded=loaded, report=report
    )


def _not_default(maps: MapParams) -> tuple[str, ...]:
    """Return the names of the map parameters that somebody has chosen."""
    default = MapParams()
    names = [field.name for field in fields(maps)]
    return tuple(name for name in names if getattr(maps, name) != getattr(default, name))


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
    found = load_data(sources, config)
    if loaded is not None:
        loaded(found)
    result = loop.train(config, found, out, force=force, resume=resume, report=report)
    # The report is written here, where the data are in memory, and by one process alone.
    if installed() and parallel.rank() == 0 and result.stopped_by is None:
        write_run_report(result.folder, found)
    return result


def predict(
    model: Checkpoint | str | Path,
    images: AnyImage | Sequence[AnyImage],
    *,
    device: str = "auto",
    tta: bool = False,
    batch_size: int = 8,
    image_size: int | None = None,
    threshold: float | None = None,
) -> list[Segmentation]:
    """Segment images at hand; `predict_folder` writes files, as ``gradtrack-predict`` does.

    Parameters
    ----------
    model : Checkpoint or path-like
        What `load_model` returns, or what it takes: a run folder, or ``kvasir-lite``.
    images : image or sequence of images
        Arrays of uint8 of shape (H, W) or (H, W, 3), pictures of Pillow, files, or folders.
    device : {"auto", "cpu", "cuda"}
        Where to compute; ``auto`` is a GPU when there is one.
    tta : bool
        Average over the four flips of the image.
    batch_size : int
        Number of images at once.
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    threshold : float, optional
        Probability above which a pixel is foreground; by default that of the validation.

    Returns
    -------
    list of Segmentation
        ``mask`` and ``probability`` of each image at its own size.

    Raises
    ------
    GazetrackError
        No such network, a file that cannot be read, or an array that is no picture.

    Examples
    --------
    >>> network = gradtrack_model.load_model("kvasir-lite")  # doctest: +SKIP
    >>> found = gradtrack_model.predict(network, "images")  # doctest: +SKIP
    >>> found[0].mask.shape, found[0].share  # doctest: +SKIP
    ((480, 640), 0.13)
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_model(model)
    options = PredictOptions(
        tta=tta,
        batch_size=batch_size,
        device=loop.pick_device(device),
        image_size=image_size,
        threshold=threshold,
    )
    return segment(checkpoint, images, options)


def evaluate(
    predictions: AnyMasks,
    masks: AnyMasks,
    *,
    out: str | Path | None = None,
    ids: str | Path | None = None,
    against: str | Path | None = None,
) -> Evaluation:
    """Compare predicted masks with reference masks, as ``gradtrack-evaluate`` does.

    Parameters
    ----------
    predictions, masks : path-like, mapping, sequence or ndarray
        Folders of masks, gray above 127 being foreground; masks of bool by image id; what `predict`
        returns; or masks of bool, which are then matched by their place; or one mask.
    out : path-like, optional
        Folder for ``evaluation.csv`` and ``summary.json``, of two folders; nothing is written
        without.
    ids : path-like, optional
        A file of image ids, one a line: of two folders, only these count.
    against : path-like, optional
        ``evaluation.csv`` of another run, to be compared with image by image, of two folders.

    Returns
    -------
    Evaluation
        ``summary()`` has the mean of each measure with its bootstrap interval; ``scores`` has each
        image's.

    Raises
    ------
    DataError
        There is nothing to compare, two predictions have one name, or an array is no mask: it is
        not two-dimensional, or holds probabilities.

    Examples
    --------
    >>> found = gradtrack_model.predict("kvasir-lite", "images")  # doctest: +SKIP
    >>> gradtrack_model.evaluate(found, "masks").summary()["dice"]["mean"]  # doctest: +SKIP
    0.86
    """
    if isinstance(predictions, str | Path) and isinstance(masks, str | Path):
        return evaluate_folder(
            Path(predictions),
            Path(masks),
            None if out is None else Path(out),
            None if ids is None else Path(ids),
            None if against is None else Path(against),
        )
    if not (out is None and ids is None and against is None):
        raise ConfigError("out, ids or against without two folders", hint="give folders of masks")
    ours = _masks_by_id(predictions)
    theirs = _masks_by_id(masks)
    both = [name for name in ours if name in theirs]
    if not both:
        what = f"no prediction has a mask of its name ({len(ours)} and {len(theirs)})"
        raise DataError(what, hint="give masks by the same ids, or as many of each in one order")
    return Evaluation(
        scores=tuple(_score(name, ours[name], theirs[name]) for name in sorted(both)),
        without_prediction=tuple(name for name in theirs if name not in ours),
        without_mask=tuple(name for name in ours if name not in theirs),
        n_wanted=len(theirs),
    )


def _masks_by_id(masks: AnyMasks) -> dict[str, npt.NDArray[np.bool_]]:
    if isinstance(masks, str | Path):
        return {name: read_mask(ref) for name, ref in find_images(Path(masks)).items()}
    if isinstance(masks, Segmentation):
        masks = [masks]
    if isinstance(masks, Mapping):
        return {name: _as_mask(mask, name) for name, mask in masks.items()}
    if isinstance(masks, np.ndarray) and masks.ndim == 2:
        masks = [masks]
    wanted = (list, tuple, np.ndarray)
    refuse_other_type(masks, wanted, "a side of the comparison", _MASKS_HINT)
    found: dict[str, npt.NDArray[np.bool_]] = {}
    for number, one in enumerate(masks):
        name = one.name if isinstance(one, Segmentation) else str(number)
        if name in found:
            what = f"two predictions are called {quote(name)!r}"
            raise DataError(what, hint="give a mapping of masks under names of their own")
        found[name] = _as_mask(one.mask if isinstance(one, Segmentation) else one, name)
    return found


def _as_mask(mask: Any, name: str) -> npt.NDArray[np.bool_]:
    """Return an array as a mask; what would become one only by a threshold is refused."""
    array = np.asarray(mask)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        what = f"mask {quote(name)!r} is {array.dtype} of shape {array.shape}"
        raise DataError(what, hint=_MASKS_HINT)
    if array.dtype == np.bool_:
        return array
    # Of other types, all that is not background has to be of one value, such as 1 or 255.
    values = np.unique(array)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        what = f"mask {quote(name)!r} holds {len(values)} values of type {array.dtype}"
        raise DataError(what, hint="apply a threshold first, such as probability > 0.5")
    return array.astype(np.bool_)


def _score(name: str, predicted: npt.NDArray[np.bool_], mask: npt.NDArray[np.bool_]) -> Score:
    if predicted.shape != mask.shape:
        what = f"the mask of {name} has shape {mask.shape}, its prediction {predicted.shape}"
        return Score(name, error=DataError(what, hint="predict at the size of the image"))
    return Score(name, score(predicted, mask), int(predicted.sum()), int(mask.sum()))


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
    sources = discover(data, need_gaze=need_gaze, map_settings=asked, **_as_paths(parts))
    jobs = []
    for seed in seeds:
        for name in methods:
            own = {**settings, "method": name, "seed": seed}
            config = load_config(preset, file, typed, own)
            jobs.append(Job(config.method, config.seed, config, sources))
    return jobs


def export(
    model: Checkpoint | str | Path,
    out: str | Path,
    *,
    half: bool = False,
    tracks: bool = False,
) -> Path:
    """Write a network for other programs, as ``gradtrack-export`` does.

    Parameters
    ----------
    model : Checkpoint or path-like
        What `load_model` returns, or what it takes.
    out : path-like
        ``FILE.onnx``, ``FILE.pt2`` (torch.export), or a folder in the layout of Hugging Face.
    half : bool
        Store float16, which is half the size.
    tracks : bool
        Also give the predicted track maps; not in a folder.

    Returns
    -------
    pathlib.Path
        What was written, after it was compared with the original on images of two sizes.

    Raises
    ------
    GazetrackError
        A package that is needed is not installed, or the file cannot be written.

    Examples
    --------
    >>> gradtrack_model.export("kvasir-lite", "kvasir-lite.onnx")  # doctest: +SKIP
    PosixPath('kvasir-lite.onnx')
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_model(model)
    target = Path(out)
    if not target.suffix:
        return save_pretrained(checkpoint, target, half=half)
    return export_model(checkpoint, target, half=half, tracks=tracks).path


def _as_paths(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts with paths where a user may have given texts."""
    found = dict(parts)
    for name in _PATHS:
        if found.get(name) is not None:
            found[name] = Path(found[name])
    if "fixations" in found:
        given = found["fixations"]
        listed = [given] if isinstance(given, str | Path) else given
        found["fixations"] = tuple(Path(path) for path in listed)
    return found
