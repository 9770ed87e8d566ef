"""A network that the page computes itself: an exported ONNX file, by onnxruntime-web.

The runtime is no part of this package: of its npm package, three files are served, under their own
names, and nothing else of its folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, InputError
from gradtrack_model.weights.export import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# onnxruntime-web for WebAssembly: its module, the glue, and the runtime itself.
RUNTIME = {
    "ort.wasm.min.mjs": "text/javascript; charset=utf-8",
    "ort-wasm-simd-threaded.mjs": "text/javascript; charset=utf-8",
    "ort-wasm-simd-threaded.wasm": "application/wasm",
}
MODEL = "model.onnx"
# The page sends three channels.
_CHANNELS = 3
# What gradtrack-export tells of a network, as ONNX stores its metadata: key, length, text.
_DIGEST = re.compile(rb"\x0eweights_sha256\x12@([0-9a-f]{64})")
_INPUT = re.compile(rb"\x05input\x12(?s:.{1,2})image: RGB in \[0, 1\], float32, \[batch, (\d+),")
_CLASSES = re.compile(rb"\x07classes\x12")
_HINT = "npm install onnxruntime-web, and give node_modules/onnxruntime-web"


@dataclass(frozen=True)
class InBrowser:
    """What a browser needs to compute a network.

    Parameters
    ----------
    model : pathlib.Path
        A file that ``gradtrack-export`` has written, ending in ``.onnx``.
    runtime : pathlib.Path
        The folder of the npm package onnxruntime-web.
    size : int
        Width and height of the square that an image is resized to, in pixels.
    digests : tuple of str
        SHA-256 of the weights files, of one of which it has to be made; empty for any.

    Raises
    ------
    InputError
        One of the files is missing, or the network is none of ``gradtrack-export``.
    ConfigError
        The page cannot compute it: it has several classes, sees slices around an image, is made of
        other weights, or images are resized to less than it takes.
    """

    model: Path
    runtime: Path
    size: int
    digests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.model.is_file():
            what = "no such network"
            raise InputError(what, path=self.model, hint="make it: gradtrack-export RUN -o it.onnx")
        for name in RUNTIME:
            if not self._place(name).is_file():
                raise InputError("no such file", path=self._place(name), hint=_HINT)
        self._refuse_what_does_not_fit()

    def _refuse_what_does_not_fit(self) -> None:
        data = self.model.read_bytes()
        digest, channels = _DIGEST.search(data), _INPUT.search(data)
        if digest is None or channels is None:
            what = "is no network of gradtrack-export"
            raise InputError(what, path=self.model, hint="make it: gradtrack-export RUN -o it.onnx")
        if int(channels[1]) != _CHANNELS or _CLASSES.search(data):
            what = f"{self.model.name} sees slices around an image, or has several classes"
            hint = "the page computes networks of one class that see one image: leave --onnx out"
            raise ConfigError(what, hint=hint)
        if self.digests and digest[1].decode() not in self.digests:
            what = f"{self.model.name} is made of other weights than those of --weights"
            raise ConfigError(what, hint="export it again: gradtrack-export RUN -o it.onnx")
        if self.size < SMALLEST:
            what = f"{self.model.name} takes images of at least {SMALLEST} pixels a side"
            raise ConfigError(what, hint=f"give --image-size {SMALLEST} or more")

    def file(self, name: str) -> tuple[Callable[[], bytes], str]:
        """Return how a file is read, and its media type; KeyError of any other name."""
        if name == MODEL:
            return self.model.read_bytes, "application/octet-stream"
        kind = RUNTIME[name]
        return self._place(name).read_bytes, kind

    def _place(self, name: str) -> Path:
        inside = self.runtime / "dist"
        return (inside if inside.is_dir() else self.runtime) / name
