"""Compare predicted masks with reference masks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, DataError, quote, refuse_other_type
from gradtrack_model.data.image_files import find_images, read_mask
from gradtrack_model.evaluation.evaluate import Evaluation, Score, evaluate_folder
from gradtrack_model.evaluation.in_memory import Segmentation
from gradtrack_model.evaluation.metrics import score
from gradtrack_model.evaluation.volume_scores import Tolerances, slice_surfaces
from gradtrack_model.study.report.evaluation import write_evaluation_report
from gradtrack_model.study.report.html import require_jinja2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    import numpy.typing as npt

    AnyMasks: TypeAlias = (
        str
        | Path
        | Segmentation
        | npt.NDArray[np.bool_]
        | Mapping[str, npt.NDArray[np.bool_]]
        | Sequence[Segmentation]
        | Sequence[npt.NDArray[np.bool_]]
    )

# Arrays tell nothing of the size of their pixels.
_UNKNOWN_MM = (math.nan, math.nan)
_MASKS_HINT = "give folders, what predict returns, or bool arrays of shape (H, W)"


def evaluate(
    predictions: AnyMasks,
    masks: AnyMasks,
    *,
    out: str | Path | None = None,
    ids: str | Path | None = None,
    against: str | Path | None = None,
    images: str | Path | None = None,
    tolerances: Tolerances | None = None,
    html: bool = False,
    progress: Callable[[int, int], None] | None = None,
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
    images : path-like, optional
        Folder of the images of two folders of masks, by the same stems: their headers tell spacing
        and slices of masks that tell none, such as pictures.
    tolerances : Tolerances, optional
        Distances that still count as agreement in the surface Dice; 2 mm and 2 pixels by default.
    html : bool
        Also write ``report.html`` to `out`: measures, reliability diagram, referral curve.
    progress : callable, optional
        Called with the number of images done and of all, of two folders.

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
        folder = None if out is None else Path(out)
        other = None if against is None else Path(against)
        listed = None if ids is None else Path(ids)
        if html:
            _check_html(folder)
        found = evaluate_folder(
            Path(predictions),
            Path(masks),
            folder,
            listed,
            other,
            images=None if images is None else Path(images),
            tolerances=tolerances,
            progress=progress,
        )
        if html and folder is not None:
            write_evaluation_report(folder, found, Path(predictions), other)
        return found
    if html or not (out is None and ids is None and against is None and images is None):
        what = "out, ids, against or images without two folders"
        raise ConfigError(what, hint="give folders of masks")
    ours = _masks_by_id(predictions)
    theirs = _masks_by_id(masks)
    tolerances = tolerances or Tolerances()
    both = [name for name in ours if name in theirs]
    if not both:
        what = f"no prediction has a mask of its name ({len(ours)} and {len(theirs)})"
        raise DataError(what, hint="give masks by the same ids, or as many of each in one order")
    return Evaluation(
        scores=tuple(_score(name, ours[name], theirs[name], tolerances) for name in sorted(both)),
        without_prediction=tuple(name for name in theirs if name not in ours),
        without_mask=tuple(name for name in ours if name not in theirs),
        n_wanted=len(theirs),
        tolerances=tolerances,
    )


def _check_html(out: Path | None) -> None:
    """Refuse a page without a place, or without what writes it, before anything is measured."""
    if out is None:
        raise ConfigError("html without out", hint="say where the page is to be written")
    require_jinja2()


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


def _score(
    name: str,
    predicted: npt.NDArray[np.bool_],
    mask: npt.NDArray[np.bool_],
    tolerances: Tolerances,
) -> Score:
    if predicted.shape != mask.shape:
        what = f"the mask of {name} has shape {mask.shape}, its prediction {predicted.shape}"
        return Score(name, error=DataError(what, hint="predict at the size of the image"))
    return Score(
        name,
        score(predicted, mask),
        int(predicted.sum()),
        int(mask.sum()),
        surfaces=slice_surfaces(predicted, mask, _UNKNOWN_MM, tolerances),
    )
