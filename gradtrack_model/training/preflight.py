"""Before a run: what is wrong with its data, and what it will cost."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gazetrack.errors import GazetrackError
from gazetrack.maps.render import prepare, render_points
from gazetrack.maps.store import read_maps
from gradtrack_model.data.device_batches import batch_maker
from gradtrack_model.data.sources import mask_of, open_image, split_items
from gradtrack_model.data.splits import overlaps
from gradtrack_model.training.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.store import MapStore
    from gazetrack.workflows.dataset import Item
    from gradtrack_model.config import DataConfig, TrainConfig
    from gradtrack_model.data.sources import Sources, TrainingData

_PROBED_STEPS = 3


@dataclass(frozen=True)
class Finding:
    """Something to look at before training.

    Parameters
    ----------
    image_id : str
        The image, or the stimulus without one.
    what : str
        What is wrong.
    fatal : bool
        Whether training would stop with an error.
    """

    image_id: str
    what: str
    fatal: bool = False


def check(sources: Sources, config: DataConfig) -> list[Finding]:
    """Name whatever of a data set cannot be trained on, or is odd.

    That is every image without gaze, gaze without image, odd mask, empty label, and image or case
    in two splits.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        How it is read, and its maps rendered.

    Returns
    -------
    list of Finding
        Sorted by image id.

    Raises
    ------
    InputError, SchemaError, DataError
        Files that cannot be matched at all, see `gazetrack.workflows.dataset.find_items`.
    """
    found, manifest, _ = split_items(sources, config)
    findings = []
    if config.method != "full":
        findings += [Finding(image_id, "image without gaze") for image_id in found.missing_gaze]
    findings += [Finding(image_id, "gaze without image") for image_id in found.missing_images]
    for image_id, what in overlaps(manifest).items():
        findings.append(Finding(image_id, what, fatal=not sources.allow_overlap))
    stored = read_maps(sources.maps) if sources.maps is not None else None
    for item in found.items:
        findings += _of_files(item, config)
        empty = _empty_label(item, stored, config)
        if empty:
            findings.append(Finding(item.image_id, f"empty label: {empty}"))
    return sorted(findings, key=lambda finding: finding.image_id)


def _of_files(item: Item, config: DataConfig) -> Iterator[Finding]:
    try:
        open_image(item.image, config.window)
    except GazetrackError as error:
        yield Finding(item.image_id, error.what, fatal=True)
    if item.mask is None:
        return
    # Masks of training images are read by full supervision alone: elsewhere they can do no harm.
    used = config.method == "full" or item.split != "train"
    try:
        mask = mask_of(item, item.mask)
    except GazetrackError as error:
        yield Finding(item.image_id, f"mask {error.what}", fatal=used)
        return
    if not mask.any():
        yield Finding(item.image_id, "mask is empty")
    elif mask.all():
        yield Finding(item.image_id, "mask covers the whole image")


def _empty_label(item: Item, stored: MapStore | None, config: DataConfig) -> str:
    """Return why no pixel of an image's label would be foreground, or nothing."""
    if stored is not None and item.image_id in stored.ids:
        full_track = stored.load(item.image_id)[-1]
        return "no pixel of its last map reaches one half" if full_track.max() < 128 else ""
    if item.tracks and _renders_nothing(item, config.maps, config.image_size):
        return "no fixation is long enough and on the image"
    return ""


def _renders_nothing(item: Item, params: MapParams, size: int) -> bool:
    """Whether no pixel of the mean of an item's full-track maps reaches one half."""
    labels = []
    for track in item.tracks:
        prepared = prepare(track, params)
        if len(prepared):
            t = prepared.scaled(size, size)
            labels.append(render_points(t.x, t.y, t.duration_ms, size, size, params)[-1])
    return not labels or bool(np.mean(labels, axis=0).max() < 0.5)


def plan(config: TrainConfig, data: TrainingData) -> dict[str, Any]:
    """Take a few steps in memory and say what the whole run will take; nothing is written.

    Parameters
    ----------
    config : TrainConfig
        The settings of the run.
    data : TrainingData
        The images and gaze to learn from.

    Returns
    -------
    dict
        Plain JSON values: sizes of data and network, ``step_seconds`` (fastest step),
        ``expected_seconds`` of all steps without validation, ``memory_bytes`` (peak on a GPU; on a
        CPU weights, gradients and moments alone), ``disk_bytes`` of ``best.*``, ``last.*`` and
        three states.
    """
    learner = Learner(config)
    on_gpu = learner.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(learner.device)
    make, _ = batch_maker(data.train, config, learner.device)
    seconds = math.inf
    for step in range(_PROBED_STEPS):
        start = time.monotonic()
        first = step * config.accumulate
        learner.advance(step + 1, [make(first + i) for i in range(config.accumulate)])
        learner.rest()  # waits for a GPU
        seconds = min(seconds, time.monotonic() - start)
    parameters = list(learner.model.parameters())
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    weights_bytes = sum(tensor.nbytes for tensor in learner.model.state_dict().values())
    state_bytes = sum(tensor.nbytes for tensor in learner.tensors().values())
    if on_gpu:
        memory_bytes = torch.cuda.max_memory_allocated(learner.device)
    else:
        gradient_bytes = sum(parameter.nbytes for parameter in trained)
        memory_bytes = state_bytes + gradient_bytes
    images_in_all = config.steps * config.accumulate * config.batch_size
    return {
        "method": config.method,
        "device": str(learner.device),
        "training_images": len(data.train),
        "validation_images": len(data.val),
        "epochs": round(images_in_all / len(data.train), 1),
        "steps": config.steps,
        "validations": math.ceil(config.steps / config.val_every),
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trained_parameters": sum(parameter.numel() for parameter in trained),
        "step_seconds": round(seconds, 4),
        "expected_seconds": round(seconds * config.steps, 1),
        "memory_bytes": memory_bytes,
        "disk_bytes": 2 * weights_bytes + 3 * state_bytes,
    }
