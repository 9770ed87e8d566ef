"""EyeLink EDF, the tracker's own binary format, through eyelinkio.

Source: "eyelinkio", https://pypi.org/project/eyelinkio, which calls SR Research's EDF Access
library. It lays the samples end to end: pauses between the blocks of a recording are not in its
times. ``edf2asc`` of SR Research's Developers Kit makes an ASC of an EDF, which keeps them and
which the reader eyelink_asc reads.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="eyelink_edf",
    title="SR Research EyeLink EDF (through eyelinkio)",
    suffixes=(".edf",),
    provides="samples and events",
    units="s, converted to ms; px; pupil as exported",
    lost="pauses between blocks, velocity, resolution, buttons and inputs, date and serial number",
    source="https://pypi.org/project/eyelinkio",
)
_FIELDS = {"xpos": "x", "ypos": "y", "ps": "pupil"}
_EVENTS = {
    "fixations": ("fixation", {"x_px": "axp", "y_px": "ayp"}),
    "saccades": ("saccade", {"x_px": "sxp", "y_px": "syp", "end_x_px": "exp", "end_y_px": "eyp"}),
    "blinks": ("blink", {}),
}
_NOTE = "pauses between blocks are not in the times that eyelinkio gives; edf2asc keeps them"


def sniff(head: Head) -> Verdict:
    """Judge the file by its first bytes."""
    return (
        Verdict(Level.CERTAIN, "first bytes SR_RESEARCH")
        if head.data.startswith(b"SR_RESEARCH")
        else NO
    )


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a recording.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ConfigError
        eyelinkio is not installed, or does not find SR Research's library.
    ParseError
        A damaged file.
    """
    edf = _load(head)
    info, times = edf["info"], np.asarray(edf["times"], np.float64) * 1e3
    mono = {"LEFT_EYE": "left", "RIGHT_EYE": "right"}.get(str(info["eye"]))
    notes = [_NOTE]
    samples = {"recording": head.stem, "t_ms": times, **gaze_columns(_gaze(edf, mono, notes))}
    events, dropped = _events(edf, head.stem)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(samples, SAMPLES),
        event_table=events,
        screen=_screen(info),
        rate_hz=float(info["sfreq"]),
        pupil_measure=_pupil_measure(info),
        eyes=mono or "binocular",
        tracker=str(info.get("version", "")),
        software="eyelinkio",
        rows_in=times.size
        + sum(
            len(edf["discrete"][name]) for name in (*_EVENTS, "messages") if name in edf["discrete"]
        ),
        dropped=dropped,
        notes=tuple(notes),
    )


def _load(head: Head) -> Any:
    asc = "or make an ASC of it with edf2asc and give that"
    try:
        with _quiet():
            import eyelinkio

            return eyelinkio.read_edf(str(head.path))
    except ImportError:
        hint = f'install eyelinkio, with: pip install "gazetrack[edf]", {asc}'
        raise ConfigError(
            "EDF is read through eyelinkio, which is not installed", path=head.path, hint=hint
        ) from None
    except AssertionError as error:
        what = f"eyelinkio cannot be used: {quote(error, 150)}"
        raise ConfigError(what, path=head.path, hint=asc.removeprefix("or ")) from error
    except Exception as error:
        what = f"eyelinkio cannot read it: {type(error).__name__}: {quote(error, 150)}"
        raise ParseError(what, path=head.path, hint=asc.removeprefix("or ")) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the C library from printing on our standard output."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _gaze(edf: Any, mono: str | None, notes: list[str]) -> dict[str, npt.NDArray[np.floating]]:
    values = np.asarray(edf["samples"], np.float64)
    gaze = {
        f"{eye}_{key}": np.full(values.shape[1], np.nan)
        for eye in ("left", "right")
        for key in _FIELDS.values()
    }
    for name, column in zip(edf["info"]["sample_fields"], values, strict=True):
        field, _, eye = str(name).partition("_")
        if field in _FIELDS and (eye or mono):
            gaze[f"{eye or mono}_{_FIELDS[field]}"] = column
    has_pupil = any(bool((gaze[f"{eye}_pupil"] > 0).any()) for eye in ("left", "right"))
    kept = False
    for eye in ("left", "right"):
        # A pupil of 0 marks a lost eye, but stands beside every position of a recording without
        # pupil sizes.
        no_pupil = gaze[f"{eye}_pupil"] == 0
        no_position = np.isnan(gaze[f"{eye}_x"]) | np.isnan(gaze[f"{eye}_y"])
        lost = no_pupil if has_pupil else no_pupil & no_position
        kept = kept or bool((no_pupil & ~lost).any())
        for key in ("x", "y"):
            gaze[f"{eye}_{key}"] = np.where(lost, np.nan, gaze[f"{eye}_{key}"])
        gaze[f"{eye}_pupil"] = np.where(no_pupil, np.nan, gaze[f"{eye}_pupil"])
    if kept:
        notes.append("every pupil size is 0: taken as not recorded, the positions are kept")
    return gaze


def _pupil_measure(info: Any) -> str:
    """Return what pupil sizes measure; eyelinkio writes ``PUPIL_AREA`` or ``PUPIL_DIAMETER``."""
    words = str(info.get("ps_units", "")).lower()
    return next((measure for measure in ("area", "diameter") if measure in words), "")


def _events(edf: Any, name: str) -> tuple[pa.Table, dict[str, int]]:
    """Return the events, and the number of those that cannot have been, by reason."""
    discrete, parts, backwards = edf["discrete"], [], 0
    # The end that the tracker writes is the time of the last sample, which lasts until the next
    # one.
    step = 1e3 / float(edf["info"]["sfreq"])
    for key, (kind, columns) in _EVENTS.items():
        if key in discrete and len(discrete[key]):
            possible = discrete[key]["stime"] <= discrete[key]["etime"]
            backwards += int((~possible).sum())
            table = discrete[key][possible]
            onset = table["stime"] * 1e3
            part = {
                "kind": kind,
                "onset_ms": onset,
                "duration_ms": table["etime"] * 1e3 - onset + step,
            }
            part |= {"eye": np.where(table["eye"] == 0, "left", "right"), "text": ""}
            parts.append(
                pd.DataFrame(part | {ours: table[theirs] for ours, theirs in columns.items()})
            )
    if "messages" in discrete and len(discrete["messages"]):
        table = discrete["messages"]
        texts = [bytes(text).decode("utf-8", "replace").strip() for text in table["msg"]]
        message = {
            "kind": "message",
            "onset_ms": table["stime"] * 1e3,
            "duration_ms": 0.0,
            "eye": "",
            "text": texts,
        }
        parts.append(pd.DataFrame(message))
    dropped = {"event that ends before it starts": backwards} if backwards else {}
    if not parts:
        return conform({}, EVENTS), dropped
    frame = pd.concat(parts).sort_values("onset_ms", kind="stable")
    frame["index"] = (frame.groupby(["kind", "eye"]).cumcount() + 1).astype(np.int32)
    table_columns: dict[str, object] = {str(column): frame[column].to_numpy() for column in frame}
    return conform({"recording": name} | table_columns, EVENTS), dropped


def _screen(info: Any) -> Screen | None:
    try:
        width, height = (int(value) for value in info["screen_coords"])
        return Screen(width, height)
    except (KeyError, TypeError, ValueError, ConfigError):
        return None
