"""Several processes on one run, as torchrun starts them, but without the seconds that it takes.

They are forked off a server that has imported PyTorch already. The store that they meet at is kept
here, as torchrun keeps it: it outlives each of them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch.distributed import TCPStore

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.processes", "gradtrack_model.verbs.train"])
LONGEST_S = 300


def start(work, n, *arguments):
    """Start work(*arguments) in n processes; returns what `end` takes."""
    store = TCPStore("127.0.0.1", 0, is_master=True, timeout=timedelta(seconds=LONGEST_S))
    processes = []
    for rank in range(n):
        environment = {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(n),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(store.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        process = _CONTEXT.Process(target=_work, args=(environment, work, arguments))
        process.start()
        processes.append(process)
    return store, processes


def end(started):
    """Wait for all processes, and return their exit codes; none may hang."""
    _, processes = started
    for process in processes:
        process.join(LONGEST_S)
    hanging = [number for number, process in enumerate(processes) if process.exitcode is None]
    for number in hanging:
        processes[number].kill()
    assert not hanging, f"processes {hanging} never ended"
    return [process.exitcode for process in processes]


def run_in(work, n, *arguments):
    """Let n processes do work(*arguments); all have to succeed."""
    assert end(start(work, n, *arguments)) == [0] * n


def _work(environment, work, arguments):
    os.environ.update(environment)
    torch.set_num_threads(1)
    work(*arguments)


def command_in(work, folder, arguments):
    """Run gradtrack-train after `work`, with what it prints in files of the process's number."""
    from gazetrack_cli.errors import run_command
    from gazetrack_cli.train import command

    work()
    rank = os.environ["RANK"]
    for number, name in ((1, "out"), (2, "err")):
        descriptor = os.open(Path(folder) / f"{name}{rank}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(descriptor, number)
    sys.argv = ["gradtrack-train", *arguments]
    with contextlib.suppress(BrokenPipeError):
        run_command(command, "gradtrack-train")


def nothing():
    """Change nothing before the command."""
