"""The jobs of the study of Track Attention: its rows, networks and seeds, trained and evaluated."""

from __future__ import annotations

import csv
import functools
import gc
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from _attention_training import Row, Together, Trainee

from gazetrack.publish import safe_name
from gradtrack_model.data.device_batches import Resident
from gradtrack_model.data.sample import Sample
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import fast_convolutions, pick_device
from gradtrack_model.training.validation import predicted_masks

if TYPE_CHECKING:
    from pathlib import Path

    from gradtrack_model.config import TrainConfig

TRACKS = {"attention": True, "tracks": True}
ROWS = {
    "plain": Row(labels="gaze"),
    "track attention": Row(labels="gaze", **TRACKS),
    "deep supervision": Row(labels="gaze", tracks=True),
    "tracks on skips": Row(labels="gaze", skips=True, tracks=True),
    "plain, teacher": Row(labels="gaze", teacher=True),
    "track attention, teacher": Row(labels="gaze", **TRACKS, teacher=True),
    "plain, negatives": Row(labels="gaze", negatives=True),
    "track attention, negatives": Row(labels="gaze", **TRACKS, negatives=True),
    "SAM: plain": Row(labels="sam"),
    "SAM: track attention": Row(labels="sam", **TRACKS),
    "SAM: track attention, one level": Row(labels="sam", **TRACKS, same_level=True),
    "SAM: tracks on skips": Row(labels="sam", skips=True, tracks=True),
    "SAM: plain, teacher": Row(labels="sam", teacher=True),
    "SAM: track attention, teacher": Row(labels="sam", **TRACKS, teacher=True),
    "masks: plain": Row(labels="masks"),
}
NETWORKS = {
    "basic": (
        "model.encoder=basic",
        "model.widths=[16,32,64,128,256,16]",
        "image_size=128",
        "optimizer.lr=0.003",
    ),
    "lite": ("model.encoder=lite", "image_size=160", "optimizer.lr=0.001"),
}
# Small networks are slower in half precision: its casts are operations of their own.
COMMON = ("batch_size=16", "precision=fp32")
SMOKE_STEPS = 8
SMOKE_IMAGES = 64
_TIMED_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Jobs that are trained together: rows of one network and seed.

    Parameters
    ----------
    network : str
        One of `NETWORKS`.
    seed : int
        Of weights, order and augmentation.
    rows : tuple of str
        Some of `ROWS`.
    """

    network: str
    seed: int
    rows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What all processes are told.

    Parameters
    ----------
    out, prepared : pathlib.Path
        Folders of results, and of the data at the networks' sizes.
    settings : tuple of str
        Settings of the package over those of the network.
    steps : int
        How many steps are taken.
    device : str
        As in `TrainConfig`.
    deadline : float
        Time of the clock after which no unit starts.
    record : bool
        Whether steps are recorded as CUDA graphs on a GPU.
    """

    out: Path
    prepared: Path
    settings: tuple[str, ...]
    steps: int
    device: str
    deadline: float
    record: bool

    def config(self, network: str, seed: int, row: Row) -> TrainConfig:
        """Return the settings of a job."""
        settings = [*COMMON, *NETWORKS[network], *self.settings]
        settings += [f"model.attention={str(row.attention).lower()}"]
        settings += [f"loss.track_weight={float(row.tracks)}"]
        told = {"seed": seed, "steps": self.steps, "device": self.device}
        return load_config("default", None, settings, told)

    def size(self, network: str) -> int:
        """Return the pixels a side of a network's images."""
        return self.config(network, 0, Row(labels="gaze")).image_size

    def file(self, network: str, seed: int, row: str) -> Path:
        """Return where the result of a job stands."""
        name = safe_name(row.replace(": ", "-").replace(", ", "-").replace(" ", "-"))
        return self.out / "jobs" / network / name / f"{seed}.json"


def prepare(samples: tuple[list[Sample], list[Sample]], folder: Path, size: int) -> None:
    """Write the samples of a size, for all processes to read."""
    train, val = samples
    np.save(folder / f"pixels-{size}.npy", torch.stack([s.pixels for s in train]).numpy())
    np.save(folder / f"maps-{size}.npy", torch.stack([s.maps for s in train]).numpy())
    np.save(folder / f"val-{size}.npy", torch.stack([s.pixels for s in val]).numpy())
    masks = {sample.image_id: np.packbits(sample.mask) for sample in val}
    np.savez(folder / f"masks-{size}.npz", **masks)
    facts = {
        "train": [sample.image_id for sample in train],
        "val": {sample.image_id: sample.mask.shape for sample in val},
    }
    (folder / f"ids-{size}.json").write_text(json.dumps(facts))


@functools.lru_cache(maxsize=2)
def prepared(folder: Path, size: int) -> tuple[list[Sample], list[Sample]]:
    """Read what `prepare` wrote."""
    facts = json.loads((folder / f"ids-{size}.json").read_text())
    pixels, maps, val = (
        torch.from_numpy(np.load(folder / f"{name}-{size}.npy"))
        for name in ("pixels", "maps", "val")
    )
    train = [
        Sample(image_id, pixels[place], maps=maps[place])
        for place, image_id in enumerate(facts["train"])
    ]
    masks = np.load(folder / f"masks-{size}.npz")
    beside = []
    for place, (image_id, (height, width)) in enumerate(facts["val"].items()):
        mask = np.unpackbits(masks[image_id], count=height * width).reshape(height, width) > 0
        beside.append(Sample(image_id, val[place], mask=mask))
    return train, beside


def start_process(threads: int) -> None:
    """Give a process its share of the processor, and each network's stream a way of its own."""
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")
    torch.set_num_threads(threads)


def do_unit(plan: Plan, unit: Unit) -> dict[str, Any]:
    """Train and evaluate the jobs of a unit, and write the files of each.

    Returns
    -------
    dict
        ``rows``: Dice of each row; None where the time was over.
    """
    if time.time() > plan.deadline:
        return {"rows": None}
    # No graph of an earlier unit may go while another one is recorded.
    gc.collect()
    start = time.perf_counter()
    configs = {row: plan.config(unit.network, unit.seed, ROWS[row]) for row in unit.rows}
    config = next(iter(configs.values()))
    device = pick_device(plan.device)
    train, val = prepared(plan.prepared, config.image_size)
    with fast_convolutions(device):
        trainees = [Trainee(ROWS[row], configs[row], device) for row in unit.rows]
        batch_of = Resident(train, config, device).batch
        record = plan.record and device.type == "cuda"
        steps = range(1, plan.steps + 1)
        losses = Together(trainees, batch_of, record=record).train(steps)
        trained = time.perf_counter() - start
        found = {}
        for row, trainee, of_row in zip(unit.rows, trainees, losses, strict=True):
            dice = dice_of(trainee, val)
            facts = {
                "row": row,
                "network": unit.network,
                "seed": unit.seed,
                "settings": settings_of(configs[row], row),
                "dice": statistics.fmean(dice.values()),
                "losses": [round(statistics.fmean(part), 4) for part in tenths(of_row)],
                "seconds_together": round(trained, 1),
                "together": len(unit.rows),
                "device": device_name(device),
                "torch": torch.__version__,
            }
            write_job(plan.file(unit.network, unit.seed, row), facts, dice)
            found[row] = facts["dice"]
    return {"rows": found, "seconds": time.perf_counter() - start}


def settings_of(config: TrainConfig, row: str) -> dict[str, Any]:
    """Return what a result depends on."""
    told = config.as_dict()
    for unimportant in ("device", "log_every", "val_every", "tensorboard", "patience"):
        del told[unimportant]
    return {"row": asdict(ROWS[row]), "config": told}


def dice_of(trainee: Trainee, val: list[Sample]) -> dict[str, float]:
    """Return the Dice of each validation image, at its own size."""
    trainee.model.eval()
    config = trainee.config.predicting()
    masks = predicted_masks(trainee.model, val, config, trainee.device)
    return {sample.image_id: dice_and_iou(mask, sample.mask)[0] for sample, mask in masks}


def tenths(values: list[float]) -> list[list[float]]:
    """Cut values into ten parts, or fewer where they are few."""
    return [part.tolist() for part in np.array_split(np.array(values), min(10, len(values)))]


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def write_job(file: Path, facts: dict[str, Any], dice: dict[str, float]) -> None:
    """Write the scores, and then the JSON that says that the job is done."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".csv").open("w", newline="") as scores:
        writer = csv.writer(scores)
        writer.writerow(["image_id", "dice"])
        writer.writerows(sorted(dice.items()))
    part = file.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=2) + "\n")
    part.rename(file)


def do_smoke(plan: Plan, unit: Unit) -> dict[str, Any]:
    """Take a few steps of every row, on a GPU recorded and not, and time some more of them.

    Returns
    -------
    dict
        ``rows``: the last loss of each row, ``off``: how far recorded losses are from others, and
        ``step_ms``: milliseconds a step of all rows together, recorded and not.
    """
    configs = [plan.config(unit.network, unit.seed, ROWS[row]) for row in unit.rows]
    device = pick_device(plan.device)
    train, val = prepared(plan.prepared, configs[0].image_size)
    start = time.perf_counter()
    losses: dict[bool, list[list[float]]] = {}
    step_ms = {}
    batch_of = Resident(train, configs[0], device).batch
    with fast_convolutions(device):
        for record in (True, False) if device.type == "cuda" else (False,):
            trainees = [
                Trainee(ROWS[row], config, device)
                for row, config in zip(unit.rows, configs, strict=True)
            ]
            together = Together(trainees, batch_of, record=record)
            losses[record] = together.train(range(1, SMOKE_STEPS + 1))
            timed = _TIMED_STEPS if record else 2
            before = time.perf_counter()
            together.train(range(SMOKE_STEPS + 1, SMOKE_STEPS + 1 + timed))
            step_ms[record] = 1000 * (time.perf_counter() - before) / timed
        scored = [len(dice_of(trainee, val)) for trainee in trainees]
    beside = np.array(losses[False])
    recorded = np.array(losses.get(True, losses[False]))
    return {
        "rows": {row: of_row[-1] for row, of_row in zip(unit.rows, recorded, strict=True)},
        "off": dict(zip(unit.rows, np.abs(recorded / beside - 1).max(1).tolist(), strict=True)),
        "step_ms": {"recorded" if record else "eager": ms for record, ms in step_ms.items()},
        "scored": scored,
        "seconds": time.perf_counter() - start,
        "device": device_name(device),
    }
