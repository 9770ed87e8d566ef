"""Random changes of images; the geometric ones move gaze alike.

What is random is drawn first, from the generator that is given, and applied later: so the same
draws serve images and gaze, in memory and on a device.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.config import AugmentConfig

    Matrix = npt.NDArray[np.float64]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Weights of red, green and blue in the brightness of a pixel (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
# NTSC's luma and its two axes of colour, in whose plane hue is an angle.
_YIQ = (_LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def upload(values: npt.NDArray[Any], device: torch.device | None) -> Tensor:
    """Return an array as a tensor on a device; what runs there goes on meanwhile.

    From memory that the system may move (not pinned), a copy to a GPU would wait for all that is
    queued there.
    """
    tensor = torch.from_numpy(values)
    if device is not None and device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


class Affine(NamedTuple):
    """A map of the image plane to itself.

    Parameters
    ----------
    matrix : ndarray of float64, shape (3, 3)
        Moves points (x, y, 1) in pixels; the centre of the first pixel is (0.5, 0.5).
    scale : float
        Factor by which it changes lengths.
    """

    matrix: Matrix
    scale: float


def draw_affine(rng: np.random.Generator, augment: AugmentConfig, size: int) -> Affine:
    """Draw flips, zoom, rotation and shift about the centre of a square image."""
    flip_x = -1.0 if augment.hflip and rng.random() < 0.5 else 1.0
    flip_y = -1.0 if augment.vflip and rng.random() < 0.5 else 1.0
    scale = 1 + augment.scale * rng.uniform(-1, 1)
    angle = math.radians(augment.rotate) * rng.uniform(-1, 1)
    shift = size * augment.translate * rng.uniform(-1, 1, 2)
    cos = scale * math.cos(angle)
    sin = scale * math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) * [flip_x, flip_y]
    # The centre of the image stays where it is, but for the shift.
    centre = np.array([size / 2, size / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + shift
    return Affine(matrix, scale)


def draw_colour(rng: np.random.Generator, augment: AugmentConfig) -> npt.NDArray[np.float64]:
    """Draw factors of brightness, contrast and saturation."""
    return 1 + rng.uniform(-1, 1, 3) * [augment.brightness, augment.contrast, augment.saturation]


def warp(images: Tensor, affines: Sequence[Affine]) -> Tensor:
    """Move images [B, C, S, S] as `affines` move points; what comes in from outside is 0."""
    grid = sampling_grid(affines, images.shape[-1], images.device)
    return functional.grid_sample(images, grid, align_corners=False)


def inside(affines: Sequence[Affine], size: int, device: torch.device | None = None) -> Tensor:
    """Return where there is something of the image after `affines`, bool [B, 1, S, S].

    Elsewhere a map may be above 0, but there is nothing to be seen, and so no label.
    """
    grid = sampling_grid(affines, size, device)
    return (grid.abs() <= 1).all(-1)[:, None]


def sampling_grid(
    affines: Sequence[Affine], size: int, device: torch.device | None = None
) -> Tensor:
    """Return where each target pixel comes from, in grid_sample's coordinates: [B, S, S, 2].

    These run from -1 at the left and top border of the image to 1 at the right and bottom one.
    """
    to_pixels = np.array([[size / 2, 0, size / 2], [0, size / 2, size / 2], [0, 0, 1]])
    from_pixels = np.linalg.inv(to_pixels)
    backwards = [from_pixels @ np.linalg.inv(affine.matrix) @ to_pixels for affine in affines]
    theta = upload(np.stack(backwards)[:, :2].astype(np.float32), device)
    return functional.affine_grid(theta, [len(affines), 1, size, size], align_corners=False)


def beside(images: Tensor) -> Tensor:
    """Return slices [B, 3 * n, H, W] as images [B, 3, n * H, W], one slice below the other.

    So their colours change alike: of one image, and around one mean.
    """
    batch, channels, height, width = images.shape
    if channels == 3:
        return images
    slices = images.reshape(batch, channels // 3, 3, height, width)
    return slices.transpose(1, 2).reshape(batch, 3, -1, width)


def above(images: Tensor, height: int) -> Tensor:
    """Undo `beside`, where each slice has so many rows."""
    batch, _, rows, width = images.shape
    if rows == height:
        return images
    slices = images.reshape(batch, 3, -1, height, width)
    return slices.transpose(1, 2).reshape(batch, -1, height, width)


def recolour(images: Tensor, factors: npt.NDArray[np.float64]) -> Tensor:
    """Change brightness, contrast and saturation of images by factors.

    Parameters
    ----------
    images : Tensor of float32, shape (B, 3, S, S)
        Their colours, each from 0 to 1.
    factors : ndarray of float64, shape (B, 3)
        Of brightness, contrast and saturation of each image.

    Returns
    -------
    Tensor of float32, shape (B, 3, S, S)
        Their colours, each from 0 to 1.
    """
    on_device = upload(factors.astype(np.float32), images.device)
    brightness, contrast, saturation = on_device.T[..., None, None, None].unbind()
    luma = _constant(_LUMA, images.device)[:, None, None]
    images = images * brightness
    mean = (images * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    images = mean + contrast * (images - mean)
    gray = (images * luma).sum(1, keepdim=True)
    return (gray + saturation * (images - gray)).clamp(0, 1)


def draw_tint(rng: np.random.Generator, augment: AugmentConfig) -> tuple[float, float]:
    """Draw a power and an angle in radians."""
    power, angle = rng.uniform(-1, 1, 2) * [augment.gamma, math.radians(augment.hue)]
    return math.exp(power), float(angle)


def tint(images: Tensor, powers: Sequence[float], angles: Sequence[float]) -> Tensor:
    """Raise images [B, 3, S, S] in 0 .. 1 to powers, and turn their colours by angles (radians)."""
    exponents = upload(np.array(powers, np.float32), images.device)
    images = images ** exponents[:, None, None, None]
    if not any(angles):
        return images
    turns = np.stack([_hue_turn(angle) for angle in angles])
    matrices = upload(turns.astype(np.float32), images.device)
    return torch.einsum("bij,bjhw->bihw", matrices, images).clamp(0, 1)


def _hue_turn(angle: float) -> Matrix:
    """Return the matrix [3, 3] that turns the colour of (red, green, blue), and not its luma."""
    to_yiq = np.array(_YIQ)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    turned: Matrix = np.linalg.inv(to_yiq) @ turn @ to_yiq
    return turned


class Box(NamedTuple):
    """Rows and columns of an image."""

    rows: slice
    columns: slice


def draw_box(rng: np.random.Generator, augment: AugmentConfig, size: int) -> Box | None:
    """Draw the box of CutMix (Yun et al. 2019), or None.

    Its share of the image is uniform, and so is its centre; what lies outside the image is cut off.
    """
    if rng.random() >= augment.cutmix:
        return None
    half = size * math.sqrt(rng.random()) / 2
    y, x = rng.uniform(0, size, 2)
    return Box(rows=_within(y, half, size), columns=_within(x, half, size))


def _within(centre: float, half: float, size: int) -> slice:
    """Return the pixels between centre - half and centre + half that are in the image."""
    return slice(max(round(centre - half), 0), min(round(centre + half), size))


def cutmix(tensors: Sequence[Tensor], boxes: Sequence[Box | None]) -> list[Tensor]:
    """Put the box of every image's successor into it, the same boxes in all.

    Parameters
    ----------
    tensors : sequence of Tensor, shape (B, C, S, S)
        Images, and what belongs to them. There may be one more than boxes: the successor of the
        last one, which otherwise is the first one.
    boxes : sequence of Box or None
        The box of each image, None for none.

    Returns
    -------
    list of Tensor, shape (len(boxes), C, S, S)
    """
    mixed = [tensor[: len(boxes)].clone() for tensor in tensors]
    for i, box in enumerate(boxes):
        if box is None:
            continue
        successor = (i + 1) % len(tensors[0])
        # From the tensors as they were: a successor may have a box of its own in it by now.
        for target, source in zip(mixed, tensors, strict=True):
            target[i, :, box.rows, box.columns] = source[successor, :, box.rows, box.columns]
    return mixed


def normalise(images: Tensor) -> Tensor:
    """Normalise images [B, 3 * n, S, S] in [0, 1] by the statistics of ImageNet."""
    n_slices = images.shape[1] // 3
    mean = _constant(IMAGENET_MEAN * n_slices, images.device)[:, None, None]
    std = _constant(IMAGENET_STD * n_slices, images.device)[:, None, None]
    # The layout in which convolutions are fastest, on a CPU and on a GPU.
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


@functools.cache
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, device=device)
