"""One recording as a reader gives it: samples, events, and what the export states of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazetrack.cards import card, path_svg
from gazetrack.tables.placement import Placement, filling
from gazetrack.tables.rates import rate_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa

    from gazetrack.tables.screen import Screen

# What positions are fractions of where a vendor mapped them to the stimulus itself.
SURFACE = "surface"
ATTRS_KEY = "gazetrack"  # of `DataFrame.attrs`: what a table of ours knows of its recording


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a reader found in one file.

    The library itself works on the Arrow tables ``sample_table``, ``event_table`` and
    ``fixation_table``; for people, `samples` and `events` are the same as pandas data frames.

    Parameters
    ----------
    name : str
        The recording's name, which is the file's stem.
    format : str
        Name of the reader, such as ``eyelink_asc``.
    sample_table : pyarrow.Table or None
        Schema `SAMPLES`, positions in screen pixels; None when the export has fixations only.
    event_table : pyarrow.Table
        Schema `EVENTS`, positions in screen pixels: everything the export itself calls an event.
    fixation_table : pyarrow.Table or None
        Schema `FIXATIONS`, only from exports that are fixation tables themselves; None for all
        others.
    screen : Screen or None
        As stated by the export; a nominal one where `fractions_of` is given.
    placements : mapping of str to Placement
        By stimulus, as stated by the export.
    rate_hz : float or None
        Nominal sampling rate as stated by the export; None also where it changes within the
        recording.
    rates_hz : tuple of (float, float)
        Where the rate changes: from which time on, ms from the start, which rate holds, Hz. Else
        empty.
    pupil_measure : {"", "area", "diameter"}
        What pupil sizes in arbitrary units measure, where the export states it.
    participants : mapping of str to str
        Who was recorded, by recording, where the rows of samples say it and no table of events or
        fixations does.
    no_positions : bool
        Whether the export tells when fixations were, and not where: their positions are missing.
    directions : bool
        Whether positions are directions of the eye, on the plane 1 m away that `screen` then is,
        and no places on a screen.
    marks_known : bool
        Whether the reader has taken out the marks of lost gaze where they stood, in the unit and
        from the origin of the export: what is at (0, 0) afterwards is a place, such as a corner
        counted from the centre.
    eyes : str
        ``left``, ``right``, ``binocular`` or ``combined``.
    origin_ms : float
        Tracker time of t = 0, in milliseconds.
    start_ns : int or None
        Absolute start, nanoseconds since 1970 UTC, where the export states it.
    time_origin : {"recording", "trial"}
        What onsets are counted from.
    tracker, software : str
        As stated by the export, empty when it does not.
    rows_in : int
        Data rows or lines read.
    dropped : mapping of str to int
        Rows not used, by reason. ``rows_in`` is the rows used plus all of these.
    notes : tuple of str
        What the reader had to infer, in words for the user ("time unit inferred: ms").
    fractions_of : str
        What the export gives positions as fractions of without telling its size, such as
        ``screen``; else empty.
    world_camera : str
        Of a head-mounted tracker, its model, such as ``Pupil Core``: `screen` is then the image of
        the camera on the head. Empty for all others.
    mended : mapping of str to int
        Rows whose text was shorter or longer than the header and that were read all the same, by
        what was done.
    """

    name: str
    format: str
    sample_table: pa.Table | None
    event_table: pa.Table
    fixation_table: pa.Table | None = None
    screen: Screen | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)
    rate_hz: float | None = None
    rates_hz: tuple[tuple[float, float], ...] = ()
    pupil_measure: str = ""
    participants: Mapping[str, str] = field(default_factory=dict)
    no_positions: bool = False
    marks_known: bool = False
    directions: bool = False
    eyes: str = "combined"
    origin_ms: float = 0.0
    start_ns: int | None = None
    time_origin: Literal["recording", "trial"] = "recording"
    tracker: str = ""
    software: str = ""
    rows_in: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fractions_of: str = ""
    world_camera: str = ""
    mended: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """The samples as a data frame, made at the first call: empty where the export has none.

        ``samples.attrs["gazetrack"]`` holds what `facts` returns.
        """
        return self._frame(self.arrow("samples"))

    @cached_property
    def events(self) -> pd.DataFrame:
        """The export's own events as a data frame, made at the first call; see `samples`."""
        return self._frame(self.event_table)

    def arrow(self, name: Literal["samples", "events"] = "samples") -> pa.Table:
        """Return the samples or the events as the Arrow table they are kept in, without a copy.

        Parameters
        ----------
        name : {"samples", "events"}
            Which of the two tables is meant.

        Returns
        -------
        pyarrow.Table
            Without rows where the export has no samples.
        """
        if name == "events":
            return self.event_table
        from gazetrack.tables.schema import SAMPLES

        return SAMPLES.empty_table() if self.sample_table is None else self.sample_table

    def _frame(self, table: pa.Table) -> pd.DataFrame:
        frame: pd.DataFrame = table.to_pandas()
        frame.attrs[ATTRS_KEY] = self.facts()
        return frame

    def facts(self) -> dict[str, Any]:
        """Return what is known of the recording besides its rows, as JSON values."""
        return {
            "reader": self.format,
            **self.stated(),
            "eyes": self.eyes,
            "screen": self.screen.facts() if self.screen else None,
            "world_camera": self.world_camera,
            "origin_ms": self.origin_ms,
            "start_ns": self.start_ns,
            "time_origin": self.time_origin,
            "fractions_of": self.fractions_of,
            "rows_in": self.rows_in,
            "dropped": dict(self.dropped),
            "mended": dict(self.mended),
            "notes": list(self.notes),
        }

    def stated(self) -> dict[str, Any]:
        """Return what the export states of tracker, rate and positions, as JSON values."""
        return {
            "tracker": self.tracker,
            "software": self.software,
            "rate_hz": self.rate_hz,
            "rates_hz": [list(pair) for pair in self.rates_hz],
            "pupil_measure": self.pupil_measure,
            "no_positions": self.no_positions or None,
            "directions": self.directions or None,
        }

    def __repr__(self) -> str:
        return f"<Recording {self.name!r}: {', '.join(self._summary())}>"

    def _repr_html_(self) -> str:
        loss = self.loss
        rate = self.rate_hz or self.effective_rate_hz
        facts = {
            "format": self.format,
            "tracker": self.tracker,
            "rate": None if rate is None else f"{rate:.4g} Hz",
            "eyes": self.eyes,
            "samples": None if self.sample_table is None else f"{self.sample_table.num_rows:,}",
            "lost": None if loss is None else f"{100 * loss:.1f} %",
            "events": f"{self.event_table.num_rows:,}",
            "fixations": None
            if self.fixation_table is None
            else f"{self.fixation_table.num_rows:,}",
            "screen": self._screen_text(),
            "notes": "; ".join(self.notes),
        }
        return card(f"Recording {self.name}", facts, self._picture())

    def _summary(self) -> list[str]:
        """Return in a few words what there is, for `repr`."""
        counts = {
            "samples": self.sample_table,
            "events": self.event_table,
            "fixations": self.fixation_table,
        }
        sizes = [
            f"{table.num_rows:,} {name}" for name, table in counts.items() if table is not None
        ]
        rate = "" if self.rate_hz is None else f"{self.rate_hz:g} Hz"
        parts = [self.format, rate, self.eyes, *sizes, self._screen_text()]
        return [part for part in parts if part]

    def _screen_text(self) -> str:
        return "" if self.screen is None else f"{self.screen.width_px} x {self.screen.height_px} px"

    def _picture(self) -> str:
        """Return where gaze was on the screen, as SVG; nothing where either is not known."""
        table = self.fixation_table if self.sample_table is None else self.sample_table
        if table is None or self.screen is None:
            return ""
        x = table["x_px"].to_numpy()
        y = table["y_px"].to_numpy()
        return path_svg(x, y, self.screen.width_px, self.screen.height_px)

    def on_nominal_screen(self, screen: Screen, fractions_of: str) -> Recording:
        """Return the recording on a screen that nobody stated, with a note that says so."""
        notes = (*self.notes, _nominal_note(screen, fractions_of))
        return replace(self, screen=screen, fractions_of=fractions_of, notes=notes)

    def with_screen(self, screen: Screen | None) -> Recording:
        """Return the recording with the user's screen in place of the export's.

        Positions that were fractions in the export become pixels of that screen. Where the user
        gave none, nothing changes.
        """
        if screen is None:
            return self
        if not self.fractions_of or self.screen is None:
            return replace(self, screen=screen)
        factors = {
            "x_px": screen.width_px / self.screen.width_px,
            "y_px": screen.height_px / self.screen.height_px,
        }
        samples = self.sample_table
        fixations = self.fixation_table
        fills_screen = self.fractions_of == SURFACE
        assumed = _nominal_note(self.screen, self.fractions_of)
        return replace(
            self,
            screen=screen,
            sample_table=None if samples is None else _scaled(samples, factors),
            event_table=_scaled(self.event_table, factors),
            fixation_table=None if fixations is None else _scaled(fixations, factors),
            notes=tuple(note for note in self.notes if note != assumed),
            placements=self._filled(screen) if fills_screen else self.placements,
            fractions_of="",
        )

    def _filled(self, screen: Screen) -> dict[str, Placement]:
        """Return the placements of all stimuli of the rows, each of them the whole screen."""
        names: set[str] = set()
        for table in (self.sample_table, self.fixation_table):
            if table is not None:
                stimuli = table["stimulus"].unify_dictionaries().unique().to_pylist()
                names.update(name for name in stimuli if name)
        return filling(screen, names)

    @property
    def loss(self) -> float | None:
        """Share of samples without a combined gaze position, 0 to 1, or None without samples."""
        if self.sample_table is None or self.sample_table.num_rows == 0:
            return None
        n_known = 0
        for batch in self.sample_table.select(["x_px", "y_px"]).to_batches():
            known = np.isfinite(batch.column(0)) & np.isfinite(batch.column(1))
            n_known += int(np.count_nonzero(known))
        return 1.0 - n_known / float(self.sample_table.num_rows)

    @property
    def effective_rate_hz(self) -> float | None:
        """Samples a second while there are any, gaps left out; None with fewer than two.

        See `rates.rate_of`: a gap, or a sample that is missing, does not lower it, and samples of
        two eyes that come in pairs count as two.
        """
        return None if self.sample_table is None else rate_of(self.sample_table["t_ms"])


def _nominal_note(screen: Screen, fractions_of: str) -> str:
    size = f"{screen.width_px}x{screen.height_px} px"
    return (
        f"positions are fractions of the {fractions_of}, whose size the export does not state: "
        f"taken as {size} (give the real size as --screen)"
    )


def _scaled(table: pa.Table, factors: Mapping[str, float]) -> pa.Table:
    """Scale the columns of positions, whichever eye's, by the factor of their axis."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for number, column in enumerate(table.schema):
        factor = next((factors[axis] for axis in factors if column.name.endswith(axis)), None)
        if factor is not None:
            scaled = pc.multiply(table.column(number), pa.scalar(factor, column.type))
            table = table.set_column(number, column, scaled)
    return table
