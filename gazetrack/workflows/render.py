"""Fixation tables in, stored maps and pictures out, over many tables."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, Unpack

import numpy as np

from gazetrack.errors import ConfigError, GazetrackError, WorkerLost, quote
from gazetrack.images.folder import find_images, read_image
from gazetrack.maps.neighbours import smoothed
from gazetrack.maps.overlay import overlay
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import TrackMaps, check_size, pool, render_maps
from gazetrack.maps.store import MAP_FILE, MAX_TOTAL_BYTES, map_writer, stored
from gazetrack.maps.targets import is_of_areas, target_rule
from gazetrack.maps.track import track_names
from gazetrack.publish import publish, refuse_input_folder, refuse_overwrite, sha256_of
from gazetrack.tables.finding import tables_among
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.at_hand import at_hand
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome, settled
from gazetrack.workflows.refining import check_calibrated, refine_on, some_of
from gazetrack.workflows.render_notes import (
    by_image,
    count_used,
    image_sizes,
    observers_of,
    of_targets,
    take_note,
)
from gazetrack.workflows.render_slices import slices_around
from gazetrack.workflows.table_tracks import distinct, read_tracks
from gazetrack.workflows.unfinished import Kept
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.neighbours import SliceSmoothing
    from gazetrack.maps.parameters import CRFParams
    from gazetrack.maps.track import Track
    from gazetrack.measures.aois import AoiSet
    from gazetrack.workflows.render_slices import Around

    Group = list[tuple[Track, Outcome]]


class Row(NamedTuple):
    """What one row of the map file is rendered from: tracks, and those on the slices around."""

    tracks: list[Track]
    image: ImageRef | None
    around: list[Around]


_MOST_WAITING = 64  # rendered rows, for one that is written before them


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """What a user may choose when rendering.

    Parameters
    ----------
    params : MapParams
        How a track becomes maps.
    images : pathlib.Path or None
        Folder of the images: their sizes are used, and stimuli without an image are left out and
        named.
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    size : (height, width) or None
        Size of the maps; the image's own by default.
    out : pathlib.Path
        Folder for ``maps.parquet`` and pictures.
    crf : CRFParams or None
        Refine the full track's map on its image; needs `images`.
    smoothing : SliceSmoothing or None
        Let a slice's maps gain from the same observer's looks at the slices around it, see
        `gazetrack.maps.neighbours`; before a CRF, and before maps are pooled.
    pooled : bool
        Write one map an image, the mean over its observers, instead of one each.
    png : bool
        Also write every level as a PNG.
    overlay : bool
        Also write the maps drawn on their images; needs `images`.
    force : bool
        Also replace files that gazetrack did not write.
    max_total_bytes : int
        Refuse to write more unpacked bytes than this.
    jobs : int
        Threads to render with; what is written does not depend on it.
    engine : Engine or None
        Who renders in place of threads of this process, such as a cluster, which for a CRF has to
        see the images and the folder `out`.
    dtype : {"uint8", "float32"}
        Type of the stored values: 0..255, or 0..1.
    target : str or None
        Rule for what a trial was looking for, see `gazetrack.maps.targets.target_rule`: maps then
        say it, and `pooled` ones are of one target each. Tracks of no target are left out. Or
        ``aoi`` or ``aoi=REGEX``: the label of the area that gaze fell on, see
        `gazetrack.workflows.aoi_targets`; needs `aois`.
    aois : AoiSet or None
        The areas of interest of the images, as `gazetrack.read_aois` returns them.
    """

    params: MapParams = field(default_factory=MapParams)
    images: Path | None = None
    placement: str | None = None
    size: tuple[int, int] | None = None
    out: Path = Path("maps")
    crf: CRFParams | None = None
    smoothing: SliceSmoothing | None = None
    pooled: bool = False
    png: bool = False
    overlay: bool = False
    force: bool = False
    max_total_bytes: int = MAX_TOTAL_BYTES
    jobs: int = 1
    engine: Engine | None = None
    dtype: str = "uint8"
    target: str | None = None
    aois: AoiSet | None = None


class RenderChoices(TypedDict, total=False):
    """The fields of `RenderOptions` but for folders, as keyword arguments."""

    params: MapParams
    placement: str | None
    size: tuple[int, int] | None
    crf: CRFParams | None
    smoothing: SliceSmoothing | None
    pooled: bool
    png: bool
    overlay: bool
    force: bool
    max_total_bytes: int
    jobs: int
    engine: Engine | None
    dtype: str
    target: str | None
    aois: AoiSet | None


def render(
    tables: str | Path | Sequence[str | Path] = ".",
    images: str | Path | None = None,
    out: str | Path = "maps",
    *,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
    **choices: Unpack[RenderChoices],
) -> list[Outcome]:
    """Render fixation tables into one file of maps, as the command ``gazetrack render`` does.

    Parameters
    ----------
    tables : path-like, or sequence of path-like
        Fixation tables, or folders of them, or their addresses: of a folder, one table a recording.
    images : path-like, optional
        Folder of the images, or its address, whose sizes the maps then have.
    out : path-like
        Folder for ``maps.parquet`` and pictures, or its address.
    progress : callable, optional
        Called with (done, total) after each track.
    errors : {"raise", "report"}
        ``raise``: when all tables are done, the first error is raised, with the others in its
        notes. ``report``: errors are in the outcomes alone.
    **choices
        Other fields of `RenderOptions`, such as ``params=MapParams(kind="hull")``.

    Returns
    -------
    list of Outcome
        One per table; the map file is listed with the first.

    Raises
    ------
    GazetrackError
        A table failed, or images of it are missing, and `errors` is ``raise``. The maps of the
        others are written.

    Examples
    --------
    >>> gazetrack.render("raw.fixations.parquet", images="images")  # doctest: +SKIP
    >>> store = gazetrack.read_maps("maps")  # doctest: +SKIP
    """
    listed = [tables] if isinstance(tables, str | Path) else list(tables)
    with at_hand(listed, images, out, file=MAP_FILE) as places:
        options = RenderOptions(images=places.images, out=places.out, **choices)
        found = tables_among(places.tables).paths
        outcomes = places.told(render_tables(found, options, progress))
    return settled(outcomes, errors)


def render_tables(
    paths: Sequence[str | Path],
    options: RenderOptions,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Render the tracks of fixation tables into one map file.

    What a CRF refined is kept until the file is complete: after an interruption, the next call goes
    on there.

    Parameters
    ----------
    paths : sequence of path-like
        Fixation tables, each named once.
    options : RenderOptions
        How maps are made and where they go.
    progress : callable, optional
        Called with (done, total) after each track.

    Returns
    -------
    list of Outcome
        One per table; the map file is listed with the first. Tables that fail are left out; nothing
        is written when none is left.
    """
    found = gathered(paths, options)
    if found.groups:
        _write_maps(found, options, progress)
    return found.outcomes


@dataclass(frozen=True)
class Gathered:
    """What fixation tables give to be rendered.

    Parameters
    ----------
    outcomes : list of Outcome
        One per table, as far as it is known before anything is rendered.
    groups : list of list of (Track, Outcome)
        The tracks of each row of the map file, each with the outcome of its table.
    images : mapping of str to ImageRef
        All images of the folder by image id.
    """

    outcomes: list[Outcome]
    groups: list[Group]
    images: Mapping[str, ImageRef]


def gathered(paths: Sequence[str | Path], options: RenderOptions) -> Gathered:
    """Read fixation tables and match them with their images; nothing is written.

    Parameters
    ----------
    paths : sequence of path-like
        Fixation tables, each named once.
    options : RenderOptions
        How maps would be made, as for `render_tables`.

    Raises
    ------
    GazetrackError
        What is asked for cannot be, whatever is in the tables.
    """
    if options.size is not None:
        check_size(*options.size, options.params.levels)
    for needed, what in ((options.crf is not None, "a CRF"), (options.overlay, "an overlay")):
        if needed and options.images is None:
            raise ConfigError(f"{what} needs the images", hint="give --images DIR")
    if options.crf is not None:
        check_calibrated(options.params.kind)
    images = find_images(options.images) if options.images is not None else {}
    distinct(paths)
    refuse_overwrite(options.out / MAP_FILE, [*paths, *(image.file for image in images.values())])
    refuse_input_folder(
        [options.out, options.out / "png", options.out / "overlay"], [options.images]
    )
    sizes, unreadable = image_sizes(images)
    areas = None
    if options.aois is not None or is_of_areas(options.target):
        # What measures areas takes a tenth of a second to import, which others need not wait for.
        from gazetrack.workflows.aoi_targets import area_targets, within_areas

        areas = area_targets(options.target, options.aois)
    target = None
    if options.target is not None and areas is None:
        target = target_rule(options.target)
    outcomes: list[Outcome] = []
    work: Group = []
    for path in paths:
        outcome = Outcome(str(path), format="fixations")
        outcomes.append(outcome)
        try:
            outcome.sha256 = sha256_of(path) if Path(path).is_file() else ""
            known_sizes = None if options.images is None else sizes
            found = read_tracks(path, known_sizes, options.placement)
            if target is not None:
                found = of_targets(found, target, outcome)
            if areas is not None:
                found = within_areas(found, areas, options.params, outcome)
            work += [(track, outcome) for track in found.tracks]
            take_note(outcome, found, unreadable, options.images)
        except GazetrackError as error:
            outcome.status = "failed"
            outcome.error = error
    if areas is not None and outcomes:
        outcomes[0].notes += areas.aois.notes
    groups = by_image(work) if options.pooled else [[one] for one in work]
    return Gathered(outcomes, groups, images)


def _write_maps(
    found: Gathered, options: RenderOptions, progress: Callable[[int, int], None] | None
) -> None:
    """Write the map file and pictures: a row for each track, or image where they are pooled."""
    used = [outcome for outcome in found.outcomes if outcome.status != "failed"]
    target = options.out / MAP_FILE
    groups = found.groups
    firsts = [group[0][0] for group in groups]
    names = track_names(firsts)
    work = _rows(found, options)
    shown = [row.image for row in work]
    meta = {
        "params": options.params.as_dict(),
        "sources": [{"file": Path(each.file).name, "sha256": each.sha256} for each in used],
        "observers": observers_of(groups, pooled=options.pooled),
        "placement_rule": options.placement,
        "crf": None if options.crf is None else asdict(options.crf),
    }
    if options.target is not None:
        meta["target_rule"] = options.target
    if options.aois is not None:
        meta["target_areas"] = dict(options.aois.source)
    if options.smoothing is not None:
        meta["slice_smoothing"] = asdict(options.smoothing)
    most = options.max_total_bytes
    has_targets = options.target is not None
    with map_writer(
        target, meta, force=options.force, max_total_bytes=most, targets=has_targets
    ) as write:
        rendered = _in_order(work, options)
        rows = zip(groups, names, shown, rendered, strict=True)
        for group, name, image, maps in counted(rows, len(groups), progress):
            count_used(group, options.params)
            write(stored(maps, options.dtype))
            if options.png:
                _write_pngs(options.out / "png", name, maps.as_uint8())
            if options.overlay and image is not None:
                drawn = overlay(read_image(image, "RGB", maps.values.shape[1:]), maps.values)
                _write_png(options.out / "overlay" / f"{name}.png", drawn)
    Kept(target).clear()
    used[0].outputs.append({"path": str(target), "rows": len(groups), "sha256": sha256_of(target)})


def _rows(found: Gathered, options: RenderOptions) -> list[Row]:
    """Return what each row of the map file is rendered from, with no outcome: these do not travel.

    Errors are those of `gazetrack.workflows.render_slices.slices_around`.
    """
    work = [one for group in found.groups for one in group]
    every: list[Around] = [[] for _ in work]
    if options.smoothing is not None:
        every = slices_around(work, found.images, options.smoothing, options.params)
    around = iter(every)
    rows = []
    for group in found.groups:
        tracks = [track for track, _ in group]
        image = found.images.get(stem(tracks[0].stimulus))
        rows.append(Row(tracks, image, [next(around) for _ in tracks]))
    return rows


def _in_order(rows: Sequence[Row], options: RenderOptions) -> Iterator[TrackMaps]:
    """Yield the maps of each row in order, rendered by `options.jobs` threads or by an engine."""
    if options.engine is not None:
        # Who works has no use for who else does, nor for areas: tracks are split already.
        render_row = partial(_rendered, options=replace(options, engine=None, aois=None))
        with ExitStack() as held:
            needs: list[Path] = []
            if options.engine.cluster is not None and options.crf is not None:
                # Without a CRF, a worker opens no file: the sizes of images are with the tracks.
                mark = held.enter_context(Kept(options.out / MAP_FILE).marked())
                needs = [mark, *some_of([row.image for row in rows if row.image is not None])]
            # Maps are large: few wait for one that is to be written before them.
            yield from over(
                render_row,
                rows,
                options.engine,
                total=len(rows),
                lost=_lost,
                ahead=_MOST_WAITING,
                needs=needs,
            )
        return
    if options.jobs <= 1:
        for row in rows:
            yield _rendered(row, options)
        return
    # Threads are enough, as the kernels release the interpreter's lock. They are only a few rows
    # ahead of the one that is written, so that memory does not grow with the number of rows.
    with ThreadPoolExecutor(options.jobs) as pool:
        ahead: deque[Future[TrackMaps]] = deque()
        for row in rows:
            ahead.append(pool.submit(_rendered, row, options))
            if len(ahead) > 2 * options.jobs:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _lost(row: Row, error: WorkerLost) -> TrackMaps:
    """Give up: the maps are one file, which would lack a row."""
    stimulus = quote(row.tracks[0].stimulus, 60)
    raise WorkerLost(f"{stimulus}: {error.what}", hint="render it smaller, or on more memory")


def _rendered(row: Row, options: RenderOptions) -> TrackMaps:
    """Render the tracks of one row."""
    image = row.image
    pairs = zip(row.tracks, row.around, strict=True)
    observers = [_smoothed(track, around, options) for track, around in pairs]
    maps = pool(observers) if options.pooled else observers[0]
    if options.crf is not None and image is not None:
        last = refine_on(maps.values[-1:], image, options.crf, Kept(options.out / MAP_FILE))
        maps = replace(maps, values=np.concatenate([maps.values[:-1], last]))
    return maps


def _smoothed(track: Track, around: Around, options: RenderOptions) -> TrackMaps:
    """Render a track, and let its maps gain from those of the tracks around it, if any."""
    own = render_maps(track, options.params, options.size)
    others = (
        (weight, render_maps(other, options.params, options.size).values)
        for weight, other in around
    )
    return replace(own, values=smoothed(own.values, others))


def _write_pngs(folder: Path, name: str, values: Any) -> None:
    for level, picture in enumerate(values):
        _write_png(folder / f"{name}.level{level + 1}.png", picture)


def _write_png(path: Path, picture: Any) -> None:
    from PIL import Image

    with publish(path) as file:
        Image.fromarray(picture).save(file, format="PNG")
