"""Cross-validation: who is in which fold, and what came of all folds.

Every case is in one fold, so that no patient, volume or file is on both sides of a split. Each fold
is held out once, and a network learns from all others; test images stay out of all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from typing import TYPE_CHECKING, Any

from gazetrack.errors import CheckpointError, ConfigError
from gazetrack.publish import write_json
from gradtrack_model.data.loading import split_items
from gradtrack_model.data.splits import FORMAT, manifest_of
from gradtrack_model.weights.ensemble import FOLDS_FILE, FOLDS_FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.loading import SplitData
    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.training.run_folder import TrainResult

_SPLIT_FILE = "fold.json"
_CHOSEN = (
    "best: each network is the best one on its own held-out images, and so looks better than it "
    "is; last: the network after the last step, which nothing was chosen by"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fold:
    """One of the folds of a cross-validation.

    Parameters
    ----------
    number : int
        Which one it is, counted from 1.
    folder : pathlib.Path
        The folder of its run.
    sources : Sources
        The data set, with the images of this fold for validation.
    """

    number: int
    folder: Path
    sources: Sources


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """What came of a cross-validation.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of all runs, which `load_ensemble` and ``gradtrack-predict --weights`` take.
    results : tuple of TrainResult
        That of every fold that was trained, in their order.
    summary : dict
        What ``folds.json`` says; empty of one that was stopped.
    stopped_by : int or None
        Number of the signal that stopped it.
    """

    folder: Path
    results: tuple[TrainResult, ...]
    summary: dict[str, Any]
    stopped_by: int | None = None


def make_folds(
    sources: Sources, config: DataConfig, out: Path, *, folds: int, seed: int, resume: bool = False
) -> list[Fold]:
    """Share out the training and validation images of a data set, and write who is where.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are; its own validation images are shared out, too.
    config : DataConfig
        Says what a label is, and so which masks belong to the data.
    out : pathlib.Path
        Gets a folder for each fold, with the split in ``fold.json``.
    folds : int
        How many folds there are.
    seed : int
        Another one shares cases out otherwise.
    resume : bool
        Go on with folds that are there, which have to be the same.

    Returns
    -------
    list of Fold

    Raises
    ------
    ConfigError
        There are fewer than two folds, or fewer cases than folds.
    CheckpointError
        Folds that shall be gone on with were shared out otherwise.
    """
    data = split_items(sources, config)
    split_of = {image_id: facts["split"] for image_id, facts in data.manifest.items()}
    pool = {
        image_id: facts for image_id, facts in data.manifest.items() if facts["split"] != "test"
    }
    fold_of = shared_out(_groups(pool), folds, seed)
    made = []
    for number in range(1, folds + 1):
        splits = {item.image_id: split_of.get(item.image_id, "none") for item in data.found.items}
        for image_id, its_fold in fold_of.items():
            splits[image_id] = "val" if its_fold == number else "train"
        folder = out / f"fold-{number}"
        path = folder / _SPLIT_FILE
        _write_split(path, _manifest(data, splits, config.method == "full"), resume)
        # What a manifest of splits names goes before all other ways to name them.
        own = dataclasses.replace(sources, split=path)
        made.append(Fold(number=number, folder=folder, sources=own))
    return made


def _manifest(data: SplitData, splits: Mapping[str, str], full: bool) -> dict[str, Any]:
    return {"format": FORMAT, "images": manifest_of(data.found.items, splits, full)}


def _write_split(path: Path, manifest: dict[str, Any], resume: bool) -> None:
    if resume and path.exists():
        try:
            same = json.loads(path.read_text("utf-8")) == manifest
        except (OSError, ValueError):
            same = False
        if not same:
            what = "the folds were shared out otherwise, or the data have changed"
            hint = "give the --folds, --seed and data they began with, or --force"
            raise CheckpointError(what, path=path, hint=hint)
        return
    write_json(path, manifest)


def _groups(pool: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what must stay together, by image id: a case, and cases that share a file."""
    leader: dict[str, str] = {}

    def of(case: str) -> str:
        while leader.setdefault(case, case) != case:
            case = leader[case]
        return case

    first: dict[str, str] = {}
    for facts in pool.values():
        case, other = of(facts["case"]), of(first.setdefault(facts["image"], facts["case"]))
        # The one that comes first in the alphabet leads, whatever the order of the images.
        leader[max(case, other)] = min(case, other)
    return {image_id: of(facts["case"]) for image_id, facts in pool.items()}


def shared_out(group_of: Mapping[str, str], folds: int, seed: int) -> dict[str, int]:
    """Return the fold of every image, counted from 1.

    Groups come in an order that the seed draws, and each goes to the fold that has the fewest
    images so far: folds are as large as each other as far as groups allow.

    Parameters
    ----------
    group_of : mapping of str to str
        What must stay together, by image id.
    folds : int
        How many folds there are.
    seed : int
        Draws the order, by a hash: no version of a library changes it.

    Returns
    -------
    dict of str to int

    Raises
    ------
    ConfigError
        There are fewer than two folds, or fewer groups than folds.
    """
    members: dict[str, list[str]] = {}
    for image_id, group in sorted(group_of.items()):
        members.setdefault(group, []).append(image_id)
    if not 2 <= folds <= len(members):
        what = f"{folds} folds of {len(members)} cases"
        raise ConfigError(what, hint="use 2 folds or more, and no more than there are cases")

    def drawn(group: str) -> str:
        return hashlib.sha256(f"{seed}:{group}".encode()).hexdigest()

    sizes = [0] * folds
    fold_of: dict[str, int] = {}
    for group in sorted(members, key=drawn):
        smallest = sizes.index(min(sizes))
        sizes[smallest] += len(members[group])
        fold_of |= dict.fromkeys(members[group], smallest + 1)
    return fold_of


def summarise(
    folds: Sequence[Fold],
    results: Sequence[TrainResult],
    data: Sequence[TrainingData],
    seed: int,
) -> dict[str, Any]:
    """Return what a cross-validation found, as plain JSON values.

    Parameters
    ----------
    folds : sequence of Fold
        All folds, in the order in which they were trained.
    results : sequence of TrainResult
        What became of each, in their order.
    data : sequence of TrainingData
        What each was trained and validated on.
    seed : int
        That of all networks, and of the folds.

    Returns
    -------
    dict
        ``folds``, each with its ``best`` and ``last`` figures, and of both, over all folds, the
        ``mean``, the ``sd`` and, over all images, the ``mean_over_images``.
    """
    lines: list[dict[str, Any]] = []
    for fold, result, own in zip(folds, results, data, strict=True):
        line = {
            "number": fold.number,
            "folder": fold.folder.name,
            "images": {"train": len(own.train), "val": len(own.val)},
            "step": result.step,
            "best_step": result.best_step,
            "selected_by": result.selected_by,
            "best": result.best,
            "last": _last(result.folder),
        }
        lines.append(line)
    sizes = [line["images"]["val"] for line in lines]
    overall = {kind: _over_all([line[kind] for line in lines], sizes) for kind in ("best", "last")}
    return {
        "format": FOLDS_FORMAT,
        "seed": seed,
        "chosen": _CHOSEN,
        **overall,
        "folds": lines,
    }


def _last(run: Path) -> dict[str, float]:
    """Return the validation of the last network of a run."""
    metrics: dict[str, Any] = json.loads((run / "last.json").read_text("utf-8"))["metrics"]
    return {name: value for name, value in metrics.items() if name.startswith("val_")}


def _over_all(
    measured: Sequence[Mapping[str, float]], sizes: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Return mean and spread of every measure that all folds have."""
    names = [name for name in measured[0] if all(name in one for one in measured)]
    found = {}
    for name in names:
        values = [one[name] for one in measured]
        of_images = sum(value * size for value, size in zip(values, sizes, strict=True))
        found[name] = {
            "mean": statistics.fmean(values),
            "sd": statistics.stdev(values),
            "mean_over_images": of_images / sum(sizes),
        }
    return found


def write_summary(out: Path, summary: dict[str, Any]) -> None:
    """Write ``folds.json``, which says that all folds are there."""
    write_json(out / FOLDS_FILE, summary)
