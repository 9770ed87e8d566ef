"""Masks of a DICOM series, put together to a DICOM segmentation that refers to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, quote
from gazetrack.images.dicom_seg import KINDS, MadeBy, SegKind, encode_segmentation
from gazetrack.images.dicom_series import DicomSeries, read_series
from gazetrack.images.segments import name_segments
from gazetrack.publish import refuse_overwrite, unique_names, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

# What `describe_network` says that decides over a pixel, or over how the network came about.
_TOLD = (
    "encoder",
    "step",
    "threshold",
    "image_size",
    "flips",
    "precision",
    "refined_by",
    "temperature",
)


@dataclass(frozen=True, kw_only=True)
class SegOptions:
    """How DICOM segmentations are written.

    Parameters
    ----------
    kind : {"binary", "fractional"}
        Masks, or probabilities in steps of 1/255.
    labels : tuple of str
        What the segments are called, one for each class; the classes' own names by default.
    codes : tuple of str
        What they are, see `gazetrack.images.segments.name_segments`.

    Raises
    ------
    ConfigError
        An unknown kind.

    Examples
    --------
    >>> options = gradtrack_model.SegOptions(labels=("polyp",))
    >>> gradtrack_model.PredictOptions(dicom_seg=options).dicom_seg.kind
    'binary'
    """

    kind: SegKind = "binary"
    labels: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            what = f"a DICOM segmentation of kind {quote(self.kind)!r}"
            raise ConfigError(what, hint=f"use one of {', '.join(KINDS)}")


def maker(network: Mapping[str, Any], digests: Sequence[str]) -> MadeBy:
    """Return what a segmentation says of the networks that made it.

    Parameters
    ----------
    network : mapping
        What `gradtrack_model.evaluation.made_by.describe_network` says of them.
    digests : sequence of str
        SHA-256 of the weights of each, in their order; several become one of all.
    """
    one = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    told = {key: str(network[key]) for key in _TOLD if network.get(key) is not None}
    if len(digests) > 1:
        told["networks"] = str(len(digests))
    name = f"GradTrack, method {network['method']}"[:64]
    return MadeBy(name=name, digest=one, parameters=told)


def asked_masks(
    options: SegOptions | None,
    images: Sequence[ImageRef],
    out: Path,
    *,
    made_by: Callable[[], MadeBy],
    classes: Sequence[str] = (),
) -> SeriesMasks | None:
    """Return what writes the segmentations that are asked for; None where none are.

    Parameters
    ----------
    options : SegOptions or None
        How they are written; None where nobody asks for them.
    images : sequence of ImageRef
        See `SeriesMasks`, and there for `out` and errors.
    out : pathlib.Path
        The folder that receives the objects.
    made_by : callable
        Returns what made them, which takes reading the weights.
    classes : sequence of str
        Names of the networks' classes; none of a network of one.
    """
    if options is None:
        return None
    return SeriesMasks(images, out, options, made_by=made_by(), classes=classes or ("",))


class SeriesMasks:
    """The masks of a series' images, written when the last one of them is there.

    Parameters
    ----------
    images : sequence of ImageRef
        All images to be segmented: one series, see `gazetrack.images.dicom_series.read_series`.
    out : pathlib.Path
        The folder that receives the objects.
    options : SegOptions
        Masks or probabilities, and the segments' names.
    made_by : MadeBy
        The networks, as `maker` describes them.
    classes : sequence of str
        Names of the networks' classes without the background; one without a name by default.

    Raises
    ------
    GazetrackError
        The images are no series, nothing can refer to them, their segments have no codes, or a
        package is not installed: before anything is segmented.
    """

    def __init__(
        self,
        images: Sequence[ImageRef],
        out: Path,
        options: SegOptions,
        *,
        made_by: MadeBy,
        classes: Sequence[str] = ("",),
    ) -> None:
        self.options = options
        self.made_by = made_by
        self.segments = name_segments(classes, options.labels, options.codes)
        found = read_series(images)
        names = unique_names(one.name for one in found)
        self._files = {one: out / f"{names[one.name]}.dcm" for one in found}
        self._of = {image: one for one in found for image in one.images}
        self._values: dict[ImageRef, npt.NDArray[Any]] = {}
        inputs = {image.file for image in images}
        for one, file in self._files.items():
            refuse_overwrite(file, inputs)
            self._try(one)

    def parts(self) -> dict[Path, set[ImageRef]]:
        """Return the images of each object that is going to be written."""
        return {file: set(series.images) for series, file in self._files.items()}

    def add(
        self, image: ImageRef, mask: npt.NDArray[Any], probability: npt.NDArray[Any]
    ) -> list[Path]:
        """Take what was found in an image, and return the object that it completed, if any.

        Parameters
        ----------
        image : ImageRef
            One of the images of the series.
        mask : ndarray, shape (H, W) or (S, H, W)
            Foreground, or labels of uint8; or a mask for each of S classes.
        probability : ndarray of float, shape (H, W) or (S, H, W)
            How likely each pixel is foreground, or each class.
        """
        is_binary = self.options.kind == "binary"
        self._values[image] = _stored(mask) if is_binary else np.atleast_3d(_last(probability))
        series = self._of[image]
        if any(one not in self._values for one in series.images):
            return []
        # Of a series that is complete nothing is kept.
        values = np.stack([self._values.pop(one) for one in series.images])
        file = self._files[series]
        write_bytes(file, encode_segmentation(series, values, self.segments, self.made_by))
        return [file]

    def _try(self, series: DicomSeries) -> None:
        """Make an object of no foreground: what a library finds wrong is said in time."""
        is_one_file = len(series.headers) == 1
        n = len(series.images) if is_one_file else 1
        some = DicomSeries(series.name, series.images[:n], series.headers[:n])
        first = series.headers[0]
        nothing = np.zeros((n, int(first.Rows), int(first.Columns)), np.uint8)
        encode_segmentation(some, nothing, self.segments, self.made_by)


def _last(planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return classes as the last axis, where there are several planes."""
    return planes if planes.ndim == 2 else np.moveaxis(planes, 0, -1)


def _stored(mask: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels [H, W] of uint8, or masks of classes that may overlap [H, W, S] of bool."""
    return mask.astype(np.uint8) if mask.ndim == 2 else _last(mask).astype(np.bool_)
