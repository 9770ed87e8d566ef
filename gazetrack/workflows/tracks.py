"""From fixations in any form to tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import InputError, SchemaError
from gazetrack.images.folder import find_images, image_size
from gazetrack.workflows.fixations import as_table
from gazetrack.workflows.table_tracks import tracks_of_images, tracks_of_screen

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from gazetrack.maps.track import Track
    from gazetrack.workflows.fixations import Fixations


def tracks(
    fixations: Fixations,
    *,
    images: str | Path | None = None,
    placement: str | None = None,
    eye: str = "auto",
) -> list[Track]:
    """Return the tracks in a table of fixations: one per observer, trial and image.

    Parameters
    ----------
    fixations : pandas.DataFrame, pyarrow.Table or path-like
        What `detect_fixations` returns, a fixation table, or its file.
    images : path-like, optional
        Folder of the images: tracks are then on the pixels of these, and fixations on stimuli that
        are not among them are left out.
    placement : str, optional
        With `images`, for gaze in screen pixels: ``centre``, ``fit``, ``stretch`` or
        ``X,Y,WIDTH,HEIGHT``.
    eye : {"auto", "left", "right", "both"}
        Without `images`, whose fixations are taken where a trial has those of each eye; with
        ``both``, each eye has a track of its own.

    Returns
    -------
    list of Track
        Fixations in temporal order. Without `images`, on the pixels of the image where the
        fixations know its size, else on those of the screen.

    Raises
    ------
    SchemaError
        A column is missing, nobody knows the size of an image or of the screen, or every fixation
        is there more than once.
    InputError
        None of the stimuli is an image of the folder.

    Examples
    --------
    >>> fixations = gazetrack.detect_fixations(gazetrack.read("raw.tsv"))  # doctest: +SKIP
    >>> track = gazetrack.tracks(fixations, images="images", placement="fit")[0]  # doctest: +SKIP
    >>> len(track), track.x.mean()  # doctest: +SKIP
    (11, 402.3)
    """
    table, meta = as_table(fixations)
    _refuse_copies(table)
    if images is None and placement is not None:
        raise SchemaError("a placement needs the images", hint='give images="FOLDER" as well')
    if images is None:
        return tracks_of_screen(table, meta, eye=eye)
    sizes = {image_id: image_size(path) for image_id, path in find_images(images).items()}
    found = tracks_of_images(table, meta, sizes, placement)
    if not found.tracks and table.num_rows:
        hint = "images are found by the name of the stimulus"
        raise InputError("holds no image of these fixations", path=images, hint=hint)
    return list(found.tracks)


def _refuse_copies(table: pa.Table) -> None:
    """Refuse a table that was joined to itself: all its dwell would count twice."""
    rows = table.to_pandas()
    if len(rows) and rows.duplicated(keep=False).all():
        what = f"each of its {len(rows):,} fixations is there more than once"
        raise SchemaError(what, hint="leave the copies out, as with fixations.drop_duplicates()")
