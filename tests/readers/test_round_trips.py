"""A writer per format makes an export in a random dialect, and reading gives the table back."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head

if TYPE_CHECKING:
    from collections.abc import Callable

ENDS = ("\n", "\r\n", "\r\r\n", "\r")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Writer:
    """How a format writes samples.

    Parameters
    ----------
    columns : mapping of str to callable
        Column to what a row has there, from (t in ms, x, y in px, whether the gaze is there).
    delimiters : str
        What may stand between cells.
    before : tuple of str
        Lines before the header.
    shuffles : bool
        Whether the order of the columns is free.
    marks : tuple of str
        What may stand for lost gaze, where a cell says `LOST`.
    decimals : str
        Decimal marks, where the delimiter is not a comma.
    header : callable
        Makes the lines of the header of (columns, delimiter).
    row : str
        What each row begins with.
    """

    columns: dict[str, Callable[[float, float, float, bool], str]]
    delimiters: str = "\t"
    before: tuple[str, ...] = ()
    shuffles: bool = True
    marks: tuple[str, ...] = ("",)
    decimals: str = ".,"
    header: Callable[[list[str], str], list[str]] = lambda columns, delimiter: [
        delimiter.join(columns)
    ]
    row: str = ""


def number(value):
    return f"{value:.4f}"


def constant(text):
    return lambda *_: text


def pair(names, mark, scale=(1.0, 1.0)):
    def axis(i):
        return lambda t, x, y, seen: f"{(x, y)[i] / scale[i]:.8f}" if seen else mark

    return {name: axis(i) for i, name in enumerate(names)}


def stamp(t, *_):
    when = datetime(2020, 1, 31, 23, 55, tzinfo=UTC) + timedelta(milliseconds=t)
    return f"{when:%Y%m%d_%H%M%S}{when.microsecond // 1000:03d}"


def direction(names, right):
    """Directions to a point on a plane 1 m away, in mm; (2000, 2000) is straight ahead."""

    def axis(i):
        def cell(t, x, y, seen):
            to = np.array([right * (x - 2000), 2000 - y, 1000])
            return f"{to[i] / np.linalg.norm(to):.10f}" if seen else "0"

        return cell

    return {name: axis(i) for i, name in enumerate(names)}


LOST = "lost"
HD = (1920.0, 1080.0)
WRITERS = {
    "adhawk": Writer(
        {
            "Timestamp": lambda t, *_: f"{t / 1000:.4f}",
            "Gaze_X": constant("0.1"),
            "Vergence": constant("0.06"),
            **pair(("Image_X", "Image_Y"), LOST, HD),
        },
        delimiters=",\t",
        marks=("", "nan"),
    ),
    "eyetribe": Writer(
        {
            "timestamp": constant("2020-01-31 10:00:00.000"),
            "time": lambda t, *_: f"{t:.0f}",
            "fix": constant("False"),
            "state": constant("7"),
            **pair(("rawx", "rawy"), "0"),
            **pair(("avgx", "avgy"), "0"),
        },
    ),
    "arff": Writer(
        {
            "time": lambda t, *_: f"{1000 * t:.0f}",
            **pair(("x", "Y"), LOST),
            "confidence": constant("1.0"),
        },
        delimiters=",",
        before=("% by hand", "@RELATION gaze", ""),
        marks=("?", "", " ? "),
        header=lambda columns, _: [*(f"@attribute '{name}' numeric" for name in columns), "@Data"],
    ),
    "viewpoint": Writer(
        {
            "ATT": lambda t, *_: f"{t / 1000:.4f}",
            **pair(("ALX", "ALY"), "0.0", (1280, 960)),
            "AQU": lambda t, x, y, seen: "1" if seen else "5",
        },
        before=("3\tProduct Version: 0", "3\tScreenSize\t400.0\t300.0"),
        header=lambda columns, _: ["\t".join(["6", *columns]), "\t".join(["5", *columns])],
        row="10\t",
    ),
    "vr_headset of HTC": Writer(
        {
            "time(100ns)": lambda t, *_: str(638342794000115346 + int(10_000 * t)),
            **{f"eye_valid_{eye}": lambda t, x, y, seen: "31" if seen else "8" for eye in "LR"},
            **direction([f"gaze_direct_L.{a}" for a in "xyz"], -1),
            **direction([f"gaze_direct_R.{a}" for a in "xyz"], -1),
        },
        delimiters=";,\t",
    ),
    "vr_headset of Pico": Writer(
        {
            "Video Name": constant("v"),
            "Timeline": lambda t, *_: f"{t / 1000:.6f}",
            **direction([f"Combine Eye Gaze Vector. {a}" for a in "xyz"], 1),
        },
        delimiters="\t,;",
    ),
    "tobii_logs": Writer(
        {
            "Time": lambda t, *_: f"{1000 * t:.0f}",
            **pair(("LGazePos2dx", "LGazePos2dy"), "-1", HD),
            **pair(("RGazePos2dx", "RGazePos2dy"), "-1", HD),
            "LValidity": lambda t, x, y, seen: "0" if seen else "4",
            "RValidity": lambda t, x, y, seen: "0" if seen else "4",
        },
    ),
    "tobii_sdk": Writer(
        {
            "system_time_stamp": lambda t, *_: f"{1000 * t:.0f}",
            **{
                f"{eye}_gaze_point_on_display_area": lambda t, x, y, seen: (
                    f"({x / HD[0]:.8f}, {y / HD[1]:.8f})" if seen else "(nan, nan)"
                )
                for eye in ("left", "right")
            },
            "left_gaze_point_validity": lambda t, x, y, seen: str(int(seen)),
            "right_gaze_point_validity": lambda t, x, y, seen: str(int(seen)),
        },
        delimiters=";\t",
    ),
    "imotions": Writer(
        {
            "Timestamp": lambda t, *_: number(t),
            "SlideEvent": constant(""),
            **pair(("ET_GazeLeftx", "ET_GazeLefty"), "-1"),
            **pair(("ET_GazeRightx", "ET_GazeRighty"), "-1"),
        },
        delimiters=",\t",
        before=("#METADATA", "#DATA"),
    ),
    "imotions until 2019": Writer(
        {
            "StudyName": constant("s"),
            "EventSource": constant("ET|GSR"),
            "Timestamp": stamp,
            **pair(("GazeLeftx", "GazeLefty"), "-1"),
            **pair(("GazeRightx", "GazeRighty"), "-1"),
        },
    ),
    "webgazer": Writer(
        {"timestamp_ms": lambda t, *_: number(t), **pair(("gaze_x", "gaze_y"), LOST)},
        delimiters=",",
        marks=("", "NaN"),
        before=("# screen_width,800", "# screen_height,600"),
    ),
    "bids": Writer(
        {"timestamp": lambda t, *_: number(t), **pair(("x_coordinate", "y_coordinate"), "n/a")},
    ),
    "eyelink_samples": Writer(
        {
            "RECORDING_SESSION_LABEL": constant("s"),
            "TIMESTAMP": lambda t, *_: number(t),
            **pair(("RIGHT_GAZE_X", "RIGHT_GAZE_Y"), LOST),
        },
        delimiters="\t,",
        marks=(".", ""),
    ),
    "gazepoint": Writer(
        {
            "MEDIA_ID": constant("0"),
            "TIME(2020/01/31 10:00:00.000)": lambda t, *_: f"{t / 1000:.6f}",
            **pair(("BPOGX", "BPOGY"), "0", HD),
            "BPOGV": lambda t, x, y, seen: str(int(seen)),
            **{name: constant("0.1") for name in ("FPOGX", "FPOGY", "FPOGS", "FPOGD")},
            "FPOGID": constant("1"),
            "FPOGV": constant("0"),
        },
        delimiters=",",
    ),
    "generic": Writer(
        {"t": lambda t, *_: number(t), **pair(("x", "y"), LOST)},
        delimiters=",;\t",
        marks=("NA", "", ".", "-", "nan", "n/a"),
    ),
}


def cell_of(text, mark, comma):
    """Say what a cell says with the marks of a dialect."""
    text = mark if text == LOST else text
    return text.replace(".", ",") if comma and re.fullmatch(r"-?[0-9]+\.[0-9]+", text) else text


@st.composite
def recordings(draw):
    """Draw times in ms, positions, and where the gaze is lost; the first sample is seen."""
    n = draw(st.integers(3, 12))
    start = draw(st.integers(0, 10**6))
    step = draw(st.integers(2, 40))
    # Above what some formats mark lost gaze with.
    position = st.integers(2_000, 3_000_000).map(lambda value: value / 1000)
    x, y = (np.array(draw(st.lists(position, min_size=n, max_size=n))) for _ in range(2))
    seen = np.array([True, *draw(st.lists(st.booleans(), min_size=n - 1, max_size=n - 1))])
    return start + step * np.arange(n, dtype=float), x, y, seen


@pytest.mark.parametrize("name", sorted(WRITERS))
@settings(max_examples=25, deadline=None)
@given(recordings(), st.data())
def test_what_is_written_is_read_back(name, gaze, data):
    writer, (t, x, y, seen) = WRITERS[name], gaze
    columns = list(writer.columns)
    if writer.shuffles:
        columns = data.draw(st.permutations(columns))
    delimiter = data.draw(st.sampled_from(writer.delimiters))
    mark = data.draw(st.sampled_from(writer.marks))
    comma = delimiter != "," and data.draw(st.sampled_from(writer.decimals)) == ","
    rows = [
        [cell_of(writer.columns[column](*sample), mark, comma) for column in columns]
        for sample in zip(t, x, y, (bool(value) for value in seen), strict=True)
    ]
    lines = [
        *writer.before,
        *writer.header(columns, delimiter),
        *(writer.row + delimiter.join(row) for row in rows),
    ]
    text = "".join(f"{line}\n" for line in lines).replace("\n", data.draw(st.sampled_from(ENDS)))
    encoding = data.draw(st.sampled_from(ENCODINGS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any name.dat")
        path.write_bytes(text.encode(encoding))
        head = read_head(path)
        assert registry.detect(head).name == name.split()[0]
        recording = registry.get(name.split()[0]).read(head, ReadOptions())
    found = {
        column: recording.sample_table[column].to_numpy() for column in ("t_ms", "x_px", "y_px")
    }
    np.testing.assert_allclose(found["t_ms"], t - t[0], atol=2e-3)
    for column, values in (("x_px", x), ("y_px", y)):
        np.testing.assert_allclose(
            found[column], np.where(seen, values, np.nan), rtol=1e-5, atol=2e-2
        )
    assert not recording.dropped


@settings(max_examples=25, deadline=None)
@given(recordings(), st.data())
def test_trials_of_jspsych_are_read_back(gaze, data):
    t, x, y, seen = gaze
    points = [
        {"x": float(a) if there else None, "y": float(b) if there else None, "t": float(time)}
        for time, a, b, there in zip(t, x, y, seen, strict=True)
    ]
    cut = data.draw(st.integers(0, len(points)))
    parts = (points[:cut], points[cut:])
    trials = [
        {"trial_type": "image", "trial_index": i, "webgazer_data": part}
        for i, part in enumerate(parts)
    ]
    if data.draw(st.booleans()):
        text = json.dumps(trials, indent=data.draw(st.sampled_from([None, 0, 2])))
        text = data.draw(st.sampled_from([text, f'{{"trials": {text}}}', f"\n{text}\n"]))
    else:
        quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        out = io.StringIO()
        writer = csv.DictWriter(out, data.draw(st.permutations(list(trials[0]))), quoting=quoting)
        writer.writeheader()
        writer.writerows(
            trial | {"webgazer_data": json.dumps(trial["webgazer_data"])} for trial in trials
        )
        text = out.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any name.dat")
        path.write_bytes(text.encode(data.draw(st.sampled_from(ENCODINGS))))
        head = read_head(path)
        assert registry.detect(head).name == "webgazer"
        samples = registry.get("webgazer").read(head, ReadOptions()).sample_table.to_pandas()
    np.testing.assert_allclose(samples["t_ms"], t)
    np.testing.assert_allclose(samples["x_px"], np.where(seen, x, np.nan), rtol=1e-6)
    assert samples["trial"].tolist() == ["0"] * cut + ["1"] * (len(t) - cut)


labelled = st.tuples(
    st.sampled_from(["FIXA", "SACC", "ISAC", "PURS", "HPSO"]),
    st.integers(1, 900),
    *(st.integers(0, 19_000).map(lambda value: value / 10) for _ in range(4)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(labelled, min_size=1, max_size=9), st.booleans(), st.data())
def test_labelled_events_are_read_back(events, remodnav, data):
    starts = np.cumsum([0, *(event[1] for event in events)])[:-1]
    cells = []
    for start, (label, length, x, y, end_x, end_y) in zip(starts.tolist(), events, strict=True):
        if remodnav:
            times = {
                "onset": f"{start / 1e3:.3f}",
                "duration": f"{length / 1e3:.3f}",
                "label": label,
            }
            cells.append(
                times
                | {"start_x": str(x), "start_y": str(y), "end_x": str(end_x), "end_y": str(end_y)}
            )
        else:
            times = {
                "start": str(1000.0 * start),
                "end": str(1000.0 * (start + length)),
                "duration": str(length),
            }
            cells.append(times | {"label": label.lower(), "x": str(x), "y": str(y)})
    columns = data.draw(st.permutations(list(cells[0])))
    mark = "\t" if remodnav else ","
    lines = [mark.join(columns), *(mark.join(row[name] for name in columns) for row in cells)]
    end, encoding = data.draw(st.sampled_from(ENDS)), data.draw(st.sampled_from(ENCODINGS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.dat")
        path.write_bytes("".join(line + end for line in lines).encode(encoding))
        head = read_head(path)
        assert registry.detect(head).name == "labelled_events"
        found = registry.get("labelled_events").read(head, ReadOptions()).event_table.to_pandas()
    kinds = {"FIXA": "fixation", "SACC": "saccade", "ISAC": "saccade"}
    assert found["kind"].tolist() == [kinds.get(event[0], "unclassified") for event in events]
    np.testing.assert_allclose(found["onset_ms"], starts, atol=1e-6)
    np.testing.assert_allclose(found["duration_ms"], [event[1] for event in events], atol=1e-6)
    fixed = found["kind"] == "fixation"
    x, end_x = (np.array([event[at] for event in events]) for at in (2, 4))
    np.testing.assert_allclose(
        found["x_px"], np.where(fixed & remodnav, (x + end_x) / 2, x), rtol=1e-6
    )
