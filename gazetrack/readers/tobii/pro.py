"""Tobii Pro Lab data export: tab-separated text, one row per sample, event or sensor value.

Specification: "Tobii Pro Lab User Manual", Tobii AB, "Data Export". The columns are the user's
choice, their names have changed over the years: ``Gaze point X``, ``Gaze point X (DACSpx)``, ``Gaze
point X [DACS px]``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, NoGaze, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import header_of, needed_header
from gazetrack.readers.text.table import no_rows, read_parts
from gazetrack.readers.tobii.columns import (
    TO_MS,
    duration_to_ms,
    find_columns,
    has_mapped_gaze,
    has_timestamp,
    time_unit,
    unreadable_gaze,
)
from gazetrack.readers.tobii.events import EventRows
from gazetrack.readers.tobii.recordings import Recordings
from gazetrack.readers.tobii.rows import (
    Names,
    Rows,
    gaze_of,
    points_of,
    sorted_rows,
    starts_of_runs,
)
from gazetrack.readers.tobii.units import FIXATION_POINTS, GAZE_POINTS, NOMINAL, Positions
from gazetrack.tables.eyes import EYES
from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.text.header import Header, Wanted
    from gazetrack.readers.text.table import Columns

FORMAT = Format(
    name="tobii_pro",
    title="Tobii Pro Lab and Tobii Studio 3 data export",
    suffixes=(".tsv", ".txt"),
    provides="samples and events",
    units="ms or µs; px, fractions or mm of the screen, px or fractions of the medium, to px; "
    "pupil in mm",
    lost="gaze directions, eye positions, areas of interest, mouse and inertial sensors",
    source="Tobii Pro Lab User Manual, Data Export",
)
# Steps between samples that are no ms: 400 ms would be a tracker of 2.5 Hz, 400 µs is one of 2500.
_MICROSECONDS_FROM = 400.0
_SIZE = re.compile(r"\s*([0-9]{1,5}) ?x ?([0-9]{1,5})\s*$")
_GLASSES = "Tobii Pro Glasses"  # the export does not say which
_SHOWN = {"media_width", "media_height", "image_width", "image_height"}
_MEDIA = ("media_width", "media_height", "media_x", "media_y", "image_width", "image_height")


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not has_timestamp(header.names):
        return NO
    found = find_columns(header, head.path)
    gaze = {"x", "left_x", "right_x", "event_type", "fixation_x"} & set(found)
    if gaze:
        # Gaze on the images people looked at, where there is any, is for the reader of mapped gaze.
        level = Level.LIKELY if has_mapped_gaze(header.names) else Level.CERTAIN
        at, _ = found[min(gaze)]
        return Verdict(level, f"columns Recording timestamp and {header.names[at]}")
    unreadable = unreadable_gaze(header)
    if unreadable:
        return Verdict(Level.CERTAIN, f"columns Recording timestamp and {unreadable}")
    return Verdict(Level.NO, "a Tobii Pro Lab export without gaze points")


def read(head: Head, options: ReadOptions) -> Recording:
    """Read a data export; several recordings may be in one file.

    Returns
    -------
    Recording
        Times are those of each recording in the export.

    Raises
    ------
    ParseError
        No timestamp column, no samples, or a damaged row or cell.
    """
    header = needed_header(head)
    if not has_timestamp(header.names):
        hint = "export with Recording timestamp and the gaze points; metrics exports hold neither"
        raise ParseError(
            "no column 'Recording timestamp'", path=head.path, line=header.lines, hint=hint
        )
    export = _Export(head, header, options.screen)
    for part in read_parts(head, header, export.wanted):
        export.take(part)
    if not export.n_rows:
        raise no_rows(head, header)
    if not export.samples.rows:
        raise NoGaze(
            "holds no gaze: no rows of the eye tracker",
            path=head.path,
            hint="export the gaze data as well",
        )
    return export.recording()


class _Export:
    """What the parts of an export add up to."""

    def __init__(self, head: Head, header: Header, screen: Screen | None) -> None:
        self.wanted = find_columns(header, head.path)
        if not set(GAZE_POINTS) & set(self.wanted) and (unreadable := unreadable_gaze(header)):
            hint = "export the gaze points in DACS px"
            what = f"gaze points in a unit that cannot be read: {quote(unreadable, 60)}"
            raise ParseError(what, path=head.path, line=header.lines, hint=hint)
        self._gaze = Positions.of(GAZE_POINTS, header, self.wanted, path=head.path, screen=screen)
        self._fixation = Positions.of(
            FIXATION_POINTS, header, self.wanted, path=head.path, screen=screen
        )
        if self._fixation.on_screen != self._gaze.on_screen:
            # Positions of fixations that count from another corner than the gaze are not used: the
            # samples tell where fixations are.
            unused = {"fixation_x", "fixation_y"}
            self.wanted = {key: at for key, at in self.wanted.items() if key not in unused}
        self.n_rows = 0
        self.samples = SampleSink()
        self._head = head
        self._unit = time_unit(header.names[self.wanted["t"][0]])
        other_units = {"us": "µs", "s": "s"}
        shown_unit = other_units.get(self._unit, "")
        self._unit_note = f"timestamps converted from {shown_unit}" if shown_unit else ""
        self._recordings = Recordings(head, header)
        self._stimuli = Names(either=True)
        duration = self.wanted.get("duration")
        self._events = EventRows(
            duration_to_ms(header.names[duration[0]]) if duration is not None else 1.0
        )
        self._dropped: dict[str, int] = {}
        self._screens: set[tuple[float, float]] = set()
        self._videos: set[tuple[float, float]] = set()
        self._media: list[pd.DataFrame] = []
        self._texts: dict[str, list[str]] = {}
        self._notes: list[str] = []

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        is_sample, is_message = sorted_rows(table, self._dropped)
        named = self._recordings.named(table)
        stamp = table.number("t")
        to_ms = self._to_ms(stamp[is_sample], named[is_sample])
        t_ms = stamp * to_ms
        gaze = gaze_of(table, self._gaze)
        self._gaze.count_unsized(table, is_sample)
        rows = Rows(
            table=table,
            first=self.n_rows,
            recording=self._recordings.codes(named, t_ms, is_sample | is_message),
            stimulus=self._stimuli.codes(table, "stimulus", "media"),
            trial=table.texts("timeline").codes,
            stamp=stamp,
            gaze=gaze,
            fixation=points_of(table, "fixation_", self._fixation),
            is_sample=is_sample,
            is_message=is_message,
        )
        self._events.take(rows, to_ms)

        columns: dict[str, npt.NDArray[Any]] = {
            "recording": rows.recording,
            "trial": rows.trial,
            "stimulus": rows.stimulus,
            "t_ms": t_ms,
        }
        for name, values in gaze.items():
            columns[name if "pupil" in name else f"{name}_px"] = values
        if not is_sample.all():
            columns = {name: values[is_sample] for name, values in columns.items()}
        self.samples.append(columns)

        self._screens |= _sizes(table, "screen")
        self._videos |= _sizes(table, "video")
        if len(_SHOWN & set(self.wanted)) > 1:
            self._media.append(_media(table, rows.stimulus))
        # The lists of texts grow from part to part, so those of the last part are all.
        for key in ("software", "resolution", "timeline"):
            self._texts[key] = table.texts(key).names
        self.n_rows += table.n_rows

    def _to_ms(self, stamps: npt.NDArray[np.floating], recording: npt.NDArray[np.int32]) -> float:
        """Return the milliseconds in a unit of the timestamps, by the header or the first part."""
        if not self._unit:
            self._unit = _inferred_unit(stamps, recording)
            words = "µs, converted" if self._unit == "us" else "ms"
            self._unit_note = f"time unit inferred from the step between samples: {words}"
        return TO_MS[self._unit]

    def recording(self) -> Recording:
        """Return all of it."""
        notes = self._notes
        recordings = self._recordings.names(self.wanted, notes)
        if self._unit_note:
            notes.append(self._unit_note)
        stimuli = [name for name, _ in self._stimuli.pairs]
        trials = self._texts["timeline"]
        numbered = bool({"event_index", "fixation_index", "saccade_index"} & set(self.wanted))
        events = self._events.table(recordings, stimuli, trials, numbered, notes)
        notes += self._gaze.notes()
        of_glasses = self._videos_known and not self._gaze.on_screen
        texts = {"recording": recordings, "stimulus": stimuli, "trial": trials}
        # In an order of its own: rows of other sensors come in any.
        reasons = sorted(self._dropped, key=lambda reason: (reason != "no timestamp", reason))
        found = Recording(
            name=self._head.stem,
            format=FORMAT.name,
            sample_table=self.samples.table(texts),
            event_table=events,
            screen=self._screen(notes),
            placements=_placements(self._media, stimuli, self._gaze, notes),
            eyes=_eyes(self.wanted),
            world_camera=_GLASSES if of_glasses else "",
            software=_software(self._texts["software"], self.wanted),
            rows_in=self.n_rows,
            dropped={reason: self._dropped[reason] for reason in reasons},
            notes=tuple(notes),
        )
        unsized = self._gaze.fractions_of_unknown_screen
        return found.on_nominal_screen(NOMINAL, "screen") if unsized else found

    @property
    def _videos_known(self) -> bool:
        return any(np.isfinite(size).all() for size in self._videos)

    def _screen(self, notes: list[str]) -> Screen | None:
        """Return what positions are pixels of: the screen, or the scene video of glasses.

        It is None where they are those of a medium alone.
        """
        if not self._gaze.on_screen:
            return _screen(self._videos, notes)
        if "resolution" in self.wanted:  # Studio 3: "1920 x 1080"
            matches = map(_SIZE.match, self._texts["resolution"])
            sizes = {(float(match[1]), float(match[2])) for match in matches if match}
            return _screen(sizes, notes)
        return _screen(self._screens, notes)


def _inferred_unit(stamps: npt.NDArray[np.floating], recording: npt.NDArray[np.int32]) -> str:
    """Return the unit that the steps between the first samples speak for."""
    steps = np.diff(stamps)[np.diff(recording) == 0]
    steps = steps[steps > 0]
    return "us" if steps.size and float(np.median(steps)) >= _MICROSECONDS_FROM else "ms"


def _sizes(table: Columns, what: str) -> set[tuple[float, float]]:
    """Return the sizes in pixels, width and height, that the rows state for the screen or video."""
    width = table.number(f"{what}_width")
    height = table.number(f"{what}_height")
    first = starts_of_runs(width, height)
    return set(zip(width[first].tolist(), height[first].tolist(), strict=True))


def _eyes(wanted: Wanted) -> str:
    """Return whose gaze the export has: both eyes', that of one, or their mean alone."""
    eyes = [eye for eye in EYES if f"{eye}_x" in wanted]
    if len(eyes) > 1:
        return "binocular"
    return eyes[0] if eyes else "combined"


def _software(texts: list[str], wanted: Wanted) -> str:
    """Return the program, with the oldest of the versions that the rows state."""
    versions = sorted(set(texts) - {""})
    program = "Tobii Studio" if "gaze_index" in wanted else "Tobii Pro Lab"
    return f"{program} {versions[0]}" if versions else program


def _screen(found: set[tuple[float, float]], notes: list[str]) -> Screen | None:
    """Return the screen whose size is the only one that rows state, or None."""
    sizes = [size for size in found if np.isfinite(size).all()]
    if len(sizes) > 1:
        notes.append("recordings with different screens: none is stated")
    if len(sizes) != 1:
        return None
    width, height = sizes[0]
    try:
        return Screen(int(width), int(height))
    except ConfigError:
        notes.append("the recording resolution is not usable: ignored")
        return None


def _media(table: Columns, stimulus: npt.NDArray[np.int32]) -> pd.DataFrame:
    """Return where the media lay, a row a change."""
    values = {name: table.number(name) for name in _MEDIA}
    at = starts_of_runs(stimulus, *values.values())
    frame = pd.DataFrame({name: column[at] for name, column in values.items()})
    frame["stimulus"] = stimulus[at]
    return frame.drop_duplicates()


def _placements(
    media: list[pd.DataFrame], stimuli: list[str], gaze: Positions, notes: list[str]
) -> dict[str, Placement]:
    """Return where the media lay; those shown at several places are left out, with a note."""
    if not media:
        return {}
    frame = pd.concat(media)
    if not gaze.on_screen:
        frame = gaze.media_by_themselves(frame)
    frame = frame.dropna().drop_duplicates()
    frame["stimulus"] = np.array(stimuli, object)[frame["stimulus"]]
    frame = frame[frame["stimulus"] != ""]
    has_size = (frame[["media_width", "media_height", "image_width", "image_height"]] >= 1).all(
        axis=1
    )
    frame = frame[has_size]
    several = frame["stimulus"].duplicated(keep=False)
    if several.any():
        count = frame.loc[several, "stimulus"].nunique()
        notes.append(f"{count} images were shown at several places: not mapped to image pixels")
    placements = {}
    for row in frame[~several].to_dict("records"):
        placements[str(row["stimulus"])] = Placement(
            x_px=float(row["media_x"]),
            y_px=float(row["media_y"]),
            width_px=float(row["media_width"]),
            height_px=float(row["media_height"]),
            image_width_px=int(row["image_width"]),
            image_height_px=int(row["image_height"]),
        )
    return placements
