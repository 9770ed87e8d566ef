"""Where copies of what lies elsewhere are kept while there is work on them."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "gazetrack-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that nobody else may look into, and remove it with all in it at the end.

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
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    except OSError as error:
        what = f"no folder for temporary files: {error.strerror}"
        raise OutputError(what, hint="set TMPDIR to a folder with room") from error
    with folder as name:
        yield Path(name)
