"""What becomes of a damaged export: read in order, refused in order, or a fault of ours."""

from __future__ import annotations

import re
import time
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import _mutant_bytes
import _mutant_rows
import numpy as np
from _mutant_cases import Case, placed, same_numbers, same_tables, unnamed

import gazetrack
from gazetrack.errors import MAX_MESSAGE_CHARS, GazetrackError, NoGaze, ParseError
from gazetrack.tables.store import read_table
from tests.contracts import check_recording
from tests.damage import LEAST_ROWS, is_silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.tables.recording import Recording

# One of so many mutants is converted to tables as a user would, which takes longer.
CONVERTED_EACH = 8
# How often each class of change is drawn.
_SHARES = {"any": 0.5, "error": 0.2, "notice": 0.15, "harmless": 0.15}
_UNFORESEEN = "cannot make sense of it"
# What a message says that speaks of the program and not of the file.
_OF_PROGRAM = re.compile(
    r"Traceback|Error:|NoneType|has no attribute|out of range|<class|0x[0-9a-f]{8}"
)
# Fixations of which each is a showing of its own, or that hold no time: in any order they are
# the same recording.
TIMELESS = {"gazepoint/time_in_secs", "gazepoint/time_in_secs_gaze"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A changed export.

    Parameters
    ----------
    number : int
        Which it is of its seed.
    case : Case
        What was changed.
    what : str
        How, a key of the tables of changes.
    kind : {"any", "error", "notice", "harmless"}
        What is asked of it.
    data : bytes
        What came out.
    """

    number: int
    case: Case
    what: str
    kind: str
    data: bytes


@dataclass(kw_only=True)
class Verdict:
    """What became of a mutant.

    Parameters
    ----------
    number : int
        Which mutant of its seed.
    case, what, kind, format : str
        The export, its change, the class of the change, and the format.
    verdict : str
        ``read``, ``refused``, or a fault: ``hard``, ``unclear``, ``silent``, ``changed`` (by what
        does no harm).
    detail : str
        The message, or what is wrong.
    placed : bool
        Whether a message names a line, a byte or a column.
    parsing : bool
        Whether the message is about the content of a file of a known format.
    seconds : float
        How long it took.
    """

    number: int
    case: str
    what: str
    kind: str
    format: str = ""
    verdict: str = "read"
    detail: str = ""
    placed: bool = False
    parsing: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return asdict(self)


def mutant(seed: int, number: int, cases: Sequence[Case]) -> Mutant:
    """Make the mutant with a number: the same seed, number and exports make the same bytes.

    Parameters
    ----------
    seed, number : int
        Of the series, and of the mutant in it.
    cases : sequence of Case
        The exports that are changed.
    """
    rng = np.random.default_rng([seed, number])
    while True:
        case = cases[int(rng.integers(len(cases)))]
        kind = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
        changed = _changed(rng, case, kind, cases)
        if changed is not None and changed[1] != case.data:
            return Mutant(number=number, case=case, what=changed[0], kind=kind, data=changed[1])


def _changed(
    rng: np.random.Generator, case: Case, kind: str, cases: Sequence[Case]
) -> tuple[str, bytes] | None:
    """Return what was changed, and the bytes; None where it cannot be done to this export."""
    if kind == "any":
        what, change = _drawn(rng, _mutant_bytes.CHANGES)
        other = cases[int(rng.integers(len(cases)))]
        return what, change(rng, case.data, other.data)
    in_rows = {
        "error": _mutant_rows.ERRORS,
        "notice": _mutant_rows.NOTICES,
        "harmless": _mutant_rows.HARMLESS_ROWS,
    }
    if kind == "harmless" and rng.random() < 0.7:
        what, plain = _drawn(rng, _mutant_rows.HARMLESS)
        data = plain(rng, case.data)
        return None if data is None else (what, data)
    export = case.export
    if not _mutant_rows.has_rows(export):
        return None
    what, change = _drawn(rng, in_rows[kind])
    changed = change(rng, export)
    return None if changed is None else (what, changed.encoded())


def _drawn(rng: np.random.Generator, changes: dict[str, Any]) -> tuple[str, Any]:
    return list(changes.items())[int(rng.integers(len(changes)))]


def judge(one: Mutant, folder: Path) -> Verdict:
    """Read a mutant, and say what became of it.

    Parameters
    ----------
    one : Mutant
        What is read.
    folder : pathlib.Path
        An empty folder, which is empty again afterwards.
    """
    case = one.case
    found = Verdict(number=one.number, case=case.name, what=one.what, kind=one.kind)
    path = placed(folder, case.file)
    path.write_bytes(one.data)
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            # What a library warns of is printed beside our own words, and speaks of arrays.
            warnings.simplefilter("error")
            recording = gazetrack.read(path, case.given_format, columns=case.columns or {})
        found.format = recording.format
        check_recording(recording, recording.format, recording.name)
    except GazetrackError as error:
        _judge_message(found, error)
    except AssertionError as error:
        found.verdict = "hard"
        found.detail = f"a table against its contract: {error}"[:500]
    except BaseException as error:  # noqa: BLE001 - a fault of ours, which is what is looked for
        found.verdict = "hard"
        found.detail = f"{type(error).__name__}: {error}"[:500]
    else:
        _judge_numbers(found, one, recording)
        if one.number % CONVERTED_EACH == 0 and found.verdict == "read" and one.kind != "harmless":
            _convert(found, path, case)
    found.seconds = round(time.perf_counter() - start, 3)
    path.unlink()
    return found


def _judge_message(found: Verdict, error: GazetrackError) -> None:
    message = str(error)
    found.verdict = "refused"
    found.detail = message
    found.parsing = isinstance(error, ParseError) and not isinstance(error, NoGaze)
    named = "column" in error.what or "line" in error.what
    found.placed = named or any(at is not None for at in (error.line, error.column, error.byte))
    whole = error.whole()
    wrong = (
        (_UNFORESEEN in whole, "unforeseen"),
        (error.path is None, "names no file"),
        (not error.hint, "does not say what to do"),
        (len(message) > MAX_MESSAGE_CHARS, "too long"),
        (not message.isprintable(), "control characters"),
        (bool(_OF_PROGRAM.search(message)), "speaks of the program"),
        (error.code in ("ERROR", "INTERNAL"), "has no code"),
    )
    reasons = [words for is_so, words in wrong if is_so]
    if found.kind == "harmless":
        found.verdict = "changed"
    elif reasons:
        found.verdict = "unclear"
        found.detail = f"{', '.join(reasons)}: {message}"


def _judge_numbers(found: Verdict, one: Mutant, recording: Recording) -> None:
    whole = one.case.whole
    if one.kind == "harmless":
        if _of_columns_in_order(one):
            return
        if not same_tables(recording, whole) or recording.format != whole.format:
            found.verdict = "changed"
            found.detail = f"other tables, as {recording.format}: {'; '.join(recording.notes)}"
    elif one.kind in ("error", "notice") and _is_silent(one, recording):
        found.verdict = "silent"
        found.detail = f"read as {recording.format}: {'; '.join(recording.notes)}"


def _of_columns_in_order(one: Mutant) -> bool:
    """Return whether the order of the columns says something: which of several snapshots counts."""
    counts = any("the first one counts" in note for note in one.case.whole.notes)
    return counts and one.what == "columns in another order"


def _is_silent(one: Mutant, recording: Recording) -> bool:
    whole = one.case.whole
    if _is_of_order(one.what) and (
        one.case.name in TIMELESS or same_numbers(whole, recording, in_order=False)
    ):
        return False  # two messages of one time, for example
    if _is_of_order(one.what) and _n_rows(whole) < LEAST_ROWS:
        return False  # the order of two or three rows says nothing
    if one.what == "two recordings":
        return not _told_apart(whole, recording)
    # A cell without a value is a number that is missing, and is told so by what is lost.
    if one.what in _mutant_rows.MISSING and _n_missing(recording) > _n_missing(whole):
        return False
    word = _mutant_rows.WORDS.get(one.what)
    if word is not None and (same_numbers(whole, recording) or word in _names(recording)):
        return False  # the cell holds a name, such as that of a trial, and any word is one
    return is_silent(one.what, whole, recording)


def _names(recording: Recording) -> set[str]:
    """Return all texts of the tables, and the names of recordings and people."""
    tables = (recording.sample_table, recording.event_table, recording.fixation_table)
    frames = [table.to_pandas() for table in tables if table is not None]
    return {*recording.participants, *recording.participants.values()} | {
        str(value)
        for frame in frames
        for name in frame.columns
        if frame[name].dtype.kind != "f"
        for value in frame[name].unique()
    }


def _n_rows(recording: Recording) -> int:
    tables = (recording.sample_table, recording.fixation_table)
    return sum(table.num_rows for table in tables if table is not None)


def _n_missing(recording: Recording) -> int:
    tables = (recording.sample_table, recording.event_table, recording.fixation_table)
    return sum(int(unnamed(table).isna().sum().sum()) for table in tables if table is not None)


def _is_of_order(what: str) -> bool:
    return what.startswith(("rows ", "two rows"))


def _told_apart(once: Recording, twice: Recording) -> bool:
    """Return whether two recordings in one file are two stretches of time, or twice the rows."""
    if once.sample_table is None:
        # Fixations need no clock: twice as many are what is there.
        return True
    return _stretches(twice) == 2 * _stretches(once) or bool(set(twice.notes) - set(once.notes))


def _stretches(recording: Recording) -> int:
    rows = recording.sample_table.select(["recording", "trial"]).to_pandas().astype(str)
    return len(rows.drop_duplicates())


def _convert(found: Verdict, path: Path, case: Case) -> None:
    """Write the tables of a mutant that could be read, and look at what lies there."""
    from gazetrack.workflows.convert import ConvertOptions, convert_files

    out = path.parent / "out"
    options = ConvertOptions(
        out=out, samples=True, events=True, format=case.given_format, columns=case.columns or {}
    )
    try:
        (outcome,) = convert_files([path], options)
        if outcome.error is not None:
            _judge_message(found, outcome.error)
        for entry in outcome.outputs:
            read_table(entry["path"])
    except BaseException as error:  # noqa: BLE001 - a fault of ours, which is what is looked for
        found.verdict = "hard"
        found.detail = f"convert: {type(error).__name__}: {error}"[:500]
    left = [file.name for file in out.rglob("*") if ".tmp" in file.name] if out.is_dir() else []
    if left:
        found.verdict = "hard"
        found.detail = f"convert left {left}"
    if out.is_dir():
        for file in sorted(out.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        out.rmdir()
