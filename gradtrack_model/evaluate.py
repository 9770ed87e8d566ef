"""Evaluation: predicted masks against reference masks, image by image, at the reference's size."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError, GazetrackError
from gazetrack.publish import write_json, write_text
from gradtrack_model.data import find_images, read_ids, read_mask
from gradtrack_model.metrics import EMPTY_POLICY, dice_and_iou

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Score:
    """One image's result.

    Parameters
    ----------
    image_id : str
        The image.
    dice, iou : float or None
        None after an error.
    predicted_px, mask_px : int
        Foreground pixels.
    error : GazetrackError or None
        Why there is no result.
    """

    image_id: str
    dice: float | None = None
    iou: float | None = None
    predicted_px: int = 0
    mask_px: int = 0
    error: GazetrackError | None = None


@dataclass(frozen=True)
class Evaluation:
    """All results.

    Parameters
    ----------
    scores : tuple of Score
        Sorted by image id.
    without_prediction, without_mask : tuple of str
        Ids that could not be compared.
    n_wanted : int
        Images that should have a result: those of `ids`, else all that have a mask.
    """

    scores: tuple[Score, ...]
    without_prediction: tuple[str, ...]
    without_mask: tuple[str, ...]
    n_wanted: int

    @property
    def complete(self) -> bool:
        """Whether every image that should have a result has one."""
        return sum(score.error is None for score in self.scores) == self.n_wanted

    def summary(self) -> dict[str, Any]:
        """Return plain JSON values: number of images, and mean, standard deviation and median of Dice and IoU."""
        return {
            "n": sum(score.error is None for score in self.scores),
            "n_wanted": self.n_wanted,
            "dice": _describe([score.dice for score in self.scores if score.dice is not None]),
            "iou": _describe([score.iou for score in self.scores if score.iou is not None]),
            "empty_masks": EMPTY_POLICY,
            "failed": {score.image_id: str(score.error) for score in self.scores if score.error is not None},
            "without_prediction": list(self.without_prediction),
            "without_mask": list(self.without_mask),
        }


def evaluate_folder(predictions: Path, masks: Path, out: Path, ids: Path | None = None) -> Evaluation:
    """Compare two folders of masks, matched by file stem; write ``evaluation.csv`` and ``summary.json`` to `out`.

    Parameters
    ----------
    predictions, masks : pathlib.Path
        Folders; gray above 127 is foreground.
    out : pathlib.Path
        Output folder.
    ids : pathlib.Path, optional
        Image ids, one a line: only these count, and each one must be there. By default all that have a mask.

    Returns
    -------
    Evaluation
        A mask of another size than its prediction is that image's error; the others are done.

    Raises
    ------
    DataError
        Nothing to compare.
    InputError, OutputError
        A folder is missing; `out` cannot be written.
    """
    predicted, reference = find_images(predictions), find_images(masks)
    wanted = sorted({*predicted, *reference}) if ids is None else sorted(set(read_ids(ids)))
    both = [i for i in wanted if i in predicted and i in reference]
    if not both:
        what = f"no prediction has a mask of its name ({len(predicted)} predictions, {len(reference)} masks)"
        raise DataError(what, path=predictions, hint="file stems must match")
    scores = tuple(_score(i, predicted[i], reference[i]) for i in both)
    no_prediction = tuple(i for i in wanted if i not in predicted)
    no_mask = tuple(i for i in wanted if i not in reference)
    result = Evaluation(scores, no_prediction, no_mask, len(reference if ids is None else wanted))
    write_text(out / "evaluation.csv", _csv(result))
    write_json(out / "summary.json", result.summary())
    return result


def _score(image_id: str, prediction: Path, mask: Path) -> Score:
    try:
        a, b = read_mask(prediction), read_mask(mask)
        if a.shape != b.shape:
            what = f"is {b.shape[1]} x {b.shape[0]} pixels, its prediction {a.shape[1]} x {a.shape[0]}"
            raise DataError(what, path=mask, hint="predict at the size of the image, as gradtrack-predict does")
    except GazetrackError as error:
        return Score(image_id, error=error)
    return Score(image_id, *dice_and_iou(a, b), int(a.sum()), int(b.sum()))


def _describe(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


def _csv(result: Evaluation) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", "dice", "iou", "predicted_px", "mask_px", "error"])
    for score in result.scores:
        values = ["", "", "", ""] if score.dice is None else _numbers(score)
        writer.writerow([_cell(score.image_id), *values, _cell("" if score.error is None else str(score.error))])
    for ids, what in ((result.without_prediction, "no prediction"), (result.without_mask, "no mask")):
        writer.writerows([_cell(i), "", "", "", "", what] for i in ids)
    return text.getvalue()


def _numbers(score: Score) -> list[str]:
    return [f"{score.dice:.6f}", f"{score.iou:.6f}", str(score.predicted_px), str(score.mask_px)]


def _cell(text: str) -> str:
    """Keep spreadsheets from taking a name for a formula."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA_START) or text.startswith(("\t", "\r")) else text
