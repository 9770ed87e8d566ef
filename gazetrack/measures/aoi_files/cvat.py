"""CVAT's XML "for images 1.1": boxes, ellipses and polygons of many images.

Specification: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/. Shapes of one
label are one area of the image. Tracks of its "for video" count frames, which have no time here:
they are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.measures.aoi_files.json_file import MAX_SIDE_PX
from gazetrack.measures.aoi_files.own import by_name
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle, turned

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from gazetrack.measures.shapes import Shape

MAX_BYTES = 256 * 1024**2
_SHAPES = ("box", "ellipse", "polygon")
_LEFT_OUT = ("tag",)  # a word about the whole image


def aois_of(path: Path) -> AoiSet:
    """Return the areas of an XML file of CVAT.

    Parameters
    ----------
    path : pathlib.Path
        The XML file of a task or project.

    Raises
    ------
    InputError
        It cannot be read, or has more than 256 MB.
    ParseError
        It is no XML of CVAT, or holds tracks, masks or shapes that enclose nothing.
    DataError
        An area cannot be, see `AoiSet`.
    """
    root = _root(path)
    if root.tag != "annotations":
        hint = 'export the task as "CVAT for images 1.1"'
        raise ParseError(f"is XML of {quote(root.tag, 40)!r}, not of CVAT", path=path, hint=hint)
    if root.find("track") is not None:
        what = "holds tracks, which count frames: their times are not known"
        raise ParseError(what, path=path, hint='export the task as "CVAT for images 1.1"')
    stimuli = []
    for image in root.iter("image"):
        name = _text(image, "name", path)
        size = (_length(image, "width", path), _length(image, "height", path))
        stimuli.append(StimulusAois(stimulus=name, aois=_areas(image, path), size=size))
    return AoiSet(stimuli=tuple(stimuli))


def _root(path: Path) -> Element:
    hint = 'export the task as "CVAT for images 1.1"'
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"has more than {MAX_BYTES:,} bytes", path=path, hint="split it")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path, hint="check it") from error
    # Entities can grow without bound, and CVAT writes none.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ParseError("declares entities, which CVAT never does", path=path, hint=hint)
    try:
        return ET.fromstring(data)  # noqa: S314 - without entities it is as safe as JSON
    except ET.ParseError as error:
        line, column = error.position
        what = f"is no XML: {quote(error, 80)}"
        raise ParseError(what, path=path, line=line, column=column + 1, hint=hint) from None
    except (LookupError, ValueError) as error:  # the first line names an encoding that is none
        raise ParseError(f"is no XML: {quote(error, 80)}", path=path, line=1, hint=hint) from None


def _areas(image: Element, path: Path) -> tuple[Aoi, ...]:
    parts = []
    for element in image:
        if element.tag in _LEFT_OUT:
            continue
        if element.tag not in _SHAPES:
            what = f"has a {quote(element.tag, 30)} on {quote(image.get('name', ''), 40)!r}"
            hint = "an area is a box, an ellipse or a polygon"
            raise ParseError(what, path=path, hint=hint)
        parts.append((_text(element, "label", path), Part(shape=_shape(element, path))))
    return by_name(parts, may_join=True)


def _shape(element: Element, path: Path) -> Shape:
    rotation = _number(element, "rotation", path, "0")
    if element.tag == "ellipse":
        return Ellipse(
            x_px=_number(element, "cx", path),
            y_px=_number(element, "cy", path),
            radius_x_px=_number(element, "rx", path),
            radius_y_px=_number(element, "ry", path),
            rotation_deg=rotation,
        )
    if element.tag == "box":
        left = _number(element, "xtl", path)
        top = _number(element, "ytl", path)
        width = _number(element, "xbr", path) - left
        height = _number(element, "ybr", path) - top
        return turned(Rectangle(x_px=left, y_px=top, width_px=width, height_px=height), rotation)
    points = []
    for pair in _text(element, "points", path).split(";"):
        x, comma, y = pair.partition(",")
        if not comma:
            what = f"has a corner {quote(pair, 30)!r}"
            raise ParseError(what, path=path, hint="corners are x,y;x,y")
        points.append((_float(x, "points", path), _float(y, "points", path)))
    return Polygon(points_px=tuple(points))


def _text(element: Element, name: str, path: Path) -> str:
    found = element.get(name)
    if found is None:
        what = f"has a {quote(element.tag, 30)} without {name}"
        raise ParseError(what, path=path, hint="export it again")
    return found


def _number(element: Element, name: str, path: Path, default: str | None = None) -> float:
    text = element.get(name, default)
    return _float(_text(element, name, path) if text is None else text, name, path)


def _length(image: Element, name: str, path: Path) -> int:
    text = _text(image, name, path)
    if not text.isdecimal() or not 1 <= float(text) <= MAX_SIDE_PX:
        what = f"has an image with {quote(text, 30)!r} as {name}"
        raise ParseError(what, path=path, hint="export it again")
    return int(text)


def _float(text: str, name: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError:
        what = f"has {quote(text, 30)!r} as {name}"
        raise ParseError(what, path=path, hint="give a number") from None
