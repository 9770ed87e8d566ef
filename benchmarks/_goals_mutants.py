"""G1 to G4: damaged and harmlessly changed exports of every format, each from a seed."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from _goals import Row, Settings, named, verdict
from _mutant_worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from _mutant_verdicts import Verdict

FLOOR_MUTANTS = 5000
# Of a kind of change, or of messages: a share of fewer says little.
LEAST_OF_A_KIND = 300
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
    counts = counted(found)
    measured = [of_counts(counts, [settings.seed]) for of_counts in OF_COUNTS.values()]
    return [row for row in measured if row.cases]


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


def counted(found: list[Verdict]) -> dict[str, int]:
    """Return what the figures follow from.

    Parameters
    ----------
    found : list of Verdict
        What became of each mutant.
    """
    verdicts = Counter(one.verdict for one in found)
    kinds = Counter(one.kind for one in found)
    by_both = Counter((one.kind, one.verdict) for one in found)
    refused = [one for one in found if one.verdict in ("refused", "unclear")]
    parsing = [one for one in refused if one.parsing]
    return {
        "mutants": len(found),
        "hard": verdicts["hard"],
        "refused": len(refused),
        "unclear": verdicts["unclear"],
        "about the content": len(parsing),
        "with a place": sum(one.placed for one in parsing),
        "errors": kinds["error"],
        "silent errors": by_both["error", "silent"],
        "notices": kinds["notice"],
        "silent notices": by_both["notice", "silent"],
        "harmless": kinds["harmless"],
        "harmless read": by_both["harmless", "read"],
    }


def _row(
    counts: Mapping[str, int], seeds: Sequence[int], tried: tuple[int, int, int], **facts: Any
) -> Row:
    """Return a row; `tried` is how many cases failed, of how many, and how many are asked for."""
    failures, cases, asked = tried
    how = f"{named(seeds)}, {counts['mutants']:,} mutants; python benchmarks/robustness.py"
    return Row(
        how=how, cases=cases, asked=asked, failures=failures, counts=counts, seeds=seeds, **facts
    )


def _of_failures(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    hard, n = counts["hard"], counts["mutants"]
    met = verdict(hard, n, FLOOR_MUTANTS)
    figure = f"{hard} of {n:,}"
    return _row(counts, seeds, (hard, n, FLOOR_MUTANTS), goal="G1", figure=figure, met=met)


def _of_messages(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    n, unclear, parsing = counts["refused"], counts["unclear"], counts["about the content"]
    nowhere = parsing - counts["with a place"]
    placed = _percent(parsing - nowhere, parsing)
    figure = (
        f"{_percent(unclear, n):.2f} % of {n:,} messages; {placed:.0f} % of {parsing:,} about the "
        "content of a file of a known format"
    )
    met = _both(
        verdict(unclear, n, LEAST_OF_A_KIND, allowed=0.005),
        verdict(nowhere, parsing, LEAST_OF_A_KIND, allowed=0.2),
    )
    tried = (unclear + nowhere, min(n, parsing), LEAST_OF_A_KIND)
    return _row(counts, seeds, tried, goal="G2", figure=figure, met=met)


def _of_silence(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    errors, notices = counts["errors"], counts["notices"]
    silent = counts["silent errors"], counts["silent notices"]
    met = _both(
        verdict(silent[0], errors, LEAST_OF_A_KIND),
        verdict(silent[1], notices, LEAST_OF_A_KIND, allowed=0.02),
    )
    figure = f"{silent[0]} of {errors:,}; {silent[1]} of {notices:,}"
    tried = (sum(silent), min(errors, notices), LEAST_OF_A_KIND)
    return _row(counts, seeds, tried, goal="G3", figure=figure, met=met)


def _of_harmless(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    n, same = counts["harmless"], counts["harmless read"]
    met = verdict(n - same, n, LEAST_OF_A_KIND, allowed=0.02)
    figure = f"{_percent(same, n):.2f} % of {n:,}"
    return _row(counts, seeds, (n - same, n, LEAST_OF_A_KIND), goal="G4", figure=figure, met=met)


OF_COUNTS = {"G1": _of_failures, "G2": _of_messages, "G3": _of_silence, "G4": _of_harmless}


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / max(whole, 1)


def _both(one: bool | None, other: bool | None) -> bool | None:
    """Whether both are reached: not where one is missed, unknown where one is."""
    if one is False or other is False:
        return False
    return True if one and other else None
