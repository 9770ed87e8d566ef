"""A study of seven recordings from four trackers, whose fixations this script knows.

They come out as they went in.

It writes the exports that the software of each tracker would write, converts the folder, and
compares: three people with Pupil Core, whose files have the same names; two recordings in one file
of Tobii Pro Lab; an EyeLink that recorded both eyes; and columns of a PsychoPy experiment. Run it
anywhere; with a folder as argument it leaves everything there.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import gazetrack
from gazetrack.workflows.convert import ConvertOptions, convert_files

SCREEN = gazetrack.Screen(1920, 1080, 531, 299, 650)
SACCADE_MS = 40


class Fixation(NamedTuple):
    """What somebody did: from when, how long, and where on a screen of 1920 x 1080 pixels."""

    onset_ms: float
    duration_ms: float
    x_px: float
    y_px: float


def a_person(seed: int) -> list[Fixation]:
    """Return eight fixations in places that lie well apart.

    Their times are whole milliseconds, as files have them.
    """
    rng = np.random.default_rng(seed)
    places = rng.permutation([(x, y) for x in (300, 800, 1300) for y in (200, 500, 800)])[:8]
    durations = rng.integers(200, 500, 8) // 4 * 4
    onsets = np.concatenate([[0], np.cumsum(durations + SACCADE_MS)[:-1]])
    return [
        Fixation(float(t), float(d), float(x), float(y))
        for t, d, (x, y) in zip(onsets, durations, places, strict=True)
    ]


def gaze(fixations: list[Fixation], step_ms: float) -> pd.DataFrame:
    """Return samples: still in the fixations, straight on between them.

    There is noise of half a pixel.
    """
    end = fixations[-1].onset_ms + fixations[-1].duration_ms
    t = np.arange(0, end, step_ms)
    knots = [moment for f in fixations for moment in (f.onset_ms, f.onset_ms + f.duration_ms)]
    noise = np.random.default_rng(0).normal(0, 0.5, (2, len(t)))
    x = np.interp(t, knots, np.repeat([f.x_px for f in fixations], 2)) + noise[0]
    y = np.interp(t, knots, np.repeat([f.y_px for f in fixations], 2)) + noise[1]
    return pd.DataFrame({"t": t, "x": x, "y": y})


def write_pupil(folder: Path, fixations: list[Fixation]) -> None:
    """Pupil Player: seconds of any clock, fractions of the world camera's image, y up.

    Gaze and fixations are in files apart.
    """
    clock = 4321.5
    folder.mkdir(parents=True)
    rows = gaze(fixations, 1000 / 120)
    as_gaze = {
        "gaze_timestamp": clock + rows["t"] / 1e3,
        "world_index": range(len(rows)),
        "confidence": 1.0,
        "norm_pos_x": rows["x"] / 1920,
        "norm_pos_y": 1 - rows["y"] / 1080,
        "base_data": "",
    }
    pd.DataFrame(as_gaze).to_csv(folder / "gaze_positions.csv", index=False)
    known = pd.DataFrame(fixations)
    as_fixations = {
        "id": known.index + 1,
        "start_timestamp": clock + known["onset_ms"] / 1e3,
        "duration": known["duration_ms"],
        "norm_pos_x": known["x_px"] / 1920,
        "norm_pos_y": 1 - known["y_px"] / 1080,
        "dispersion": 1.0,
    }
    pd.DataFrame(as_fixations).to_csv(folder / "fixations.csv", index=False)


def write_tobii(path: Path, people: dict[str, list[Fixation]]) -> None:
    """Tobii Pro Lab: one file of all recordings, each of which Pro Lab calls Recording1."""
    parts = []
    for person, fixations in people.items():
        rows = gaze(fixations, 4)
        known = pd.DataFrame(fixations)
        ends = known["onset_ms"] + known["duration_ms"]
        which = known["onset_ms"].searchsorted(rows["t"], side="right") - 1
        still = rows["t"].to_numpy() < ends.to_numpy()[which]
        columns = {
            "Recording timestamp [ms]": rows["t"],
            "Sensor": "Eye Tracker",
            "Participant name": person,
            "Recording name": "Recording1",
            "Recording resolution height [px]": 1080,
            "Recording resolution width [px]": 1920,
            "Gaze point X [DACS px]": rows["x"].round(),
            "Gaze point Y [DACS px]": rows["y"].round(),
            "Eye movement type": np.where(still, "Fixation", "Saccade"),
            "Eye movement event duration [ms]": np.where(
                still, known["duration_ms"].to_numpy()[which], SACCADE_MS
            ),
            "Eye movement type index": which + 1,
            "Fixation point X [DACS px]": np.where(still, known["x_px"].to_numpy()[which], np.nan),
            "Fixation point Y [DACS px]": np.where(still, known["y_px"].to_numpy()[which], np.nan),
        }
        parts.append(pd.DataFrame(columns))
    pd.concat(parts).to_csv(path, sep="\t", index=False)


def write_eyelink(path: Path, fixations: list[Fixation]) -> None:
    """EyeLink ASC of both eyes: each has fixations of its own.

    The left one begins 4 ms later and lies 6 px beside.
    """
    mode = "GAZE\tLEFT\tRIGHT\tRATE\t 250.00\tTRACKING\tCR\tFILTER\t2"
    start = 100_000
    lines = [
        "** CONVERTED FROM simulated.edf using the folder study",
        "** EYELINK II CL v5.15",
        f"MSG\t{start - 9} DISPLAY_COORDS 0 0 1919 1079",
        f"START\t{start} \tLEFT\tRIGHT\tSAMPLES\tEVENTS",
        f"EVENTS\t{mode}",
        f"SAMPLES\t{mode}",
    ]
    ended = iter(fixations)
    current = next(ended)
    for t, x, y in gaze(fixations, 4).itertuples(index=False):
        lines.append(
            f"{start + t:.0f}\t{x - 6:7.1f}\t{y:7.1f}\t 900.0\t{x:7.1f}\t{y:7.1f}\t 900.0\t....."
        )
        last = current.onset_ms + current.duration_ms - 4  # an event ends with its last sample
        if t == last:
            for eye, late, x_px in (("L", 4, current.x_px - 6), ("R", 0, current.x_px)):
                first = start + current.onset_ms + late
                span = f"{first:.0f}\t{start + last:.0f}\t{start + last - first + 4:.0f}"
                lines.append(f"EFIX {eye}   {span}\t{x_px:7.1f}\t{current.y_px:7.1f}\t    900")
            current = next(ended, current)
    lines.append(f"END\t{start + t + 4:.0f} \tSAMPLES\tEVENTS\tRES\t  28.00\t  28.00")
    path.write_text("\n".join(lines) + "\n")


def write_psychopy(path: Path, fixations: list[Fixation]) -> None:
    """Columns of a PsychoPy experiment: seconds, pixels from the centre of the screen, y up."""
    rows = gaze(fixations, 4)
    table = {"seconds": rows["t"] / 1e3, "gaze_x": rows["x"] - 960, "gaze_y": 540 - rows["y"]}
    pd.DataFrame(table).to_csv(path, index=False)


def convert(out: Path, *exports: Path, **options: object) -> None:
    """Convert, and stop at anything that went wrong."""
    for outcome in convert_files(exports, ConvertOptions(out=out, **options)):
        if outcome.error is not None:
            raise outcome.error


def check(
    table: pd.DataFrame,
    known: list[Fixation],
    tolerance_ms: float = 0.01,
    tolerance_px: float = 0.01,
) -> None:
    """Compare a recording's fixations with those that its writer knows."""
    wanted = pd.DataFrame(known)
    np.testing.assert_equal(len(table), len(wanted), "number of fixations")
    for name in ("onset_ms", "duration_ms", "x_px", "y_px"):
        tolerance = tolerance_ms if name.endswith("ms") else tolerance_px
        np.testing.assert_allclose(table[name], wanted[name], atol=tolerance, rtol=0, err_msg=name)


def study(folder: Path) -> pd.DataFrame:
    """Write the exports, convert them, compare, and return who looked how long."""
    people = {f"s0{n}": a_person(n) for n in (1, 2, 3)}
    pair = {"anna": a_person(4), "ben": a_person(5)}
    both_eyes, columns = a_person(6), a_person(7)
    for person, fixations in people.items():
        write_pupil(folder / "pupil" / person, fixations)
    write_tobii(folder / "pair.tsv", pair)
    write_eyelink(folder / "both.asc", both_eyes)
    write_psychopy(folder / "psychopy.csv", columns)

    tables = folder / "tables"
    convert(tables, folder / "pupil", recursive=True, screen=SCREEN)
    convert(tables, folder / "pair.tsv", folder / "both.asc")
    convert(folder / "each eye", folder / "both.asc", eye="both")
    axes = {
        "x": "gaze_x",
        "y": "gaze_y",
        "t": "seconds[s]",
        "unit": "px",
        "origin": "centre",
        "y_axis": "up",
    }
    convert(tables, folder / "psychopy.csv", columns=axes, screen=SCREEN)

    found = pd.concat(map(pd.read_parquet, gazetrack.find_tables(tables).paths))
    by_recording = dict(list(found.groupby("recording", observed=True)))
    names = {*people, *(f"{person}_Recording1" for person in pair), "both", "psychopy"}
    np.testing.assert_equal(set(by_recording), names, "names of recordings")
    for person, fixations in people.items():
        check(by_recording[person], fixations)
    for (
        person,
        fixations,
    ) in pair.items():  # Pro Lab's own name is everybody's: the participant is part of it
        check(by_recording[f"{person}_Recording1"], fixations)
    # One eye, so that durations may be added up; --eye both keeps each eye's rows.
    check(by_recording["both"], both_eyes)
    each_eye = pd.read_parquet(folder / "each eye" / "both.fixations.parquet")
    np.testing.assert_equal(
        each_eye["eye"].value_counts()[["left", "right"]].tolist(), [8, 8], "fixations of each eye"
    )
    # Detected in the samples: at 250 Hz to a few of them.
    check(by_recording["psychopy"], columns, tolerance_ms=SACCADE_MS / 2, tolerance_px=3)
    return found.groupby("recording", observed=True)["duration_ms"].agg(["size", "sum"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(study(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)).to_string())
    print("as it went in")
