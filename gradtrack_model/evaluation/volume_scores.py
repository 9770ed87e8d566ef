"""How well the masks of whole volumes agree, in three dimensions."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import GazetrackError, InputError
from gradtrack_model.data.image_files import spacing_of, volume_file, volume_of
from gradtrack_model.evaluation.cells import cell
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.evaluation.statistics import describe
from gradtrack_model.evaluation.surfaces import (
    EMPTY_SURFACE_POLICY,
    Surfaces,
    check_tolerance,
    compare_surfaces,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gradtrack_model.data.image_files import ImageRef, ImageVolume

    Mask = npt.NDArray[np.bool_]

VOLUMES_FILE = "volumes.csv"
# The attributes of `Surfaces`, and what they are called in files, before their unit.
SURFACE_MEASURES = {"hd95": "hd95", "asd": "asd", "surface_dice": "surface_dice"}
# Columns of a volume that are compared.
VOLUME_MEASURES = ("dice", *(f"{name}_mm" for name in SURFACE_MEASURES.values()))
# Of a volume; what is not known, or not defined, is left empty.
_COLUMNS = (
    "volume",
    "slices",
    "spacing_mm",
    "dice",
    "iou",
    *(f"{name}_mm" for name in SURFACE_MEASURES.values()),
    *(f"{name}_voxels" for name in SURFACE_MEASURES.values()),
    "predicted_ml",
    "mask_ml",
    "predicted_voxels",
    "mask_voxels",
)
_MM3_A_ML = 1000.0


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Distances of a surface that still count as agreement in the surface Dice.

    Parameters
    ----------
    mm : float
        Where the files of masks tell how far apart their voxels are.
    px : float
        Of images of which that is not known, in pixels; of volumes, in voxels.

    Raises
    ------
    ConfigError
        One of them is below 0.
    """

    mm: float = 2.0
    px: float = 2.0

    def __post_init__(self) -> None:
        check_tolerance(self.mm)
        check_tolerance(self.px)


@dataclass(frozen=True)
class VolumeScore:
    """One volume's result.

    Parameters
    ----------
    volume : str
        The name of the mask's file, or of a DICOM series the first of its files by name.
    spacing : tuple of float
        Distance between slices, rows and columns in mm; NaN where the file does not tell.
    dice, iou : float
        Of all voxels together; both are 1 when both masks are empty and 0 when one is.
    surfaces : Surfaces
        Distances in mm, or in voxels where the spacing is not known.
    n_slices, predicted_voxels, mask_voxels : int
        The number of slices, and of foreground voxels of prediction and mask.
    """

    volume: str
    spacing: tuple[float, float, float]
    dice: float
    iou: float
    surfaces: Surfaces
    n_slices: int
    predicted_voxels: int
    mask_voxels: int

    @property
    def is_in_mm(self) -> bool:
        """Whether distances are in millimetres, and not in voxels."""
        return bool(np.isfinite(self.spacing).all())

    def row(self) -> dict[str, str]:
        """Return the cells of ``volumes.csv`` by their column; those not known are left out."""
        unit = "mm" if self.is_in_mm else "voxels"
        cells = {
            "volume": cell(self.volume),
            "slices": str(self.n_slices),
            "dice": f"{self.dice:.6f}",
            "iou": f"{self.iou:.6f}",
            "predicted_voxels": str(self.predicted_voxels),
            "mask_voxels": str(self.mask_voxels),
        }
        for name, shown in SURFACE_MEASURES.items():
            cells[f"{shown}_{unit}"] = f"{getattr(self.surfaces, name):.6f}"
        if self.is_in_mm:
            ml = math.prod(self.spacing) / _MM3_A_ML
            cells["spacing_mm"] = " x ".join(f"{value:.6g}" for value in self.spacing)
            cells["predicted_ml"] = f"{self.predicted_voxels * ml:.6f}"
            cells["mask_ml"] = f"{self.mask_voxels * ml:.6f}"
        return cells


class VolumeScores:
    """Puts slices together to volumes, and compares these when their last slice is there.

    Parameters
    ----------
    masks : sequence of ImageRef
        The masks of all slices that are compared, each once.
    tolerances : Tolerances
        Which distances count as agreement.
    images : mapping of ImageRef to ImageRef, optional
        By mask, the image that it is of, whose volume counts where the mask itself is no slice.

    Attributes
    ----------
    done : list of VolumeScore
        The volumes that are whole, in the order in which they came to be.
    refused : dict of str to str
        Why DICOM series are no volumes, by the first of their files.
    """

    def __init__(
        self,
        masks: Sequence[ImageRef],
        tolerances: Tolerances,
        images: Mapping[ImageRef, ImageRef] | None = None,
    ) -> None:
        self._tolerances = tolerances
        self.done: list[VolumeScore] = []
        self.refused: dict[str, str] = {}
        self._volumes: dict[Path, ImageVolume] = {}
        # Of each mask that is a slice: what stands for its volume, and its number there.
        self._places: dict[ImageRef, tuple[Path, int]] = {}
        for mask in masks:
            image = (images or {}).get(mask)
            self._find_place(mask, [mask] if image is None else [mask, image])
        self._n_seen = dict.fromkeys(self._volumes, 0)
        # Slices are kept of volumes alone that will be whole, unless one of theirs fails.
        n_wanted = Counter(file for file, _ in self._places.values())
        self._held: dict[Path, dict[int, tuple[Mask, Mask]]] = {
            file: {}
            for file, volume in self._volumes.items()
            if n_wanted[file] == len(volume.slices)
        }

    def add(self, mask: ImageRef, predicted: Mask, reference: Mask) -> None:
        """Take the two masks of a slice, by the reference mask's place in its volume."""
        if mask not in self._places:
            return
        file, number = self._places[mask]
        self._n_seen[file] += 1
        if file not in self._held:
            return
        slices = self._held[file]
        slices[number] = (predicted, reference)
        if len(slices) == len(self._volumes[file].slices):
            self.done.append(self._scored(self._volumes[file], self._held.pop(file)))

    def missing(self) -> dict[str, int]:
        """Return how many slices are missing of each volume that could not be compared."""
        left = {
            file.name: len(volume.slices) - self._n_seen[file]
            for file, volume in sorted(self._volumes.items())
        }
        return {name: n for name, n in left.items() if n}

    def _find_place(self, mask: ImageRef, candidates: Sequence[ImageRef]) -> None:
        """Keep which slice of which volume a mask is: its own, else that of its image."""
        for image in candidates:
            try:
                volume = volume_of(image)
            except GazetrackError as error:
                file = volume_file(image)
                if file is not None:
                    self.refused[file.name] = str(error)
                    return
                continue  # a file that cannot be read is told of when its turn comes
            if volume is not None:
                self._volumes[volume.file] = volume
                self._places[mask] = (volume.file, volume.number(image))
                return

    def _scored(self, volume: ImageVolume, slices: Mapping[int, tuple[Mask, Mask]]) -> VolumeScore:
        numbers = sorted(slices)
        predicted, reference = (np.stack([slices[n][side] for n in numbers]) for side in (0, 1))
        spacing = volume.spacing
        known = bool(np.isfinite(spacing).all())
        tolerance = self._tolerances.mm if known else self._tolerances.px
        dice, iou = dice_and_iou(predicted, reference)
        return VolumeScore(
            volume=volume.file.name,
            spacing=spacing,
            dice=dice,
            iou=iou,
            surfaces=compare_surfaces(
                predicted, reference, spacing if known else (1, 1, 1), tolerance
            ),
            n_slices=len(numbers),
            predicted_voxels=int(np.count_nonzero(predicted)),
            mask_voxels=int(np.count_nonzero(reference)),
        )


def slice_surfaces(
    predicted: Mask, reference: Mask, spacing: Sequence[float], tolerances: Tolerances
) -> dict[str, float]:
    """Compare the surfaces of one image or slice by itself.

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (H, W)
        What is compared, both of one shape (H, W).
    spacing : (float, float)
        Distance between rows and between columns in mm; NaN where it is not known.
    tolerances : Tolerances
        Which distances count as agreement.

    Returns
    -------
    dict
        ``surface_dice_px``; where the spacing is known, also ``hd95_mm``, ``asd_mm`` and
        ``surface_dice_mm``. NaN where a mask is empty.
    """
    in_px = compare_surfaces(predicted, reference, (1, 1), tolerances.px)
    found = {"surface_dice_px": in_px.surface_dice}
    if np.isfinite(spacing).all():
        in_mm = compare_surfaces(predicted, reference, spacing, tolerances.mm)
        for name, shown in SURFACE_MEASURES.items():
            found[f"{shown}_mm"] = getattr(in_mm, name)
    return found


def spacing_between(*images: ImageRef) -> tuple[float, float]:
    """Return the distance between rows and columns in mm, as the first file that can tells it."""
    for image in images:
        _, row, column = spacing_of(image)
        if not (math.isnan(row) or math.isnan(column)):
            return row, column
    return math.nan, math.nan


def describe_known(values: Sequence[float]) -> dict[str, Any]:
    """Describe values as `describe` does, without those that are NaN.

    Parameters
    ----------
    values : sequence of float
        One value per image or volume, in an order that does not change.

    Returns
    -------
    dict
        ``n``, how many values there are, and ``n_empty``, how many are NaN; what `describe` returns
        where there are any.
    """
    known = [value for value in values if not math.isnan(value)]
    counts = {"n": len(known), "n_empty": len(values) - len(known)}
    return counts | (describe(known) or {})


def summarise_volumes(
    scores: Sequence[VolumeScore],
    missing: Mapping[str, int],
    refused: Mapping[str, str],
    tolerances: Tolerances,
) -> dict[str, Any]:
    """Return what ``summary.json`` says of volumes: each measure, and those not compared."""
    facts: dict[str, Any] = {"n": len(scores)}
    facts["dice"] = describe([one.dice for one in scores])
    for unit, is_in_mm in (("mm", True), ("voxels", False)):
        of_unit = [one.surfaces for one in scores if one.is_in_mm == is_in_mm]
        for name, shown in SURFACE_MEASURES.items():
            if of_unit:
                values = [getattr(surfaces, name) for surfaces in of_unit]
                facts[f"{shown}_{unit}"] = describe_known(values)
    facts["tolerance_mm"] = tolerances.mm
    facts["tolerance_voxels"] = tolerances.px
    facts["empty_masks_surface"] = EMPTY_SURFACE_POLICY
    facts["slices_missing"] = dict(missing)
    if refused:
        facts["refused"] = dict(refused)
    return facts


def read_volumes(path: Path) -> dict[str, dict[str, float]]:
    """Read the measures of volumes from a ``volumes.csv``.

    Parameters
    ----------
    path : pathlib.Path
        The file that `gradtrack_model.evaluation.evaluate.evaluate_folder` wrote, which need not be
        there.

    Returns
    -------
    dict
        Volume → column → value, of the columns of `VOLUME_MEASURES` that are known.

    Raises
    ------
    InputError
        The file cannot be read, or is no such table.
    """
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {
                row["volume"]: {name: float(row[name]) for name in VOLUME_MEASURES if row[name]}
                for row in csv.DictReader(file)
            }
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        hint = f"give {VOLUMES_FILE} of gradtrack-evaluate"
        raise InputError("is no table of volumes", path=path, hint=hint) from error


def volumes_csv(scores: Sequence[VolumeScore]) -> str:
    """Return ``volumes.csv``: a row per volume, in the order of their names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in sorted(scores, key=lambda score: score.volume):
        writer.writerow(one.row())
    return text.getvalue()
