"""Networks as MONAI bundles: folders that MONAI, MONAI Label and MONAI Deploy run as they are.

The network is TorchScript, ``models/model.ts``: it needs nothing of this package. How images are
read, resized and turned into masks is ``configs/inference.json``, whose steps are those of
`gradtrack_model.evaluation.predict`. Layout and keys:
https://docs.monai.io/en/stable/mb_specification.html.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import torch
from torch import Tensor

from gazetrack.errors import CheckpointError, ConfigError
from gazetrack.publish import publish_folder, sha256_of, write_bytes, write_text
from gazetrack.version import __version__
from gradtrack_model.computed import Computed
from gradtrack_model.network.classes import refuse_classes
from gradtrack_model.network.model import Network, build_network
from gradtrack_model.weights.export import TOLERANCE, Segmenter

if TYPE_CHECKING:
    from pathlib import Path

    from gradtrack_model.weights.checkpoint import Checkpoint

# What the bundles are tested with; later ones are expected to do.
MONAI_VERSION = "1.6.1"
IGNITE_VERSION = "0.5.5"
SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/"
    "meta_schema_20240725.json"
)
# The version of the bundle itself: its files and what they mean.
BUNDLE_VERSION = "1.0.0"
METADATA_FILE = "metadata.json"
INFERENCE_FILE = "inference.json"
MODEL_FILE = "model.ts"
_BATCH_SIZES = (1, 3)
_DEBUG = ".debug_pkl"  # for messages of errors alone


class LogitsOfImage(Segmenter):
    """The network from images in [0, 1] to logits, which are resized before they are probabilities.

    Parameters are those of `Segmenter`.
    """

    def forward(self, image: Tensor) -> Tensor:  # type: ignore[override] # one output, no tuple
        """Turn RGB images [B, 3, H, W] in [0, 1] into logits [B, 1, H, W]."""
        normalised = (image - self.mean) / self.std
        logits: Tensor = self.model(normalised.to(self.kind)).logits.float()
        return logits


def save_bundle(checkpoint: Checkpoint, folder: Path, *, half: bool = False) -> Path:
    """Write a network as a MONAI bundle.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of `gradtrack_model.weights.checkpoint.load_model`; its model is not changed.
    folder : pathlib.Path
        The folder to make: ``configs``, ``models`` and ``docs``, all of them or none.
    half : bool
        Store and compute float16: half the size.

    Returns
    -------
    pathlib.Path
        The same folder, now complete.

    Raises
    ------
    ConfigError
        The network tells several classes apart, or sees the slices around a slice.
    CheckpointError
        TorchScript does not give the same logits; nothing is written.
    OutputError
        The folder is there and not empty, or cannot be written.
    """
    refuse_classes(checkpoint.config.classes, "a bundle")
    if checkpoint.config.context:
        what = "a bundle of a network that sees the slices around a slice (context)"
        raise ConfigError(what, hint="export it as .onnx or .pt2: a bundle reads single images")
    metadata = _metadata(checkpoint, half)
    texts = {METADATA_FILE: _json(metadata), INFERENCE_FILE: _json(_inference(checkpoint))}
    with publish_folder(folder) as root:  # refuses a folder that is taken before anything is done
        write_bytes(root / "models" / MODEL_FILE, _torchscript(checkpoint, half, texts))
        for name, text in texts.items():
            write_text(root / "configs" / name, text)
        write_text(root / "docs" / "README.md", _readme(checkpoint))
        write_text(root / "docs" / "license.txt", _LICENSE)
    return folder


def _torchscript(checkpoint: Checkpoint, half: bool, texts: dict[str, str]) -> bytes:
    """Return the network as a TorchScript file, after it was compared with the original."""
    original = LogitsOfImage(_copy(checkpoint)).eval()
    network = LogitsOfImage(_copy(checkpoint), half=half).eval()
    size = checkpoint.config.predicting_size
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((max(_BATCH_SIZES), 3, size, size), generator=generator)
    with warnings.catch_warnings(), torch.no_grad():
        # TorchScript is deprecated in favour of what MONAI does not read.
        warnings.simplefilter("ignore")
        wanted = torch.sigmoid(original(images))
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            network, (images[:2],), check_trace=False
        )
        written = io.BytesIO()
        torch.jit.save(traced, written, _extra_files=dict(texts))
        data = _without_paths(written)
        loaded = torch.jit.load(io.BytesIO(data))  # type: ignore[no-untyped-call]
        found = [torch.sigmoid(loaded(images[:n])) for n in _BATCH_SIZES]
    pairs = zip(found, _BATCH_SIZES, strict=True)
    difference = max(float((one - wanted[:n]).abs().max()) for one, n in pairs)
    if not difference <= TOLERANCE[half]:  # a NaN is no agreement either
        what = f"TorchScript differs by {difference:.2g} in probability from the network"
        hint = "export it in another format, or without --half"
        raise CheckpointError(what, path=checkpoint.path, hint=hint)
    return data


def _without_paths(written: io.BytesIO) -> bytes:
    """Return a TorchScript file without the records that say where the source lies on this disk."""
    packed = io.BytesIO()
    with zipfile.ZipFile(written) as archive, zipfile.ZipFile(packed, "w") as kept:
        for name in archive.namelist():
            if not name.endswith(_DEBUG):
                # An entry made from its name alone has a date of its own: that of no clock.
                kept.writestr(zipfile.ZipInfo(name), archive.read(name))
    return packed.getvalue()


def _copy(checkpoint: Checkpoint) -> Network:
    model = build_network(checkpoint.config.model)
    model.load_state_dict(checkpoint.model.state_dict())
    return model


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _metadata(checkpoint: Checkpoint, half: bool) -> dict[str, Any]:
    """Return what ``metadata.json`` says: versions, and what goes in and comes out."""
    size = checkpoint.config.predicting_size
    computed = Computed(checkpoint.config)
    image = {
        "type": "image",
        "modality": "n/a",
        "spatial_shape": [size, size],
        "dtype": "float32",
        "is_patch_data": False,
    }
    colours = {"0": "red", "1": "green", "2": "blue"}
    inputs = {"format": "magnitude", "num_channels": 3, "value_range": [0, 1]}
    outputs = {"format": "segmentation", "num_channels": 1, "value_range": []}
    return {
        "schema": SCHEMA,
        "version": BUNDLE_VERSION,
        "changelog": {BUNDLE_VERSION: f"exported by gazetrack {__version__}"},
        "monai_version": MONAI_VERSION,
        "pytorch_version": torch.__version__.partition("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {
            "pillow": PIL.__version__,
            "pytorch-ignite": IGNITE_VERSION,
        },
        "name": f"GradTrack segmentation, method {computed.name}",
        "task": "Segmentation of images, learned from the gaze of readers",
        "description": (
            f"A U-Net with the encoder {checkpoint.config.model.encoder}, trained for "
            f"{checkpoint.step} steps. What was computed: {computed.summary}."
        ),
        "authors": "to be filled in",
        "copyright": "to be filled in",
        "intended_use": "Research. It is no medical device.",
        "weights_sha256": sha256_of(checkpoint.path),
        "precision": "float16" if half else "float32",
        "network_data_format": {
            "inputs": {"image": {**image, **inputs, "channel_def": colours}},
            "outputs": {
                "pred": {**image, **outputs, "channel_def": {"0": "logit of the foreground"}}
            },
        },
    }


def _inference(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what ``inference.json`` says: from a folder of pictures to a folder of masks."""
    size = checkpoint.config.predicting_size
    as_rgb = "$lambda image: image.convert('RGB')"
    # Pillow's filter, which no transform of MONAI gives: what the network saw in training.
    small = f"image.convert('RGB').resize(({size}, {size}), Image.Resampling.BILINEAR)"
    return {
        "imports": ["$import glob", "$import os", "$from PIL import Image", "$import torch"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/images'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "threshold": checkpoint.config.predict_threshold,
        "files": (
            "$[path for path in sorted(glob.glob(os.path.join(@dataset_dir, '*')))"
            " if path.lower().endswith(('.png', '.jpg', '.jpeg', '.bmp'))]"
        ),
        "data": "$[{'image': path, 'source': path} for path in @files]",
        "network_def": (
            "$torch.jit.load(os.path.join(@bundle_root, 'models', 'model.ts'),"
            " map_location=@device)"
        ),
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                _load("image", f"$lambda image: {small}"),
                _load("source", as_rgb),
                {"_target_": "EnsureChannelFirstd", "keys": ["image", "source"]},
                {
                    "_target_": "ScaleIntensityRanged",
                    "keys": "image",
                    "a_min": 0,
                    "a_max": 255,
                    "b_min": 0,
                    "b_max": 1,
                },
            ],
        },
        "dataset": {"_target_": "Dataset", "data": "@data", "transform": "@preprocessing"},
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": 1,
            "shuffle": False,
            "num_workers": 0,
        },
        "inferer": {"_target_": "SimpleInferer"},
        # Logits are resized, not probabilities: their border is a smooth line.
        "at_size_of_source": (
            "$lambda data: {**data, 'pred': torch.nn.functional.interpolate(data['pred'][None],"
            " size=tuple(data['source'].shape[-2:]), mode='bilinear', align_corners=False)[0]}"
        ),
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                "@at_size_of_source",
                {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
                {"_target_": "CopyItemsd", "keys": "pred", "names": "probability"},
                {"_target_": "AsDiscreted", "keys": "pred", "threshold": "@threshold"},
                # MONAI writes pictures whose first axis is their width.
                {"_target_": "Transposed", "keys": "pred", "indices": [0, 2, 1]},
                {
                    "_target_": "SaveImaged",
                    "keys": "pred",
                    "meta_keys": "source_meta_dict",
                    "output_dir": "@output_dir",
                    "output_ext": ".png",
                    "output_postfix": "mask",
                    "output_dtype": "$numpy.uint8",
                    "scale": 255,
                    "resample": False,
                    "separate_folder": False,
                },
            ],
        },
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "amp": False,
        },
        "run": ["$@evaluator.run()"],
    }


def _load(key: str, converter: str) -> dict[str, Any]:
    """Return the step that reads pictures as [H, W, 3] of 0 to 255."""
    reader = {"_target_": "PILReader", "converter": converter, "reverse_indexing": False}
    return {"_target_": "LoadImaged", "keys": key, "reader": reader}


def _readme(checkpoint: Checkpoint) -> str:
    computed = Computed(checkpoint.config)
    size = checkpoint.config.predicting_size
    return f"""# A segmentation network, method {computed.name}

A U-Net with the encoder `{checkpoint.config.model.encoder}`, trained for {checkpoint.step} steps.
What was computed: {computed.summary}.

```console
python -m monai.bundle run --config_file configs/inference.json \\
    --dataset_dir IMAGES --output_dir MASKS
```

in this folder segments the pictures (PNG, JPEG, BMP) of IMAGES: masks of 0 and 255 at their own
size. It needs MONAI {MONAI_VERSION} or later, pytorch-ignite, fire and Pillow; not the package that
made it.

`models/model.ts` takes RGB images in [0, 1], [batch, 3, {size}, {size}], and gives logits
[batch, 1, {size}, {size}]; normalisation is inside. It is TorchScript: a zip file of a program and
its numbers, which `torch.jit.load` runs. `configs/inference.json` holds Python expressions, which
MONAI evaluates. Run both only if you trust whoever gave them to you.

To be filled in by its author: the data and their licence, how the checkpoint was chosen, figures,
limits. It is for research, and no medical device.
"""


_LICENSE = """Under which licence these weights may be used is for their author to state here.

It depends on the licences of the images, gaze and labels that the network was trained on, and of
the pretrained weights that it began with. The package that wrote this bundle, gazetrack, is under
the MIT licence, which does not extend to the weights.
"""
