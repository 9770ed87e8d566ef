"""A training set that lies on the device: its batches are augmented, and their maps rendered, where the network is."""

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
    """Return what makes the batch of a step, and in how many threads ahead it shall do so.

    Parameters
    ----------
    samples : sequence of Sample
        The training set.
    config : BatchConfig
        Its `cache` and `workers`, and what a batch depends on.
    device : torch.device
        Where the network is.
    """
    if lies_on_device(samples, config, device):
        return Resident(samples, config, device).batch, 0
    make = functools.partial(training_batch, samples, config)
    if device.type != "cuda":
        return make, config.workers
    return lambda step: pinned(make(step)), config.workers


def lies_on_device(samples: Sequence[Sample], config: BatchConfig, device: torch.device) -> bool:
    """Whether the data shall lie on the device: as the configuration says, or on a GPU where they fit."""
    if config.cache != "auto":
        return config.cache == "device"
    if device.type != "cuda":
        return False
    size = sum(
        sample.pixels.nbytes + (0 if sample.maps is None else sample.maps.nbytes)
        for sample in samples
    )
    free, _ = torch.cuda.mem_get_info(device)
    return bool(size <= _SHARE * free)


class Tracks(NamedTuple):
    """All tracks of a data set, filled up to the longest at their end.

    Parameters
    ----------
    points : Tensor of float32, shape (3, T, N)
        x, y in pixels and durations in ms, NaN where a track is over.
    firsts : Tensor of int64, shape (T, L)
        First fixation of each level.
    lengths : list of int
        Fixations of each track.
    rows : list of range
        The tracks of each sample.
    points_a_track : list of int
        The most points that a blurred map of each track puts on its lines; known here, nobody waits
        for a GPU to say.
    """

    points: Tensor
    firsts: Tensor
    lengths: list[int]
    rows: list[range]
    points_a_track: list[int]


class Resident:
    """A training set on a device, and the batches made of it there: those of `training_batch`, but for rounding.

    What `torch_maps` does not render is rendered by the toolkit, and brought to the device with the
    batch.

    Parameters
    ----------
    samples : sequence of Sample
        All with tracks, or all with stored maps.
    config : BatchConfig
        What a batch depends on.
    device : torch.device
        Where to.
    """

    def __init__(
        self, samples: Sequence[Sample], config: BatchConfig, device: torch.device
    ) -> None:
        self._samples, self._config, self._device = samples, config, device
        self._pixels = torch.stack([sample.pixels for sample in samples]).to(device)
        stored = [sample.maps for sample in samples if sample.maps is not None]
        self._maps = torch.stack(stored).to(device) if stored else None
        rendered = config.maps.kind in KINDS and config.maps.truncation == "tail"
        self._tracks = _padded(samples, config.maps, device) if rendered and not stored else None

    def batch(self, step: int) -> Batch:
        """Return the augmented batch of one step, on the device."""
        drawn = draw(len(self._samples), self._config, step)
        which = upload(np.array(drawn.indices), self._device)
        images, maps = augment(
            self._pixels[which], self._maps_of(drawn, which), drawn, self._config.augment
        )
        return Batch(images, maps, tuple(self._samples[i].image_id for i in drawn.indices))

    def _maps_of(self, drawn: Drawn, which: Tensor) -> Tensor:
        """Return the maps [B, L, S, S] of images that the drawn affines have moved."""
        size = self._config.image_size
        if self._maps is not None:
            maps = warp(self._maps[which].float() / 255, drawn.affines)
        elif self._tracks is not None:
            maps = _rendered(self._tracks, drawn, size, self._config.maps)
        else:
            return render_batch(
                [self._samples[i] for i in drawn.indices], self._config, drawn.affines
            ).to(self._device)
        return maps * inside(drawn.affines, size, self._device)


def _padded(samples: Sequence[Sample], params: MapParams, device: torch.device) -> Tracks:
    tracks = [track for sample in samples for track in sample.tracks]
    lengths = [len(track) for track in tracks]
    points = np.full((3, len(tracks), max(lengths)), np.nan, np.float32)
    for i, track in enumerate(tracks):
        points[:, i, : lengths[i]] = track.x, track.y, track.duration_ms
    members = [level_members(track.duration_ms, params.ratios, by=params.by) for track in tracks]
    firsts = [
        [n - len(member) for member in levels] for n, levels in zip(lengths, members, strict=True)
    ]
    ends = np.cumsum([len(sample.tracks) for sample in samples]).tolist()
    rows = [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    size = samples[0].pixels.shape[-1]
    on_device = torch.from_numpy(points).to(device), torch.tensor(firsts, device=device)
    return Tracks(
        *on_device, lengths, rows, [_points_a_track(track, params, size) for track in tracks]
    )


def _points_a_track(track: Track, params: MapParams, size: int) -> int:
    """Bound the points that stand for a track's lines in a blurred map: zooming changes their lengths and sigma alike.

    Zooming also rounds, and so may change a count where it steps: the larger one of both sides of a
    length is taken.
    """
    if params.kind not in BLURRED:
        return 0
    steps = np.hypot(np.diff(track.x), np.diff(track.y))
    sigma = params.blur * size
    joined = steps[steps <= 1.001 * params.max_saccade * size] / sigma
    pieces, nodes = pieces_and_nodes(np.stack([0.999 * joined, 1.001 * joined]))
    return int((pieces * nodes).max(axis=0).sum())


def _rendered(tracks: Tracks, drawn: Drawn, size: int, params: MapParams) -> Tensor:
    """Render the drawn samples' tracks, moved and zoomed as drawn: the mean where a sample has several."""
    rows = [tracks.rows[i] for i in drawn.indices]
    picked = [row for of_sample in rows for row in of_sample]
    moves = [
        affine for affine, of_sample in zip(drawn.affines, rows, strict=True) for _ in of_sample
    ]
    device = tracks.points.device
    which = upload(np.array(picked), device)
    x, y, duration_ms = tracks.points[:, which, : max(tracks.lengths[row] for row in picked)]
    matrices = upload(np.stack([move.matrix[:2] for move in moves]).astype(np.float32), device)
    a, b = (matrices[:, axis, :, None] for axis in (0, 1))  # [T, 3, 1] each
    x, y = (m[:, 0] * x + m[:, 1] * y + m[:, 2] for m in (a, b))
    scale = upload(np.array([move.scale for move in moves], np.float32), device)
    points = max(tracks.points_a_track[row] for row in picked)
    firsts = tracks.firsts[which]
    maps = render_tracks(
        x, y, duration_ms, firsts, (size, size), params=params, scale=scale, points=points
    )
    return torch.stack(
        [part.mean(0) for part in torch.split(maps, [len(of_sample) for of_sample in rows])]
    )
