"""Saliency maps against the fixations of many recordings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, InputError, SchemaError, quote
from gazetrack.measures.saliency import SCORES, Looks, SaliencyOptions, scores
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.gaze_paths import Place, as_tracks, place_on, read_each
from gazetrack.workflows.saliency_maps import MapSource, map_sources
from gazetrack.workflows.table_tracks import MAX_ASPECT_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.errors import WorkerLost
    from gazetrack.maps.track import Track
    from gazetrack.workflows.gaze_paths import Scanpaths
    from gazetrack.workflows.outcome import Outcome

    Floats = npt.NDArray[np.float64]

SCORED = ("map", "centre_bias")
_NAMES = {"stimulus": ("stimulus",), "recording": ("stimulus", "recording", "participant")}


@dataclass(frozen=True, kw_only=True)
class _Gaze:
    """Fixations on one image, as shares of its width and height."""

    names: tuple[str, ...]
    x: Floats
    y: Floats
    shapes: tuple[tuple[float, float], ...]
    source: MapSource | None


@dataclass(frozen=True, kw_only=True)
class _Everywhere:
    """All fixations on all images, as shares, and the number of the image each is on."""

    images: tuple[str, ...]
    image: npt.NDArray[np.intp]
    x: Floats
    y: Floats

    def except_on(self, image: str) -> tuple[Floats, Floats]:
        """Return the fixations on all other images."""
        others = self.image != self.images.index(image)
        return self.x[others], self.y[others]


def score_saliency(
    maps: str | Path | Mapping[str, npt.ArrayLike],
    fixations: Scanpaths,
    *,
    by: str = "stimulus",
    images: str | Path | None = None,
    placement: str | None = None,
    options: SaliencyOptions | None = None,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Score saliency maps by the fixations on their images, and a centre bias beside each.

    Parameters
    ----------
    maps : path-like or mapping of str to array
        A folder of pictures and ``*.npy`` files called after the stimuli, a map file of `render`,
        or maps [H, W] by stimulus.
    fixations : data frame, Arrow table, path-like, tracks, or a sequence of these
        Fixations on the pixels of the images: tables, their files, folders of files; or tracks.
    by : {"stimulus", "recording"}
        Whether the fixations of all observers of an image count together, or those of each
        recording alone.
    images, placement
        Where the images are and how they were shown, see `gazetrack.tracks`. With a placement alone
        the images are as large as the maps.
    options : SaliencyOptions, optional
        How fixations are blurred, and what is taken for chance.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the scores do not depend on it.
    progress : callable, optional
        Called with the number of maps done and of all, before the first and after each.

    Returns
    -------
    pandas.DataFrame
        Two rows per image, or per image and recording: ``scored`` is ``map`` or ``centre_bias``.
        Then the numbers of fixations on the map and beside it, the map's size in pixels, the scores
        of `gazetrack.measures.saliency.scores`, and the reason where they are NaN: no fixation, or
        no map.

    Raises
    ------
    SchemaError
        Nobody knows where on the images the fixations lie, or a map has another shape than its
        image.
    InputError
        There are no maps, none of them is of a stimulus, or one is damaged or not of numbers.
    ConfigError
        `by` or an option makes no sense.

    Examples
    --------
    >>> found = gazetrack.score_saliency("saliency", "tables")  # doctest: +SKIP
    >>> found.groupby("scored")[["nss", "auc_judd"]].mean()  # doctest: +SKIP
    """
    sources = map_sources(maps)
    paths = as_tracks(fixations, place_of_maps(sources, images, placement))
    return _scored_all(
        sources, paths, by, options or SaliencyOptions(), jobs=jobs, progress=progress
    )


@dataclass(frozen=True)
class SaliencyReport:
    """What was found in many fixation tables.

    Parameters
    ----------
    scores : pandas.DataFrame
        The table that `score_saliency` returns.
    outcomes : tuple of Outcome
        What became of each table.
    """

    scores: pd.DataFrame
    outcomes: tuple[Outcome, ...]


def score_saliency_files(
    maps: str | Path,
    paths: Sequence[Path],
    *,
    by: str = "stimulus",
    images: str | Path | None = None,
    placement: str | None = None,
    options: SaliencyOptions | None = None,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SaliencyReport:
    """Score saliency maps by the fixations of tables; a bad one leaves the others alone.

    Parameters
    ----------
    maps, by, images, placement, options, jobs, progress
        The same as those of `score_saliency`.
    paths : sequence of pathlib.Path
        Fixation tables, each named once.

    Returns
    -------
    SaliencyReport
    """
    sources = map_sources(maps)
    found, outcomes = read_each(paths, place_of_maps(sources, images, placement))
    options = options or SaliencyOptions()
    scored = _scored_all(sources, found, by, options, jobs=jobs, progress=progress)
    return SaliencyReport(scored, tuple(outcomes))


def place_of_maps(
    sources: Mapping[str, MapSource], images: str | Path | None, placement: str | None
) -> Place:
    """Return where fixations belong that maps are scored by: on the images, never the screen."""
    if placement is None or images is not None:
        return place_on(images, placement)
    if any(source.is_stored for source in sources.values()):
        what = "a placement needs the size of the images, which a map file does not tell"
        raise SchemaError(what, hint="give their folder as well (--images DIR)")
    return place_on(None, placement, {name: one.size() for name, one in sources.items()})


def _scored_all(
    sources: Mapping[str, MapSource],
    paths: Sequence[Track],
    by: str,
    options: SaliencyOptions,
    *,
    jobs: int | Engine,
    progress: Callable[[int, int], None] | None,
) -> pd.DataFrame:
    if by not in _NAMES:
        raise ConfigError(f"by {quote(by)!r}", hint="use stimulus or recording")
    looked_at = {stem(track.stimulus) for track in paths}
    if looked_at and not looked_at & set(sources):
        what = f"no map of {quote(min(looked_at), 40)!r}, nor of any other stimulus"
        raise InputError(what, hint="maps are found by the name of the stimulus")
    todo = _gathered(paths, sources, _NAMES[by])
    found = over(
        partial(_scored, everywhere=_everywhere(paths), options=options),
        todo,
        Engine.of(jobs),
        total=len(todo),
        lost=_lost,
        progress=progress,
    )
    rows = [dict(zip(_NAMES[by], gaze.names, strict=True)) for gaze in todo]
    table = [names | row for names, two in zip(rows, found, strict=True) for row in two]
    sizes = ["n_fixations", "n_outside", "width_px", "height_px"]
    return pd.DataFrame(table, columns=[*_NAMES[by], "scored", *sizes, *SCORES, "reason"])


def _gathered(
    paths: Sequence[Track], sources: Mapping[str, MapSource], names: Sequence[str]
) -> list[_Gaze]:
    """Return the fixations that count together; maps that nobody looked at have none."""
    groups: dict[tuple[str, ...], list[Track]] = {}
    # In the order of names, so that the one in which tables are given does not matter.
    for track in sorted(paths, key=lambda one: (one.recording, one.participant, one.trial)):
        key = (stem(track.stimulus), *(str(getattr(track, name)) for name in names[1:]))
        groups.setdefault(key, []).append(track)
    unseen = set(sources) - {key[0] for key in groups}
    groups |= {(name, *[""] * (len(names) - 1)): [] for name in sources if name in unseen}
    return [
        _Gaze(
            names=key,
            x=_joined([track.x / track.width for track in own]),
            y=_joined([track.y / track.height for track in own]),
            shapes=tuple({(track.width, track.height) for track in own}),
            source=sources.get(key[0]),
        )
        for key, own in sorted(groups.items())
    ]


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _everywhere(paths: Sequence[Track]) -> _Everywhere:
    """Return where people looked on any image, off it left out."""
    images = list(dict.fromkeys(stem(track.stimulus) for track in paths))
    numbers = {name: number for number, name in enumerate(images)}
    image = [np.full(len(track), numbers[stem(track.stimulus)]) for track in paths]
    x = _joined([track.x / track.width for track in paths])
    y = _joined([track.y / track.height for track in paths])
    inside = _on_image(x, y)
    image_of = np.concatenate(image) if image else np.zeros(0, np.intp)
    return _Everywhere(images=tuple(images), image=image_of[inside], x=x[inside], y=y[inside])


def _on_image(x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
    return (x >= 0) & (x < 1) & (y >= 0) & (y < 1)


def _scored(gaze: _Gaze, everywhere: _Everywhere, options: SaliencyOptions) -> list[dict[str, Any]]:
    """Return the rows of one image: of its map, and of the centre bias."""
    inside = _on_image(gaze.x, gaze.y)
    counts = {"n_fixations": int(inside.sum()), "n_outside": int((~inside).sum())}
    if gaze.source is None:
        nothing = {"width_px": 0, "height_px": 0, "reason": "no map"}
        return [{"scored": which, **counts, **nothing} for which in SCORED]
    saliency = gaze.source.read()
    height, width = saliency.shape
    _refuse_misfit(gaze, width, height)
    counts |= {"width_px": width, "height_px": height}
    if not inside.any():
        return [{"scored": which, **counts, "reason": "no fixations"} for which in SCORED]
    x, y = gaze.x[inside] * width, gaze.y[inside] * height
    # What is just below 1 may become the width itself by rounding.
    x, y = np.minimum(x, np.nextafter(width, 0)), np.minimum(y, np.nextafter(height, 0))
    others_x, others_y = everywhere.except_on(gaze.names[0])
    elsewhere = others_x * width, others_y * height
    looks = Looks.on((height, width), x, y, elsewhere, options)
    scored = zip(SCORED, (saliency, looks.centre), strict=True)
    return [
        {"scored": which, **counts, **scores(one, looks), "reason": ""} for which, one in scored
    ]


def _refuse_misfit(gaze: _Gaze, width: int, height: int) -> None:
    """Refuse a map of another shape than its image; maps of ours are drawn to any shape."""
    source = gaze.source
    if source is None or source.is_stored:
        return
    for image_width, image_height in gaze.shapes:
        stretch = image_width * height / (image_height * width)
        if abs(stretch - 1) > MAX_ASPECT_ERROR:
            name = quote(source.name, 40)
            what = f"the map of {name!r} is {width} x {height} px"
            hint = f"its image has {image_width:g} x {image_height:g} px: give a map of its shape"
            raise SchemaError(what, hint=hint)


def _lost(gaze: _Gaze, error: WorkerLost) -> list[dict[str, Any]]:  # noqa: ARG001
    raise error
