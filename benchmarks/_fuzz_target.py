"""What Atheris calls with each input, in a process of its own: one target, from bytes to tables.

Usage: python benchmarks/_fuzz_target.py TARGET REPORT ABOUT LIBFUZZER-OPTIONS...

ABOUT is JSON: the ``columns`` that a user would say; ``known``, the number of inputs that are kept
from earlier calls and are not counted again; ``last``, the number of the last input.

Atheris counts which branches of the target's modules an input takes, and goes on from those that
took new ones. A part of the new inputs is libFuzzer's own, half are made by the small changes of
`_fuzz_changes`, which leave a table a table, and the rest by those of `_mutant_bytes`, which do
not; binary ones are libFuzzer's. An error of ours is what a target is to give; anything else, and a
table against its contract, is a failure: it is noted and the search goes on.
"""

from __future__ import annotations

import gc
import importlib
import json
import pkgutil
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

import atheris  # noqa: E402
import numpy as np  # noqa: E402

import gazetrack.kernels  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Before anything is instrumented: a kernel is compiled, and cannot be.
for _kernels in pkgutil.iter_modules(gazetrack.kernels.__path__):
    importlib.import_module(f"gazetrack.kernels.{_kernels.name}")

_INSTRUMENTED = (
    *("gazetrack.readers", "gazetrack.tables", "gazetrack.measures", "gazetrack.maps.store"),
    *("gazetrack.workflows.study.file", "gazetrack.workflows.bids", "gazetrack.datasets"),
    *("gazetrack.images", "gazetrack.workflows.engine.queues"),
    *("gazetrack.workflows.scrubbing", "gradtrack_model.weights", "gradtrack_model.settings"),
    "gradtrack_model.data.splits",
)
with atheris.instrument_imports(include=list(_INSTRUMENTED)):
    from gazetrack.readers.text import ahead


@contextmanager
def _in_turn(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """Do without threads: of a small input they cost more than reading it."""
    yield map(work, items)


ahead.in_threads = _in_turn

with atheris.instrument_imports(include=list(_INSTRUMENTED)):
    import _fuzz_calls

import _mutant_bytes  # noqa: E402
from _fuzz_changes import gently_changed  # noqa: E402
from _fuzz_others import OTHERS  # noqa: E402

from gazetrack.errors import GazetrackError  # noqa: E402

_REPORT_EACH_S = 0.3  # libFuzzer ends the process without a word to Python
# It is cut off again where inputs are small.
_NOT_HERE = {"a line of a megabyte"}
_CHANGES = [change for name, change in _mutant_bytes.CHANGES.items() if name not in _NOT_HERE]
_SHARE_OF_LIBFUZZER = 0.3
_SHARE_OF_SMALL_CHANGES = 0.5
_SHARE_FROM_READ = 0.5
_MOST_READ = 300
_OWN = ("/gazetrack/", "/gradtrack_model/", "contracts", "_fuzz_calls")


class Target:
    """One target, and what its inputs did to it.

    Parameters
    ----------
    name : str
        The name of the reader, or of one of `OTHERS`.
    report : pathlib.Path
        The file that says how many inputs there were, and which of them failed.
    told : dict
        ``columns``, ``known`` and ``last``, see above.
    """

    def __init__(self, name: str, report: Path, told: dict[str, Any]) -> None:
        self._name = name
        with atheris.instrument_imports(include=list(_INSTRUMENTED)):
            if name in OTHERS:
                self._call = getattr(_fuzz_calls, name)()
            else:
                self._call = _fuzz_calls.reader(name, told["columns"])
        file = OTHERS[name].name if name in OTHERS else "input.txt"
        self._report = report
        self._path = Path(tempfile.mkdtemp(dir=report.parent), file)
        self._inputs = -told["known"]
        self._almost = told["last"] - told["known"] - 1
        self._parsed = 0
        self.read: list[bytes] = []
        self._failures: dict[str, str] = {}
        self._written = time.monotonic()
        self._start = time.process_time()

    def __call__(self, data: bytes) -> None:
        """Read one input."""
        self._path.write_bytes(data)
        self._inputs += 1
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                self._call(self._path)
            self._parsed += self._inputs > 0
            if len(self.read) == _MOST_READ:
                self.read.pop(self._parsed % _MOST_READ)
            self.read.append(data)
        except GazetrackError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
            self._note(error, data)
        is_due = self._inputs in {1, 10} or self._inputs >= self._almost
        if is_due or time.monotonic() - self._written > _REPORT_EACH_S:
            self.write()

    def _note(self, error: Exception, data: bytes) -> None:
        """Keep the first input of each failure, by where it happened."""
        own = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if any(part in frame.filename for part in _OWN)
        ]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
        failure = f"{type(error).__name__} at {place}"
        if failure not in self._failures:
            name = f"{self._name}-{len(self._failures)}.input"
            (self._report.parent / name).write_bytes(data)
            self._failures[failure] = f"{name}: {error}"[:300]
            self.write()

    def write(self) -> None:
        """Write the report."""
        self._written = time.monotonic()
        found = {
            "inputs": max(self._inputs, 0),
            "parsed": self._parsed,
            "seconds": round(time.process_time() - self._start, 2),  # whatever else runs here
            "failures": self._failures,
        }
        new = self._report.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(self._report)


class Mutator:
    """Makes inputs from others.

    Parameters
    ----------
    read : list of bytes
        Inputs that were read, which grows: of those that took new branches, most were refused.
    """

    def __init__(self, read: list[bytes]) -> None:
        self._read = read

    def __call__(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Return another input of at most `max_size` bytes, made from one of new branches."""
        rng = np.random.default_rng(seed)
        if self._read and rng.random() < _SHARE_FROM_READ:
            data = self._read[int(rng.integers(len(self._read)))]
        kind = rng.random()
        if kind < _SHARE_OF_LIBFUZZER or b"\0" in data:
            return atheris.Mutate(data, max_size)
        if kind < _SHARE_OF_LIBFUZZER + _SHARE_OF_SMALL_CHANGES:
            return gently_changed(rng, data)[:max_size]
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        return change(rng, data, data[::-1][:200])[:max_size]


def main() -> None:
    """Look for failures until libFuzzer's options say that it is enough."""
    name, report, about, *options = sys.argv[1:]
    told = json.loads(about)
    warnings.simplefilter("error")
    target = Target(name, Path(report), told)
    atheris.Setup([sys.argv[0], *options], target, custom_mutator=Mutator(target.read))
    # What is loaded by now stays, and need not be looked through again and again.
    gc.collect()
    gc.freeze()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
