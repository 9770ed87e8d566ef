"""Evaluation: predicted masks against reference masks, image by image, at the reference's size."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gazetrack.errors import DataError, GazetrackError, InputError, OutputError
from gazetrack.publish import refuse_input_folder, refuse_overwrite, write_json, write_text
from gradtrack_model.data.image_files import (
    check_same_geometry,
    find_images,
    image_size,
    read_ids,
    read_mask,
)
from gradtrack_model.evaluation.cells import cell
from gradtrack_model.evaluation.made_by import by_ids, names_of, network_of
from gradtrack_model.evaluation.metrics import EMPTY_DISTANCE_POLICY, EMPTY_POLICY, Scores, score
from gradtrack_model.evaluation.statistics import describe, paired
from gradtrack_model.evaluation.surfaces import EMPTY_SURFACE_POLICY
from gradtrack_model.evaluation.uncertainty import (
    PROBABILITIES,
    Counts,
    calibration,
    count,
    read_uncertainty,
    referral,
)
from gradtrack_model.evaluation.volume_scores import (
    VOLUMES_FILE,
    Tolerances,
    VolumeScore,
    VolumeScores,
    describe_known,
    slice_surfaces,
    spacing_between,
    summarise_volumes,
    volumes_csv,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.data.image_files import ImageRef

# The attributes of `metrics.Scores`, and what they are called in files and on the terminal.
MEASURES = {
    "dice": "dice",
    "iou": "iou",
    "precision": "precision",
    "recall": "recall",
    "hd95": "hd95_px",
    "asd": "asd_px",
}
# Measures without a value where a mask is empty; those in mm where files tell the size of pixels.
SURFACES = ("surface_dice_px", "hd95_mm", "asd_mm", "surface_dice_mm")
SCORES_FILE = "evaluation.csv"
SUMMARY_FILE = "summary.json"
REPORT_FILE = "report.html"
_REPORT_TITLE = b"<title>Evaluation</title>"
_TITLE_WITHIN = 4096


@dataclass(frozen=True)
class Score:
    """One image's result.

    Parameters
    ----------
    image_id : str
        The stem of the image's file name.
    measures : Scores or None
        How well prediction and mask agree; None after an error. Distances are in pixels.
    predicted_px, mask_px : int
        How many pixels are foreground in the prediction and in the mask.
    error : GazetrackError or None
        Why there is no result; None where there is one.
    surfaces : dict
        Those of `SURFACES` that are known, by their name; NaN where a mask is empty.
    """

    image_id: str
    measures: Scores | None = None
    predicted_px: int = 0
    mask_px: int = 0
    error: GazetrackError | None = None
    surfaces: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """The results of all images.

    Parameters
    ----------
    scores : tuple of Score
        One per image that has a prediction and a mask, sorted by image id.
    without_prediction, without_mask : tuple of str
        Ids of images that lack one of the two, so that there was nothing to compare.
    n_wanted : int
        How many images should have a result: those of `ids`, else all that have a mask.
    against : dict or None
        The paired comparison with another evaluation, see `compare`; None where none was asked for.
    network : dict or None
        What `gradtrack_model.evaluation.made_by` says of the network that made all predictions;
        None where that is not recorded.
    referral : dict or None
        What is left when the most uncertain images are referred to a person, see
        `gradtrack_model.evaluation.uncertainty.referral`; None without uncertainties.
    calibration : dict or None
        Whether probabilities are what they say, see `calibration` there; None without these.
    volumes : tuple of VolumeScore
        One per mask file or DICOM series of several slices, all of which have a prediction.
    volumes_missing : dict
        How many slices are missing of each other volume.
    volumes_refused : dict
        Why a DICOM series is no volume, by the first of its files.
    tolerances : Tolerances
        The distances that the surface Dice takes for agreement.
    """

    scores: tuple[Score, ...]
    without_prediction: tuple[str, ...]
    without_mask: tuple[str, ...]
    n_wanted: int
    against: dict[str, Any] | None = None
    network: dict[str, Any] | None = None
    referral: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    volumes: tuple[VolumeScore, ...] = ()
    volumes_missing: Mapping[str, int] = field(default_factory=dict)
    volumes_refused: Mapping[str, str] = field(default_factory=dict)
    tolerances: Tolerances = field(default_factory=Tolerances)

    @property
    def complete(self) -> bool:
        """Whether every image that should have a result has one."""
        return sum(score.error is None for score in self.scores) == self.n_wanted

    def surfaces_known(self) -> list[str]:
        """Return those of `SURFACES` that some image has."""
        return [name for name in SURFACES if any(name in one.surfaces for one in self.scores)]

    def summary(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds: counts, and each measure's mean with its interval."""
        measured = [one.measures for one in self.scores if one.measures is not None]
        facts: dict[str, Any] = {"n": len(measured), "n_wanted": self.n_wanted}
        facts["network"] = self.network
        for name, key in MEASURES.items():
            facts[key] = describe([getattr(measures, name) for measures in measured])
        for name in self.surfaces_known():
            facts[name] = describe_known(
                [one.surfaces[name] for one in self.scores if name in one.surfaces]
            )
        facts["tolerance_px"] = self.tolerances.px
        facts["tolerance_mm"] = self.tolerances.mm
        facts["empty_masks"] = EMPTY_POLICY
        facts["empty_masks_distance"] = EMPTY_DISTANCE_POLICY
        facts["empty_masks_surface"] = EMPTY_SURFACE_POLICY
        if self.volumes or self.volumes_missing or self.volumes_refused:
            facts["volumes"] = summarise_volumes(
                self.volumes, self.volumes_missing, self.volumes_refused, self.tolerances
            )
        if self.against:
            facts["against"] = self.against
        # Of predictions with `--uncertainty` and `--probabilities` alone.
        if self.referral:
            facts["referral"] = self.referral
        if self.calibration:
            facts["calibration"] = self.calibration
        facts["failed"] = {
            one.image_id: str(one.error) for one in self.scores if one.error is not None
        }
        facts["without_prediction"] = list(self.without_prediction)
        facts["without_mask"] = list(self.without_mask)
        return facts


def evaluate_folder(
    predictions: Path,
    masks: Path,
    out: Path | None,
    ids: Path | None = None,
    against: Path | None = None,
    *,
    images: Path | None = None,
    tolerances: Tolerances | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare a folder of predicted masks with a folder of reference masks, matched by file stem.

    Writes ``evaluation.csv``, a row per image, and ``summary.json`` to `out`; where masks are
    volumes all slices of which have a prediction, also ``volumes.csv``, a row per volume.

    Parameters
    ----------
    predictions, masks : pathlib.Path
        Folders of masks; gray above 127 is foreground.
    out : pathlib.Path or None
        The folder that receives both files; without one nothing is written.
    ids : pathlib.Path, optional
        A file of image ids, one a line: only these count, and each one must be there. By default
        all that have a mask.
    against : pathlib.Path, optional
        ``evaluation.csv`` of another run, to be compared with image by image.
    images : pathlib.Path, optional
        Folder of the images, by the same stems: their headers tell spacing and slices of masks that
        tell none, such as pictures.
    tolerances : Tolerances, optional
        Distances that still count as agreement in the surface Dice; 2 mm and 2 pixels by default.
    progress : callable, optional
        Called with the number of images done and of all, after each.

    Returns
    -------
    Evaluation
        A mask of another size than its prediction, or than its image, is that image's error; the
        others are done.

    Raises
    ------
    DataError
        Nothing to compare, or no image in common with `against`, or in `images`.
    InputError, OutputError
        A folder is missing; `out` cannot be written, is one of the two, or holds `against`.
    """
    if out is not None:
        refuse_input_folder([out], [predictions, masks, *([] if images is None else [images])])
        # The evaluation that this one is compared with may lie in the default folder.
        read = [path for path in (against, ids) if path is not None]
        for name in (SCORES_FILE, SUMMARY_FILE, VOLUMES_FILE):
            refuse_overwrite(out / name, read)
    record = network_of(predictions, ())
    if record is not None and record.get("classes"):
        hint = "use gradtrack-evaluate --classes, or evaluate_classes"
        raise DataError("holds label images of several classes", path=predictions, hint=hint)
    reference = find_images(masks)
    predicted = by_ids(predictions, find_images(predictions), reference)
    other_rows = {} if against is None else read_scores(against)
    wanted = sorted({*predicted, *reference}) if ids is None else sorted(set(read_ids(ids)))
    comparable = [image for image in wanted if image in predicted and image in reference]
    if not comparable:
        counts = f"{len(predicted)} predictions, {len(reference)} masks"
        what = f"no prediction has a mask of its name ({counts})"
        raise DataError(what, path=predictions, hint="file stems must match")
    uncertain = read_uncertainty(predictions)
    tolerances = tolerances or Tolerances()
    of_masks = {} if images is None else _images_of(images, comparable, reference)
    compared = [reference[image] for image in comparable]
    seen = _Seen([], VolumeScores(compared, tolerances, of_masks), of_masks)
    scores = []
    for image in comparable:
        scores.append(_score(image, predicted[image], reference[image], tolerances, seen))
        if progress is not None:
            progress(len(scores), len(comparable))
    comparison = None
    ours = {one.image_id: one.measures.dice for one in scores if one.measures is not None}
    if against is not None:
        theirs = {image: row["dice"] for image, row in other_rows.items()}
        comparison = compare(ours, theirs, against)
    result = Evaluation(
        scores=tuple(scores),
        without_prediction=tuple(image for image in wanted if image not in predicted),
        without_mask=tuple(image for image in wanted if image not in reference),
        n_wanted=len(reference) if ids is None else len(wanted),
        against=comparison,
        network=network_of(predictions, names_of(predicted[one] for one in comparable)),
        referral=referral(ours, uncertain),
        calibration=calibration(seen.counts),
        volumes=tuple(seen.volumes.done),
        volumes_missing=seen.volumes.missing(),
        volumes_refused=seen.volumes.refused,
        tolerances=tolerances,
    )
    if out is not None:
        _write(result, out)
    return result


def _write(result: Evaluation, out: Path) -> None:
    """Write the files of an evaluation; none of another one stays beside them."""
    remove_files_of_another(out)
    write_text(out / SCORES_FILE, _csv(result))
    if result.volumes:
        write_text(out / VOLUMES_FILE, volumes_csv(result.volumes))
    write_json(out / SUMMARY_FILE, result.summary())


def remove_files_of_another(out: Path) -> None:
    """Remove what an earlier evaluation left in its folder and not every evaluation writes.

    Parameters
    ----------
    out : pathlib.Path
        The folder of the evaluation that is about to be written.

    Raises
    ------
    OutputError
        A file cannot be removed.
    """
    page = out / REPORT_FILE
    try:
        (out / VOLUMES_FILE).unlink(missing_ok=True)
        # A run's report has the same name: ours is told by its title.
        if page.is_file() and _REPORT_TITLE in page.read_bytes()[:_TITLE_WITHIN]:
            page.unlink()
    except OSError as error:
        what = f"cannot be removed ({error.strerror})"
        hint = "it is of another evaluation: remove it, or choose another --out"
        raise OutputError(what, path=error.filename or out, hint=hint) from error


class _Seen(NamedTuple):
    """What is known of all images together."""

    counts: list[Counts]
    volumes: VolumeScores
    images: Mapping[ImageRef, ImageRef]  # by mask


def _images_of(
    folder: Path, image_ids: Sequence[str], masks: Mapping[str, ImageRef]
) -> dict[ImageRef, ImageRef]:
    """Return the image of each mask that has one in a folder; refuse a folder of other images."""
    found = find_images(folder)
    of_masks = {masks[name]: found[name] for name in image_ids if name in found}
    if not of_masks:
        counts = f"{len(found)} images, {len(image_ids)} masks"
        what = f"no mask has an image of its name ({counts})"
        raise DataError(what, path=folder, hint="file stems must match")
    return of_masks


def _score(
    image_id: str, predicted: ImageRef, reference: ImageRef, tolerances: Tolerances, seen: _Seen
) -> Score:
    """Compare an image's two masks, and add to `seen` what its probabilities and volume say."""
    image = seen.images.get(reference)
    try:
        prediction = read_mask(predicted)
        mask = read_mask(reference)
        _check_same_size(prediction.shape, mask.shape, reference.path)
        check_same_geometry(predicted, reference)
        if image is not None:
            _check_size_of_image(image, mask.shape, reference.path)
            check_same_geometry(image, reference, "image")
    except GazetrackError as error:
        return Score(image_id, error=error)
    probabilities = predicted.file.parent / PROBABILITIES / f"{predicted.file.stem}.png"
    counted = count(probabilities, prediction, mask) if predicted.is_picture else None
    if counted is not None:
        seen.counts.append(counted)
    seen.volumes.add(reference, prediction, mask)
    spacing = spacing_between(reference, predicted, *([] if image is None else [image]))
    return Score(
        image_id,
        score(prediction, mask),
        int(prediction.sum()),
        int(mask.sum()),
        surfaces=slice_surfaces(prediction, mask, spacing, tolerances),
    )


def _check_same_size(predicted: Sequence[int], mask: Sequence[int], path: Path) -> None:
    if predicted != mask:
        theirs = f"{predicted[1]} x {predicted[0]}"
        what = f"is {mask[1]} x {mask[0]} pixels, its prediction {theirs}"
        hint = "predict at the size of the image, as gradtrack-predict does"
        raise DataError(what, path=path, hint=hint)


def _check_size_of_image(image: ImageRef, mask: Sequence[int], path: Path) -> None:
    """Refuse a mask whose pixels are not the image's: its millimetres would be wrong."""
    width, height = image_size(image)
    if (height, width) != tuple(mask):
        what = f"is {mask[1]} x {mask[0]} pixels, its image {width} x {height}"
        hint = f"give masks at the size of {image.path.name}, or leave the images out"
        raise DataError(what, path=path, hint=hint)


def read_scores(
    path: Path, measures: Sequence[str] = ("dice",), optional: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Read measures of each image from an ``evaluation.csv``.

    Parameters
    ----------
    path : pathlib.Path
        The file that `evaluate_folder` wrote.
    measures : sequence of str
        Columns to read, by their names in the file (the values of `MEASURES`).
    optional : sequence of str
        Columns to read where they are there (such as those of `SURFACES`).

    Returns
    -------
    dict
        Image id → name of the measure → value; images without a result are left out, and of an
        image those optional measures that are not known.

    Raises
    ------
    InputError
        The file cannot be read, or is no evaluation.
    """
    found = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["dice"]:
                    # An apostrophe in front is ours, see `gradtrack_model.evaluation.cells`.
                    image_id = row["image_id"].removeprefix("'")
                    found[image_id] = {name: float(row[name]) for name in measures}
                    known = [name for name in optional if row.get(name)]
                    found[image_id] |= {name: float(row[name]) for name in known}
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        hint = f"give {SCORES_FILE} of gradtrack-evaluate"
        raise InputError("is no evaluation", path=path, hint=hint) from error
    return found


def compare(ours: Mapping[str, float], theirs: Mapping[str, float], path: Path) -> dict[str, Any]:
    """Compare two evaluations image by image.

    Parameters
    ----------
    ours, theirs : mapping of str to float
        Dice by image id; images that one of them lacks are left out.
    path : pathlib.Path
        The file that `theirs` was read from.

    Returns
    -------
    dict
        ``file``, and what `gradtrack_model.evaluation.statistics.paired` says of the differences
        ours - theirs.

    Raises
    ------
    DataError
        No image in common.
    """
    common = sorted(set(ours) & set(theirs))
    if not common:
        what = "has no image in common with these predictions"
        raise DataError(what, path=path, hint="compare the same images")
    differences = [ours[image] - theirs[image] for image in common]
    return {"file": str(path), **paired(differences)}


def _csv(result: Evaluation) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    surfaces = result.surfaces_known()
    counted = ["predicted_px", "mask_px"]
    writer.writerow(["image_id", *MEASURES.values(), *counted, "error", *surfaces])
    no_figures = [""] * (len(MEASURES) + len(counted))
    no_surfaces = [""] * len(surfaces)
    for one in result.scores:
        figures = no_figures if one.measures is None else _figures(one, one.measures)
        trouble = "" if one.error is None else str(one.error)
        # Empty where it is not known, nan where a mask is empty.
        shown = [f"{one.surfaces[key]:.6f}" if key in one.surfaces else "" for key in surfaces]
        writer.writerow([cell(one.image_id), *figures, cell(trouble), *shown])
    for image_id in result.without_prediction:
        writer.writerow([cell(image_id), *no_figures, "no prediction", *no_surfaces])
    for image_id in result.without_mask:
        writer.writerow([cell(image_id), *no_figures, "no mask", *no_surfaces])
    return text.getvalue()


def _figures(one: Score, measures: Scores) -> list[str]:
    shown = [f"{getattr(measures, name):.6f}" for name in MEASURES]
    return [*shown, str(one.predicted_px), str(one.mask_px)]
