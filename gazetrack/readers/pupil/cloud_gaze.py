"""Gaze of Pupil Cloud: samples, and the fixations and blinks whose numbers stand in their rows.

Specification: "Pupil Invisible, Recordings and Export Formats" and "Neon, Timeseries Data", Pupil
Labs, https://docs.pupil-labs.com.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from gazetrack.readers.pupil.stamps import TIME, StampedPart, StampedRows
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.number_rows import in_order, least_behind
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.steps import GroupSteps, median_of_positive
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pandas as pd

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header
    from gazetrack.readers.text.table import Columns

    Floats = npt.NDArray[np.floating]

FORMAT_NAME = "pupil_cloud"
SURFACE_PX = Screen(1280, 720)
UNKNOWN_CAMERA = "Pupil Invisible or Neon"
MOST_INDEX = 2**31 - 1
_ANGLES = {"azimuth": "azimuth [deg]", "elevation": "elevation [deg]"}
_OPTIONAL = {"worn": "worn", "id": "fixation id", "blink": "blink id", **_ANGLES}
# By the size of its image: gaze.csv names neither of the two.
_CAMERAS = {"Pupil Invisible": Screen(1088, 1080), "Neon": Screen(1600, 1200)}
# What a line through azimuths needs: samples near the axis, as many as that, as far apart.
_NEAR_AXIS_DEG = 15.0
_LEAST_NEAR_AXIS = 50
_LEAST_SPREAD_DEG = 2.0
_ENOUGH_NEAR_AXIS = 1 << 20  # an hour and a half at 200 Hz
# As a share of the width, how far from the middle of its image a camera may look straight ahead.
_OFF_CENTRE = 0.1
# What is told of the rows of fixations and blinks, to put the rows of each together.
_OF_ROWS = ("key", "row", "recording", "index", "t_ms", "end_ms", "x_px", "y_px")


class Plane(NamedTuple):
    """What positions are on: the camera's image, or a surface or image that is the stimulus.

    Parameters
    ----------
    gaze, fixation : dict of str to str
        The columns of the two kinds of files, by our names.
    stimulus : str
        The name of the surface or image, empty for the camera's image.
    screen : Screen or None
        The size of the image in px, where it is known.
    fractions : bool
        Whether positions are fractions, as those on a surface are.
    """

    gaze: dict[str, str]
    fixation: dict[str, str]
    stimulus: str = ""
    screen: Screen | None = None
    fractions: bool = False

    def position(self, table: Columns, axis: str) -> npt.NDArray[np.floating]:
        """Return positions along an axis in px, of a surface in those of its nominal size."""
        exported = table.number(axis)
        if not self.fractions:
            return exported
        return exported * (SURFACE_PX.width_px if axis == "x" else SURFACE_PX.height_px)


def read_gaze(head: Head, header: Header, plane: Plane, notes: list[str]) -> Recording:
    """Read gaze, and the fixations and blinks whose numbers stand in the rows of their samples.

    Parameters
    ----------
    head, header : Head, Header
        The first look at the file, and the header of its table.
    plane : Plane
        What the positions are on.
    notes : list of str
        Receives what had to be inferred, in words for the user.

    Raises
    ------
    ParseError
        A missing column, a damaged row or cell, or times in no order.
    """
    names = dict(plane.gaze)
    names |= {key: name for key, name in _OPTIONAL.items() if name in header.names}
    rows = StampedRows(head, header, TIME, names)
    rows.check(notes)
    gaze = _Gaze(plane)
    for part in rows.parts():
        gaze.take(part, rows.recordings)
    if gaze.n_off:
        notes.append(f"{gaze.n_off} samples while the glasses were not worn: taken as missing")
    camera, screen = gaze.camera()
    if screen is not None:
        notes.append(
            f"the scene camera is that of {camera} by where it looks straight ahead "
            f"({screen.width_px}x{screen.height_px} px), "
            f"and {screen.fov_deg:.1f} degrees wide by the export's azimuths"
        )
    events = EventParts()
    ends = _Ends(rows)
    for rank, (key, kind) in enumerate((("id", "fixation"), ("blink", "blink"))):
        if key in names:
            n_broken = _add_runs(events, _Numbered(rows, plane, key), ends, kind=kind, rank=rank)
            if n_broken:
                notes.append(f"{n_broken} {kind}s have samples among theirs without their number")
    if events.count:
        notes.append(
            "fixations and blinks from the numbers of the samples: each ends with the next sample"
        )
    return Recording(
        name=head.stem,
        format=FORMAT_NAME,
        sample_table=gaze.samples(),
        event_table=events.table(),
        screen=screen,
        world_camera=camera,
        origin_ms=(rows.start_ns or 0) / 1e6,
        start_ns=rows.start_ns,
        rows_in=rows.n_rows,
        dropped=counted({"no time": rows.n_rows - gaze.n_samples}),
    )


def _positions(part: StampedPart, plane: Plane) -> tuple[Floats, Floats, int]:
    """Return x and y of the timed rows in px, and how many of these were not worn."""
    off = part.table.number("worn", 1.0)[part.timed] == 0
    x = np.where(off, np.nan, plane.position(part.table, "x")[part.timed])
    y = np.where(off, np.nan, plane.position(part.table, "y")[part.timed])
    return x, y, int(np.count_nonzero(off))


class _Gaze:
    """The samples of all parts, and what tells of the camera."""

    def __init__(self, plane: Plane) -> None:
        self.n_off = 0
        self._plane = plane
        self._sink = SampleSink()
        self._recordings = UsedNames()
        self._near: list[tuple[Floats, Floats]] = []
        self._n_near = 0

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return self._sink.rows

    def take(self, part: StampedPart, recordings: list[str]) -> None:
        """Take a part; `recordings` are the names that its codes stand for."""
        x, y, n_off = _positions(part, self._plane)
        self.n_off += n_off
        codes = self._recordings.coded(part.recording, recordings)
        columns: dict[str, npt.NDArray[Any]] = {"recording": codes, "t_ms": part.t_ms}
        self._sink.append(columns | {"x_px": x, "y_px": y})
        if self._plane.stimulus or self._n_near >= _ENOUGH_NEAR_AXIS:
            return
        azimuth = part.table.number("azimuth")[part.timed]
        elevation = part.table.number("elevation")[part.timed]
        near = np.isfinite(x) & (np.hypot(azimuth, elevation) < _NEAR_AXIS_DEG)
        self._near.append((azimuth[near], x[near]))
        self._n_near += int(np.count_nonzero(near))

    def samples(self) -> pa.Table:
        """Return all of them."""
        texts = {
            "recording": self._recordings.used or [""],
            "stimulus": [self._plane.stimulus],
        }
        return self._sink.table(texts)

    def camera(self) -> tuple[str, Screen | None]:
        """Tell the camera from positions and their azimuths.

        These give the pixels per degree, and the column of the image that is straight ahead: near
        the axis both are a line. Where the gaze went nowhere, or the file has no azimuths, the
        camera stays unknown. Of a longer recording, the first million samples near the axis count.
        """
        if self._plane.stimulus:
            return "", None
        if self._n_near < _LEAST_NEAR_AXIS:
            return UNKNOWN_CAMERA, None
        azimuth, x = (
            np.concatenate(values)[:_ENOUGH_NEAR_AXIS] for values in zip(*self._near, strict=True)
        )
        self._near.clear()
        if np.ptp(azimuth) < _LEAST_SPREAD_DEG:
            return UNKNOWN_CAMERA, None
        px_per_deg, ahead = np.polyfit(azimuth, x, 1)
        off_centre = {
            model: abs(ahead / screen.width_px - 0.5) for model, screen in _CAMERAS.items()
        }
        model = min(off_centre, key=lambda name: off_centre[name])
        if px_per_deg <= 0 or off_centre[model] > _OFF_CENTRE:
            return UNKNOWN_CAMERA, None
        screen = _CAMERAS[model]
        return model, replace(screen, fov_deg=float(screen.width_px / px_per_deg), fisheye=True)


class _Ends:
    """Tells when samples end: with the next one of their recording, the last after a usual step."""

    def __init__(self, rows: StampedRows) -> None:
        self._rows = rows
        self._usual: float | None = None
        # For each part, the first time of each recording in the parts behind it.
        self._behind: list[dict[int, float]] = []

    def of(self, number: int, part: StampedPart) -> npt.NDArray[np.float64]:
        """Return the end of each timed row of a part, ms; `number` counts parts from 0."""
        if self._usual is None:
            self._usual = self._look_through()
        t = part.t_ms
        ends = t + self._usual
        order = np.argsort(part.recording, kind="stable")
        own = part.recording[order]
        goes_on = np.flatnonzero(own[1:] == own[:-1])
        ends[order[goes_on]] = t[order[goes_on + 1]]
        for at in np.setdiff1d(np.arange(len(own)), goes_on).tolist():
            behind = self._behind[number].get(int(own[at]))
            if behind is not None:
                ends[order[at]] = behind
        return ends

    def _look_through(self) -> float:
        """Return the usual step, 0 where no time goes forward."""
        firsts = []
        for part in self._rows.parts():
            own, at = np.unique(part.recording, return_index=True)
            firsts.append(dict(zip(own.tolist(), part.t_ms[at].tolist(), strict=True)))
        behind: dict[int, float] = {}
        for first in reversed(firsts):
            self._behind.append(behind)
            behind = behind | first
        self._behind.reverse()
        usual = median_of_positive(self._steps)
        return 0.0 if np.isnan(usual) else usual

    def _steps(self) -> Iterator[Floats]:
        steps = GroupSteps()
        for part in self._rows.parts():
            yield steps.take(part.t_ms, part.recording)


class _Numbered:
    """The rows of fixations or blinks: those with a number in the column of a key."""

    def __init__(self, rows: StampedRows, plane: Plane, key: str) -> None:
        self.rows = rows
        self._plane = plane
        self._key = key
        # Numbers of a recording come behind all those of the one before it.
        self._most = 1.0 + max((np.max(np.abs(n), initial=0.0) for _, n in self._known()))

    def _known(self) -> Iterator[tuple[npt.NDArray[np.int32], Floats]]:
        """Yield recording and number of the rows of each part."""
        for part in self.rows.parts():
            numbers = part.table.number(self._key)[part.timed]
            known = np.isfinite(numbers)
            yield part.recording[known], numbers[known]

    def _keys(self, recording: npt.NDArray[Any], numbers: Floats) -> npt.NDArray[np.float64]:
        """Return what is equal for the rows of one fixation, and mostly grows along the file."""
        keys: npt.NDArray[np.float64] = recording * self._most + numbers
        return keys

    def least(self) -> list[float]:
        """Return the least key of the rows of each part, infinite for a part without any."""
        keys = (self._keys(recording, numbers) for recording, numbers in self._known())
        return [float(np.min(own, initial=np.inf)) for own in keys]

    def batches(self, ends: _Ends) -> Iterator[pa.RecordBatch]:
        """Yield the rows of each part, see `_OF_ROWS`."""
        n_before = 0
        for number, part in enumerate(self.rows.parts()):
            numbers = part.table.number(self._key)[part.timed]
            known = np.isfinite(numbers)
            columns: dict[str, npt.NDArray[Any]] = dict.fromkeys(_OF_ROWS, np.empty(0))
            if known.any():
                x, y, _ = _positions(part, self._plane)
                columns = {
                    "row": np.arange(n_before, n_before + numbers.size, dtype=np.float64),
                    "recording": part.recording.astype(np.float64),
                    "index": numbers,
                    "t_ms": part.t_ms,
                    "end_ms": ends.of(number, part),
                    "x_px": x,
                    "y_px": y,
                }
                columns = {name: values[known] for name, values in columns.items()}
                columns["key"] = self._keys(columns["recording"], columns["index"])
            n_before += numbers.size
            yield pa.record_batch({name: columns[name] for name in _OF_ROWS})


def _add_runs(events: EventParts, numbered: _Numbered, ends: _Ends, *, kind: str, rank: int) -> int:
    """Add an event per number: from its first sample to the one after its last.

    Returns
    -------
    int
        How many of them have samples among theirs that are not theirs.
    """
    least = numbered.least()
    if not np.isfinite(least).any():
        return 0
    n_broken = 0
    names = np.array(numbered.rows.recordings, object)
    # In the order of their keys, the rows of one number stand together, wherever they were.
    ordered = in_order(numbered.batches(ends), "key", least_behind(least), "row")
    for batch in ordered:
        rows: pd.DataFrame = batch.to_pandas()
        groups = rows.groupby(["recording", "index"], sort=False)
        # A sample ends with the next one of its recording: later ones do not follow it.
        is_broken = groups["t_ms"].shift(-1) > rows["end_ms"]
        n_broken += len(rows.loc[is_broken, ["recording", "index"]].drop_duplicates())
        firsts = groups.agg(
            row=("row", "first"), onset_ms=("t_ms", "first"), end=("end_ms", "last")
        )
        runs: pd.DataFrame = firsts.reset_index()
        columns: dict[str, Any] = {
            "recording": names[runs["recording"].to_numpy().astype(np.intp)],
            "kind": kind,
            "index": runs["index"].clip(0, MOST_INDEX).astype(np.int32).to_numpy(),
            "eye": "both",
            "onset_ms": runs["onset_ms"].to_numpy(),
            "duration_ms": (runs["end"] - runs["onset_ms"]).clip(lower=0.0).to_numpy(),
        }
        if kind == "fixation":
            for axis in ("x_px", "y_px"):
                columns[axis] = groups[axis].mean().to_numpy()
        events.append(runs["row"].to_numpy(), columns, rank=rank)
    return n_broken
