"""What the search for failures keeps between calls: inputs worth going on from, and counts.

A folder, best outside of the repository, holds for each target a folder of inputs that took new
branches, those that failed, and ``state.json`` with how many inputs were tried. They add up as long
as the code that is searched stays the same: its sources have one digest, whatever else a commit
changes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATE = "state.json"
# More of them take longer to begin with than a portion has; the small ones are tried fastest.
_MOST_KEPT = 1500
_NOTHING: dict[str, Any] = {"inputs": 0, "parsed": 0, "seconds": 0.0, "portions": 0}


def digest_of(modules: tuple[str, ...], root: Path = ROOT) -> str:
    """Return a digest of the sources of modules, and of all modules within the packages named.

    Parameters
    ----------
    modules : tuple of str
        Dotted names.
    root : pathlib.Path
        The folder that the names count from.
    """
    files: set[Path] = set()
    for name in modules:
        place = root.joinpath(*name.split("."))
        files |= set(place.rglob("*.py")) if place.is_dir() else {place.with_suffix(".py")}
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


class State:
    """The counts in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        It is made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._path = folder / STATE
        self._told: dict[str, dict[str, Any]] = {}
        self._load()

    def _load(self) -> None:
        if self._path.exists():
            self._told = json.loads(self._path.read_text("utf-8"))

    def corpus(self, target: str) -> Path:
        """Return the folder of a target's inputs, without the largest where there are too many."""
        corpus = self.folder / target
        corpus.mkdir(exist_ok=True)
        by_size = sorted(corpus.iterdir(), key=lambda path: (path.stat().st_size, path.name))
        for path in by_size[_MOST_KEPT:]:
            path.unlink()
        return corpus

    def failed(self, target: str) -> Path:
        """Return the folder of a target's inputs that failed."""
        return self.folder / "failed" / target

    def of(self, target: str, digest: str) -> dict[str, Any]:
        """Return how many inputs a target had with sources of one digest, and what failed.

        Returns
        -------
        dict
            ``inputs``, ``parsed``, ``seconds``, ``portions``; ``failures`` by where they happened;
            ``commits`` that had these sources.
        """
        kept = self._told.get(target, {}).get(digest, {})
        return {**_NOTHING, "failures": {}, "commits": [], **kept}

    def ever(self, target: str) -> int:
        """Return how many inputs a target had, whatever its sources were."""
        return sum(kept["inputs"] for kept in self._told.get(target, {}).values())

    def add(self, target: str, digest: str, found: dict[str, Any], commit: str) -> None:
        """Add what a portion found, and write it down.

        Parameters
        ----------
        target, digest : str
            What was searched, and the digest of its sources.
        found : dict
            As `fuzz.fuzz` returned it.
        commit : str
            At which it was.
        """
        self._load()  # another call may have added some meanwhile
        kept = self.of(target, digest)
        for name in ("inputs", "parsed", "seconds"):
            kept[name] += found[name]
        kept["portions"] += 1
        kept["failures"] |= found["failures"]
        kept["commits"] = sorted({*kept["commits"], commit})
        self._told.setdefault(target, {})[digest] = kept
        # In one step: a night of counts is not lost to a call that is stopped while it writes.
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._told, indent=1, sort_keys=True) + "\n", "utf-8")
        new.replace(self._path)
