"""Small DICOM series, enhanced multi-frame files and readers of segmentations for tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.volume_files import write_dicom

STUDY = {
    "StudyInstanceUID": "1.2.3.1",
    "SeriesInstanceUID": "1.2.3.2",
    "FrameOfReferenceUID": "1.2.3.3",
    "StudyDate": "20240229",
    "StudyTime": "101112",
    "PatientID": "P-17",
    "PatientName": "Doe^Jane",
    "PatientBirthDate": "19600101",
    "PatientSex": "F",
    "PatientAge": "064Y",
    "PatientComments": "not to be copied",
    "InstitutionName": "Hospital",
    "DeviceSerialNumber": "SN-1",
    "Manufacturer": "ACME",
    "Modality": "MR",
    "SeriesNumber": 4,
}
# Oblique: rows and columns of no axis of the patient.
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, -0.8)
SPACING = (0.7, 0.5)  # between rows, between columns
STEP = 2.5


def normal_of(directions=OBLIQUE):
    return np.cross(directions[:3], directions[3:])


def corners(n, directions=OBLIQUE, step=STEP):
    return [np.array([10.0, -20, 30]) + k * step * normal_of(directions) for k in range(n)]


def write_series(folder, voxels, *, places=None, names=None, **facts):
    """Write voxels [N, H, W] as single-frame files, in another order of names than of space."""
    from pydicom.uid import generate_uid

    folder.mkdir(parents=True, exist_ok=True)
    places = corners(len(voxels)) if places is None else places
    names = names or [f"im{(37 * k + 60) % 101:02d}" for k in range(len(voxels))]
    paths = []
    for k, (name, place) in enumerate(zip(names, places, strict=True)):
        own = {
            "ImagePositionPatient": [float(f"{x:.6f}") for x in place],
            "ImageOrientationPatient": list(OBLIQUE),
            "PixelSpacing": list(SPACING),
            "SliceThickness": STEP,
            "InstanceNumber": k + 1,
            "SOPInstanceUID": generate_uid(entropy_srcs=[str(folder), name]),
        }
        paths.append(write_dicom(folder / f"{name}.dcm", voxels[k], **{**STUDY, **own, **facts}))
    return paths


def write_enhanced(path, voxels, *, places=None, **facts):
    """Write voxels [N, H, W] as one enhanced MR file, whose frames tell their places."""
    from pydicom.dataset import Dataset
    from pydicom.uid import EnhancedMRImageStorage, generate_uid

    def group(sequence, **values):
        inner = Dataset()
        for name, value in values.items():
            setattr(inner, name, value)
        outer = Dataset()
        setattr(outer, sequence, [inner])
        return outer

    shared = group("PixelMeasuresSequence", PixelSpacing=list(SPACING), SliceThickness=STEP)
    shared.update(group("PlaneOrientationSequence", ImageOrientationPatient=list(OBLIQUE)))
    frames = [
        group("PlanePositionSequence", ImagePositionPatient=[float(f"{x:.6f}") for x in place])
        for place in (corners(len(voxels)) if places is None else places)
    ]
    own = {
        "SOPClassUID": EnhancedMRImageStorage,
        "SOPInstanceUID": generate_uid(entropy_srcs=[str(path)]),
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": frames,
    }
    return write_dicom(path, voxels, **{**STUDY, **own, **facts})


def affine_of(directions=OBLIQUE, spacing=SPACING, corner=(10.0, -20, 30), step=STEP):
    """Return the affine from (column, row, slice) to right-anterior-superior millimetres."""
    affine = np.eye(4)
    affine[:3, 0] = np.array(directions[:3]) * spacing[1]
    affine[:3, 1] = np.array(directions[3:]) * spacing[0]
    affine[:3, 2] = normal_of(directions) * step
    affine[:3, 3] = corner
    return np.diag([-1.0, -1, 1, 1]) @ affine


def dcmqi_tool(name="segimage2itkimage"):
    """Return dcmqi's program, or None where it is not installed."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def read_by_dcmqi(path, out):
    """Return the segments that dcmqi reads, as NIfTI images in the order of their numbers."""
    import nibabel

    out.mkdir()
    command = [dcmqi_tool(), "--inputDICOM", path, "--outputDirectory", out]
    command += ["--outputType", "nifti", "--prefix", "s"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(out.glob("s-*.nii.gz"), key=lambda file: int(file.name[2:].split(".")[0]))
    return [nibabel.load(file) for file in files]


def in_world(image):
    """Return where the foreground of a NIfTI image lies, as sorted millimetres."""
    voxels = np.argwhere(np.asarray(image.dataobj) > 0)
    places = voxels @ image.affine[:3, :3].T + image.affine[:3, 3]
    return places[np.lexsort(places.round(3).T)]
