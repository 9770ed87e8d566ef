"""Where gazetrack keeps what can be had again, how much that is, and whether it can."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.caches import user_caches
from gazetrack.errors import ConfigError
from gazetrack.kernels._cache import cache_folder as kernel_cache
from gazetrack.sam.models import FOLDER_VARIABLE, known_models, models_folder
from gazetrack.workflows.doctor.findings import Finding, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = "folders"
_COMPILED = "*.nbc"  # numba's files of machine code
_LEAST_FREE = 2**30  # bytes; a study of maps takes as much


def check_folders() -> Iterator[Finding]:
    """Yield the folders of compiled kernels, of models and of other caches, and the temporary."""
    yield _kernels()
    yield _models()
    yield from _other_caches()
    yield _temporary()


def size_of(folder: Path) -> int:
    """Return how many bytes the files below a folder take; what cannot be read counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:  # gone since, as caches do
                continue
    return total


def unwritable(folder: Path) -> str:
    """Return why nothing can be written to a folder; empty where something can.

    A folder that does not exist yet is made when it is needed: then it is its nearest parent that
    is tried.
    """
    place = next(one for one in (folder, *folder.parents) if one.exists())
    if not place.is_dir():
        return f"{place} is a file"
    try:
        # Permissions say nothing of a full disk, nor of one that is mounted to be read.
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return f"{place} cannot be written: {error.strerror}"
    return ""


def _kernels() -> Finding:
    """Return the folder of compiled kernels: without one, every run compiles anew."""
    name = "compiled kernels"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        what = "NUMBA_DISABLE_JIT is set: nothing is compiled, and everything is slow"
        do = "unset NUMBA_DISABLE_JIT"
        return Finding(section=_SECTION, name=name, what=what, state="problem", do=do)
    folder = kernel_cache()
    if folder is None:
        what = "no folder that is only yours to write: each run compiles anew, for up to a minute"
        do = (
            "let NUMBA_CACHE_DIR name a folder of your own that exists, has room, and that nobody "
            "else may write to (chmod go-w)"
        )
        return Finding(section=_SECTION, name=name, what=what, state="problem", do=do)
    count = sum(1 for _ in folder.rglob(_COMPILED))
    size = size_of(folder)
    facts = {"folder": str(folder), "bytes": size, "kernels": count}
    if reason := unwritable(folder):
        do = "make room there, or let NUMBA_CACHE_DIR name another folder of your own"
        return _broken(name, reason, do, facts)
    what = f"{folder}: {count} kernels, {shown_bytes(size)}"
    if not count:
        do = "gazetrack warm-up compiles them once, so that no recording waits"
        return Finding(section=_SECTION, name=name, what=what, state="note", do=do, facts=facts)
    return Finding(section=_SECTION, name=name, what=what, facts=facts)


def _broken(name: str, what: str, do: str, facts: dict[str, object]) -> Finding:
    return Finding(section=_SECTION, name=name, what=what, state="problem", do=do, facts=facts)


def _models() -> Finding:
    """Return where prompt models are, and whether those that are there are the right ones."""
    name = "prompt models"
    try:
        folder = models_folder()
        states = known_models()
    except ConfigError as error:
        return Finding(
            section=_SECTION, name=name, what=error.what, state="problem", do=error.hint or ""
        )
    size = size_of(folder)
    installed = [state.model.name for state in states if state.installed]
    facts = {"folder": str(folder), "bytes": size, "installed": installed}
    broken = [state for state in states if state.problem]
    if broken:
        what = "; ".join(
            f"{state.model.name} in {state.folder}: {state.problem}" for state in broken
        )
        do = f"remove {broken[0].folder}, then: {broken[0].model.how}"
        return _broken(name, what, do, dict(facts))
    if reason := unwritable(folder):
        do = f"make room there, or let {FOLDER_VARIABLE} name another folder"
        return _broken(name, reason, do, dict(facts))
    if not installed:
        what = f"{folder}: none installed"
        do = "gazetrack models says which there are and how to get them"
        return Finding(section=_SECTION, name=name, what=what, state="note", do=do, facts=facts)
    what = f"{folder}: {', '.join(installed)}, {shown_bytes(size)}"
    return Finding(section=_SECTION, name=name, what=what, facts=facts)


def _other_caches() -> Iterator[Finding]:
    """Yield whatever else is in our folder of the user's caches."""
    try:
        ours = user_caches() / "gazetrack"
    except RuntimeError:  # no home: said of the models already
        return
    if not ours.is_dir():
        return
    for folder in sorted(one for one in ours.iterdir() if one.is_dir()):
        if folder.name not in ("kernels", "models"):
            size = size_of(folder)
            what = f"{folder}: {shown_bytes(size)}"
            facts = {"folder": str(folder), "bytes": size}
            yield Finding(section=_SECTION, name=folder.name, what=what, facts=facts)


def _temporary() -> Finding:
    """Return where what is too large for memory goes meanwhile."""
    name = "temporary files"
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        do = "let TMPDIR name a folder that can be written"
        return Finding(section=_SECTION, name=name, what=str(error), state="problem", do=do)
    free = shutil.disk_usage(folder).free
    what = f"{folder}: {shown_bytes(free)} free"
    facts = {"folder": str(folder), "free_bytes": free}
    if free < _LEAST_FREE:
        do = "make room, or let TMPDIR name a folder of another disk"
        return _broken(name, what, do, dict(facts))
    return Finding(section=_SECTION, name=name, what=what, facts=facts)
