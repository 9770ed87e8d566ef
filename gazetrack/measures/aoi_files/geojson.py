"""GeoJSON with polygons in pixels, such as QuPath writes: a feature is an area.

Specification: RFC 7946, https://www.rfc-editor.org/rfc/rfc7946. Coordinates are taken as pixels of
the image, y down. Of the properties, the area is called by ``name``, ``aoi`` or ``label``, or by
QuPath's ``classification``; ``stimulus`` or ``image`` is its stimulus, else the file is called
after it; ``onset_ms`` and ``offset_ms`` are its times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote
from gazetrack.measures.aoi_files.json_file import Fields, points_of
from gazetrack.measures.aoi_files.own import by_name, part_of
from gazetrack.measures.aois import AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gazetrack.measures.shapes import Points

TYPES = ("FeatureCollection", "Feature")
_NAMES = ("name", "aoi", "label", "title")
_STIMULI = ("stimulus", "image", "imagePath")


def aois_of(value: Mapping[str, Any], path: Path) -> AoiSet:
    """Return the areas of a GeoJSON object.

    Parameters
    ----------
    value : mapping
        A collection of features, or a single one.
    path : pathlib.Path
        The file, for errors, and for the name of the stimulus where no feature has one.

    Raises
    ------
    ParseError
        A feature has no name, or a geometry that encloses nothing.
    DataError
        An area cannot be, see `AoiSet`.
    """
    whole = Fields(value, "the file", path)
    features = whole.items("features") if value.get("type") == TYPES[0] else [value]
    found: dict[str, list[tuple[str, Part]]] = {}
    for number, one in enumerate(features, 1):
        feature = Fields(one, f"feature {number}", path)
        about = Fields(feature.mapping("properties", {}), f"feature {number}", path)
        name = _name(about)
        stimulus = next((about.text(key) for key in _STIMULI if about.has(key)), path.stem)
        for shape in _polygons(Fields(feature.mapping("geometry"), f"feature {number}", path)):
            found.setdefault(stimulus, []).append((name, part_of(about, shape)))
    stimuli = [
        StimulusAois(stimulus=stimulus, aois=by_name(parts, may_join=True))
        for stimulus, parts in found.items()
    ]
    return AoiSet(stimuli=tuple(stimuli))


def _name(about: Fields) -> str:
    for key in _NAMES:
        if about.has(key):
            return about.text(key)
    if about.has("classification"):
        kind = Fields(about.mapping("classification"), about.where, about.path)
        return kind.text("name")
    raise about.error("has no name", f"give it a property {' or '.join(_NAMES[:3])}")


def _polygons(geometry: Fields) -> list[Polygon]:
    kind = geometry.text("type")
    if kind not in ("Polygon", "MultiPolygon"):
        hint = "an area is a Polygon or a MultiPolygon"
        raise geometry.error(f"is a {quote(kind, 30)}, which encloses nothing", hint)
    coordinates = geometry.items("coordinates")
    each = [coordinates] if kind == "Polygon" else coordinates
    return [_polygon(rings, geometry) for rings in each]


def _polygon(rings: object, geometry: Fields) -> Polygon:
    if not isinstance(rings, list) or not rings or not all(isinstance(r, list) for r in rings):
        raise geometry.error("has no ring of corners", "write it as RFC 7946 says")
    outer, *holes = (_open(points_of(ring, geometry)) for ring in rings)
    return Polygon(points_px=outer, holes_px=tuple(holes))


def _open(points: Sequence[tuple[float, float]]) -> Points:
    """Return a ring without its last corner, which repeats the first."""
    closed = len(points) > 1 and points[0] == points[-1]
    return tuple(points[:-1] if closed else points)
