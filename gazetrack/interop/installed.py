"""Packages that only somebody who asks for them needs, imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gazetrack.errors import ConfigError

EXTRA = "interop"


def needed(name: str) -> Any:
    """Import an optional package.

    Parameters
    ----------
    name : str
        The package's name, which is also what it is installed as.

    Returns
    -------
    module
        The package. It is not typed here: what is used of it is tested against the real one.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        hint = f'install it, with: pip install "gazetrack[{EXTRA}]"'
        raise ConfigError(f"this needs {name}, which is not installed", hint=hint) from None
