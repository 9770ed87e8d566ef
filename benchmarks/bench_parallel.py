"""One training step in one process and in two: its time, and what the two tell each other.

Usage: python benchmarks/bench_parallel.py [--encoder lite] [--size 224] [--batch 8] [--steps 4]
    [--rounds 3] [--json FILE]

A step makes its batch, takes the gradient and updates the weights, as in training. ``one`` is one
process with one thread, ``two`` are two processes with one thread each that share the same batch,
and ``threads`` is one process with two threads: what two cores do without any message. All three
take turns, `--rounds` times, so that a busy machine hits all alike. A time is the median over the
steps of all rounds, ``best_ms`` the fastest step, which others have disturbed least.

``speedup`` is the time of one process over that of two, ``efficiency`` half of that. Both are of
medians; those of ``best_ms`` are beside them. ``messages`` counts, a step and a process, the calls
and the bytes that go into all-reduces (gradients, losses, the gradient through BatchNorm, the
signal to stop) and all-gathers (statistics of BatchNorm). The figure on a machine with two cores is
that of shared caches and shared memory: two machines have these for themselves, and a network.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from _timing import save, where_and_when
from bench_step import samples
from torch import distributed

from gradtrack_model import parallel
from gradtrack_model.data.device_batches import batch_maker
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP = 2
# Processes and threads of each.
WAYS = {"one": (1, 1), "two": (2, 1), "threads": (1, 2)}


def counted(messages: Counter[str]) -> None:
    """Count calls and bytes of the messages from here on."""

    def counting(name: str, whole: Callable[..., Any], place: int) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            messages[f"{name}_calls"] += 1
            messages[f"{name}_bytes"] += arguments[place].nbytes
            return whole(*arguments, **options)

        return call

    # What a process puts in: the second argument of all_gather, whose first one takes the answers.
    distributed.all_reduce = counting("all_reduce", distributed.all_reduce, 0)
    distributed.all_gather = counting("all_gather", distributed.all_gather, 1)


def work(arguments: argparse.Namespace) -> None:
    """Take steps, and write their times and messages; of two processes, the first one does."""
    torch.set_num_threads(arguments.threads)
    settings = {
        "model.encoder": arguments.encoder,
        "model.pretrained": False,
        "image_size": arguments.size,
        "batch_size": arguments.batch,
        "device": "cpu",
    }
    config = load_config("default", overrides=settings)
    messages: Counter[str] = Counter()
    with parallel.joined():
        counted(messages)
        learner = Learner(config)
        make, _ = batch_maker(samples(arguments.size), config, learner.device)
        seconds = []
        for step in range(WARM_UP + arguments.steps):
            if step == WARM_UP:
                messages.clear()
            start = time.perf_counter()
            learner.advance(step + 1, [make(step)])
            parallel.any_signal(None)
            seconds.append(time.perf_counter() - start)
    a_step = {name: number // arguments.steps for name, number in sorted(messages.items())}
    if parallel.is_first():
        found = {"seconds": seconds[WARM_UP:], "messages": a_step}
        arguments.work.write_text(json.dumps(found))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def measured(arguments: argparse.Namespace, processes: int, threads: int) -> dict[str, Any]:
    """Let so many processes take the steps, and return what the first one has written."""
    options = ("encoder", "size", "batch", "steps")
    chosen = [f"--{name}={getattr(arguments, name)}" for name in options]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, __file__, *chosen, f"--work={result}", f"--threads={threads}"]
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        started = []
        for rank in range(processes):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
            environment = os.environ | meeting | own | {"OMP_NUM_THREADS": str(threads)}
            started.append(subprocess.Popen(command, env=environment))
        codes = [process.wait() for process in started]
        if any(codes):
            raise SystemExit(f"processes ended with {codes}")
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--encoder", default="lite")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        work(arguments)
        return
    where = where_and_when()
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    messages: dict[str, int] = {}
    for _ in range(arguments.rounds):
        for name, (processes, threads) in WAYS.items():
            found = measured(arguments, processes, threads)
            seconds[name] += found["seconds"]
            messages = found["messages"] if processes > 1 else messages
    results: dict[str, Any] = {"encoder": arguments.encoder}
    results |= {name: getattr(arguments, name) for name in ("size", "batch", "steps", "rounds")}
    for name, times in seconds.items():
        times_ms = [1e3 * value for value in times]
        middle, best = round(median(times_ms), 1), round(min(times_ms), 1)
        results[name] = {"ms": middle, "best_ms": best}
        print(f"{name:8} {middle:9.1f} ms a step, {best:9.1f} at best")
    for kind, suffix in (("ms", ""), ("best_ms", "_of_best")):
        speedup = results["one"][kind] / results["two"][kind]
        results[f"speedup{suffix}"] = round(speedup, 3)
        results[f"efficiency{suffix}"] = round(speedup / 2, 3)
    print(f"speed-up {results['speedup']:.2f}, efficiency {results['efficiency']:.0%}")
    results["messages"] = messages
    for name, number in messages.items():
        print(f"{name.replace('_', ' '):18} {number:12,} a step and process")
    save(arguments.json, {"where": where, **results})


if __name__ == "__main__":
    main()
