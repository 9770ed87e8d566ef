"""Write a network for other programs."""

from __future__ import annotations

from pathlib import Path

from gradtrack_model.weights.checkpoint import Checkpoint, load_model
from gradtrack_model.weights.export import export_model
from gradtrack_model.weights.hub import save_pretrained


def export(
    model: Checkpoint | str | Path,
    out: str | Path,
    *,
    half: bool = False,
    tracks: bool = False,
) -> Path:
    """Write a network for other programs, as ``gradtrack-export`` does.

    Parameters
    ----------
    model : Checkpoint or path-like
        What `load_model` returns, or what it takes.
    out : path-like
        ``FILE.onnx``, ``FILE.pt2`` (torch.export), or a folder in the layout of Hugging Face.
    half : bool
        Store float16, which is half the size.
    tracks : bool
        Also give the predicted track maps; not in a folder.

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
    if not target.suffix:
        return save_pretrained(checkpoint, target, half=half)
    return export_model(checkpoint, target, half=half, tracks=tracks).path
