"""A training set that lies on the device.

Its batches are augmented, and their maps rendered, where the network is: a GPU then waits for
neither a thread nor a copy.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gazetrack.maps.quadrature import pieces_and_nodes
from gazetrack.maps.track import level_members
from gradtrack_model.data.augment import inside, upload, warp
from gradtrack_model.data.batches import Batch, augment, draw, pinned, render_batch, training_batch
from gradtrack_model.data.torch_maps import BLURRED, KINDS, render_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track
    from gradtrack_model.config import BatchConfig
    from gradtrack_model.data.batches import Drawn
    from gradtrack_model.data.sample import Sample

# Of the memory that is free before the network is built; the rest is for its activations.
_SHARE = 0.25


def batch_maker(
    samples: Sequence[Sample], config: BatchConfig, device: torch.device
) -> tuple[Callable[[int], Batch], int]:
    """Return what makes the batch of a step, and in how many threads ahead it does so.

    Parameters
    ----------
    samples : sequence of Sample
        The images of the training set.
    config : BatchConfig
        Its cache and workers, and what a batch depends on.
    device : torch.device
        The device on which the network is.

    Returns
    -------
    make : callable
        Returns the batch of a step.
    workers : int
        Threads that call it ahead; 0 for none.
    """
    if lies_on_device(samples, config, device):
        resident = Resident(samples, config, device).batch
        return resident if device.type != "cuda" else beside(resident, device), 0
    make = functools.partial(training_batch, samples, config)
    if device.type != "cuda":
        return make, config.workers
    return lambda step: pinned(make(step)), config.workers


def beside(make: Callable[[int], Batch], device: torch.device) -> Callable[[int], Batch]:
    """Return what makes batches beside the steps: on a stream of a GPU that is theirs.

    A batch depends on no step, so that a GPU works on the next one while it computes a step; on one
    stream, one would wait for the other.

    Parameters
    ----------
    make : callable
        Returns the batch of a step, made on the GPU of what has been queued there until now.
    device : torch.device
        The GPU on which batches and steps are made.
    """
    own = torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # untyped in torch
    own.wait_stream(torch.cuda.current_stream(device))

    def made(step: int) -> Batch:
        with torch.cuda.stream(own):
            batch = make(step)
        # The step waits for its batch, on the GPU; the processor waits for neither.
        steps = torch.cuda.current_stream(device)
        steps.wait_stream(own)
        for tensor in (batch.images, batch.maps):
            # Its memory is not given away while the step reads it.
            tensor.record_stream(steps)
        return batch

    return made


def lies_on_device(samples: Sequence[Sample], config: BatchConfig, device: torch.device) -> bool:
    """Whether the data lie on the device: as the configuration says, or on a GPU where they fit."""
    if config.cache != "auto":
        return config.cache == "device"
    if device.type != "cuda":
        return False
    pixels = sum(sample.pixels.nbytes for sample in samples)
    maps = sum(sample.maps.nbytes for sample in samples if sample.maps is not None)
    free, _ = torch.cuda.mem_get_info(device)
    return bool(pixels + maps <= _SHARE * free)


class Tracks(NamedTuple):
    """All tracks of a data set, filled up to the longest at their end.

    Parameters
    ----------
    points : Tensor of float32, shape (3, T, N)
        x, y in pixels and durations in ms, NaN where a track is over.
    firsts : Tensor of int64, shape (T, L)
        First fixation of each level of each track.
    lengths : list of int
        Number of fixations of each track.
    rows : list of list of list of int
        Which of the T tracks are those of each sample, of each class.
    points_a_track : list of int
        The most points that a blurred map of each track puts on its lines; known here, nobody waits
        for a GPU to say.
    """

    points: Tensor
    firsts: Tensor
    lengths: list[int]
    rows: list[list[list[int]]]
    points_a_track: list[int]


class Resident:
    """A training set on a device, and the batches made of it there.

    They are those of `training_batch`, but for rounding. What `torch_maps` does not render is
    rendered by the toolkit, and brought to the device with the batch.

    Parameters
    ----------
    samples : sequence of Sample
        The training set: all have tracks, or all have stored maps.
    config : BatchConfig
        Says what a batch is made of.
    device : torch.device
        The device on which the network is.
    """

    def __init__(
        self, samples: Sequence[Sample], config: BatchConfig, device: torch.device
    ) -> None:
        self._samples, self._config, self._device = samples, config, device
        self._pixels = torch.stack([sample.pixels for sample in samples]).to(device)
        stored = [sample.maps for sample in samples if sample.maps is not None]
        self._maps = torch.stack(stored).to(device) if stored else None
        # Levels are suffixes here, as those of no other truncation are.
        renders = config.maps.kind in KINDS and config.maps.truncation == "tail"
        self._tracks = _padded(samples, config, device) if renders and not stored else None

    def batch(self, step: int) -> Batch:
        """Return the augmented batch of one step, on the device."""
        drawn = draw(len(self._samples), self._config, step)
        which = upload(np.array(drawn.indices), self._device)
        maps = self._maps_of(drawn, which)
        images, maps = augment(self._pixels[which], maps, drawn, self._config.augment)
        ids = tuple(self._samples[i].image_id for i in drawn.indices[: len(images)])
        return Batch(images, maps, ids)

    def _maps_of(self, drawn: Drawn, which: Tensor) -> Tensor:
        """Return the maps [B, L, S, S] of images that the drawn affines have moved."""
        size = self._config.image_size
        if self._maps is not None:
            maps = warp(self._maps[which].float() / 255, drawn.affines)
        elif self._tracks is not None:
            maps = _rendered(self._tracks, drawn, size, self._config.maps)
        else:
            picked = [self._samples[i] for i in drawn.indices]
            return render_batch(picked, self._config, drawn.affines).to(self._device)
        return maps * inside(drawn.affines, size, self._device)


def _padded(samples: Sequence[Sample], config: BatchConfig, device: torch.device) -> Tracks:
    """Copy the tracks of all samples to a device, as one array."""
    params = config.maps
    tracks = [track for sample in samples for track in sample.tracks]
    lengths = [len(track) for track in tracks]
    points = np.full((3, len(tracks), max(lengths)), np.nan, np.float32)
    firsts = []
    for number, track in enumerate(tracks):
        points[:, number, : len(track)] = track.x, track.y, track.duration_ms
        members = level_members(track.duration_ms, params.ratios, by=params.by)
        # Every level is a suffix of the track, whose last fixation it shares.
        firsts.append([len(track) - len(member) for member in members])
    size = samples[0].pixels.shape[-1]
    return Tracks(
        points=torch.from_numpy(points).to(device),
        firsts=torch.tensor(firsts, device=device),
        lengths=lengths,
        rows=_rows_of(samples, config.classes.names),
        points_a_track=[_points_a_track(track, params, size) for track in tracks],
    )


def _rows_of(samples: Sequence[Sample], names: Sequence[str]) -> list[list[list[int]]]:
    """Return which tracks are those of each sample, of each class that has a name.

    The tracks of all samples are counted through.
    """
    rows = []
    start = 0
    for sample in samples:
        numbered = list(enumerate(sample.tracks, start))
        # Of one class, all tracks are of it, whatever their targets are.
        groups = [[row for row, track in numbered if track.target == name] for name in names]
        rows.append(groups or [[row for row, _ in numbered]])
        start += len(sample.tracks)
    return rows


def _points_a_track(track: Track, params: MapParams, size: int) -> int:
    """Bound the points that stand for a track's lines in a blurred map.

    Zooming changes their lengths and sigma alike, but also rounds, and so may change a count where
    it steps: the larger one of both sides of a length is taken.
    """
    if params.kind not in BLURRED:
        return 0
    steps = np.hypot(np.diff(track.x), np.diff(track.y))
    longest = 1.001 * params.max_saccade * size
    in_sigmas = steps[steps <= longest] / (params.blur * size)
    pieces, nodes = pieces_and_nodes(np.stack([0.999 * in_sigmas, 1.001 * in_sigmas]))
    return int((pieces * nodes).max(axis=0).sum())


def _rendered(tracks: Tracks, drawn: Drawn, size: int, params: MapParams) -> Tensor:
    """Render the tracks of the drawn samples [B, L, S, S], moved and zoomed as drawn.

    Where a sample, or a class of it, has several tracks, its map is their mean. Maps of several
    classes are those of `class_maps.rendered_classes`.
    """
    groups = [of_class for i in drawn.indices for of_class in tracks.rows[i]]
    counts = [len(group) for group in groups]
    picked = [row for group in groups for row in group]
    moves = [
        affine
        for i, affine in zip(drawn.indices, drawn.affines, strict=True)
        for group in tracks.rows[i]
        for _ in group
    ]
    device = tracks.points.device
    which = upload(np.array(picked), device)
    longest = max(tracks.lengths[row] for row in picked)
    x, y, duration_ms = tracks.points[:, which, :longest]  # [T, N] each
    matrices = np.stack([move.matrix[:2] for move in moves]).astype(np.float32)
    to_x, to_y = upload(matrices, device)[..., None].unbind(1)  # [T, 3, 1] each
    scale = upload(np.array([move.scale for move in moves], np.float32), device)
    maps = render_tracks(
        to_x[:, 0] * x + to_x[:, 1] * y + to_x[:, 2],
        to_y[:, 0] * x + to_y[:, 1] * y + to_y[:, 2],
        duration_ms,
        tracks.firsts[which],
        size=(size, size),
        params=params,
        scale=scale,
        points=max(tracks.points_a_track[row] for row in picked),
    )
    nothing = maps.new_zeros(maps.shape[1:])
    means = [
        part.mean(0) if count else nothing
        for part, count in zip(torch.split(maps, counts), counts, strict=True)
    ]
    n_classes = len(tracks.rows[0])
    if n_classes == 1:
        return torch.stack(means)
    # Behind the levels of a class: where nobody looked for it.
    unknown = [nothing.new_full((1, size, size), not count) for count in counts]
    each = [torch.cat(both) for both in zip(means, unknown, strict=True)]
    return torch.stack(each).view(len(drawn.indices), -1, size, size)
