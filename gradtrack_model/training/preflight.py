"""Before a run: what is wrong with its data, and what it will cost."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """Name every image without gaze, gaze without image, odd mask, empty label, and image or case in two splits.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        How it is read, and its maps rendered.

    Returns
    -------
    list of Finding
        By image id.

    Raises
    ------
    InputError, SchemaError, DataError
        Files that cannot be matched at all, see `gazetrack.workflows.dataset.find_items`.
    """
    found, manifest, _ = split_items(sources, config)
    findings = [
        Finding(i, "image without gaze") for i in found.missing_gaze if config.method != "full"
    ]
    findings += [Finding(i, "gaze without image") for i in found.missing_images]
    findings += [
        Finding(i, what, fatal=not sources.allow_overlap) for i, what in overlaps(manifest).items()
    ]
    stored = read_maps(sources.maps) if sources.maps is not None else None
    for item in found.items:
        findings += _of_files(item, config)
        if (
            stored is not None
            and item.image_id in stored.ids
            and stored.load(item.image_id)[-1].max() < 128
        ):
            findings.append(
                Finding(item.image_id, "empty label: no pixel of its last map reaches one half")
            )
        elif item.tracks and _is_empty(item, config.maps, config.image_size):
            findings.append(
                Finding(item.image_id, "empty label: no fixation is long enough and on the image")
            )
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
    if not mask.any() or mask.all():
        yield Finding(
            item.image_id, "mask is empty" if not mask.any() else "mask covers the whole image"
        )


def _is_empty(item: Item, params: MapParams, size: int) -> bool:
    tracks = [
        t.scaled(size, size) for t in (prepare(track, params) for track in item.tracks) if len(t)
    ]
    labels = [render_points(t.x, t.y, t.duration_ms, size, size, params)[-1] for t in tracks]
    return not labels or bool((sum(labels) / len(labels)).max() < 0.5)


def plan(config: TrainConfig, data: TrainingData) -> dict[str, Any]:
    """Take a few steps in memory and say what the whole run will take; nothing is written.

    Parameters
    ----------
    config : TrainConfig
        What to do.
    data : TrainingData
        What to learn from.

    Returns
    -------
    dict
        Plain JSON values: sizes of data and network, ``step_seconds`` (fastest step),
        ``expected_seconds`` of all steps without validation, ``memory_bytes`` (peak on a GPU; on a
        CPU weights, gradients and moments alone), ``disk_bytes`` of ``best.*``, ``last.*`` and
        three states.
    """
    learner = Learner(config)
    if learner.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(learner.device)
    seconds, (make, _) = math.inf, batch_maker(data.train, config, learner.device)
    for step in range(_PROBED_STEPS):
        start = time.monotonic()
        parts = [make(step * config.accumulate + i) for i in range(config.accumulate)]
        learner.advance(step + 1, parts)
        learner.rest()  # waits for a GPU
        seconds = min(seconds, time.monotonic() - start)
    weights = sum(p.nbytes for p in learner.model.state_dict().values())
    state = sum(t.nbytes for t in learner.tensors().values())
    trained = [p for p in learner.model.parameters() if p.requires_grad]
    on_gpu = learner.device.type == "cuda"
    return {
        "method": config.method,
        "device": str(learner.device),
        "training_images": len(data.train),
        "validation_images": len(data.val),
        "epochs": round(config.steps * config.accumulate * config.batch_size / len(data.train), 1),
        "steps": config.steps,
        "validations": math.ceil(config.steps / config.val_every),
        "parameters": sum(p.numel() for p in learner.model.parameters()),
        "trained_parameters": sum(p.numel() for p in trained),
        "step_seconds": round(seconds, 4),
        "expected_seconds": round(seconds * config.steps, 1),
        "memory_bytes": torch.cuda.max_memory_allocated(learner.device)
        if on_gpu
        else state + sum(p.nbytes for p in trained),
        "disk_bytes": 2 * weights + 3 * state,
    }
