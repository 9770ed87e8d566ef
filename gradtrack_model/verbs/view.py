"""Look at images, at the gaze on them, and at what a network sees, in a page of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError
from gazetrack.publish import sha256_of
from gradtrack_model.data.looked_at import find_looked_at
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.training import loop
from gradtrack_model.viewer.content import Content
from gradtrack_model.viewer.in_browser import InBrowser
from gradtrack_model.viewer.seeing import Looker
from gradtrack_model.viewer.server import DEFAULT_PORT, Viewer
from gradtrack_model.weights.checkpoint import Checkpoint
from gradtrack_model.weights.ensemble import Ensemble, as_ensemble, load_ensemble

if TYPE_CHECKING:
    from collections.abc import Sequence


def view(
    images: str | Path,
    model: Checkpoint | Ensemble | str | Path | Sequence[str | Path] | None = None,
    *,
    maps: str | Path | None = None,
    fixations: str | Path | Sequence[str | Path] = (),
    masks: str | Path | None = None,
    placement: str | None = None,
    threshold: float | None = None,
    image_size: int | None = None,
    device: str = "auto",
    port: int = DEFAULT_PORT,
    onnx: str | Path | None = None,
    onnxruntime_web: str | Path | None = None,
) -> Viewer:
    """Make a page for a browser on this machine, as ``gradtrack-view`` does.

    Parameters
    ----------
    images : path-like
        A folder of images, or one image.
    model : Checkpoint, Ensemble, path-like or sequence of path-like, optional
        What `load_model` takes or returns: its predictions over four flips are shown as well.
    maps : path-like, optional
        Stored maps of `gazetrack render`, or their folder; without them, maps are rendered of the
        tracks.
    fixations : path-like or sequence of path-like
        Fixation tables, or folders of them.
    masks : path-like, optional
        A folder of reference masks.
    placement : str, optional
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    threshold : float, optional
        Probability above which a pixel is foreground; by default that of the validation.
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    device : {"auto", "cpu", "cuda"}
        Where to compute; ``auto`` is a GPU when there is one.
    port : int
        Where it listens on this machine, 127.0.0.1; 0 for any port that is free.
    onnx : path-like, optional
        An exported network that the page computes itself, ending in ``.onnx``.
    onnxruntime_web : path-like, optional
        The folder of the npm package onnxruntime-web, which computes it.

    Returns
    -------
    Viewer
        ``url`` is to be opened in a browser; ``serve()`` answers until it is interrupted.

    Raises
    ------
    GazetrackError
        There is no image, no such network or table, or the port is taken.

    Examples
    --------
    >>> viewer = gradtrack_model.view("images", "kvasir-lite", maps="maps")  # doctest: +SKIP
    >>> print(viewer.url)  # doctest: +SKIP
    http://127.0.0.1:8765/?key=...
    >>> viewer.serve()  # doctest: +SKIP
    """
    listed = [fixations] if isinstance(fixations, str | Path) else fixations
    found = find_looked_at(
        Path(images),
        masks=None if masks is None else Path(masks),
        fixations=[Path(path) for path in listed],
        maps=None if maps is None else Path(maps),
        placement=placement,
    )
    looker = None
    if model is not None:
        named = [model] if isinstance(model, str | Path) else model
        networks = named if isinstance(named, Checkpoint | Ensemble) else load_ensemble(named)
        options = PredictOptions(
            tta=True, threshold=threshold, image_size=image_size, device=loop.pick_device(device)
        )
        looker = Looker(as_ensemble(networks), options)
    in_browser = _in_browser(onnx, onnxruntime_web, looker, image_size)
    return Viewer(Content(found, looker, in_browser=in_browser), port)


def _in_browser(
    onnx: str | Path | None,
    runtime: str | Path | None,
    looker: Looker | None,
    image_size: int | None,
) -> InBrowser | None:
    """Return what the page computes itself, at the size of the network that it was made of."""
    if onnx is None and runtime is None:
        return None
    if onnx is None or runtime is None:
        what = "onnx and onnxruntime_web belong together"
        raise ConfigError(what, hint="give the exported network, and the folder of the npm package")
    size = image_size if looker is None else looker.size
    if size is None:
        what = "the size that images are resized to is not known"
        raise ConfigError(what, hint="give image_size, or the network that was exported")
    members = () if looker is None else looker.ensemble.members
    digests = tuple(sha256_of(member.path) for member in members)
    return InBrowser(Path(onnx), Path(runtime), size, digests)
