"""Data sets: images, their masks where there are any, and the gaze on them, matched by file stem."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, InputError, SchemaError, nearest, quote
from gazetrack.images.folder import find_images, image_size
from gazetrack.maps.store import read_maps
from gazetrack.maps.track import Track, build_tracks
from gazetrack.tables.placing import place_by_rule, screen_of
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import read_fixations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

MAX_ASPECT_ERROR = 0.02


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
        One per observer.
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
        Sorted by image id.
    missing_gaze : tuple of str
        Images without gaze.
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
        ids = tuple(
            stem(line.strip()) for line in path.read_text("utf-8-sig").splitlines() if line.strip()
        )
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "cannot be read as a list of image ids", path=path, hint="one id a line, UTF-8"
        ) from error
    if not ids:
        raise InputError("names no image", path=path, hint="one id a line")
    return ids


def hashed_split(
    names: Iterable[str], val_share: float = 0.1, *, both: bool = False
) -> dict[str, str]:
    """Assign ``train`` or ``val`` to each image id or case by its hash: one name always falls on the same side.

    With `both`, neither side stays empty where there are two names: for a few cases, chance alone
    would not see to it.
    """
    places = {
        name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32 for name in names
    }
    sides = {name: "val" if place < val_share else "train" for name, place in places.items()}
    if both and val_share > 0 and len(sides) > 1:
        for side, pick in (("val", min), ("train", max)):
            if side not in sides.values():
                sides[pick(places, key=places.__getitem__)] = side
    return sides


def find_items(
    images: str | Path,
    *,
    masks: str | Path | None = None,
    fixations: Sequence[str | Path] = (),
    maps: str | Path | None = None,
    manifest: str | Path | None = None,
    train_ids: str | Path | None = None,
    val_ids: str | Path | None = None,
    test_ids: str | Path | None = None,
    placement: str | None = None,
    case: str | None = None,
) -> DataSet:
    """Match images, masks, gaze and splits.

    Parameters
    ----------
    images : path-like
        Folder of images.
    masks : path-like, optional
        Folder of masks with the images' stems.
    fixations : sequence of path-like
        Fixation tables.
    maps : path-like, optional
        Stored maps, for data sets without fixation tables: images with maps count as images with
        gaze.
    manifest : path-like, optional
        CSV with a column ``image_id`` and optionally ``split``.
    train_ids, val_ids, test_ids : path-like, optional
        Text files of image ids. Images in none belong to no split.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placement.place`.
    case : str, optional
        Regular expression that matches the start of every image id; its first group, or all it
        matches, is the case. By default the case of a slice is its volume, and any other image is a
        case of its own.

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
    distinct(fixations)
    image_files = find_images(images)
    mask_files = find_images(masks) if masks is not None else {}
    named = {"train": train_ids, "val": val_ids, "test": test_ids}
    splits = _splits(
        image_files, manifest, {split: path for split, path in named.items() if path is not None}
    )
    cases = cases_of(image_files, case)
    sizes = {image_id: image_size(image) for image_id, image in image_files.items()}
    tracks: dict[str, list[Track]] = {}
    without_image: set[str] = set()
    for path in fixations:
        found = read_tracks(path, sizes, placement)
        without_image.update(map(stem, found.missing_images))
        for name, sizes_text in found.misfits.items():
            what = f"stimulus {quote(name, 60)!r} has another shape: {sizes_text}"
            raise DataError(what, path=path, hint="give the images that were shown")
        for track in found.tracks:
            tracks.setdefault(stem(track.stimulus), []).append(track)
    items = tuple(
        Item(
            i,
            image,
            mask_files.get(i),
            splits.get(i, ""),
            tuple(tracks.get(i, ())),
            *sizes[i],
            cases[i],
        )
        for i, image in image_files.items()
    )
    with_gaze = {*tracks, *(read_maps(maps).ids if maps is not None else ())}
    without = tuple(i for i in image_files if i not in with_gaze)
    return DataSet(items, without, tuple(sorted((with_gaze - set(image_files)) | without_image)))


def cases_of(images: Mapping[str, ImageRef], pattern: str | None) -> dict[str, str]:
    """Return the case of each image, by id; `pattern` and errors as in `find_items`."""
    if pattern is None:
        volumes = {i: image.volume for i, image in images.items()}
        return {i: i if volume is None else stem(volume.name) for i, volume in volumes.items()}
    try:
        expression = re.compile(pattern)
    except re.error as error:
        what = f"case {quote(pattern)!r} is no regular expression: {error}"
        raise ConfigError(what, hint=r"write it like '(case\d+)_'") from error
    matches = {i: expression.match(i) for i in images}
    if strangers := [i for i, match in matches.items() if match is None]:
        what = f"case {quote(pattern)!r} does not match {len(strangers)} image ids, such as {quote(strangers[0])!r}"
        raise ConfigError(what, hint=r"write it like '(case\d+)_'")
    return {
        i: match[1 if expression.groups else 0] or i
        for i, match in matches.items()
        if match is not None
    }


@dataclass(frozen=True)
class TableTracks:
    """The tracks of a fixation table, and what is not in them.

    Parameters
    ----------
    tracks : tuple of Track
        On the pixels of the images.
    n_rows : int
        Fixations in the table.
    dropped : dict of str to int
        Fixations in no track, by reason.
    missing_images : tuple of str
        Stimuli left out because there is no image of them.
    misfits : dict of str to str
        Stimuli left out because their image has another shape than the table says, and both sizes.
    by_case : dict of str to str
        Stimuli whose image is one but for upper and lower case, and that image's id, which they go
        by from then on.
    alike : dict of str to str
        The image whose name is most like that of a missing one.
    """

    tracks: tuple[Track, ...]
    n_rows: int
    dropped: dict[str, int]
    missing_images: tuple[str, ...]
    misfits: dict[str, str]
    by_case: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)


def read_tracks(
    path: str | Path, sizes: Mapping[str, tuple[int, int]] | None, placement: str | None = None
) -> TableTracks:
    """Read the tracks of a fixation table, on the pixels of the images where these are at hand.

    Parameters
    ----------
    path : path-like
        A fixation table.
    sizes : mapping of str to (width, height), or None
        Sizes of all images by image id: stimuli that are not among them are left out. None when
        there are no images; then the table must know the sizes itself.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placement.place`.

    Returns
    -------
    TableTracks

    Raises
    ------
    SchemaError
        The table holds no positions, or directions of the eye instead; it lacks image sizes and
        neither `sizes` nor `placement` make up for it; or it names two stimuli that are one image
        by their stem.
    """
    table, meta = read_fixations(path)
    return tracks_of_images(table, meta, sizes, placement, path=Path(path))


def tracks_of_images(
    table: pa.Table,
    meta: Mapping[str, Any],
    sizes: Mapping[str, tuple[int, int]] | None,
    placement: str | None = None,
    *,
    path: Path | None = None,
) -> TableTracks:
    """Return the tracks of a fixation table in memory; see `read_tracks`.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`.
    meta : mapping
        The table's metadata, which know the screen.
    sizes, placement
        As for `read_tracks`.
    path : pathlib.Path, optional
        The file the table comes from, for the errors.
    """
    n_rows = table.num_rows
    _refuse_placeless(path, table, meta)
    table, impossible = valid_fixations(table)
    by_case = _images_by_case(
        table["stimulus"].unify_dictionaries().unique().to_pylist(), sizes or {}
    )
    table = _renamed(table, by_case)
    table = place_by_rule(table, screen_of(meta), sizes or {}, placement)
    stimuli = table["stimulus"].combine_chunks().cast("string").to_numpy(zero_copy_only=False)
    known = np.isfinite(table["image_width_px"].to_numpy()) & np.isfinite(
        table["image_height_px"].to_numpy()
    )
    _refuse_namesakes(path, stimuli)
    # Between the images people look at nothing, and at instructions: that gaze has no place on any
    # image.
    nowhere = ~known & (stimuli == "")
    missing = (
        sorted({name for name in stimuli if name and stem(name) not in sizes})
        if sizes is not None
        else []
    )
    left_out = np.isin(stimuli, missing)
    kept = table.filter(pa.array(~(nowhere | left_out)))
    if kept.num_rows == 0 and nowhere.any() and not missing:
        kept = table  # so that the error below says what is wrong
    try:
        tracks = build_tracks(kept)
    except SchemaError as error:
        raise SchemaError(error.what, path=path, hint=error.hint) from error
    sizes = sizes or {}
    misfits = {
        t.stimulus: text for t in tracks if (text := _misfit(t, sizes.get(stem(t.stimulus))))
    }
    reasons = {"no stimulus": int(nowhere.sum()), "no image": int((left_out & ~nowhere).sum())}
    reasons["other eye"] = kept.num_rows - sum(map(len, tracks))
    reasons["image of another shape"] = sum(
        len(track) for track in tracks if track.stimulus in misfits
    )
    fitting = [track for track in tracks if track.stimulus not in misfits]
    scaled = [
        track.scaled(*sizes.get(stem(track.stimulus), (track.width, track.height)))
        for track in fitting
    ]
    dropped = impossible | {reason: n for reason, n in reasons.items() if n}
    alike = {name: found for name in missing if (found := nearest(stem(name), sizes))}
    return TableTracks(tuple(scaled), n_rows, dropped, tuple(missing), misfits, by_case, alike)


def read_screen_tracks(path: str | Path) -> list[Track]:
    """Read the tracks of a fixation table where no images are at hand, for pictures.

    Parameters
    ----------
    path : path-like
        A fixation table.

    Returns
    -------
    list of Track
        On the pixels of their images where the table knows the sizes of these, else on those of the
        screen, under the name ``screen`` where there was no stimulus.

    Raises
    ------
    SchemaError
        The table holds no positions; or neither it nor its metadata know the size of an image or
        screen.
    """
    table, meta = read_fixations(path)
    return tracks_of_screen(table, meta, path=Path(path))


def tracks_of_screen(
    table: pa.Table, meta: Mapping[str, Any], *, path: Path | None = None, eye: str = "auto"
) -> list[Track]:
    """Return the tracks of a fixation table in memory where no images are at hand.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`.
    meta : mapping
        The table's metadata, which know the screen.
    path : pathlib.Path, optional
        The file the table comes from, for the errors.
    eye : {"auto", "left", "right", "both"}
        Whose fixations, see `build_tracks`.

    Returns
    -------
    list of Track
        As `read_screen_tracks` gives them.
    """
    _refuse_placeless(path, table, meta)
    screen = screen_of(meta)
    sizes = [table[name].to_numpy() for name in ("image_width_px", "image_height_px")]
    known = np.isfinite(sizes[0]) & np.isfinite(sizes[1])
    if screen is None and not known.all():
        hint = "give --images DIR, or convert the export again with --screen WxH"
        raise SchemaError("the size of the screen is not known", path=path, hint=hint)
    if screen is not None:
        stimuli = table["stimulus"].cast("string").to_numpy()
        columns = {
            "image_width_px": np.where(known, sizes[0], screen.width_px),
            "image_height_px": np.where(known, sizes[1], screen.height_px),
            "stimulus": np.where(known | (stimuli != ""), stimuli, "screen"),
        }
        table = conform({name: table[name] for name in table.column_names} | columns, FIXATIONS)
    try:
        return build_tracks(table, eye)
    except SchemaError as error:
        raise SchemaError(error.what, path=path, hint=error.hint) from error


def _images_by_case(stimuli: Sequence[str], image_ids: Iterable[str]) -> dict[str, str]:
    """Return the stimuli that are an image's name but for upper and lower case, where nothing else could be meant."""
    ids = set(image_ids)
    by_folded: dict[str, list[str]] = {}
    for image_id in ids:
        by_folded.setdefault(image_id.casefold(), []).append(image_id)
    meant = Counter(stem(name).casefold() for name in stimuli if name)
    found = {}
    for name in filter(None, stimuli):
        images = by_folded.get(stem(name).casefold(), [])
        if stem(name) not in ids and len(images) == 1 and meant[stem(name).casefold()] == 1:
            found[name] = images[0]
    return found


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Return the table with other names for some stimuli."""
    if not names:
        return table
    stimuli = [names.get(name, name) for name in table["stimulus"].to_pylist()]
    at = table.schema.get_field_index("stimulus")
    return table.set_column(
        at, table.schema.field(at), pa.array(stimuli, pa.string()).dictionary_encode()
    )


def _refuse_placeless(path: str | Path | None, table: pa.Table, meta: Mapping[str, Any]) -> None:
    """Refuse a table that does not say where on any image people looked."""
    if meta.get("directions"):
        hint = "export gaze on the screen"
        raise SchemaError(
            "holds directions of the eye, not places on a screen", path=path, hint=hint
        )
    if table.num_rows and not np.isfinite(table["x_px"].to_numpy()).any():
        hint = "export them with positions: nobody knows where they were"
        raise SchemaError("holds fixations without positions", path=path, hint=hint)


def distinct(paths: Sequence[str | Path]) -> None:
    """Refuse a table that is named twice: its gaze would count twice.

    Raises
    ------
    ConfigError
        One is.
    """
    seen: set[Path] = set()
    for path in map(Path, paths):
        if path.resolve() in seen:
            raise ConfigError(f"{quote(path, 80)} is named twice", hint="name each table once")
        seen.add(path.resolve())


def _refuse_namesakes(path: str | Path | None, stimuli: npt.NDArray[np.object_]) -> None:
    by_stem: dict[str, str] = {}
    for name in filter(None, dict.fromkeys(stimuli)):
        other = by_stem.setdefault(stem(name), name)
        if other != name:
            what = (
                f"two stimuli are one image by name: {quote(other, 40)!r} and {quote(name, 40)!r}"
            )
            raise SchemaError(
                what, path=path, hint="images are matched without folder and suffix; rename one"
            )


def _misfit(track: Track, size: tuple[int, int] | None) -> str:
    """Return both sizes where the image's shape is not that of the table, else an empty text."""
    if (
        size is None
        or abs(track.width * size[1] / (track.height * size[0]) - 1) <= MAX_ASPECT_ERROR
    ):
        return ""
    return f"{track.width:g} x {track.height:g} in the table, {size[0]} x {size[1]} in the image"


def _splits(
    image_files: Mapping[str, ImageRef], manifest: str | Path | None, named: dict[str, str | Path]
) -> dict[str, str]:
    splits: dict[str, str] = {}
    pairs = [(i, split) for split, path in named.items() for i in read_ids(path)]
    if manifest is not None:
        with Path(manifest).open(newline="", encoding="utf-8-sig") as file:
            pairs += [
                (stem(row["image_id"]), row.get("split") or "") for row in csv.DictReader(file)
            ]
    for image_id, split in pairs:
        if image_id not in image_files:
            raise DataError(
                f"the {split} split names {quote(image_id)!r}, which is no image",
                hint="check --images and the split files",
            )
        if splits.setdefault(image_id, split) != split:
            raise DataError(
                f"{quote(image_id)!r} is in both {splits[image_id]} and {split}",
                hint="an image belongs to one split",
            )
    return splits
