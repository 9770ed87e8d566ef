"""Which images are trained, validated and tested on, what may not overlap, and the manifest of it.

A manifest holds, per image, its split, its case and the SHA-256 of its file, and of its mask's file
where the mask is used: bytes rather than pixels, so that anybody can check them with ``sha256sum``
and no decoder's version matters. A slice of a volume has its file's digest and its number.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError, InputError, quote
from gazetrack.publish import sha256_of
from gradtrack_model import parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gazetrack.images.reference import ImageRef
    from gazetrack.workflows.dataset import Item

SPLITS_FILE = "splits.json"
FORMAT = "gradtrack splits 1"
SPLITS = ("train", "val", "test")
_NAMED = 5

Manifest = dict[str, dict[str, Any]]


def manifest_of(items: Iterable[Item], splits: Mapping[str, str], full: bool) -> Manifest:
    """Return what a manifest says of each image that is in a split.

    Parameters
    ----------
    items : iterable of Item
        The images of the data set, with their masks.
    splits : mapping of str to str
        ``train``, ``val`` or ``test`` by image id, as training uses them.
    full : bool
        Whether training learns from masks: otherwise those of training images are not opened.

    Returns
    -------
    dict
        By image id: ``split``, ``case``, ``image`` and ``mask``, the digests; None for a mask that
        is not used.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    used = []
    for item in items:
        split = splits[item.image_id]
        uses_mask = split == "val" or (split == "train" and full)
        if split in SPLITS:
            used.append(item if uses_mask else dataclasses.replace(item, mask=None))
    digests = _digests(itertools.chain.from_iterable((item.image, item.mask) for item in used))
    return {
        item.image_id: {
            "split": splits[item.image_id],
            "case": item.case,
            "image": _of(item.image, digests),
            "mask": None if item.mask is None else _of(item.mask, digests),
        }
        for item in used
    }


def overlaps(manifest: Manifest) -> dict[str, str]:
    """Return what is in two splits at once, by the id of one of its images.

    That is a case, or one image under two names.
    """
    found: dict[str, str] = {}
    for key, shared in (("case", "is of the case of"), ("image", "is the same file as")):
        first: dict[str, str] = {}
        for image_id, facts in manifest.items():
            other = first.setdefault(facts[key], image_id)
            here, there = facts["split"], manifest[other]["split"]
            if here != there:
                what = f"is in {here} and {shared} {quote(other)!r}, which is in {there}"
                found.setdefault(image_id, what)
    return found


def doubles(manifest: Manifest) -> list[str]:
    """Return ``a = b`` for images of one split that are the same file."""
    first: dict[tuple[str, str], str] = {}
    found = []
    for image_id, facts in manifest.items():
        other = first.setdefault((facts["split"], facts["image"]), image_id)
        if other != image_id:
            found.append(f"{other} = {image_id}")
    return found


def refuse_overlaps(manifest: Manifest, path: Path) -> None:
    """Refuse a data set whose splits overlap.

    Raises
    ------
    DataError
        They do.
    """
    if found := overlaps(manifest):
        (image_id, what), *others = found.items()
        more = f"; and {len(others)} more" if others else ""
        hint = "split by case (--case), or give --allow-overlap; gradtrack-train check names all"
        raise DataError(f"{quote(image_id)!r} {what}{more}", path=path, hint=hint)


def recorded(
    items: Sequence[Item], path: Path, allow_changes: bool
) -> tuple[list[Item], list[str]]:
    """Give items the splits and cases that a manifest names.

    Parameters
    ----------
    items : sequence of Item
        The images of the data set, with their masks.
    path : pathlib.Path
        The ``splits.json`` of a run folder.
    allow_changes : bool
        Also take a data set of which images are missing or have changed.

    Returns
    -------
    items : list of Item
        Images that the manifest does not name are in no split.
    notes : list of str
        What differs from the manifest.

    Raises
    ------
    InputError
        It is no manifest.
    DataError
        Images are missing or have changed.
    """
    manifest = read_manifest(path)
    known = {item.image_id: item for item in items}
    missing = sorted(set(manifest) - set(known))
    new = sorted(set(known) - set(manifest))
    compared = [image_id for image_id in manifest if image_id in known]
    images = [known[image_id].image for image_id in compared]
    masks = [known[image_id].mask for image_id in compared if manifest[image_id]["mask"]]
    digests = _digests([*images, *masks])
    changed = [
        image_id for image_id in compared if _differs(known[image_id], manifest[image_id], digests)
    ]
    name = quote(path.name)
    notes = []
    for ids, what in ((missing, "missing"), (changed, "changed")):
        if ids:
            said = f"{len(ids)} images of {name} are {what}: {_list(ids)}"
            if not allow_changes:
                raise DataError(said, path=path, hint="restore them, or give --allow-changes")
            notes.append(said)
    if new:
        notes.append(f"{len(new)} images are not in {name} and are left out: {_list(new)}")
    return [_as_recorded(item, manifest.get(item.image_id)) for item in items], notes


def read_manifest(path: Path) -> Manifest:
    """Read the images of a manifest; InputError where it is none."""
    refusal = InputError("is no split manifest", path=path, hint="give splits.json of a run")
    try:
        content = json.loads(path.read_text("utf-8"))
        manifest: Manifest = content["images"]
        is_ours = content["format"] == FORMAT
        is_whole = all(_is_whole(facts) for facts in manifest.values())
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check --split") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refusal from error
    if not (is_ours and is_whole):
        raise refusal
    return manifest


def _is_whole(facts: Mapping[str, Any]) -> bool:
    """Whether an image of a manifest has all that is said of one, of the right types."""
    has_texts = isinstance(facts["case"], str) and isinstance(facts["image"], str)
    return facts["split"] in SPLITS and has_texts and isinstance(facts["mask"], str | None)


def _as_recorded(item: Item, facts: Mapping[str, Any] | None) -> Item:
    """Return an item with the split and case of a manifest, or in no split where it has none."""
    if facts is None:
        return dataclasses.replace(item, split="none")
    return dataclasses.replace(item, split=facts["split"], case=facts["case"])


def _differs(item: Item, facts: Mapping[str, Any], digests: Mapping[Path, str]) -> bool:
    if _of(item.image, digests) != facts["image"]:
        return True
    if facts["mask"] is None:
        return False
    return item.mask is None or _of(item.mask, digests) != facts["mask"]


def _of(image: ImageRef, digests: Mapping[Path, str]) -> str:
    """Return the digest of an image's file, with the number of a slice."""
    digest = digests[image.file]
    return digest if image.slice is None else f"{digest}/{image.slice}"


def digests_of(images: Mapping[str, ImageRef]) -> dict[str, str]:
    """Return the SHA-256 of each image's file as a manifest has it; InputError as `manifest_of`."""
    digests = _digests(images.values())
    return {image_id: _of(image, digests) for image_id, image in images.items()}


def _digests(images: Iterable[ImageRef | None]) -> dict[Path, str]:
    """Return the digest of every file; of several processes, each reads its share of them."""
    files = list(dict.fromkeys(image.file for image in images if image is not None))
    own = {number: _digest(files[number]) for number in parallel.share(range(len(files)))}
    parts = parallel.gathered(own)
    return {files[int(number)]: digest for part in parts for number, digest in part.items()}


def _digest(file: Path) -> str:
    try:
        status = file.stat()
        return _digest_of(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InputError("cannot be read", path=file, hint="check its permissions") from error


# The arguments but the path are there to find that a file has changed.
@functools.lru_cache(maxsize=65536)
def _digest_of(path: Path, _changed: int, _size: int) -> str:
    return sha256_of(path)


def _list(ids: Sequence[str]) -> str:
    return ", ".join(map(quote, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
