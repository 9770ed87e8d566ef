"""From a soft map to prompts, and from a prompt model's answers to a better map.

Each part of the map above .5 is asked for twice: by its box with the longest fixations in it, and
by its box with the map as a rough mask. The two answers are averaged as logits, and parts are
joined by the larger one. Where no fixations are known, as in a prediction, the deepest point of the
part stands for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.sam.network import Embedding, PromptNetwork
    from gazetrack.sam.parameters import PromptParams

    Floats = npt.NDArray[np.float32]

BORDER = 0.5
# Labels of points in the models' own words.
_FOREGROUND, _BOX_START, _BOX_END = 1, 2, 3
_SURE = 0.03  # probabilities are kept this far from 0 and 1


@dataclass(frozen=True, eq=False)
class Looks:
    """Where somebody looked at an image, and for how long.

    Parameters
    ----------
    xy : ndarray of float64, shape (N, 2)
        Positions as shares of the image's width and height, origin top left.
    duration_ms : ndarray of float64, shape (N,)
        How long each fixation lasts.
    """

    xy: npt.NDArray[np.float64]
    duration_ms: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A connected part of a map above the border.

    Parameters
    ----------
    box : tuple of float
        x and y of its first, then of its last corner, as shares of the map's width and height.
    inside : ndarray of bool, shape (H, W)
        Which pixels of the map belong to it.
    map : ndarray of float32, shape (H, W)
        The map without the other parts.
    """

    box: tuple[float, float, float, float]
    inside: npt.NDArray[np.bool_]
    map: Floats


def parts_of(values: Floats, least_share: float) -> Iterator[Part]:
    """Yield the connected parts of a map above .5, but those much smaller than the largest.

    Parameters
    ----------
    values : ndarray of float32, shape (H, W)
        The map, in [0, 1].
    least_share : float
        Share of the largest part's area below which a part is left out.
    """
    # Imported where it is used: who renders without a prompt model need not wait for it.
    from scipy import ndimage

    labels, _ = ndimage.label(values >= BORDER)
    areas = np.bincount(labels.ravel())[1:]
    height, width = values.shape
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        if areas[number - 1] < least_share * areas.max():
            continue
        box = (
            columns.start / width,
            rows.start / height,
            columns.stop / width,
            rows.stop / height,
        )
        inside = labels == number
        yield Part(box, inside, np.where(inside | (labels == 0), values, np.float32(0)))


def prompted(
    network: PromptNetwork,
    embedding: Embedding,
    values: Floats,
    params: PromptParams,
    looks: Looks | None = None,
) -> Floats | None:
    """Let a prompt model draw what a map marks.

    Parameters
    ----------
    network : PromptNetwork
        The model that is asked.
    embedding : Embedding
        What it saw in the image, see `PromptNetwork.encode`.
    values : ndarray of float32, shape (H, W)
        The map of the whole image, in [0, 1], at any size; .5 is the border.
    params : PromptParams
        How the model is asked.
    looks : Looks, optional
        Fixations on the image. Those within a part are prompts; without `looks`, its deepest point
        is one.

    Returns
    -------
    ndarray of float32, shape (H, W), or None
        The probability of the object, at the size of the map; None where nothing of the map is
        above the border, so that there is nothing to ask for.
    """
    best: Floats | None = None
    for part in parts_of(values, params.least_share):
        x0, y0, x1, y1 = part.box
        corners = embedding.on_canvas(np.array([[x0, y0], [x1, y1]]))
        points = embedding.on_canvas(_points_of(part, looks, params.points))
        labels = [_FOREGROUND] * len(points) + [_BOX_START, _BOX_END]
        by_points = network.decode(embedding, np.concatenate([points, corners]), labels)
        rough = _as_mask_prompt(part.map, embedding, network.mask_side, params.sharpness)
        by_mask = network.decode(embedding, corners, [_BOX_START, _BOX_END], rough)
        mean = np.asarray((by_points + by_mask) / 2, np.float32)
        best = mean if best is None else np.asarray(np.maximum(best, mean), np.float32)
    if best is None:
        return None
    height, width = embedding.shares(best.shape)
    region = (0, 0, width, height)
    size = (values.shape[1], values.shape[0])
    fitted = Image.fromarray(best).resize(size, Image.Resampling.BILINEAR, box=region)
    return np.asarray(1 / (1 + np.exp(-np.asarray(fitted))), np.float32)


def _points_of(part: Part, looks: Looks | None, most: int) -> npt.NDArray[np.float64]:
    """Return the points that stand for a part [N, 2], as shares of width and height."""
    if looks is None:
        return _deepest(part)[:most]
    return _longest_inside(part, looks, most)


def _deepest(part: Part) -> npt.NDArray[np.float64]:
    """Return the middle of the pixel that is farthest from all that is not of the part."""
    from scipy import ndimage

    height, width = part.inside.shape
    # What lies beyond the image is not of the part either.
    depth = ndimage.distance_transform_edt(np.pad(part.inside, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return np.array([[(column + 0.5) / width, (row + 0.5) / height]])


def _longest_inside(part: Part, looks: Looks, most: int) -> npt.NDArray[np.float64]:
    """Return the longest fixations within a part, as shares of width and height."""
    height, width = part.inside.shape
    column = np.clip((looks.xy[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((looks.xy[:, 1] * height).astype(int), 0, height - 1)
    within = np.flatnonzero(part.inside[row, column])
    longest = np.argsort(-looks.duration_ms[within], kind="stable")[:most]
    return looks.xy[within[longest]]


def _as_mask_prompt(values: Floats, embedding: Embedding, side: int, sharpness: float) -> Floats:
    """Return a map as logits [side, side], with no object where the canvas is empty."""
    # Of a thin image, less than a pixel may be left.
    height, width = (max(round(share), 1) for share in embedding.shares((side, side)))
    small = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    prompt = np.full((side, side), _logit(np.zeros(1, np.float32))[0], np.float32)
    prompt[:height, :width] = _logit(np.asarray(small))
    return sharpness * prompt


def _logit(p: Floats) -> Floats:
    sure = np.clip(p, _SURE, 1 - _SURE)
    return np.asarray(np.log(sure / (1 - sure)), np.float32)
