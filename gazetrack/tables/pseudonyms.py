"""Names of participants out of all that is written: dropped, or replaced by pseudonyms.

A plain hash of a name can be looked up in a list of names, so pseudonyms are HMAC-SHA256 with a
secret key that stays with the user: the same key gives the same pseudonyms in all files. Recordings
and files are often called after people, so they get new names as well: of the pseudonym, and of the
digest of the file's bytes. Pseudonymised is not anonymous: gaze itself can identify people.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.publish import write_text
from gazetrack.tables.cleaning import cleaner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gazetrack.tables.cleaning import Rename
    from gazetrack.tables.recording import Recording

    Key = tuple[str, str]  # a recording, and the participant where several share its name

POLICIES = ("keep", "hash", "drop")
STIMULUS_POLICIES = ("keep", "hash")
MESSAGE_POLICIES = ("keep", "drop")
_KEY_BYTES = 32
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
_NUMBER = re.compile(r"\d*")
_PSEUDONYM_CHARS = 12
_DIGEST_CHARS = 8


@dataclass(frozen=True)
class Pseudonyms:
    """How participants are named in what is written.

    Parameters
    ----------
    policy : {"keep", "hash", "drop"}
        What stands for a participant: the name itself, a keyed pseudonym of it, or nothing.
    key : bytes
        The secret that ``hash`` needs, of 32 bytes as `read_key` gives it; empty for the others.
    stimuli : {"keep", "hash"}
        What stands for a stimulus: its name, which is data and may tell a person all the same, or
        a keyed pseudonym with the same suffix, see `of_stimulus`.
    messages : {"keep", "drop"}
        Whether texts of events, such as messages of the experiment, are kept, without the names
        that are known, or left out; trials are then numbered unless they are numbers.

    Raises
    ------
    ConfigError
        There is no such policy, ``hash`` without a key of that length, or stimuli or messages are
        not kept while names of participants are.
    """

    policy: str = "keep"
    key: bytes = b""
    stimuli: str = "keep"
    messages: str = "keep"

    def __post_init__(self) -> None:
        for what, value, known in (
            ("participants", self.policy, POLICIES),
            ("stimuli", self.stimuli, STIMULUS_POLICIES),
            ("messages", self.messages, MESSAGE_POLICIES),
        ):
            if value not in known:
                hint = f"choose of {', '.join(known)}"
                raise ConfigError(f"no policy {quote(value, 40)!r} for {what}", hint=hint)
        if self.keeps and (self.stimuli, self.messages) != ("keep", "keep"):
            what = "stimuli or messages are to be hidden, and names of participants are kept"
            raise ConfigError(what, hint="choose hash or drop for participants as well")
        # Without a key anybody could look pseudonyms up in a list of names.
        if self.needs_key and len(self.key) != _KEY_BYTES:
            hint = f"give {_KEY_BYTES} bytes, as gazetrack.tables.pseudonyms.read_key does"
            raise ConfigError(f"a key of {len(self.key)} bytes", hint=hint)

    @property
    def needs_key(self) -> bool:
        """Whether there are keyed pseudonyms, of participants or of stimuli."""
        return "hash" in (self.policy, self.stimuli)

    @property
    def keeps(self) -> bool:
        """Whether names stay as they are."""
        return self.policy == "keep"

    def of(self, participant: str) -> str:
        """Return what stands for a participant."""
        if self.keeps or not participant:
            return participant
        return "" if self.policy == "drop" else "p" + self._keyed(participant)

    def of_stimulus(self, name: str) -> str:
        """Return what stands for a stimulus, so that its image can be renamed alike.

        Parameters
        ----------
        name : str
            As the export names it; a suffix such as ``.png`` stays.
        """
        if self.stimuli == "keep" or not name:
            return name
        suffix = Path(name).suffix
        kept = suffix if _SUFFIX.fullmatch(suffix) else ""
        composed = unicodedata.normalize("NFC", name)
        # Nobody shall see that a participant is called like a stimulus.
        return "s" + self._digits(f"stimulus/{composed}") + kept

    def _keyed(self, name: str) -> str:
        # Systems write ü as one letter or as two: both are the same name. Composed names have the
        # pseudonyms that they had before this was done.
        return self._digits(unicodedata.normalize("NFC", name).casefold())

    def _digits(self, text: str) -> str:
        digest = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return digest[:_PSEUDONYM_CHARS]

    def apply(self, recording: Recording, digest: str, names: Iterable[str] = ()) -> Recording:
        """Return the recording without the names of its participants, and what else tells them.

        Parameters
        ----------
        recording : Recording
            As a reader gave it.
        digest : str
            SHA-256 of the file's bytes: names of recordings are made of it, so that they differ
            across files.
        names : iterable of str
            Also taken out of texts: what the file is called.

        Returns
        -------
        Recording
            Participants and recordings have new names. Whole names of either, e-mail addresses and
            dates are replaced in trials and texts; names of participants in stimuli as well, unless
            they hold a digit, with a note. Times count from the start alone. What differed still
            differs: two people never become one. Stimuli and messages as their policies say.

        Raises
        ------
        DataError
            Samples of several participants are in recordings of one name.
        """
        if self.keeps:
            return recording
        found = _Found(recording)
        recordings = self._recordings(found, recording.name, digest)
        people = {
            name: self.of(name) or f"person{n}" for n, name in enumerate(found.participants, 1)
        }
        own_name = self._own_name(recordings, digest)
        others = dict.fromkeys((recording.name, *names), own_name)
        others |= {label: recordings[label, who] for label, who in reversed(recordings)}
        stimuli = self._stimuli(found.stimuli | set(recording.placements), people)
        if self.stimuli == "hash":
            others |= {Path(name).stem: Path(new).stem for name, new in stimuli.items()} | stimuli
        in_texts = cleaner(others | people, dates=True)
        if self.messages == "drop":
            trials = _numbered(found.trials)
        else:
            trials = _kept_apart(found.trials, in_texts)

        def renamed(table: pa.Table) -> pa.Table:
            table = _with_recordings(table, recordings, found.shared)
            for column, rename in (
                ("participant", self.of),
                ("stimulus", stimuli.__getitem__),
                ("trial", trials.__getitem__),
                ("text", in_texts),
            ):
                table = _with_renamed(table, column, rename)
            return _without_texts(table) if self.messages == "drop" else table

        samples, fixations = recording.sample_table, recording.fixation_table
        notes = [in_texts(note) for note in recording.notes]
        if self.stimuli == "keep":
            notes += _notes(found, stimuli)
        return replace(
            recording,
            name=own_name,
            sample_table=None if samples is None else renamed(samples),
            event_table=renamed(recording.event_table),
            fixation_table=None if fixations is None else renamed(fixations),
            participants={
                recordings[label, ""]: self.of(who)
                for label, who in recording.participants.items()
                if (label, "") in recordings
            },
            placements={
                stimuli[name]: placement for name, placement in recording.placements.items()
            },
            origin_ms=0.0,
            start_ns=None,
            dropped=_summed(recording.dropped, in_texts),
            mended=_summed(recording.mended, in_texts),
            tracker=in_texts(recording.tracker),
            software=in_texts(recording.software),
            notes=tuple(notes),
        )

    def _stimuli(self, names: set[str], people: Mapping[str, str]) -> dict[str, str]:
        """Return each stimulus' new name."""
        if self.stimuli == "hash":
            return {name: self.of_stimulus(name) for name in names}
        in_stimuli = cleaner(
            {name: new for name, new in people.items() if not any(map(str.isdigit, name))}
        )
        return _kept_apart(names, in_stimuli)

    def _recordings(self, found: _Found, name: str, digest: str) -> dict[Key, str]:
        """Return each recording's new name: numbered where several would share one."""
        bases = {key: self._base(key, found, digest) for key in found.recordings or [(name, "")]}
        total, seen = Counter(bases.values()), Counter[str]()
        names = {}
        for key, base in bases.items():
            seen[base] += 1
            names[key] = base if total[base] == 1 else f"{base}.{seen[base]}"
        return names

    def _base(self, key: Key, found: _Found, digest: str) -> str:
        label, participant = key
        if self.policy == "drop":
            return f"r{digest[:_PSEUDONYM_CHARS]}"
        who = participant or found.only_participant(label)
        return f"{self.of(who) if who else 'r' + self._keyed(label)}-{digest[:_DIGEST_CHARS]}"

    def _own_name(self, recordings: Mapping[Key, str], digest: str) -> str:
        """Return the name of the whole: its recordings' where they share one but for a number."""
        bases = {new.partition(".")[0] for new in recordings.values()}
        return bases.pop() if len(bases) == 1 else f"r{digest[:_PSEUDONYM_CHARS]}"


class _Found:
    """The names in a recording's tables, each in the order of first appearance."""

    def __init__(self, recording: Recording) -> None:
        self._owners: dict[str, dict[str, None]] = {}
        with_people = [
            table
            for table in (recording.fixation_table, recording.event_table)
            if table is not None
        ]
        tables = [table for table in (recording.sample_table, *with_people) if table is not None]
        pairs: dict[Key, None] = {}
        for table in with_people:
            for label, who in _distinct(table, "recording", "participant"):
                self._owners.setdefault(label, {})
                if who:
                    self._owners[label][who] = None
                pairs[label, who] = None
        for label, who in recording.participants.items():
            self._owners.setdefault(label, {})[who] = None
        self.shared = {label for label, owners in self._owners.items() if len(owners) > 1}
        of_samples = (
            [] if recording.sample_table is None else _distinct(recording.sample_table, "recording")
        )
        own_labels = [label for (label,) in of_samples]
        if self.shared & set(own_labels):
            raise DataError(
                "recordings of several participants share a name, and their samples do not say "
                "whose they are",
                hint="give each recording a name of its own, or a file",
            )
        keys = [(label, "") for label in own_labels]
        keys += [(label, who if label in self.shared else "") for label, who in pairs]
        self.recordings = list(dict.fromkeys(keys))
        self.participants = list(
            dict.fromkeys(who for owners in self._owners.values() for who in owners)
        )
        self.stimuli = {name for table in tables for (name,) in _distinct(table, "stimulus")}
        self.trials = {name for table in tables for (name,) in _distinct(table, "trial")}

    def only_participant(self, label: str) -> str:
        owners = self._owners.get(label, {})
        return next(iter(owners)) if len(owners) == 1 else ""


def _kept_apart(names: Iterable[str], rename: Rename) -> dict[str, str]:
    """Return the new name of each; those that would become one are numbered."""
    renamed: dict[str, str] = {}
    taken: set[str] = set()
    # What keeps its name comes first, so that the number goes to what is renamed anyway.
    for name in sorted(names, key=lambda name: (rename(name) != name, name)):
        base = new = rename(name)
        n = 1
        while new in taken:
            n += 1
            new = f"{n}.{base}"
        renamed[name] = new
        taken.add(new)
    return renamed


def _numbered(trials: Iterable[str]) -> dict[str, str]:
    """Return a number for each trial that is called by words; numbers stay."""
    named = sorted(name for name in trials if not _NUMBER.fullmatch(name))
    return {name: name for name in trials} | {name: f"t{n}" for n, name in enumerate(named, 1)}


def _without_texts(table: pa.Table) -> pa.Table:
    """Return a table of events in which nothing says more than the kind of each; others as is."""
    if "text" not in table.column_names:
        return table
    place = table.column_names.index("text")
    empty = pa.array([""] * table.num_rows, pa.string()).dictionary_encode()
    return table.set_column(place, table.schema.field(place), empty)


def _notes(found: _Found, stimuli: Mapping[str, str]) -> list[str]:
    """Say which stimuli were renamed, and which were not though a participant is called alike."""
    replaced = sum(new != name for name, new in stimuli.items())
    in_any = cleaner(dict.fromkeys(found.participants, ""))
    alike = sum(new == name != in_any(name) for name, new in stimuli.items())
    notes = []
    if replaced:
        what = f"names of {replaced} stimuli held a participant's name, which was replaced"
        notes.append(f"{what}: rename their images alike")
    if alike:
        notes.append(
            f"{alike} stimuli are called like a participant, whose name holds a digit: "
            "they keep their names"
        )
    return notes


def _summed(dropped: Mapping[str, int], rename: Rename) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reason, count in dropped.items():
        counts[rename(reason)] = counts.get(rename(reason), 0) + count
    return counts


def _distinct(table: pa.Table, *columns: str) -> list[tuple[str, ...]]:
    """Return the different values of some columns of texts, in the order of first appearance."""
    if len(columns) == 1:
        values = table[columns[0]].unify_dictionaries().unique().to_pylist()
        return [(str(value),) for value in values]
    frame = table.select(list(columns)).to_pandas().drop_duplicates()
    return [tuple(map(str, row)) for row in frame.itertuples(index=False, name=None)]


def _with_recordings(table: pa.Table, names: Mapping[Key, str], shared: set[str]) -> pa.Table:
    """Return the table with the recordings' new names.

    Where several participants share a name, the participant of each row decides.
    """
    if not shared:
        return _with_renamed(table, "recording", lambda label: names[label, ""])
    pairs = zip(
        *(table[name].cast("string").to_pylist() for name in ("recording", "participant")),
        strict=True,
    )
    renamed = [names[label, who if label in shared else ""] for label, who in pairs]
    place = table.column_names.index("recording")
    return table.set_column(
        place, table.schema.field(place), pa.array(renamed, pa.string()).dictionary_encode()
    )


def _with_renamed(table: pa.Table, name: str, rename: Rename) -> pa.Table:
    """Return the table with a column of texts renamed, value by value, where it has that column."""
    if name not in table.column_names:
        return table
    column = table[name].unify_dictionaries().combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    used = set(column.indices.unique().to_pylist())
    texts = [
        rename(text) if code in used else ""
        for code, text in enumerate(column.dictionary.to_pylist())
    ]
    renamed = pa.DictionaryArray.from_arrays(column.indices, pa.array(texts, pa.string()))
    renamed = renamed.cast("string").dictionary_encode()  # without what is not used
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(place), renamed)


def read_key(path: str | Path) -> bytes:
    """Read the user's secret key, or make one where there is none.

    Parameters
    ----------
    path : path-like
        A text file with 64 hexadecimal digits; only its owner may read it, from its first byte on.

    Raises
    ------
    ConfigError
        The file holds something else.
    """
    path = Path(path)
    if not path.exists():
        write_text(path, secrets.token_hex(_KEY_BYTES) + "\n", private=True)
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            "is no key of 64 hexadecimal digits", path=path, hint="name a new file, and keep it"
        )
    return key
