"""Parts of a data set that do not lie where the library looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATHS = ("images", "masks", "maps", "train_ids", "val_ids", "test_ids", "split")


class Parts(TypedDict, total=False):
    """Parts of a data set that do not lie where `discover` looks for them, as keyword arguments."""

    images: str | Path | None
    masks: str | Path | None
    fixations: str | Path | Sequence[str | Path]
    maps: str | Path | None
    train_ids: str | Path | None
    val_ids: str | Path | None
    test_ids: str | Path | None
    split: str | Path | None
    placement: str | None
    case: str | None
    allow_changes: bool
    allow_overlap: bool


def as_paths(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts with paths where a user may have given texts."""
    found = dict(parts)
    for name in _PATHS:
        if found.get(name) is not None:
            found[name] = Path(found[name])
    if "fixations" in found:
        given = found["fixations"]
        listed = [given] if isinstance(given, str | Path) else given
        found["fixations"] = tuple(Path(path) for path in listed)
    return found
