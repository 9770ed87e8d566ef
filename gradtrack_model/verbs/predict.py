"""Segment images with a trained network, without files where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradtrack_model.data.prompted import PREDICTION_SHARE
from gradtrack_model.evaluation.in_memory import Segmentation, segment
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.evaluation.temperature import Temperature, read_temperature
from gradtrack_model.training import loop
from gradtrack_model.weights.checkpoint import Checkpoint
from gradtrack_model.weights.ensemble import Ensemble, load_ensemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradtrack_model.evaluation.in_memory import AnyImage


def predict(
    model: Checkpoint | Ensemble | str | Path | Sequence[str | Path],
    images: AnyImage | Sequence[AnyImage],
    *,
    device: str = "auto",
    tta: bool = False,
    batch_size: int = 8,
    image_size: int | None = None,
    threshold: float | None = None,
    refine_with: str | Path | None = None,
    refine_share: float = PREDICTION_SHARE,
    temperature: Temperature | str | Path | None = None,
) -> list[Segmentation]:
    """Segment images at hand; `predict_folder` writes files, as ``gradtrack-predict`` does.

    Parameters
    ----------
    model : Checkpoint, Ensemble, path-like or sequence of path-like
        What `load_model` returns, or what it takes: a run folder, or ``kvasir-lite``. Of several,
        or the folder of a cross-validation, the probabilities are averaged.
    images : image or sequence of images
        Arrays of uint8 of shape (H, W) or (H, W, 3), pictures of Pillow, files, or folders.
    device : {"auto", "cpu", "cuda"}
        Where to compute; ``auto`` is a GPU when there is one.
    tta : bool
        Average over the four flips of the image.
    batch_size : int
        Number of images at once.
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    threshold : float, optional
        Probability above which a pixel is foreground; by default that of the validation.
    refine_with : str or path-like, optional
        A prompt model that ``gazetrack models`` lists, or the folder of one, which draws what the
        network has found. Prompt models learned from masks.
    refine_share : float
        Of that model in the logits, above 0 to 1; the rest is the network's own.
    temperature : Temperature or path-like, optional
        What `calibrate` returns, or its file: probabilities are then what they say. Masks stay.

    Returns
    -------
    list of Segmentation
        ``mask`` and ``probability`` of each image at its own size.

    Raises
    ------
    GazetrackError
        No such network, a file that cannot be read, or an array that is no picture.

    Examples
    --------
    >>> network = gradtrack_model.load_model("kvasir-lite")  # doctest: +SKIP
    >>> found = gradtrack_model.predict(network, "images")  # doctest: +SKIP
    >>> found[0].mask.shape, found[0].share  # doctest: +SKIP
    ((480, 640), 0.13)
    """
    if isinstance(model, str | Path):
        model = [model]
    networks = model if isinstance(model, Checkpoint | Ensemble) else load_ensemble(model)
    options = PredictOptions(
        tta=tta,
        batch_size=batch_size,
        device=loop.pick_device(device),
        image_size=image_size,
        threshold=threshold,
        refine_with=refine_with,
        refine_share=refine_share,
        temperature=read_temperature(temperature)
        if isinstance(temperature, str | Path)
        else temperature,
    )
    return segment(networks, images, options)
