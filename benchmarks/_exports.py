"""Exports of any size for the benchmarks.

A binocular EyeLink ASC and a Tobii Pro Lab TSV of forty columns.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 50_000
_ASC_HEADER = """** CONVERTED FROM bench.edf using edfapi 4.2.1 Linux
MSG\t900000 DISPLAY_COORDS 0 0 1919 1079
START\t1000000 \tLEFT\tRIGHT\tSAMPLES\tEVENTS
PRESCALER\t1
VPRESCALER\t1
PUPIL\tAREA
EVENTS\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
SAMPLES\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
"""
TSV_COLUMNS = (
    "Recording timestamp",
    "Computer timestamp",
    "Sensor",
    "Project name",
    "Participant name",
    "Recording name",
    "Timeline name",
    "Recording Fixation filter name",
    "Recording software version",
    "Recording resolution height",
    "Recording resolution width",
    "Eyetracker timestamp",
    "Event",
    "Event value",
    "Gaze point X",
    "Gaze point Y",
    "Gaze point left X",
    "Gaze point left Y",
    "Gaze point right X",
    "Gaze point right Y",
    "Gaze direction left X",
    "Gaze direction left Y",
    "Gaze direction left Z",
    "Pupil diameter left",
    "Pupil diameter right",
    "Validity left",
    "Validity right",
    "Eye position left X (DACSmm)",
    "Eye position left Y (DACSmm)",
    "Eye position left Z (DACSmm)",
    "Presented Stimulus name",
    "Presented Media name",
    "Presented Media width",
    "Presented Media height",
    "Mouse position X",
    "Eye movement type",
    "Gaze event duration",
    "Eye movement type index",
    "Fixation point X",
    "Fixation point Y",
)
TSV_NUMBERS = (0, 9, 10, *range(14, 20), 23, 24, 32, 33, 36, 37, 38, 39)
TSV_TEXTS = (2, 4, 5, 6, 7, 8, 12, 13, 25, 26, 30, 31, 35)


def write_asc(path: Path, n_rows: int) -> None:
    """Write an EyeLink ASC of both eyes at 1 kHz.

    It has a fixation and a saccade each 300 ms and a message each second.
    """
    rng = np.random.default_rng(7)
    with path.open("w", encoding="ascii") as file:
        file.write(_ASC_HEADER)
        for first in range(0, n_rows, _BLOCK):
            values = rng.uniform(100.0, 1900.0, (min(_BLOCK, n_rows - first), 6)).tolist()
            file.writelines(
                line for i, row in enumerate(values, first) for line in _asc_lines(i, row)
            )
        file.write(f"END\t{1_000_000 + n_rows} \tSAMPLES\tEVENTS\tRES\t  47.75\t  45.92\n")


def _asc_lines(i: int, row: list[float]) -> list[str]:
    t, phase = 1_000_000 + i, i % 300
    lines = [f"MSG\t{t} SYNC {i}\n"] if i % 1000 == 500 else []
    start = {0: "SFIX", 251: "SSACC"}.get(phase)
    lines += [f"{start} {eye}   {t}\n" for eye in "LR"] if start else []
    a, b, c, d, e, f = row
    lines.append(f"{t}\t{a:7.1f}\t{b:7.1f}\t{c:7.1f}\t{d:7.1f}\t{e:7.1f}\t{f:7.1f}\t.....\n")
    if phase == 250:
        lines += [f"EFIX {eye}   {t - 250}\t{t}\t251\t  960.0\t  540.0\t   1200\n" for eye in "LR"]
    if phase == 299:
        rest = "  960.0\t  540.0\t  110.0\t  700.0\t   7.61\t    312"
        lines += [f"ESACC {eye}  {t - 48}\t{t}\t49\t{rest}\n" for eye in "LR"]
    return lines


def write_tsv(path: Path, n_rows: int) -> None:
    """Write a Tobii Pro Lab export at 250 Hz.

    It has forty columns, a stimulus each five seconds, and rows of a mouse in between.
    """
    rng = np.random.default_rng(7)
    with path.open("w", encoding="utf-8") as file:
        file.write("\t".join(TSV_COLUMNS) + "\n")
        for first in range(0, n_rows, _BLOCK):
            n = min(_BLOCK, n_rows - first)
            gaze, pupil = (
                rng.integers(100, 1900, (n, 6)).tolist(),
                rng.uniform(2, 4, (n, 2)).tolist(),
            )
            direction, eye = (
                rng.uniform(0, 1, (n, 3)).tolist(),
                rng.uniform(100, 700, (n, 3)).tolist(),
            )
            text = io.StringIO()
            for i, rows in enumerate(zip(gaze, pupil, direction, eye, strict=True), first):
                text.write(_tsv_line(i, *rows))
            file.write(text.getvalue())


def _tsv_line(
    i: int, gaze: list[int], pupil: list[float], direction: list[float], eye: list[float]
) -> str:
    start = f"{4 * i}\t{4_578_861_781 + 4 * i}\t"
    who = (
        "Reading of medical images, second study\tParticipant 17\tRecording 3, afternoon\t"
        "Timeline 1\t"
        "Tobii I-VT (Fixation)\t1.130.24185\t1080\t1920\t"
    )
    scene = (
        f"polyp_study_image_{i // 1250:04d}\tpolyp_study_image_{i // 1250:04d} (1)\t1920\t1080\t"
    )
    if i % 50 == 49:
        empty = "\t" * 16
        return f"{start}Mouse\t{who}\tMouseEvent\tDown, Left\t{empty}{scene}812\t\t\t\t\t\n"
    a, b, c, d, e, f = gaze
    index, phase = divmod(i, 75)
    kind = (
        f"Fixation\t250\t{index + 1}\t960\t540\n"
        if phase < 63
        else f"Saccade\t48\t{index + 1}\t\t\n"
    )
    u, v, w = direction
    x, y, z = eye
    return (
        f"{start}Eye Tracker\t{who}{7_000_000_000 + 4000 * i}\t\t\t{a}\t{b}\t{c}\t{d}\t{e}\t{f}\t"
        f"{u:.5f}\t{v:.5f}\t{w:.5f}\t{pupil[0]:.3f}\t{pupil[1]:.3f}\tValid\tValid\t{x:.3f}\t{y:.3f}\t{z:.3f}\t{scene}\t{kind}"
    )
