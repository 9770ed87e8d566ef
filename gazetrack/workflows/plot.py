"""Tables and exports in, pictures of gaze out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from gazetrack.errors import ConfigError, did_you_mean, quote, refuse_no_count
from gazetrack.figures.kinds import DEFAULT_FIGURE, FIGURES, OF_RECORDINGS, PICTURE_SUFFIXES
from gazetrack.figures.saving import check_picture_suffix, save_figure
from gazetrack.maps.parameters import MapParams
from gazetrack.publish import refuse_input_folder, refuse_overwrite
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.drawings import DrawingOptions, Pictures, drawings_of, suffixed
from gazetrack.workflows.table_tracks import distinct
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PlotChoices(TypedDict, total=False):
    """What may be chosen about figures, as keyword arguments of `plot`."""

    params: MapParams | None
    masks: str | Path | None
    placement: str | None
    aois: str | Path | None
    events: str | Path | None
    seconds: float


def plot(
    tables: str | Path | Sequence[str | Path] = ".",
    images: str | Path | None = None,
    out: str | Path = "plots",
    *,
    what: str = DEFAULT_FIGURE,
    limit: int = 10,
    file_type: str = "png",
    progress: Callable[[int, int], None] | None = None,
    **choices: Unpack[PlotChoices],
) -> list[Path]:
    """Draw figures of fixation tables, or of exports: by default tracks on their images, with maps.

    Parameters
    ----------
    tables : path-like, or sequence of path-like
        Fixation tables, or folders of them; for ``time-series``, ``pupil`` and ``main-sequence``,
        which need samples or saccades, exports of any format (or tables of samples, or of events).
    images : path-like, optional
        Folder of images. Without it, gaze is drawn on empty screens.
    out : path-like
        Folder for the pictures; or, for a single one, its file.
    what : str
        Which figure: ``maps``, ``scanpath``, ``heatmap``, ``aois``, ``scarf``, ``transitions``,
        ``durations``, ``time-series``, ``pupil`` or ``main-sequence``.
    limit : int
        Draw so many figures at most.
    file_type : {"png", "svg", "pdf"}
        What the pictures in a folder are; the suffix of a single file says it itself.
    progress : callable, optional
        Called with (done, total) after each picture.
    **choices
        `params`, the `MapParams` of the pyramid beside each image; `masks`, a folder of masks to
        outline; `placement`, the rule for gaze in screen pixels (``centre``, ``fit``, ``stretch``
        or ``X,Y,WIDTH,HEIGHT``); `aois`, a file of areas of interest; `events`, a table of events
        in place of the export's own; `seconds` of each trial that are drawn over time, 20 by
        default.

    Returns
    -------
    list of pathlib.Path
        The pictures.

    Raises
    ------
    InputError
        None of the tracks has an image in the folder; and what reading the inputs raises.
    ConfigError
        There is no such figure or type of file, or several figures would go to one file.
    TypeError
        There is no such argument.

    Examples
    --------
    >>> gazetrack.plot("raw.fixations.parquet", images="images")  # doctest: +SKIP
    [PosixPath('plots/lesion-01.raw.png')]
    >>> gazetrack.plot("raw.asc", what="main-sequence", out="figure.svg")  # doctest: +SKIP
    [PosixPath('figure.svg')]
    """
    if what not in FIGURES:
        hint = f"{did_you_mean(what, FIGURES)}use one of {', '.join(FIGURES)}"
        raise ConfigError(f"a figure of {quote(what)!r}", hint=hint)
    check_picture_suffix(f".{file_type}")
    refuse_no_count(limit, "limit", 1)
    options = _options(images, **choices)
    listed = [tables] if isinstance(tables, str | Path) else list(tables)
    paths = [Path(path) for path in listed]
    if what not in OF_RECORDINGS:
        paths = list(tables_among(listed).paths)
    distinct(paths)
    pictures = Pictures(options)
    drawings = drawings_of(what, paths, pictures, options)[:limit]
    out = Path(out)
    written = suffixed(drawings, out, file_type)
    given = [path for path in (options.aois, options.events) if path is not None]
    for path in written:
        refuse_overwrite(path, [*paths, *pictures.files, *given])
    folder = out.parent if out.suffix.lower() in PICTURE_SUFFIXES and not out.is_dir() else out
    refuse_input_folder([folder], [options.images, options.masks])
    for drawing, path in counted(zip(drawings, written, strict=True), len(drawings), progress):
        save_figure(drawing.draw(), path)
    return written


def _options(images: str | Path | None, **choices: Unpack[PlotChoices]) -> DrawingOptions:
    """Return the options of the drawings, with paths in place of their names."""
    known = list(PlotChoices.__annotations__)
    for name in choices:
        if name not in known:
            hint = f"{did_you_mean(name, known)}known are {', '.join(known)}"
            raise TypeError(f"plot() has no argument {quote(name)!r} - {hint}")
    masks, aois, events = choices.get("masks"), choices.get("aois"), choices.get("events")
    return DrawingOptions(
        images=None if images is None else Path(images),
        masks=None if masks is None else Path(masks),
        params=choices.get("params") or MapParams(),
        placement=choices.get("placement"),
        aois=None if aois is None else Path(aois),
        events=None if events is None else Path(events),
        seconds=choices.get("seconds", 20.0),
    )
