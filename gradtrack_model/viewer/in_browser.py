"""A network that the page computes itself: an exported ONNX file, by onnxruntime-web.

The runtime is no part of this package: of its npm package, three files are served, under their own
names, and nothing else of its folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import InputError

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

    Raises
    ------
    InputError
        One of the files is missing.
    """

    model: Path
    runtime: Path
    size: int

    def __post_init__(self) -> None:
        if not self.model.is_file():
            what = "no such network"
            raise InputError(what, path=self.model, hint="make it: gradtrack-export RUN -o it.onnx")
        for name in RUNTIME:
            if not self._place(name).is_file():
                raise InputError("no such file", path=self._place(name), hint=_HINT)

    def file(self, name: str) -> tuple[Callable[[], bytes], str]:
        """Return how a file is read, and its media type; KeyError of any other name."""
        if name == MODEL:
            return self.model.read_bytes, "application/octet-stream"
        kind = RUNTIME[name]
        return self._place(name).read_bytes, kind

    def _place(self, name: str) -> Path:
        inside = self.runtime / "dist"
        return (inside if inside.is_dir() else self.runtime) / name
