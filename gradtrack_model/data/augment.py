"""Random changes of images; the geometric ones move gaze alike, and draw from the generator they are given."""

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

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
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
    """A map of the image plane, in pixels with the first pixel's centre at (.5, .5), and its change of lengths."""

    matrix: Matrix
    scale: float


def draw_affine(rng: np.random.Generator, augment: AugmentConfig, size: int) -> Affine:
    """Draw flips, zoom, rotation and shift about the centre of a square image."""
    flip_x = -1.0 if augment.hflip and rng.random() < 0.5 else 1.0
    flip_y = -1.0 if augment.vflip and rng.random() < 0.5 else 1.0
    scale = 1 + augment.scale * rng.uniform(-1, 1)
    angle = math.radians(augment.rotate) * rng.uniform(-1, 1)
    dx, dy = size * augment.translate * rng.uniform(-1, 1, 2)
    cos, sin, centre = scale * math.cos(angle), scale * math.sin(angle), size / 2
    linear = np.array([[cos, -sin], [sin, cos]]) * [flip_x, flip_y]
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ [centre, centre] + [dx, dy]
    return Affine(matrix, scale)


def draw_colour(rng: np.random.Generator, augment: AugmentConfig) -> npt.NDArray[np.float64]:
    """Draw factors of brightness, contrast and saturation."""
    return 1 + rng.uniform(-1, 1, 3) * [augment.brightness, augment.contrast, augment.saturation]


def warp(images: Tensor, affines: Sequence[Affine]) -> Tensor:
    """Move images [B, C, S, S] as `affines` move points; what comes in from outside is 0."""
    grid = sampling_grid(affines, images.shape[-1], images.device)
    return functional.grid_sample(images, grid, align_corners=False)


def inside(affines: Sequence[Affine], size: int, device: torch.device | None = None) -> Tensor:
    """Return where there is something of the image after `affines`, bool [B, 1, S, S]: elsewhere is no label."""
    return (sampling_grid(affines, size, device).abs() <= 1).all(-1)[:, None]


def sampling_grid(
    affines: Sequence[Affine], size: int, device: torch.device | None = None
) -> Tensor:
    """Return, per target pixel, where it comes from, in grid_sample's coordinates (-1 to 1): [B, S, S, 2]."""
    to_pixels = np.array([[size / 2, 0, size / 2], [0, size / 2, size / 2], [0, 0, 1]])
    thetas = [np.linalg.inv(to_pixels) @ np.linalg.inv(a.matrix) @ to_pixels for a in affines]
    theta = upload(np.stack(thetas)[:, :2].astype(np.float32), device)
    return functional.affine_grid(theta, [len(affines), 1, size, size], align_corners=False)


def recolour(images: Tensor, factors: npt.NDArray[np.float64]) -> Tensor:
    """Change brightness, contrast and saturation of images [B, 3, S, S] in [0, 1] by factors [B, 3]."""
    factors_there = upload(factors.astype(np.float32), images.device)
    brightness, contrast, saturation = factors_there.T[..., None, None, None].unbind()
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
    """Raise images [B, 3, S, S] in [0, 1] to powers, and turn their colours by angles."""
    images = images ** upload(np.array(powers, np.float32), images.device)[:, None, None, None]
    if any(angles):
        to_yiq = np.array(_YIQ)
        turns = [
            np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
            for a in angles
        ]
        turned = np.stack([np.linalg.inv(to_yiq) @ turn @ to_yiq for turn in turns])
        matrices = upload(np.array(turned, np.float32), images.device)
        images = torch.einsum("bij,bjhw->bihw", matrices, images).clamp(0, 1)
    return images


class Box(NamedTuple):
    """Rows and columns of an image."""

    rows: slice
    columns: slice


def draw_box(rng: np.random.Generator, augment: AugmentConfig, size: int) -> Box | None:
    """Draw the box of CutMix (Yun et al. 2019): its share of the image is uniform, and so is its centre."""
    if rng.random() >= augment.cutmix:
        return None
    half = size * math.sqrt(rng.random()) / 2
    (top, bottom), (left, right) = (
        (max(round(c - half), 0), min(round(c + half), size)) for c in rng.uniform(0, size, 2)
    )
    return Box(slice(top, bottom), slice(left, right))


def cutmix(tensors: Sequence[Tensor], boxes: Sequence[Box | None]) -> list[Tensor]:
    """Put the box of every image's successor into it: [B, C, S, S] each, the same boxes in all."""
    mixed = [tensor.clone() for tensor in tensors]
    for i, box in enumerate(boxes):
        if box is not None:
            for tensor, before in zip(mixed, tensors, strict=True):
                tensor[i, :, box.rows, box.columns] = before[
                    (i + 1) % len(boxes), :, box.rows, box.columns
                ]
    return mixed


def normalise(images: Tensor) -> Tensor:
    """Normalise images [B, 3, S, S] in [0, 1] by the statistics of ImageNet."""
    mean, std = (_constant(v, images.device)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


@functools.cache
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, device=device)
