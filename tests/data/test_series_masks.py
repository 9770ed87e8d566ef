from __future__ import annotations

import json

import highdicom
import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError, OutputError
from gazetrack.images.folder import find_images, read_mask
from gazetrack.publish import sha256_of
from gradtrack_model.data.series_masks import SegOptions, SeriesMasks, maker
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.network.model import build_network
from gradtrack_model.settings import load_config
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint
from tests.dicom_files import affine_of, dcmqi_tool, read_by_dcmqi, write_enhanced, write_series
from tests.synthetic import picture

SHOWN = np.stack([picture(30 + 5 * k, 30, 12)[0][..., 0] for k in range(3)]).astype(np.int16)
MADE_BY = maker({"method": "m", "threshold": "t"}, [64 * "a"])


@pytest.fixture
def checkpoint(run_folder):
    return load_model(run_folder / "runs" / "gradtrack")


def predicted(folder, checkpoint, out, **more):
    options = PredictOptions(batch_size=2, probabilities=True, **more)
    return list(predict_folder(folder, checkpoint, out, options))


@pytest.mark.skipif(dcmqi_tool() is None, reason="dcmqi is not installed: see [test]")
@pytest.mark.parametrize("kind", ["series", "frames"])
def test_a_series_is_predicted_as_one_object(checkpoint, tmp_path, kind):
    if kind == "series":
        write_series(tmp_path / "mr", SHOWN)
    else:
        write_enhanced(tmp_path / "mr.dcm", SHOWN)
    source = tmp_path / ("mr" if kind == "series" else "mr.dcm")
    done = predicted(source, checkpoint, tmp_path / "out", dicom_seg=SegOptions())
    written = tmp_path / "out" / "dicom-seg" / "mr.dcm"
    assert [written in one.outputs for one in done] == [False, False, True]
    seg = highdicom.seg.segread(written)
    (described,) = [seg.get_segment_description(1)]
    assert (described.segment_label, described.segmented_property_type.meaning) == (
        "lesion",
        "Lesion",
    )
    assert seg.DeviceSerialNumber == sha256_of(checkpoint.path)
    # The voxels that another program sees are the pixels of our own masks, at their place.
    (image,) = read_by_dcmqi(written, tmp_path / "nifti")
    assert np.allclose(image.affine, affine_of(), atol=1e-5)
    in_space = {one.image: one for one in done}
    order = sorted(in_space, key=lambda ref: position(ref, source))
    masks = np.stack([np.array(Image.open(in_space[ref].outputs[0])) > 0 for ref in order])
    assert 0.02 < masks.mean() < 0.98
    assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0) > 0, masks)


def position(ref, source):
    import pydicom

    found = pydicom.dcmread(ref.file)
    return ref.slice if source.is_file() else int(found.InstanceNumber)


def test_probabilities_are_those_of_the_pictures(checkpoint, tmp_path):
    write_enhanced(tmp_path / "mr.dcm", SHOWN)
    options = SegOptions(kind="fractional", labels=("Polyp",))
    done = predicted(tmp_path / "mr.dcm", checkpoint, tmp_path / "out", dicom_seg=options)
    seg = highdicom.seg.segread(tmp_path / "out" / "dicom-seg" / "mr.dcm")
    found = seg.get_volume(rescale_fractional=False).array[::-1][..., 0]
    grey = np.stack([np.array(Image.open(one.outputs[1])) for one in done])
    assert len(np.unique(grey)) > 10
    assert np.array_equal(found, grey)


def test_the_same_prediction_is_the_same_file(checkpoint, tmp_path):
    write_series(tmp_path / "mr", SHOWN)
    files = []
    for name, threshold in (("a", 0.5), ("b", 0.5), ("c", 0.4)):
        more = {"dicom_seg": SegOptions(), "threshold": threshold}
        predicted(tmp_path / "mr", checkpoint, tmp_path / name, **more)
        files.append((tmp_path / name / "dicom-seg" / "mr.dcm").read_bytes())
    assert files[0] == files[1] != files[2]


def test_images_of_no_place_become_an_object_each(checkpoint, tmp_path):
    endoscope = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.1", "Modality": "ES"}
    nowhere = {"FrameOfReferenceUID": None, "ImagePositionPatient": None, **endoscope}
    write_series(tmp_path / "es", SHOWN[:2], names=["a", "b"], **nowhere)
    done = predicted(tmp_path / "es", checkpoint, tmp_path / "out", dicom_seg=SegOptions())
    objects = [tmp_path / "out" / "dicom-seg" / name for name in ("a.dcm", "b.dcm")]
    assert [one.outputs[-1] for one in done] == objects


def test_what_is_no_series_is_said_before_anything_is_segmented(checkpoint, tmp_path):
    write_series(tmp_path / "mr", SHOWN)
    Image.new("L", (40, 40)).save(tmp_path / "mr" / "x.png")
    for changed, error, message in (
        (None, InputError, r"x\.png: is no DICOM file"),
        ("x.png", ConfigError, "which thing 'gizmo' is in codes is not known"),
        ("im97.dcm", DataError, "slices are missing|lie"),
    ):
        if changed == "im97.dcm":
            write_series(tmp_path / "mr", SHOWN[:1], names=["far"], places=[[900.0, 0, 0]])
        elif changed is not None:
            (tmp_path / "mr" / changed).unlink()
        labels = () if changed == "im97.dcm" else ("gizmo",) if changed else ()
        with pytest.raises(error, match=message):
            predicted(
                tmp_path / "mr", checkpoint, tmp_path / "out", dicom_seg=SegOptions(labels=labels)
            )
        assert not (tmp_path / "out").exists()
    (tmp_path / "mr" / "far.dcm").unlink()
    write_series(tmp_path / "mr", SHOWN, SOPClassUID="1.2.3.4")
    with pytest.raises(DataError, match="no segmentation can refer to it"):
        predicted(tmp_path / "mr", checkpoint, tmp_path / "out", dicom_seg=SegOptions())
    assert not (tmp_path / "out").exists()


def test_a_slice_that_cannot_be_read_leaves_no_object(checkpoint, tmp_path):
    paths = write_series(tmp_path / "mr", SHOWN)
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[: len(data) - 500])  # its header is whole
    done = predicted(tmp_path / "mr", checkpoint, tmp_path / "out", dicom_seg=SegOptions())
    assert [one.error is None for one in done].count(False) == 1
    assert not (tmp_path / "out" / "dicom-seg").exists()


def test_classes_are_segments(tmp_path):
    write_series(tmp_path / "mr", SHOWN)
    images = list(find_images(tmp_path / "mr").values())
    classes = ["polyp", "liver"]
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, SHOWN.shape).astype(np.uint8)
    overlapping = rng.random((3, 2, *SHOWN.shape[1:])) > 0.4
    for name, masks in (("labels", labels), ("overlapping", overlapping)):
        objects = SeriesMasks(
            images, tmp_path / name, SegOptions(), made_by=MADE_BY, classes=classes
        )
        order = next(iter(objects._files)).images
        written = [
            path
            for image, mask in zip(order, masks, strict=True)
            for path in objects.add(image, mask, np.zeros(mask.shape, np.float32))
        ]
        seg = highdicom.seg.segread(written[0])
        found = seg.get_volume().array[::-1]
        for k in range(2):
            assert np.array_equal(
                found[..., k] > 0, labels == k + 1 if name == "labels" else masks[:, k]
            )


def test_an_object_never_replaces_an_image(tmp_path):
    write_series(tmp_path / "dicom-seg", SHOWN[:1], names=["a"])
    images = list(find_images(tmp_path / "dicom-seg").values())
    before = (tmp_path / "dicom-seg" / "a.dcm").read_bytes()
    with pytest.raises(OutputError, match="would be written over the input"):
        SeriesMasks(images, tmp_path / "dicom-seg", SegOptions(), made_by=MADE_BY)
    assert (tmp_path / "dicom-seg" / "a.dcm").read_bytes() == before


def test_networks_are_named_by_what_decides(checkpoint):
    network = {"method": "gaze", "threshold": "t", "flips": False, "trained_on": "here"}
    one = maker(network, ["a"])
    assert (one.name, one.digest) == ("GradTrack, method gaze", "a")
    assert json.dumps(one.parameters) == '{"threshold": "t", "flips": "False"}'
    several = maker(network, ["a", "b"])
    assert (several.parameters["networks"], len(several.digest)) == ("2", 64)
    assert several.digest != maker(network, ["b", "a"]).digest


def test_other_kinds_are_refused():
    with pytest.raises(ConfigError, match="of kind 'labelmap' - use one of binary, fractional"):
        SegOptions(kind="labelmap")


def test_masks_beside_it_are_written_as_ever(checkpoint, tmp_path):
    write_series(tmp_path / "mr", SHOWN)
    predicted(tmp_path / "mr", checkpoint, tmp_path / "with", dicom_seg=SegOptions())
    predicted(tmp_path / "mr", checkpoint, tmp_path / "without")
    for ref in find_images(tmp_path / "without").values():
        same = find_images(tmp_path / "with" / ref.file.name)
        assert np.array_equal(read_mask(ref), read_mask(next(iter(same.values()))))
    assert not (tmp_path / "without" / "dicom-seg").exists()


def test_a_network_of_two_classes_makes_two_segments(tmp_path):
    torch.manual_seed(0)
    settings = {"image_size": 64, "model.encoder": "basic", "model.pretrained": False}
    settings |= {"model.widths": [8] * 6, "classes.names": ["polyp", "cyst"]}
    config = load_config("tiny", overrides=settings)
    model = build_network(config.model)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    saved = save_checkpoint(tmp_path / "net", "best", model, config, step=1, metrics={})
    write_enhanced(tmp_path / "mr.dcm", SHOWN)
    found = {}
    for kind in ("binary", "fractional"):
        out = tmp_path / kind
        options = PredictOptions(dicom_seg=SegOptions(kind=kind), threshold=0.2)
        done = list(predict_folder(tmp_path / "mr.dcm", load_model(saved), out, options))
        seg = highdicom.seg.segread(out / "dicom-seg" / "mr.dcm")
        named = [seg.get_segment_description(k) for k in (1, 2)]
        assert [one.segment_label for one in named] == ["polyp", "cyst"]
        assert [one.segmented_property_type.meaning for one in named] == ["Polyp of colon", "Cyst"]
        found[kind] = seg.get_volume(rescale_fractional=False).array[::-1]
    labels = np.stack([np.array(Image.open(one.outputs[0])) for one in done])
    assert len(np.unique(labels)) > 1
    for k in range(2):
        assert np.array_equal(found["binary"][..., k] > 0, labels == k + 1)
    assert found["fractional"].max() > found["fractional"].min()
