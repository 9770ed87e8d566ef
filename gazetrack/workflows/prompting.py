"""The step after the CRF: a prompt model draws what a map marks.

It is asked by the map and by the longest of the fixations that the map was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazetrack.publish import sha256_of
from gazetrack.sam.models import find_model
from gazetrack.sam.parameters import PromptParams
from gazetrack.tables.finding import tables_among
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.drawing import Drawer
from gazetrack.workflows.looks import RowLooks, tables_beside
from gazetrack.workflows.table_tracks import distinct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore, StoredMaps
    from gazetrack.sam.prompts import Looks
    from gazetrack.workflows.unfinished import Kept


@dataclass(frozen=True, kw_only=True)
class PromptOptions:
    """Which prompt model refines maps, and what it is given.

    Parameters
    ----------
    model : str or path-like
        A model that ``gazetrack models`` lists, or the folder of its two files.
    params : PromptParams
        How the model is asked, and at which size of the image.
    fixations : tuple of path-like
        The fixation tables that the maps were made from, or folders of them. Without any, those
        that the maps name are looked for beside the maps.
    crf : bool
        Whether maps that no CRF refined go through one first.
    """

    model: str | Path = "mobilesam"
    params: PromptParams = field(default_factory=PromptParams)
    fixations: tuple[str | Path, ...] = ()
    crf: bool = True


class Prompter:
    """A prompt model with the images and fixations of stored maps.

    Parameters
    ----------
    options : PromptOptions
        The model, and what it is given.
    store : MapStore
        The maps that are to be refined.
    images : mapping of str to ImageRef
        The images of the maps by image id.
    kept : Kept
        Where results are looked for, and kept.

    Raises
    ------
    GazetrackError
        There is no such model or it cannot be opened, or the fixations do not fit the maps.
    """

    def __init__(
        self,
        options: PromptOptions,
        store: MapStore,
        images: Mapping[str, ImageRef],
        kept: Kept,
    ) -> None:
        files = find_model(options.model)
        is_shared = len(store) > len(store.ids)
        self.drawer = Drawer(files, options.params, kept, is_shared=is_shared)
        self.notes: list[str] = []
        self._images = images
        tables = self._tables(options, store)
        self._looks = RowLooks(store, tables, images)
        if tables:
            self._check_looks(store)
        self.meta: dict[str, Any] = {
            **self.drawer.facts,
            "learned_from": files.learned_from,
            "params": options.params.as_dict(),
            "prompts": [
                "box and longest fixations" if tables else "box and deepest point",
                "box and map",
            ],
            "fixations": [{"file": one.name, "sha256": sha256_of(one)} for one in tables],
        }

    @property
    def summary(self) -> dict[str, str]:
        """Which model was asked, how, and what it learned from, for the user."""
        how = ", and by ".join(self.meta["prompts"])
        return {"model": self.meta["model"], "how": how, "learned_from": self.meta["learned_from"]}

    def looks_of(self, row: StoredMaps) -> Looks | None:
        """Return the fixations that a row was made from, which the model is asked by.

        Raises
        ------
        DataError
            The row was made from other fixations.
        """
        return self._looks.of(row)

    def _check_looks(self, store: MapStore) -> None:
        """Find out before anything is computed which maps have no looks, or those of others."""
        rows = [row for row in store.rows() if stem(row.stimulus) in self._images]
        n_without = sum(self._looks.of(row) is None for row in rows)
        if n_without:
            what = f"{n_without} of {len(rows)} maps have no fixation in the tables"
            self.notes.append(f"{what}: their deepest points stand for them")

    def _tables(self, options: PromptOptions, store: MapStore) -> tuple[Path, ...]:
        """Return the tables whose fixations are prompts, and note where there are none."""
        if options.fixations:
            found = tables_among(options.fixations)
            distinct(found.paths)
            self.notes += found.notes
            return found.paths
        beside, missing = tables_beside(store)
        if missing:
            what = f"no fixations are prompts: {missing}"
            self.notes.append(f"{what}; give them by --fixations")
        return beside
