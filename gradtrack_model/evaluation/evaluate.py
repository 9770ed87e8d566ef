"""Evaluation: predicted masks against reference masks, image by image, at the reference's size."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import wilcoxon

from gazetrack.errors import DataError, GazetrackError, InputError, quote
from gazetrack.publish import refuse_input_folder, write_json, write_text
from gradtrack_model.data.sources import find_images, read_ids, read_mask
from gradtrack_model.evaluation.metrics import EMPTY_DISTANCE_POLICY, EMPTY_POLICY, Scores, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

# Of `metrics.Scores`, and their names in what is written.
MEASURES = {
    "dice": "dice",
    "iou": "iou",
    "precision": "precision",
    "recall": "recall",
    "hd95": "hd95_px",
    "asd": "asd_px",
}
_MAX_CELL_CHARS = 32_767  # as spreadsheets have it
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Score:
    """One image's result.

    Parameters
    ----------
    image_id : str
        The image.
    measures : Scores or None
        None after an error. Distances are pixels.
    predicted_px, mask_px : int
        Foreground pixels.
    error : GazetrackError or None
        Why there is no result.
    """

    image_id: str
    measures: Scores | None = None
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
    against : dict or None
        The paired comparison with another evaluation; see `compare`.
    """

    scores: tuple[Score, ...]
    without_prediction: tuple[str, ...]
    without_mask: tuple[str, ...]
    n_wanted: int
    against: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether every image that should have a result has one."""
        return sum(score.error is None for score in self.scores) == self.n_wanted

    def summary(self) -> dict[str, Any]:
        """Return plain JSON values: number of images, and of each measure mean, bootstrap interval and more."""
        measured = [score.measures for score in self.scores if score.measures is not None]
        return {
            "n": sum(score.error is None for score in self.scores),
            "n_wanted": self.n_wanted,
            **{
                key: describe([getattr(one, name) for one in measured])
                for name, key in MEASURES.items()
            },
            "empty_masks": EMPTY_POLICY,
            "empty_masks_distance": EMPTY_DISTANCE_POLICY,
            **({"against": self.against} if self.against else {}),
            "failed": {
                score.image_id: str(score.error) for score in self.scores if score.error is not None
            },
            "without_prediction": list(self.without_prediction),
            "without_mask": list(self.without_mask),
        }


def evaluate_folder(
    predictions: Path, masks: Path, out: Path, ids: Path | None = None, against: Path | None = None
) -> Evaluation:
    """Compare two folders of masks, matched by file stem; write ``evaluation.csv`` and ``summary.json`` to `out`.

    Parameters
    ----------
    predictions, masks : pathlib.Path
        Folders; gray above 127 is foreground.
    out : pathlib.Path
        Output folder.
    ids : pathlib.Path, optional
        Image ids, one a line: only these count, and each one must be there. By default all that
        have a mask.
    against : pathlib.Path, optional
        ``evaluation.csv`` of another run, to be compared with image by image.

    Returns
    -------
    Evaluation
        A mask of another size than its prediction is that image's error; the others are done.

    Raises
    ------
    DataError
        Nothing to compare, or no image in common with `against`.
    InputError, OutputError
        A folder is missing; `out` cannot be written, or is one of the two.
    """
    refuse_input_folder([out], [predictions, masks])
    predicted, reference = find_images(predictions), find_images(masks)
    other = None if against is None else {i: row["dice"] for i, row in read_scores(against).items()}
    wanted = sorted({*predicted, *reference}) if ids is None else sorted(set(read_ids(ids)))
    both = [i for i in wanted if i in predicted and i in reference]
    if not both:
        what = f"no prediction has a mask of its name ({len(predicted)} predictions, {len(reference)} masks)"
        raise DataError(what, path=predictions, hint="file stems must match")
    scores = tuple(_score(i, predicted[i], reference[i]) for i in both)
    no_prediction = tuple(i for i in wanted if i not in predicted)
    no_mask = tuple(i for i in wanted if i not in reference)
    ours = {score.image_id: score.measures.dice for score in scores if score.measures is not None}
    paired = None if other is None or against is None else compare(ours, other, against)
    result = Evaluation(
        scores, no_prediction, no_mask, len(reference if ids is None else wanted), paired
    )
    write_text(out / "evaluation.csv", _csv(result))
    write_json(out / "summary.json", result.summary())
    return result


def _score(image_id: str, prediction: ImageRef, mask: ImageRef) -> Score:
    try:
        a, b = read_mask(prediction), read_mask(mask)
        if a.shape != b.shape:
            what = (
                f"is {b.shape[1]} x {b.shape[0]} pixels, its prediction {a.shape[1]} x {a.shape[0]}"
            )
            raise DataError(
                what,
                path=mask.path,
                hint="predict at the size of the image, as gradtrack-predict does",
            )
    except GazetrackError as error:
        return Score(image_id, error=error)
    return Score(image_id, score(a, b), int(a.sum()), int(b.sum()))


def read_scores(path: Path, measures: Sequence[str] = ("dice",)) -> dict[str, dict[str, float]]:
    """Read measures of each image, by image id and name, from an ``evaluation.csv``.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["dice"]]
        return {
            row["image_id"].removeprefix("'"): {name: float(row[name]) for name in measures}
            for row in rows
        }
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            "is no evaluation", path=path, hint="give evaluation.csv of gradtrack-evaluate"
        ) from error


def compare(ours: Mapping[str, float], theirs: Mapping[str, float], path: Path) -> dict[str, Any]:
    """Compare two evaluations image by image.

    Parameters
    ----------
    ours, theirs : mapping of str to float
        Dice by image id; images that one of them lacks are left out.
    path : pathlib.Path
        Where `theirs` comes from.

    Returns
    -------
    dict
        ``n``, mean ``difference`` ours - theirs, its bootstrap ``interval``, and ``p`` of
        Wilcoxon's signed-rank test.

    Raises
    ------
    DataError
        No image in common.
    """
    both = sorted(set(ours) & set(theirs))
    if not both:
        raise DataError(
            "has no image in common with these predictions",
            path=path,
            hint="compare the same images",
        )
    return {"file": str(path), **paired([ours[i] - theirs[i] for i in both])}


def paired(differences: npt.ArrayLike) -> dict[str, Any]:
    """Return what is said of the differences between two runs on the same images: see `compare`, without ``file``."""
    values = np.asarray(differences, np.float64)
    p = float(wilcoxon(values).pvalue) if values.any() else 1.0
    return {
        "n": len(values),
        "difference": float(values.mean()),
        "interval": bootstrap(values),
        "p": p,
    }


def bootstrap(values: npt.ArrayLike) -> list[float]:
    """Return the 95 % interval of the mean of values [N] from 10,000 resamples, the same for the same values."""
    data = np.asarray(values, np.float64)
    rng = np.random.default_rng(0)
    means = [data[rng.integers(0, len(data), (1000, len(data)))].mean(1) for _ in range(10)]
    return [float(v) for v in np.percentile(np.concatenate(means), [2.5, 97.5])]


def describe(values: Sequence[float]) -> dict[str, Any] | None:
    """Return mean, its interval, standard deviation, median, least and largest of values; None of none."""
    if not values:
        return None
    return {
        "mean": statistics.fmean(values),
        "interval": bootstrap(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


def _csv(result: Evaluation) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", *MEASURES.values(), "predicted_px", "mask_px", "error"])
    blank = [""] * (len(MEASURES) + 2)
    for one in result.scores:
        values = blank if one.measures is None else _numbers(one, one.measures)
        writer.writerow(
            [_cell(one.image_id), *values, _cell("" if one.error is None else str(one.error))]
        )
    for ids, what in (
        (result.without_prediction, "no prediction"),
        (result.without_mask, "no mask"),
    ):
        writer.writerows([_cell(i), *blank, what] for i in ids)
    return text.getvalue()


def _numbers(score: Score, measures: Scores) -> list[str]:
    return [
        *(f"{getattr(measures, name):.6f}" for name in MEASURES),
        str(score.predicted_px),
        str(score.mask_px),
    ]


def _cell(text: str) -> str:
    """Keep spreadsheets from taking a name for a formula, and terminals from taking it for a command."""
    shown = quote(text, _MAX_CELL_CHARS)
    formula = text.lstrip().startswith(_FORMULA_START) or text.startswith(("\t", "\r"))
    return f"'{shown}" if formula else shown
