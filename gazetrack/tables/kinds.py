"""Events by their kind, found by the codes of the kinds: a long table is never copied as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator


def of_kinds(events: pa.Table, *kinds: str) -> pa.Table:
    """Return the events of some kinds, in their order; all other rows are not copied.

    Parameters
    ----------
    events : pyarrow.Table
        Events in the schema `EVENTS`.
    *kinds : str
        The kinds of events that stay.
    """
    return _chosen(events, kinds, wanted=True)


def not_of_kinds(events: pa.Table, *kinds: str) -> pa.Table:
    """Return the events of all other kinds than these, in their order.

    Parameters
    ----------
    events : pyarrow.Table
        Events in the schema `EVENTS`.
    *kinds : str
        The kinds of events that are left out.
    """
    return _chosen(events, kinds, wanted=False)


def count_kinds(events: pa.Table) -> dict[str, int]:
    """Return how many events there are of each kind, in the order of their first appearance."""
    counts: dict[str, int] = {}
    for chunk in events["kind"].chunks:
        names = chunk.dictionary.to_pylist()
        codes = chunk.indices.to_numpy()
        found, first, n_of_each = np.unique(codes, return_index=True, return_counts=True)
        for place in np.argsort(first).tolist():
            name = names[found[place]]
            counts[name] = counts.get(name, 0) + int(n_of_each[place])
    return counts


def _chosen(events: pa.Table, kinds: tuple[str, ...], *, wanted: bool) -> pa.Table:
    masks = list(_masks(events["kind"], kinds, wanted=wanted))
    return events.filter(pa.chunked_array(masks, pa.bool_()))


def _masks(column: pa.ChunkedArray, kinds: tuple[str, ...], *, wanted: bool) -> Iterator[pa.Array]:
    """Yield which rows are of these kinds, or of others, chunk by chunk."""
    for chunk in column.chunks:
        is_chosen = np.isin(np.array(chunk.dictionary.to_pylist(), object), kinds) == wanted
        # A dictionary may be empty: then there are no rows.
        codes = chunk.indices.to_numpy()
        yield pa.array(is_chosen[codes] if len(codes) else np.empty(0, np.bool_))
