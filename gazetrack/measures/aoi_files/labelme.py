"""Files of labelme, one an image: rectangles, circles and polygons with a label each.

Specification: https://github.com/wkentaro/labelme. Shapes of one label are one area of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import quote
from gazetrack.measures.aoi_files.json_file import Fields
from gazetrack.measures.aoi_files.own import by_name
from gazetrack.measures.aois import AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazetrack.measures.shapes import Shape

KEYS = ("shapes", "imagePath")
_CORNERS = 2


def aois_of(value: Mapping[str, Any], path: Path) -> AoiSet:
    """Return the areas of a file of labelme.

    Parameters
    ----------
    value : mapping
        What the file holds, as an object.
    path : pathlib.Path
        The file that it is in, for errors.

    Raises
    ------
    ParseError
        A shape has no label, or encloses nothing, such as a line.
    DataError
        An area cannot be, see `AoiSet`.
    """
    whole = Fields(value, "the file", path)
    parts = []
    for number, one in enumerate(whole.items("shapes"), 1):
        shape = Fields(one, f"shape {number}", path)
        name = shape.text("label")
        shape.where = f"shape {number}, {quote(name, 40)!r},"
        parts.append((name, Part(shape=_shape(shape))))
    size = whole.size("imageWidth", "imageHeight")
    stimulus = StimulusAois(
        stimulus=whole.text("imagePath"), aois=by_name(parts, may_join=True), size=size
    )
    return AoiSet(stimuli=(stimulus,))


def _shape(fields: Fields) -> Shape:
    kind = fields.text("shape_type", "polygon")
    points = fields.points("points")
    if kind == "polygon":
        return Polygon(points_px=points)
    if kind not in ("rectangle", "circle"):
        hint = "draw a polygon, a rectangle or a circle around it"
        raise fields.error(f"is a {quote(kind, 30)}", hint)
    corners = np.array(points)
    if len(corners) != _CORNERS:
        raise fields.error(f"has {len(corners)} points", f"a {kind} has two")
    if kind == "circle":
        # The centre, and a point on the circle.
        radius = float(np.hypot(*(corners[1] - corners[0])))
        x, y = corners[0].tolist()
        return Ellipse(x_px=x, y_px=y, radius_x_px=radius, radius_y_px=radius)
    left, top = corners.min(axis=0).tolist()
    width, height = np.ptp(corners, axis=0).tolist()
    return Rectangle(x_px=left, y_px=top, width_px=width, height_px=height)
