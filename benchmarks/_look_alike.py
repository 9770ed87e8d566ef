"""A made-up data set in the formats of NCI-ISBI 2013.

DICOM slices, NRRD labels, and the CSV of GazeMedSeg.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SIZE, CASES, SLICES = 128, 12, 6
COLUMNS = (
    "IMAGE",
    "CURRENT_FIX_INDEX",
    "CURRENT_FIX_X",
    "CURRENT_FIX_Y",
    "CURRENT_FIX_DURATION",
    "CURRENT_FIX_PUPIL",
    "CURRENT_FIX_START",
    "IMAGE_HEIGHT",
    "IMAGE_WIDTH",
)


def write_look_alike(folder: Path) -> Path:
    """Write the data set where it is not there yet, and return its folder."""
    if (folder / "train.txt").exists():
        return folder
    rows, listed = [",".join(COLUMNS)], []
    for number in range(1, CASES + 1):
        case, rng = f"LookAlike-01-{number:04d}", np.random.default_rng(number)
        labels = np.zeros((SLICES, SIZE, SIZE), np.int16)
        centre = SIZE / 2 + rng.normal(0, 6, 2)
        for k in range(SLICES):
            labels[k] = organ(centre, 24 - 2.5 * abs(k - SLICES / 2) + rng.normal(0, 1))
            name = f"{case}_{k + 1}"
            write_slice(
                folder / "DICOM" / case / "T2" / f"1-{k + 1:02d}.dcm",
                case,
                k + 1,
                mr(labels[k], rng),
            )
            rows += [f"{name}.jpg,{line},{SIZE}.0,{SIZE}.0" for line in gaze(labels[k] > 0, rng)]
            listed.append(name)
        write_labels(folder / "NRRD" / f"{case}.nrrd", labels)
    (folder / "nci-isbi_fixation.csv").write_text("\n".join(rows) + "\n")
    (folder / "train.txt").write_text("\n".join(listed) + "\n")
    return folder


def organ(centre: npt.NDArray[np.float64], radius: float) -> npt.NDArray[np.int16]:
    """Return labels [H, W]: 2 inside, 1 around it."""
    y, x = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot((x - centre[0]) / 1.25, y - centre[1]) / radius
    return ((distance < 1).astype(np.int16) + (distance < 0.6)).astype(np.int16)


def mr(labels: npt.NDArray[np.int16], rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Return 12-bit pixels [H, W].

    Tissue, texture, a bias field, noise, and other organs that are none.
    """
    tissue = 350 + 250 * gaussian_filter(rng.normal(size=labels.shape), 6) * 6
    for _ in range(4):
        tissue[organ(rng.uniform(15, SIZE - 15, 2), rng.uniform(4, 9)) > 0] += 260
    signal = np.where(labels > 0, np.where(labels == 1, 760, 560), tissue)
    bias = 1 + 0.3 * np.linspace(-1, 1, SIZE)[None] * rng.choice([-1, 1])
    return np.clip(
        gaussian_filter(signal, 0.8) * bias + rng.normal(0, 40, labels.shape), 0, 4095
    ).astype(np.uint16)


def gaze(mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> list[str]:
    """Return fixations as the CSV has them.

    The first one anywhere, then the object's outer part, in turn.
    """
    ys, xs = np.nonzero(mask)
    angle = np.arctan2(ys - ys.mean(), xs - xs.mean())
    n, start, lines = int(rng.integers(12, 24)), 0, []
    for i in range(n):
        near = np.flatnonzero(np.abs(angle - (-np.pi + 2 * np.pi * i / n)) < 0.4)
        at = rng.choice(near if len(near) else len(xs))
        x, y = (
            (xs[at] + rng.normal(0, 1.5), ys[at] + rng.normal(0, 1.5))
            if i
            else rng.uniform(20, SIZE - 20, 2)
        )
        duration = int(rng.gamma(4, 70)) + 60
        lines.append(
            f"{i + 1},{x / SIZE:.6f},{y / SIZE:.6f},{duration},{int(rng.normal(2500, 200))},{start}"
        )
        start += duration + 40
    return lines


def write_slice(path: Path, case: str, number: int, pixels: npt.NDArray[np.uint16]) -> None:
    """Write a DICOM file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[case, str(number)])
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.PatientID, data.InstanceNumber, data.Modality = case, number, "MR"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PixelRepresentation = *pixels.shape, 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PhotometricInterpretation = (
        16,
        12,
        11,
        "MONOCHROME2",
    )
    data.ImageOrientationPatient, data.PixelData = [1, 0, 0, 0, 1, 0], pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def write_labels(path: Path, labels: npt.NDArray[np.int16]) -> None:
    """Write labels [N, H, W] as NRRD, the first axis to the patient's left."""
    facts = (
        "type: short",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {SIZE} {SIZE} {len(labels)}",
        "space directions: (0.6,0,0) (0,0.6,0) (0,0,3.6)",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        "space origin: (0,0,0)",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "NRRD0004\n" + "\n".join(facts) + "\n\n"
    path.write_bytes(header.encode() + gzip.compress(labels.astype("<i2").tobytes(), mtime=0))
