from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.nn import functional

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.images.reference import ImageRef
from gazetrack.publish import sha256_of
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.image_files import open_image, resized
from gradtrack_model.data.sample import Sample
from gradtrack_model.evaluation.averaging import mean_of_logits
from gradtrack_model.evaluation.in_memory import segment
from gradtrack_model.evaluation.predict import (
    PredictOptions,
    logits_of,
    predict_folder,
)
from gradtrack_model.network.blocks import resize
from gradtrack_model.network.model import ModelConfig, TrackUNet
from gradtrack_model.training.validation import _output
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import H, W


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


def test_predictions_are_computed_as_the_validation_was(run_folder, config):
    """A network that was validated in bfloat16 predicts in it, to the same logits."""
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    size = config.predicting_size
    image = open_image(ImageRef(run_folder / "images" / "im5.png"))
    sample = Sample("im5", resized(image, size))
    found = {}
    for precision in ("fp32", "bf16"):
        validated = dataclasses.replace(config, precision=precision, predict_threshold=0.5)
        (own,) = logits_of(checkpoint.model, [(image,)], size, PredictOptions(), precision)
        output = _output(checkpoint.model, [sample], validated, torch.device("cpu"))
        assert torch.equal(own, output.logits[0].float())
        found[precision] = own
    assert not torch.equal(found["fp32"], found["bf16"])
    half = dataclasses.replace(checkpoint.config, precision="bf16")
    (seen,) = segment(
        dataclasses.replace(checkpoint, config=half), image, PredictOptions(image_size=size)
    )
    shape = (image.height, image.width)
    full = functional.interpolate(found["bf16"][None], size=shape, mode="bilinear")[0, 0]
    assert np.array_equal(seen.probability, torch.sigmoid(full).numpy())


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


def test_the_batch_size_changes_no_mask(run_folder, tmp_path):
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
    difference = (small.int() - mirrored.flip(-1).int()).abs().max()
    assert difference <= 1  # Pillow rounds; half a pixel would be tens
    logits = small[None, :1].float()
    back = functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    again = functional.interpolate(
        logits.flip(-1, -2), size=size, mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(back, again.flip(-1, -2), rtol=0, atol=1e-3)


def test_the_network_has_no_shift_of_its_own():
    """With symmetric kernels a network without uneven padding turns with its input."""
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


def test_nothing_is_written_among_the_images(run_folder, tmp_path):
    """Masks among the images would be images of the same names the next time."""
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (40, 40)).save(images / "a.jpg")
    (tmp_path / "link").symlink_to(images)
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    plain = PredictOptions()
    with pytest.raises(OutputError, match="is a folder of inputs"):
        list(predict_folder(images, checkpoint, images, plain))
    with pytest.raises(OutputError, match="choose another folder with --out"):
        list(predict_folder(images, checkpoint, tmp_path / "link", plain))
    with pytest.raises(OutputError, match="is a folder of inputs"):
        list(predict_folder(images / "a.jpg", checkpoint, images, plain))
    (alone,) = predict_folder(images / "a.jpg", checkpoint, tmp_path / "alone", plain)
    assert alone.outputs == (tmp_path / "alone" / "a.png",)
    assert [path.name for path in images.iterdir()] == ["a.jpg"]


def test_overlays_are_not_written_into_a_folder_of_images_of_that_name(run_folder, tmp_path):
    images = tmp_path / "overlays"
    images.mkdir()
    Image.new("RGB", (40, 40)).save(images / "a.jpg")
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    with pytest.raises(OutputError, match="is a folder of inputs"):
        list(predict_folder(images, checkpoint, tmp_path, PredictOptions(overlay=True)))
    assert [path.name for path in images.iterdir()] == ["a.jpg"]


def test_several_networks_say_their_mean_probability(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    other = load_model(run_folder / "runs" / "gradtrack" / "last.safetensors")
    with torch.no_grad():
        other.model.head.bias += 2  # so that they differ
    options = PredictOptions(probabilities=True, tracks=True)
    (one,) = predict_folder(run_folder / "images" / "im0.png", checkpoint, tmp_path / "1", options)
    networks = [checkpoint, other]
    (both,) = predict_folder(run_folder / "images" / "im0.png", networks, tmp_path / "2", options)
    assert [path.parts[-2:] for path in both.outputs[1:]] == [
        path.parts[-2:] for path in one.outputs[1:]
    ]
    alone, together = (np.array(Image.open(each.outputs[1])) for each in (one, both))
    assert (together > alone).mean() > 0.9
    told = json.loads((tmp_path / "2" / "network.json").read_text())
    assert told["networks"] == 2
    assert told["weights_sha256"] == [sha256_of(each.path) for each in networks]
    assert "networks" not in json.loads((tmp_path / "1" / "network.json").read_text())


def test_the_mean_of_certain_networks_is_finite():
    logits = torch.tensor([[-80.0, 80.0, 0.0, 80.0], [-80.0, 80.0, 2.0, -80.0]])
    mean = mean_of_logits(logits)
    assert mean.isfinite().all()
    expected = torch.sigmoid(logits).mean(0)
    torch.testing.assert_close(torch.sigmoid(mean), expected)
