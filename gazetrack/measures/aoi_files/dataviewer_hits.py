"""Interest areas of a Data Viewer fixation report: which of its fixations lay in which areas.

The columns are those of the chapter "Fixation Report" of the EyeLink Data Viewer User Manual:
``CURRENT_FIX_INTEREST_AREA_LABEL``, ``_ID`` and ``_INDEX`` say which area a fixation was assigned
to, ``CURRENT_FIX_INTEREST_AREAS`` lists the numbers of all that it lies in where areas overlap. The
shapes are not in it, and neither are areas that no fixation lay in.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.measures.aois import EVERY
from gazetrack.measures.recorded import RecordedAois, recorded_aois
from gazetrack.publish import sha256_of
from gazetrack.readers.eyelink.report import rows_of
from gazetrack.readers.head import read_head
from gazetrack.readers.text.header import needed_header
from gazetrack.readers.text.table import read_columns
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.measures.recorded import FixationKey
    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header

_LIST = "CURRENT_FIX_INTEREST_AREAS"
_LABEL = "CURRENT_FIX_INTEREST_AREA_LABEL"
# What the numbers of the list may be, in the order of preference.
_NUMBERS = {"id": "CURRENT_FIX_INTEREST_AREA_ID", "index": "CURRENT_FIX_INTEREST_AREA_INDEX"}
_COLUMNS = {"label": _LABEL, **_NUMBERS, "list": _LIST}
_NUMBER_LIST = re.compile(r"\[?\s*(?:\d+(?:\s*,\s*\d+)*)?\s*\]?", re.ASCII)
_NOTHING = ("", ".")  # how Data Viewer writes that there is no value
_NONE = (*_NOTHING, "0")  # a fixation in no area
_HINT = f"add {_LABEL} to the report"
_ONLY_LOOKED_AT = "areas that no fixation of the report lay in are not known: they have no rows"


@dataclass(frozen=True, kw_only=True)
class _Fixation:
    """What a row of the report says: where it belongs, and in which areas it lay."""

    stimulus: str
    recording: str
    key: tuple[str, int, str]
    number: str
    label: str
    others: tuple[str, ...]

    @property
    def trial(self) -> tuple[str, str, str]:
        """Within which a number means one area."""
        return self.stimulus, self.recording, self.key[0]


@dataclass(frozen=True)
class _Names:
    """What areas are called: by their label, with the number where two of a trial share one."""

    in_trial: dict[tuple[tuple[str, str, str], str], str] = field(default_factory=dict)
    on_stimulus: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    shared: set[tuple[str, str]] = field(default_factory=set)

    @staticmethod
    def of(fixations: Sequence[_Fixation]) -> _Names:
        """Learn the labels of numbers from the areas that fixations were assigned to."""
        found = _Names()
        numbers: dict[tuple[tuple[str, str, str], str], set[str]] = defaultdict(set)
        for one in fixations:
            if one.label and one.number:
                found.in_trial[one.trial, one.number] = one.label
                found.on_stimulus[one.stimulus, one.number].add(one.label)
                numbers[one.trial, one.label].add(one.number)
        found.shared.update(
            (trial[0], label) for (trial, label), own in numbers.items() if len(own) > 1
        )
        return found

    def areas(self, one: _Fixation) -> list[str]:
        """Return the names of all areas that a fixation lay in."""
        found = [self._name(one, number) for number in one.others]
        if one.label and not one.number:
            found.append(one.label)
        elif one.number and one.number not in one.others:
            found.append(self._name(one, one.number))
        return found

    def _name(self, one: _Fixation, number: str) -> str:
        label = self.in_trial.get((one.trial, number), "")
        alike = self.on_stimulus.get((one.stimulus, number), set())
        if not label and len(alike) == 1:
            label = next(iter(alike))
        if not label:
            return number
        return f"{label} #{number}" if (one.stimulus, label) in self.shared else label


def is_report(header: Header) -> bool:
    """Whether a header is that of a fixation report."""
    return any(name.startswith("CURRENT_FIX_") for name in header.names)


def aoi_hits_of(path: Path) -> RecordedAois:
    """Read the interest areas of a Data Viewer fixation report.

    Parameters
    ----------
    path : pathlib.Path
        The report, of one recording or several.

    Raises
    ------
    InputError
        It cannot be read, has no columns of interest areas, or no fixation in any.
    ParseError
        A row is damaged; a list is none, or lists other numbers than those of the areas; or one
        fixation is there twice, in different areas.
    """
    fixations = _fixations(read_head(path))
    names = _Names.of(fixations)
    stimuli: dict[str, dict[str, None]] = {}
    hits: dict[str, dict[FixationKey, frozenset[str]]] = {}
    for one in fixations:
        areas = names.areas(one)
        if areas:
            stimuli.setdefault(one.stimulus, {}).update(dict.fromkeys(areas))
        own = hits.setdefault(one.recording, {})
        if own.setdefault(one.key, frozenset(areas)) != frozenset(areas):
            trial, number, _ = one.key
            what = f"fixation {number} of trial {quote(trial, 30)!r} is there twice"
            hint = "add CURRENT_FIX_INDEX, TRIAL_INDEX and EYE_USED to the report"
            raise ParseError(f"{what}, in different interest areas", path=path, hint=hint)
    if not stimuli:
        what = "has no fixation in an interest area"
        raise InputError(what, path=path, hint="load the interest areas in Data Viewer first")
    notes = [_ONLY_LOOKED_AT]
    if names.shared:
        label = min(label for _, label in names.shared)
        shared = f"{len(names.shared)} labels are those of several areas of a trial"
        notes.append(f"{shared}, which are told apart by number: {quote(label, 40)!r}")
    source = {"file": path.name, "format": "dataviewer-hits", "sha256": sha256_of(path)}
    ordered = {name: list(own) for name, own in stimuli.items()}
    return recorded_aois(ordered, hits, source, by_trial=True, notes=notes)


def _fixations(head: Head) -> list[_Fixation]:
    """Return the rows of the report, in their order."""
    header = needed_header(head)
    wanted = header.present(_COLUMNS, "text", head.path)
    if not wanted:
        what = f"has no columns of interest areas, such as {_LABEL}"
        raise InputError(what, path=head.path, hint=_HINT)
    columns, n_rows, _ = rows_of(head)
    table = read_columns(head, header, wanted)
    labels = ["" if cell in _NOTHING else cell for cell in table.text("label").tolist()]
    lists = _lists(table.text("list").tolist(), head, header)
    numbers = _numbers({key: table.text(key).tolist() for key in _NUMBERS if key in wanted}, lists)
    if numbers is None:
        if _LABEL in header.names and any(lists):
            what = f"{_LIST} lists other numbers than those of the areas"
            hint = f"add {' and '.join(_NUMBERS.values())} to the report"
            raise ParseError(what, path=head.path, line=header.lines, hint=hint)
        numbers = [""] * n_rows
    return [
        _Fixation(
            stimulus=stem(columns["stimulus"][at]) or EVERY,
            recording=columns["recording"][at],
            key=(columns["trial"][at], int(columns["index"][at]), columns["eye"][at]),
            number=numbers[at],
            label=labels[at],
            others=lists[at],
        )
        for at in range(n_rows)
    ]


def _lists(cells: list[str], head: Head, header: Header) -> list[tuple[str, ...]]:
    """Return the numbers that each cell lists, as in ``[ 1, 3]``."""
    found = []
    for at, cell in enumerate(cells):
        if cell not in _NOTHING and _NUMBER_LIST.fullmatch(cell) is None:
            what = f"has {quote(cell, 30)!r} as {_LIST}"
            line = header.lines + 1 + at
            raise ParseError(what, path=head.path, line=line, hint="it lists numbers: [ 1, 3]")
        numbers = re.findall(r"\d+", cell)
        found.append(tuple(dict.fromkeys(number for number in numbers if number not in _NONE)))
    return found


def _numbers(columns: dict[str, list[str]], lists: list[tuple[str, ...]]) -> list[str] | None:
    """Return the number of each fixation's area: those that the list means, where there is one."""
    for cells in columns.values():
        own = ["" if cell in _NONE else cell for cell in cells]
        if all(
            not area or not listed or area in listed
            for area, listed in zip(own, lists, strict=True)
        ):
            return own
    return None
