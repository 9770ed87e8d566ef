"""What only a GPU can show: that training on it is right.

Each line says what was compared and how far it is off.

Usage: python benchmarks/gpu/check.py [--json FILE]. Exit code 1 where something is above its
tolerance.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from _timing import save
from bench_step import samples

from gradtrack_model.data.batches import batches, training_batch
from gradtrack_model.data.device_batches import Resident, batch_maker
from gradtrack_model.data.torch_maps import KINDS
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner, NonFiniteLossError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradtrack_model.config import TrainConfig

GPU, SIZE = torch.device("cuda"), 96
SMALL = [
    "model.encoder=basic",
    "model.widths=[16,16,32,32,64,16]",
    f"image_size={SIZE}",
    "batch_size=4",
]


def config_of(*settings: str) -> TrainConfig:
    return load_config("default", None, [*SMALL, *settings], {"device": "cuda"})


def maps_on_the_gpu() -> Iterator[tuple[str, float, float]]:
    """Compare batches made on the GPU with those made in memory.

    A quarter of a stored gray level is the limit.
    """
    made = samples(SIZE)
    for kind in KINDS:
        config = config_of(
            f"maps.kind={kind}", "augment.gamma=.3", "augment.hue=20", "augment.cutmix=.5"
        )
        make, _ = batch_maker(made, dataclasses.replace(config, cache="device"), GPU)
        there, here = make(0), training_batch(made, config, 0)
        yield f"maps {kind}", float((there.maps.cpu() - here.maps).abs().max()), 1e-3
        yield (
            f"images with maps {kind}",
            float((there.images.cpu() - here.images).abs().max()),
            2e-2,
        )


def losses_of(config: TrainConfig, steps: int) -> list[float]:
    made = samples(SIZE)
    learner = Learner(config)
    rows = []
    for step in range(1, steps + 1):
        rows += learner.advance(step, [training_batch(made, config, step - 1)])
    rows += learner.rest()
    if [row.step for row in rows] != list(range(1, steps + 1)):
        raise RuntimeError(f"{steps} steps gave the rows {[row.step for row in rows]}")
    return [row.values["loss"] for row in rows]


def losses_beside_a_cpu() -> Iterator[tuple[str, float, float]]:
    """Compare the losses of the first steps with a CPU's.

    Later ones part, as rounding grows from step to step.
    """
    for precision, tolerance in (("fp32", 1e-3), ("bf16", 0.03), ("fp16", 0.03)):
        compiled = (
            [("compile=true",), ("compile=true", "cuda_graphs=true")] if precision == "bf16" else []
        )
        for extra in [(), *compiled]:
            config = config_of(f"precision={precision}", *extra)
            slow = dataclasses.replace(
                config, device="cpu", compile=False, cuda_graphs=False, precision="fp32"
            )
            there, here = (np.array(losses_of(c, 4)) for c in (config, slow))
            yield (
                f"losses {precision} {' '.join(extra)}",
                float(np.abs(there / here - 1).max()),
                tolerance,
            )


def a_step_without_waiting() -> Iterator[tuple[str, float, float]]:
    """Take steps while every wait for the GPU is an error."""
    for cache in ("device", "host"):
        for optimizer in ("adamw", "sgd"):
            config = config_of(
                f"cache={cache}", f"optimizer.name={optimizer}", "ema=.99", "precision=bf16"
            )
            learner = Learner(config)
            # As training makes them: pinned by a thread ahead, or on the GPU, on their own stream.
            make, ahead = batch_maker(samples(SIZE), config, GPU)
            stream = batches(make, ahead)
            waits = 0
            for step in range(1, 6):
                if step == 3:  # the first steps choose convolutions and make the optimizer's state
                    torch.cuda.set_sync_debug_mode("error")
                try:
                    learner.advance(step, [next(stream)])
                except RuntimeError as error:
                    print(f"  waited: {error}")
                    waits += 1
            torch.cuda.set_sync_debug_mode("default")
            learner.rest()
            yield f"waits in three steps, data on the {cache}, {optimizer}", float(waits), 0.0


def batches_beside_the_steps() -> Iterator[tuple[str, float, float]]:
    """Train on batches of a stream of their own: they are those of the one stream, to the bit.

    A batch whose memory was given away while a step read it would give another loss.
    """
    config = config_of("cache=device", "precision=fp32")
    found = []
    for beside_them in (False, True):
        made = samples(SIZE)
        make = (
            batch_maker(made, config, GPU)[0] if beside_them else Resident(made, config, GPU).batch
        )
        torch.manual_seed(0)
        learner, sums = Learner(config), []
        for step in range(1, 31):
            batch = make(step)
            sums.append(batch.images.double().sum() + batch.maps.double().sum())
            learner.advance(step, [batch])
        learner.rest()
        found.append(torch.stack(sums).cpu())
    yield "batches made beside the steps", float((found[0] - found[1]).abs().max()), 0.0


def a_loss_that_is_not_finite() -> Iterator[tuple[str, float, float]]:
    """Spoil one batch: neither its step nor a later one changes a weight.

    The error names the step.
    """
    for optimizer in ("adamw", "sgd"):
        config = config_of(f"optimizer.name={optimizer}", "precision=bf16")
        made, learner = samples(SIZE), Learner(config)
        named = 0
        before = {}
        try:
            for step in range(1, 6):
                batch = training_batch(made, config, step)
                if step == 3:
                    torch.cuda.synchronize()
                    before = {
                        key: value.clone() for key, value in learner.model.state_dict().items()
                    }
                    batch = batch._replace(images=batch.images * float("nan"))
                learner.advance(step, [batch])
            learner.rest()
        except NonFiniteLossError as error:
            named = error.step
        yield f"step named by the error less 3, {optimizer}", float(abs(named - 3)), 0.0
        after = dict(learner.model.named_parameters())
        change = max(float((after[key].detach() - before[key]).abs().max()) for key in after)
        yield f"change of weights by it, {optimizer}", change, 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    rows, bad = [], 0
    for check in (
        maps_on_the_gpu,
        a_step_without_waiting,
        batches_beside_the_steps,
        a_loss_that_is_not_finite,
        losses_beside_a_cpu,
    ):
        try:
            for name, found, tolerance in check():
                good = found <= tolerance
                bad += not good
                rows.append({"check": name, "found": found, "tolerance": tolerance})
                print(
                    f"{'ok  ' if good else 'BAD '} {name}: {found:.3g} (at most {tolerance:g})",
                    flush=True,
                )
        except Exception as error:  # noqa: BLE001 - the other checks are worth their time on a machine that was hard to get
            bad += 1
            rows.append({"check": check.__name__, "error": f"{type(error).__name__}: {error}"})
            print(f"BAD  {check.__name__}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    save(
        options.json,
        {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": rows},
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
