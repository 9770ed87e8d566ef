"""Pairs of ONNX files: which are taken, which are refused and why, and what they answer."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.publish import sha256_of
from gazetrack.sam import network as module
from gazetrack.sam.models import ModelFiles, find_model
from gazetrack.sam.network import open_network
from tests.sam.tiny import box_logits, write_pair

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

GRAY = np.full((30, 60, 3), 128, np.uint8)
BOX = np.array([[8.0, 4.0], [40.0, 20.0]])


def opened(folder, **choices):
    return open_network(find_model(write_pair(folder, **choices)))


def brightness(embedding):
    return np.float32(0.01 * np.mean(embedding.features[0]))


@pytest.mark.parametrize("sam2", [False, True])
def test_the_answer_is_that_of_the_decoder(tmp_path, sam2):
    found = opened(tmp_path / "m", sam2=sam2)
    assert (found.name, found.side, found.mask_side) == ("m", 64, 16)
    embedding = found.encode(GRAY, 48)
    assert (embedding.height, embedding.width, embedding.side) == (24, 48, 64)
    only_box = found.decode(embedding, BOX, [2, 3])
    expected = box_logits(8, 4, 40, 20) + brightness(embedding)
    np.testing.assert_allclose(only_box, expected, atol=1e-5)
    rough = np.full((16, 16), 2, np.float32)
    rest = found.decode(embedding, np.array([[9, 9], *BOX]), [1, 2, 3], rough)
    np.testing.assert_allclose(rest, expected + 0.1 + 0.5, atol=1e-5)


def test_the_image_lies_in_the_corner_and_the_rest_is_zero(tmp_path):
    found = opened(tmp_path)
    picture = np.zeros((64, 32, 3), np.uint8)
    picture[:32] = 255
    (features,) = found.encode(picture, 64).features
    white = (255 - np.array([123.675, 116.28, 103.53])) / [58.395, 57.12, 57.375]
    np.testing.assert_allclose(features[0, :, 0, 0], white, rtol=1e-5)
    np.testing.assert_array_equal(features[0, :, :, 2:], 0)


def test_of_several_answers_the_one_with_the_best_score_is_taken(tmp_path):
    found = opened(tmp_path, answers=2)  # the first is 9 lower, and scored .2
    embedding = found.encode(GRAY, 64)
    answer = found.decode(embedding, BOX, [2, 3])
    expected = box_logits(8, 4, 40, 20) + brightness(embedding)
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_which_file_is_the_decoder_is_read_from_its_inputs_not_its_name(tmp_path):
    write_pair(tmp_path)
    digests = {name: sha256_of(tmp_path / f"{name}.onnx") for name in ("encoder", "decoder")}
    (tmp_path / "decoder.onnx").rename(tmp_path / "a.onnx")
    found = open_network(find_model(tmp_path))
    assert found.facts == {
        "model": tmp_path.name,
        "encoder_sha256": digests["encoder"],
        "decoder_sha256": digests["decoder"],
    }


@pytest.mark.parametrize("missing", ["mask_input", "has_mask_input"])
def test_an_input_that_is_missing_is_named(tmp_path, missing):
    if missing == "mask_input":
        write_pair(tmp_path)
        rename_input(tmp_path / "decoder.onnx", "mask_input", "mask_in")
    else:
        write_pair(tmp_path, without=(missing,))
    with pytest.raises(InputError, match=f"has no input {missing}: it takes image_embeddings"):
        open_network(find_model(tmp_path))


def rename_input(path, name, other):
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        for i, given in enumerate(node.input):
            node.input[i] = other if given == name else given
    for one in model.graph.input:
        one.name = other if one.name == name else one.name
    path.write_bytes(model.SerializeToString())


def test_halves_of_two_exports_do_not_fit(tmp_path):
    write_pair(tmp_path, features=5)
    says = r"takes image_embeddings \[1, 5, 4, 4\], and the encoder gives output \[1, 3, 4, 4\]"
    with pytest.raises(InputError, match=says):
        open_network(find_model(tmp_path))
    write_pair(tmp_path)
    rename_input(tmp_path / "decoder.onnx", "orig_im_size", "high_res_feats_0")
    with pytest.raises(InputError, match="and the encoder gives output"):
        open_network(find_model(tmp_path))


def test_what_is_no_pair_is_refused(tmp_path):
    write_pair(tmp_path / "m")
    encoder, decoder = tmp_path / "m" / "encoder.onnx", tmp_path / "m" / "decoder.onnx"
    twice = ModelFiles("two", (encoder, encoder))
    with pytest.raises(InputError, match=r"holds no decoder of prompts: encoder\.onnx and"):
        open_network(twice)
    with pytest.raises(InputError, match="is no encoder: it takes image_embeddings"):
        open_network(ModelFiles("two", (decoder, decoder)))
    encoder.write_bytes(encoder.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read as a network") as error:
        open_network(find_model(tmp_path / "m"))
    assert error.value.path == encoder


def test_the_encoder_needs_a_square_canvas_of_a_stated_size(tmp_path):
    write_pair(tmp_path, side="side")
    with pytest.raises(InputError, match=r"is no encoder: it takes input"):
        open_network(find_model(tmp_path))


def test_the_image_must_fit_the_canvas(tmp_path):
    with pytest.raises(ConfigError, match="prompt size 65 on a canvas of 64 pixels"):
        opened(tmp_path).encode(GRAY, 65)


def test_without_onnxruntime_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"gazetrack\[sam\]"):
        opened(tmp_path)


def test_the_module_loads_no_onnxruntime():
    import subprocess

    code = "import sys, gazetrack.sam.network as n; sys.exit('onnxruntime' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
