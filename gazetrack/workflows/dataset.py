"""Data sets: images, their masks where there are any, and the gaze on them, by the file's stem."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, DataError, InputError, quote
from gazetrack.images.folder import find_images, image_size
from gazetrack.images.volumes import volume_file
from gazetrack.maps.store import read_maps
from gazetrack.maps.targets import with_targets
from gazetrack.tables.named_rows import read_named_rows
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.table_tracks import distinct, read_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.track import Track

_CASE_HINT = r"write it like '(case\d+)_'"


@dataclass(frozen=True)
class Item:
    """One image with what is known about it.

    Parameters
    ----------
    image_id : str
        The image's stem; gaze, masks and splits are matched by it.
    image : ImageRef
        Where the image lies: a file, or a slice of one.
    mask : ImageRef or None
        Where its mask lies, if there is one.
    split : str
        ``train``, ``val``, ``test`` or empty.
    tracks : tuple of Track
        The tracks on the image, one per observer and showing.
    width, height : int
        Size of the image in pixels.
    case : str
        What the image belongs to: images of one case never fall into two splits by chance.
    """

    image_id: str
    image: ImageRef
    mask: ImageRef | None
    split: str
    tracks: tuple[Track, ...]
    width: int
    height: int
    case: str


@dataclass(frozen=True)
class DataSet:
    """All images of a data set, and what did not match.

    Parameters
    ----------
    items : tuple of Item
        The images with their gaze, sorted by image id.
    missing_gaze : tuple of str
        Ids of the images that nobody looked at.
    missing_images : tuple of str
        Stimuli with gaze and without an image.
    """

    items: tuple[Item, ...]
    missing_gaze: tuple[str, ...]
    missing_images: tuple[str, ...]


def read_ids(path: str | Path) -> tuple[str, ...]:
    """Read image ids from a text file, one a line; suffixes and blank lines do not matter.

    Raises
    ------
    InputError
        There is no such file, it is no text, or it names nothing.
    """
    path = Path(path)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name") from None
    except (OSError, UnicodeDecodeError) as error:
        what = "cannot be read as a list of image ids"
        raise InputError(what, path=path, hint="one id a line, UTF-8") from error
    ids = tuple(stem(line.strip()) for line in lines if line.strip())
    if not ids:
        raise InputError("names no image", path=path, hint="one id a line")
    return ids


def hashed_split(
    names: Iterable[str], val_share: float = 0.1, *, both: bool = False
) -> dict[str, str]:
    """Assign ``train`` or ``val`` to each image id or case by the hash of its name.

    One name always falls on the same side, whatever other names there are.

    Parameters
    ----------
    names : iterable of str
        Image ids, or the names of cases.
    val_share : float
        Share of all possible names that falls on ``val``, 0 to 1.
    both : bool
        Whether neither side stays empty where there are two names: for a few cases, chance alone
        would not see to it.

    Returns
    -------
    dict of str to str
        The side of each name.
    """
    places = {name: _place(name) for name in names}
    sides = {name: "val" if place < val_share else "train" for name, place in places.items()}
    if both and val_share > 0 and len(sides) > 1:
        if "val" not in sides.values():
            sides[min(places, key=places.__getitem__)] = "val"
        if "train" not in sides.values():
            sides[max(places, key=places.__getitem__)] = "train"
    return sides


def _place(name: str) -> float:
    """Return a number in [0, 1) that depends on the name alone: 32 bits of its hash."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return int(digest[:8], 16) / 2**32


def find_items(
    images: str | Path,
    *,
    masks: str | Path | None = None,
    fixations: str | Path | Sequence[str | Path] = (),
    maps: str | Path | None = None,
    manifest: str | Path | None = None,
    train_ids: str | Path | None = None,
    val_ids: str | Path | None = None,
    test_ids: str | Path | None = None,
    placement: str | None = None,
    case: str | None = None,
    target: str | None = None,
    left_out: list[InputError] | None = None,
) -> DataSet:
    """Match images, masks, gaze and splits.

    Parameters
    ----------
    images : path-like
        The folder that holds the images.
    masks : path-like, optional
        Folder of masks with the images' stems.
    fixations : path-like or sequence of path-like
        The fixation tables, files or folders of them.
    maps : path-like, optional
        Stored maps, for data sets without fixation tables: images with maps count as images with
        gaze.
    manifest : path-like, optional
        CSV with a column ``image_id`` and optionally ``split``.
    train_ids, val_ids, test_ids : path-like, optional
        Text files of image ids. Images in none belong to no split.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    case : str, optional
        Regular expression that matches the start of every image id; its first group, or all it
        matches, is the case. By default the case of a slice is its volume, and any other image is a
        case of its own.
    target : str, optional
        Rule for what each trial was looking for, see `gazetrack.maps.targets.target_rule`.
    left_out : list, optional
        Takes the errors of images that cannot be read, which are then left out; without it the
        first of them is raised.

    Returns
    -------
    DataSet
        Without any split given, every split is empty.

    Raises
    ------
    InputError, SchemaError, DataError
        See `find_images`, `read_tracks`; and a split that names one image twice or unknown images,
        an image of another shape than its gaze says.
    ConfigError
        `case` is no regular expression, or does not match an image id.
    """
    fixations = [fixations] if isinstance(fixations, str | Path) else fixations
    distinct(fixations)
    files = find_images(images)
    mask_files = {} if masks is None else find_images(masks)
    lists = {"train": train_ids, "val": val_ids, "test": test_ids}
    splits = _splits(files, manifest, lists)
    cases = cases_of(files, case)
    sizes = _sizes(files, left_out)
    files = {image_id: files[image_id] for image_id in sizes}
    tracks, without_image = _tracks_by_image(fixations, sizes, placement)
    if target is not None:
        tracks = {image_id: with_targets(own, target) for image_id, own in tracks.items()}
    items = []
    for image_id, image in files.items():
        width, height = sizes[image_id]
        item = Item(
            image_id=image_id,
            image=image,
            mask=mask_files.get(image_id),
            split=splits.get(image_id, ""),
            tracks=tuple(tracks.get(image_id, ())),
            width=width,
            height=height,
            case=cases[image_id],
        )
        items.append(item)
    with_gaze = set(tracks)
    if maps is not None:
        with_gaze |= set(read_maps(maps).ids)
    return DataSet(
        items=tuple(items),
        missing_gaze=tuple(image_id for image_id in files if image_id not in with_gaze),
        missing_images=tuple(sorted((with_gaze - set(files)) | without_image)),
    )


def _sizes(
    files: Mapping[str, ImageRef], left_out: list[InputError] | None
) -> dict[str, tuple[int, int]]:
    """Return (width, height) of each image; of those that cannot be read, their errors."""
    sizes = {}
    for image_id, image in files.items():
        try:
            sizes[image_id] = image_size(image)
        except InputError as error:
            if left_out is None:
                raise
            left_out.append(error)
    return sizes


def _tracks_by_image(
    fixations: Iterable[str | Path], sizes: Mapping[str, tuple[int, int]], placement: str | None
) -> tuple[dict[str, list[Track]], set[str]]:
    """Return the tracks on each image, by its id, and the ids of stimuli that are no image."""
    tracks: dict[str, list[Track]] = {}
    without_image: set[str] = set()
    for path in fixations:
        found = read_tracks(path, sizes, placement)
        without_image.update(map(stem, found.missing_images))
        for name, both_sizes in found.misfits.items():
            what = f"stimulus {quote(name, 60)!r} has another shape: {both_sizes}"
            raise DataError(what, path=path, hint="give the images that were shown")
        for track in found.tracks:
            tracks.setdefault(stem(track.stimulus), []).append(track)
    return tracks, without_image


def cases_of(images: Mapping[str, ImageRef], pattern: str | None) -> dict[str, str]:
    """Return the case of each image, by id; `pattern` and errors as in `find_items`."""
    if pattern is None:
        volumes = {image_id: volume_file(image) for image_id, image in images.items()}
        return {
            image_id: image_id if volume is None else stem(volume.name)
            for image_id, volume in volumes.items()
        }
    try:
        expression = re.compile(pattern)
    except re.error as error:
        what = f"case {quote(pattern)!r} is no regular expression: {error}"
        raise ConfigError(what, hint=_CASE_HINT) from error
    group = 1 if expression.groups else 0
    cases: dict[str, str] = {}
    strangers = []
    for image_id in images:
        match = expression.match(image_id)
        if match is None:
            strangers.append(image_id)
        else:
            # An optional group may have matched nothing: then the image is its own case.
            cases[image_id] = match[group] or image_id
    if strangers:
        named = f"{len(strangers)} image ids, such as {quote(strangers[0])!r}"
        raise ConfigError(f"case {quote(pattern)!r} does not match {named}", hint=_CASE_HINT)
    return cases


def _splits(
    images: Mapping[str, ImageRef],
    manifest: str | Path | None,
    lists: Mapping[str, str | Path | None],
) -> dict[str, str]:
    """Return the split of each image that a list of ids, by split, or a manifest names."""
    splits: dict[str, str] = {}
    for image_id, split in _named_splits(manifest, lists):
        if image_id not in images:
            what = f"the {split} split names {quote(image_id)!r}, which is no image"
            raise DataError(what, hint="check --images and the split files")
        before = splits.setdefault(image_id, split)
        if before != split:
            what = f"{quote(image_id)!r} is in both {before} and {split}"
            raise DataError(what, hint="an image belongs to one split")
    return splits


def _named_splits(
    manifest: str | Path | None, lists: Mapping[str, str | Path | None]
) -> Iterator[tuple[str, str]]:
    """Yield (image id, split) as lists of ids and a manifest name them."""
    for split, path in lists.items():
        if path is not None:
            for image_id in read_ids(path):
                yield image_id, split
    for row in [] if manifest is None else _rows(Path(manifest)):
        yield stem(row["image_id"]), row.get("split", "")


def _rows(manifest: Path) -> list[dict[str, str]]:
    """Read a manifest, a CSV file with a column ``image_id``."""
    names, rows = read_named_rows(manifest, "a manifest")
    if "image_id" not in names:
        raise InputError("has no column image_id", path=manifest, hint="name it in the first line")
    return rows
