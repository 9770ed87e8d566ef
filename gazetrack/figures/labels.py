"""Where numbers beside discs go, so that they can be read: in free room, not one on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

DIGIT_WIDTH = 0.66  # of the height of a digit of DejaVu Sans
_DIRECTIONS = 12
_RINGS = (1.0, 2.2, 3.6)  # distances from the disc, in heights of a digit
_ON_A_LABEL, _ON_A_DISC, _OUTSIDE, _FARTHER = 50.0, 3.0, 200.0, 1.0


def place_labels(
    places: Floats, radii: Floats, texts: list[str], height: float, room: tuple[float, float]
) -> Floats:
    """Return the centres of labels beside discs: each where it hides least, in their order.

    Every label tries the middle of its disc, where it fits in, and places around it, ever farther.
    The best costs least: being on another label counts most, then on a disc, then the distance.

    Parameters
    ----------
    places : ndarray of float64, shape (N, 2)
        Centres of the discs, in any unit of length.
    radii : ndarray of float64, shape (N,)
        Radii of the discs in the same unit.
    texts : list of str
        What is written, one text a disc.
    height : float
        Height of a digit in the same unit.
    room : (width, height)
        Size of the picture, which labels should not leave.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        Centre of each label.
    """
    found = np.empty_like(places)
    sizes = np.array([(len(text) * DIGIT_WIDTH * height, height) for text in texts]).reshape(-1, 2)
    for number in range(len(places)):
        candidates, farther = _candidates(places[number], radii[number], sizes[number])
        near_labels = np.abs(candidates[:, None] - found[None, :number])
        touching = (near_labels < (sizes[number] + sizes[:number]) / 2).all(axis=2)
        others = np.arange(len(places)) != number
        gap = np.maximum(np.abs(candidates[:, None] - places[None, others]) - sizes[number] / 2, 0)
        hiding = np.hypot(gap[..., 0], gap[..., 1]) < radii[others]
        low, high = candidates - sizes[number] / 2, candidates + sizes[number] / 2
        outside = (low < 0).any(axis=1) | (high > np.array(room)).any(axis=1)
        cost = (
            _ON_A_LABEL * touching.sum(axis=1)
            + _ON_A_DISC * hiding.sum(axis=1)
            + _OUTSIDE * outside
            + _FARTHER * farther
        )
        found[number] = candidates[int(np.argmin(cost))]
    return found


def _candidates(place: Floats, radius: float, size: Floats) -> tuple[Floats, Floats]:
    """Return places for a label [K, 2] and how far each is from its disc, in rings [K]."""
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS - np.pi / 4
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    # Half the label along each direction, so that its near edge is where the ring is.
    half = np.abs(around) @ (size / 2)
    rings = [place + around * (radius + half + (ring - 0.8) * size[1])[:, None] for ring in _RINGS]
    farther = np.repeat(np.arange(1.0, len(_RINGS) + 1), _DIRECTIONS)
    if np.hypot(*size) / 2 > radius:
        return np.concatenate(rings), farther
    return np.concatenate([place[None], *rings]), np.concatenate([[0.0], farther])
