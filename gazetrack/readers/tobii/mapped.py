"""Tobii Pro Lab data exports of glasses: gaze on the snapshots that it was mapped to.

Specification: "Tobii Pro Lab User Manual", Tobii AB, "Data Export", glasses projects: a column per
snapshot, such as ``Mapped gaze data X [Shelf]``, in pixels of the snapshot. Each snapshot is a
stimulus. The gaze on the scene camera's video that is in the same rows is read with ``--format
tobii_pro``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, NoGaze, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.runs import movements
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.tobii.columns import TO_MS, has_timestamp, time_unit
from gazetrack.readers.tobii.recordings import Recordings
from gazetrack.tables.placement import Placement, filling
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]

FORMAT = Format(
    name="tobii_mapped",
    title="Tobii Pro Lab data export of glasses, gaze mapped to snapshots",
    suffixes=(".tsv",),
    provides="samples and fixations",
    units="ms or µs; px of each snapshot",
    lost="gaze on the scene camera, pupils, areas of interest, other sensors",
    source="Tobii Pro Lab User Manual, Data Export",
)
# The names of columns in lower case, without the snapshot; they have changed over the years.
_OF_SNAPSHOT: dict[str, tuple[str, Kind]] = {
    "mapped gaze data x": ("x", "float64"),
    "mapped gaze data y": ("y", "float64"),
    "mapped fixation x": ("fixation_x", "float64"),
    "mapped fixation y": ("fixation_y", "float64"),
    "mapped eye movement type": ("kind", "text"),
    "mapped eye movement type index": ("index", "float64"),
    "mapped eye movement index": ("index", "float64"),
    "media width": ("width", "float64"),
    "media height": ("height", "float64"),
    "width": ("width", "float64"),
    "height": ("height", "float64"),
}
_COMMON: dict[str, tuple[str, Kind]] = {
    "recording timestamp": ("t", "float64"),
    "sensor": ("sensor", "text"),
    "recording name": ("recording", "text"),
    "participant name": ("participant", "text"),
    "event": ("event", "text"),
}
_TRACKER = "Eye Tracker"
_KINDS = {"Fixation": "fixation", "Saccade": "saccade"}
_MOST_INDEX = 2**31 - 1


@dataclass
class _Layout:
    """Where the columns are: those of all rows by our key, and those of each snapshot."""

    common: dict[str, tuple[int, Kind]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, tuple[int, Kind]]] = field(default_factory=dict)

    @property
    def mapped(self) -> list[str]:
        """The snapshots with positions of gaze."""
        return [name for name, found in self.snapshots.items() if {"x", "y"} <= set(found)]


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not has_timestamp(header.names):
        return NO
    mapped = _layout(header, head).mapped
    if not mapped:
        return NO
    return Verdict(
        Level.CERTAIN, f"columns Recording timestamp and Mapped gaze data X [{mapped[0]}]"
    )


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the gaze that was mapped to snapshots; several recordings may be in one file.

    Returns
    -------
    Recording
        Times are those of each recording in the export. Samples that are on no snapshot have
        neither position nor stimulus.

    Raises
    ------
    ParseError
        No mapped gaze, or a damaged row or cell.
    """
    header = needed_header(head)
    layout = _layout(header, head)
    if not layout.mapped or "t" not in layout.common:
        hint = "export Recording timestamp and Mapped gaze data X and Y of each snapshot"
        raise ParseError("no columns of mapped gaze", path=head.path, line=header.lines, hint=hint)
    table = read_columns(head, header, _wanted(layout))
    notes: list[str] = []
    to_ms = _to_ms(header.names[layout.common["t"][0]], notes)
    timed = np.isfinite(table.number("t"))
    tracker = _of_tracker(table)
    used = timed & tracker
    if not used.any():
        raise NoGaze(
            "holds no gaze: no rows of the eye tracker",
            path=head.path,
            hint="export the gaze data as well",
        )
    numbering = Recordings(head, header)
    t = table.number("t") * to_ms
    codes = numbering.codes(numbering.named(table), t, used)[used]
    names = np.array(numbering.names(layout.common, notes), object)
    gaze = _Mapped.of(head, table, layout.mapped, used, notes)
    dropped = {
        "no timestamp": int(np.count_nonzero(~timed)),
        "other rows": int(np.count_nonzero(timed & ~tracker)),
    }
    sizes = _sizes(table, layout, notes)
    # One snapshot alone is the screen of all positions; of several, each has its own size.
    only_one = len(sizes) == len(layout.mapped) == 1
    samples = {
        "recording": names[codes],
        "stimulus": gaze.stimulus,
        "t_ms": t[used],
        "x_px": gaze.x,
        "y_px": gaze.y,
    }
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(samples, SAMPLES),
        event_table=conform(_fixations(table, layout, used, samples), EVENTS),
        screen=next(iter(sizes.values())) if only_one else None,
        placements=_placements(sizes),
        software="Tobii Pro Lab",
        rows_in=table.n_rows,
        dropped=counted(dropped),
        notes=tuple(notes),
    )


# By hand, as in `columns`: a pattern goes back over each of thousands of blanks in a name.
def _of_snapshot(full: str) -> tuple[str, str]:
    """Return the name of a column and the snapshot in brackets at its end, empty without one."""
    name, _, rest = full.partition("[")
    return (name.rstrip(), rest[:-1]) if rest.endswith("]") else (full, "")


def _before_brackets(full: str) -> str:
    """Return the name of a column without the unit, or whatever stands in brackets at its end."""
    begins = [at for at in (full.find("["), full.find("(")) if at >= 0]
    if not begins or not full.endswith(("]", ")")):
        return full
    return full[: min(begins)].rstrip()


def _layout(header: Header, head: Head) -> _Layout:
    """Return where the columns are.

    Raises
    ------
    ParseError
        One of them is there twice.
    """
    layout = _Layout()
    for at, full in enumerate(header.names):
        name, snapshot = _of_snapshot(full)
        of_snapshot = _OF_SNAPSHOT.get(name.lower()) if snapshot else None
        common = _COMMON.get(_before_brackets(full).lower())
        if of_snapshot:
            found = layout.snapshots.setdefault(snapshot, {})
            key, kind = of_snapshot
        elif common:
            found = layout.common
            key, kind = common
        else:
            continue
        if key in found:
            raise _twins(found[key][0], at, header, head)
        found[key] = at, kind
    return layout


def _twins(first: int, second: int, header: Header, head: Head) -> ParseError:
    """Return the error about two columns that are the same."""
    one = header.names[first][:40]
    other = header.names[second][:40]
    return ParseError(
        f"columns {one!r} and {other!r} are the same",
        path=head.path,
        line=header.lines,
        column=second + 1,
        hint="export the column once",
    )


def _wanted(layout: _Layout) -> dict[str, tuple[int, Kind]]:
    """Return all columns; those of a snapshot have its number behind their key, as ``x:0``."""
    wanted = dict(layout.common)
    for number, name in enumerate(layout.mapped):
        wanted |= {f"{key}:{number}": column for key, column in layout.snapshots[name].items()}
    return wanted


def _to_ms(name: str, notes: list[str]) -> float:
    """Return the milliseconds in a unit of the timestamps, by the name of their column."""
    unit = time_unit(name) or "ms"
    if unit != "ms":
        notes.append(f"timestamps converted from {'µs' if unit == 'us' else unit}")
    return TO_MS[unit]


def _of_tracker(table: Columns) -> npt.NDArray[np.bool_]:
    """Return which rows are the eye tracker's: without a column of sensors, those of no event."""
    if "sensor" in table.found:
        codes, names = table.texts("sensor")
        own = _TRACKER
    else:
        codes, names = table.texts("event")
        own = ""
    return np.array([name == own for name in names], np.bool_)[codes]


@dataclass(frozen=True)
class _Mapped:
    """The gaze of each sample on the snapshot it was mapped to."""

    x: Floats
    y: Floats
    stimulus: npt.NDArray[np.object_]

    @classmethod
    def of(
        cls,
        head: Head,
        table: Columns,
        snapshots: list[str],
        used: npt.NDArray[np.bool_],
        notes: list[str],
    ) -> _Mapped:
        """Take the first snapshot of each sample that it was mapped to."""
        n = int(np.count_nonzero(used))
        x = np.full(n, np.nan)
        y = np.full(n, np.nan)
        stimulus = np.full(n, "", object)
        several = 0
        for number, name in enumerate(snapshots):
            own_x = table.number(f"x:{number}")[used]
            own_y = table.number(f"y:{number}")[used]
            mapped = np.isfinite(own_x) & np.isfinite(own_y)
            taken = stimulus != ""
            several += int(np.count_nonzero(mapped & taken))
            here = mapped & ~taken
            x[here] = own_x[here]
            y[here] = own_y[here]
            stimulus[here] = name
        on_any = int(np.count_nonzero(stimulus != ""))
        if not on_any:
            hint = "map it in Pro Lab; gaze on the scene camera is read with --format tobii_pro"
            raise NoGaze("holds no gaze on its snapshots", path=head.path, hint=hint)
        notes.append(
            f"{on_any} of {n} samples are mapped to {len(snapshots)} snapshots, the stimuli; "
            "gaze on the scene camera is read with --format tobii_pro"
        )
        if several:
            notes.append(f"{several} samples are mapped to several snapshots: the first one counts")
        return cls(x, y, stimulus)


def _fixations(
    table: Columns,
    layout: _Layout,
    used: npt.NDArray[np.bool_],
    samples: Mapping[str, npt.NDArray[Any]],
) -> dict[str, object]:
    """Return the fixations and saccades on each snapshot: runs of samples with one number."""
    recording = samples["recording"]
    stimulus = samples["stimulus"]
    new_recording = np.r_[True, recording[1:] != recording[:-1]]
    parts: list[dict[str, npt.NDArray[np.generic]]] = []
    for number, name in enumerate(layout.mapped):
        if f"kind:{number}" not in table.found:
            continue
        codes, names = table.texts(f"kind:{number}")
        kind_of = np.array([_KINDS.get(kind, "") for kind in names], object)
        kinds = kind_of[codes][used]
        kinds[(stimulus != "") & (stimulus != name)] = ""  # that gaze counts for another snapshot
        index = np.nan_to_num(table.number(f"index:{number}")[used], nan=-1.0)
        begins = (np.diff(index, prepend=np.nan) != 0) | new_recording
        x = _place(table, "x", number)[used]
        y = _place(table, "y", number)[used]
        runs = movements(kinds, samples["t_ms"], x, y, begins)
        first = runs.pop("first")
        del runs["last"]
        if f"index:{number}" in table.found:
            runs["index"] = np.clip(index[first], 0, _MOST_INDEX).astype(np.int32)
        runs["recording"] = recording[first]
        runs["stimulus"] = np.full(len(first), name, object)
        parts.append(runs)
    if not parts:
        return {}
    found: dict[str, Any] = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort((found["onset_ms"], found["recording"].astype(str)))
    return {key: values[order] for key, values in found.items()} | {"eye": "both"}


def _place(table: Columns, axis: str, number: int) -> Floats:
    """Return where a fixation lies: where the export says so, else where its samples do."""
    sample = table.number(f"{axis}:{number}")
    own = table.number(f"fixation_{axis}:{number}")
    return np.where(np.isfinite(own), own, sample)


def _sizes(table: Columns, layout: _Layout, notes: list[str]) -> dict[str, Screen]:
    """Return the sizes of the snapshots that the export states."""
    found = {}
    for number, name in enumerate(layout.mapped):
        stated = np.column_stack(
            [table.number(f"width:{number}"), table.number(f"height:{number}")]
        )
        sizes = {tuple(size) for size in stated if np.isfinite(size).all()}
        if len(sizes) != 1:  # not stated, or stated differently
            continue
        width, height = sizes.pop()
        try:
            found[name] = Screen(int(width), int(height))
        except ConfigError:
            notes.append(f"a snapshot of {width:g} x {height:g} px: its size is ignored")
    return found


def _placements(sizes: dict[str, Screen]) -> dict[str, Placement]:
    """Return the placement of each snapshot: it is a plane of its own and fills all of it."""
    placements: dict[str, Placement] = {}
    for name, size in sizes.items():
        placements |= filling(size, [name])
    return placements
