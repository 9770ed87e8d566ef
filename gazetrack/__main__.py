"""`python -m gazetrack` is the program `gazetrack`, where its folder is on no path.

Python has put the working directory first on the path of modules: a file there that is called as
one of ours or of numpy's must not run, as it would not if the program itself were called.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Workers of --jobs import this module under another name, and must not run the program again.
if __name__ == "__main__":
    if not sys.flags.safe_path and Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    from gazetrack_cli.start import gazetrack  # type: ignore[import-not-found] # mypy knows it as cli

    gazetrack()
