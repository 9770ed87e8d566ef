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
    on_gpu = device.type == "cuda"
    if on_gpu:
        # Or the messages of every process would go through the first GPU.
        torch.cuda.set_device(local_device(device))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
        # Who leaves while another one still sends takes the connection down with it.
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
    """Return the GPU of this process, where each has one of its own; else the device itself."""
    if device.type != "cuda" or world() == 1:
        return device
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace gradients by their mean over all processes."""
    if world() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    # One message for all of them: each message costs a round trip, however small it is.
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    means = torch.split(flat / world(), [gradient.numel() for gradient in gradients])
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
    # 0 is no signal, so that the highest number is that of a signal if there is any.
    highest = torch.tensor(number or 0, device=device)
    distributed.all_reduce(highest, distributed.ReduceOp.MAX)
    return int(highest) or None
