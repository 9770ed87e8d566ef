"""G1 to G4: damaged and harmlessly changed exports of every format, each from a seed."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from _goals import Row, Settings
from _mutant_worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _mutant_verdicts import Verdict

FLOOR_MUTANTS = 5000
# Of a kind of change, or of messages: a share of fewer says little.
LEAST_OF_A_KIND = 300
_TOO_FEW = f": fewer than {LEAST_OF_A_KIND} of a kind, no ground for a share"
_FIRST_OF_EACH = 12  # faults that are listed of each kind


def rows(settings: Settings) -> list[Row]:
    """Judge mutants until the time is over, and count."""
    worker = Worker(settings.seed, settings.data, settings.keep)
    until = time.monotonic() + settings.seconds
    found = []
    try:
        for verdict in worker.verdicts(_numbers()):
            found.append(verdict)
            if time.monotonic() > until:
                break
    finally:
        worker.close()
    settings.found.extend(listed(found))
    return counted(found, settings.seed)


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def listed(found: list[Verdict]) -> list[str]:
    """Return a line for each of the first faults of each kind."""
    lines = []
    for kind in ("hard", "silent", "changed", "unclear"):
        own = [verdict for verdict in found if verdict.verdict == kind]
        lines += [
            f"{kind} {one.number} {one.case}: {one.what}: {one.detail}"
            for one in own[:_FIRST_OF_EACH]
        ]
    return lines


def counted(found: list[Verdict], seed: int) -> list[Row]:
    """Return the rows of G1 to G4.

    Parameters
    ----------
    found : list of Verdict
        What became of each mutant.
    seed : int
        From which the mutants follow.
    """
    n = len(found)
    verdicts = Counter(one.verdict for one in found)
    exports = len({one.case for one in found if one.case})
    how = f"seed {seed}, {n:,} mutants of {exports} exports; python benchmarks/robustness.py"
    hard = verdicts["hard"]
    rows_found = [
        Row(
            goal="G1",
            figure=f"{hard} of {n:,}",
            met=hard == 0 and n >= FLOOR_MUTANTS,
            how=how if n >= FLOOR_MUTANTS else f"{how}: fewer than the floor asks for",
        )
    ]
    refused = [one for one in found if one.verdict in ("refused", "unclear")]
    parsing = [one for one in refused if one.parsing]
    if refused and parsing:
        unclear = verdicts["unclear"] / len(refused)
        placed = sum(one.placed for one in parsing) / len(parsing)
        figure = (
            f"{100 * unclear:.2f} % of {len(refused):,} messages; {100 * placed:.0f} % of "
            f"{len(parsing):,} about the content of a file of a known format"
        )
        enough = min(len(refused), len(parsing)) >= LEAST_OF_A_KIND
        rows_found.append(
            Row(
                goal="G2",
                figure=figure,
                met=enough and unclear <= 0.005 and placed >= 0.8,
                how=how if enough else how + _TOO_FEW,
            )
        )
    rows_found += _of_silence(found, how)
    return rows_found


def _of_silence(found: list[Verdict], how: str) -> Iterator[Row]:
    shares = {}
    texts = []
    fewest = len(found)
    for kind in ("error", "notice"):
        own = [one for one in found if one.kind == kind]
        silent = sum(one.verdict == "silent" for one in own)
        shares[kind] = silent / max(len(own), 1)
        fewest = min(fewest, len(own))
        texts.append(f"{silent} of {len(own):,}")
    enough = fewest >= LEAST_OF_A_KIND
    met = enough and shares["error"] == 0.0 and shares["notice"] <= 0.02
    of_silence = how if enough else how + _TOO_FEW
    yield Row(goal="G3", figure="; ".join(texts), met=met, how=of_silence)
    harmless = [one for one in found if one.kind == "harmless"]
    if harmless:
        same = sum(one.verdict == "read" for one in harmless)
        share = same / len(harmless)
        figure = f"{100 * share:.2f} % of {len(harmless):,}"
        enough = len(harmless) >= LEAST_OF_A_KIND
        of_harmless = how if enough else how + _TOO_FEW
        yield Row(goal="G4", figure=figure, met=enough and share >= 0.98, how=of_harmless)
