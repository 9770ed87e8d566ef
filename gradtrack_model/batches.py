"""Batches: augmented images with the track maps of the gaze on them.

A batch is a function of (seed, step) alone: neither threads nor what ran before change it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gazetrack.maps import MapParams, render_points
from gradtrack_model.augment import (
    Affine,
    cutmix,
    draw_affine,
    draw_box,
    draw_colour,
    draw_tint,
    normalise,
    recolour,
    sampling_grid,
    tint,
    warp,
)
from gradtrack_model.data import map_params
from gradtrack_model.parallel import rank, world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.track import Track
    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data import Sample


class Batch(NamedTuple):
    """What a training step gets.

    Parameters
    ----------
    images : Tensor of float32, shape (B, 3, S, S)
        Normalised.
    maps : Tensor of float32, shape (B, L, S, S)
        Track maps in [0, 1], the core first.
    ids : tuple of str
        Image ids.
    """

    images: Tensor
    maps: Tensor
    ids: tuple[str, ...]


def batches(samples: Sequence[Sample], config: TrainConfig, first: int = 0) -> Iterator[Batch]:
    """Yield the batches of steps `first`, first + 1, … without end, prepared ahead by `config.workers` threads."""
    make = functools.partial(training_batch, samples, config)
    if config.workers == 0:
        step = first
        while True:
            yield make(step)
            step += 1
    with ThreadPoolExecutor(config.workers) as pool:
        ahead = deque(pool.submit(make, first + i) for i in range(config.workers + 1))
        step = first + len(ahead)
        while True:
            ahead.append(pool.submit(make, step))
            step += 1
            yield ahead.popleft().result()


def training_batch(samples: Sequence[Sample], config: TrainConfig, step: int) -> Batch:
    """Return the augmented batch of one step: full batches from one shuffled epoch after the other.

    One of several processes gets its share of the batch.
    """
    picked, affines, colours, tints, boxes = [], [], [], [], []
    for position in range(step * config.batch_size + rank(), (step + 1) * config.batch_size, world()):
        epoch, place = divmod(position, len(samples))
        index = int(_order(config.seed, epoch, len(samples))[place])
        rng = np.random.default_rng([config.seed, epoch, index])
        picked.append(samples[index])
        affines.append(draw_affine(rng, config.augment, config.image_size))
        colours.append(draw_colour(rng, config.augment))
        tints.append(draw_tint(rng, config.augment))
        boxes.append(draw_box(rng, config.augment, config.image_size))
    images = warp(torch.stack([s.pixels for s in picked]).float() / 255, affines)
    maps = render_batch(picked, config, affines)
    images = recolour(images, np.array(colours))
    if config.augment.gamma or config.augment.hue:
        images = tint(images, *zip(*tints, strict=True))
    if config.augment.cutmix:
        images, maps = cutmix([images, maps], boxes)
    return Batch(normalise(images), maps, tuple(s.image_id for s in picked))


def plain_batch(samples: Sequence[Sample], config: TrainConfig) -> Batch:
    """Return samples as they are; all have gaze."""
    images = torch.stack([s.pixels for s in samples]).float() / 255
    same = [Affine(np.eye(3), 1.0)] * len(samples)
    return Batch(normalise(images), render_batch(samples, config, same), tuple(s.image_id for s in samples))


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(n)


def render_batch(samples: Sequence[Sample], config: TrainConfig, affines: Sequence[Affine]) -> Tensor:
    """Return the track maps [B, L, S, S] of samples whose images `affines` have moved.

    Fixations are moved and then rendered, with the tube's radius scaled along; stored maps are warped like the image.
    """
    params, size = map_params(config.maps), config.image_size
    maps = []
    for sample, affine in zip(samples, affines, strict=True):
        if sample.maps is not None:
            maps.append(warp(sample.maps[None].float() / 255, [affine])[0])
        else:
            maps.append(_render(sample.tracks, params, affine, size))
    inside = (sampling_grid(affines, size).abs() <= 1).all(-1)[:, None]  # no label where there is no image
    return torch.stack(maps) * inside


def _render(tracks: Sequence[Track], params: MapParams, affine: Affine, size: int) -> Tensor:
    scaled = dataclasses.replace(
        params, radius=params.radius * affine.scale, softness=params.softness * affine.scale,
        blur=params.blur * affine.scale, max_saccade=params.max_saccade * affine.scale,
    )  # fmt: skip
    total = np.zeros((params.levels, size, size), np.float32)
    for track in tracks:
        x, y, _ = affine.matrix @ np.stack([track.x, track.y, np.ones_like(track.x)])
        total += render_points(x, y, track.duration_ms, size, size, scaled)
    return torch.from_numpy(total / len(tracks))
