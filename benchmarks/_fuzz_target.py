"""What Atheris calls with each input, in a process of its own: one parser, from bytes to tables.

Usage: python benchmarks/_fuzz_target.py PARSER REPORT LIBFUZZER-OPTIONS...

Atheris counts which branches of the readers an input takes, and goes on from those that took new
ones. Half of the new inputs are libFuzzer's own, half are made by the changes of `_mutant_bytes`,
which know of cells, lines and names. An error of ours is what a parser is to give; anything else,
and a table against its contract, is a failure: it is noted and the search goes on.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

import atheris  # noqa: E402
import numpy as np  # noqa: E402

import gazetrack.kernels  # noqa: E402

# Before anything is instrumented: a kernel is compiled, and cannot be.
for _kernels in pkgutil.iter_modules(gazetrack.kernels.__path__):
    importlib.import_module(f"gazetrack.kernels.{_kernels.name}")

with atheris.instrument_imports(include=["gazetrack.readers", "gazetrack.tables"]):
    from gazetrack.readers import registry

import _mutant_bytes  # noqa: E402

from gazetrack.errors import GazetrackError  # noqa: E402
from gazetrack.readers.base import ReadOptions  # noqa: E402
from gazetrack.readers.head import read_head  # noqa: E402
from gazetrack.tables.plausible import checked  # noqa: E402
from tests.contracts import check_recording  # noqa: E402

_REPORT_EACH = 50  # libFuzzer ends the process without a word to Python
_CHANGES = list(_mutant_bytes.CHANGES.values())


class Target:
    """One parser, and what its inputs did to it.

    Parameters
    ----------
    parser : str
        The name of the reader.
    report : pathlib.Path
        The file that says how many inputs there were, and which of them failed.
    columns : dict
        What a user would say of the columns, for readers that need it.
    """

    def __init__(self, parser: str, report: Path, columns: dict[str, str]) -> None:
        with atheris.instrument_imports(include=["gazetrack.readers", "gazetrack.tables"]):
            self._reader = registry.get(parser)
        self._report = report
        self._options = ReadOptions(columns=columns)
        self._path = Path(tempfile.mkdtemp(dir=report.parent), "input.txt")
        self._inputs = self._parsed = 0
        self._failures: dict[str, str] = {}

    def __call__(self, data: bytes) -> None:
        """Read one input."""
        self._path.write_bytes(data)
        self._inputs += 1
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                head = read_head(self._path)
                recording = checked(head.reading.applied(self._reader.read(head, self._options)))
            check_recording(recording, self._reader.FORMAT.name, "input")
            self._parsed += 1
        except GazetrackError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
            self._note(error, data)
        if self._inputs in (1, 10) or self._inputs % _REPORT_EACH == 0:
            self.write()

    def _note(self, error: Exception, data: bytes) -> None:
        """Keep the first input of each failure, by where it happened."""
        own = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if "/gazetrack/" in frame.filename or "contracts" in frame.filename
        ]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
        failure = f"{type(error).__name__} at {place}"
        if failure not in self._failures:
            name = f"{self._reader.FORMAT.name}-{len(self._failures)}.input"
            (self._report.parent / name).write_bytes(data)
            self._failures[failure] = f"{name}: {error}"[:300]
            self.write()

    def write(self) -> None:
        """Write the report."""
        found = {"inputs": self._inputs, "parsed": self._parsed, "failures": self._failures}
        self._report.write_text(json.dumps(found))


def changed(data: bytes, max_size: int, seed: int) -> bytes:
    """Return another input, made from one that took new branches.

    Parameters
    ----------
    data : bytes
        The input.
    max_size : int
        The most bytes the other one may have.
    seed : int
        From which the change follows.
    """
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        return atheris.Mutate(data, max_size)
    change = _CHANGES[int(rng.integers(len(_CHANGES)))]
    return change(rng, data, data[::-1][:200])[:max_size]


def main() -> None:
    """Look for failures until libFuzzer's options say that it is enough."""
    parser, report, columns, *options = sys.argv[1:]
    warnings.simplefilter("error")
    target = Target(parser, Path(report), json.loads(columns))
    atheris.Setup([sys.argv[0], *options], target, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
