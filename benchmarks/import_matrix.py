"""Every real export against counts made without this library, and the peers beside us.

    python benchmarks/import_matrix.py ../shared/data/exports [--json FILE]

A row a file: the format found, samples, fixations and mean fixation duration, whether these and the
first and last time are those of ``truth.json``, and what pymovements, MNE and eyelinkio read of it,
where they are installed and have a loader for it. Files without gaze are right when they are
refused by name.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import math
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _timing import save

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from gazetrack.readers.base import read_head

# Where the counts are of something else: why, and what is right. (None: not compared.)
CORRECTED: dict[str, tuple[dict[str, Any], str]] = {
    "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt": (
        {"n_samples": 458},
        (
            "truth counts rows of the eye tracker alone; rows it shares with another sensor are "
            "samples, too: even 60 Hz"
        ),
    ),
    "tobii_other/huettel_P1_pygaze_TOBII_output.tsv": (
        {"n_samples": 16549, "first_t_ms": None, "last_t_ms": None},
        "truth counts 356 message rows as samples; 89 clocks have no first and last time in common",
    ),
    "tobii_other/emdat_tobii_sdk_4Ctest_fixation.csv": (
        {"n_fixations": 14},
        "14 of the 28 labelled rows are saccades",
    ),
    "gazepoint/jhthompson_c0_User_1_all_gaze.csv": (
        {"n_fixations": 518, "mean_fix_dur_ms": None, "first_t_ms": None, "last_t_ms": None},
        "5 fixation numbers are never valid (FPOGV 0); a clock per medium",
    ),
    "gazepoint/thed2lab_User_1_all_gaze.csv": (
        {"n_fixations": 48, "mean_fix_dur_ms": None},
        "1 fixation number is never valid (FPOGV 0)",
    ),
}
_CLOCKS = (
    "the file has several clocks, or onsets count from the trial: no first and last time in common"
)
NO_COMMON_CLOCK = (
    "gazepoint/",
    "webgazer_jspsych/jspsych",
    "eyelink_dataviewer/gazer_FixData",
    "pupil_cloud/",
)


@dataclass
class Row:
    """What was found in a file, and which of it is right."""

    file: str
    format: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    right: dict[str, bool] = field(default_factory=dict)
    refused: str = ""
    why: str = ""
    peers: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether all that was compared is right."""
        return all(self.right.values())


def facts(path: Path) -> dict[str, Any]:
    """Return what the library finds in a file, under the names of the truth."""
    recording = gazetrack.read(path)
    if recording.fixation_table is not None:
        durations, times = (
            recording.fixation_table[name].to_numpy() for name in ("duration_ms", "onset_ms")
        )
    else:
        fixations = np.array(recording.event_table["kind"].to_pylist(), object) == "fixation"
        durations = recording.event_table["duration_ms"].to_numpy()[fixations]
        times = np.sort(recording.event_table["onset_ms"].to_numpy())
    n_samples = 0
    if recording.sample_table is not None:
        n_samples, times = (
            recording.sample_table.num_rows,
            recording.sample_table["t_ms"].to_numpy(),
        )
    return {
        "n_samples": n_samples,
        "n_fixations": int(durations.size),
        "first_t_ms": recording.origin_ms + float(times[0]) if times.size else None,
        "last_t_ms": recording.origin_ms + float(times[-1]) if times.size else None,
        "mean_fix_dur_ms": float(durations.mean()) if durations.size else None,
    }


def holds_gaze(truth: dict[str, Any]) -> bool:
    """Whether a file holds gaze, by its truth."""
    return bool(truth["n_samples"] or truth["n_fixations"])


def compare(file: str, path: Path, truth: dict[str, Any]) -> Row:
    """Read a file and compare what is found with its truth."""
    row = Row(file)
    try:
        row.format = registry.detect(read_head(path)).name
        row.found = facts(path)
    except GazetrackError as error:
        row.refused = str(error).split(": ", 1)[-1]
        named = "holds no gaze" in row.refused or "is empty" in row.refused
        row.right = {"refused by name": named and not holds_gaze(truth)}
        return row
    corrected, row.why = CORRECTED.get(file, ({}, ""))
    if not holds_gaze(truth):
        row.right = {"refused by name": False}
        return row
    for name, value in row.found.items():
        want = corrected.get(name, truth[name])
        if want is None:  # not counted
            continue
        if name.endswith("_t_ms") and file.startswith(NO_COMMON_CLOCK):
            row.why = row.why or _CLOCKS
            continue
        row.right[name] = math.isclose(value or 0, want or 0, rel_tol=1e-9, abs_tol=2e-3)
    return row


def peer_readers() -> dict[str, Any]:
    """Return what each installed peer does to a file.

    The peer's own loader for the format is named to it: it finds nothing out by itself.
    """
    found: dict[str, Any] = {}
    with contextlib.suppress(ImportError):
        import pymovements as pm

        def by_pymovements(path: Path) -> str:
            text = read_head(path).text
            if path.suffix == ".asc":
                gaze = pm.gaze.from_asc(path)
            elif "BeGaze" in text or "IDF" in text[:2000]:
                gaze = pm.gaze.from_begaze(path)
            else:
                raise ValueError("no loader for it")
            return f"{len(gaze.samples if hasattr(gaze, 'samples') else gaze.frame)}"

        found["pymovements"] = by_pymovements
    with contextlib.suppress(ImportError):
        import mne

        def by_mne(path: Path) -> str:
            if path.suffix != ".asc":
                raise ValueError("no loader for it")
            return f"{mne.io.read_raw_eyelink(path, verbose='error').n_times}"

        found["mne"] = by_mne
    with contextlib.suppress(ImportError):
        import eyelinkio

        def by_eyelinkio(path: Path) -> str:
            if path.suffix.lower() != ".edf":
                raise ValueError("no loader for it")
            return f"{eyelinkio.read_edf(path)['samples'].shape[-1]}"

        found["eyelinkio"] = by_eyelinkio
    return found


def ask(reader: Any, path: Path) -> str:
    """Return the number of samples a peer finds, or what it fails with."""
    logging.disable(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        if path.suffix == ".gz":  # peers do not unpack
            import gzip

            plain = Path(folder, path.stem)
            with gzip.open(path) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file)
            path = plain
        try:
            return str(reader(path))
        except ValueError as error:
            return "-" if "no loader" in str(error) else "ValueError"
        except Exception as error:  # noqa: BLE001 - whatever a peer raises is its result
            return type(error).__name__


def show(rows: list[Row], peers: list[str]) -> None:
    """Print the matrix."""
    width = max(len(row.file) for row in rows)
    print(
        f"{'file':{width}}  {'format':16} {'samples':>9} {'fixations':>9} {'mean ms':>9}  right  "
        + "  ".join(peers)
    )
    for row in rows:
        got = row.found
        mean = got.get("mean_fix_dur_ms")
        duration = "" if mean is None else f"{mean:.2f}"
        counts = f"{got.get('n_samples', ''):>9} {got.get('n_fixations', ''):>9}"
        numbers = f"{counts} {duration:>9}"
        verdict = (
            "yes"
            if row.good
            else "NO: " + ", ".join(name for name, right in row.right.items() if not right)
        )
        answers = "  ".join(f"{row.peers.get(peer, '-'):>{len(peer)}}" for peer in peers)
        print(f"{row.file:{width}}  {row.format or 'refused':16} {numbers}  {verdict:5}  {answers}")
        for text in (row.refused and f"refused: {row.refused}", row.why):
            if text:
                print(f"{'':{width}}    {text}")


def main() -> None:
    """Compare, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json")
    options = parser.parse_args()
    truth = json.loads((options.folder / "truth.json").read_text("utf-8"))
    peers = peer_readers()
    rows = []
    for file in sorted(truth):
        row = compare(file, options.folder / file, truth[file])
        if holds_gaze(truth[file]):
            row.peers = {name: ask(reader, options.folder / file) for name, reader in peers.items()}
        rows.append(row)
    show(rows, list(peers))
    good = sum(row.good for row in rows)
    print(f"\n{good} of {len(rows)} files right")
    for name in peers:
        tried = [row for row in rows if row.peers.get(name, "-") != "-"]
        n_read = sum(row.peers[name].isdigit() for row in tried)
        print(f"{name}: reads {n_read} of {len(tried)} files it has a loader for")
    save(options.json, {"right": good, "files": [vars(row) | {"good": row.good} for row in rows]})


if __name__ == "__main__":
    main()
