"""The step after the CRF: a prompt model draws what a map marks.

It is asked by the map and by the longest of the fixations that the map was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.images.folder import image_size, read_image
from gazetrack.publish import sha256_of
from gazetrack.sam.models import find_model
from gazetrack.sam.network import Embedding, open_network
from gazetrack.sam.parameters import PromptParams
from gazetrack.sam.prompts import BORDER, prompted
from gazetrack.tables.finding import tables_among
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.looks import RowLooks, tables_beside
from gazetrack.workflows.table_tracks import distinct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore, StoredMaps
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
        self._network = open_network(files)
        self._network.check_size(options.params.size)
        self.notes: list[str] = []
        self._params = options.params
        self._images = images
        self._kept = kept
        tables = self._tables(options, store)
        self._looks = RowLooks(store, tables, images)
        if tables:
            self._check_looks(store)
        # What several people looked at is encoded once, by one thread. Of other images no embedding
        # is kept, as each takes megabytes.
        self._is_shared = len(store) > len(store.ids)
        self._locks = {image_id: Lock() for image_id in store.ids}
        self._model = self._network.facts
        self.meta: dict[str, Any] = {
            **self._model,
            "learned_from": files.learned_from,
            "params": self._params.as_dict(),
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

    def refine(
        self, row: StoredMaps, values: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.uint8] | None:
        """Let the model draw what a map marks.

        Parameters
        ----------
        row : StoredMaps
            The row of the map file that the map belongs to.
        values : ndarray of uint8, shape (H, W)
            The map, 0..255, with its border at the middle.

        Returns
        -------
        ndarray of uint8, shape (H, W), or None
            The same map drawn anew; None where nothing of it is above the border.

        Raises
        ------
        DataError
            The map was made from other fixations.
        InputError
            The image cannot be read, or the model fails.
        """
        soft = (values / 255).astype(np.float32)
        if not (soft >= BORDER).any():
            return None
        image_id = stem(row.stimulus)
        image = self._images[image_id]
        looks = self._looks.of(row)
        gaze = None if looks is None else (looks.xy.tobytes(), looks.duration_ms.tobytes())
        asked = (self._model, self._params, gaze)
        key = self._kept.key(values, sha256_of(image.file), image.slice, asked)
        with self._locks[image_id]:
            found = self._kept.get(key)
            if found is None or found.shape != values.shape:
                embedding = self._embedding(image)
                answer = prompted(self._network, embedding, soft, self._params, looks)
                found = np.rint(np.asarray(answer) * 255).astype(np.uint8)
                self._kept.put(key, found)
        return found

    def _check_looks(self, store: MapStore) -> None:
        """Find out before anything is computed which maps have no looks, or those of others."""
        rows = [row for row in store.rows() if stem(row.stimulus) in self._images]
        n_without = sum(self._looks.of(row) is None for row in rows)
        if n_without:
            what = f"{n_without} of {len(rows)} maps have no fixation in the tables"
            self.notes.append(f"{what}: their deepest points stand for them")

    def _embedding(self, image: ImageRef) -> Embedding:
        """Return what the model sees in an image, as it was kept where several people looked."""
        size = self._params.size
        keys = []
        if self._is_shared:
            facts = (sha256_of(image.file), image.slice, size, self._model)
            numbers = range(self._network.n_features)
            keys = [self._kept.key(np.zeros(0), number, *facts) for number in numbers]
            kept = [one for one in map(self._kept.get, keys) if one is not None]
            if len(kept) == len(keys):
                width, height = image_size(image)
                return self._network.embedding_of(kept, height, width, size)
        seen = self._network.encode(read_image(image, "RGB"), size)
        for key, feature in zip(keys, seen.features, strict=False):
            self._kept.put(key, feature)
        return seen

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
