"""How much of an image an area reaches: where on it a fixation would count for the area."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.measures.shapes import Ellipse, Label, Polygon, Rectangle, Unseen

if TYPE_CHECKING:
    from gazetrack.measures.aois import Aoi
    from gazetrack.measures.shapes import Shape

_CORNER_STEPS = 64  # of a quarter of a circle: its area is right to 1 in 10,000
_NO_LABELS = "only a label has pixels"


def reach_share(aoi: Aoi, size: tuple[float, float], margin_px: float = 0.0) -> float:
    """Return the share of an image in which a fixation would count for an area.

    Parameters
    ----------
    aoi : Aoi
        The area. What of it lies beyond the image does not count, and what its shapes share
        counts once; of an area that moves it is the mean over its times.
    size : (float, float)
        Width and height of the image in pixels; NaN where nobody knows them.
    margin_px : float
        How far from the area a fixation still counts, in pixels; 0 or more.

    Returns
    -------
    float
        Between 0 and 1; NaN where the image or the area has no known size.
    """
    width, height = size
    if not width * height > 0 or any(isinstance(part.shape, Unseen) for part in aoi.parts):
        return float("nan")
    by_window: dict[tuple[float, float], list[Shape]] = {}
    for part in aoi.parts:
        by_window.setdefault(part.window, []).append(part.shape)
    reached = [_reach_px2(shapes, size, margin_px) for shapes in by_window.values()]
    return sum(reached) / len(reached) / (width * height)


def _reach_px2(shapes: list[Shape], size: tuple[float, float], margin_px: float) -> float:
    """Return the square pixels of an image that the shapes of one time reach together."""
    if len(shapes) == 1:
        (shape,) = shapes
        exact = _plain_px2(shape, size, margin_px)
        if exact is not None:
            return exact
    labels = [shape for shape in shapes if isinstance(shape, Label)]
    outlines = [_outline(shape, margin_px) for shape in shapes if not isinstance(shape, Label)]
    if not labels:
        return _within(outlines, size)
    pixels = _pixels(labels, size, margin_px)
    if outlines:
        import shapely

        x, y = np.meshgrid(np.arange(pixels.shape[1]) + 0.5, np.arange(pixels.shape[0]) + 0.5)
        pixels |= shapely.contains_xy(shapely.union_all(outlines), x, y)
    return float(np.count_nonzero(pixels))


def _plain_px2(shape: Shape, size: tuple[float, float], margin_px: float) -> float | None:
    """Return what needs no geometry: a rectangle without margin, or what lies within the image."""
    if isinstance(shape, Label):
        return None
    left, top, right, bottom = shape.bounds
    if isinstance(shape, Rectangle) and margin_px == 0:
        across = min(right, size[0]) - max(left, 0.0)
        return max(across, 0.0) * max(min(bottom, size[1]) - max(top, 0.0), 0.0)
    is_within = left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1]
    return shape.area_px2 if is_within and margin_px == 0 else None


def _outline(shape: Shape, margin_px: float) -> Any:
    """Return a shape and its margin as a polygon, as `inside` of the shape has them."""
    import shapely

    if isinstance(shape, Ellipse):
        circle = shapely.Point(0, 0).buffer(1, quad_segs=_CORNER_STEPS)
        radius_x = shape.radius_x_px + margin_px
        radius_y = shape.radius_y_px + margin_px
        turn = np.radians(shape.rotation_deg)
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        stretched = turned * np.array([radius_x, radius_y])
        middle = np.array([shape.x_px, shape.y_px])
        return shapely.transform(circle, lambda points: points @ stretched.T + middle)
    if isinstance(shape, Rectangle):
        plain = shapely.box(*shape.bounds)
    elif isinstance(shape, Polygon):
        plain = shapely.Polygon(shape.points_px, shape.holes_px)
    else:
        raise TypeError(_NO_LABELS)
    return plain.buffer(margin_px, quad_segs=_CORNER_STEPS) if margin_px else plain


def _within(outlines: list[Any], size: tuple[float, float]) -> float:
    import shapely

    image = shapely.box(0, 0, *size)
    return float(shapely.union_all(outlines).intersection(image).area)


def _pixels(labels: list[Label], size: tuple[float, float], margin_px: float) -> Any:
    """Return the pixels of the image that labels reach, as booleans [H, W]."""
    whole = np.zeros((round(size[1]), round(size[0])), np.bool_)
    beyond = ceil(margin_px)
    for label in labels:
        near = label.near(margin_px)
        pixels = near[beyond : len(near) - beyond, beyond : near.shape[1] - beyond]
        rows = min(len(whole), len(pixels))
        columns = min(whole.shape[1], pixels.shape[1])
        whole[:rows, :columns] |= pixels[:rows, :columns]
    return whole
