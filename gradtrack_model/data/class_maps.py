"""The maps of several classes, as one array that is augmented like that of one class.

A class has its levels, and behind them one more: 1 where nobody looked for the class on the image.
The maps of all classes follow each other, in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gazetrack.errors import DataError, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.maps.store import MapStore
    from gazetrack.maps.track import Track
    from gradtrack_model.data.labels import Maps
    from gradtrack_model.data.sample import Sample

_NAMED = 5


def of_class(tracks: Sequence[Track], name: str) -> list[Track]:
    """Return the tracks whose target is a class."""
    return [track for track in tracks if track.target == name]


def of_classes(tracks: Iterable[Track], names: Sequence[str]) -> tuple[Track, ...]:
    """Return the tracks that say something of a class; without names, all of them."""
    return tuple(track for track in tracks if not names or track.target in names)


def rendered_classes(
    tracks: Sequence[Track], names: Sequence[str], render: Callable[[Sequence[Track]], Maps]
) -> Maps:
    """Render the tracks of each class.

    Parameters
    ----------
    tracks : sequence of Track
        Those of all classes on an image, at least one.
    names : sequence of str
        The classes, in their order.
    render : callable
        Returns the maps [L, H, W] of at least one track.

    Returns
    -------
    ndarray of float32, shape (K (L + 1), H, W)
    """
    each = {name: render(own) for name in names if (own := of_class(tracks, name))}
    like = next(iter(each.values()))
    parts = []
    for name in names:
        parts.append(each.get(name, np.zeros_like(like)))
        parts.append(np.full_like(like[:1], name not in each))
    return np.concatenate(parts)


def stored_classes(
    store: MapStore, image_id: str, names: Sequence[str], shrink: Callable[[Tensor], Tensor]
) -> Tensor | None:
    """Return the stored maps of each class on an image.

    Parameters
    ----------
    store : MapStore
        Maps that say what was looked for.
    image_id : str
        The id of the image, as in the file.
    names : sequence of str
        The classes, in their order.
    shrink : callable
        Resizes maps [L, H, W] to the size of training.

    Returns
    -------
    Tensor of float32, shape (K (L + 1), S, S), or None
        0 to 255; None where there are maps of no class.

    Raises
    ------
    DataError
        Classes of the image have maps of several numbers of levels.
    """
    each = {}
    for name in names:
        if store.has(image_id, name):
            # A copy: the stored values are a view of the file's buffer.
            each[name] = shrink(torch.from_numpy(store.load(image_id, name).copy()).float())
    if not each:
        return None
    if len({len(maps) for maps in each.values()}) > 1:
        what = f"{quote(image_id)!r} has maps of several numbers of levels"
        raise DataError(what, path=store.path, hint="render all maps with one --levels")
    like = next(iter(each.values()))
    parts = []
    for name in names:
        parts.append(each.get(name, torch.zeros_like(like)))
        parts.append(torch.full_like(like[:1], 0 if name in each else 255))
    return torch.cat(parts)


def label_maps(labels: npt.NDArray[np.uint8], n_classes: int) -> Tensor:
    """Return a label image as maps of one level of each class, all of them known: [2 K, H, W]."""
    numbers = torch.arange(1, n_classes + 1)[:, None, None]
    inside = (torch.from_numpy(labels)[None] == numbers).float()
    return torch.stack([inside, torch.zeros_like(inside)], 1).flatten(0, 1)


def left_out(tracks: Iterable[Track], names: Sequence[str]) -> list[str]:
    """Return a note on tracks that are of no class, for the user, or none."""
    strangers = [track.target for track in tracks if names and track.target not in names]
    if not strangers:
        return []
    shown = [quote(target, 40) or "none" for target in sorted(set(strangers))]
    more = ", …" if len(shown) > _NAMED else ""
    what = f"{len(strangers)} tracks are of no class and left out"
    return [f"{what}: their target is {' or '.join(shown[:_NAMED])}{more}"]


def maps_left_out(store: MapStore | None, names: Sequence[str]) -> list[str]:
    """Return a note on stored maps that are of no class, for the user, or none."""
    if store is None or not names:
        return []
    strangers = {name: store.rows_of(name) for name in store.targets if name not in names}
    if not strangers:
        return []
    shown = [f"{n} of {quote(name, 40) or 'no target'}" for name, n in strangers.items()]
    more = ", …" if len(shown) > _NAMED else ""
    what = f"{sum(strangers.values())} maps are of no class and left out"
    return [f"{what}: {', '.join(shown[:_NAMED])}{more}"]


def unseen(names: Sequence[str], known: Collection[str], targets: Iterable[str], where: str) -> str:
    """Say which classes no training image says anything of; empty where there is none.

    Parameters
    ----------
    names : sequence of str
        Names of the classes to be learned.
    known : collection of str
        Those that a training image has gaze of.
    targets : iterable of str
        All targets that the gaze has, for the message.
    where : str
        The files that hold the gaze, for the message.

    Returns
    -------
    str
    """
    missing = ", ".join(name for name in names if name not in known)
    if not missing:
        return ""
    said = sorted(dict.fromkeys(target for target in targets if target))
    shown = ", ".join(quote(target, 40) for target in said[:_NAMED]) or "nothing"
    return f"no training image has gaze of class {missing}: the targets in {where} are {shown}"


def refuse_unseen(
    samples: Iterable[Sample], names: Sequence[str], targets: Iterable[str], where: str
) -> None:
    """Refuse classes that no training image says anything of: a network would never learn them.

    Parameters
    ----------
    samples : iterable of Sample
        All samples of the training set.
    names : sequence of str
        Names of the classes to be learned.
    targets : iterable of str
        All targets that the gaze has, for the message.
    where : str
        The files that hold the gaze, for the message.

    Raises
    ------
    DataError
        There is such a class.
    """
    left = set(names)
    for sample in samples:
        left -= {track.target for track in sample.tracks}
        if sample.maps is not None:
            by_class = sample.maps.reshape(len(names), -1, *sample.maps.shape[-2:])
            is_known = (by_class[:, -1] < 128).flatten(1).any(1).tolist()
            left -= {name for name, known in zip(names, is_known, strict=True) if known}
        if not left:
            return
    what = unseen(names, set(names) - left, targets, where)
    raise DataError(what, hint="check classes.names, and classes.target, which reads them")
