"""Where a user's own programs keep what can be had again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_caches() -> Path:
    """Return the folder that this system has for caches of the user, which may not exist yet.

    Raises
    ------
    RuntimeError
        The user has no home.
    """
    if sys.platform == "win32":
        caches = os.environ.get("LOCALAPPDATA", "")
    else:
        caches = os.environ.get("XDG_CACHE_HOME", "")
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(caches) if Path(caches).is_absolute() else usual


def own_folder(name: str, variable: str) -> Path:
    """Return the folder of one kind of our files: where a variable says, or in the user's caches.

    Parameters
    ----------
    name : str
        What the folder is called among our caches, such as ``models``.
    variable : str
        The environment variable that names another folder.

    Raises
    ------
    RuntimeError
        The variable is not set, and the user has no home.
    """
    if chosen := os.environ.get(variable):
        return Path(chosen)
    return user_caches() / "gazetrack" / name
