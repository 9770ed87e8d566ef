"""Several processes on one run, as ``torchrun`` starts them: each takes its share of every batch.

Gradients are averaged as the backward pass brings them (`gradtrack_model.training.gradients`), so
that N processes take the step that one process takes on the whole batch
(`gradtrack_model.network.batch_norm` sees to the statistics of BatchNorm). Images and validation
are shared out, too; the first process writes.

Whatever ends one process ends all of them: the first to fail says so in the store that
``torchrun`` keeps, the others notice as its connections close, find that it was said, and end
without a word. Of a process that was killed nothing is there: the first to notice speaks for it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch
from torch import distributed

from gazetrack.errors import DataError, GazetrackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

T = TypeVar("T")

# A process that says nothing for so long is taken for lost: where a whole machine is gone, nobody
# closes its connections. Between two messages lie a step, a validation, or a file that is written.
PATIENCE = dt.timedelta(minutes=10)
_VERDICT = "gradtrack/ended"
_INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT


class LostProcessError(GazetrackError):
    """Another process of the run was killed, or its machine cannot be reached any more."""

    code: ClassVar[str] = "LOST"
    exit_code: ClassVar[int] = 8


class EndedElsewhereError(GazetrackError):
    """Another process has failed and said why: this one ends with its exit code, and silently."""

    code: ClassVar[str] = "ENDED_ELSEWHERE"
    said: ClassVar[bool] = True


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Join the other processes inside a ``with`` block, where ``torchrun`` has started any.

    Raises
    ------
    LostProcessError
        Another process is gone, and did not say why.
    EndedElsewhereError
        Another process has failed; it tells the user why, and its exit code is taken over.
    """
    if world() == 1 or distributed.is_initialized():
        yield
        return
    local = _local_rank()
    has_gpu = torch.cuda.is_available() and local < torch.cuda.device_count()
    if has_gpu:
        # Or the messages of every process would go through the first GPU.
        torch.cuda.set_device(local)
    # What lies in memory goes by gloo on every machine: nobody waits for a GPU to exchange it.
    backend = "cpu:gloo,cuda:nccl" if has_gpu else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
        # Who leaves while another one still sends takes the connection down with it.
        distributed.barrier()
    except BaseException as error:
        ending = _ending(error)
        if ending is error:
            raise
        raise ending from error
    finally:
        distributed.destroy_process_group()


def _ending(error: BaseException) -> BaseException:
    """Return what this process ends with: the first one that fails speaks for all."""
    mine = error
    if _is_of_a_connection(error):
        what = f"process {rank()} of {world()} has lost another one, which was killed or cut off"
        hint = "see its machine's log and memory; --resume goes on from the last state"
        mine = LostProcessError(what, hint=hint)
    said = json.dumps({"rank": rank(), "exit_code": _exit_code(mine)})
    try:
        first = json.loads(_store().compare_set(_VERDICT, "", said))
    except (RuntimeError, ValueError):
        return mine  # the store is gone with the machine that kept it
    if first["rank"] == rank():
        return mine
    other = EndedElsewhereError(f"process {first['rank']} of {world()} has failed")
    vars(other).update(exit_code=first["exit_code"])
    return other


def _is_of_a_connection(error: BaseException) -> bool:
    """Whether an error says no more than that another process does not answer."""
    if isinstance(error, distributed.DistError):
        return True
    # Gloo's own errors are plain ones, which begin with the line of its source.
    return isinstance(error, RuntimeError) and "gloo" in str(error).lower()


def _exit_code(error: BaseException) -> int:
    if isinstance(error, GazetrackError):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _store() -> Any:
    return distributed.distributed_c10d._get_default_store()  # noqa: SLF001 - torch has no other way


def rank() -> int:
    """Return the number of this process, 0 for the one that writes."""
    return int(os.environ.get("RANK", "0")) if world() > 1 else 0


def world() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that writes, and talks to the user."""
    return rank() == 0


def is_joined() -> bool:
    """Whether there are other processes, and they can be talked to."""
    return world() > 1 and distributed.is_initialized()


def _local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_device(device: torch.device) -> torch.device:
    """Return the GPU of this process, where each has one of its own; else the device itself."""
    if device.type != "cuda" or world() == 1:
        return device
    return torch.device("cuda", _local_rank())


def share(things: Sequence[T]) -> Sequence[T]:
    """Return what this process does of something that all share: every N-th thing, from its own."""
    return things[rank() :: world()] if is_joined() else things


def gathered_bytes(data: bytes) -> list[bytes]:
    """Return the bytes that every process has given, by the number of the process."""
    if not is_joined():
        return [data]
    length = torch.tensor([len(data)])
    lengths = [torch.zeros_like(length) for _ in range(world())]
    distributed.all_gather(lengths, length)
    # All messages of one size, as they have to be.
    longest = max(int(one) for one in lengths)
    padded = torch.zeros(longest, dtype=torch.uint8)
    padded[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else 0
    parts = [torch.empty_like(padded) for _ in range(world())]
    distributed.all_gather(parts, padded)
    pairs = zip(parts, lengths, strict=True)
    return [part[: int(one)].numpy().tobytes() for part, one in pairs]


def gathered(value: Any) -> list[Any]:
    """Return what every process has given, plain JSON values, by the number of the process."""
    if not is_joined():
        return [value]
    return [json.loads(part) for part in gathered_bytes(json.dumps(value).encode())]


def of_the_first(value: T) -> T:
    """Return the plain JSON value that the first process has given, whatever the others have."""
    if not is_joined():
        return value
    found: T = json.loads(bytes_of_the_first(json.dumps(value).encode()))
    return found


def bytes_of_the_first(data: bytes) -> bytes:
    """Return the bytes that the first process has given."""
    if not is_joined():
        return data
    length = torch.tensor([len(data)])
    distributed.broadcast(length, 0)
    message = torch.zeros(int(length), dtype=torch.uint8)
    if is_first() and data:
        message.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
    distributed.broadcast(message, 0)
    return message.numpy().tobytes()


def refuse_difference(value: Any) -> None:
    """Refuse to go on together where the processes were not told the same.

    Parameters
    ----------
    value : object
        Plain JSON values: what has to be the same in all processes, such as settings and a digest
        of the data.

    Raises
    ------
    DataError
        Some process has other values than the first one.
    """
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    digests = gathered(digest)
    others = [number for number, one in enumerate(digests) if one != digests[0]]
    if others:
        what = f"process {others[0]} of {world()} has other settings or data than process 0"
        raise DataError(what, hint="give all processes the same options, and the same data set")


def mean(values: Tensor) -> Tensor:
    """Return the means over all processes; on a GPU, nobody waits for them."""
    if world() == 1:
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total / world()


def any_signal(number: int | None) -> int | None:
    """Return the signal that any process was sent, so that all stop after the same step."""
    if world() == 1:
        return number
    # 0 is no signal, so that the highest number is that of a signal if there is any.
    highest = torch.tensor(number or 0)
    distributed.all_reduce(highest, distributed.ReduceOp.MAX)
    return int(highest) or None
