"""Our own file of areas of interest, a JSON object that explains itself.

    {"format": "gazetrack-aois", "version": 1, "unit": "px", "space": "image",
     "stimuli": [
       {"stimulus": "cat.png", "image_width_px": 640, "image_height_px": 480,
        "aois": [
          {"name": "face", "shape": "rectangle",
           "x_px": 200, "y_px": 50, "width_px": 180, "height_px": 160},
          {"name": "eye", "shape": "ellipse",
           "x_px": 250, "y_px": 100, "radius_x_px": 30, "radius_y_px": 18, "rotation_deg": 10},
          {"name": "body", "shape": "polygon",
           "points_px": [[150, 210], [400, 210], [420, 470], [130, 470]]},
          {"name": "mouse", "shape": "rectangle", "onset_ms": 0, "offset_ms": 800,
           "x_px": 500, "y_px": 400, "width_px": 60, "height_px": 40},
          {"name": "mouse", "shape": "rectangle", "onset_ms": 800, "offset_ms": 2000,
           "x_px": 560, "y_px": 400, "width_px": 60, "height_px": 40},
          {"shape": "labels", "file": "cat_labels.png", "names": {"1": "tail", "2": "paw"}}]}]}

``space`` is ``image`` (by default) or ``screen``. A rectangle has its top left corner, an ellipse
its centre in ``x_px`` and ``y_px``; ``rotation_deg`` turns either clockwise. A polygon may have
``holes_px``. The size of the image is optional: with it, positions on an image of another size and
the same shape are scaled. ``onset_ms`` and ``offset_ms`` are milliseconds from the start of the
trial; an area that moves is there several times, at times that do not overlap. Of an image of
labels each value above 0 is an area, called by ``names`` or ``label 1``; its file is looked for
beside the JSON. The stimulus ``*`` stands for all that have no areas of their own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError, ParseError, quote
from gazetrack.images.folder import image_size
from gazetrack.images.reference import ImageRef
from gazetrack.measures.aoi_files.json_file import Fields, points_of
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.label_images import read_labels
from gazetrack.measures.shapes import Ellipse, Label, Polygon, Rectangle, turned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gazetrack.measures.shapes import Shape

FORMAT = "gazetrack-aois"
VERSION = 1
_SHAPES = {
    "rectangle": ("x_px", "y_px", "width_px", "height_px", "rotation_deg"),
    "ellipse": ("x_px", "y_px", "radius_x_px", "radius_y_px", "rotation_deg"),
    "polygon": ("points_px", "holes_px"),
    "labels": ("file", "names"),
}
_OF_ALL = ("name", "shape", "onset_ms", "offset_ms")


def aois_of(value: Mapping[str, Any], path: Path) -> AoiSet:
    """Return the areas of our own JSON.

    Parameters
    ----------
    value : mapping
        What the file holds, as an object.
    path : pathlib.Path
        The file, for errors, and for images of labels beside it.

    Raises
    ------
    ParseError
        A field is missing, unknown or of another kind; or the file is of a later version.
    DataError
        An area cannot be, see `AoiSet`; or an image of labels has another size than it is said.
    InputError
        An image of labels cannot be read.
    """
    whole = Fields(value, "the file", path)
    whole.only(("format", "version", "unit", "space", "stimuli"))
    if whole.number("version", VERSION) != VERSION:
        what = f"is of version {whole.number('version'):g}, and this knows version {VERSION}"
        raise whole.error(what, "update gazetrack")
    unit = whole.text("unit", "px")
    if unit != "px":
        hint = "give pixels: 'unit' is 'px', and 'space' says whose, 'image' or 'screen'"
        raise whole.error(f"has areas in {quote(unit, 20)!r}", hint)
    stimuli = [stimulus_of(one, path) for one in whole.items("stimuli")]
    return AoiSet(stimuli=tuple(stimuli), space=whole.text("space", "image"))


def stimulus_of(value: object, path: Path) -> StimulusAois:
    """Return the areas of one stimulus.

    Parameters
    ----------
    value : object
        An entry of ``stimuli``, as the module describes it.
    path : pathlib.Path
        The file that it is in, for errors, and for images of labels beside it.

    Returns
    -------
    StimulusAois
        Not checked yet: that is done by the `AoiSet` it becomes part of.
    """
    fields = Fields(value, "a stimulus", path)
    fields.only(("stimulus", "image_width_px", "image_height_px", "aois"))
    name = fields.text("stimulus")
    fields.where = f"stimulus {quote(name, 40)!r}"
    size = fields.size("image_width_px", "image_height_px")
    parts: list[tuple[str, Part]] = []
    for number, one in enumerate(fields.items("aois"), 1):
        area = Fields(one, f"area {number} of {fields.where}", path)
        shape = area.text("shape", "rectangle")
        if shape not in _SHAPES:
            raise area.error(f"has the shape {quote(shape, 30)!r}", f"use {', '.join(_SHAPES)}")
        area.only((*_OF_ALL, *_SHAPES[shape]))
        if shape == "labels":
            labels, own_size = _labels(area)
            size = size or own_size
            if size != own_size:
                what = f"{own_size[0]} x {own_size[1]} px, its image {size[0]} x {size[1]}"
                hint = "store labels in the size of the image: they are not scaled"
                raise DataError(f"{area.where}: its labels have {what}", path=path, hint=hint)
            parts += [(label, part_of(area, one)) for label, one in labels]
        else:
            parts.append((area.text("name"), part_of(area, _shape(area, shape))))
    return StimulusAois(stimulus=name, aois=by_name(parts), size=size)


def part_of(fields: Fields, shape: Shape) -> Part:
    """Return a shape with its times, where the object of a file states any.

    Parameters
    ----------
    fields : Fields
        The object, which may have ``onset_ms`` and ``offset_ms``.
    shape : Rectangle, Ellipse, Polygon or Label
        The shape that is there then.
    """
    onset = fields.number("onset_ms", -math.inf)
    offset = fields.number("offset_ms", math.inf)
    return Part(shape=shape, onset_ms=onset, offset_ms=offset)


def by_name(parts: Iterable[tuple[str, Part]], *, may_join: bool = False) -> tuple[Aoi, ...]:
    """Return areas, of those that have several parts one each.

    Parameters
    ----------
    parts : iterable of (str, Part)
        The name of the area that each part belongs to, and the part.
    may_join : bool
        Whether parts of one name that are there at the same time are one area. Without, they are
        refused as two areas of one name, by leaving them two.

    Returns
    -------
    tuple of Aoi
        In the order in which their names appear first.
    """
    found: list[tuple[str, list[Part]]] = []
    for name, part in parts:
        own = [known for called, known in found if called == name]
        joins = own and (may_join or all(one.window != part.window for one in own[-1]))
        if joins:
            own[-1].append(part)
        else:
            found.append((name, [part]))
    return tuple(Aoi(name=name, parts=tuple(own)) for name, own in found)


def _shape(area: Fields, shape: str) -> Shape:
    if shape == "polygon":
        holes = tuple(points_of(hole, area) for hole in area.items("holes_px", ()))
        return Polygon(points_px=area.points("points_px"), holes_px=holes)
    x = area.number("x_px")
    y = area.number("y_px")
    rotation = area.number("rotation_deg", 0.0)
    if shape == "ellipse":
        return Ellipse(
            x_px=x,
            y_px=y,
            radius_x_px=area.number("radius_x_px"),
            radius_y_px=area.number("radius_y_px"),
            rotation_deg=rotation,
        )
    width = area.number("width_px")
    height = area.number("height_px")
    return turned(Rectangle(x_px=x, y_px=y, width_px=width, height_px=height), rotation)


def _labels(area: Fields) -> tuple[list[tuple[str, Label]], tuple[int, int]]:
    """Return the areas of an image of labels, with their names, and its size."""
    path = area.path.parent / area.text("file")
    names = {}
    for label, name in area.mapping("names", {}).items():
        if not label.isdecimal() or not isinstance(name, str):
            raise area.error(
                f"names a label {quote(label, 30)!r}", "write 'names' as {'1': 'face'}"
            )
        names[int(label)] = name
    labels = labels_of(ImageRef(path), names)
    return labels, labels[0][1].size


def labels_of(image: ImageRef, names: Mapping[int, str]) -> list[tuple[str, Label]]:
    """Return the areas of an image of labels.

    Parameters
    ----------
    image : ImageRef
        The image, in which every value above 0 is an area.
    names : mapping of int to str
        Names of labels; those that have none are called ``label 1`` and so on.

    Returns
    -------
    list of (str, Label)
        The areas in the order of their labels.

    Raises
    ------
    InputError
        The image cannot be read.
    ParseError
        A label that is named is nowhere in it, or there is none at all.
    """
    size = image_size(image)
    held = [int(value) for value in np.unique(read_labels(image)) if value > 0]
    missing = sorted(set(names) - set(held))
    if missing or not held:
        what = f"has no label {missing[0]}" if missing else "has no label above 0"
        hint = f"it has {', '.join(map(str, held[:10]))}" if held else "is it the right image?"
        raise ParseError(what, path=image.path, hint=hint)
    if not names and len(held) > MAX_LABELS:
        what = f"has {len(held)} different values: a picture, not an image of labels?"
        raise ParseError(what, path=image.path, hint="store one value for each area")
    wanted = sorted(names) if names else held
    return [
        (names.get(value, f"label {value}"), Label(image=image, size=size, value=value))
        for value in wanted
    ]


MAX_LABELS = 1_000  # of one image
