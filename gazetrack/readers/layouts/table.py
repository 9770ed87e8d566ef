"""Tables of public data sets, by their layouts: recognised by columns that no other table has.

A layout states what nothing in the file does: units, origin, screen, rate. A file whose columns or
whose steps in time are not those of its layout is refused, never read all the same. All layouts
stand in `gazetrack.readers.layouts.known`, with where they are from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers import registry
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.generic.columns import KEYS
from gazetrack.readers.generic.named import read_named
from gazetrack.readers.layouts.known import LAYOUTS
from gazetrack.readers.layouts.rewriting import numbered, of_some_rows
from gazetrack.readers.shared.gaze import PLANE, PLANE_NOTE
from gazetrack.readers.text.header import Header, header_of, needed_header
from gazetrack.tables.schema import SAMPLES

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.readers.layouts.layout import Layout
    from gazetrack.tables.recording import Recording

FORMAT = Format(
    name="public_dataset",
    title="Public data sets with tables of their own",
    suffixes=(".csv", ".tsv", ".txt"),
    provides="samples or fixations, with the screen and the rate of the study",
    units="each data set's own, see docs/datasets.md",
    lost="targets, labels of samples, and all columns about what was shown but its name",
    source="docs/datasets.md",
)
# A step in time that is so many times another than the stated rate's is in another unit.
_OTHER_UNIT = 2.0
_HALF_MS = 0.5


def sniff(head: Head) -> Verdict:
    """Judge the file by its header: only columns that one data set alone has count."""
    header = header_of(head)
    if header is None:
        return NO
    layout = next((known for known in LAYOUTS.values() if known.fits(header)), None)
    if layout is None:
        return NO
    shown = ", ".join(layout.mark)
    return Verdict(Level.CERTAIN, f"columns {shown} of {layout.title} (layout {layout.name})")


def read(head: Head, options: ReadOptions) -> Recording:
    """Read a table of a data set by the layout whose columns it has.

    Raises
    ------
    ParseError
        The table has no layout's columns, or what `LayoutReader.read` raises.
    """
    header = needed_header(head)
    layout = next((known for known in LAYOUTS.values() if known.fits(header)), None)
    if layout is None:
        what = "no table of a data set that is known by its columns"
        hint = f"name its layout: --layout {', '.join(LAYOUTS)}"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    return LayoutReader(layout).read(head, options)


@dataclass(frozen=True)
class LayoutReader:
    """Reads tables of one layout, whatever their header looks like.

    Parameters
    ----------
    layout : Layout
        How the table is laid out.
    """

    layout: Layout

    @property
    def FORMAT(self) -> Format:  # noqa: N802 - the contract of a reader
        """What it reads."""
        return replace(FORMAT, name=self.layout.name, title=self.layout.title)

    def sniff(self, head: Head) -> Verdict:
        """Judge the file by its header."""
        header = header_of(head)
        return sniff(head) if header is not None and self.layout.fits(header) else NO

    def read(self, head: Head, options: ReadOptions) -> Recording:
        """Read a table.

        Returns
        -------
        Recording
            On the screen of the study, with what else its layout states.

        Raises
        ------
        ConfigError
            Columns are named as well.
        ParseError
            The table has not the columns of the layout, its times are in another unit, or a row or
            cell is damaged.
        """
        layout = self.layout
        if options.columns:
            what = f"the layout {layout.name} names the columns itself"
            raise ConfigError(what, path=head.path, hint="leave out either of the two")
        if layout.reader:
            found = registry.get(layout.reader).read(head, options)
        else:
            found = _read_columns(layout, head, options)
            found = replace(found, format=FORMAT.name)
        found = _stated(layout, found)
        _refuse_other_steps(layout, found, head)
        return replace(found, participants=found.participants or _people(layout, head, found))


def _read_columns(layout: Layout, head: Head, options: ReadOptions) -> Recording:
    """Return the recording in a table by the columns that the layout names."""
    if layout.no_header:
        head, header = numbered(head, layout.no_header)
    else:
        header = needed_header(head)
        _refuse_other_columns(layout, header, head)
    screen = PLANE if layout.directions else options.screen or layout.screen
    named = ReadOptions(columns=layout.columns, screen=screen)
    if layout.only is None:
        found = read_named(head, header, named)
    else:
        head, n_others = of_some_rows(head, header, *layout.only)
        found = read_named(head, header, named)
        column, text = layout.only
        dropped = {**found.dropped, f"{column} is not {text}": n_others()}
        dropped = {reason: count for reason, count in dropped.items() if count}
        found = replace(found, rows_in=found.rows_in + n_others(), dropped=dropped)
    return replace(found, screen=screen, directions=layout.directions)


def _refuse_other_columns(layout: Layout, header: Header, head: Head) -> None:
    """Refuse a table that has not all columns of the layout."""
    bare = {name.partition("[")[0] for key, name in layout.columns.items() if key in KEYS}
    wanted = sorted(bare | set((layout.only or ())[:1]))
    lacking = [name for name in wanted if name not in header.names]
    if lacking:
        shown = quote(", ".join(lacking), 100)
        what = f"no table of {layout.title}: it has no column {shown}"
        hint = f"see gazetrack dataset show {layout.name}; else name its columns with --columns"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)


def _stated(layout: Layout, found: Recording) -> Recording:
    """Return the recording with what the layout states of it."""
    notes = [f"layout {layout.name}: {layout.title}", *layout.notes]
    if layout.directions:
        notes.append(f"directions of gaze, {PLANE_NOTE}")
    notes += [f"unsure: {text}" for text in layout.unsure]
    table = found.sample_table
    if layout.twice and table is not None:
        table = _with_halves(table)
    return replace(
        found,
        sample_table=table,
        screen=found.screen or layout.screen,
        rate_hz=found.rate_hz or (layout.rate_hz if table is not None else None),
        tracker=found.tracker or layout.tracker,
        notes=(*found.notes, *notes),
    )


def _with_halves(samples: pa.Table) -> pa.Table:
    """Return samples of 2000 Hz, of which every second one is half a millisecond later."""
    import pyarrow as pa

    t = samples["t_ms"].to_numpy().copy()
    t[1:][np.diff(t) == 0] += _HALF_MS
    place = SAMPLES.get_field_index("t_ms")
    return samples.set_column(place, SAMPLES.field(place), pa.chunked_array([t]))


def _refuse_other_steps(layout: Layout, found: Recording, head: Head) -> None:
    """Refuse samples whose times step otherwise than at the rate of the data set."""
    rate_hz = found.effective_rate_hz
    if rate_hz is None or layout.rate_hz is None or found.sample_table is None:
        return
    ratio = rate_hz / layout.rate_hz
    if 1 / _OTHER_UNIT <= ratio <= _OTHER_UNIT:
        return
    what = f"times at {rate_hz:.4g} Hz, while {layout.title} was recorded at {layout.rate_hz:g} Hz"
    hint = (
        "are they in another unit, or resampled? name the columns with --columns, t with its unit"
    )
    raise ParseError(what, path=head.path, hint=hint)


def _people(layout: Layout, head: Head, found: Recording) -> dict[str, str]:
    """Return who was recorded, by the name of the file, where it tells."""
    participant = layout.participant_of(head.stem)
    table: Any = found.sample_table if found.fixation_table is None else found.fixation_table
    if not participant or table is None or found.fixation_table is not None:
        return {}
    return {head.stem: participant}
