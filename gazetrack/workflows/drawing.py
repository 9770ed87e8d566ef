"""A prompt model that draws maps anew, wherever it is asked to: it is loaded once a process."""

from __future__ import annotations

import platform
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ClusterError, quote
from gazetrack.images.folder import image_size, read_image
from gazetrack.publish import sha256_of
from gazetrack.sam.network import open_network
from gazetrack.sam.prompts import BORDER, prompted

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.sam.models import ModelFiles
    from gazetrack.sam.network import Embedding, PromptNetwork
    from gazetrack.sam.parameters import PromptParams
    from gazetrack.sam.prompts import Looks
    from gazetrack.workflows.unfinished import Kept


class Drawer:
    """A prompt model that is asked by maps and looks; it may be sent to another process.

    What is sent are the names of the model's files: the process that gets it loads them, once for
    all maps, and refuses a model of other bytes.

    Parameters
    ----------
    files : ModelFiles
        The two files of the model, as `gazetrack.sam.models.find_model` finds them.
    params : PromptParams
        How it is asked, and at which size of the image.
    kept : Kept
        Where results are looked for, and kept.
    is_shared : bool
        Whether several maps are of one image. What the model sees in it is then kept; of other
        images it is not, as it takes megabytes.

    Raises
    ------
    ConfigError
        onnxruntime is not installed, or the model's canvas is smaller than the size asked for.
    InputError
        A file is damaged, or is no prompt model.
    """

    def __init__(
        self, files: ModelFiles, params: PromptParams, kept: Kept, *, is_shared: bool
    ) -> None:
        self._network: PromptNetwork | None = open_network(files)
        self._network.check_size(params.size)
        self.files = files
        self.facts = self._network.facts
        self._params = params
        self._kept = kept
        self._is_shared = is_shared
        self._locks: dict[ImageRef, Lock] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return all but what belongs to one process."""
        return self.__dict__ | {"_network": None, "_locks": {}}

    def draw(
        self, values: npt.NDArray[np.uint8], image: ImageRef, looks: Looks | None
    ) -> npt.NDArray[np.uint8] | None:
        """Let the model draw what a map marks.

        Parameters
        ----------
        values : ndarray of uint8, shape (H, W)
            The map, 0..255, with its border at the middle.
        image : ImageRef
            The image that it is a map of.
        looks : Looks or None
            The fixations that it was made from; without them its deepest point stands for them.

        Returns
        -------
        ndarray of uint8, shape (H, W), or None
            The same map drawn anew; None where nothing of it is above the border.

        Raises
        ------
        InputError
            The image cannot be read, or the model fails.
        ClusterError
            This process has another model than the one that sent the map.
        """
        soft = (values / 255).astype(np.float32)
        if not (soft >= BORDER).any():
            return None
        gaze = None if looks is None else (looks.xy.tobytes(), looks.duration_ms.tobytes())
        asked = (self.facts, self._params, gaze)
        key = self._kept.key(values, sha256_of(image.file), image.slice, asked)
        # What several people looked at is encoded once, by one thread.
        with self._locks.setdefault(image, Lock()):
            found = self._kept.get(key)
            if found is None or found.shape != values.shape:
                embedding = self._embedding(image)
                answer = prompted(self._opened(), embedding, soft, self._params, looks)
                found = np.rint(np.asarray(answer) * 255).astype(np.uint8)
                self._kept.put(key, found)
        return found

    def _opened(self) -> PromptNetwork:
        if self._network is None:
            self._network = _network_of(self.files, tuple(self.facts.items()))
        return self._network

    def _embedding(self, image: ImageRef) -> Embedding:
        """Return what the model sees in an image, as it was kept where several people looked."""
        network = self._opened()
        size = self._params.size
        keys = []
        if self._is_shared:
            facts = (sha256_of(image.file), image.slice, size, self.facts)
            keys = [self._kept.key(np.zeros(0), n, *facts) for n in range(network.n_features)]
            kept = [one for one in map(self._kept.get, keys) if one is not None]
            if len(kept) == len(keys):
                width, height = image_size(image)
                return network.embedding_of(kept, height, width, size)
        seen = network.encode(read_image(image, "RGB"), size)
        for key, feature in zip(keys, seen.features, strict=False):
            self._kept.put(key, feature)
        return seen


@lru_cache(maxsize=1)
def _network_of(files: ModelFiles, facts: tuple[tuple[str, str], ...]) -> PromptNetwork:
    """Return the model that this process keeps for all maps that it is sent.

    Raises
    ------
    ClusterError
        Its bytes are not those that the maps are to be drawn by.
    """
    network = open_network(files)
    if network.facts != dict(facts):
        what = f"a worker on {quote(platform.node(), 40)} has another prompt model of this name"
        hint = "install the same model everywhere: the maps would not be the same"
        raise ClusterError(what, path=files.paths[0].parent, hint=hint)
    return network
