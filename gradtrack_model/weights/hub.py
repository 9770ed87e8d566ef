"""Networks in the layout of the Hugging Face hub.

That is a folder with ``config.json``, ``model.safetensors`` and a model card, ``README.md``.
`gradtrack_model.weights.checkpoint.load_model` reads such a folder as it reads a run's.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import CheckpointError, ConfigError
from gazetrack.publish import refuse_input_folder, write_text
from gradtrack_model.computed import Computed
from gradtrack_model.weights.checkpoint import (
    CARD_CONFIG,
    CARD_WEIGHTS,
    Checkpoint,
    load_model,
    save_checkpoint,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = (CARD_CONFIG, CARD_WEIGHTS)


def save_pretrained(checkpoint: Checkpoint, folder: Path, *, half: bool = False) -> Path:
    """Write a network to a folder that can be uploaded to the hub.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network, with what is known about it.
    folder : pathlib.Path
        The folder that receives ``config.json``, ``model.safetensors`` and, where there is none
        yet, ``README.md``.
    half : bool
        Store float16: half the size, loaded as float32 again.

    Returns
    -------
    pathlib.Path
        The same folder, now complete.

    Raises
    ------
    OutputError
        The folder cannot be written, or is that of the network itself: a run would be another one
        afterwards.
    """
    refuse_input_folder([folder], [checkpoint.path.parent])
    name = CARD_WEIGHTS.removesuffix(".safetensors")
    save_checkpoint(
        folder,
        name,
        checkpoint.model,
        checkpoint.config,
        step=checkpoint.step,
        metrics=checkpoint.metrics,
        half=half,
    )
    card = folder / "README.md"
    if not card.exists():  # its author's words are not ours to replace
        write_text(card, _card(checkpoint))
    return folder


def from_pretrained(name: str, expect: Mapping[str, object] | None = None) -> Checkpoint:
    """Load a network from a folder, or from the hub.

    Parameters
    ----------
    name : str
        A folder of `save_pretrained`, or ``USER/REPOSITORY`` on the hub, which needs the package
        huggingface_hub.
    expect : mapping, optional
        Settings it must have been trained with, see `load_model`.

    Raises
    ------
    ConfigError
        No such folder, and huggingface_hub is not installed.
    CheckpointError
        The hub does not give it, or it is damaged.
    """
    if Path(name).exists():
        return load_model(name, expect)
    if find_spec("huggingface_hub") is None:
        hint = (
            "pip install huggingface_hub, or download the repository yourself and give its folder"
        )
        raise ConfigError(f"{name!r} is no folder, and huggingface_hub is not installed", hint=hint)
    import huggingface_hub

    try:
        folder = huggingface_hub.snapshot_download(name, allow_patterns=list(_FILES))
    except (OSError, ValueError) as error:  # the hub's own errors are of these kinds
        what = f"the hub does not give {name!r}: {error}"
        raise CheckpointError(
            what, hint="check the name USER/REPOSITORY and the connection"
        ) from error
    return load_model(folder, expect)


def _card(checkpoint: Checkpoint) -> str:
    model = checkpoint.config.model
    size = checkpoint.config.image_size
    computed = Computed(checkpoint.config)
    return f"""---
library_name: gazetrack
pipeline_tag: image-segmentation
---

# A segmentation network, method {computed.name}

A U-Net with the encoder `{model.encoder}`, trained for {checkpoint.step} steps at {size} x {size}
pixels. What was computed: {computed.summary}.

```console
pip install "gazetrack[model]"
gradtrack-predict IMAGES --weights FOLDER
```

To be filled in by its author: the data and their licence, how the checkpoint was chosen, figures,
limits.
"""
