"""What a recording is called in a BIDS data set: labels of its names, and by rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import DataError
from gazetrack.readers.bids.sidecars import entities_in
from gazetrack.workflows.bids.assembly import Staged
from gazetrack.workflows.bids.labels import ENTITIES, label_of, tells_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.tables.pseudonyms import Pseudonyms
    from gazetrack.workflows.bids.parts import Part
    from gazetrack.workflows.bids.rules import Rules
    from gazetrack.workflows.inputs import Source


@dataclass(frozen=True)
class Subjects:
    """How a participant's name becomes the label of a subject.

    Parameters
    ----------
    rules : Rules
        What the user's file of rules says.
    pseudonyms : Pseudonyms
        How participants are named in what is written.
    """

    rules: Rules
    pseudonyms: Pseudonyms

    def label(self, found: str) -> str:
        """Return the label of a name that a table of participants holds; empty for none."""
        given = self.rules.label("subject", found)
        if self.pseudonyms.keeps:
            return given
        return self.pseudonyms.of(given or found)

    def of(self, part: Part, texts: dict[str, str], label: str) -> tuple[str, str, bool]:
        """Return the subject's label, what it was made of, and whether the user gave it.

        Parameters
        ----------
        part : Part
            The recording under the names of the export.
        texts : dict of str to str
            What the rules look at.
        label : str
            The recording's name as it is written, for want of a participant's.
        """
        found = self.rules.found(texts).get("subject", "") or part.participant
        given = self.rules.label("subject", found) if found else ""
        if not self.pseudonyms.keeps:
            pseudonym = self.pseudonyms.of(given or found) or label
            return label_of("subject", pseudonym), pseudonym, bool(given)
        given = given or ("" if found else self.rules.label("subject", label))
        name = found or given or label
        return given or label_of("subject", name), name, bool(given)


@dataclass(frozen=True)
class Place:
    """Where a recording is from and goes to, and all whom its export names.

    Parameters
    ----------
    source : Source
        The export that was read, with the files that belong to it.
    folder : str
        The recording's folder within the data set in the making.
    people : list of str
        The participants of all recordings in the export.
    asked : str
        The folder that was named as input and holds the export, or the named export's own.
    """

    source: Source
    folder: str
    people: list[str]
    asked: str = ""


def named_part(old: Part, new: Part, place: Place, rules: Rules, pseudonyms: Pseudonyms) -> Staged:
    """Return a recording with the labels that its names give it.

    Parameters
    ----------
    old, new : Part
        The recording under the names of the export, and under those that are written.
    place : Place
        Where it is from and goes to.
    rules : Rules
        What the user's file of rules says.
    pseudonyms : Pseudonyms
        How participants are named in what is written.

    Raises
    ------
    DataError
        A label that BIDS forbids, or that gives away a name which is not to be written.
    """
    texts = {
        "file": place.source.path.as_posix(),
        "recording": old.label,
        "participant": old.participant,
    }
    subjects = Subjects(rules, pseudonyms)
    label = new.recording.name if _is_of_file(old) else new.label
    subject, name, is_given = subjects.of(old, texts, label)
    by_rules = rules.found(texts)
    keeps = pseudonyms.keeps
    matched = by_rules.pop("subject", "")
    people = [*place.people, matched]
    found = {"subject": subject}
    looked_up = {"subject": matched or old.participant or (label if keeps else "")}
    for entity, text in (_of_bids(old) | by_rules).items():
        given = rules.label(entity, text)
        looked_up[entity] = text
        if not given and not keeps and tells_of(text, people):
            what = f"the {entity} label that its names give holds a part of a participant's name"
            raise DataError(what, hint=f"give it a label in [labels.{entity}] of --rules")
        found[entity] = given or label_of(entity, text)
    return Staged(
        file=str(place.source.path),
        folder=place.folder,
        label=new.label,
        participant=new.participant,
        found=found,
        named=name,
        is_given=is_given,
        data_set=_data_set_of(old, place.source.path),
        asked=place.asked,
        lies_in=str(place.source.path.parent),
        fits=rules.fits(texts),
        looked_up=looked_up,
    )


def _data_set_of(part: Part, path: Path) -> str:
    """Return the folder of the BIDS data set that an export is of, empty for all others."""
    if part.recording.format != "bids":
        return ""
    above = path.resolve().parents
    roots = [folder.parent for folder in above if folder.name.startswith("sub-")]
    return str(roots[0] if roots else path.resolve().parent)


def _of_bids(part: Part) -> dict[str, str]:
    """Return the session, task and run that the name of a recording in BIDS states."""
    if part.recording.format != "bids":
        return {}
    told = entities_in(part.label)
    others = [entity for entity in ENTITIES if entity != "subject"]
    return {entity: told[ENTITIES[entity]] for entity in others if ENTITIES[entity] in told}


def _is_of_file(part: Part) -> bool:
    """Whether a recording is called after its file, so that others in it are of the same person."""
    name = part.recording.name
    rest = part.label.removeprefix(name)
    return part.label.startswith(name) and not rest[:1].isalnum()
