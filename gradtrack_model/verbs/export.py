"""Write a network for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gazetrack.errors import ConfigError, quote
from gradtrack_model.weights.checkpoint import Checkpoint, load_model
from gradtrack_model.weights.export import export_model
from gradtrack_model.weights.hub import save_pretrained
from gradtrack_model.weights.monai_bundle import save_bundle

Layout = Literal["huggingface", "monai"]


def export(
    model: Checkpoint | str | Path,
    out: str | Path,
    *,
    half: bool = False,
    tracks: bool = False,
    layout: Layout | None = None,
) -> Path:
    """Write a network for other programs, as ``gradtrack-export`` does.

    Parameters
    ----------
    model : Checkpoint or path-like
        What `load_model` returns, or what it takes.
    out : path-like
        ``FILE.onnx``, ``FILE.pt2`` (torch.export), or a folder.
    half : bool
        Store float16, which is half the size.
    tracks : bool
        Also give the predicted track maps; not in a folder.
    layout : {"huggingface", "monai"}, optional
        Of a folder: that of the Hugging Face hub, the default, or a bundle of MONAI.

    Returns
    -------
    pathlib.Path
        What was written, after it was compared with the original on images of two sizes.

    Raises
    ------
    GazetrackError
        A package that is needed is not installed, or the file cannot be written.

    Examples
    --------
    >>> gradtrack_model.export("kvasir-lite", "kvasir-lite.onnx")  # doctest: +SKIP
    PosixPath('kvasir-lite.onnx')
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_model(model)
    target = Path(out)
    if is_file(target, layout, tracks=tracks):
        return export_model(checkpoint, target, half=half, tracks=tracks).path
    return save_folder(checkpoint, target, layout, half=half)


def is_file(out: Path, layout: Layout | None, *, tracks: bool) -> bool:
    """Tell whether a network becomes a file, else a folder, and refuse what is of the other alone.

    Parameters
    ----------
    out : pathlib.Path
        What is to be written; a file has an ending.
    layout : {"huggingface", "monai"} or None
        The layout of a folder; None where the user asks for none.
    tracks : bool
        Whether track maps are asked for.

    Raises
    ------
    ConfigError
        A layout of a file, an unknown one, or a bundle with track maps.
    """
    if layout not in (None, "huggingface", "monai"):
        what = f"a layout {quote(layout)!r}"
        raise ConfigError(what, hint="use huggingface or monai")
    if layout is not None and out.suffix:
        what = f"a file in the layout of {layout}: {quote(out.name)}"
        raise ConfigError(what, hint="name a folder, without an ending")
    if layout == "monai" and tracks:
        raise ConfigError("a bundle with track maps", hint="leave --tracks out")
    return bool(out.suffix)


def save_folder(
    checkpoint: Checkpoint, out: Path, layout: Layout | None, *, half: bool = False
) -> Path:
    """Write a network as a folder.

    Parameters
    ----------
    checkpoint : Checkpoint
        What `load_model` returns; it is not changed.
    out : pathlib.Path
        The folder that receives the files.
    layout : {"huggingface", "monai"} or None
        What it looks like; None is Hugging Face.
    half : bool
        Store float16, which is half the size.

    Returns
    -------
    pathlib.Path
        The same folder, now complete.
    """
    save = save_bundle if layout == "monai" else save_pretrained
    return save(checkpoint, out, half=half)
