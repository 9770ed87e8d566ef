"""ioHub of PsychoPy: its HDF5 file, and the tab-separated event reports made of it.

Sources: PsychoPy, ``psychopy.iohub``: ``datastore/util.py`` (saveEventReport),
``devices/eyetracker/eye_events.py``, and the documentation of the Common Eye Tracker Interface.
Times are seconds. Positions are in the units of the experiment's display, which the file does not
name; their origin is the centre of the screen, and y grows upwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.iohub.store import MAGIC, TITLE, read_store
from gazetrack.readers.shared.clock import timed_rows
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.positions import Axes, Frame, axes_of, frame_of, to_px
from gazetrack.readers.text.header import header_of, needed_header
from gazetrack.readers.text.table import read_columns
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.floating]

FORMAT = Format(
    name="iohub",
    title="ioHub of PsychoPy: HDF5 (through h5py) and event reports",
    suffixes=(".hdf5", ".txt", ".csv"),
    provides="samples and messages (of HDF5)",
    units="s, converted to ms; positions in the unit said by --columns unit=, from the centre, "
    "y up; pupil as exported",
    lost="raw and camera positions, angles, velocities, fixations made online, keyboard, mouse, "
    "condition variables",
    source="https://psychopy.org/api/iohub/device/eyetracker.html",
    takes_columns=True,
)
_ONE = {"x": "gaze_x", "y": "gaze_y", "pupil": "pupil_measure1"}
_MINIMAL = {"x": "x", "y": "y", "pupil": "pupil"}  # of EyeSampleEvent
# Columns that no other table of gaze has, one of which is in every report.
_MARKS = {"logged_time", "confidence_interval", "device_time", "event_id"}
_TRIALS = ("TRIAL_INDEX", "trial", "trials.thisN")
# Which eye is lost by the status of a sample; other values are not defined. It has two digits, of
# the left eye and of the right; 2 is a lost one.
_LOST = {"left": (20, 22), "right": (2, 22)}
_ANY_LOST = (2, 20, 22)
_WIDEST_OTHER = 90.0  # no unit but pixels has positions beyond: degrees, centimetres, fractions
_MANY = 0.05


def sniff(head: Head) -> Verdict:
    """Judge the file by its title or its header."""
    if head.data.startswith(MAGIC):
        if TITLE in head.data:
            return Verdict(Level.CERTAIN, "an HDF5 file whose title is ioHub DataStore")
        return Verdict(Level.NO, "an HDF5 file that is not ioHub's", "export the samples as text")
    header = header_of(head)
    names = set() if header is None else set(header.names)
    if "time" not in names or not _MARKS & names:
        return NO
    for prefix in ("left_", "right_", ""):
        if {f"{prefix}gaze_x", f"{prefix}gaze_y"} <= names:
            what = f"columns time, {prefix}gaze_x and those of ioHub's events"
            return Verdict(Level.CERTAIN, what)
    return NO


def read(head: Head, options: ReadOptions) -> Recording:
    """Read samples, and messages where the file has them.

    Returns
    -------
    Recording
        Times count from the first sample of each session.

    Raises
    ------
    ConfigError
        h5py is not installed, or the positions mean nothing without a screen.
    ParseError
        No samples, a damaged row or cell, or positions that may be in several units, of which none
        is said.
    """
    return _of_store(head, options) if head.data.startswith(MAGIC) else _of_report(head, options)


def _of_report(head: Head, options: ReadOptions) -> Recording:
    """Read an event report, which is text."""
    header = needed_header(head)
    wanted = header.needed({"time": "time"}, "float64", head.path)
    wanted |= header.present({name: name for name in (*_names(), "status")}, "float32", head.path)
    # Trials are columns of the experiment's conditions, which many call so.
    trial = next((name for name in _TRIALS if name in header.names), None)
    if trial is not None:
        wanted |= header.needed({"trial": trial}, "text", head.path)
    table = read_columns(head, header, wanted)
    timed = timed_rows(head, header, table.number("time") * 1e3)
    values = {name: table.number(name)[timed.rows] for name in table.found if name != "trial"}
    notes: list[str] = []
    trials = table.text("trial")[timed.rows]
    columns = {"recording": head.stem, "t_ms": timed.t_ms, "trial": trials}
    gaze, eyes, recording = _gaze(values, options, head, notes)
    return replace(
        recording,
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns | gaze, SAMPLES),
        eyes=eyes,
        origin_ms=timed.origin_ms,
        rows_in=table.n_rows,
        dropped=timed.dropped,
        notes=(*notes, *recording.notes),
    )


def _of_store(head: Head, options: ReadOptions) -> Recording:
    """Read the HDF5 file, whose sessions are recordings of their own."""
    columns = ("session_id", "time", "status", *_names(), *_MINIMAL.values())
    store = read_store(head, columns)
    if "time" not in store.samples:
        hint = "record again with a current PsychoPy"
        raise ParseError(f"{store.table} without times", path=head.path, hint=hint)
    notes = [f"{name} is there as well: not used" for name in store.others]
    seconds = store.samples["time"].astype(np.float64)
    timed = np.isfinite(seconds)
    samples = {name: np.asarray(column)[timed] for name, column in store.samples.items()}
    session = samples.get("session_id", np.zeros(int(timed.sum()), np.int64))
    numbers = list(dict.fromkeys(session.tolist()))
    names = _session_names(head, numbers, store.sessions)
    if len(numbers) > 1:
        notes.append(f"{len(numbers)} sessions: a recording each")
    t = seconds[timed] * 1e3
    starts = {number: float(t[session == number].min()) for number in numbers}
    start_of_row = np.array([starts[number] for number in session.tolist()])
    found = {
        "recording": np.array([names[number] for number in session.tolist()], object),
        "t_ms": t - start_of_row,
    }
    gaze, eyes, recording = _gaze(samples, options, head, notes)
    events, left_out = _messages(store.messages, names, starts)
    dropped = {
        "no time": int((~timed).sum()),
        "message without a time or a sample beside it": left_out,
    }
    return replace(
        recording,
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(found | gaze, SAMPLES),
        event_table=events,
        eyes=eyes,
        origin_ms=starts[numbers[0]] if numbers else 0.0,
        rows_in=seconds.size + len(store.messages),
        dropped=counted(dropped),
        notes=(*notes, *recording.notes),
    )


def _names() -> list[str]:
    """Return the columns of positions and pupils, of both eyes and of one."""
    of_both = [f"{eye}_{name}" for eye in EYES for name in _ONE.values()]
    return [*of_both, *_ONE.values()]


def _session_names(head: Head, numbers: list[int], codes: dict[int, str]) -> dict[int, str]:
    """Return each session's name.

    It is its code where that tells sessions apart, else its number behind the file's name; a single
    session has the file's name.
    """
    if len(numbers) == 1:
        return {numbers[0]: head.stem}
    named = {number: codes.get(number, "") for number in numbers}
    if all(named.values()) and len(set(named.values())) == len(named):
        return named
    return {number: f"{head.stem}_{number}" for number in numbers}


def _gaze(
    values: dict[str, npt.NDArray[Any]], options: ReadOptions, head: Head, notes: list[str]
) -> tuple[dict[str, object], str, Recording]:
    """Return gaze in pixels, whose it is, and an empty recording that knows the screen.

    Parameters
    ----------
    values : dict of str to ndarray
        The columns of the rows that have a time, by ioHub's names.
    options : ReadOptions
        The unit of positions, and the screen, as the user states them.
    head : Head
        The file, which an error names.
    notes : list of str
        Receives what had to be inferred.
    """
    exported = values.get("status", np.zeros(values["time"].size))
    if n_unknown := int(np.count_nonzero(np.isnan(exported))):
        notes.append(f"{n_unknown} samples without a status: taken as those of eyes that are there")
    status = np.nan_to_num(exported)
    raw: dict[str, Floats] = {}
    eyes = [eye for eye in EYES if f"{eye}_gaze_x" in values and f"{eye}_gaze_y" in values]
    if eyes:
        for eye in EYES:
            names = {key: f"{eye}_{name}" for key, name in _ONE.items()}
            lost = np.isin(status, _LOST[eye])
            raw |= _of_eye(values, names, lost, f"{eye}_")
    else:
        found = [names for names in (_ONE, _MINIMAL) if {names["x"], names["y"]} <= set(values)]
        if not found:
            hint = (
                "report the fields gaze_x and gaze_y, "
                "or left_gaze_x, left_gaze_y and those of the right eye"
            )
            raise ParseError("ioHub's events without positions", path=head.path, hint=hint)
        raw = _of_eye(values, found[0], np.isin(status, _ANY_LOST), "")
        pupil = raw.pop("pupil")
        raw |= {"left_pupil": pupil, "right_pupil": pupil}
        notes.append("one pupil: taken for both eyes")

    axes = _axes(options, raw, head, notes)
    frame = frame_of(axes, options.screen, head.path)
    gaze = _placed(raw, axes, frame)
    empty = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=None,
        event_table=conform({}, EVENTS),
        software="PsychoPy ioHub",
    )
    if options.screen is None and axes.fractions:
        empty = empty.on_nominal_screen(frame.screen, "screen")
    else:
        empty = replace(empty, screen=options.screen)
    whose = next(iter(eyes), "combined")
    if len(eyes) > 1:
        whose = "binocular"
    return gaze_columns(gaze), whose, empty


def _of_eye(
    values: dict[str, npt.NDArray[Any]],
    names: dict[str, str],
    lost: npt.NDArray[np.bool_],
    prefix: str,
) -> dict[str, Floats]:
    """Return positions and pupil of an eye, missing where it is lost or not in the table.

    A pupil of 0 or less was not measured.
    """
    nan = np.float32(np.nan)
    absent = np.full(lost.size, nan)
    x = values.get(names["x"], absent).astype(np.float32)
    y = values.get(names["y"], absent).astype(np.float32)
    pupil = values.get(names["pupil"], absent).astype(np.float32)
    unmeasured = ~(pupil > 0)
    return {
        f"{prefix}x": np.where(lost, nan, x),
        f"{prefix}y": np.where(lost, nan, y),
        f"{prefix}pupil": np.where(lost | unmeasured, nan, pupil),
    }


def _placed(raw: dict[str, Floats], axes: Axes, frame: Frame) -> dict[str, Floats]:
    """Return the positions in pixels, origin top left, with the pupils as they are."""
    placed = dict(raw)
    for prefix in ("", "left_", "right_"):
        if f"{prefix}x" in raw:
            x, y = to_px(axes, raw[f"{prefix}x"], raw[f"{prefix}y"], frame)
            placed[f"{prefix}x"] = x
            placed[f"{prefix}y"] = y
    return placed


def _axes(options: ReadOptions, raw: dict[str, Floats], head: Head, notes: list[str]) -> Axes:
    """Return how positions are counted: from the centre, y up, in the unit that is said.

    Where none is said they can be nothing but pixels, or are refused. PsychoPy's ``norm`` goes from
    -1 to 1, and its ``deg`` are all as long as the one in the centre.
    """
    settings = {"origin": "centre", "y_axis": "up"} | dict(options.columns)
    stated = settings.get("unit", "").strip().lower()
    if stated in ("norm", "deg"):
        settings["unit"] = {"norm": "norm1", "deg": "deg_flat"}[stated]
        notes.append(f"unit={stated} is PsychoPy's: {settings['unit']}")
    if not stated:
        positions = [values for key, values in raw.items() if not key.endswith("pupil")]
        reach = np.abs(np.concatenate(positions))
        reach = reach[np.isfinite(reach)]
        share_beyond = np.mean(reach > _WIDEST_OTHER) if reach.size else 1.0
        if share_beyond < _MANY:
            what = "ioHub does not say the unit of its positions"
            hint = (
                "name the experiment's: --columns unit=pix (or norm, height, deg, cm), "
                "with --screen"
            )
            raise ParseError(what, path=head.path, hint=hint)
        settings["unit"] = "px"
        notes.append(
            "positions taken as pixels: they reach farther from the centre than other units"
        )
    return axes_of(settings, head.path)


def _messages(
    messages: list[tuple[int, float, str]], names: dict[int, str], starts: dict[int, float]
) -> tuple[pa.Table, int]:
    """Return the messages, and how many are left out.

    These are those without a time, and those of sessions without samples.
    """
    kept = [row for row in messages if row[0] in names and np.isfinite(row[1])]
    kept.sort(key=lambda row: (row[0], row[1]))  # the session, and the time within it
    n_left_out = len(messages) - len(kept)
    if not kept:
        return conform({}, EVENTS), n_left_out
    onsets = [seconds * 1e3 - starts[number] for number, seconds, _ in kept]
    columns: dict[str, object] = {
        "recording": np.array([names[number] for number, _, _ in kept], object),
        "kind": "message",
        "index": np.arange(1, len(kept) + 1, dtype=np.int32),
        "onset_ms": np.array(onsets),
        "duration_ms": 0.0,
        "text": np.array([text for _, _, text in kept], object),
    }
    return conform(columns, EVENTS), n_left_out
