from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.nn import functional

from gazetrack.errors import ConfigError, DataError, InputError, OutputError
from gazetrack.images.folder import read_mask
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slices_of
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.sources import open_image, resized
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.predict import PredictOptions, draw_overlay, predict_folder
from gradtrack_model.network.blocks import resize
from gradtrack_model.network.model import ModelConfig, TrackUNet
from gradtrack_model.weights.checkpoint import load_model
from gradtrack_model.weights.hub import save_pretrained
from tests.synthetic import H, W, picture
from tests.volume_files import write_dicom, write_nifti, write_nrrd


def write_mask(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8) * 255).save(path)


def test_masks_have_the_size_of_their_images(run_folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    sizes = {"a": (40, 90), "b c": (64, 64), "gray": (33, 50)}
    for name, (h, w) in sizes.items():
        Image.new("L" if name == "gray" else "RGB", (w, h), 90).save(images / f"{name}.png")
    (images / "bad.png").write_bytes(b"no image")
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    options = PredictOptions(probabilities=True, overlay=True, tta=True, batch_size=2)
    done = list(predict_folder(images, checkpoint, tmp_path / "out", options))
    assert [p.image.file.name for p in done if p.error] == ["bad.png"]
    for prediction in done:
        if prediction.error:
            continue
        h, w = sizes[prediction.image.file.stem]
        mask, probability, overlay = (np.array(Image.open(path)) for path in prediction.outputs)
        assert mask.shape == probability.shape == (h, w)
        assert overlay.shape == (h, w, 3)
        assert set(np.unique(mask)) <= {0, 255}
        assert ((probability >= 127) >= (mask > 0)).all()
        assert prediction.share == pytest.approx((mask > 0).mean())
    assert (tmp_path / "out" / "a.png").exists()
    assert next((tmp_path / "out").glob("b_c-*.png")).is_file()  # a name from data, made safe


def test_images_are_resized_to_what_the_network_was_validated_at(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    sizes = []
    checkpoint.model.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[-1]))
    larger = dataclasses.replace(
        checkpoint, config=dataclasses.replace(checkpoint.config, predict_scale=1.25)
    )
    for found, asked in ((checkpoint, None), (checkpoint, 48), (larger, None), (larger, 48)):
        list(
            predict_folder(
                run_folder / "images",
                found,
                tmp_path,
                PredictOptions(image_size=asked, batch_size=64),
            )
        )
    assert sizes == [64, 48, 80, 48]


def test_foreground_is_what_the_validation_took_for_it(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    lower = dataclasses.replace(
        checkpoint, config=dataclasses.replace(checkpoint.config, predict_threshold=0.2)
    )
    for found, asked, threshold in ((checkpoint, None, 0.5), (lower, None, 0.2), (lower, 0.6, 0.6)):
        options = PredictOptions(threshold=asked, probabilities=True)
        for prediction in predict_folder(run_folder / "images", found, tmp_path, options):
            mask, probability = (np.array(Image.open(path)) for path in prediction.outputs)
            unsure = np.abs(probability / 255 - threshold) < 0.003
            assert ((mask > 0) == (probability / 255 > threshold))[~unsure].all()


def test_tta_of_a_symmetric_image_changes_little_and_flips_back(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    images = run_folder / "images"
    first = [
        p.share
        for p in predict_folder(images, checkpoint, tmp_path / "a", PredictOptions(batch_size=1))
    ]
    second = [
        p.share
        for p in predict_folder(images, checkpoint, tmp_path / "b", PredictOptions(batch_size=4))
    ]
    assert first == pytest.approx(second, abs=1e-3)


def test_nothing_to_predict(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    with pytest.raises(InputError, match="holds no image"):
        list(predict_folder(tmp_path, checkpoint, tmp_path / "out", PredictOptions()))


def test_overlay():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    drawn = draw_overlay(np.full((20, 20, 3), 100, np.uint8), mask)
    assert drawn[0, 0].tolist() == [100, 100, 100]
    assert drawn[5, 8].tolist() == [0, 220, 80]
    assert drawn[10, 10].tolist() == [70, 136, 94]


def test_scores(tmp_path):
    a = np.zeros((H, W), bool)
    a[:4] = True
    b = np.zeros((H, W), bool)
    b[:8] = True
    for name, predicted, mask in (
        ("half", a, b),
        ("same", a, a),
        ("none", a & False, a & False),
        ("missed", a & False, a),
    ):
        write_mask(tmp_path / "p" / f"{name}.png", predicted)
        write_mask(tmp_path / "m" / f"{name}.png", mask)
    write_mask(tmp_path / "m" / "alone.png", a)
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out")
    assert {s.image_id: round(s.measures.dice, 4) for s in result.scores} == {
        "half": 0.6667,
        "missed": 0,
        "none": 1,
        "same": 1,
    }
    assert not result.complete
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dice"]["mean"] == pytest.approx((2 / 3 + 2) / 4)
    assert summary["iou"]["median"] == pytest.approx(0.75)
    assert (summary["n"], summary["n_wanted"], summary["without_prediction"]) == (4, 5, ["alone"])
    assert "1 with both masks empty" in summary["empty_masks"]
    with (tmp_path / "out" / "evaluation.csv").open() as file:
        first, *_, last = csv.DictReader(file)
    assert first == {
        "image_id": "half", "dice": "0.666667", "iou": "0.500000", "precision": "1.000000", "recall": "0.500000",
        "hd95_px": "4.000000", "asd_px": first["asd_px"], "predicted_px": "320", "mask_px": "640", "error": "",
    }  # fmt: skip
    assert (last["image_id"], last["dice"], last["error"]) == ("alone", "", "no prediction")
    (tmp_path / "m" / "alone.png").unlink()
    assert evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out").complete


def test_a_mask_of_another_size_fails_alone(tmp_path):
    for name in ("a", "=b"):
        write_mask(tmp_path / "p" / f"{name}.png", np.ones((H, W)))
        write_mask(tmp_path / "m" / f"{name}.png", np.ones((H, W + (name == "=b"))))
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out")
    assert not result.complete
    bad, good = result.scores
    assert f"=b.png: is {W + 1} x {H} pixels, its prediction {W} x {H}" in str(bad.error)
    assert good.measures.dice == 1
    text = (tmp_path / "out" / "evaluation.csv").read_text()
    assert "\n'=b,,,,," in text


def test_ids_are_all_wanted(tmp_path):
    write_mask(tmp_path / "p" / "a.png", np.ones((4, 4)))
    write_mask(tmp_path / "m" / "a.png", np.ones((4, 4)))
    write_mask(tmp_path / "m" / "b.png", np.ones((4, 4)))
    (tmp_path / "ids.txt").write_text("a\nb\n")
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out", tmp_path / "ids.txt")
    assert not result.complete
    assert result.without_prediction == ("b",)
    (tmp_path / "ids.txt").write_text("z\n")
    with pytest.raises(DataError, match="no prediction has a mask"):
        evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out", tmp_path / "ids.txt")


def test_chosen_images_alone_are_segmented(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    options = PredictOptions(ids=("im2", "im0"))
    done = list(predict_folder(run_folder / "images", checkpoint, tmp_path / "out", options))
    assert [p.image.file.stem for p in done] == ["im2", "im0"]
    with pytest.raises(InputError, match="has no image 'nobody'"):
        list(
            predict_folder(
                run_folder / "images", checkpoint, tmp_path / "out", PredictOptions(ids=("nobody",))
            )
        )


@pytest.mark.parametrize("size", [(96, 96), (97, 131), (40, 33)])
def test_resizing_to_the_network_and_back_has_no_shift(size):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (*size, 3), np.uint8))
    small, mirrored = resized(image, 64), resized(ImageOps.mirror(image), 64)
    assert (
        small.int() - mirrored.flip(-1).int()
    ).abs().max() <= 1  # Pillow rounds; half a pixel would be tens
    logits = small[None, :1].float()
    back = functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    again = functional.interpolate(
        logits.flip(-1, -2), size=size, mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(back, again.flip(-1, -2), rtol=0, atol=1e-3)


def test_the_network_has_no_shift_of_its_own():
    """With kernels made symmetric a network without uneven padding turns with its input: all of it is aligned."""
    torch.manual_seed(0)
    model = TrackUNet(ModelConfig(encoder="basic", widths=(8,) * 6)).eval()
    for p in model.parameters():
        if p.ndim == 4:
            p.data = (p.data + p.data.flip(-1) + p.data.flip(-2) + p.data.flip(-1, -2)) / 4
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        straight, turned = model(image), model(image.flip(-1, -2))
    for a, b in zip(
        [straight.logits, *straight.tracks], [turned.logits, *turned.tracks], strict=True
    ):
        torch.testing.assert_close(a, b.flip(-1, -2), rtol=1e-4, atol=1e-5)


def test_two_evaluations_are_compared_image_by_image(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(12):
        mask = np.zeros((H, W), bool)
        mask[10:30, 10:40] = True
        write_mask(tmp_path / "m" / f"{i}.png", mask)
        write_mask(tmp_path / "good" / f"{i}.png", mask & (rng.random((H, W)) < 0.95))
        write_mask(tmp_path / "poor" / f"{i}.png", mask & (rng.random((H, W)) < 0.6))
    evaluate_folder(tmp_path / "poor", tmp_path / "m", tmp_path / "a")
    result = evaluate_folder(
        tmp_path / "good", tmp_path / "m", tmp_path / "b", against=tmp_path / "a" / "evaluation.csv"
    )
    paired = result.summary()["against"]
    assert paired["n"] == 12
    assert paired["interval"][0] < paired["difference"] < paired["interval"][1]
    assert paired["interval"][0] > 0.1
    assert paired["p"] < 0.001
    low, high = result.summary()["dice"]["interval"]
    assert low <= result.summary()["dice"]["mean"] <= high
    (tmp_path / "none.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="is no evaluation"):
        evaluate_folder(
            tmp_path / "good", tmp_path / "m", tmp_path / "b", against=tmp_path / "none.csv"
        )


def test_predicted_track_maps(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    done = list(
        predict_folder(
            run_folder / "images", checkpoint, tmp_path, PredictOptions(tracks=True, tta=True)
        )
    )
    levels = len(checkpoint.model.stages)
    assert [path.relative_to(tmp_path).as_posix() for path in done[0].outputs] == [
        "im0.png", *(f"tracks/{k}/im0.png" for k in range(1, levels + 1))
    ]  # fmt: skip
    image = resized(
        open_image(ImageRef(run_folder / "images" / "im0.png")), checkpoint.config.image_size
    )
    batch = normalise(image[None].float() / 255)
    flips = ((), (-1,), (-2,), (-2, -1))
    with torch.inference_mode():
        logits = (
            sum(resize(checkpoint.model(batch.flip(a)).tracks[-1], batch).flip(a) for a in flips)
            / 4
        )
    expected = torch.sigmoid(resize(logits, torch.zeros(1, 1, H, W)))[0, 0].numpy() * 255
    with Image.open(tmp_path / "tracks" / str(levels) / "im0.png") as written:
        assert np.abs(np.asarray(written) - expected).max() < 1
    silent = dataclasses.replace(checkpoint.config.loss, track_weight=0)
    checkpoint = dataclasses.replace(
        checkpoint, config=dataclasses.replace(checkpoint.config, loss=silent)
    )
    with pytest.raises(ConfigError, match="without track maps"):
        list(
            predict_folder(run_folder / "images", checkpoint, tmp_path, PredictOptions(tracks=True))
        )


def test_volumes_are_predicted_in_their_own_format(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    shown = (
        np.stack([picture(30 + 5 * k, 30, 12)[0][..., 0] for k in range(3)], -1)
        .transpose(1, 0, 2)
        .astype(np.int16)
    )
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "a.nii.gz", shown)
    write_nrrd(tmp_path / "in" / "b.nrrd", shown)
    write_dicom(tmp_path / "in" / "c.dcm", shown.transpose(2, 1, 0).copy())
    (tmp_path / "in" / "d.nii.gz").write_bytes(b"no volume")
    done = list(
        predict_folder(tmp_path / "in", checkpoint, tmp_path / "out", PredictOptions(batch_size=2))
    )
    assert [p.error is None for p in done] == [True] * 9 + [False]
    assert "d.nii.gz: cannot be read" in str(done[-1].error)
    assert sorted(p.name for p in (tmp_path / "out" / "volumes").iterdir()) == [
        "a.nii.gz",
        "b.nrrd",
    ]
    assert done[2].outputs == (
        tmp_path / "out" / "a_3.png",
        tmp_path / "out" / "volumes" / "a.nii.gz",
    )
    for name in ("a", "b"):
        file = next((tmp_path / "out" / "volumes").glob(f"{name}.*"))
        for image in slices_of(file):
            alone = ImageRef(tmp_path / "out" / f"{name}_{image.slice}.png")
            assert np.array_equal(read_mask(image), read_mask(alone))
    chosen = PredictOptions(ids=("a_1", "b_1", "b_2", "b_3"))
    list(predict_folder(tmp_path / "in", checkpoint, tmp_path / "some", chosen))
    assert sorted(p.name for p in (tmp_path / "some" / "volumes").iterdir()) == ["b.nrrd"]


def test_nothing_is_written_among_the_inputs(run_folder, tmp_path):
    """Masks among the images would be images of the same names the next time."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    Image.new("RGB", (40, 40)).save(images / "a.jpg")
    write_mask(masks / "a.png", np.ones((40, 40)))
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    for out, options in ((images, PredictOptions()), (tmp_path, PredictOptions(overlay=True))):
        folder = images if out == images else tmp_path / "overlays"
        if folder != images:
            images.rename(folder)
        with pytest.raises(OutputError, match="is a folder of inputs"):
            list(predict_folder(folder, checkpoint, out, options))
    folder = tmp_path / "overlays"
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OutputError, match="choose another folder with --out"):
        list(predict_folder(folder, checkpoint, tmp_path / "link", PredictOptions()))
    with pytest.raises(OutputError, match="is a folder of inputs"):
        list(predict_folder(folder / "a.jpg", checkpoint, folder, PredictOptions()))
    (alone,) = predict_folder(folder / "a.jpg", checkpoint, tmp_path / "alone", PredictOptions())
    assert alone.outputs == (tmp_path / "alone" / "a.png",)
    for out in (folder, masks):
        with pytest.raises(OutputError, match="is a folder of inputs"):
            evaluate_folder(folder, masks, out)
    run = run_folder / "runs" / "gradtrack"
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(OutputError, match="is a folder of inputs"):
        save_pretrained(checkpoint, run)
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["a.jpg"]
    assert sorted(path.name for path in masks.iterdir()) == ["a.png"]
