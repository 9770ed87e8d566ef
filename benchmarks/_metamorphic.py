"""What must not matter: where a file is split, and in which units it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from _mutant_cases import placed

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from _mutant_cases import Case

    from tests.damage import Export

_LEAST_ROWS = 8
SCREEN = Screen(1600, 900, width_mm=480.0, height_mm=270.0, distance_mm=600.0)
# Milliseconds in a unit of time, and units in a pixel of `SCREEN`, across and down.
TIMES_MS = {"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6}
LENGTHS = {
    "px": (1.0, 1.0),
    "mm": (480.0 / 1600.0, 270.0 / 900.0),
    "cm": (48.0 / 1600.0, 27.0 / 900.0),
    "norm": (1.0 / 1600.0, 1.0 / 900.0),
}
_MOST_PX = 1e-3  # positions are float32
_MOST_MS = 1e-3


@dataclass(frozen=True, kw_only=True)
class Check:
    """Whether a change that must not matter did not.

    Parameters
    ----------
    name : str
        What was read, and what was changed.
    detail : str
        What differs; empty where nothing does.
    """

    name: str
    detail: str


def checks(cases: Sequence[Case], rng: np.random.Generator, folder: Path) -> Iterator[Check]:
    """Split each export that can be, and write a table in all units.

    Parameters
    ----------
    cases : sequence of Case
        The exports.
    rng : numpy.random.Generator
        Where they are split, and what is in the table.
    folder : pathlib.Path
        An empty folder.
    """
    for case in cases:
        found = split(case, rng, folder)
        if found is not None:
            yield found
    yield from in_units(rng, folder)


def split(case: Case, rng: np.random.Generator, folder: Path) -> Check | None:
    """Read the two parts of an export of samples: together they have the samples of the whole.

    None for an export that cannot be split: one of fixations, whose rows may belong together, or
    one of several recordings, each of which has a clock of its own.
    """
    export = case.export
    samples = case.whole.sample_table
    if export is None or export.header is None or samples is None:
        return None
    n_clocks = len(samples["recording"].unify_dictionaries().unique())
    if len(export.rows) < _LEAST_ROWS or case.whole.no_positions or n_clocks > 1:
        return None
    at = int(rng.integers(_LEAST_ROWS // 2, len(export.rows) - _LEAST_ROWS // 2 + 1))
    name = f"{case.name} split at row {at}"
    parts = (replace(export, rows=export.rows[:at]), replace(export, rows=export.rows[at:]))
    try:
        found = [_samples(case, part, folder) for part in parts]
    except GazetrackError as error:
        return Check(name=name, detail=str(error))
    whole = _columns(case.whole)
    together = {key: np.concatenate([part[key] for part in found]) for key in whole}
    different = [key for key in whole if not _close(whole[key], together[key], _MOST_MS)]
    return Check(name=name, detail=", ".join(different))


def _samples(case: Case, export: Export, folder: Path) -> dict[str, np.ndarray]:
    path = placed(folder, case.file)
    path.write_bytes(export.encoded())
    return _columns(gazetrack.read(path, case.given_format, columns=case.columns or {}))


def _columns(recording: Any) -> dict[str, np.ndarray]:
    """Return the samples, their times by the clock of the tracker."""
    table = recording.sample_table
    columns = {name: table[name].to_numpy() for name in ("x_px", "y_px", "left_pupil")}
    columns["t_ms"] = table["t_ms"].to_numpy() + recording.origin_ms
    return columns


def _close(one: np.ndarray, other: np.ndarray, most: float) -> bool:
    return one.shape == other.shape and bool(
        np.allclose(one, other, rtol=1e-9, atol=most, equal_nan=True)
    )


def in_units(rng: np.random.Generator, folder: Path) -> Iterator[Check]:
    """Write the same gaze in all units of time and length: it is read as the same."""
    n = int(rng.integers(20, 60))
    t = 1000.0 + np.cumsum(rng.integers(2, 20, n)).astype(float)
    x = rng.uniform(1.0, 1599.0, n)
    y = rng.uniform(1.0, 899.0, n)
    for time_unit, ms in TIMES_MS.items():
        for unit, (across, down) in LENGTHS.items():
            rows = zip(*((v).tolist() for v in (t / ms, x * across, y * down)), strict=True)
            text = "when,gx,gy\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows)
            path = placed(folder, "table.csv")
            path.write_text(text, "utf-8")
            columns = {"t": f"when[{time_unit}]", "x": "gx", "y": "gy", "unit": unit}
            name = f"a table in {time_unit} and {unit}"
            try:
                found = gazetrack.read(path, "generic", columns=columns, screen=SCREEN)
            except GazetrackError as error:
                yield Check(name=name, detail=str(error))
                continue
            read = _columns(found)
            wanted = {"t_ms": t, "x_px": x, "y_px": y}
            most = {"t_ms": _MOST_MS, "x_px": _MOST_PX, "y_px": _MOST_PX}
            different = [key for key in wanted if not _close(wanted[key], read[key], most[key])]
            yield Check(name=name, detail=", ".join(different))
