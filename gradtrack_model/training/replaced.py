"""A run that another one is to replace: it stands until the new one has saved something.

The files of the old run are first linked into ``replaced/`` within the run's folder, which gets its
name when all are there, and then removed from the folder. From then on until ``replaced/`` goes,
with the new run's first state, the old run is the one that counts: networks are loaded from there
(see `gradtrack_model.weights.checkpoint.standing`), and whoever opens the folder puts it back. At
any moment one of both is whole, and found.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from gazetrack.publish import (
    output_errors,
    publish_folder,
    sync_folder,
    temporary_name,
    write_bytes,
)
from gradtrack_model.training.resume import States
from gradtrack_model.weights.checkpoint import REPLACED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FOLDERS = ("states", "tensorboard")
# What a system answers that has no links, or none to this file.
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV)


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
        It cannot be written; the run is where it was, or in ``replaced/``.
    """
    with publish_folder(folder / REPLACED, replace=True) as older:
        _link_all(folder, older, names)
    clear(folder, names)


def put_back(folder: Path, names: Sequence[str]) -> None:
    """Let the run in ``replaced/`` take its place again; where there is none, do nothing.

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
    older = folder / REPLACED
    if older.is_dir():
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
    if older.is_dir():
        # In one step: half of a run would not count.
        left = older.with_name(temporary_name(REPLACED))
        with output_errors(older):
            older.rename(left)
            sync_folder(folder)
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


def _link_all(source: Path, target: Path, names: Sequence[str]) -> None:
    """Give the files of a run a second name each in another folder, and let the disk have them."""
    with output_errors(target):
        for name in names:
            if (source / name).is_file():
                _link(source / name, target / name)
        for name in _FOLDERS:
            for path in sorted((source / name).glob("[!.]*")):
                if path.is_file():
                    (target / name).mkdir(exist_ok=True)
                    _link(path, target / name / path.name)
        for made in (target, *(target / name for name in _FOLDERS)):
            if made.is_dir():
                sync_folder(made)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where there are no links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        write_bytes(target, source.read_bytes())
