"""Look for inputs that a parser fails at, guided by the branches that they take.

Usage: python benchmarks/fuzz.py TARGET ... [--inputs 1000000] [--seconds S] [--seed 7]
       python benchmarks/fuzz.py --all --minutes 30 --corpus DIR

TARGET is a name of `gazetrack formats`, or one of `_fuzz_others.OTHERS`, which read tables, areas
of interest, settings and checkpoints; needs Atheris (pip install "gazetrack[test]" on Linux). The
search begins with the golden exports of the parser and its regressions. With ``--corpus``, a folder
outside of the repository, it goes on from where the last call was, in portions of ``--portion``
seconds, each for the target that had the fewest inputs: the counts of calls add up as long as the
sources of a target stay as they are.

A failure is anything but an error of ours: each is printed once, by where it happened, and the
first input of it kept. It belongs into tests/golden/regressions, with a sentence. Exit code 1 when
there is one.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

from _fuzz_others import OTHERS, reader_modules  # noqa: E402
from _fuzz_state import State, digest_of  # noqa: E402
from _timing import save, where_and_when  # noqa: E402

from gazetrack.readers import registry  # noqa: E402
from tests.places import GOLDEN  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_INPUT_BYTES = 64 * 1024
MIN_INPUT_BYTES = 8 * 1024  # a number may have 4300 digits, and nesting a thousand levels
_HANGS_AFTER_S = 60
_MOST_MEMORY_MB = 4096
_MOST_TOKENS = 400
_TOKEN = re.compile(rb"[^\s,;\"'<>{}\[\]():=]{2,40}")
# How libFuzzer ends: as it was told; by an input that takes too long, or too much memory.
_ENDS = {0: "", 70: "an input takes too long", 71: "an input takes too much memory"}
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a name of its own is made in it


def seeds_of(target: str) -> list[bytes]:
    """Return the files that the search begins with."""
    if target in OTHERS:
        failed = [path for path, about in fuzzed() if about["target"] == target]
        return [*OTHERS[target].seeds(), *(path.read_bytes() for path in failed)]
    found = sorted((GOLDEN / target).glob("*/input.*"))
    for about in sorted((GOLDEN / "regressions").glob("*/about.json")):
        if json.loads(about.read_text("utf-8"))["format"] == target:
            found += sorted(about.parent.glob("input*"))
    return [path.read_bytes() for path in found]


def fuzzed() -> list[tuple[Path, dict[str, Any]]]:
    """Return the files that once failed and are no exports, and what is known of each."""
    found = sorted((GOLDEN / "fuzzed").glob("*/about.json"))
    return [(path.with_name("input"), json.loads(path.read_text("utf-8"))) for path in found]


def columns_of(target: str) -> dict[str, str]:
    """Return what a user has to say of the columns of the first of these exports."""
    given = sorted((GOLDEN / target).glob("*/columns.json"))
    return json.loads(given[0].read_text("utf-8")) if given else {}


def parsers() -> list[str]:
    """Return the readers that there are exports of."""
    return [name for name in registry.BUILTIN if seeds_of(name)]


def targets() -> list[str]:
    """Return all that can be searched: readers, and what reads other files."""
    return [*parsers(), *OTHERS]


def sources_of(target: str) -> str:
    """Return the digest of the sources that a target is made of."""
    own = OTHERS[target].modules if target in OTHERS else reader_modules(target)
    return digest_of(own)


def tokens_of(seeds: Sequence[bytes]) -> str:
    """Return a dictionary for libFuzzer: the words and numbers of the files, each once."""
    tokens: dict[bytes, None] = {}
    for seed in seeds:
        tokens |= dict.fromkeys(_TOKEN.findall(seed))
    quoted = ("".join(f"\\x{byte:02x}" for byte in token) for token in [*tokens][:_MOST_TOKENS])
    return "".join(f'"{token}"\n' for token in quoted)


def fuzz(
    target: str,
    *,
    inputs: int,
    seconds: float | None,
    seed: int,
    keep: Path | None = None,
    corpus: Path | None = None,
) -> dict[str, Any]:
    """Search, and return how many inputs there were, how many of them were read, what failed.

    Parameters
    ----------
    target : str
        A name of `targets`.
    inputs : int
        How many inputs at most.
    seconds : float or None
        For how long at most.
    seed : int
        What the random changes follow from.
    keep : pathlib.Path or None
        Where the inputs that failed are put.
    corpus : pathlib.Path or None
        Inputs that earlier calls found worth going on from; more are added. They are not counted
        once more.
    """
    seeds = seeds_of(target)
    longest = max(map(len, seeds))
    in_memory = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=in_memory) as temporary:
        folder = Path(temporary)
        report = folder / "report.json"
        begin = folder / "seeds"
        begin.mkdir()
        for number, text in enumerate(seeds):
            (begin / str(number)).write_bytes(text)
        (folder / "tokens").write_text(tokens_of(seeds))
        grown = folder / "corpus" if corpus is None else corpus
        grown.mkdir(exist_ok=True)
        n_kept = sum(1 for _ in grown.iterdir())
        # With one input kept, the seeds and the empty input of an earlier call are known as well.
        known = n_kept + len(seeds) + 1 if n_kept else 0
        last = inputs + known
        about = json.dumps({"columns": columns_of(target), "known": known, "last": last})
        most_bytes = min(max(2 * longest, MIN_INPUT_BYTES), MAX_INPUT_BYTES)
        command = [sys.executable, str(_FOLDER / "_fuzz_target.py"), target, str(report), about]
        command += [f"-runs={last}", f"-seed={seed}", f"-max_len={most_bytes}"]
        command += [f"-timeout={_HANGS_AFTER_S}", f"-rss_limit_mb={_MOST_MEMORY_MB}"]
        command += [f"-artifact_prefix={folder}/ended-", f"-dict={folder}/tokens"]
        command += [] if seconds is None else [f"-max_total_time={max(1, round(seconds))}"]
        command += [str(grown), str(begin)]
        # A process begins with the peak of memory of the one that starts it, and libFuzzer goes by
        # it: a shell, which is small, starts it in place of this one, which may have been larger.
        small = ["sh", "-c", '"$@"; exit $?', "sh"]
        done = subprocess.run(
            [*small, *command], capture_output=True, text=True, errors="replace", check=False
        )
        if not report.exists():
            raise RuntimeError(f"{target}: {done.stderr[-2000:]}")
        found = json.loads(report.read_text("utf-8"))
        if done.returncode:
            ended = _ENDS.get(done.returncode, f"the process died: {done.returncode}")
            found["failures"][ended] = done.stderr[-300:]
        if keep is not None and found["failures"]:
            keep.mkdir(parents=True, exist_ok=True)
            for path in (*folder.glob("*.input"), *folder.glob("ended-*")):
                shutil.copy(path, keep / path.name)
    return {"parser": target, **found}


def continued(
    names: Sequence[str], corpus: Path, *, inputs: int, seconds: float, portion: float, seed: int
) -> list[dict[str, Any]]:
    """Search on from a folder, a portion for the target of the fewest inputs, until time is over.

    Parameters
    ----------
    names : sequence of str
        Names of `targets`.
    corpus : pathlib.Path
        The folder, see `_fuzz_state`.
    inputs : int
        How many inputs of a target are enough.
    seconds, portion : float
        How long at most, and how long for one target at a time.
    seed : int
        The random changes of each portion follow from it and from the number of the portion.

    Returns
    -------
    list of dict
        A row for each of the names, with the counts of all calls on these sources.
    """
    state = State(corpus)
    digests = {name: sources_of(name) for name in names}
    commit = where_and_when()["commit"]
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        name = min(names, key=lambda name: state.of(name, digests[name])["inputs"])
        before = state.of(name, digests[name])
        if before["inputs"] >= inputs:
            break
        found = fuzz(
            name,
            inputs=inputs - before["inputs"],
            seconds=min(portion, left),
            seed=seed + before["portions"],
            keep=state.failed(name),
            corpus=state.corpus(name),
        )
        state.add(name, digests[name], found, commit)
        show(found)
    return [{"parser": name, **state.of(name, digests[name])} for name in names]


def show(row: dict[str, Any]) -> None:
    """Print what was found of a target."""
    if not row["inputs"]:
        print(f"{row['parser']:18} not tried", flush=True)
        return
    rate = row["inputs"] / max(row["seconds"], 0.01)
    print(f"{row['parser']:18} {row['inputs']:9,} inputs, {row['parsed']:9,} read, ", end="")
    print(f"{len(row['failures'])} failures, {rate:.0f} inputs/s of the processor", flush=True)
    for failure, detail in row["failures"].items():
        print(f"    {failure}: {detail}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--all", action="store_true", help="every target")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target")
    parser.add_argument("--seconds", type=float, help="for each target, at most; not with --corpus")
    parser.add_argument("--corpus", type=Path, help="go on from this folder, and add to it")
    parser.add_argument("--minutes", type=float, default=30.0, help="in all, with --corpus")
    parser.add_argument(
        "--portion", type=float, default=90.0, help="seconds for a target at a time, with --corpus"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="where inputs that failed are put")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    known = targets()
    options.targets = known if options.all else options.targets
    unknown = sorted({*options.targets} - {*known})
    if unknown or not options.targets:
        parser.error(f"name some of {', '.join(known)}, or give --all")
    if find_spec("atheris") is None:
        parser.error('Atheris is not installed; on Linux: pip install "gazetrack[test]"')
    return options


def main() -> int:
    """Search, and print what was found."""
    options = _options()
    rows = []
    if options.corpus is not None:
        rows = continued(
            options.targets,
            options.corpus,
            inputs=options.inputs,
            seconds=60 * options.minutes,
            portion=options.portion,
            seed=options.seed,
        )
        print("\nIn all, on these sources:")
        for row in rows:
            show(row)
    else:
        for name in options.targets:
            limits = {"inputs": options.inputs, "seconds": options.seconds, "seed": options.seed}
            rows.append(fuzz(name, **limits, keep=options.keep))
            show(rows[-1])
    save(
        None if options.json is None else str(options.json),
        {**where_and_when(), "seed": options.seed, "rows": rows},
    )
    return 1 if any(row["failures"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
