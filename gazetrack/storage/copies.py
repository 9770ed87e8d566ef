"""Where copies of what lies elsewhere are kept while there is work on them."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import OutputError
from gazetrack.publish import is_left, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "gazetrack-"
_OWNER_ALONE = 0o700


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that nobody else may look into, and remove it with all in it at the end.

    What a process that was killed has left of such folders is removed by the next one of its user.

    Yields
    ------
    pathlib.Path
        The folder, within the system's folder for temporary files (``TMPDIR``).

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        above = Path(tempfile.gettempdir())
        _remove_left(above)
        folder = above / temporary_name(f"{_PREFIX}{secrets.token_hex(8)}")
        folder.mkdir(mode=_OWNER_ALONE)
    except OSError as error:
        what = f"no folder for temporary files: {error.strerror}"
        raise OutputError(what, hint="set TMPDIR to a folder with room") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _remove_left(above: Path) -> None:
    """Remove the folders of processes that are no more: they hold copies of people's recordings."""
    for path in above.glob(f".{_PREFIX}*"):
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder and is_left(path) and _is_ours(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
