"""DICOM segmentations, read back by highdicom and by dcmqi, which share no code."""

from __future__ import annotations

import io

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError
from gazetrack.images import dicom_seg
from gazetrack.images.dicom_seg import MadeBy, encode_segmentation
from gazetrack.images.dicom_series import read_series
from gazetrack.images.folder import find_images
from gazetrack.images.segments import name_segments
from tests.dicom_files import (
    affine_of,
    corners,
    dcmqi_tool,
    read_by_dcmqi,
    write_enhanced,
    write_series,
)
from tests.volume_files import write_dicom

SHAPE = (5, 6, 8)
VOXELS = np.zeros(SHAPE, np.int16)
LABELS = np.random.default_rng(0).integers(0, 3, SHAPE).astype(np.uint8)
LABELS[1] = 0  # a slice without anything
SEGMENTS = name_segments(["polyp", "liver"])
MADE_BY = MadeBy(name="GradTrack", digest=64 * "a", parameters={"threshold": "0.5"})
needs_dcmqi = pytest.mark.skipif(dcmqi_tool() is None, reason="dcmqi is not installed: see [test]")


def series_in(path):
    (series,) = read_series(list(find_images(path).values()))
    return series


def segread(data):
    import highdicom

    return highdicom.seg.segread(io.BytesIO(data))


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "mr", VOXELS)
    return series_in(tmp_path / "mr")


@pytest.fixture(params=["series", "frames"])
def either(request, tmp_path):
    if request.param == "series":
        write_series(tmp_path / "mr", VOXELS)
        return series_in(tmp_path / "mr")
    write_enhanced(tmp_path / "e.dcm", VOXELS)
    return series_in(tmp_path / "e.dcm")


def test_highdicom_reads_the_same_pixels_by_image_and_in_space(series):
    seg = segread(encode_segmentation(series, LABELS, SEGMENTS, MADE_BY))
    sources = [str(found.SOPInstanceUID) for found in series.headers]
    by_image = seg.get_pixels_by_source_instance(sources, combine_segments=True)
    assert np.array_equal(by_image, LABELS)
    volume = seg.get_volume(combine_segments=True)
    # highdicom counts slices so that the axes are right-handed: here the other way round.
    assert np.array_equal(volume.array[::-1], LABELS)
    corner = volume.affine[:3, 3] + 4 * volume.affine[:3, 0]
    assert np.allclose(corner, corners(1)[0], atol=1e-4)


def test_highdicom_reads_the_same_pixels_by_frame(tmp_path):
    write_enhanced(tmp_path / "e.dcm", VOXELS)
    series = series_in(tmp_path / "e.dcm")
    seg = segread(encode_segmentation(series, LABELS, SEGMENTS, MADE_BY))
    source = str(series.headers[0].SOPInstanceUID)
    by_frame = seg.get_pixels_by_source_frame(source, [1, 2, 3, 4, 5], combine_segments=True)
    assert np.array_equal(by_frame, LABELS)


@needs_dcmqi
def test_dcmqi_reads_the_same_voxels_at_the_same_place(either, tmp_path):
    (tmp_path / "o.dcm").write_bytes(encode_segmentation(either, LABELS, SEGMENTS, MADE_BY))
    images = read_by_dcmqi(tmp_path / "o.dcm", tmp_path / "nifti")
    for number, image in enumerate(images, 1):
        assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0) > 0, number == LABELS)
        assert np.allclose(image.affine, affine_of(), atol=1e-5)
    assert len(images) == 2


@needs_dcmqi
def test_probabilities_keep_their_values(either, tmp_path):
    values = np.random.default_rng(1).random((*SHAPE, 2)).astype(np.float32)
    values[0, 0, 0] = (0, 1)
    data = encode_segmentation(either, values, SEGMENTS, MADE_BY)
    seg = segread(data)
    assert (seg.SegmentationType, seg.MaximumFractionalValue) == ("FRACTIONAL", 255)
    assert seg.SegmentationFractionalType == "PROBABILITY"
    read = seg.get_volume(rescale_fractional=True).array[::-1]
    assert np.abs(read - values).max() <= 0.5 / 255 + 1e-6
    (tmp_path / "o.dcm").write_bytes(data)
    images = read_by_dcmqi(tmp_path / "o.dcm", tmp_path / "nifti")
    for k, image in enumerate(images):
        steps = np.asarray(image.dataobj).transpose(2, 1, 0)
        assert np.array_equal(steps, np.rint(values[..., k].astype(np.float64) * 255))


def test_it_says_what_it_is_and_what_made_it(series):
    seg = segread(encode_segmentation(series, LABELS, SEGMENTS, MADE_BY))
    assert [seg.get_segment_description(k).segment_label for k in (1, 2)] == ["polyp", "liver"]
    first = seg.get_segment_description(1)
    assert first.segmented_property_type.value == "68496003"
    assert first.segmented_property_category.meaning == "Morphologically Abnormal Structure"
    assert first.algorithm_type.value == "AUTOMATIC"
    (made,) = first.algorithm_identification
    assert (made.AlgorithmName, made.AlgorithmVersion) == ("GradTrack", seg.SoftwareVersions)
    told = "".join(made.AlgorithmParameters)
    assert "threshold=0.5" in told
    assert f"weights_sha256={64 * 'a'}" in told
    assert seg.FrameOfReferenceUID == "1.2.3.3"
    (referenced,) = seg.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == "1.2.3.2"
    named = {item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence}
    assert named == {found.SOPInstanceUID for found in series.headers}
    assert len(seg.PerFrameFunctionalGroupsSequence) == 2 * 5  # empty ones, too


def test_of_the_patient_no_more_is_copied_than_dicom_asks_for(series):
    seg = segread(encode_segmentation(series, LABELS, SEGMENTS, MADE_BY))
    assert (seg.PatientID, str(seg.PatientName), seg.PatientSex) == ("P-17", "Doe^Jane", "F")
    text = str(seg)
    for private in ("not to be copied", "064Y", "Hospital", "SN-1", "ACME"):
        assert private not in text
    assert "ContributingEquipmentSequence" not in seg


def test_removed_identities_stay_removed_and_are_said_to_be(tmp_path):
    gone = dict.fromkeys(("PatientID", "PatientName", "PatientBirthDate", "PatientSex"))
    gone |= {"StudyDate": None, "StudyTime": None}
    told = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "by hand"}
    write_series(tmp_path / "mr", VOXELS, **gone, **told)
    seg = segread(encode_segmentation(series_in(tmp_path / "mr"), LABELS, SEGMENTS, MADE_BY))
    assert (seg.PatientIdentityRemoved, seg.DeidentificationMethod) == ("YES", "by hand")
    assert not seg.PatientID
    assert not seg.PatientName
    assert (seg.ContentDate, seg.ContentTime) == ("19700101", "000000")


def test_the_same_is_the_same_bytes_and_another_is_another_object(series):
    data = encode_segmentation(series, LABELS, SEGMENTS, MADE_BY)
    assert data == encode_segmentation(series, LABELS, SEGMENTS, MADE_BY)
    seg = segread(data)
    assert (seg.ContentDate, seg.ContentTime) == ("20240229", "101112")
    other = LABELS.copy()
    other[0, 0, 0] = 1 - min(int(other[0, 0, 0]), 1)
    objects = {seg.SOPInstanceUID}
    same_series = segread(encode_segmentation(series, other, SEGMENTS, MADE_BY))
    assert same_series.SeriesInstanceUID == seg.SeriesInstanceUID
    objects.add(same_series.SOPInstanceUID)
    changed = [
        (SEGMENTS, MadeBy(name="GradTrack", digest=64 * "b", parameters=MADE_BY.parameters)),
        (SEGMENTS, MadeBy(name="GradTrack", digest=64 * "a", parameters={"threshold": "0.4"})),
        (name_segments(["lesion", "liver"]), MADE_BY),
    ]
    for segments, made_by in changed:
        another = segread(encode_segmentation(series, LABELS, segments, made_by))
        assert another.SeriesInstanceUID != seg.SeriesInstanceUID
        objects.add(another.SOPInstanceUID)
    assert len(objects) == 5


def test_a_picture_of_an_endoscope_has_one(tmp_path):
    facts = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.1",
        "Modality": "ES",
        "StudyInstanceUID": "1.1",
        "SeriesInstanceUID": "1.2",
    }
    colours = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    write_dicom(tmp_path / "a.dcm", np.zeros((6, 8, 3), np.uint8), **facts, **colours)
    series = series_in(tmp_path / "a.dcm")
    seg = segread(encode_segmentation(series, LABELS[:1], SEGMENTS, MADE_BY))
    sources = [str(series.headers[0].SOPInstanceUID)]
    assert np.array_equal(
        seg.get_pixels_by_source_instance(
            sources, combine_segments=True, ignore_spatial_locations=True
        ),
        LABELS[:1],
    )


@pytest.mark.parametrize(
    "values",
    [
        LABELS[:4],
        LABELS.transpose(0, 2, 1),
        LABELS + 1,
        np.full((*SHAPE, 2), 1.01),
        np.full((*SHAPE, 2), np.nan),
        np.zeros((*SHAPE, 3)),
    ],
)
def test_what_does_not_fit_is_refused(series, values):
    with pytest.raises(DataError, match="are no labels or probabilities of it"):
        encode_segmentation(series, values, SEGMENTS, MADE_BY)


def test_headers_that_nothing_can_refer_to_are_one_line(tmp_path):
    write_series(tmp_path / "mr", VOXELS, SOPClassUID="1.2.3.4")
    series = series_in(tmp_path / "mr")
    with pytest.raises(DataError, match=r"\.dcm: no segmentation can refer to it: "):
        encode_segmentation(series, LABELS, SEGMENTS, MADE_BY)


def test_a_missing_package_is_named(series, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(dicom_seg, "import_module", absent)
    with pytest.raises(ConfigError, match=r'highdicom.* - pip install "gazetrack\[medical\]"'):
        encode_segmentation(series, LABELS, SEGMENTS, MADE_BY)
