"""Several processes on one run, as ``torchrun`` starts them: each takes its share of every batch.

Gradients are averaged in one message after the backward pass, so that N processes take the step
that one process takes on the whole batch. Every process validates; the first one writes.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Join the other processes inside a ``with`` block, where ``torchrun`` has started any."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(
            local_device(device)
        )  # or every process' messages would go through the first GPU
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        # Who leaves while another still sends takes the connection down with it
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Return the number of this process, 0 for the one that writes."""
    return int(os.environ.get("RANK", "0")) if world() > 1 else 0


def world() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_device(device: torch.device) -> torch.device:
    """Return this process's own GPU."""
    own = device.type == "cuda" and world() > 1
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if own else device


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace gradients by their mean over all processes."""
    if world() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    distributed.all_reduce(flat)
    means = torch.split(flat / world(), [g.numel() for g in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def mean(values: Tensor) -> Tensor:
    """Return the means over all processes; on a GPU, nobody waits for them."""
    if world() == 1:
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total / world()


def any_signal(number: int | None, device: torch.device) -> int | None:
    """Return the signal that any process was sent, so that all stop after the same step."""
    if world() == 1:
        return number
    highest = torch.tensor(number or 0, device=device)
    distributed.all_reduce(highest, distributed.ReduceOp.MAX)
    return int(highest) or None
