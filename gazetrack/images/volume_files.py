"""The files of volumes: headers, voxels and label volumes of DICOM, NRRD and NIfTI.

Orientation: slices lie along the third axis as stored. Where the header tells the directions of the
axes, a slice is turned as radiologists look at it: columns run to the patient's left (or back),
rows to the back (or the feet). Without directions the first stored axis is the columns. DICOM
frames stay as they are.

Formats: DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (rescale); NRRD 0005,
https://teem.sourceforge.net/nrrd/format.html; NIfTI-1, https://nifti.nimh.nih.gov/nifti-1.
"""

from __future__ import annotations

import gzip
import itertools
import math
import zlib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.images.dicom_frames import Frames, frames_of
from gazetrack.images.rescaling import rescaling
from gazetrack.images.spacing import UNKNOWN, Spacing, dicom_spacing, nifti_spacing, nrrd_spacing
from gazetrack.tables.stimulus import VOLUME_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Voxels = npt.NDArray[Any]

PERCENTILES = (0.5, 99.5)
_SAMPLED_VOXELS = 2**20
# What a deflated DICOM file may unpack to: so many times its size, or so many bytes where that is
# more.
MAX_DEFLATE_RATIO = 200
DEFLATE_RATIO_FROM_BYTES = 100 * 2**20
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BLOCK_BYTES = 2**20
_MODULES = {".dcm": "pydicom", ".nrrd": "nrrd", ".nii": "nibabel", ".nii.gz": "nibabel"}
_PACKAGES = {"nrrd": "pynrrd"}
# Signs that turn the axes of a NRRD file's space into left-posterior-superior.
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_NRRD_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "f4": ("float",),
    "f8": ("double",),
}
# Lines of a NRRD header that a file of labels takes over: they tell its geometry.
_NRRD_KEPT = (
    "space",
    "space directions",
    "space origin",
    "space units",
    "spacings",
    "units",
    "thicknesses",
    "kinds",
    "centers",
    "centerings",
    "measurement frame",
)
# Texts of a NIfTI header that a file of labels does not take over: they may say whose it is.
_NIFTI_TEXTS = ("descrip", "aux_file", "db_name", "intent_name")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@dataclass(frozen=True)
class Layout:
    """How stored axes (0, 1) become rows and columns of a slice: swapped first, then flipped."""

    swap: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def slices(self, stored: Voxels) -> Voxels:
        """Return [N, H, W] of voxels stored as [I, J, N]; a view."""
        turned = stored.transpose(2, 0, 1) if self.swap else stored.transpose(2, 1, 0)
        return turned[:, :: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def stored(self, slices: Voxels) -> Voxels:
        """Undo `slices`."""
        turned = slices[:, :: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]
        return turned.transpose(1, 2, 0) if self.swap else turned.transpose(2, 1, 0)


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its voxels are read; `spacing` is NaN where unknown.

    `series` is the SeriesInstanceUID of a DICOM file of one frame that tells its place in space,
    `frames` where all frames of a DICOM file lie, if it tells.
    """

    n: int
    height: int
    width: int
    layout: Layout
    raw: Any
    spacing: Spacing = UNKNOWN
    series: str = ""
    frames: Frames | None = None


@dataclass(frozen=True)
class Volume:
    """All slices of a file.

    Values are [N, H, W], or 8-bit colours [N, H, W, 3]. The real value, as the file means it, is
    slope * value + intercept; `limits` are the real values shown as black and white, which
    `inverted` exchanges.
    """

    values: Voxels
    limits: tuple[float, float]
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False


def suffix_of(path: Path) -> str:
    """Return a file's suffix among ``.dcm``, ``.nrrd``, ``.nii`` and ``.nii.gz``, else nothing."""
    name = path.name.lower()
    return next((suffix for suffix in VOLUME_SUFFIXES if name.endswith(suffix)), "")


def read_header(path: Path) -> tuple[Header, int]:
    """Return a file's header and the bytes of a voxel.

    A damaged file raises whatever its library raises.
    """
    readers = {".dcm": _dicom_header, ".nrrd": _nrrd_header}
    return readers.get(suffix_of(path), _nifti_header)(path)


def read_volume(path: Path, found: Header) -> Volume:
    """Return all voxels of a file whose header was read; errors as in `read_header`."""
    readers = {".dcm": _dicom, ".nrrd": _nrrd}
    return readers.get(suffix_of(path), _nifti)(path, found)


def is_writable(path: Path) -> bool:
    """Whether `encode_like` writes the format of a file: NRRD and NIfTI."""
    return suffix_of(path) in _MODULES and suffix_of(path) != ".dcm"


def encode_like(path: Path, found: Header, labels: npt.NDArray[np.uint8], packed: bool) -> bytes:
    """Return labels [N, H, W] as a file of the format and geometry of the file `path`.

    That is a NRRD or NIfTI file, whose header was read. A NIfTI file is gzipped where `packed`; the
    voxels of NRRD always are.
    """
    stored = found.layout.stored(labels)
    if suffix_of(path) == ".nrrd":
        return _nrrd_like(path, stored if found.raw["dimension"] == 3 else stored[:, :, 0])
    # Of the version of the source: only NIfTI-2 keeps the affine in 64 bits.
    image = type(found.raw)(stored.reshape(found.raw.shape), found.raw.affine, found.raw.header)
    image.set_data_dtype(np.uint8)
    image.header["cal_min"] = image.header["cal_max"] = 0
    for name in _NIFTI_TEXTS:
        if name in image.header:
            image.header[name] = b""
    image.header.extensions.clear()
    data = image.to_bytes()
    return gzip.compress(data, mtime=0) if packed else data


def _nrrd_like(path: Path, stored: Voxels) -> bytes:
    """Return a file whose lines about its geometry are those of another, letter for letter."""
    with path.open("rb") as file:
        lines = list(itertools.takewhile(bytes.strip, file))
    facts = [
        b"NRRD0005",
        b"type: uchar",
        b"dimension: %d" % stored.ndim,
        b"sizes: " + " ".join(map(str, stored.shape)).encode(),
        b"encoding: gzip",
    ]
    for line in lines:
        name = line.partition(b":")[0].decode("ascii", "replace")
        if name in _NRRD_KEPT:
            facts.append(line.strip())
    # Without a time of writing, so that the same labels give the same bytes.
    voxels = gzip.compress(stored.tobytes(order="F"), mtime=0)
    return b"\n".join(facts) + b"\n\n" + voxels


def _refuse_deflated_bomb(path: Path) -> None:
    """Refuse a deflated DICOM file that would fill the memory.

    pydicom unpacks it whole, whatever is asked for.
    """
    _library(path)
    meta = import_module("pydicom.filereader").read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != _DEFLATED:
        return
    with path.open("rb") as file:
        # The group's length counts what follows it: preamble and mark, and the element that holds
        # the length.
        file.seek(128 + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        size = path.stat().st_size
        most = max(DEFLATE_RATIO_FROM_BYTES, MAX_DEFLATE_RATIO * size)
        n_bytes = 0
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        data = file.read(_BLOCK_BYTES)
        while data and not unpack.eof:
            n_bytes += len(unpack.decompress(data, _BLOCK_BYTES))
            if n_bytes > most:
                what = f"unpacks to more than {n_bytes // 2**20:,} MB from {size / 1e6:.1f} MB"
                hint = "it is damaged, or made to fill the memory: export it again"
                raise InputError(what, path=path, hint=hint)
            data = unpack.unconsumed_tail or file.read(_BLOCK_BYTES)


def _dicom_header(path: Path) -> tuple[Header, int]:
    _refuse_deflated_bomb(path)
    data = _library(path).dcmread(path, defer_size=1024)
    if "PixelData" not in data or "Rows" not in data or "Columns" not in data:
        kind = quote(getattr(data.get("SOPClassUID"), "name", "") or "no kind")
        what = f"is DICOM without pixel data ({kind})"
        raise InputError(what, path=path, hint="give the images themselves")
    colour = str(data.get("PhotometricInterpretation", ""))
    if colour not in ("MONOCHROME1", "MONOCHROME2", *_COLOURS):
        what = f"has pixels of kind {quote(colour)}"
        raise InputError(what, path=path, hint="convert it to MONOCHROME2 or RGB")
    bytes_a_sample = math.ceil(int(data.get("BitsAllocated", 8)) / 8)
    bytes_a_pixel = bytes_a_sample * int(data.get("SamplesPerPixel", 1))
    n_frames = int(data.get("NumberOfFrames") or 1)
    size = (n_frames, int(data.Rows), int(data.Columns))
    series = str(data.get("SeriesInstanceUID") or "") if n_frames == 1 and _is_placed(data) else ""
    found = Header(
        *size,
        Layout(),
        None,
        spacing=dicom_spacing(data),
        series=series,
        frames=frames_of(data, n_frames),
    )
    return found, bytes_a_pixel


def _is_placed(data: Any) -> bool:
    """Whether a file of one frame tells where it lies, as classic or as enhanced DICOM does."""
    groups = data.get("PerFrameFunctionalGroupsSequence") or ()
    frames = [plane for group in groups for plane in group.get("PlanePositionSequence") or ()]
    return any(one.get("ImagePositionPatient") for one in (data, *frames))


def _dicom(path: Path, found: Header) -> Volume:
    data = _library(path).dcmread(path)
    try:
        pixels = import_module("pydicom.pixels").pixel_array(data)  # YBR is converted to RGB
    except (RuntimeError, NotImplementedError) as error:
        syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
        packed = quote(getattr(syntax, "name", syntax))
        hint = "install pylibjpeg with its plug-ins, or decompress it"
        raise InputError(f"cannot be unpacked ({packed})", path=path, hint=hint) from error
    values = pixels.reshape(found.n, found.height, found.width, -1)
    if values.shape[-1] == 3:
        if values.dtype != np.uint8:
            what = "has colours of more than 8 bits"
            raise InputError(what, path=path, hint="convert them to 8 bits")
        return Volume(values, (0, 255))
    inverted = data.PhotometricInterpretation == "MONOCHROME1"
    scales = rescaling(path, data, found.n)
    if len(set(scales)) == 1:
        return _scaled(values[..., 0], *scales[0], inverted)
    # Each frame by its own, as in PET: what is left to be done is the same for all.
    real = np.empty(values.shape[:3], np.float32)
    for number, (slope, intercept) in enumerate(scales):
        real[number] = values[number, ..., 0] * slope + intercept
    return _scaled(real, inverted=inverted)


def _nrrd_header(path: Path) -> tuple[Header, int]:
    fields = _library(path).read_header(str(path))
    if "data file" in fields or "datafile" in fields:
        raise InputError("keeps its voxels in another file", path=path, hint="save it as one .nrrd")
    for kind in map(str, fields.get("kinds") or ()):
        if kind not in ("domain", "space", "none", "???", "None"):
            what = f"has an axis of kind {quote(kind)}"
            raise InputError(what, path=path, hint="give gray values: one per voxel")
    shape = tuple(int(size) for size in fields["sizes"])
    directions = fields.get("space directions")
    signs = to_lps(fields)
    layout = Layout()
    if directions is not None and signs is not None and len(shape) == 3:
        # An axis that lies nowhere in space, such as time, has no direction.
        known = [[math.nan] * 3 if row is None else row for row in directions]
        layout = layout_of(np.array(known, float) * signs)
    return _described(path, shape, layout, fields), _nrrd_type(path, fields).itemsize


def to_lps(fields: Any) -> tuple[int, int, int] | None:
    """Return signs that turn the axes of a NRRD file's space into left-posterior-superior."""
    return _TO_LPS.get(str(fields.get("space")).lower())


def _nrrd_type(path: Path, fields: Any) -> np.dtype[Any]:
    for code, names in _NRRD_TYPES.items():
        if fields["type"] in names:
            return np.dtype((">" if fields.get("endian") == "big" else "<") + code)
    what = f"has voxels of type {quote(fields['type'])}"
    raise InputError(what, path=path, hint="give gray values of up to 32 bits")


def _nrrd(path: Path, found: Header) -> Volume:
    kind = _nrrd_type(path, found.raw)
    n_bytes = found.n * found.height * found.width * kind.itemsize
    packing = str(found.raw.get("encoding")).lower()
    skips = ("line skip", "lineskip", "byte skip", "byteskip")
    skipped = [name for name in skips if found.raw.get(name)]
    if packing not in ("raw", "gzip", "gz") or skipped:
        what = f"has {skipped[0]}" if skipped else f"is packed as {quote(packing)}"
        raise InputError(what, path=path, hint="save it again as NRRD with encoding gzip")
    with path.open("rb") as file:
        _library(path).read_header(file)
        data = file.read()
    if packing != "raw":
        # Never more than the header says: a few bytes could unpack to any number.
        data = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, n_bytes)
    if len(data) < n_bytes:
        what = f"ends after {len(data):,} of {n_bytes:,} bytes"
        raise InputError(what, path=path, hint="copy it again")
    sizes = [int(size) for size in found.raw["sizes"]]
    stored = np.frombuffer(data[:n_bytes], kind).reshape(sizes, order="F")
    if stored.ndim == 2:
        stored = stored[:, :, None]
    return _scaled(found.layout.slices(stored))


def _nifti_header(path: Path) -> tuple[Header, int]:
    image = _library(path).load(path, mmap=False)
    shape = tuple(int(size) for size in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        what = f"has voxels of type {quote(kind)}"
        raise InputError(what, path=path, hint="give gray values: one per voxel")
    # Rows of the affine are the world's axes, right-anterior-superior.
    directions = image.affine[:3, :3].T * (-1, -1, 1)
    layout = layout_of(directions) if len(shape) == 3 else Layout()
    return _described(path, shape, layout, image), kind.itemsize


def _nifti(path: Path, found: Header) -> Volume:
    image = _library(path).load(path, mmap=False)
    shape = image.shape[:3] if len(image.shape) > 2 else (*image.shape, 1)
    stored = image.dataobj.get_unscaled().reshape(shape)
    slope = float(image.dataobj.slope)
    intercept = float(image.dataobj.inter)
    return _scaled(found.layout.slices(stored), slope, intercept)


def layout_of(directions: npt.NDArray[np.float64]) -> Layout:
    """Return how slices are turned.

    Parameters
    ----------
    directions : ndarray of float64, shape (3, 3)
        Of each stored axis, the direction in left-posterior-superior space; NaN where the header
        tells none.

    Returns
    -------
    Layout
    """
    if not np.isfinite(directions).all() or not directions[:2].any(1).all():
        return Layout()
    first, second = (int(axis) for axis in np.abs(directions[:2]).argmax(1))
    if first == second:
        return Layout()
    # Left and back are to the right and down in a picture; head is up.
    flips = [(directions[i, axis] < 0) != (axis == 2) for i, axis in ((0, first), (1, second))]
    swap = first > second
    return Layout(swap, bool(flips[0 if swap else 1]), bool(flips[1 if swap else 0]))


def _described(path: Path, shape: tuple[int, ...], layout: Layout, raw: Any) -> Header:
    if len(shape) not in (2, 3):
        what = f"has {len(shape)} axes ({' x '.join(map(str, shape))})"
        hint = "save each 3-D volume, such as one time point, as a file of its own"
        raise InputError(what, path=path, hint=hint)
    columns, rows, n = (*shape, 1)[:3]
    if layout.swap:
        columns, rows = rows, columns
    spacing = nrrd_spacing if suffix_of(path) == ".nrrd" else nifti_spacing
    told = spacing(raw, swapped=layout.swap)
    return Header(n=n, height=rows, width=columns, layout=layout, raw=raw, spacing=told)


def _scaled(
    values: Voxels, slope: float = 1.0, intercept: float = 0.0, inverted: bool = False
) -> Volume:
    """Return a volume with the limits of its gray values, estimated from part of its voxels."""
    flat = values.reshape(-1)
    # An odd step meets all columns of a volume whose width is a power of two.
    step = flat.size // _SAMPLED_VOXELS | 1
    sampled = flat[::step].astype(np.float64) * slope + intercept
    finite = sampled[np.isfinite(sampled)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 0.0)
    return Volume(values, (float(low), float(high)), slope, intercept, inverted)


def _library(path: Path) -> Any:
    module = _MODULES[suffix_of(path)]
    try:
        return import_module(module)
    except ImportError:
        package = _PACKAGES.get(module, module)
        what = f"{quote(path.name)} needs {package}, which is not installed"
        raise ConfigError(what, hint='pip install "gazetrack[medical]"') from None
