"""Fit the temperature of a network: what makes its probabilities what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.publish import refuse_overwrite
from gradtrack_model.evaluation.calibrate import calibrate_folder, validation_ids
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.evaluation.temperature import (
    Temperature,
    beside,
    read_temperature,
    write_temperature,
)
from gradtrack_model.training import loop
from gradtrack_model.weights.checkpoint import Checkpoint, released
from gradtrack_model.weights.ensemble import Ensemble, as_ensemble, load_ensemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def calibrate(
    model: Checkpoint | Ensemble | str | Path | Sequence[str | Path],
    images: str | Path,
    masks: str | Path,
    *,
    ids: str | Path | None = None,
    out: str | Path | None = None,
    tta: bool = False,
    image_size: int | None = None,
    batch_size: int = 8,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Temperature, Path]:
    """Fit the temperature of a network on validation images, as ``gradtrack-calibrate`` does.

    Parameters
    ----------
    model : Checkpoint, Ensemble, path-like or sequence of path-like
        What `load_model` returns, or what it takes: a run folder, or ``kvasir-lite``.
    images, masks : path-like
        Folders of images and of reference masks, matched by their stems.
    ids : path-like, optional
        A file of image ids, one a line. By default the validation images of the run, where there is
        one, else all images that have a mask.
    out : path-like, optional
        The JSON file to write; by default beside the weights file, such as
        ``runs/gradtrack/best.temperature.json``.
    tta : bool
        Fit it for the mean over the four flips of an image.
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    batch_size : int
        Number of images at once.
    device : {"auto", "cpu", "cuda"}
        Where to compute; ``auto`` is a GPU when there is one.
    progress : callable, optional
        Called with the number of images done and of all.

    Returns
    -------
    Temperature, pathlib.Path
        The temperature, and the file that holds it.

    Raises
    ------
    ConfigError
        Several networks, or a released one, and no `out`.
    DataError
        One of the images was trained on or is kept for testing, or no temperature can be fitted.
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> found, path = gradtrack_model.calibrate(  # doctest: +SKIP
    ...     "runs/gradtrack", "images", "masks"
    ... )
    >>> found.value, found.measured["ece_before"], found.measured["ece_after"]  # doctest: +SKIP
    (1.4, 0.021, 0.009)
    """
    if isinstance(model, str | Path):
        model = [model]
    networks = model if isinstance(model, Checkpoint | Ensemble) else load_ensemble(model)
    ensemble = as_ensemble(networks)
    path = _place(ensemble, out)
    refuse_overwrite(path, [one.path for one in ensemble.members] + ([] if ids is None else [ids]))
    _refuse_foreign(path)
    options = PredictOptions(
        tta=tta,
        batch_size=batch_size,
        image_size=image_size,
        ids=validation_ids(None if ids is None else Path(ids)),
        device=loop.pick_device(device),
    )
    found = calibrate_folder(Path(images), Path(masks), ensemble, options, progress=progress)
    write_temperature(path, found)
    return found, path


def _refuse_foreign(path: Path) -> None:
    """Refuse to replace what is no temperature, such as somebody's picture."""
    try:
        read_temperature(path)
    except InputError as error:
        if path.exists():
            what = "exists and is no temperature"
            raise OutputError(what, path=path, hint="choose another --out") from error


def _place(ensemble: Ensemble, out: str | Path | None) -> Path:
    """Return the file of a temperature."""
    if out is not None:
        return Path(out)
    first = ensemble.first
    if len(ensemble.members) > 1:
        raise ConfigError("the temperature of several networks has no place", hint="give --out")
    if first.path in released().values():
        what = "a released network lies among the files of the package"
        raise ConfigError(what, hint="give --out, such as kvasir-lite.temperature.json")
    return beside(first)
