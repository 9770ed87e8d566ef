"""Small DICOM, NRRD and NIfTI files for tests."""

from __future__ import annotations

import gzip

import numpy as np

AFFINE = np.array(
    [[-0.5, 0, 0, 3], [0, 0.6, 0, -2], [0, 0, 3, 1], [0, 0, 0, 1.0]]
)  # NIfTI; L, A, S


def write_dicom(path, pixels, **facts):
    """Write pixels [H, W], [N, H, W] or, with SamplesPerPixel=3, [H, W, 3].

    A fact of None is left out.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    bits = pixels.dtype.itemsize * 8
    colour = facts.get("SamplesPerPixel", 1) == 3
    given = {
        "Rows": pixels.shape[-3 if colour else -2],
        "Columns": pixels.shape[-2 if colour else -1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "SamplesPerPixel": 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelData": pixels.tobytes(),
    }
    if pixels.ndim == 3 and not colour:
        given["NumberOfFrames"] = len(pixels)
    if colour:
        given["PlanarConfiguration"] = 0
    for name, value in (given | facts).items():
        if value is not None:
            setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def write_nrrd(path, stored, directions=((1, 0, 0), (0, 1, 0), (0, 0, 3)), kind="short", **more):
    """Write voxels [I, J, K] with gzip.

    `more` replaces or adds header lines; None leaves one out.
    """
    rows = " ".join(f"({','.join(map(str, row))})" for row in directions)
    lines = {
        "type": kind,
        "dimension": stored.ndim,
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, stored.shape)),
        "space directions": rows,
        "kinds": "domain " * stored.ndim,
        "endian": "little",
        "encoding": "gzip",
        "space origin": "(1.25,-2,3)",
    }
    if stored.ndim != 3:
        del lines["space"], lines["space directions"], lines["space origin"]
    text = "".join(
        f"{key}: {value}\n" for key, value in (lines | more).items() if value is not None
    )
    path.write_bytes(
        b"NRRD0004\n" + text.encode() + b"\n" + gzip.compress(stored.tobytes(order="F"))
    )
    return path


def write_nifti(path, stored, affine=AFFINE, slope=None):
    """Write voxels [I, J, K]."""
    import nibabel

    image = nibabel.Nifti1Image(stored, affine)
    if slope is not None:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)
    return path
