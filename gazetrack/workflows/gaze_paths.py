"""The tracks of fixations in whatever form they are given: tables, files, folders, or tracks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pandas as pd
import pyarrow as pa

from gazetrack.errors import GazetrackError, InputError, SchemaError
from gazetrack.images.folder import find_images, image_size
from gazetrack.maps.track import Track
from gazetrack.publish import sha256_of
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.fixations import as_table
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.table_tracks import tracks_of_images, tracks_of_screen
from gazetrack.workflows.twins import refuse_twins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.workflows.fixations import Fixations

    # A table of fixations in any form, or several, or tracks.
    Scanpaths: TypeAlias = Fixations | Sequence[Fixations] | Sequence[Track]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the fixations of tables belong.

    Parameters
    ----------
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    sizes : mapping of str to (width, height), or None
        Sizes of all images by image id; None where the tables must know them.
    or_screen : bool
        Whether gaze whose image nobody knows may stay on the pixels of the screen.
    images : path-like or None
        Where the sizes come from, for the errors.
    """

    placement: str | None = None
    sizes: Mapping[str, tuple[int, int]] | None = None
    or_screen: bool = False
    images: str | Path | None = None

    def tracks(
        self, fixations: Fixations, path: Path | None = None
    ) -> tuple[list[Track], int, dict[str, int]]:
        """Return the tracks of one table, its number of rows, and of those not used by reason."""
        table, meta = as_table(fixations)
        if self.sizes is not None or not self.or_screen:
            found = tracks_of_images(table, meta, self.sizes, self.placement, path=path)
            return list(found.tracks), found.n_rows, found.dropped
        on_screen = tracks_of_screen(table, meta, path=path)
        n_left_out = table.num_rows - sum(map(len, on_screen))
        dropped = {"without a position, or of the other eye": n_left_out} if n_left_out else {}
        return on_screen, table.num_rows, dropped


def place_on(
    images: str | Path | None,
    placement: str | None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    *,
    or_screen: bool = False,
) -> Place:
    """Return where fixations belong, from what a user says.

    Parameters
    ----------
    images : path-like or None
        Folder of the images, which tells their sizes.
    placement : str or None
        How they were shown on the screen.
    sizes : mapping of str to (width, height), optional
        Sizes of images by id where there is no folder of them.
    or_screen : bool
        Whether gaze whose image nobody knows may stay on the pixels of the screen.

    Raises
    ------
    SchemaError
        There is a placement, and nobody knows the size of the images.
    """
    if images is not None:
        sizes = {image_id: image_size(image) for image_id, image in find_images(images).items()}
    if placement is not None and sizes is None:
        raise SchemaError(
            "a placement needs the images",
            hint="give their folder as well (--images DIR)",
        )
    return Place(placement=placement, sizes=sizes, or_screen=or_screen, images=images)


def as_tracks(fixations: Scanpaths, place: Place) -> list[Track]:
    """Return the tracks of fixations in any form; the first bad table ends it.

    Raises
    ------
    SchemaError
        A table has no positions, or nobody knows where on the images they lie.
    InputError
        None of the stimuli is an image of the folder.
    """
    found: list[Track] = []
    n_rows = 0
    alone = isinstance(fixations, str | Path | pd.DataFrame | pa.Table)
    for part in [fixations] if alone else cast("Sequence[Any]", fixations):
        if isinstance(part, Track):
            found.append(part)
            continue
        for table in tables_among([part]).paths if isinstance(part, str | Path) else [part]:
            path = table if isinstance(table, Path) else None
            own, n_own, _ = place.tracks(table, path)
            found += own
            n_rows += n_own
    if not found and n_rows and place.images is not None:
        hint = "images are found by the name of the stimulus"
        raise InputError("holds no image of these fixations", path=place.images, hint=hint)
    return found


def _names(track: Track) -> tuple[str, ...]:
    return track.recording, track.participant, track.stimulus, track.trial, track.eye


def read_each(paths: Sequence[Path], place: Place) -> tuple[list[Track], list[Outcome]]:
    """Return the tracks of tables, and what became of each; a bad one leaves the others alone.

    Raises
    ------
    DataError
        Two tables hold the same showing of the same recording.
    """
    tracks: list[Track] = []
    outcomes = []
    showings: list[tuple[Path, set[tuple[str, ...]]]] = []
    for path in paths:
        outcome = Outcome(str(path), format="fixations")
        outcomes.append(outcome)
        try:
            found, outcome.rows_in, outcome.dropped = place.tracks(path, path)
            outcome.sha256 = sha256_of(path)
        except GazetrackError as error:
            told = error
            if error.path is None:
                told = type(error)(error.what, path=path, hint=error.hint)
                told.__cause__ = error
            outcome.status, outcome.error = "failed", told
            continue
        outcome.rows_out = sum(map(len, found))
        tracks += found
        # Files whose recordings have no names are nobody's twins.
        named = [track for track in found if track.recording or track.participant]
        showings.append((path, {_names(track) for track in named}))
    refuse_twins(showings)
    return tracks, outcomes
