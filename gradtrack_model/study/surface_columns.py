"""Columns of a study's table for what not every study has: surfaces in mm, and whole volumes."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, TypeAlias

from gradtrack_model.evaluation.evaluate import SURFACES
from gradtrack_model.evaluation.volume_scores import VOLUME_MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradtrack_model.study.jobs import Result

    Scores = Mapping[str, Mapping[str, float]]

# Names in files, and what stands above the columns that people look at.
COLUMNS = (*SURFACES, *(f"volume_{name}" for name in VOLUME_MEASURES))
_SHOWN = {
    "surface_dice_px": "surface Dice, px",
    "hd95_mm": "HD95 mm",
    "surface_dice_mm": "surface Dice, mm",
    "volume_dice": "Dice of volumes",
    "volume_hd95_mm": "HD95 mm of volumes",
    "volume_surface_dice_mm": "surface Dice of volumes, mm",
}


# Of a measure: ``mean``, ``n`` images or volumes of which it is, ``n_empty`` without a value.
Known: TypeAlias = "dict[str, float]"


def known_means(results: Sequence[Result], way: str) -> dict[str, Known]:
    """Return the means of the measures that are known, by their column.

    Parameters
    ----------
    results : sequence of Result
        The results of one method, one per seed.
    way : str
        Which predictions count, one of `gradtrack_model.study.jobs.WAYS`.

    Returns
    -------
    dict
        Column → ``mean``, ``n`` and ``n_empty``. Of an image or volume, the mean over the seeds in
        which it has a value counts; one that has none, for a mask is empty in all of them, is
        counted alone.
    """
    found = {}
    runs = [result.scores[way] for result in results]
    volumes = [result.volumes.get(way, {}) for result in results]
    for name in SURFACES:
        if known := _mean(runs, name):
            found[name] = known
    for name in VOLUME_MEASURES:
        if known := _mean(volumes, name):
            found[f"volume_{name}"] = known
    return found


def _mean(runs: Sequence[Scores], name: str) -> Known | None:
    """Return a measure's mean over those that have it, None where it has no value anywhere."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for image, measures in run.items():
            if name in measures:
                values.setdefault(image, []).append(measures[name])
    kept = [[value for value in each if not math.isnan(value)] for each in values.values()]
    means = [statistics.fmean(each) for each in kept if each]
    if not means:
        return None
    return {"mean": statistics.fmean(means), "n": len(means), "n_empty": len(kept) - len(means)}


def header(lines: Sequence[Mapping[str, Mapping[str, Known]]]) -> list[str]:
    """Return the columns that people look at of which some line knows something."""
    return [name for name in _SHOWN if any(name in line["surfaces"] for line in lines)]


def titles(names: Sequence[str]) -> list[str]:
    """Return what stands above the columns of `header`."""
    return [_SHOWN[name] for name in names]


def texts(line: Mapping[str, Mapping[str, Known]], names: Sequence[str]) -> list[str]:
    """Return a line's cells of these columns; how many have no value stands beside the mean."""
    cells = []
    for name in names:
        known = line["surfaces"].get(name)
        digits = 2 if "hd95" in name else 3
        if known is None:
            cells.append("")
            continue
        empty = f" ({known['n_empty']} empty)" if known["n_empty"] else ""
        cells.append(f"{known['mean']:.{digits}f}{empty}")
    return cells
