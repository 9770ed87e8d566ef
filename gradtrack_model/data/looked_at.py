"""Images with the gaze on them, to be looked at: tracks, and the levels of their maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import level_titles, pool, render_maps
from gazetrack.maps.store import read_maps
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.dataset import Item, find_items
from gradtrack_model.data.gaze import params_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from gazetrack.maps.store import MapStore

__all__ = ["Item", "Levels", "LookedAt", "find_looked_at"]

# Maps that are rendered to be looked at need not be larger, px.
_LONGEST_SIDE = 640


@dataclass(frozen=True)
class Levels:
    """The maps of an image.

    Parameters
    ----------
    values : ndarray of uint8, shape (L, H, W)
        The maps as 0..255; the first level is the core, the last the full track.
    titles : tuple of str
        What each level keeps, such as ``last 25 %``.
    source : str
        Where the maps come from, in words for the user.
    """

    values: npt.NDArray[np.uint8]
    titles: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class LookedAt:
    """The images of a folder with what is known of the gaze on them.

    Parameters
    ----------
    items : tuple of Item
        The images with their masks and tracks, sorted by image id.
    store : MapStore or None
        Stored maps; without them, maps are rendered of the tracks.
    notes : tuple of str
        What was left out, in words for the user.
    """

    items: tuple[Item, ...]
    store: MapStore | None
    notes: tuple[str, ...] = ()

    def has_levels(self, item: Item) -> bool:
        """Whether there are maps of an image, stored or to be rendered."""
        if self.store is not None:
            return item.image_id in self.store.ids
        return bool(item.tracks)

    def levels(self, item: Item) -> Levels | None:
        """Return the maps of an image, the mean over its observers; None where there are none.

        Raises
        ------
        InputError
            The file of stored maps is damaged.
        """
        if not self.has_levels(item):
            return None
        if self.store is not None:
            values = self.store.load(item.image_id)
            params = params_of(self.store)
            known = params is not None and len(params.ratios) == len(values)
            titles = level_titles(params) if params is not None and known else []
            numbered = [f"level {number} of {len(values)}" for number in range(1, len(values) + 1)]
            return Levels(values, tuple(titles or numbered), f"stored in {self.store.path.name}")
        params = MapParams()
        scale = min(1.0, _LONGEST_SIDE / max(item.width, item.height))
        size = (max(1, round(item.height * scale)), max(1, round(item.width * scale)))
        maps = pool([render_maps(track, params, size) for track in item.tracks])
        tracks = "one track" if len(item.tracks) == 1 else f"{len(item.tracks)} tracks"
        source = f"rendered of {tracks}, kind {params.kind}"
        return Levels(maps.as_uint8(), tuple(level_titles(params)), source)


def find_looked_at(
    images: Path,
    *,
    masks: Path | None = None,
    fixations: Sequence[Path] = (),
    maps: Path | None = None,
    placement: str | None = None,
) -> LookedAt:
    """Match images, masks, tracks and maps.

    Parameters
    ----------
    images : pathlib.Path
        The folder of images, or one image.
    masks : pathlib.Path, optional
        The folder of reference masks, matched by their stems.
    fixations : sequence of pathlib.Path
        Fixation tables, or folders of them.
    maps : pathlib.Path, optional
        Stored maps, or the folder that holds them.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.

    Returns
    -------
    LookedAt

    Raises
    ------
    GazetrackError
        A folder is missing or holds no image, or a table or a file of maps is damaged.
    """
    store = None if maps is None else read_maps(maps)
    tables = tables_among(fixations) if fixations else None
    paths = () if tables is None else tables.paths
    damaged: list[InputError] = []
    found = find_items(images, masks=masks, fixations=paths, placement=placement, left_out=damaged)
    if not found.items and damaged:
        raise damaged[0]
    if not found.items:
        hint = "PNG, JPEG, TIFF, BMP, DICOM, NRRD and NIfTI are read"
        raise InputError("holds no image", path=images, hint=hint)
    notes = () if tables is None else tables.notes
    notes = (*notes, *(f"left out: {error}" for error in damaged))
    if found.missing_images:
        notes = (*notes, f"{len(found.missing_images)} stimuli with gaze have no image")
    # What is shown of an image lies on its own pixels.
    items = tuple(
        replace(item, tracks=tuple(t.scaled(item.width, item.height) for t in item.tracks))
        for item in found.items
    )
    return LookedAt(items, store, notes)
