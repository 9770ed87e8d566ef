"""One training step: its time, the arithmetic's floor, its memory, its wait for data.

Usage: python benchmarks/bench_step.py [--encoders lite basic] [--precisions fp32 bf16] [--compile
no yes graphs]
    [--cache auto] [--method gradtrack] [--size 224] [--batch 8] [--steps 10] [--rounds 3] [--device
    auto] [--json FILE]

The floor is the step's multiplications and additions at the rate that this device reaches on one
large product of matrices of that precision. A step's time is that of `--steps` steps, one queued
after the other as in training, divided by their number; the median of `--rounds`. ``batch`` is the
time to make a batch in one thread or, where the data lie on the device, there, augmentation and
rendering of the fixations included; ``waiting`` the share of the step's time in which the network's
next step is not queued because its batch, made ahead by `--workers`, is not there. ``first`` is the
time of the first step in seconds: with `--compile yes`, or `graphs` (CUDA graphs), the compiler's.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from _timing import save
from torch.utils.flop_counter import FlopCounterMode

from gazetrack.maps.track import Track
from gradtrack_model.data.batches import batches, training_batch
from gradtrack_model.data.device_batches import batch_maker
from gradtrack_model.data.sample import Sample
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner, fast_convolutions, pick_device

if TYPE_CHECKING:
    from gradtrack_model.config import TrainConfig

SAMPLES, FIXATIONS, WARM_UP = 64, 27, 4
KINDS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def samples(size: int) -> list[Sample]:
    """Return noise with as many fixations as Kvasir-SEG has an image."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(SAMPLES):
        x, y = rng.uniform(0, size, (2, FIXATIONS))
        track = Track("", "", f"{i}", x, y, rng.uniform(100, 500, FIXATIONS), size, size)
        pixels = torch.from_numpy(rng.integers(0, 256, (3, size, size), np.uint8))
        made.append(Sample(f"{i}", pixels, (track,)))
    return made


def synchronised(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def device_name(name: str) -> str:
    device = pick_device(name)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def flops_a_second(device: torch.device, kind: torch.dtype) -> float:
    n = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(n, n, device=device).to(kind) for _ in range(2))
    times = []
    for _ in range(10):
        start = synchronised(device)
        a @ b
        times.append(synchronised(device) - start)
    return 2 * n**3 / min(times)


def flops(learner: Learner, config: TrainConfig, data: list[Sample]) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        batch = training_batch(data, config, 0)
        images, maps = batch.images.to(learner.device), batch.maps.to(learner.device)
        learner.losses(images, maps)[0].backward()
    return int(counter.get_total_flops())


def measure(config: TrainConfig, steps: int, rounds: int) -> dict[str, Any]:
    data, device = samples(config.image_size), pick_device(config.device)
    learner = Learner(config)
    work = flops(
        Learner(dataclasses.replace(config, compile=False, cuda_graphs=False)), config, data
    )
    make, ahead = batch_maker(data, config, device)
    stream, times, waits, makes = batches(make, ahead), [], [], []
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    numbers = itertools.count(1)

    def advance(count: int) -> tuple[float, float]:
        """Take steps; return the time of one, and how long its batch was not there."""
        waited, start = 0.0, synchronised(device)
        for _ in range(count):
            asked = time.perf_counter()
            batch = next(stream)
            waited += time.perf_counter() - asked
            learner.advance(next(numbers), [batch])
        return (synchronised(device) - start) / count, waited / count

    with fast_convolutions(device):
        first, _ = advance(1)
        advance(WARM_UP)
        for _ in range(rounds):
            one, wait = advance(steps)
            times.append(one)
            waits.append(wait)
    for step in range(3):
        start = synchronised(device)
        make(step)
        makes.append(synchronised(device) - start)
    with fast_convolutions(device):
        floor = work / flops_a_second(device, KINDS[config.precision])
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None
    return {
        "step_ms": 1e3 * median(times),
        "floor_ms": 1e3 * floor,
        "ratio": median(times) / floor,
        "tflop": work / 1e12,
        "batch_ms": 1e3 * min(makes),
        "waiting": sum(waits) / sum(times),
        "memory_gb": memory,
        "first_s": first,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoders", nargs="+", default=["lite", "basic"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"], choices=sorted(KINDS))
    parser.add_argument(
        "--compile", nargs="+", default=["no", "yes"], choices=["no", "yes", "graphs"]
    )
    parser.add_argument("--cache", nargs="+", default=["auto"], choices=["auto", "host", "device"])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument(
        "--widths", help="of the network, such as [8,16,32,64,128,16]; its own by default"
    )
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--method", default="gradtrack")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    found = []
    every = (options.encoders, options.precisions, options.compile, options.cache)
    for encoder, precision, compiled, cache in itertools.product(*every):
        own = [
            f"model.encoder={encoder}",
            "model.pretrained=false",
            f"precision={precision}",
            f"cache={cache}",
        ]
        own += [
            f"image_size={options.size}",
            f"batch_size={options.batch}",
            f"workers={options.workers}",
        ]
        own += [f"compile={'false' if compiled == 'no' else 'true'}", f"device={options.device}"]
        own += ["cuda_graphs=true"] if compiled == "graphs" else []
        own += [f"model.widths={options.widths}"] if options.widths else []
        config = load_config(options.preset, None, own, {"method": options.method})
        row = measure(config, options.steps, options.rounds)
        found.append(
            {"encoder": encoder, "precision": precision, "compile": compiled, "cache": cache, **row}
        )
        shown = "  ".join(f"{key} {value:.3g}" for key, value in row.items() if value is not None)
        print(f"{encoder:6} {precision} compile {compiled:3} cache {cache:6}  {shown}", flush=True)
    facts = {"device": device_name(options.device), "batch": options.batch, "size": options.size}
    save(
        options.json, {**facts, "method": options.method, "torch": torch.__version__, "rows": found}
    )


if __name__ == "__main__":
    main()
