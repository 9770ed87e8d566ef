"""The mean of the gradients of all processes, sent while the backward pass goes on.

A backward pass has the gradients of the last layers first. These are on their way while those of
the layers before are computed, so that a step waits for the last message alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import distributed

from gradtrack_model import parallel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

# Of a message: each costs a round trip, and the first one should leave early.
MESSAGE_BYTES = 4 * 2**20


class _Sent(NamedTuple):
    """A message on its way: gradients in a row, and whose they are."""

    gradients: list[Tensor]
    flat: Tensor
    arrival: Any


class GradientMeans:
    """The gradients of some parameters, which become their means over all processes.

    Several messages may be on their way, and every process sends them in one order, whatever the
    order in which its gradients come.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those that are trained, in the order of the computation.
    message_bytes : int
        Gradients are sent together until they have as many bytes.
    """

    def __init__(self, parameters: Iterable[Tensor], *, message_bytes: int = MESSAGE_BYTES) -> None:
        self._messages: list[list[Tensor]] = []
        self._message_of: dict[Tensor, int] = {}
        self._sent: list[_Sent] = []
        # How many gradients each message still waits for, and which message is the next to leave.
        self._missing: list[int] = []
        self._next = 0
        self._expecting = False
        # What no loss has depended on so far: no message waits for its gradient.
        self._idle: set[Tensor] = set()
        self._gone: set[Tensor] = set()
        if parallel.world() > 1:
            self._share_out(parameters, message_bytes)

    def _share_out(self, parameters: Iterable[Tensor], message_bytes: int) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        room = 0
        for parameter in reversed(trained):
            if room < parameter.nbytes:
                self._messages.append([])
                room = message_bytes
            room -= parameter.nbytes
            self._messages[-1].append(parameter)
            self._message_of[parameter] = len(self._messages) - 1
            parameter.register_post_accumulate_grad_hook(self._has_come)  # type: ignore[no-untyped-call] # in torch

    def expect(self) -> None:
        """Send what the next backward pass brings: it is the last one of its step."""
        self._missing = [
            sum(parameter not in self._idle for parameter in message) for message in self._messages
        ]
        self._expecting = True

    def _has_come(self, parameter: Tensor) -> None:
        if not self._expecting or parameter in self._idle:
            return
        self._missing[self._message_of[parameter]] -= 1
        while self._next < len(self._messages) and self._missing[self._next] == 0:
            self._send()

    def _send(self) -> None:
        self._send_those_of(self._messages[self._next])
        self._next += 1

    def _send_those_of(self, parameters: Iterable[Tensor]) -> None:
        """Send the gradients that are there and have not been sent, if there are any."""
        gradients = []
        for parameter in parameters:
            if parameter.grad is not None and parameter not in self._gone:
                gradients.append(parameter.grad)
                self._gone.add(parameter)
        if gradients:
            flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
            arrival = distributed.all_reduce(flat, async_op=True)
            self._sent.append(_Sent(gradients, flat, arrival))

    def finish(self) -> None:
        """Send what has not left, and put the means in the place of all gradients."""
        while self._next < len(self._messages):
            self._send()
        # What was idle in the step before, and came when its message had left.
        self._send_those_of(self._message_of)
        for gradients, flat, arrival in self._sent:
            arrival.wait()
            means = torch.split(flat / parallel.world(), [one.numel() for one in gradients])
            for gradient, mean in zip(gradients, means, strict=True):
                gradient.copy_(mean.view_as(gradient))
        self._idle = {parameter for parameter in self._message_of if parameter.grad is None}
        self._sent = []
        self._gone = set()
        self._next = 0
        self._expecting = False
