"""Judge mutants in a process of its own, which is watched, and started again where it dies.

The worker reads numbers from its input, a line each, and answers each with a verdict as JSON. Who
watches it gives a number, waits for the answer for a while, and takes silence for a hang and a dead
process for a crash. Memory beyond a limit is refused by the system.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _mutant_verdicts import Verdict

HANGS_AFTER_S = 180.0
# Of the processor: on a busy machine a mutant may take many times as long by the clock.
MOST_CPU_S = 30
_STARTS_WITHIN_S = 300.0
MORE_MEMORY_BYTES = 1024**3  # than the worker has before the first mutant
MEMORY_GROWS_MB = 400.0  # of one mutant: a limit of its own, that is reported and not enforced
READY = "ready"


def _anonymous_mb() -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024


class _Peak(threading.Thread):
    """Watches the memory of this process that no file backs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mb = 0.0

    def run(self) -> None:
        while True:
            self.mb = max(self.mb, _anonymous_mb())
            time.sleep(0.02)


def _work(seed: int, data: Path | None, keep: Path | None) -> None:
    from _mutant_cases import cases
    from _mutant_verdicts import judge, mutant

    exports = cases(data)
    limit = _data_bytes() + MORE_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # Readers must not write anything that large either.
    resource.setrlimit(resource.RLIMIT_FSIZE, (MORE_MEMORY_BYTES, MORE_MEMORY_BYTES))
    peak = _Peak()
    peak.start()
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    print(READY, file=answers, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            one = mutant(seed, int(line), exports)
            before = peak.mb = _anonymous_mb()
            most = int(time.process_time()) + MOST_CPU_S
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
            verdict = judge(one, Path(folder))
            if peak.mb - before > MEMORY_GROWS_MB and verdict.verdict != "hard":
                verdict.verdict = "hard"
                verdict.detail = f"{peak.mb - before:.0f} MB of memory"
            if keep is not None and verdict.verdict not in ("read", "refused"):
                (keep / f"{seed}-{one.number}-{one.case.file}").write_bytes(one.data)
            print(json.dumps(verdict.as_json()), file=answers, flush=True)


class Worker:
    """A process that judges mutants.

    Parameters
    ----------
    seed : int
        Of the series of mutants.
    data : pathlib.Path or None
        A folder of real exports.
    keep : pathlib.Path or None
        Where mutants that are a fault of ours are kept.
    """

    def __init__(self, seed: int, data: Path | None = None, keep: Path | None = None) -> None:
        self._command = [sys.executable, __file__, "--seed", str(seed)]
        self._command += [] if data is None else ["--data", str(data)]
        self._command += [] if keep is None else ["--keep", str(keep)]
        self._process: subprocess.Popen[str] | None = None

    def verdicts(self, numbers: Iterable[int]) -> Iterator[Verdict]:
        """Judge mutants by their numbers, one after the other.

        Parameters
        ----------
        numbers : iterable of int
            Of the seed's series.
        """
        from _mutant_verdicts import Verdict

        for number in numbers:
            answer = self._asked(number)
            if isinstance(answer, str):
                nobody = {"case": "", "what": "", "kind": "", "verdict": "hard"}
                yield Verdict(number=number, detail=answer, **nobody)
            else:
                yield Verdict(**answer)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what was not sent any more
                    pipe.close()
            self._process = None

    def _asked(self, number: int) -> dict[str, Any] | str:
        """Return the answer, or what became of the process."""
        process = self._running()
        print(number, file=process.stdin, flush=True)
        line = _line(process, HANGS_AFTER_S)
        if line is None:
            self.close()
            return f"no answer within {HANGS_AFTER_S:.0f} s"
        if not line:
            code = process.wait()  # the input is at its end: nobody is there any more
            self.close()
            if code == -signal.SIGXCPU:
                return f"more than {MOST_CPU_S} s of the processor"
            return f"the process died: exit status {code}"
        return json.loads(line)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, text=True, bufsize=1
            )
            if (_line(self._process, _STARTS_WITHIN_S) or "").strip() != READY:
                self.close()
                raise RuntimeError("the worker does not start")
        return self._process


def _line(process: subprocess.Popen[str], seconds: float) -> str | None:
    """Return the next line that a process writes, or None when there is none in time."""
    # One answer for one number: nothing waits in the buffer that `select` does not see.
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else None


def main() -> None:
    """Answer numbers with verdicts until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    _work(options.seed, options.data, options.keep)


if __name__ == "__main__":
    main()
