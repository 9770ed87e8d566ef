"""Names that are left after pseudonymising, and code that data could run: G6 and G21."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _goals import Row, Settings, verdict

from gazetrack.workflows.scrubbing.check import scrub_check

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parent.parent
TOKENS = 200
_EVERYTHING = "--samples --events -v --report out/r.jsonl --errors out/e.jsonl -o out/tables"


def rows(settings: Settings) -> Iterator[Row]:  # noqa: ARG001 - the same tokens every time
    """Yield how many planted tokens are left, and how many calls could run code of data."""
    from tests.planted import tokens

    # What takes no time comes first: who is cut short keeps it.
    found = _misused()
    yield Row(
        goal="G21",
        figure=f"{len(found)} in the packages outside the one module",
        met=not found,
        how="tests/test_static.py: pickle, eval, exec, yaml.load, torch.load, shell, allow_pickle",
    )
    left = {policy: _left(f"--participant {policy}", in_data=False) for policy in ("hash", "drop")}
    hidden = _left("--participant drop --stimulus hash --messages drop", in_data=True)
    n = len(tokens())
    yield Row(
        goal="G6",
        figure=f"{left['hash']} (hash), {left['drop']} (drop), {hidden} (in data as well) of {n}",
        met=verdict(sum((*left.values(), hidden)), n, TOKENS),
        how="convert of every format's golden exports, full of names; gazetrack scrub-check",
        cases=n,
        asked=TOKENS,
        failures=sum((*left.values(), hidden)),
    )


def _left(how: str, *, in_data: bool) -> int:
    from tests.planted import plant, tokens

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        list(plant(folder / "in", damaged=not in_data, in_data=in_data))
        (folder / "tokens.txt").write_text("\n".join(tokens()), "utf-8")
        (folder / "out").mkdir()
        line = [sys.executable, "-m", "gazetrack", "convert", "in", "--recursive"]
        done = subprocess.run(
            [*line, *how.split(), *_EVERYTHING.split()],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(_ROOT)},
            capture_output=True, check=False,
        )  # fmt: skip
        (folder / "out" / "said.txt").write_bytes(done.stdout + done.stderr)
        report = scrub_check(folder / "out", folder / "tokens.txt")
        if report.errors or not list((folder / "out").rglob("*.parquet")):
            raise RuntimeError(f"not searched: {report.errors}, exit {done.returncode}")
        return len({finding.line for finding in report.findings})


def _misused() -> list[str]:
    from tests.test_static import ALLOWED, PACKAGES, misused_in

    return [
        f"{name}: {call}, line {line}"
        for name, call, line in misused_in(PACKAGES)
        if call not in ALLOWED.get(name, ())
    ]
