"""Names of participants out of everything that is written: dropped, or replaced by keyed pseudonyms.

A plain hash of a name can be looked up in a list of names, so pseudonyms are HMAC-SHA256 with a secret key that stays
with the user: the same key gives the same pseudonyms in all files. Pseudonymised is not anonymous: gaze itself can
identify people.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from gazetrack.errors import ConfigError
from gazetrack.publish import write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazetrack.recording import Recording

POLICIES = ("keep", "hash", "drop")
_KEY_BYTES = 32
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_TEXTS = ("recording", "stimulus", "trial", "text")
_LEAST_CHARS = 2  # a participant called 1 would take the 1 out of every name


@dataclass(frozen=True)
class Pseudonyms:
    """How participants are named in what is written.

    Parameters
    ----------
    policy : {"keep", "hash", "drop"}
        ``hash`` needs the key.
    key : bytes
        The secret.
    """

    policy: str = "keep"
    key: bytes = b""

    def of(self, participant: str) -> str:
        """Return what stands for a participant."""
        if self.policy == "keep" or not participant:
            return participant
        if self.policy == "drop":
            return ""
        return "p" + hmac.new(self.key, participant.casefold().encode(), hashlib.sha256).hexdigest()[:12]

    def apply(self, recording: Recording) -> Recording:
        """Return the recording without the participants' names: in their column, and within all other texts."""
        if self.policy == "keep":
            return recording
        tables = [t for t in (recording.events, recording.fixations) if t is not None]
        names = {name for t in tables for name in t["participant"].cast("string").unique().to_pylist() if name}
        clean = self.cleaner(names)
        samples, fixations = recording.samples, recording.fixations
        return replace(
            recording,
            name=clean(recording.name),
            samples=None if samples is None else self._table(samples, clean),
            events=self._table(recording.events, clean),
            fixations=None if fixations is None else self._table(fixations, clean),
            placements={clean(name): placement for name, placement in recording.placements.items()},
            notes=tuple(clean(note) for note in recording.notes),
        )

    def cleaner(self, names: set[str]) -> Callable[[str], str]:
        """Return a function that takes these names, and whatever looks like an e-mail address, out of a text."""
        long = sorted((name for name in names if len(name) >= _LEAST_CHARS), key=len, reverse=True)
        pattern = re.compile(
            "|".join(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])" for name in long) or r"(?!)", re.IGNORECASE
        )

        def clean(text: str) -> str:
            text = _EMAIL.sub(lambda match: self.of(match[0]) or "removed", text)
            return pattern.sub(lambda match: self.of(match[0]) or "removed", text)

        return clean

    def _table(self, table: pa.Table, clean: Callable[[str], str]) -> pa.Table:
        for name in table.column_names:
            rename = self.of if name == "participant" else clean if name in _TEXTS else None
            if rename is not None:
                column = table[name].combine_chunks()
                texts = pa.array([rename(text) for text in column.dictionary.to_pylist()], pa.string())
                renamed = pa.DictionaryArray.from_arrays(column.indices, texts)
                field = table.schema.field(name)
                table = table.set_column(
                    table.column_names.index(name), field, renamed.cast("string").dictionary_encode()
                )
        return table


def read_key(path: str | Path) -> bytes:
    """Read the user's secret key, or make one where there is none.

    Parameters
    ----------
    path : path-like
        A text file with 64 hexadecimal digits; only its owner may read it.

    Raises
    ------
    ConfigError
        The file holds something else.
    """
    path = Path(path)
    if not path.exists():
        write_text(path, secrets.token_hex(_KEY_BYTES) + "\n")
        path.chmod(0o600)
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError("is no key of 64 hexadecimal digits", path=path, hint="name a new file, and keep it")
    return key
