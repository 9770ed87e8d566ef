"""Look for inputs that a parser fails at, guided by the branches that they take.

Usage: python benchmarks/fuzz.py PARSER [--inputs 1000000] [--seconds S] [--seed 7] [--keep DIR]
       [--json FILE]
       python benchmarks/fuzz.py all --seconds 60

PARSER is a name of `gazetrack formats`, or ``all``; needs Atheris (pip install "gazetrack[test]"
on Linux). The search begins with the golden exports of the parser and its regressions. A failure is
anything but an error of ours: each is printed once, by where it happened, and the first input of it
kept. It belongs into tests/golden/regressions, with a sentence. Exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

from _timing import save, where_and_when  # noqa: E402

from gazetrack.readers import registry  # noqa: E402
from tests.places import GOLDEN  # noqa: E402

MAX_INPUT_BYTES = 64 * 1024
_HANGS_AFTER_S = 60
_MOST_MEMORY_MB = 4096
# How libFuzzer ends: as it was told; by an input that takes too long, or too much memory.
_ENDS = {0: "", 70: "an input takes too long", 71: "an input takes too much memory"}


def seeds_of(parser: str) -> list[Path]:
    """Return the exports that the search begins with."""
    found = sorted((GOLDEN / parser).glob("*/input.*"))
    for about in sorted((GOLDEN / "regressions").glob("*/about.json")):
        if json.loads(about.read_text("utf-8"))["format"] == parser:
            found += sorted(about.parent.glob("input*"))
    return found


def columns_of(parser: str) -> dict[str, str]:
    """Return what a user has to say of the columns of the first of these exports."""
    given = sorted((GOLDEN / parser).glob("*/columns.json"))
    return json.loads(given[0].read_text("utf-8")) if given else {}


def parsers() -> list[str]:
    """Return the parsers that there are exports of."""
    return [name for name in registry.BUILTIN if seeds_of(name)]


def fuzz(
    parser: str, *, inputs: int, seconds: float | None, seed: int, keep: Path | None = None
) -> dict[str, Any]:
    """Search, and return how many inputs there were, how many of them were read, what failed.

    Parameters
    ----------
    parser : str
        A name of `parsers`.
    inputs : int
        How many inputs at most.
    seconds : float or None
        For how long at most.
    seed : int
        What the random changes follow from.
    keep : pathlib.Path or None
        Where the inputs that failed are put.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        report = folder / "report.json"
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, path in enumerate(seeds_of(parser)):
            shutil.copy(path, corpus / str(number))
        command = [sys.executable, str(_FOLDER / "_fuzz_target.py"), parser, str(report)]
        command += [json.dumps(columns_of(parser)), f"-runs={inputs}", f"-seed={seed}"]
        command += [f"-max_len={MAX_INPUT_BYTES}", f"-timeout={_HANGS_AFTER_S}"]
        command += [f"-rss_limit_mb={_MOST_MEMORY_MB}", f"-artifact_prefix={folder}/ended-"]
        command += [] if seconds is None else [f"-max_total_time={max(1, round(seconds))}"]
        # A process begins with the peak of memory of the one that starts it, and libFuzzer goes by
        # it: a shell, which is small, starts it in place of this one, which may have been larger.
        begin = ["sh", "-c", '"$@"; exit $?', "sh"]
        done = subprocess.run(
            [*begin, *command, str(corpus)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"{parser}: {done.stderr[-2000:]}")
        found = json.loads(report.read_text("utf-8"))
        if done.returncode:
            ended = _ENDS.get(done.returncode, f"the process died: {done.returncode}")
            found["failures"][ended] = done.stderr[-300:]
        if keep is not None and found["failures"]:
            keep.mkdir(parents=True, exist_ok=True)
            for path in (*folder.glob("*.input"), *folder.glob("ended-*")):
                shutil.copy(path, keep / path.name)
    return {"parser": parser, **found}


def main() -> int:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parser", choices=[*parsers(), "all"], metavar="PARSER")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, help="for each parser, at most")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="where inputs that failed are put")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if find_spec("atheris") is None:
        parser.error('Atheris is not installed; on Linux: pip install "gazetrack[test]"')
    rows = []
    for name in parsers() if options.parser == "all" else [options.parser]:
        row = fuzz(
            name,
            inputs=options.inputs,
            seconds=options.seconds,
            seed=options.seed,
            keep=options.keep,
        )
        rows.append(row)
        print(f"{name:18} {row['inputs']:9,} inputs, {row['parsed']:9,} read, ", end="")
        print(f"{len(row['failures'])} failures", flush=True)
        for failure, detail in row["failures"].items():
            print(f"    {failure}: {detail}", flush=True)
    save(
        None if options.json is None else str(options.json),
        {**where_and_when(), "seed": options.seed, "rows": rows},
    )
    return 1 if any(row["failures"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
