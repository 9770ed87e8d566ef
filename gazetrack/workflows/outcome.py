"""What became of each input: what the command line prints and what ``--report`` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gazetrack.errors import ConfigError, OutputError, quote
from gazetrack.publish import refuse_overwrite, write_text
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gazetrack.errors import GazetrackError


_MARKS = {"file", "status", "sha256", "version"}
_MAX_LINE_BYTES = 64 * 1024**2


@dataclass
class Outcome:
    """What became of one input.

    Parameters
    ----------
    file : str
        The input as the user named it.
    status : {"ok", "partial", "failed", "skipped", "joined"}
        ``partial``: the output is there, some of the input is not in it. ``skipped``: a file found
        in a folder that is no export; its note says what it is. ``joined``: part of the recording
        of another input, which its note names; its rows are counted with those of that input.
    error : GazetrackError or None
        Why it failed, or is partial.
    sha256, format : str
        Digest of the input's bytes, and the format it was read as.
    rows_in, rows_out : int
        Rows read and written. In the report ``rows_used`` stands beside them: ``rows_in`` is
        ``rows_used`` plus all of `dropped`. Many rows used, such as samples, may make few rows
        written, such as fixations.
    dropped : dict of str to int
        Rows not used, by reason.
    mended : dict of str to int
        Rows used though they were shorter or longer than the header, by what was done.
    left_out : dict of str to int
        Fixations that the export's own rows describe and the table does not hold, by reason.
    notes : list of str
        What had to be inferred.
    outputs : list of dict
        Path, rows and sha256 of every file written.
    summary : dict
        What was found, for the user.
    """

    file: str
    status: Literal["ok", "partial", "failed", "skipped", "joined"] = "ok"
    error: GazetrackError | None = None
    sha256: str = ""
    format: str = ""
    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as one object of a report file, with the whole message."""
        hidden = ("error", "summary")
        values = {name: value for name, value in vars(self).items() if name not in hidden}
        values["rows_used"] = self.rows_in - sum(self.dropped.values())
        values["loss"] = self.summary.get("loss")
        for name in ("code", "line", "column", "byte"):
            values[name] = getattr(self.error, name, None)
        values["message"] = "" if self.error is None else self.error.whole()
        values["version"] = __version__
        return values


def is_outcome(told: dict[str, Any]) -> bool:
    """Whether what a file says is all that an `Outcome` without an error holds, and nothing else.

    Parameters
    ----------
    told : dict
        What was read: names of fields and their values.
    """
    example = vars(Outcome(""))
    kinds = {name: type(value) for name, value in example.items() if name != "error"}
    return (
        told.keys() == kinds.keys()
        and all(isinstance(told[name], kind) for name, kind in kinds.items())
        and all(isinstance(note, str) for note in told["notes"])
        and all(isinstance(output, dict) for output in told["outputs"])
        and isinstance(told["summary"].get("recordings", []), list)
        and all(
            isinstance(count, int)
            for counts in ("dropped", "mended", "left_out")
            for count in told[counts].values()
        )
    )


def settled(
    outcomes: Iterable[Outcome], errors: Literal["raise", "report"] = "raise"
) -> list[Outcome]:
    """Wait for all outcomes, and raise the first error among them where errors are to be raised.

    Parameters
    ----------
    outcomes : iterable of Outcome
        Of the inputs of one call, perhaps still to come.
    errors : {"raise", "report"}
        ``report`` leaves the errors in the outcomes.

    Returns
    -------
    list of Outcome
        All of them, in their order.

    Raises
    ------
    GazetrackError
        The first error. Where several inputs failed, the notes of the exception name the others
        (`BaseException.add_note`), which a traceback shows.
    ConfigError
        `errors` is neither of the two.
    """
    if errors not in ("raise", "report"):
        raise ConfigError(f"errors={errors!r}", hint="use raise or report")
    done = list(outcomes)
    found = [outcome.error for outcome in done if outcome.error is not None]
    if found and errors == "raise":
        first = found[0]
        if len(found) > 1:
            first.add_note(f"{len(found)} of {len(done)} inputs have errors; the others:")
            for other in found[1:]:
                first.add_note(str(other))
        raise first
    return done


def namesakes_noted(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Note where two exports name a recording alike: pandas would take them for one."""
    owners: dict[str, str] = {}
    for outcome in outcomes:
        names = outcome.summary.get("recordings", ())
        shared = [name for name in names if owners.setdefault(name, outcome.file) != outcome.file]
        if shared:
            other = quote(owners[shared[0]], 80)
            what = f"{other} names a recording {quote(shared[0], 40)} as well"
            outcome.notes.append(f"{what}: group by participant, or keep the tables apart")
        yield outcome


def check_report(path: str | Path, inputs: Iterable[str | Path]) -> None:
    """Refuse to write a report over an input, or over a file that is no earlier report.

    It is called before any work starts, so that nothing is done in vain.

    Raises
    ------
    OutputError
        The report would replace such a file.
    """
    refuse_overwrite(path, inputs)
    path = Path(path)
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_MAX_LINE_BYTES) or "{}")
    except (OSError, ValueError, RecursionError):
        first = None
    is_report = isinstance(first, dict) and (not first or set(first) >= _MARKS)
    if not is_report:
        hint = "choose another --report, or remove it"
        raise OutputError("is there and is no earlier report", path=path, hint=hint)


def write_report(path: str | Path, outcomes: Iterable[Outcome]) -> None:
    """Publish the outcomes as JSON lines, one object per input.

    Raises
    ------
    OutputError
        It cannot be written, or there is something else by now, such as a table of this very call.
    """
    check_report(path, [])
    lines = [
        json.dumps(outcome.as_json(), ensure_ascii=False, sort_keys=True) for outcome in outcomes
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
