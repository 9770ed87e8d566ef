"""What was found in each recording of a report, kept in a manifest, so that a report goes on.

A report is one table of all recordings. Cut short, nothing of it would be left; what was found in a
recording is therefore noted as soon as it is there, and taken from the notes by the next call.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from gazetrack.errors import InputError
from gazetrack.workflows.company import RecordingFiles
from gazetrack.workflows.resume import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gazetrack.workflows.engine.manifest import Manifest
    from gazetrack.workflows.inputs import Source

    Result = TypeVar("Result")

_KEPT = ("bytes", "mtime_ns", "mark")
_NO_TABLES: dict[str, Any] = {}


class Notes:
    """What a manifest says of the recordings of a report.

    Parameters
    ----------
    manifest : Manifest
        What was done so far.
    kind : str
        What the report is about, such as ``quality``: a manifest may be that of several.
    parameters : mapping of str to str
        All that the results depend on besides the recordings.
    holds : mapping of str to type, optional
        What each note says, by name; one that does not is as if it were not there.
    """

    def __init__(
        self,
        manifest: Manifest,
        kind: str,
        parameters: Mapping[str, str],
        holds: Mapping[str, type] | None = None,
    ) -> None:
        self._manifest = manifest
        self._kind = kind
        self._parameters = parameters
        self._holds = holds or {}
        self._files = RecordingFiles()

    def step(self, source: Source) -> Step:
        """Return whether a recording is done, or why it is not.

        Raises
        ------
        InputError
            A store refuses to say what lies there, or cannot be reached.
        """
        files = self._files.of(source)
        if files is None:  # whoever reads it says why
            return Step("new")
        key = f"{self._manifest.name_of(source.path)} {self._kind}"
        why = self._manifest.why(key, files, self._parameters, _NO_TABLES.get)
        if not why and not self._fits(self._manifest.outcome(key)):
            why = "new"  # a line that another gazetrack wrote, or somebody's hand
        return Step(why, key, tuple(files))

    def _fits(self, told: Mapping[str, Any]) -> bool:
        return all(isinstance(told.get(name), kind) for name, kind in self._holds.items())

    def going_on(
        self,
        sources: Sequence[Source],
        work: Callable[[Sequence[Source], Callable[[Source, Result], None]], Iterator[Result]],
        *,
        kept: Callable[[Result], dict[str, Any] | None],
        again: Callable[[Source, dict[str, Any]], Result],
    ) -> Iterator[Result]:
        """Do what is not done, note it, and yield all results in the order of the recordings.

        Parameters
        ----------
        sources : sequence of Source
            All recordings of the report, in order.
        work : callable
            Does those that are left, and tells of each as soon as it is done.
        kept : callable
            Gives what is noted of a result, as JSON can hold it; None of one that failed, which
            is tried again by the next call.
        again : callable
            Gives the result of a recording from what was noted of it.

        Yields
        ------
        object
            The result of each recording.
        """
        steps = [self.step(source) for source in sources]
        pairs = list(zip(sources, steps, strict=True))
        left = [source for source, step in pairs if step.why]
        step_of = {id(source): step for source, step in pairs}

        def at_once(source: Source, result: Result) -> None:
            step, facts = step_of[id(source)], kept(result)
            if facts is None or not step.key:
                return
            # Its bytes are not read once more to be counted: size and time tell.
            files = [
                {name: file[name] for name in _KEPT if name in file} | {"sha256": ""}
                for file in step.files
            ]
            self._manifest.add(
                step.key, files=files, parameters=self._parameters, outputs=[], outcome=facts
            )

        done = work(left, at_once)
        for source, step in pairs:
            yield next(done) if step.why else again(source, self._manifest.outcome(step.key))
        # The engine ends its workers, and tells of the last one, when it is asked for one more.
        assert next(done, None) is None  # noqa: S101 - as many results as recordings


def packed(table: pa.Table) -> str:
    """Return a table as a text that a line of JSON can hold: Arrow's own bytes, compressed."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode("ascii")


def unpacked(text: str) -> pa.Table:
    """Return the table of a text that `packed` made.

    Raises
    ------
    InputError
        The text is damaged.
    """
    try:
        with pa.ipc.open_stream(base64.b64decode(text, validate=True)) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (ValueError, OSError, MemoryError) as error:  # Arrow's own are among them
        hint = "remove the manifest, and call the command again"
        raise InputError("a table in the manifest is damaged", hint=hint) from error
    return table
