"""A network that the page computes itself: by the real runtime where it is, else a made-up one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

import gradtrack_model
from gazetrack.errors import ConfigError, GazetrackError, InputError
from gazetrack.publish import sha256_of
from gradtrack_model.viewer.in_browser import RUNTIME, InBrowser
from tests import browser
from tests.viewer.test_server import asked

# Foreground is what is red above .5: a network that anybody can compute.
MADE_UP = """
export const env = { wasm: {} };
export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
export const InferenceSession = {
  create: async (weights) => ({
    run: async ({ image }) => {
      const n = image.dims[2] * image.dims[3];
      if (weights.length !== LENGTH || env.wasm.wasmPaths !== "/onnx/") throw new Error("made up");
      return { probability: { data: image.data.slice(0, n).map((red) => Number(red > 0.5)) } };
    },
  }),
};
"""


def told(channels=3, digest="ab" * 32, more=b""):
    """What an exported network tells of itself, as it lies in the file."""
    text = f"image: RGB in [0, 1], float32, [batch, {channels}, height, width]".encode()
    given = b"\x05input\x12" + bytes([len(text)]) + text
    return b"weights" + given + b"\x0eweights_sha256\x12@" + digest.encode() + more


MADE_UP = MADE_UP.replace("LENGTH", str(len(told())))


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ort")
    (folder / "dist").mkdir()
    for name in RUNTIME:
        (folder / "dist" / name).write_text(MADE_UP)
    (folder / "dist" / "secret.txt").write_text("no")
    (folder / "network.onnx").write_bytes(told())
    return folder


def served(looked_at, model, runtime, network=None):
    size = None if network else 64
    viewer = gradtrack_model.view(
        looked_at / "images", network, port=0, onnx=model, onnxruntime_web=runtime, image_size=size
    )
    threading.Thread(target=viewer.serve, daemon=True).start()
    return viewer


def computed(viewer):
    """Open the page, compute the first image in it, and return the alphas of its layer."""
    driver = browser.start()
    try:
        driver.get(viewer.url)
        browser.wait_for(driver, "return document.documentElement.dataset.ready === '0'")
        driver.execute_script("document.querySelector('[data-layer=computed]').click()")
        browser.wait_for(
            driver,
            "return document.getElementById('computed').dataset.drawn === '0'"
            " || !document.getElementById('trouble').hidden",
        )
        assert driver.execute_script("return document.getElementById('trouble').hidden"), (
            driver.execute_script("return document.getElementById('trouble').textContent")
        )
        alphas = driver.execute_script(
            "const one = document.getElementById('computed');"
            "const all = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;"
            "return [one.width, one.height, [...all].filter((_, i) => i % 4 === 3)]"
        )
        assert browser.complaints(driver) == []
        asked_for = browser.requests(driver)
        assert all(url.startswith(f"http://127.0.0.1:{viewer.port}/") for url in asked_for)
        return np.array(alphas[2]).reshape(alphas[1], alphas[0])
    finally:
        driver.quit()
        viewer.stop()
        viewer.close()


@pytest.mark.slow
def test_an_image_becomes_a_layer(looked_at, made_up):
    from PIL import Image

    found = computed(served(looked_at, made_up / "network.onnx", made_up))
    with Image.open(looked_at / "images" / "im0.png") as image:
        red = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))[..., 0] / 255
    assert set(np.unique(found)) == {0, 255}
    assert ((found == 255) == (red > 0.5)).mean() > 0.97


def test_three_files_are_served_and_the_network(looked_at, made_up):
    viewer = served(looked_at, made_up / "network.onnx", made_up)
    try:
        assert asked(viewer, "/onnx/model.onnx")[1] == told()
        for name, kind in RUNTIME.items():
            answer, data = asked(viewer, f"/onnx/{name}")
            assert (answer.headers["Content-Type"], data.decode()) == (kind, MADE_UP)
        for name in ("secret.txt", "network.onnx", "..", "../network.onnx"):
            assert asked(viewer, f"/onnx/{name}")[0].status == 404
        policy = asked(viewer, "/")[0].headers["Content-Security-Policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert asked(viewer, "/onnx/model.onnx", cookie=False)[0].status == 403
    finally:
        viewer.stop()
        viewer.close()


def test_without_it_nothing_of_it_is_there(viewer):
    assert asked(viewer, "/onnx/model.onnx")[0].status == 404
    assert "wasm" not in asked(viewer, "/")[0].headers["Content-Security-Policy"]


def test_what_is_missing_is_said(looked_at, made_up, tmp_path):
    with pytest.raises(InputError, match="no such network - make it"):
        InBrowser(tmp_path / "none.onnx", made_up, 64)
    with pytest.raises(InputError, match=r"ort\.wasm\.min\.mjs: no such file - npm install"):
        InBrowser(made_up / "network.onnx", tmp_path, 64)
    with pytest.raises(ConfigError, match="belong together"):
        gradtrack_model.view(looked_at / "images", onnx=made_up / "network.onnx", port=0)
    with pytest.raises(ConfigError, match="give image_size"):
        gradtrack_model.view(
            looked_at / "images",
            onnx=made_up / "network.onnx",
            onnxruntime_web=made_up,
            port=0,
        )


@pytest.mark.parametrize(
    ("data", "size", "message"),
    [
        (told(channels=9), 64, "sees slices around an image"),
        (told(more=b"\x07classes\x12\x01a"), 64, "several classes"),
        (told(digest="cd" * 32), 64, "other weights than those of --weights"),
        (told(), 32, "at least 33 pixels a side"),
        (b"weights", 64, "is no network of gradtrack-export"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(made_up, tmp_path, data, size, message):
    (tmp_path / "it.onnx").write_bytes(data)
    with pytest.raises(GazetrackError, match=message):
        InBrowser(tmp_path / "it.onnx", made_up, size, ("ab" * 32,))


@pytest.mark.slow
def test_an_exported_network_fits_its_own_weights_alone(made_up, run_folder, tmp_path):
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    network = run_folder / "runs" / "gradtrack"
    gradtrack_model.export(network, tmp_path / "it.onnx")
    digest = sha256_of(gradtrack_model.load_model(network).path)
    assert InBrowser(tmp_path / "it.onnx", made_up, 64, (digest,)).size == 64
    with pytest.raises(GazetrackError, match="other weights"):
        InBrowser(tmp_path / "it.onnx", made_up, 64, ("ab" * 32,))


@pytest.mark.slow
def test_the_real_runtime_gives_what_the_network_gives(looked_at, run_folder, tmp_path):
    runtime = os.environ.get("GAZETRACK_ONNXRUNTIME_WEB")
    if runtime is None:
        pytest.skip("GAZETRACK_ONNXRUNTIME_WEB is not the folder of the npm package")
    network = run_folder / "runs" / "gradtrack"
    gradtrack_model.export(network, tmp_path / "network.onnx")
    found = computed(served(looked_at, tmp_path / "network.onnx", Path(runtime), network))
    from PIL import Image

    with Image.open(looked_at / "images" / "im0.png") as image:
        # As it is resized in the page, to the last value: by the same filter, more or less.
        small = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))
    (seen,) = gradtrack_model.predict(network, small)
    assert np.abs(found / 255 - seen.probability).mean() < 0.02
