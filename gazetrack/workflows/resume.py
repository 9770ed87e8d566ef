"""Which recordings of a study are done, which are to be converted, and why.

The manifest of the engine keeps what was done. Here is what a conversion depends on, and by what a
recording is known whose file is not to be named: by its bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gazetrack.errors import InputError
from gazetrack.publish import sha256_of
from gazetrack.storage.address import joined
from gazetrack.storage.states import TAGGED, state_of_object
from gazetrack.workflows.company import RecordingFiles
from gazetrack.workflows.engine.manifest import looking_in, state_of
from gazetrack.workflows.outcome import Outcome, is_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gazetrack.tables.pseudonyms import Pseudonyms
    from gazetrack.workflows.engine.manifest import Look, Manifest
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.pairs import Pair
    from gazetrack.workflows.read import InputOptions

    # Told of each recording and its outcomes as soon as they are there.
    AtOnce: TypeAlias = Callable[[Pair, list[Outcome]], None]

# Where the tables go, which files are taken and what may be replaced is no part of what they hold.
_NO_PARAMETERS = ("out", "dataset", "force", "recursive")
_DONE = ("ok", "joined")


@dataclass(frozen=True)
class Step:
    """What is to be done about a recording.

    Parameters
    ----------
    why : str
        Why it is to be converted; an empty text where it is done.
    key : str
        What it is called in the manifest; empty where it has no name yet.
    files : list of dict
        Its files as they were before they were read.
    before : Outcome or None
        What became of it, where it is done.
    replaces : tuple of str
        Names of its tables of before, which new ones may replace.
    """

    why: str
    key: str = ""
    files: tuple[dict[str, Any], ...] = ()
    before: Outcome | None = None
    replaces: tuple[str, ...] = ()


class Study:
    """A conversion with a manifest.

    Parameters
    ----------
    manifest : Manifest
        What was done so far.
    options : ConvertOptions
        What is to be done.
    pseudonyms : Pseudonyms
        Of these options: whether files may be named.
    kind : str
        Which of the tables of a recording are written, which may lie beside others of it: the
        detector whose fixations are asked for, or a data set; empty for those of `convert`.
    """

    def __init__(
        self, manifest: Manifest, options: InputOptions, pseudonyms: Pseudonyms, kind: str
    ) -> None:
        self._manifest = manifest
        self._names_files = pseudonyms.keeps
        self._files = RecordingFiles()
        self._states = self._files.states
        self._kind = kind
        self._parameters = parameters_of(options, pseudonyms)

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
        name = self._name(source, files)
        if not name:
            return Step("new", files=tuple(files))
        key = self._key(name)
        now = self._look(source)
        why = self._manifest.why(key, files, self._parameters, now)
        before = None if why else self._before(key, source)
        if not why and before is None:  # a line that another gazetrack wrote, or somebody's hand
            why = "new"
        replaces = self._manifest.written(key, now) if why else ()
        return Step(why, key, tuple(files), before, replaces)

    def _name(self, source: Source, files: list[dict[str, Any]]) -> str:
        """Return what a recording is called; empty where it cannot be recognised without a name."""
        if self._names_files:
            return self._manifest.name_of(source.path)
        first = files[0]
        if "mark" in first:
            # To know its bytes, it would have to be fetched; a time may be that of two recordings.
            return first["mark"] if first["mark"].startswith(TAGGED) else ""
        # Only where there is something to compare with are its bytes worth reading.
        if not self._manifest.has_size(first["bytes"]):
            return ""
        for file in files:
            file["sha256"] = sha256_of(file["path"])
            del file["mtime_ns"]
        return f"sha256:{first['sha256']}"

    def _look(self, source: Source) -> Look:
        """Return what gives the state of a table of a recording by its name."""
        if source.out_url:
            return partial(self._states.below, source.out_url)
        return looking_in(source.target.parent)

    def going_on(
        self,
        pairs: Sequence[Pair],
        work: Callable[[Sequence[Pair], AtOnce], Iterator[list[Outcome]]],
        again: Callable[[Outcome, Pair], list[Outcome]],
    ) -> Iterator[list[Outcome]]:
        """Do what is not done, note it, and yield all outcomes in the order of the recordings.

        Parameters
        ----------
        pairs : sequence of Pair
            All recordings of the study, in order.
        work : callable
            Does those that are left, and tells of each as soon as it is done.
        again : callable
            Gives what is told about a recording that was done before, from its outcome.

        Yields
        ------
        list of Outcome
            Of each recording, and of the files that belong to it.
        """
        steps = [self.step(source) for source, _ in pairs]
        left: list[Pair] = []
        step_of: dict[int, Step] = {}
        for (source, files), step in zip(pairs, steps, strict=True):
            if step.before is None:
                left.append((replace(source, replaces=step.replaces), files))
                step_of[id(left[-1])] = step

        def at_once(pair: Pair, outcomes: list[Outcome]) -> None:
            self._note(pair[0], step_of[id(pair)], outcomes)

        done = work(left, at_once)
        for pair, step in zip(pairs, steps, strict=True):
            if step.before is None:
                yield _with_lost(step, pair[0], next(done))
            else:
                yield again(step.before, pair)
        # The engine ends its workers, and tells of the last one, when it is asked for one more.
        assert next(done, None) is None  # noqa: S101 - as many outcomes as recordings

    def _note(self, source: Source, step: Step, outcomes: list[Outcome]) -> None:
        """Note that a recording is done; one that failed is tried again by the next call."""
        if any(outcome.status not in _DONE for outcome in outcomes):
            return
        outcome = outcomes[0]
        key = step.key
        if not self._names_files and "mark" not in step.files[0]:
            key = self._key(f"sha256:{outcome.sha256}")
        if not key:  # nothing would know it again
            return
        others = ["" if "mark" in file else sha256_of(file["path"]) for file in step.files[1:]]
        kept = ("bytes", "mtime_ns", "mark") if self._names_files else ("bytes", "mark")
        files = [
            {name: file[name] for name in kept if name in file} | {"sha256": digest}
            for file, digest in zip(step.files, [outcome.sha256, *others], strict=True)
        ]
        folder = source.target.parent
        outputs = []
        for output in outcome.outputs:
            name = _within(folder, output["path"])
            state = self._state_of_output(source, name)
            outputs.append({**state, "path": name, "sha256": output["sha256"]})
        facts = {name: value for name, value in vars(outcome).items() if name != "error"}
        self._manifest.add(
            key, files=files, parameters=self._parameters, outputs=outputs, outcome=facts
        )

    def _state_of_output(self, source: Source, name: str) -> dict[str, Any]:
        """Return the state of a table that was just written.

        Where its store does not tell, it has none that would ever be the same: the recording is
        done again.
        """
        if not source.out_url:
            return state_of(source.target.parent / name)
        try:
            state = state_of_object(joined(source.out_url, name))
        except InputError:
            state = None
        return state or {"bytes": 0, "mark": ""}

    def _key(self, name: str) -> str:
        return f"{name} {self._kind}".rstrip()

    def _before(self, key: str, source: Source) -> Outcome | None:
        """Return the outcome of a recording that is done, with its files as they are named now.

        None where what was noted does not say what an outcome says.
        """
        told = self._manifest.outcome(key)
        if not is_outcome(told) or len(told["outputs"]) != len(self._manifest.tables(key)):
            return None
        outcome = Outcome(**told)
        outcome.summary["unchanged"] = True
        if "notes" in outcome.summary:
            outcome.summary["notes"] = outcome.notes
        if self._names_files:
            outcome.file = str(source.path)
            names = self._manifest.tables(key)
            for output, name in zip(outcome.outputs, names, strict=True):
                output["path"] = str(source.target.parent / name)
        return outcome


def _with_lost(step: Step, source: Source, outcomes: list[Outcome]) -> list[Outcome]:
    """Return outcomes in which a file that was converted before, and is no export now, failed.

    Any other file of a folder that is no export is skipped; the person of this one would be lost.
    """
    for outcome in outcomes:
        if outcome.status == "skipped" and step.why != "new":
            what = "was converted before, and now no reader recognises it"
            hint = "put the export back; what is to leave the study has to leave its folder"
            outcome.status, outcome.notes = "failed", []
            outcome.error = InputError(what, path=source.path, hint=hint)
    return outcomes


def _within(folder: Path, path: str) -> str:
    """Return the name of a table in its folder; in a data set it lies in folders below."""
    shown, above = Path(path), f"{folder}/"
    if path.startswith(above):  # an address as well
        return path.removeprefix(above)
    return shown.relative_to(folder).as_posix() if folder in shown.parents else shown.name


def parameters_of(options: InputOptions, pseudonyms: Pseudonyms) -> dict[str, str]:
    """Return all that tables depend on besides the recording, as texts that can be compared.

    Of the key of pseudonyms it is a digest: a manifest is no place for a secret.
    """
    key = hashlib.sha256(pseudonyms.key).hexdigest()[:16] if pseudonyms.key else ""
    told = f"{pseudonyms.policy} {key}".rstrip()
    if pseudonyms.stimuli != "keep":
        told += f", stimuli {pseudonyms.stimuli}"
    if pseudonyms.messages != "keep":
        told += f", messages {pseudonyms.messages}"
    return texts_of(options) | {"pseudonyms": told}


def texts_of(options: InputOptions) -> dict[str, str]:
    """Return the options that results depend on, as texts that can be compared."""
    return {
        field.name: _text(getattr(options, field.name))
        for field in fields(options)
        if field.name not in _NO_PARAMETERS
    }


def _text(value: object) -> str:
    # The order in which columns were named says nothing.
    return repr(dict(sorted(value.items())) if isinstance(value, Mapping) else value)
