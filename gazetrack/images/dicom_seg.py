"""Segmentations as DICOM objects (DICOM-SEG), which refer to the images that they are about.

Written by highdicom. The same labels of the same images by the same maker are the same bytes: what
libraries draw by chance or take from the clock is set here. Standard: DICOM PS3.3 A.51, C.8.20.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazetrack.errors import ConfigError, DataError, GazetrackError, quote
from gazetrack.images.slices import reading
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.images.dicom_series import DicomSeries
    from gazetrack.images.segments import Code, Segment

SegKind = Literal["binary", "fractional"]
KINDS: tuple[SegKind, ...] = ("binary", "fractional")
# Probabilities are stored in 8 bits: this is certainty.
LARGEST = 255
# The content's date where the study tells none, as after de-identification: it must have one.
NO_DATE = "19700101"
NO_TIME = "000000"
# Added to the number of the source's series, so that both stand beside each other in a list.
SERIES_OFFSET = 1000


@dataclass(frozen=True, kw_only=True)
class MadeBy:
    """Which algorithm made a segmentation.

    Parameters
    ----------
    name : str
        Its name, at most 64 characters.
    digest : str
        SHA-256 of its weights, in hexadecimal: the device's serial number of the object.
    parameters : mapping of str to str
        What else decides over the labels, such as a threshold.
    """

    name: str
    digest: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def encode_segmentation(
    series: DicomSeries,
    values: npt.NDArray[Any],
    segments: Sequence[Segment],
    made_by: MadeBy,
) -> bytes:
    """Return a DICOM segmentation of a series.

    Parameters
    ----------
    series : DicomSeries
        What was segmented, see `gazetrack.images.dicom_series.read_series`.
    values : ndarray
        Labels of uint8 [N, H, W], one image of them for each of the series in its order, where k
        stands for segment k and 0 for none; or of bool [N, H, W, S], of segments that may overlap:
        an object of type BINARY. Or probabilities in [0, 1] as floats [N, H, W, S]: one of type
        FRACTIONAL, in steps of 1/255.
    segments : sequence of Segment
        The S segments, the first one of label 1.
    made_by : MadeBy
        The algorithm, which the object names.

    Returns
    -------
    bytes
        A DICOM file that holds a frame for each image and segment, also where it is empty, so that
        it covers the whole series.

    Raises
    ------
    ConfigError
        highdicom is not installed.
    DataError
        The shape or values do not fit, or an image's header is such that nothing can refer to it.
    """
    _check(series, values, segments)
    highdicom = _library()
    first = series.headers[0]
    with reading(series.images[0].file):
        try:
            made = _encoded(highdicom, series, values, segments, made_by)
        except GazetrackError:
            raise
        except Exception as error:  # whatever a library says of a header that is not as it should
            what = f"no segmentation can refer to it: {quote(error, 160)}"
            hint = "export the series again from its archive"
            raise DataError(what, path=series.images[0].file, hint=hint) from error
    _settle(made, first, _uid("dimensions", made.SOPInstanceUID))
    data = io.BytesIO()
    made.save_as(data, enforce_file_format=True)
    return data.getvalue()


def _check(series: DicomSeries, values: npt.NDArray[Any], segments: Sequence[Segment]) -> None:
    first = series.headers[0]
    wanted: tuple[int, ...] = (len(series.images), int(first.Rows), int(first.Columns))
    is_labels = values.dtype == np.uint8
    if not is_labels:
        wanted = (*wanted, len(segments))
    highest = len(segments) if is_labels else 1
    fits = values.shape == wanted and bool((values >= 0).all() and (values <= highest).all())
    if not fits:
        what = f"{values.dtype} of shape {values.shape} are no labels or probabilities of it"
        hint = f"give shape {wanted}, and values from 0 to {highest}"
        raise DataError(what, path=series.images[0].file, hint=hint)


def _encoded(
    highdicom: Any,
    series: DicomSeries,
    values: npt.NDArray[Any],
    segments: Sequence[Segment],
    made_by: MadeBy,
) -> Any:
    """Return the object as highdicom makes it, with identifiers of ours."""
    kind = "FRACTIONAL" if values.dtype.kind == "f" else "BINARY"
    sources = [str(found.SOPInstanceUID) for found in series.headers]
    told = [f"{key}={value}" for key, value in sorted(made_by.parameters.items())]
    named = [repr(segment) for segment in segments]
    facts = [*sources, kind, made_by.name, made_by.digest, __version__, *told, *named]
    # What would be another object must never have the same name, such as after an update that
    # moves a pixel.
    pixels = hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
    first = series.headers[0]
    number = int(first.get("SeriesNumber") or 0)
    return highdicom.seg.Segmentation(
        source_images=list(series.headers),
        pixel_array=values,
        segmentation_type=kind,
        segment_descriptions=_descriptions(highdicom, segments, made_by),
        series_instance_uid=_uid("series", *facts),
        series_number=max(number, 0) + SERIES_OFFSET,
        series_description=f"Segmentation by {made_by.name}"[:64],
        sop_instance_uid=_uid("object", *facts, pixels),
        instance_number=1,
        manufacturer="gazetrack",
        manufacturer_model_name=made_by.name,
        software_versions=__version__,
        device_serial_number=made_by.digest,
        fractional_type="PROBABILITY",
        max_fractional_value=LARGEST,
        content_label="SEGMENTATION",
        omit_empty_frames=False,
    )


def _descriptions(highdicom: Any, segments: Sequence[Segment], made_by: MadeBy) -> list[Any]:
    def coded(code: Code) -> Any:
        return highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning)

    family = import_module("pydicom.sr.codedict").codes.cid7162.ArtificialIntelligence
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=made_by.name,
        family=family,
        version=__version__,
        source="gazetrack",
        parameters={**made_by.parameters, "weights_sha256": made_by.digest},
    )
    return [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=segment.label,
            segmented_property_category=coded(segment.category),
            segmented_property_type=coded(segment.kind),
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
        )
        for number, segment in enumerate(segments, 1)
    ]


def _settle(made: Any, first: Any, dimensions: str) -> None:
    """Set what the library drew by chance, took from the clock, or copied beyond need."""
    made.DimensionOrganizationSequence[0].DimensionOrganizationUID = dimensions
    for index in made.DimensionIndexSequence:
        index.DimensionOrganizationUID = dimensions
    made.ContentDate = first.get("StudyDate") or NO_DATE
    made.ContentTime = first.get("StudyTime") or NO_TIME
    # Optional, both: when the file was written, and whose devices made the source.
    for name in ("InstanceCreationDate", "InstanceCreationTime", "ContributingEquipmentSequence"):
        if name in made:
            delattr(made, name)


def _uid(what: str, *facts: str) -> str:
    """Return an identifier that the same facts always have (DICOM PS3.5 B.2, by pydicom's root)."""
    told = "\n".join(("gazetrack", what, *facts))  # pydicom joins several without a mark between
    uid: str = import_module("pydicom.uid").generate_uid(entropy_srcs=[told])
    return uid


def _library() -> Any:
    try:
        found = import_module("highdicom")
        import_module("highdicom.seg")
    except ImportError:
        hint = 'pip install "gazetrack[medical]"'
        raise ConfigError("DICOM-SEG needs highdicom, which is not installed", hint=hint) from None
    return found
