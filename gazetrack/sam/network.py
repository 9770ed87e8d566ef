"""A prompt model as a pair of ONNX files: an encoder of images and a decoder of prompts.

The interface is that of Segment Anything's own export of its decoder
(https://github.com/facebookresearch/segment-anything, scripts/export_onnx_model.py), which those of
MobileSAM and others share. Exports of SAM 2 differ in two ways that are read, too: the encoder has
several outputs, which the decoder takes by their names, and the decoder has no `orig_im_size`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.publish import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.sam.models import ModelFiles

    Floats = npt.NDArray[np.float32]

INSTALL = 'pip install "gazetrack[sam]"'
_PROMPTS = ("point_coords", "point_labels", "mask_input", "has_mask_input")
_SIZE = "orig_im_size"
_RANKS = {"point_coords": 3, "point_labels": 2, "mask_input": 4, "has_mask_input": 1, _SIZE: 1}
_MASKS = ("low_res_masks", "masks")  # the second only where it is not of the image's own size
_SCORES = "iou_predictions"
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
# Of red, green and blue, 0 to 255: what SAM, MobileSAM and SAM 2 were trained with.
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_SPREAD = np.array([58.395, 57.12, 57.375], np.float32)
_MAX_SIDE = 4096


@dataclass(frozen=True, eq=False)
class Embedding:
    """What a prompt model saw in an image that lies in the top left corner of its canvas.

    Parameters
    ----------
    features : tuple of ndarray of float32
        Outputs of the encoder, in the order in which the decoder takes them.
    height, width : int
        Size of the image on the canvas, in pixels.
    side : int
        Size of the canvas, in pixels.
    """

    features: tuple[Floats, ...]
    height: int
    width: int
    side: int

    def on_canvas(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return positions [N, 2], shares of the image's width and height, as canvas pixels."""
        pixels: npt.NDArray[np.float64] = shares * np.array([self.width, self.height])
        return pixels

    def shares(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Return how many rows and columns of a picture of the whole canvas the image fills."""
        return self.height * shape[0] / self.side, self.width * shape[1] / self.side


class PromptNetwork:
    """A prompt model, ready to be asked; `open_network` makes it.

    Parameters
    ----------
    name : str
        What reports and metadata call the model.
    encoder, decoder : onnxruntime.InferenceSession
        The two halves, on the CPU.
    files : mapping of str to pathlib.Path
        Where the two were read from, by ``encoder`` and ``decoder``.

    Raises
    ------
    InputError
        An input or output that is needed is missing or has another shape.
    """

    def __init__(self, name: str, encoder: Any, decoder: Any, files: dict[str, Path]) -> None:
        self.name = name
        self._encoder, self._decoder, self._files = encoder, decoder, files
        self.side = self._canvas()
        self._inputs = {one.name: one for one in decoder.get_inputs()}
        self._check_prompts()
        self.mask_side = _fixed(self._inputs["mask_input"].shape[-1]) or self.side // 4
        self._features = self._pairs()
        self._masks = self._mask_output()
        outputs = {one.name for one in decoder.get_outputs()}
        self._wanted = [self._masks, *({_SCORES} & outputs)]

    @property
    def facts(self) -> dict[str, str]:
        """Name and digests, for whatever records that the model was used."""
        digests = {f"{role}_sha256": sha256_of(path) for role, path in self._files.items()}
        return {"model": self.name, **digests}

    @property
    def n_features(self) -> int:
        """How many arrays an embedding holds."""
        return len(self._features)

    def check_size(self, size: int) -> None:
        """Refuse an image larger than the canvas, before anything is computed.

        Raises
        ------
        ConfigError
            Its longest side would have more pixels.
        """
        if size > self.side:
            what = f"prompt size {size} on a canvas of {self.side} pixels"
            raise ConfigError(what, hint=f"use at most {self.side}")

    def embedding_of(
        self, features: Sequence[Floats], height: int, width: int, size: int
    ) -> Embedding:
        """Return an embedding again whose features were kept.

        Parameters
        ----------
        features : sequence of ndarray of float32
            The features of an `Embedding`, in their order.
        height, width : int
            Size of the image itself, in pixels.
        size : int
            Longest side that the image was given on the canvas, in pixels.
        """
        return Embedding(tuple(features), *_fitted(height, width, size), self.side)

    def encode(self, picture: npt.NDArray[np.uint8], size: int) -> Embedding:
        """Look at an image.

        Parameters
        ----------
        picture : ndarray of uint8, shape (H, W, 3)
            Red, green and blue, at any size.
        size : int
            Longest side in pixels that the image is given on the canvas; at most the canvas.

        Returns
        -------
        Embedding

        Raises
        ------
        ConfigError
            The size is larger than the canvas.
        InputError
            The encoder fails.
        """
        self.check_size(size)
        height, width = _fitted(picture.shape[0], picture.shape[1], size)
        image = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
        canvas = np.zeros((1, 3, self.side, self.side), np.float32)
        canvas[0, :, :height, :width] = ((np.asarray(image) - _MEAN) / _SPREAD).transpose(2, 0, 1)
        (given,) = self._encoder.get_inputs()
        feeds = {given.name: canvas.astype(_TYPES[given.type])}
        features = _run(self._encoder, self._features, feeds, self._files["encoder"])
        return Embedding(tuple(features), height, width, self.side)

    def decode(
        self,
        embedding: Embedding,
        points: npt.NDArray[np.float64],
        labels: Sequence[int],
        mask: Floats | None = None,
    ) -> Floats:
        """Answer one prompt.

        Parameters
        ----------
        embedding : Embedding
            The image, as `encode` returns it with the encoder's features.
        points : ndarray of float64, shape (N, 2)
            x and y in pixels of the canvas.
        labels : sequence of int, length N
            1 for foreground, 0 for background, 2 and 3 for the first and last corner of a box.
        mask : ndarray of float32, shape (M, M), optional
            Logits of a rough mask on the whole canvas; M is `mask_side`.

        Returns
        -------
        ndarray of float32, shape (h, w)
            Logits on the whole canvas; of several answers the one that the model scores highest.

        Raises
        ------
        InputError
            The decoder fails.
        """
        rough = np.zeros((self.mask_side, self.mask_side)) if mask is None else mask
        given: dict[str, Any] = {
            "point_coords": points[None],
            "point_labels": [labels],
            "mask_input": rough[None, None],
            "has_mask_input": [mask is not None],
            _SIZE: [self.mask_side, self.mask_side],
        }
        taken = [name for name in self._inputs if name not in given]
        given |= dict(zip(taken, embedding.features, strict=True))
        feeds = {
            name: np.asarray(given[name], _TYPES[one.type]) for name, one in self._inputs.items()
        }
        masks, *scores = _run(self._decoder, self._wanted, feeds, self._files["decoder"])
        best = int(np.argmax(scores[0][0])) if scores and masks.shape[1] > 1 else 0
        return np.ascontiguousarray(masks[0, best], np.float32)

    def _canvas(self) -> int:
        """Return the side of the canvas, from the encoder's input [batch, 3, side, side]."""
        inputs = self._encoder.get_inputs()
        shape = list(inputs[0].shape)
        sides = [_fixed(length) for length in shape[2:]]
        is_canvas = len(inputs) == 1 and len(shape) == 4 and shape[1] == 3
        if not is_canvas or sides[0] is None or sides[0] != sides[1] or sides[0] > _MAX_SIDE:
            what = f"is no encoder: it takes {_shown(inputs)}"
            hint = f"one input [1, 3, side, side] is needed, side at most {_MAX_SIDE}"
            raise InputError(what, path=self._files["encoder"], hint=hint)
        self._check_types(inputs, "encoder")
        return sides[0]

    def _check_prompts(self) -> None:
        """Refuse a decoder that lacks an input for prompts, or has it in another shape."""
        path = self._files["decoder"]
        for name in _PROMPTS:
            if name not in self._inputs:
                what = f"has no input {name}: it takes {_shown(self._inputs.values())}"
                raise InputError(what, path=path, hint="export the decoder as SAM does")
        for name, rank in _RANKS.items():
            one = self._inputs.get(name)
            if one is not None and len(one.shape) != rank:
                what = f"takes {_shown([one])}, and an array of {rank} dimensions is needed"
                raise InputError(what, path=path, hint="export the decoder as SAM does")
        self._check_types(self._inputs.values(), "decoder")

    def _check_types(self, inputs: Iterable[Any], role: str) -> None:
        for one in inputs:
            if one.type not in _TYPES:
                what = f"takes {one.name} as {quote(one.type, 30)}"
                hint = f"export it with {', '.join(_TYPES)}"
                raise InputError(what, path=self._files[role], hint=hint)

    def _pairs(self) -> list[str]:
        """Return the outputs of the encoder that the decoder takes, in the decoder's order."""
        outputs = {one.name: one for one in self._encoder.get_outputs()}
        taken = [one for one in self._inputs.values() if one.name not in _RANKS]
        names = [one.name for one in taken]
        if len(names) == 1 and names[0] not in outputs and len(outputs) == 1:
            names = list(outputs)  # most exports call the one embedding by two names
        path = self._files["decoder"]
        for name, one in zip(names, taken, strict=True):
            if name not in outputs:
                what = f"takes {_shown([one])}, and the encoder gives {_shown(outputs.values())}"
                raise InputError(what, path=path, hint="use two files of one export")
            if not _alike(outputs[name].shape, one.shape):
                what = f"takes {_shown([one])}, and the encoder gives {_shown([outputs[name]])}"
                raise InputError(what, path=path, hint="use two files of one export")
        if not names:
            what = f"takes nothing of an encoder, but {_shown(self._inputs.values())}"
            raise InputError(what, path=path, hint="export the decoder as SAM does")
        return names

    def _mask_output(self) -> str:
        outputs = {one.name: one for one in self._decoder.get_outputs()}
        known = _MASKS if _SIZE not in self._inputs else _MASKS[:1]
        for name in known:
            if name in outputs:
                return name
        what = f"has no output {known[0]}: it gives {_shown(outputs.values())}"
        raise InputError(what, path=self._files["decoder"], hint="export the decoder as SAM does")


def open_network(files: ModelFiles, threads: int = 1) -> PromptNetwork:
    """Load a prompt model.

    Parameters
    ----------
    files : ModelFiles
        Where it is, see `gazetrack.sam.models.find_model`.
    threads : int
        How many threads compute one image.

    Returns
    -------
    PromptNetwork

    Raises
    ------
    ConfigError
        onnxruntime is not installed.
    InputError
        A file is damaged, or the two are no encoder and decoder; the message names the input that
        is missing.
    """
    if find_spec("onnxruntime") is None:
        raise ConfigError("prompt models need onnxruntime", hint=INSTALL)
    sessions = [(path, _session(path, threads)) for path in files.paths]
    # Their names say nothing for certain; what takes points is the decoder.
    sessions.sort(key=lambda one: _takes_prompts(one[1]))
    (encoder_path, encoder), (decoder_path, decoder) = sessions
    if not _takes_prompts(decoder):
        shown = _shown([*encoder.get_inputs(), *decoder.get_inputs()])
        what = f"holds no decoder of prompts: {encoder_path.name} and {decoder_path.name} take"
        hint = f"inputs {', '.join(_PROMPTS)} are needed"
        raise InputError(f"{what} {shown}", path=decoder_path.parent, hint=hint)
    paths = {"encoder": encoder_path, "decoder": decoder_path}
    return PromptNetwork(files.name, encoder, decoder, paths)


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        what = f"cannot be read as a network: {quote(error, 100)}"
        raise InputError(what, path=path, hint="fetch it again") from error


def _run(session: Any, outputs: list[str], feeds: dict[str, Any], path: Path) -> list[Any]:
    try:
        found: list[Any] = session.run(outputs, feeds)
    except Exception as error:
        what = f"fails: {quote(error, 120)}"
        raise InputError(what, path=path, hint="use two files of one export") from error
    return found


def _takes_prompts(session: Any) -> bool:
    names = {one.name for one in session.get_inputs()}
    return bool(names & set(_PROMPTS))


def _fitted(height: int, width: int, size: int) -> tuple[int, int]:
    """Return height and width of an image whose longest side becomes `size` pixels."""
    scale = size / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _fixed(length: object) -> int | None:
    return length if isinstance(length, int) and length > 0 else None


def _alike(given: Sequence[object], wanted: Sequence[object]) -> bool:
    """Whether two shapes can be the same; names in them stand for any length."""
    if len(given) != len(wanted):
        return False
    pairs = [(_fixed(a), _fixed(b)) for a, b in zip(given, wanted, strict=True)]
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _shown(values: Iterable[Any]) -> str:
    """Return inputs or outputs with their shapes, for a message."""
    return quote(", ".join(f"{one.name} {list(one.shape)}" for one in values), 140)
