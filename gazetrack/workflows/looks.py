"""Whose looks made a stored map: from its row back to the fixations it was rendered from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import DataError, SchemaError, quote
from gazetrack.images.folder import image_size
from gazetrack.maps.track import clean
from gazetrack.publish import sha256_of
from gazetrack.sam.prompts import Looks
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.table_tracks import read_tracks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore, StoredMaps
    from gazetrack.maps.track import Track

_NAME_CHARS = 60


def tables_beside(store: MapStore) -> tuple[tuple[Path, ...], str]:
    """Find the fixation tables that maps were made from, where they still lie beside the maps.

    Parameters
    ----------
    store : MapStore
        The maps, whose metadata name the tables with their digests.

    Returns
    -------
    tuple of pathlib.Path
        All of the tables, in the folder of the maps or in the one above it; none where one is
        missing, or is another one by now.
    str
        Why there are none, in words; empty where there are.
    """
    sources = store.meta.get("sources")
    named = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    if not named:
        return (), "the maps do not say which tables they were made from"
    here = store.path.resolve().parent
    found = []
    for source in named:
        name = str(source.get("file", ""))
        # A name that leads out of the folder is none that gazetrack wrote.
        places = [folder / name for folder in (here, here.parent) if Path(name).name == name]
        files = [place for place in places if place.is_file()]
        same = [file for file in files if sha256_of(file) == source.get("sha256")]
        if not same:
            state = "was changed since" if files else "is not beside the maps"
            return (), f"{quote(name, _NAME_CHARS)}, which the maps were made from, {state}"
        found.append(same[0])
    return tuple(found), ""


class RowLooks:
    """The fixations behind each row of stored maps.

    Parameters
    ----------
    store : MapStore
        The maps. They say which fixations were left out as they were rendered, and where gaze in
        screen pixels lay on the image.
    tables : sequence of pathlib.Path
        The fixation tables that they were made from; without any, no row has looks.
    images : mapping of str to ImageRef
        The images of the maps, by image id.

    Raises
    ------
    DataError
        There are tables, and no row was made from them.
    SchemaError
        The metadata of the maps are damaged; and what reading the tables raises.
    """

    def __init__(
        self, store: MapStore, tables: Sequence[Path], images: Mapping[str, ImageRef]
    ) -> None:
        self._path = store.path
        self._is_one_row_an_image = len(store) == len(store.ids)
        self._by_row: dict[tuple[str, ...], list[Track]] = {}
        self._by_image: dict[str, list[Track]] = {}
        if not tables:
            return
        known = [image_id for image_id in store.ids if image_id in images]
        sizes = {image_id: image_size(images[image_id]) for image_id in known}
        rule = store.meta.get("placement_rule")
        least_ms, drop_first = _dropped(store)
        for table in tables:
            for whole in read_tracks(table, sizes, rule).tracks:
                track = clean(whole, min_duration_ms=least_ms, drop_first=drop_first)
                self._by_row.setdefault(_key_of(track), []).append(track)
                self._by_image.setdefault(stem(track.stimulus), []).append(track)
        if known and not set(known) & set(self._by_image):
            what = f"the fixations are of no image that {quote(self._path, 80)} has maps of"
            raise DataError(what, path=tables[0], hint="give the tables the maps were made from")

    def of(self, row: StoredMaps) -> Looks | None:
        """Return the looks that a row was rendered from, without those that rendering dropped.

        None where the tables have none of them.

        Raises
        ------
        DataError
            The row was rendered from another number of fixations: the tables are other ones.
        """
        found = self._by_row.get(_key_of(row))
        if found is None and self._is_one_row_an_image:
            # Pooled maps are those of everybody who looked at the image.
            found = self._by_image.get(stem(row.stimulus))
        if not found:
            return None
        n_found = sum(map(len, found))
        if row.n_fixations and n_found != row.n_fixations:
            what = f"was made from {row.n_fixations} fixations on {quote(row.stimulus, 40)!r}"
            hint = "give the tables that the maps were made from"
            raise DataError(f"{what}, and the tables have {n_found}", path=self._path, hint=hint)
        xy = [np.stack([track.x / track.width, track.y / track.height], 1) for track in found]
        return Looks(np.concatenate(xy), np.concatenate([track.duration_ms for track in found]))


def _key_of(one: Track | StoredMaps) -> tuple[str, ...]:
    return one.recording, one.participant, one.trial, one.stimulus


def _dropped(store: MapStore) -> tuple[float, int]:
    """Return below how many ms, and how many first ones, the maps were rendered without."""
    params = store.meta.get("params")
    try:
        recorded = dict(params) if isinstance(params, dict) else {}
        least_ms = float(recorded.get("min_duration_ms", 50.0))
        return least_ms, int(recorded.get("drop_first", 1))
    except (TypeError, ValueError) as error:
        what = "does not say in numbers which fixations it was rendered without"
        raise SchemaError(what, path=store.path, hint="render the maps again") from error
