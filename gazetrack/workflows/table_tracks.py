"""The tracks of a fixation table, on the pixels of its images or of the screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import ConfigError, SchemaError, nearest, quote
from gazetrack.maps.track import Track, build_tracks
from gazetrack.tables.placing import place_by_rule, screen_of
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import read_fixations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    Names = npt.NDArray[np.object_]
    Flags = npt.NDArray[np.bool_]

# Images are often shown at a size that was rounded to whole pixels, or cropped by a few.
MAX_ASPECT_ERROR = 0.02


@dataclass(frozen=True)
class TableTracks:
    """The tracks of a fixation table, and what is not in them.

    Parameters
    ----------
    tracks : tuple of Track
        On the pixels of the images.
    n_rows : int
        Number of fixations in the whole table.
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
        The file of a fixation table.
    sizes : mapping of str to (width, height), or None
        Sizes of all images by image id: stimuli that are not among them are left out. None when
        there are no images; then the table must know the sizes itself.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.

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
        The fixations, in the schema `FIXATIONS`.
    meta : mapping
        The table's metadata, which know the screen.
    sizes : mapping of str to (width, height), or None
        Sizes of all images by image id, as for `read_tracks`.
    placement : str, optional
        Rule for gaze in screen pixels, as for `read_tracks`.
    path : pathlib.Path, optional
        The file the table comes from, for the errors.

    Returns
    -------
    TableTracks
    """
    n_rows = table.num_rows
    _refuse_placeless(path, table, meta)
    table, dropped = valid_fixations(table)
    known_sizes = sizes or {}
    stimuli = table["stimulus"].unify_dictionaries().unique().to_pylist()
    by_case = _images_by_case(stimuli, known_sizes)
    table = _renamed(table, by_case)
    table = place_by_rule(table, screen_of(meta), known_sizes, placement)
    names = table["stimulus"].combine_chunks().cast("string").to_numpy(zero_copy_only=False)
    _refuse_namesakes(path, names)
    missing = [] if sizes is None else _without_image(names, sizes)
    is_missing = np.isin(names, missing)
    # Between the images people look at nothing, and at instructions: that gaze has no place on any
    # image.
    is_nowhere = ~_has_image_size(table) & (names == "")
    kept = table.filter(pa.array(~(is_nowhere | is_missing)))
    if kept.num_rows == 0 and is_nowhere.any() and not missing:
        kept = table  # so that the error below says what is wrong
    tracks = _built(kept, path)
    misfits = _misfits(tracks, known_sizes)
    fitting = [track for track in tracks if track.stimulus not in misfits]
    n_built = sum(len(track) for track in tracks)
    n_fitting = sum(len(track) for track in fitting)
    left_out = {
        "no stimulus": int(is_nowhere.sum()),
        "no image": int((is_missing & ~is_nowhere).sum()),
        "other eye": kept.num_rows - n_built,
        "image of another shape": n_built - n_fitting,
    }
    return TableTracks(
        tracks=tuple(_on_image(track, known_sizes) for track in fitting),
        n_rows=n_rows,
        dropped=dropped | {reason: count for reason, count in left_out.items() if count},
        missing_images=tuple(missing),
        misfits=misfits,
        by_case=by_case,
        alike=_alike(missing, known_sizes),
    )


def _has_image_size(table: pa.Table) -> Flags:
    """Return which fixations know the size of their image."""
    width = table["image_width_px"].to_numpy()
    height = table["image_height_px"].to_numpy()
    known: Flags = np.isfinite(width) & np.isfinite(height)
    return known


def _without_image(names: Names, image_ids: Iterable[str]) -> list[str]:
    """Return the stimuli that are none of the images, sorted."""
    ids = set(image_ids)
    return sorted({name for name in names if name and stem(name) not in ids})


def _alike(missing: Iterable[str], image_ids: Iterable[str]) -> dict[str, str]:
    """Return the image that is called most like a missing one, where one is."""
    ids = list(image_ids)
    meant = {name: nearest(stem(name), ids) for name in missing}
    return {name: image_id for name, image_id in meant.items() if image_id}


def _built(table: pa.Table, path: Path | None, eye: str = "auto") -> list[Track]:
    """Build tracks; errors name the file that the table comes from."""
    try:
        return build_tracks(table, eye)
    except SchemaError as error:
        raise SchemaError(error.what, path=path, hint=error.hint) from error


def _on_image(track: Track, sizes: Mapping[str, tuple[int, int]]) -> Track:
    """Return a track on the pixels of its image, where the size of this is known."""
    width, height = sizes.get(stem(track.stimulus), (track.width, track.height))
    return track.scaled(width, height)


def _misfits(tracks: Iterable[Track], sizes: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    """Return both sizes of each stimulus whose image has another shape than the table says."""
    found = {}
    for track in tracks:
        size = sizes.get(stem(track.stimulus))
        if size is None:
            continue
        width, height = size
        stretch = track.width * height / (track.height * width)
        if abs(stretch - 1) > MAX_ASPECT_ERROR:
            in_table = f"{track.width:g} x {track.height:g} in the table"
            found[track.stimulus] = f"{in_table}, {width} x {height} in the image"
    return found


def read_screen_tracks(path: str | Path) -> list[Track]:
    """Read the tracks of a fixation table where no images are at hand, for pictures.

    Parameters
    ----------
    path : path-like
        The file of a fixation table.

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
        The fixations, in the schema `FIXATIONS`.
    meta : mapping
        The table's metadata, which know the screen.
    path : pathlib.Path, optional
        The file the table comes from, for the errors.
    eye : {"auto", "left", "right", "both"}
        Whose fixations to take, see `build_tracks`.

    Returns
    -------
    list of Track
        As `read_screen_tracks` gives them.
    """
    _refuse_placeless(path, table, meta)
    screen = screen_of(meta)
    known = _has_image_size(table)
    if screen is None and not known.all():
        hint = "give --images DIR, or convert the export again with --screen WxH"
        raise SchemaError("the size of the screen is not known", path=path, hint=hint)
    if screen is not None:
        stimuli = table["stimulus"].cast("string").to_numpy()
        width = table["image_width_px"].to_numpy()
        height = table["image_height_px"].to_numpy()
        columns = {name: table[name] for name in table.column_names}
        columns["image_width_px"] = np.where(known, width, screen.width_px)
        columns["image_height_px"] = np.where(known, height, screen.height_px)
        columns["stimulus"] = np.where(known | (stimuli != ""), stimuli, "screen")
        table = conform(columns, FIXATIONS)
    return _built(table, path, eye)


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


def _images_by_case(stimuli: Sequence[str], image_ids: Iterable[str]) -> dict[str, str]:
    """Return the stimuli that are an image's name but for upper and lower case, and that image.

    Only where nothing else could be meant: neither two images nor two stimuli differ by case alone.
    """
    ids = set(image_ids)
    by_folded: dict[str, list[str]] = {}
    for image_id in ids:
        by_folded.setdefault(image_id.casefold(), []).append(image_id)
    n_stimuli = Counter(stem(name).casefold() for name in stimuli if name)
    found = {}
    for name in stimuli:
        image_id = stem(name)
        folded = image_id.casefold()
        images = by_folded.get(folded, [])
        if name and image_id not in ids and len(images) == 1 and n_stimuli[folded] == 1:
            found[name] = images[0]
    return found


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Return the table with other names for some stimuli."""
    if not names:
        return table
    stimuli = [names.get(name, name) for name in table["stimulus"].to_pylist()]
    column = pa.array(stimuli, pa.string()).dictionary_encode()
    at = table.schema.get_field_index("stimulus")
    return table.set_column(at, table.schema.field(at), column)


def _refuse_placeless(path: Path | None, table: pa.Table, meta: Mapping[str, Any]) -> None:
    """Refuse a table that does not say where on any image people looked."""
    if meta.get("directions"):
        what = "holds directions of the eye, not places on a screen"
        raise SchemaError(what, path=path, hint="export gaze on the screen")
    if table.num_rows and not np.isfinite(table["x_px"].to_numpy()).any():
        hint = "export them with positions: nobody knows where they were"
        raise SchemaError("holds fixations without positions", path=path, hint=hint)


def _refuse_namesakes(path: Path | None, stimuli: Names) -> None:
    """Refuse stimuli that are two by name and one by stem: their gaze would fall on one image."""
    by_stem: dict[str, str] = {}
    for name in filter(None, dict.fromkeys(stimuli)):
        other = by_stem.setdefault(stem(name), name)
        if other != name:
            both = f"{quote(other, 40)!r} and {quote(name, 40)!r}"
            hint = "images are matched without folder and suffix; rename one"
            raise SchemaError(f"two stimuli are one image by name: {both}", path=path, hint=hint)
