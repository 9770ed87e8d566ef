"""What a file of rules says and no export fits: mostly a typo, so that the user is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import did_you_mean, quote
from gazetrack.workflows.bids.labels import composed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from gazetrack.workflows.bids.assembly import Staged
    from gazetrack.workflows.bids.rules import Rules

_SHOWN = 3
_LOOKED_FOR_IN = {
    "file": "the path of no export",
    "recording": "the name of no recording",
    "participant": "the name of no participant",
}


def notes_on(rules: Rules, recordings: Sequence[Staged], tasks: Collection[str]) -> list[str]:
    """Return notes on rules that nothing fits, and on labels that several people share.

    Parameters
    ----------
    rules : Rules
        What the user's file says.
    recordings : sequence of Staged
        All recordings of the data set.
    tasks : collection of str
        The labels of their tasks.
    """
    notes = [
        f"{where} in [match] of the rules fits {_LOOKED_FOR_IN[where]}"
        for where in rules.match
        if not any(where in one.fits for one in recordings)
    ]
    for entity, labels in rules.labels.items():
        found = {composed(one.looked_up.get(entity, "")) for one in recordings} - {""}
        unused = [name for name in labels if name not in found]
        notes += _fitting_nothing(unused, found - labels.keys(), f"[labels.{entity}]", "name")
    own = [task for task in rules.tasks if task not in tasks]
    others = set(tasks) - rules.tasks.keys()
    return [*notes, *_fitting_nothing(own, others, "[task]", "task"), *_shared(rules, recordings)]


def _fitting_nothing(
    unused: Sequence[str], found: Iterable[str], where: str, what: str
) -> list[str]:
    if not unused:
        return []
    shown = ", ".join(repr(quote(name, 40)) for name in unused[:_SHOWN])
    more = f" and {len(unused) - _SHOWN} more" if len(unused) > _SHOWN else ""
    fits = "fits" if len(unused) == 1 else "fit"
    hint = next((hint for name in unused if (hint := did_you_mean(name, found))), "").strip()
    note = f"{shown}{more} in {where} of the rules {fits} no {what}"
    return [f"{note}: {hint}" if hint else note]


def _shared(rules: Rules, recordings: Sequence[Staged]) -> list[str]:
    """Say which subjects are several names, since the user gave these one label."""
    names: dict[str, dict[str, None]] = {}
    for one in recordings:
        name = composed(one.looked_up.get("subject", ""))
        if label := rules.label("subject", name):
            names.setdefault(label, {})[name] = None
    return [
        f"[labels.subject] gives {_listed(own)} one label: they are one participant"
        for own in names.values()
        if len(own) > 1
    ]


def _listed(names: Iterable[str]) -> str:
    return " and ".join(repr(quote(name, 40)) for name in names)
