r"""Rules of a study in TOML: which part of a name is the subject, and what BIDS wants to know more.

::

    [match]                        # regular expressions with groups subject, session, task, run
    file = 'S(?P<subject>\d+)_(?P<task>[a-z]+)'   # looked for in the path of the export
    recording = '…'                # in the recording's name, as exported
    participant = '…'              # in the participant's name, as exported

    [labels.subject]               # what was found, and its label
    "Anna" = "01"

    [dataset]                      # for dataset_description.json
    Name = "A study of looking"

    [task.look]                    # for the sidecars of this task's events
    TaskDescription = "Look at pictures."

    [hed]                          # a column HED in the tables of events
    version = "8.3.0"
    event = "Sensory-event, Visual-presentation"
    [hed.stimuli]
    "face.png" = "Sensory-event, Visual-presentation, (Image, Face)"
"""

from __future__ import annotations

import re
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, InputError, did_you_mean, quote
from gazetrack.workflows.bids.labels import ENTITIES, checked_label, composed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MATCHED = ("file", "recording", "participant")
_SECTIONS = ("match", "labels", "dataset", "task", "hed")
# What a user may say of a data set and of a task; the rest is ours to say.
_OF_DATASET = (
    "Name",
    "License",
    "Authors",
    "Acknowledgements",
    "HowToAcknowledge",
    "Funding",
    "EthicsApprovals",
    "ReferencesAndLinks",
    "DatasetDOI",
    "Keywords",
)
_OF_TASK = (
    "TaskName",
    "TaskDescription",
    "Instructions",
    "CogAtlasID",
    "CogPOID",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
)
_OF_HED = ("version", "event", "stimuli")
_LISTS = ("Authors", "Funding", "EthicsApprovals", "ReferencesAndLinks", "Keywords")


@dataclass(frozen=True, kw_only=True)
class Hed:
    """What is annotated by Hierarchical Event Descriptors, https://www.hedtags.org.

    Parameters
    ----------
    version : str
        Of the HED schema, such as ``8.3.0``.
    event : str
        The annotation of every event that has no other.
    stimuli : mapping of str to str
        The annotation of events that show a stimulus, by its name.
    """

    version: str
    event: str = "n/a"
    stimuli: Mapping[str, str] = field(default_factory=dict)

    def of(self, stimulus: str) -> str:
        """Return the annotation of an event that shows a stimulus, or none."""
        return self.stimuli.get(stimulus, self.event)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a file of rules says.

    Parameters
    ----------
    match : mapping of str to tuple of re.Pattern
        By `MATCHED`, what the groups are looked for in: the first pattern that fits decides.
    labels : mapping of str to mapping of str to str
        By entity, the label of what was found.
    dataset : mapping
        What the user says of the data set: fields of ``dataset_description.json``.
    tasks : mapping of str to mapping
        By the label of a task, fields of its sidecars.
    hed : Hed or None
        How events are annotated, if they are.
    """

    match: Mapping[str, tuple[re.Pattern[str], ...]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dataset: Mapping[str, Any] = field(default_factory=dict)
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hed: Hed | None = None

    def found(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return what the patterns find, by entity.

        Parameters
        ----------
        texts : mapping of str to str
            By `MATCHED`, the path of the export and the names in it.
        """
        entities: dict[str, str] = {}
        for where in MATCHED:
            for pattern in self.match.get(where, ()):
                match = pattern.search(composed(texts.get(where, "")))
                if match is not None:
                    own = {name: text for name, text in match.groupdict().items() if text}
                    entities = own | entities
                    break
        return entities

    def fits(self, texts: Mapping[str, str]) -> frozenset[str]:
        """Return which of `MATCHED` have a pattern that fits; for the parameter see `found`."""
        return frozenset(
            where
            for where, patterns in self.match.items()
            if any(pattern.search(composed(texts.get(where, ""))) for pattern in patterns)
        )

    def label(self, entity: str, found: str) -> str:
        """Return the label that the rules give what was found; empty where they give none."""
        return self.labels.get(entity, {}).get(composed(found), "")


def read_rules(path: str | Path | None) -> Rules:
    """Read a file of rules; without one there are none.

    Raises
    ------
    InputError
        There is no such file, or it is no TOML.
    ConfigError
        A key that is not known, a pattern that cannot be, a label that BIDS forbids.
    """
    if path is None:
        return Rules()
    path = Path(path)
    if not path.is_file():
        raise InputError("no such file", path=path, hint="check the name")
    try:
        told = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        what = f"is no TOML file: {quote(error, 120)}"
        raise InputError(what, path=path, hint="correct it, see docs/bids.md") from error
    try:
        return _rules(told)
    except ConfigError as error:
        raise ConfigError(error.what, path=path, hint=error.hint) from None


def _rules(told: Mapping[str, Any]) -> Rules:
    _refuse_unknown(told, _SECTIONS, "as a section")
    sections = {name: _table(told.get(name, {}), f"[{name}]") for name in _SECTIONS}
    _refuse_unknown(sections["match"], MATCHED, "in [match]")
    _refuse_unknown(sections["labels"], ENTITIES, "in [labels]")
    _refuse_unknown(sections["dataset"], _OF_DATASET, "in [dataset]")
    return Rules(
        match={where: _patterns(where, given) for where, given in sections["match"].items()},
        labels={entity: _labels(entity, table) for entity, table in sections["labels"].items()},
        dataset={name: _fact(name, value) for name, value in sections["dataset"].items()},
        tasks={task: _of_task(task, table) for task, table in sections["task"].items()},
        hed=_hed(sections["hed"]),
    )


def _patterns(where: str, given: Any) -> tuple[re.Pattern[str], ...]:
    texts = given if isinstance(given, list) else [given]
    patterns = []
    for text in texts:
        try:
            pattern = _compiled(composed(_text(text, f"{where} in [match]")))
        except (re.error, OverflowError, RecursionError) as error:
            what = f"{where} in [match] is no regular expression: {quote(error, 80)}"
            hint = "put it in single quotes, so that \\ stays as it is"
            raise ConfigError(what, hint=hint) from None
        _refuse_unknown(pattern.groupindex, ENTITIES, f"as a group of {where} in [match]")
        if not pattern.groupindex:
            what = f"{where} in [match] has no named group"
            raise ConfigError(what, hint="name what it finds, such as (?P<subject>[0-9]+)")
        patterns.append(pattern)
    return tuple(patterns)


def _compiled(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        # That sets of characters may have sets in them one day is nothing for a user of ours.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(text)


def _labels(entity: str, given: Any) -> dict[str, str]:
    where = f"[labels.{entity}]"
    labels: dict[str, str] = {}
    for found, given_label in _table(given, where).items():
        own = f"{quote(found, 40)!r} in {where}"
        label = checked_label(entity, _text(given_label, own), own)
        if labels.setdefault(composed(found), label) != label:
            what = f"{own} is there twice, its accents written in two ways"
            raise ConfigError(what, hint="keep one of the two")
    return labels


def _of_task(task: str, given: Any) -> dict[str, Any]:
    where = f"[task.{task}]"
    checked_label("task", task, where)
    facts = _table(given, where)
    _refuse_unknown(facts, _OF_TASK, f"in {where}")
    return {name: _text(value, f"{name} in {where}") for name, value in facts.items()}


def _fact(name: str, value: Any) -> Any:
    if name not in _LISTS:
        return _text(value, f"{name} in [dataset]")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise ConfigError(f"{name} in [dataset] is no list of texts", hint='write ["…", "…"]')


def _hed(given: Mapping[str, Any]) -> Hed | None:
    if not given:
        return None
    _refuse_unknown(given, _OF_HED, "in [hed]")
    if "version" not in given:
        hint = 'name the version of the schema, such as version = "8.3.0"'
        raise ConfigError("[hed] without a version", hint=hint)
    stimuli = _table(given.get("stimuli", {}), "[hed.stimuli]")
    return Hed(
        version=_text(given["version"], "version in [hed]"),
        event=_text(given.get("event", "n/a"), "event in [hed]"),
        stimuli={
            name: _text(value, f"{quote(name, 40)!r} in [hed.stimuli]")
            for name, value in stimuli.items()
        },
    )


def _table(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ConfigError(f"{where} is no section", hint=f"write {where} on a line of its own")


def _text(value: Any, where: str) -> str:
    if isinstance(value, str) and value and value.isprintable():
        return value
    if isinstance(value, str) and value:
        what = f"{where} holds a tab, a line end or another sign that cannot be shown"
        raise ConfigError(f"{what}: {quote(value, 40)!r}", hint="take it out")
    raise ConfigError(f"{where} is {quote(value, 40)!r}, no text", hint="write it in quotes")


def _refuse_unknown(given: Iterable[str], known: Iterable[str], where: str) -> None:
    names = tuple(known)
    for name in given:
        if name not in names:
            hint = f"{did_you_mean(name, names)}known are {', '.join(names)}"
            raise ConfigError(f"{quote(name, 40)!r} {where} is not known", hint=hint)
