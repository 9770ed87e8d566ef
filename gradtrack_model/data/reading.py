"""Images that several processes read together: each file is opened, and decoded, by one of them.

All of them need all samples: the order of an epoch is drawn over the whole training set, so that
any image may be in any process's part of a batch. What is exchanged, once, are the resized pixels,
maps, and masks; tracks come from the fixation tables, which every process reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from gradtrack_model import parallel
from gradtrack_model.data.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.maps.track import Track
    from gazetrack.workflows.dataset import Item

# Images that a process reads before it exchanges them: enough that nobody waits for messages, and
# so few that what is on its way is small beside the data set.
BLOCK = 64


def read_together(
    items: Sequence[Item],
    read: Callable[[Item], Sample | None],
    tracks: Callable[[Item], tuple[Track, ...]],
) -> list[Sample | None]:
    """Read items as samples; of several processes, each reads its share and gets the others'.

    Parameters
    ----------
    items : sequence of Item
        The images, the same in every process.
    read : callable
        Returns the sample of an item, or None where there is nothing to learn from.
    tracks : callable
        Returns the tracks of an item whose sample has tracks.

    Returns
    -------
    list of Sample or None
        One for each item, in their order.
    """
    if not parallel.is_joined():
        return [read(item) for item in items]
    found: list[Sample | None] = []
    size = BLOCK * parallel.world()
    for start in range(0, len(items), size):
        block = items[start : start + size]
        message = _packed([read(item) for item in parallel.share(block)])
        parts = [_unpacked(part) for part in parallel.gathered_bytes(message)]
        for place, item in enumerate(block):
            number, reader = divmod(place, parallel.world())
            found.append(_sample(item, parts[reader].get(number), tracks))
    return found


def _packed(samples: Sequence[Sample | None]) -> bytes:
    """Return the arrays of samples, without their tracks, as the bytes of a safetensors file."""
    tensors = {}
    for number, sample in enumerate(samples):
        if sample is None:
            continue
        tensors[f"{number}.pixels"] = sample.pixels
        if sample.maps is not None:
            tensors[f"{number}.maps"] = sample.maps.contiguous()
        if sample.mask is not None:
            tensors[f"{number}.mask"] = torch.from_numpy(sample.mask.copy())
    return save_tensors(tensors)


def _unpacked(message: bytes) -> dict[int, dict[str, torch.Tensor]]:
    """Return the tensors of each sample by their names, by the number of the sample."""
    found: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in load_tensors(message).items():
        number, name = key.split(".")
        found.setdefault(int(number), {})[name] = tensor
    return found


def _sample(
    item: Item,
    tensors: dict[str, torch.Tensor] | None,
    tracks: Callable[[Item], tuple[Track, ...]],
) -> Sample | None:
    """Return the sample of an item from what its reader has sent."""
    if tensors is None:
        return None
    maps = tensors.get("maps")
    mask = tensors.get("mask")
    return Sample(
        item.image_id,
        tensors["pixels"],
        () if maps is not None else tracks(item),
        maps=maps,
        mask=None if mask is None else mask.numpy(),
    )
