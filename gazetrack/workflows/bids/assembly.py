"""Recordings that were written one by one, put together as a data set: names, sidecars, and root.

Specification: "Brain Imaging Data Structure" 1.11, "Modality agnostic files" and "Derivatives".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError, quote
from gazetrack.publish import put, write_json, write_text
from gazetrack.workflows.bids.labels import Entities
from gazetrack.workflows.bids.participants import write_participants
from gazetrack.workflows.bids.sidecars import BIDS_VERSION, GENERATED_BY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gazetrack.workflows.bids.participants import People
    from gazetrack.workflows.bids.rules import Rules

DERIVATIVES = "derivatives/gazetrack"
_TYPE = "DatasetType"


@dataclass
class Staged:
    """One recording whose tables are written, in a folder of its own and without their names.

    Parameters
    ----------
    file : str
        The export, as messages name it.
    folder : str
        Its folder within the data set in the making.
    label : str
        What the recording is called in messages.
    participant : str
        Who was recorded, as exported; empty where the export does not say it.
    found : dict of str to str
        Labels by entity, those that are known.
    named : str
        What the subject's label was made of, in the words of the export.
    is_given : bool
        Whether the user has given the subject's label, so that others may share it.
    data_set : str
        The folder of the BIDS data set that the export is of; empty for all other exports.
    asked : str
        The folder that was named as input and holds the export, or the named export's own.
    lies_in : str
        The folder of the export's own file, as it was found.
    fits : frozenset of str
        What patterns of the rules fit: file, recording, participant.
    looked_up : dict of str to str
        What was found in the names of the export by entity, as far as the rules may label it.
    rows, derived_rows : dict of str to int
        The tables, and how many rows each has.
    sidecars, derived_sidecars : dict of str to dict
        What is to be written beside them.
    sha256 : dict of str to str
        The digests of the tables.
    """

    file: str
    folder: str
    label: str
    participant: str
    found: dict[str, str]
    named: str
    is_given: bool = False
    data_set: str = ""
    asked: str = ""
    lies_in: str = ""
    fits: frozenset[str] = frozenset()
    looked_up: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    sidecars: dict[str, dict[str, Any]] = field(default_factory=dict)
    derived_rows: dict[str, int] = field(default_factory=dict)
    derived_sidecars: dict[str, dict[str, Any]] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)


def named(recordings: Sequence[Staged], task: str) -> list[Entities]:
    """Return what each recording is called in the data set.

    Recordings of one subject, session and task that have no run are numbered in their order.

    Parameters
    ----------
    recordings : sequence of Staged
        All recordings, in the order of the exports.
    task : str
        The task of those whose rules name none.

    Raises
    ------
    DataError
        Two recordings would have one name, one participant two, or two participants one; or a
        subject would be made of two data sets.
    """
    _refuse_two_names(recordings)
    _refuse_one_label(recordings)
    _refuse_two_data_sets(recordings)
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, one in enumerate(recordings):
        own = (one.found["subject"], one.found.get("session", ""), one.found.get("task", task))
        groups[own].append(number)
    entities: dict[int, Entities] = {}
    for (subject, session, own_task), numbers in groups.items():
        runs = _runs([recordings[number] for number in numbers])
        for number, run in zip(numbers, runs, strict=True):
            entities[number] = Entities(subject=subject, session=session, task=own_task, run=run)
    _refuse_alike_but_for_case(entities.values())
    return [entities[number] for number in range(len(recordings))]


def _runs(recordings: Sequence[Staged]) -> list[str]:
    """Return the runs of recordings that share all else: as found, and the next free numbers."""
    given: dict[int, Staged] = {}
    for one in recordings:
        run = one.found.get("run", "")
        if not run:
            continue
        other = given.setdefault(int(run), one)
        if other is not one:
            what = f"is the same subject, session, task and run {run} as {quote(other.file, 60)}"
            hint = "tell them apart with [match] in --rules, or leave one out"
            raise DataError(what, path=one.file, hint=hint)
    if len(recordings) == 1:
        return [recordings[0].found.get("run", "")]
    free = (number for number in range(1, 2 * len(recordings) + 1) if number not in given)
    return [one.found.get("run") or str(next(free)) for one in recordings]


def _refuse_two_names(recordings: Sequence[Staged]) -> None:
    """Refuse exports that name one participant, and would be of two subjects."""
    owners: dict[str, Staged] = {}
    for one in recordings:
        if not one.participant:
            continue
        other = owners.setdefault(one.participant, one)
        mine, yours = one.found["subject"], other.found["subject"]
        # Two people of two folders may both be called P1, where the user gives each a label.
        are_two = one.is_given and other.is_given and one.lies_in != other.lies_in
        if mine != yours and not are_two:
            who = quote(one.participant, 40)
            what = (
                f"names the participant {who!r} and would be sub-{mine}, "
                f"but {quote(other.file, 60)} of the same would be sub-{yours}"
            )
            hint = "correct [match] in --rules, so that both give one subject"
            raise DataError(what, path=one.file, hint=hint)


def _refuse_one_label(recordings: Sequence[Staged]) -> None:
    """Refuse names that differ, and would be one subject on their way to a label."""
    owners: dict[str, Staged] = {}
    for one in recordings:
        subject = one.found["subject"]
        other = owners.setdefault(subject.casefold(), one)
        both_given = one.is_given and other.is_given and subject == other.found["subject"]
        if one.named != other.named and not both_given:
            mine, yours = quote(one.named, 40), quote(other.named, 40)
            what = f"{mine!r} and {yours!r} of {quote(other.file, 60)} would both be sub-{subject}"
            hint = "say who they are in [labels.subject] of --rules: one label for one participant"
            raise DataError(what, path=one.file, hint=hint)


def _refuse_two_data_sets(recordings: Sequence[Staged]) -> None:
    """Refuse subjects of two data sets that have one label: whether they are one, nobody knows."""
    owners: dict[str, Staged] = {}
    for one in recordings:
        if not one.data_set or one.is_given:
            continue
        subject = one.found["subject"]
        other = owners.setdefault(subject.casefold(), one)
        if other.data_set != one.data_set:
            what = f"sub-{subject} is also in another data set: {quote(other.file, 60)}"
            hint = "tell them apart by file in [match] of --rules; one person: [labels.subject]"
            raise DataError(what, path=one.file, hint=hint)


def _refuse_alike_but_for_case(entities: Any) -> None:
    labels: dict[tuple[str, str], str] = {}
    for one in entities:
        for entity in ("session", "task"):
            label = getattr(one, entity)
            other = labels.setdefault((entity, label.casefold()), label)
            if other != label:
                what = f"the {entity} labels {other} and {label} differ in case alone"
                raise DataError(what, hint="give both one label in --rules")


def assemble(
    root: Path, recordings: Sequence[Staged], entities: Sequence[Entities], rules: Rules
) -> dict[int, list[dict[str, Any]]]:
    """Put tables in place under their names, with their sidecars.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the data set in the making.
    recordings : sequence of Staged
        All recordings, in the order of the exports.
    entities : sequence of Entities
        What each of them is called.
    rules : Rules
        What is to be said of the tasks.

    Returns
    -------
    dict of int to list of dict
        By the number of the recording, its tables: path within the data set, rows and sha256.
    """
    outputs: dict[int, list[dict[str, Any]]] = {}
    for number, (one, own) in enumerate(zip(recordings, entities, strict=True)):
        of_task = {"TaskName": own.task, **rules.tasks.get(own.task, {})}
        listed = []
        for above, rows, sidecars in (
            ("", one.rows, one.sidecars),
            (f"{DERIVATIVES}/", one.derived_rows, one.derived_sidecars),
        ):
            begin = f"{above}{own.folder}/{own.prefix}"
            for name, n_rows in rows.items():
                place = f"{begin}_{name}"
                put(root / one.folder / name, root / place)
                listed.append({"path": place, "rows": n_rows, "sha256": one.sha256[name]})
            for name, facts in sidecars.items():
                full = of_task if name == "events.json" else {"TaskName": of_task["TaskName"]}
                write_json(root / f"{begin}_{name}", {**full, **facts})
        outputs[number] = listed
    return outputs


def write_root(
    root: Path, name: str, subjects: Sequence[str], people: People, rules: Rules
) -> list[str]:
    """Write what describes the data set as a whole, and return notes for the user.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the data set in the making.
    name : str
        What it is called where the rules do not say it.
    subjects : sequence of str
        The labels of those who were recorded.
    people : People
        What is known of them.
    rules : Rules
        What the user says of the data set.
    """
    facts: dict[str, Any] = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        _TYPE: "raw",
        **rules.dataset,
        "GeneratedBy": GENERATED_BY,
    }
    if rules.hed is not None:
        facts["HEDVersion"] = rules.hed.version
    write_json(root / "dataset_description.json", facts)
    write_text(root / "README.md", _README.format(name=facts["Name"]))
    return write_participants(root, subjects, people)


def write_derivatives_root(root: Path, name: str, rules: Rules) -> None:
    """Write what describes the data set of derivatives; see `write_root`."""
    facts: Mapping[str, Any] = {
        "Name": f"{rules.dataset.get('Name', name)}: fixations and data quality",
        "BIDSVersion": BIDS_VERSION,
        _TYPE: "derivative",
        **{key: rules.dataset[key] for key in ("License", "Authors") if key in rules.dataset},
        "GeneratedBy": GENERATED_BY,
        "SourceDatasets": [{"URL": "../.."}],
    }
    write_json(root / DERIVATIVES / "dataset_description.json", facts)
    write_text(root / DERIVATIVES / "README.md", _README_DERIVATIVES)


_README = """# {name}

Eye tracking in BIDS 1.11, written by gazetrack from the exports of the trackers.

Each eye of a recording has its samples in `*_recording-eye<index>_physio.tsv.gz`, whose columns
are named in the JSON file beside it, and what the tracker called events in
`*_physioevents.tsv.gz`. What was shown when is in `*_events.tsv`, the screen in `*_events.json`.
Times of samples are milliseconds on the tracker's clock, positions are pixels from the top left
corner of the screen. Fixations and the data quality are in `derivatives/gazetrack`, where they
were asked for.

Please describe here the study, who may use the data, and whom to ask.
"""
_README_DERIVATIVES = """# Fixations and data quality

Made by gazetrack of the data set two folders above. `*_desc-fixations_events.tsv` has a row a
fixation, onsets in seconds from the first sample of the recording; its sidecar says whether they
are the tracker's own or detected, and with which parameters. `*_desc-quality_beh.tsv` has a row
an eye: rates, loss, gaps and precision. The JSON file beside each table says what its columns mean.
"""
