"""Which figures are to be drawn, each with its name: of tracks, images, tables and recordings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, InputError
from gazetrack.figures.aois import plot_aois
from gazetrack.figures.durations import plot_durations
from gazetrack.figures.heatmap import plot_heatmap
from gazetrack.figures.kinds import OF_AREAS, OTHER_PICTURE_SUFFIXES, PICTURE_SUFFIXES
from gazetrack.figures.main_sequence import plot_main_sequence
from gazetrack.figures.pupil import plot_pupil
from gazetrack.figures.saving import check_picture_suffix
from gazetrack.figures.scanpath import plot_scanpath
from gazetrack.figures.scarf import plot_scarf
from gazetrack.figures.time_series import plot_time_series
from gazetrack.figures.track_maps import plot_track
from gazetrack.figures.transitions import plot_transitions
from gazetrack.images.folder import find_images, image_size, read_image, read_mask
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import track_names
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.publish import file_stem, unique_names
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import SUFFIX, read_fixations, read_table
from gazetrack.workflows.aoi_looks import aoi_looks
from gazetrack.workflows.measures import aoi_transitions, measure_aois
from gazetrack.workflows.pupil import pupil
from gazetrack.workflows.read import read
from gazetrack.workflows.table_tracks import read_screen_tracks, read_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.track import Track
    from gazetrack.workflows.aoi_options import AoiChoices

_PUPIL = ".pupil.parquet"


@dataclass(frozen=True, kw_only=True)
class DrawingOptions:
    """What a user may choose about the figures of a call.

    Parameters
    ----------
    images, masks : pathlib.Path or None
        Folders of images and of masks to outline. Without images, gaze is drawn on empty screens.
    params : MapParams
        How tracks become the maps beside them.
    placement : str or None
        Rule for gaze in screen pixels: ``centre``, ``fit``, ``stretch`` or ``X,Y,WIDTH,HEIGHT``.
    aois : pathlib.Path or None
        A file of areas of interest, of any format that `gazetrack.read_aois` knows.
    events : pathlib.Path or None
        A table of events that is used in place of those that an export holds.
    seconds : float
        How much of each trial is drawn over time, from its start.
    """

    images: Path | None = None
    masks: Path | None = None
    params: MapParams = field(default_factory=MapParams)
    placement: str | None = None
    aois: Path | None = None
    events: Path | None = None
    seconds: float = 20.0


@dataclass(frozen=True)
class Drawing:
    """A figure that is to be drawn.

    Parameters
    ----------
    name : str
        The name of its file, without suffix: safe on every system, and no other's.
    draw : callable
        Draws the figure; what it needs of the disc is read then.
    """

    name: str
    draw: Callable[[], Figure]


class Pictures:
    """The images and masks of a call, found once and read when they are drawn."""

    def __init__(self, options: DrawingOptions) -> None:
        self.has_images = options.images is not None
        self._images = {} if options.images is None else find_images(options.images)
        self._masks = {} if options.masks is None else find_images(options.masks)

    @property
    def files(self) -> list[Path]:
        """Return the files that must not be written over."""
        return [one.file for one in (*self._images.values(), *self._masks.values())]

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Return the width and height of each image, by its id."""
        return {image_id: image_size(file) for image_id, file in self._images.items()}

    def image(self, stimulus: str) -> npt.NDArray[np.uint8] | None:
        """Return the image of a stimulus; None where there is none."""
        file = self._images.get(stem(stimulus))
        return None if file is None else read_image(file, "RGB")

    def mask(self, stimulus: str) -> npt.NDArray[np.bool_] | None:
        """Return the mask of a stimulus; None where there is none."""
        file: ImageRef | None = self._masks.get(stem(stimulus))
        return None if file is None else read_mask(file)


def drawings_of(
    what: str, paths: Sequence[Path], pictures: Pictures, options: DrawingOptions
) -> list[Drawing]:
    """Return the figures of one kind that there are of these inputs.

    Parameters
    ----------
    what : str
        Which figure, one of `gazetrack.figures.kinds.FIGURES`.
    paths : sequence of pathlib.Path
        Fixation tables; for figures of samples or movements, exports or tables of samples.
    pictures : Pictures
        The images that gaze is drawn on.
    options : DrawingOptions
        What the user chose about them.

    Returns
    -------
    list of Drawing

    Raises
    ------
    InputError
        None of the tracks has an image in the folder; and what reading the inputs raises.
    """
    if what == "durations":
        return _of_tables(paths)
    if what == "pupil":
        return _pupils(paths, options)
    if what in ("time-series", "main-sequence"):
        return _of_recordings(what, paths, options)
    if what in OF_AREAS:
        return _of_areas(what, paths, pictures, options)
    tracks = _tracks(paths, pictures, options.placement)
    if not tracks and pictures.has_images:
        what_is_wrong = "holds no image of these fixations"
        raise InputError(what_is_wrong, path=options.images, hint="give --images DIR")
    if what == "heatmap":
        return _heatmaps(tracks, pictures)
    draw = _map_drawer if what == "maps" else _scanpath_drawer
    return [
        Drawing(name, draw(track, pictures, options))
        for name, track in zip(track_names(tracks), tracks, strict=True)
    ]


def _tracks(paths: Sequence[Path], pictures: Pictures, placement: str | None) -> list[Track]:
    """Return the tracks of tables, on the pixels of the images where there are any."""
    if not pictures.has_images:
        return [track for path in paths for track in read_screen_tracks(path)]
    sizes = pictures.sizes()
    return [track for path in paths for track in read_tracks(path, sizes, placement).tracks]


def _map_drawer(track: Track, pictures: Pictures, options: DrawingOptions) -> Callable[[], Figure]:
    return lambda: plot_track(
        track,
        pictures.image(track.stimulus),
        render_maps(track, options.params),
        pictures.mask(track.stimulus),
    )


def _scanpath_drawer(
    track: Track, pictures: Pictures, options: DrawingOptions
) -> Callable[[], Figure]:
    def draw() -> Figure:
        aois = None if options.aois is None else read_aois(options.aois)
        image, mask = pictures.image(track.stimulus), pictures.mask(track.stimulus)
        return plot_scanpath(track, image, aois=aois, mask=mask)

    return draw


def _of_areas(
    what: str, paths: Sequence[Path], pictures: Pictures, options: DrawingOptions
) -> list[Drawing]:
    """Return a figure of the areas of each stimulus that has any."""
    if options.aois is None:
        raise ConfigError(f"{what} needs areas of interest", hint="give --aois FILE")
    aois = read_aois(options.aois)
    choices: AoiChoices = {"placement": options.placement, "images": options.images}
    if what == "aois":
        table = measure_aois(paths, aois, **choices)
    elif what == "scarf":
        table = aoi_looks(paths, aois, **choices)
    else:
        table = aoi_transitions(paths, aois, **choices)
    groups = list(table.groupby("stimulus", sort=False, observed=True))
    # Two images may differ in their suffix alone.
    stems = _distinct([stem(str(stimulus)) for stimulus, _ in groups])
    names = unique_names(f"{name}.{what}" for name in stems)

    def drawer(stimulus: str, rows: pd.DataFrame) -> Callable[[], Figure]:
        if what == "aois":
            return lambda: plot_aois(rows, aois, pictures.image(stimulus), stimulus=stimulus)
        plot = plot_scarf if what == "scarf" else plot_transitions
        return lambda: plot(rows, title=stimulus)

    return [
        Drawing(name, drawer(str(stimulus), rows))
        for name, (stimulus, rows) in zip(names.values(), groups, strict=True)
    ]


def _heatmaps(tracks: Sequence[Track], pictures: Pictures) -> list[Drawing]:
    """Return one heat map for each image, of all who looked at it."""
    by_image: dict[tuple[str, float, float], list[Track]] = {}
    for track in tracks:
        by_image.setdefault((track.stimulus, track.width, track.height), []).append(track)
    texts = [
        f"{stem(name)}.{width:g}x{height:g}" if _is_twice(name, by_image) else stem(name)
        for name, width, height in by_image
    ]
    texts = _distinct(texts)
    names = unique_names(texts)

    def drawer(group: list[Track]) -> Callable[[], Figure]:
        name = group[0].stimulus
        return lambda: plot_heatmap(group, pictures.image(name), mask=pictures.mask(name))

    groups = zip(texts, by_image.values(), strict=True)
    return [Drawing(names[text], drawer(group)) for text, group in groups]


def _is_twice(stimulus: str, by_image: dict[tuple[str, float, float], list[Track]]) -> bool:
    return sum(stem(key[0]) == stem(stimulus) for key in by_image) > 1


def _of_tables(paths: Sequence[Path]) -> list[Drawing]:
    """Return a histogram of durations for each table."""
    stems = [path.name.removesuffix(SUFFIX) for path in paths]
    names = unique_names(f"{name}.durations" for name in _distinct(stems))

    def drawer(path: Path, title: str) -> Callable[[], Figure]:
        return lambda: plot_durations(read_fixations(path)[0].to_pandas(), title=title)

    named = zip(paths, stems, names.values(), strict=True)
    return [Drawing(name, drawer(path, title)) for path, title, name in named]


def _of_recordings(what: str, paths: Sequence[Path], options: DrawingOptions) -> list[Drawing]:
    """Return figures of exports: one for each trial over time, or one for all movements of each."""
    drawings: list[tuple[str, Callable[[], Figure]]] = []
    for path in paths:
        if what == "main-sequence" and path.name.endswith(".parquet"):
            events = _events(path)
            title = path.name.removesuffix(".parquet").removesuffix(".events")
            drawings.append((f"{title}.{what}", _main_sequence(events, title)))
            continue
        recording = read(path)
        events = recording.events if options.events is None else _events(options.events)
        if what == "main-sequence":
            drawings.append((f"{recording.name}.{what}", _main_sequence(events, recording.name)))
            continue
        if recording.samples.empty:
            raise InputError("has no samples", path=path, hint="give an export of samples")
        trials = recording.samples.groupby(["stimulus", "trial"], observed=True, sort=False)
        for (stimulus, trial), rows in trials:
            start = rows["t_ms"].iloc[0]
            shown = rows[rows["t_ms"] <= start + 1000 * options.seconds]
            named = [str(part) for part in (recording.name, stimulus, trial) if str(part)]
            title = _timed(named, options.seconds, is_cut=len(shown) < len(rows))
            name = ".".join([recording.name, stem(str(stimulus)), str(trial), what])
            drawings.append((name.replace("..", "."), _time_series(shown, events, title)))
    names = unique_names(_distinct([name for name, _ in drawings]))
    return [Drawing(name, draw) for name, (_, draw) in zip(names.values(), drawings, strict=True)]


def _pupils(paths: Sequence[Path], options: DrawingOptions) -> list[Drawing]:
    """Return the pupil of each trial, of exports or of tables that ``gazetrack pupil`` wrote."""
    drawings: list[tuple[str, Callable[[], Figure]]] = []
    for path in paths:
        is_table = path.name.endswith(_PUPIL)
        samples = _events(path) if is_table else pupil(read(path)).samples
        if samples.empty:
            raise InputError("has no pupil sizes", path=path, hint="export pupil sizes as well")
        trials = samples.groupby(["recording", "stimulus", "trial"], observed=True, sort=False)
        for key, rows in trials:
            shown = rows[rows["t_ms"] <= rows["t_ms"].min() + 1000 * options.seconds]
            named = [str(part) for part in key if str(part)]
            title = _timed(named, options.seconds, is_cut=len(shown) < len(rows))
            parts = [named[0], *map(stem, named[1:]), "pupil"]
            drawings.append((".".join(parts), _pupil(shown, title)))
    names = unique_names(_distinct([name for name, _ in drawings]))
    return [Drawing(name, draw) for name, (_, draw) in zip(names.values(), drawings, strict=True)]


def _timed(named: Sequence[str], seconds: float, *, is_cut: bool) -> str:
    """Return the title of what is drawn over time, which says where not all of it is."""
    return " · ".join([*named, f"first {seconds:g} s"] if is_cut else named)


def _pupil(samples: pd.DataFrame, title: str) -> Callable[[], Figure]:
    return lambda: plot_pupil(samples, title=title)


def _main_sequence(events: pd.DataFrame, title: str) -> Callable[[], Figure]:
    return lambda: plot_main_sequence(events, title=title)


def _time_series(samples: pd.DataFrame, events: pd.DataFrame, title: str) -> Callable[[], Figure]:
    return lambda: plot_time_series(samples, events, title=title)


def _events(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = read_table(path)[0].to_pandas()
    return frame


def _distinct(texts: Sequence[str]) -> list[str]:
    """Return the texts, those that come again with a number behind them."""
    taken = set(texts)
    seen: dict[str, int] = {}
    found = []
    for text in texts:
        number = seen[text] = seen.get(text, 0) + 1
        while number > 1 and f"{text}.{number}" in taken:
            number += 1
        seen[text] = number
        found.append(text if number == 1 else f"{text}.{number}")
        taken.add(found[-1])
    return found


def suffixed(drawings: Sequence[Drawing], out: Path, file_type: str) -> list[Path]:
    """Return where each figure goes: into a folder, or to the one file that is named.

    Parameters
    ----------
    drawings : sequence of Drawing
        The figures of this call.
    out : pathlib.Path
        A folder; or a file, ending in ``.png``, ``.svg`` or ``.pdf``, for a single figure.
    file_type : {"png", "svg", "pdf"}
        What they are written as in a folder.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    ConfigError
        Several figures for one file, or a file of a kind that is not written.
    """
    if out.suffix.lower() in OTHER_PICTURE_SUFFIXES and not out.is_dir():
        check_picture_suffix(out.suffix.lower())
    if out.suffix.lower() not in PICTURE_SUFFIXES or out.is_dir():
        return [out / f"{drawing.name}.{file_type}" for drawing in drawings]
    if len(drawings) > 1:
        what = f"{len(drawings)} figures for the one file {file_stem(out.name)}"
        raise ConfigError(what, hint="give -o FOLDER, or --limit 1 for the first")
    return [out for _ in drawings]
