"""Fixation tables in, pictures of scanpaths and maps out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.images.folder import find_images, image_size, read_image, read_mask
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.plot import plot_track, save_figure
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import track_names
from gazetrack.publish import refuse_input_folder, refuse_overwrite
from gazetrack.tables.finding import tables_among
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.table_tracks import distinct, read_screen_tracks, read_tracks
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.track import Track


def plot(
    tables: str | Path | Sequence[str | Path] = ".",
    images: str | Path | None = None,
    out: str | Path = "plots",
    *,
    params: MapParams | None = None,
    masks: str | Path | None = None,
    placement: str | None = None,
    limit: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Draw the first tracks of fixation tables on their images, with their maps.

    Parameters
    ----------
    tables : path-like, or sequence of path-like
        Fixation tables, or folders of them.
    images, masks : path-like, optional
        Folders of images and of masks to outline. Without images, scanpaths are drawn on empty
        screens.
    out : path-like
        Folder for the PNG pictures.
    params : MapParams, optional
        Of the pyramid beside each image; the defaults of `render_maps`.
    placement : str, optional
        Rule for gaze in screen pixels: ``centre``, ``fit``, ``stretch`` or ``X,Y,WIDTH,HEIGHT``.
    limit : int
        Draw so many tracks at most.
    progress : callable, optional
        Called with (done, total) after each picture.

    Returns
    -------
    list of pathlib.Path
        The pictures.

    Raises
    ------
    InputError
        None of the tracks has an image in the folder; and what reading the tables raises.

    Examples
    --------
    >>> gazetrack.plot("raw.fixations.parquet", images="images")  # doctest: +SKIP
    [PosixPath('plots/lesion-01.raw.png')]
    """
    params = params or MapParams()
    listed = [tables] if isinstance(tables, str | Path) else list(tables)
    paths = tables_among(listed).paths
    distinct(paths)
    files = find_images(images) if images is not None else {}
    outlines = find_images(masks) if masks is not None else {}
    tracks = _tracks(paths, files if images is not None else None, placement)[:limit]
    if not tracks and images is not None:
        raise InputError("holds no image of these fixations", path=images, hint="give --images DIR")
    shown = [image.file for image in (*files.values(), *outlines.values())]
    written = [Path(out) / f"{name}.png" for name in track_names(tracks)]
    for path in written:
        refuse_overwrite(path, [*paths, *shown])
    refuse_input_folder([Path(out)], [images, masks])
    for track, path in counted(zip(tracks, written, strict=True), len(tracks), progress):
        image_id = stem(track.stimulus)
        figure = plot_track(
            track,
            read_image(files[image_id], "RGB") if image_id in files else None,
            render_maps(track, params),
            read_mask(outlines[image_id]) if image_id in outlines else None,
        )
        save_figure(figure, path)
    return written


def _tracks(
    paths: Sequence[Path], files: dict[str, ImageRef] | None, placement: str | None
) -> list[Track]:
    """Return the tracks of tables, on the pixels of the images where there are any."""
    if files is None:
        return [track for path in paths for track in read_screen_tracks(path)]
    sizes = {image_id: image_size(file) for image_id, file in files.items()}
    return [track for path in paths for track in read_tracks(path, sizes, placement).tracks]
