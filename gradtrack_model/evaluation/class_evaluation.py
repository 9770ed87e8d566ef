"""Evaluation of several classes: predicted label images against reference ones, class by class."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, DataError, GazetrackError, quote
from gazetrack.publish import refuse_input_folder, refuse_overwrite, write_json, write_text
from gradtrack_model.data.image_files import (
    check_same_geometry,
    find_images,
    read_ids,
    read_label_image,
)
from gradtrack_model.evaluation.cells import cell
from gradtrack_model.evaluation.class_metrics import (
    EMPTY_CLASS_POLICY,
    class_distances,
    class_scores,
)
from gradtrack_model.evaluation.evaluate import (
    MEASURES,
    SCORES_FILE,
    SUMMARY_FILE,
    remove_files_of_another,
)
from gradtrack_model.evaluation.made_by import by_ids, names_of, network_of
from gradtrack_model.evaluation.metrics import EMPTY_DISTANCE_POLICY
from gradtrack_model.evaluation.statistics import describe
from gradtrack_model.evaluation.volume_scores import describe_known, spacing_between

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.evaluation.metrics import Scores


IN_MM = ("hd95_mm", "asd_mm")


@dataclass(frozen=True)
class ClassScore:
    """One image's result.

    Parameters
    ----------
    image_id : str
        The stem of the image's file name.
    measures : tuple of Scores or None
        Of each class, how well prediction and mask agree; None of a class that is in neither. Empty
        after an error.
    predicted_px, mask_px : tuple of int
        Pixels of each class in the prediction and in the mask.
    error : GazetrackError or None
        Why there is no result; None where there is one.
    in_mm : tuple of (float, float) or None
        Of each class the distances `IN_MM`, NaN where it is in one of the two alone; empty where no
        file tells the size of a pixel.
    """

    image_id: str
    measures: tuple[Scores | None, ...] = ()
    predicted_px: tuple[int, ...] = ()
    mask_px: tuple[int, ...] = ()
    error: GazetrackError | None = None
    in_mm: tuple[tuple[float, float] | None, ...] = ()


@dataclass(frozen=True)
class ClassEvaluation:
    """The results of all images.

    Parameters
    ----------
    names : tuple of str
        The classes, in the order of their values in the masks.
    scores : tuple of ClassScore
        One per image that has a prediction and a mask, sorted by image id.
    without_prediction, without_mask : tuple of str
        Ids of images that lack one of the two, so that there was nothing to compare.
    n_wanted : int
        How many images should have a result: those of `ids`, else all that have a mask.
    network : dict or None
        What `gradtrack_model.evaluation.made_by` says of the network that made all predictions;
        None where that is not recorded.
    """

    names: tuple[str, ...]
    scores: tuple[ClassScore, ...]
    without_prediction: tuple[str, ...]
    without_mask: tuple[str, ...]
    n_wanted: int
    network: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether every image that should have a result has one."""
        return sum(score.error is None for score in self.scores) == self.n_wanted

    def in_mm(self) -> tuple[str, ...]:
        """Return those of `IN_MM` that are known, which is all or none."""
        return IN_MM if any(one.in_mm for one in self.scores) else ()

    def summary(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds: measures of each class, and their means."""
        done = [one for one in self.scores if one.error is None]
        of_classes = {}
        for number, name in enumerate(self.names):
            counted = [one.measures[number] for one in done]
            measured = [one for one in counted if one is not None]
            facts: dict[str, Any] = {"n": len(measured)}
            for attribute, key in MEASURES.items():
                facts[key] = describe([getattr(one, attribute) for one in measured])
            distances = [one.in_mm[number] for one in done if one.in_mm]
            for place, key in enumerate(self.in_mm()):
                facts[key] = describe_known([two[place] for two in distances if two is not None])
            of_classes[name] = facts
        means = {}
        for key in (*MEASURES.values(), *self.in_mm()):
            told = [facts[key] for facts in of_classes.values()]
            known = [one["mean"] for one in told if one is not None and "mean" in one]
            means[key] = float(np.mean(known)) if known else None
        return {
            "n": len(done),
            "n_wanted": self.n_wanted,
            "network": self.network,
            "mean_over_classes": means,
            "classes": of_classes,
            "empty_classes": EMPTY_CLASS_POLICY,
            "empty_masks_distance": EMPTY_DISTANCE_POLICY,
            "failed": {one.image_id: str(one.error) for one in self.scores if one.error},
            "without_prediction": list(self.without_prediction),
            "without_mask": list(self.without_mask),
        }


def classes_of_folder(predictions: Path) -> tuple[str, ...]:
    """Return the classes that the network of a folder's predictions tells apart, as it records."""
    record = network_of(predictions, ())
    names = None if record is None else record.get("classes")
    is_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if names and is_names else ()


def evaluate_classes(
    predictions: Path,
    masks: Path,
    out: Path | None,
    names: Sequence[str],
    *,
    ids: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ClassEvaluation:
    """Compare a folder of predicted label images with one of reference ones, matched by file stem.

    Writes ``evaluation.csv``, a row per image and class, and ``summary.json`` to `out`.

    Parameters
    ----------
    predictions, masks : pathlib.Path
        Folders of label images, 0 for background.
    out : pathlib.Path or None
        The folder that receives both files; without one nothing is written.
    names : sequence of str
        The classes: of the first one, label images have the value 1, and so on.
    ids : pathlib.Path, optional
        A file of image ids, one a line: only these count, and each one must be there. By default
        all that have a mask.
    progress : callable, optional
        Called with the number of images done and of all, after each.

    Returns
    -------
    ClassEvaluation
        A label image of another size than its prediction, or with a value that is no class, is that
        image's error; the others are done.

    Raises
    ------
    ConfigError
        No class is named, or others than the record of the predictions names, or in another order.
    DataError
        Nothing to compare.
    InputError, OutputError
        A folder is missing; `out` cannot be written, or is one of the two.
    """
    if not names:
        raise ConfigError("no classes", hint="give --classes NAME,NAME")
    recorded = classes_of_folder(predictions)
    if recorded and recorded != tuple(names):
        told = f"{predictions} is recorded as {', '.join(map(quote, recorded))}"
        what = f"classes {', '.join(map(quote, names))}, but {told}"
        raise ConfigError(
            what, hint="leave --classes out: names stand in the order of their values"
        )
    if out is not None:
        refuse_input_folder([out], [predictions, masks])
        for name in (SCORES_FILE, SUMMARY_FILE):
            refuse_overwrite(out / name, [] if ids is None else [ids])
    reference = find_images(masks)
    predicted = by_ids(predictions, find_images(predictions), reference)
    wanted = sorted({*predicted, *reference}) if ids is None else sorted(set(read_ids(ids)))
    comparable = [image for image in wanted if image in predicted and image in reference]
    if not comparable:
        counts = f"{len(predicted)} predictions, {len(reference)} masks"
        what = f"no prediction has a mask of its name ({counts})"
        raise DataError(what, path=predictions, hint="file stems must match")
    scores = []
    for image in comparable:
        scores.append(_score(image, predicted[image], reference[image], len(names)))
        if progress is not None:
            progress(len(scores), len(comparable))
    result = ClassEvaluation(
        names=tuple(names),
        scores=tuple(scores),
        without_prediction=tuple(image for image in wanted if image not in predicted),
        without_mask=tuple(image for image in wanted if image not in reference),
        n_wanted=len(reference) if ids is None else len(wanted),
        network=network_of(predictions, names_of(predicted[one] for one in comparable)),
    )
    if out is not None:
        remove_files_of_another(out)
        write_text(out / SCORES_FILE, _csv(result))
        write_json(out / SUMMARY_FILE, result.summary())
    return result


def _score(image_id: str, predicted: ImageRef, reference: ImageRef, n_classes: int) -> ClassScore:
    try:
        prediction = read_label_image(predicted, n_classes)
        mask = read_label_image(reference, n_classes)
        if prediction.shape != mask.shape:
            sizes = f"{mask.shape[1]} x {mask.shape[0]} pixels, its prediction "
            what = f"is {sizes}{prediction.shape[1]} x {prediction.shape[0]}"
            hint = "predict at the size of the image, as gradtrack-predict does"
            raise DataError(what, path=reference.path, hint=hint)
        check_same_geometry(predicted, reference)
    except GazetrackError as error:
        return ClassScore(image_id, error=error)
    spacing = spacing_between(reference, predicted)
    in_mm = class_distances(prediction, mask, n_classes, spacing)
    return ClassScore(
        image_id,
        measures=tuple(class_scores(prediction, mask, n_classes)),
        predicted_px=_pixels(prediction, n_classes),
        mask_px=_pixels(mask, n_classes),
        in_mm=tuple(in_mm) if np.isfinite(spacing).all() else (),
    )


def _pixels(labels: npt.NDArray[np.uint8], n_classes: int) -> tuple[int, ...]:
    """Return the number of pixels of each class."""
    return tuple(np.bincount(labels.ravel(), minlength=n_classes + 1)[1:].tolist())


def _csv(result: ClassEvaluation) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    in_mm = result.in_mm()
    counted = ("predicted_px", "mask_px")
    writer.writerow(["image_id", "class", *MEASURES.values(), *counted, "error", *in_mm])
    nothing = [""] * len(MEASURES)
    for one in result.scores:
        if one.error is not None:
            row = [cell(one.image_id), "", *nothing, "", "", cell(str(one.error))]
            writer.writerow([*row, *[""] * len(in_mm)])
            continue
        distances = one.in_mm or (None,) * len(result.names)
        of_each = zip(
            result.names, one.measures, one.predicted_px, one.mask_px, distances, strict=True
        )
        for name, measured, predicted_px, mask_px, two in of_each:
            figures = nothing
            if measured is not None:
                figures = [f"{getattr(measured, attribute):.6f}" for attribute in MEASURES]
            row = [cell(one.image_id), cell(name), *figures, str(predicted_px), str(mask_px), ""]
            # Of a class that one of the two has not, there is no distance.
            told = [f"{value:.6f}" if np.isfinite(value) else "" for value in two or ()]
            writer.writerow([*row, *(told or [""] * len(in_mm))])
    for ids, what in (
        (result.without_prediction, "no prediction"),
        (result.without_mask, "no mask"),
    ):
        for image_id in ids:
            writer.writerow([cell(image_id), "", *nothing, "", "", what, *[""] * len(in_mm)])
    return text.getvalue()
