"""A run that another one is to replace: it stands until the new one has saved something.

The files of the old run are first linked into ``replaced/`` within the run's folder, which gets its
name when all are there, and then removed from the folder. From then on until ``replaced/`` goes,
with the new run's first state, the old run is the one that counts: networks are loaded from there
(see `gradtrack_model.weights.checkpoint.standing`), and whoever opens the folder puts it back. At
any moment one of both is whole, and found.

``replaced/`` counts where the file in it that we write last is there, and all that it lists; any
other folder of that name is somebody else's, and stays.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from gazetrack.errors import OutputError
from gazetrack.publish import (
    is_left,
    output_errors,
    publish_folder,
    sync_folder,
    temporary_name,
    write_bytes,
    write_json,
)
from gradtrack_model.training.resume import States
from gradtrack_model.training.run_log import METRICS_FILE
from gradtrack_model.weights.checkpoint import (
    REPLACED,
    REPLACED_FILE,
    REPLACED_FORMAT,
    is_replaced,
    replaced_files,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NETWORKS = ("best.json", "last.json", "best.safetensors", "last.safetensors")
_FOLDERS = ("states", "tensorboard")
# What a system answers that has no links, or none to this file.
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV)


def is_worth_keeping(folder: Path) -> bool:
    """Whether a folder holds states or networks of a run, which a new one would replace.

    Between its first networks and its first state a run has no metrics.csv yet: killed there, it
    has nothing.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the run, which may be missing.
    """
    has_networks = any((folder / name).exists() for name in NETWORKS)
    return bool(States(folder).paths) or (has_networks and (folder / METRICS_FILE).exists())


def refuse_in_the_way(folder: Path) -> None:
    """Refuse to replace a run where something else is called as its place is meanwhile.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the run, which may be missing.

    Raises
    ------
    OutputError
        ``replaced`` is there, and not ours.
    """
    older = folder / REPLACED
    if not is_worth_keeping(folder) or is_replaced(older):
        return
    if older.is_symlink() or older.is_file() or (older.is_dir() and any(older.iterdir())):
        what = "is in the way: the run to be replaced is kept under this name meanwhile"
        raise OutputError(what, path=older, hint="move it, or give another --out")


def set_aside(folder: Path, names: Sequence[str]) -> None:
    """Let the run of a folder stand in ``replaced/``, and clear its place.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that holds the run's files.
    names : sequence of str
        The files of a run, of which some may be missing.

    Raises
    ------
    OutputError
        It cannot be written, or something is in its way; the run is where it was, or in
        ``replaced/``.
    """
    refuse_in_the_way(folder)
    with publish_folder(folder / REPLACED) as older:
        files = _link_all(folder, older, names)
        write_json(older / REPLACED_FILE, {"format": REPLACED_FORMAT, "files": files})
    clear(folder, names)


def put_back(folder: Path, names: Sequence[str]) -> None:
    """Let the run in ``replaced/`` take its place again; where there is none, clear nothing.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that holds the run's files.
    names : sequence of str
        The files of a run: those of the one that should have replaced it are removed.

    Raises
    ------
    OutputError
        It cannot be written; the run still stands in ``replaced/``.
    """
    _remove_left(folder)
    older = folder / REPLACED
    if is_replaced(older):
        clear(folder, names)
        _link_all(older, folder, names)
        discard(folder)


def discard(folder: Path) -> None:
    """Remove the run in ``replaced/``, as the new one can stand by itself.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that holds the run's files.

    Raises
    ------
    OutputError
        It cannot be removed, and still counts.
    """
    older = folder / REPLACED
    if is_replaced(older):
        # In one step: half of a run would not count.
        left = older.with_name(temporary_name(REPLACED))
        with output_errors(older):
            older.rename(left)
            try:
                sync_folder(folder)
            finally:
                _remove(left)


def _remove_left(folder: Path) -> None:
    """Remove what one left that was killed while it made ``replaced/``, or removed it."""
    for left in sorted(folder.glob(f".{REPLACED}.*.gtmp")):
        if is_left(left) and not left.is_symlink():
            _remove(left)


def _remove(left: Path) -> None:
    """Remove a ``replaced/`` of ours that counts no more, but for what others have put in it."""
    ours = {REPLACED_FILE, *replaced_files(left)}
    if len(ours) > 1:
        files = [path for path in left.rglob("*") if not path.is_dir()]
        for path in files:
            name = path.relative_to(left)
            if name.as_posix() not in ours:
                kept = left.with_name(REPLACED) / name
                if kept.exists():
                    return
                with output_errors(kept):
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    path.rename(kept)
    shutil.rmtree(left, ignore_errors=True)


def clear(folder: Path, names: Sequence[str]) -> None:
    """Remove what a run has left; other files of the folder stay.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that holds the run's files.
    names : sequence of str
        The names of a run's files, as `run_folder` has them.

    Raises
    ------
    OutputError
        A file cannot be removed.
    """
    for name in names:
        with output_errors(folder / name):
            (folder / name).unlink(missing_ok=True)
    States(folder).keep(0)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def _link_all(source: Path, target: Path, names: Sequence[str]) -> list[str]:
    """Give the files of a run a second name each in another folder, and let the disk have them.

    Returns their names, as they are in both folders.
    """
    linked = []
    with output_errors(target):
        for name in names:
            if (source / name).is_file():
                _link(source / name, target / name)
                linked.append(name)
        for name in _FOLDERS:
            for path in sorted((source / name).glob("[!.]*")):
                if path.is_file():
                    (target / name).mkdir(exist_ok=True)
                    _link(path, target / name / path.name)
                    linked.append(f"{name}/{path.name}")
        for made in (target, *(target / name for name in _FOLDERS)):
            if made.is_dir():
                sync_folder(made)
    return linked


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where there are no links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        write_bytes(target, source.read_bytes())
