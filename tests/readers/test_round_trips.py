"""A writer per format makes a valid export in a random dialect, and reading gives the table back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
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
    """

    columns: dict[str, Callable[[float, float, float, bool], str]]
    delimiters: str = "\t"
    before: tuple[str, ...] = ()
    shuffles: bool = True


def number(value):
    return f"{value:.4f}"


def constant(text):
    return lambda *_: text


def pair(names, mark, scale=(1.0, 1.0)):
    def axis(i):
        return lambda t, x, y, seen: f"{(x, y)[i] / scale[i]:.8f}" if seen else mark

    return {name: axis(i) for i, name in enumerate(names)}


HD = (1920.0, 1080.0)
WRITERS = {
    "eyetribe": Writer(
        {
            "timestamp": constant("2020-01-31 10:00:00.000"),
            "time": lambda t, *_: f"{t:.0f}",
            "fix": constant("False"),
            "state": constant("7"),
            **pair(("rawx", "rawy"), "0"),
            **pair(("avgx", "avgy"), "0"),
        },
        shuffles=False,
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
    "webgazer": Writer(
        {"timestamp_ms": lambda t, *_: number(t), **pair(("gaze_x", "gaze_y"), "")},
        delimiters=",",
        before=("# screen_width,800", "# screen_height,600"),
    ),
    "bids": Writer(
        {"timestamp": lambda t, *_: number(t), **pair(("x_coordinate", "y_coordinate"), "n/a")},
    ),
    "eyelink_samples": Writer(
        {
            "RECORDING_SESSION_LABEL": constant("s"),
            "TIMESTAMP": lambda t, *_: number(t),
            **pair(("RIGHT_GAZE_X", "RIGHT_GAZE_Y"), "."),
        },
        delimiters="\t,",
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
        {"t": lambda t, *_: number(t), **pair(("x", "y"), "NA")},
        delimiters=",;\t",
    ),
}


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
    rows = [
        [writer.columns[column](*sample) for column in columns]
        for sample in zip(t, x, y, (bool(value) for value in seen), strict=True)
    ]
    lines = [*writer.before, delimiter.join(columns), *(delimiter.join(row) for row in rows)]
    text = "".join(f"{line}\n" for line in lines).replace("\n", data.draw(st.sampled_from(ENDS)))
    encoding = data.draw(st.sampled_from(ENCODINGS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any name.dat")
        path.write_bytes(text.encode(encoding))
        head = read_head(path)
        assert registry.detect(head).name == name
        recording = registry.get(name).read(head, ReadOptions())
    found = {column: recording.samples[column].to_numpy() for column in ("t_ms", "x_px", "y_px")}
    np.testing.assert_allclose(found["t_ms"], t - t[0], atol=2e-3)
    for column, values in (("x_px", x), ("y_px", y)):
        np.testing.assert_allclose(found[column], np.where(seen, values, np.nan), rtol=1e-5, atol=2e-2)
    assert not recording.dropped
