"""Loading numba without what lies in the working directory.

numba takes settings from a hidden file ``.numba_config.yaml`` of the current folder, at its import
and again at every compilation. Whoever hands over a folder of exports could so choose where
compiled code is read from, which is code of their own; and a damaged file of that name stops every
command. Settings come from the environment (``NUMBA_*``) alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def load_numba() -> None:
    """Import numba deaf to the working directory.

    A program that has imported numba before has let it read the file already; what it does not get
    is a second look.
    """
    with _without_yaml():
        from numba.core import config
    config._config_fname = os.devnull  # noqa: SLF001 - no option names the file; a device is never read as one


@contextlib.contextmanager
def _without_yaml() -> Iterator[None]:
    """Make ``import yaml`` fail inside the block.

    numba then leaves its file of settings alone, and warns that it did.
    """
    absent = object()
    before = sys.modules.get("yaml", absent)
    sys.modules["yaml"] = None  # type: ignore[assignment] # Python's own sign for "not to be found"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "A Numba config file is found")
            yield
    finally:
        if before is absent:
            del sys.modules["yaml"]
        else:
            sys.modules["yaml"] = before  # type: ignore[assignment]
