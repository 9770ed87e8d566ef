"""Batches: augmented images with the track maps of the gaze on them.

A batch is a function of (seed, step) alone: neither threads nor what ran before change it.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gradtrack_model.data.augment import (
    Affine,
    Box,
    above,
    beside,
    cutmix,
    draw_affine,
    draw_box,
    draw_colour,
    draw_tint,
    inside,
    normalise,
    recolour,
    tint,
    warp,
)
from gradtrack_model.data.class_maps import rendered_classes
from gradtrack_model.data.labels import mean_maps
from gradtrack_model.parallel import rank, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track
    from gradtrack_model.config import AugmentConfig, BatchConfig, InputConfig
    from gradtrack_model.data.labels import Maps
    from gradtrack_model.data.sample import Sample


class Batch(NamedTuple):
    """What a training step gets.

    Parameters
    ----------
    images : Tensor of float32, shape (B, 3 * n, S, S)
        Normalised by the statistics of ImageNet; n is 1, or the number of slices of the context.
    maps : Tensor of float32, shape (B, L, S, S)
        Track maps in [0, 1], the core first; of several classes, see
        `gradtrack_model.data.class_maps`.
    ids : tuple of str
        The id of each image.
    """

    images: Tensor
    maps: Tensor
    ids: tuple[str, ...]


class Drawn(NamedTuple):
    """What is random in a batch, one entry for each of its images.

    Parameters
    ----------
    indices : list of int
        Places of the images in the training set.
    affines : list of Affine
        Flips, zoom, rotation and shift.
    colours : list of ndarray of float64, shape (3,)
        Factors of brightness, contrast and saturation.
    tints : list of (float, float)
        A power, and an angle in radians.
    boxes : list of Box or None
        The part of the next image that replaces that of this one. Where the last image's next one
        is in another batch of the step, that image is drawn as well, as the last of all but the
        boxes.
    """

    indices: list[int]
    affines: list[Affine]
    colours: list[npt.NDArray[np.float64]]
    tints: list[tuple[float, float]]
    boxes: list[Box | None]


def draw(n: int, config: BatchConfig, step: int) -> Drawn:
    """Draw the batch of one step, full batches from one shuffled epoch after the other.

    Parameters
    ----------
    n : int
        Number of samples in the training set.
    config : BatchConfig
        Its seed, batch size, number of batches a step, image size and augmentation are used.
    step : int
        Number of the batch, counted from 0.

    Returns
    -------
    Drawn
        Of one of several processes, its share of the batch.
    """
    drawn = Drawn([], [], [], [], [])
    size = config.batch_size // world()
    # All images of the optimizer's step are one circle, whatever batches and processes it is
    # shared out to: the next image is the same in all cases.
    whole = config.batch_size * config.accumulate
    begin = step // config.accumulate * whole
    first = step * config.batch_size + rank() * size - begin
    for place in range(first, first + size):
        _draw_one(drawn, n, config, begin + place)
    if drawn.boxes[-1] is not None and size < whole:
        _draw_one(drawn, n, config, begin + (first + size) % whole)
        drawn.boxes.pop()
    return drawn


def _draw_one(drawn: Drawn, n: int, config: BatchConfig, position: int) -> None:
    """Add what is drawn for one image, by its position in all epochs."""
    epoch, place = divmod(position, n)
    index = int(_order(config.seed, epoch, n)[place])
    # A generator for each image: its draws depend on neither batch, process nor thread.
    rng = np.random.default_rng([config.seed, epoch, index])
    drawn.indices.append(index)
    drawn.affines.append(draw_affine(rng, config.augment, config.image_size))
    drawn.colours.append(draw_colour(rng, config.augment))
    drawn.tints.append(draw_tint(rng, config.augment))
    drawn.boxes.append(draw_box(rng, config.augment, config.image_size))


def batches(make: Callable[[int], Batch], workers: int = 0, first: int = 0) -> Iterator[Batch]:
    """Yield the batches of all steps from one on, without end.

    Parameters
    ----------
    make : callable
        Returns the batch of a step.
    workers : int
        Threads that prepare batches ahead; 0 prepares each when it is asked for.
    first : int
        Step of the first batch.

    Yields
    ------
    Batch
    """
    if workers == 0:
        yield from map(make, itertools.count(first))
    with ThreadPoolExecutor(workers) as pool:
        # One more than threads, so that no thread waits while the consumer takes a batch.
        ahead = deque(pool.submit(make, first + i) for i in range(workers + 1))
        for step in itertools.count(first + len(ahead)):
            ahead.append(pool.submit(make, step))
            yield ahead.popleft().result()


def pinned(batch: Batch) -> Batch:
    """Return a batch in memory from which a GPU copies while other work goes on."""
    return Batch(batch.images.pin_memory(), batch.maps.pin_memory(), batch.ids)


def training_batch(samples: Sequence[Sample], config: BatchConfig, step: int) -> Batch:
    """Return the augmented batch of one step, made in memory."""
    drawn = draw(len(samples), config, step)
    picked = [samples[i] for i in drawn.indices]
    pixels = torch.stack([sample.pixels for sample in picked])
    maps = render_batch(picked, config, drawn.affines)
    images, maps = augment(pixels, maps, drawn, config.augment)
    ids = tuple(sample.image_id for sample in picked[: len(images)])
    return Batch(images, maps, ids)


def augment(
    pixels: Tensor, maps: Tensor, drawn: Drawn, config: AugmentConfig
) -> tuple[Tensor, Tensor]:
    """Apply to a batch what was drawn for it.

    Parameters
    ----------
    pixels : Tensor of uint8, shape (B, 3 * n, S, S)
        The images as they are, each as its n slices; all slices of an image change alike.
    maps : Tensor of float32, shape (B, L, S, S)
        Their maps, which are moved already.
    drawn : Drawn
        The changes of each image.
    config : AugmentConfig
        Says which changes there are at all.

    Returns
    -------
    images : Tensor of float32, shape (B, 3 * n, S, S)
        Changed and normalised; one fewer where one was drawn as a successor alone.
    maps : Tensor of float32, shape (B, L, S, S)
        The maps that belong to them.
    """
    height = pixels.shape[-2]
    moved = beside(warp(pixels.float() / 255, drawn.affines))
    images = recolour(moved, np.array(drawn.colours))
    if config.gamma or config.hue:
        powers = [power for power, _ in drawn.tints]
        angles = [angle for _, angle in drawn.tints]
        images = tint(images, powers, angles)
    images = above(images, height)
    if config.cutmix:
        images, maps = cutmix([images, maps], drawn.boxes)
    return normalise(images), maps


def plain_batch(samples: Sequence[Sample], config: InputConfig) -> Batch:
    """Return samples as they are; all have gaze."""
    images = torch.stack([sample.pixels for sample in samples]).float() / 255
    ids = tuple(sample.image_id for sample in samples)
    return Batch(normalise(images), plain_maps(samples, config), ids)


def plain_maps(samples: Sequence[Sample], config: InputConfig) -> Tensor:
    """Return the track maps [B, L, S, S] of samples as they are; all have gaze."""
    same = Affine(np.eye(3), 1.0)
    return torch.stack([_maps_of(sample, config, same) for sample in samples])


# A batch may reach into the next epoch, and threads may work on two batches apart.
@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(n)


def render_batch(
    samples: Sequence[Sample], config: InputConfig, affines: Sequence[Affine]
) -> Tensor:
    """Return the track maps [B, L, S, S] of samples whose images `affines` have moved.

    Fixations are moved and then rendered, with the tube's radius scaled along; stored maps are
    warped like the image.
    """
    maps = [
        _maps_of(sample, config, affine) for sample, affine in zip(samples, affines, strict=True)
    ]
    return torch.stack(maps) * inside(affines, config.image_size)


def _maps_of(sample: Sample, config: InputConfig, affine: Affine) -> Tensor:
    if sample.maps is not None:
        moved: Tensor = warp(sample.maps[None].float() / 255, [affine])[0]
        return moved
    render = functools.partial(_render, params=config.maps, affine=affine, size=config.image_size)
    names = config.classes.names
    maps = rendered_classes(sample.tracks, names, render) if names else render(sample.tracks)
    return torch.from_numpy(maps)


def _render(tracks: Sequence[Track], params: MapParams, affine: Affine, size: int) -> Maps:
    """Render tracks that an affine moves and zooms; its zoom goes for all lengths of the maps."""
    zoomed = dataclasses.replace(
        params,
        radius=params.radius * affine.scale,
        softness=params.softness * affine.scale,
        blur=params.blur * affine.scale,
        max_saccade=params.max_saccade * affine.scale,
    )
    moved = [_moved(track, affine) for track in tracks]
    return mean_maps(moved, zoomed, (size, size))


def _moved(track: Track, affine: Affine) -> Track:
    x, y, _ = affine.matrix @ np.stack([track.x, track.y, np.ones_like(track.x)])
    return dataclasses.replace(track, x=x, y=y)
