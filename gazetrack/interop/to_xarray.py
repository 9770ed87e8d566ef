"""Gaze track maps as arrays of xarray: named dimensions, coordinates in pixels and degrees."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gazetrack.errors import ConfigError, SchemaError, refuse_no_count, refuse_other_type
from gazetrack.interop.installed import needed
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import TrackMaps, level_titles
from gazetrack.maps.store import MapStore, StoredMaps, read_maps
from gazetrack.tables.placement import place
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt
    from xarray import DataArray

    Floats = npt.NDArray[np.float64]
    Known: TypeAlias = tuple[list[StoredMaps], MapParams | None, dict[str, str]]
    Maps: TypeAlias = TrackMaps | Sequence[TrackMaps] | MapStore | str | Path

_NAMES = ("stimulus", "recording", "participant", "trial")
_MOST_BYTES = 2 * 1024**3
_HINT = "give what gazetrack.render_maps returns, several of them, or the file of gazetrack render"


def to_xarray(
    maps: Maps,
    *,
    screen: Screen | None = None,
    placement: str | None = None,
    max_bytes: int = _MOST_BYTES,
) -> DataArray:
    """Return maps as one array of xarray with named dimensions.

    Parameters
    ----------
    maps : TrackMaps, sequence of TrackMaps, MapStore or path-like
        One track's maps, several, or a file of maps; all of one size.
    screen : Screen, optional
        With its size in mm and distance, the array also has coordinates in degrees.
    placement : str, optional
        With `screen`, where the image lay on it: ``centre``, ``fit``, ``stretch`` or
        ``X,Y,WIDTH,HEIGHT`` in screen pixels. Maps that are as large as the screen need none.
    max_bytes : int
        Refuse to unpack more than this.

    Returns
    -------
    xarray.DataArray
        Dimensions ``trial``, ``level``, ``y`` and ``x``, float32 in [0, 1]. Coordinates: ``x`` and
        ``y``, the centres of the maps' pixels in pixels of the map; ``level`` from 1, the core, and
        ``share``, what of the track each level keeps; of the trials ``stimulus``, ``recording``,
        ``participant``, ``trial_name`` and ``n_fixations``; with a screen ``x_deg`` and ``y_deg``,
        degrees to the right and down of its middle, along the row and the column that go through
        it. ``attrs`` say how the maps were made.

    Raises
    ------
    ConfigError
        xarray is not installed, these are no maps, there are none, or where the maps lie on the
        screen is not known.
    InputError, SchemaError
        The file is missing or damaged, or maps differ in size or parameters.

    Examples
    --------
    >>> array = gazetrack.to_xarray("maps", screen=screen, placement="fit")  # doctest: +SKIP
    >>> array.sel(level=4).mean("trial").plot()  # doctest: +SKIP
    """
    _refuse_types(screen, placement)
    refuse_no_count(max_bytes, "max_bytes")
    xarray = needed("xarray")
    rows, params, meta = _rows_of(maps, max_bytes)
    levels, height, width = rows[0].values.shape
    # A large file is filled in row by row: its maps are in memory once.
    values = np.empty((len(rows), levels, height, width), np.float32)
    for place_of, row in enumerate(rows):
        values[place_of] = row.as_float32()
    coordinates: dict[str, Any] = {
        "level": ("level", np.arange(1, levels + 1), {"long_name": "level, the core first"}),
        "y": ("y", np.arange(height) + 0.5, {"units": "px", "long_name": "down from the top"}),
        "x": ("x", np.arange(width) + 0.5, {"units": "px", "long_name": "right from the left"}),
        "n_fixations": ("trial", np.array([row.n_fixations for row in rows])),
    }
    for name in _NAMES:
        texts = np.array([getattr(row, name) for row in rows], object)
        coordinates["trial_name" if name == "trial" else name] = ("trial", texts)
    coordinates |= _shares(params, levels)
    if screen is not None:
        coordinates |= _degrees(screen, placement, height, width)
    elif placement is not None:
        raise ConfigError("a placement needs the screen", hint="give screen=gazetrack.Screen(…)")
    array: DataArray = xarray.DataArray(
        values,
        dims=("trial", "level", "y", "x"),
        coords=coordinates,
        name="gaze",
        attrs={"units": "1", "long_name": "gaze track map", **meta},
    )
    return array


def _refuse_types(screen: object, placement: object) -> None:
    if screen is not None:
        refuse_other_type(screen, Screen, "the screen", "give gazetrack.Screen(1920, 1080)")
    if placement is not None:
        hint = 'give a text, such as "fit" or "X,Y,WIDTH,HEIGHT"'
        refuse_other_type(placement, str, "the placement", hint)


def _rows_of(maps: Maps, max_bytes: int) -> Known:
    """Return the maps of each track, the parameters of all where known, and attributes."""
    if isinstance(maps, str | Path):
        maps = read_maps(maps)
    if isinstance(maps, MapStore):
        maps.refuse_targets()
        return _stored(maps, max_bytes)
    rendered = [maps] if isinstance(maps, TrackMaps) else maps
    refuse_other_type(rendered, Sequence, "the maps", _HINT)
    for one in rendered:
        refuse_other_type(one, TrackMaps, "one of the maps", _HINT)
    if not rendered:
        raise ConfigError("no maps", hint=_HINT)
    if any(one.params != rendered[0].params for one in rendered):
        what = "the maps were made with different parameters"
        raise SchemaError(what, hint="make an array of those of one kind, or render them alike")
    params = rendered[0].params
    rows = [_as_row(one) for one in rendered]
    _refuse_sizes([row.values.shape for row in rows], max_bytes)
    return rows, params, {"params": json.dumps(params.as_dict())}


def _stored(store: MapStore, max_bytes: int) -> Known:
    if not len(store):
        raise ConfigError("a file without maps", hint="render some: gazetrack render")
    rows = []
    for row in store.rows():
        rows.append(row)
        _refuse_sizes([rows[0].values.shape, row.values.shape], max_bytes, len(store))
    return rows, _params(store.meta.get("params")), {"gazetrack": json.dumps(store.meta)}


def _params(told: Any) -> MapParams | None:
    """Return parameters as a file tells them; None of another version's, or of nobody's."""
    if not isinstance(told, dict):
        return None
    values: dict[str, Any] = {
        name: math.inf if value == "inf" else value for name, value in told.items()
    }
    try:
        values["ratios"] = tuple(values.get("ratios") or ())
        return MapParams(**values)
    except (TypeError, ConfigError):
        return None


def _as_row(maps: TrackMaps) -> StoredMaps:
    track = maps.track
    return StoredMaps(
        stimulus=track.stimulus,
        recording=track.recording,
        participant=track.participant,
        trial=track.trial,
        n_fixations=len(track),
        values=maps.values,
    )


def _refuse_sizes(shapes: list[tuple[int, ...]], max_bytes: int, n_rows: int = 0) -> None:
    if len(set(shapes)) > 1:
        sizes = " and ".join("x".join(map(str, shape)) for shape in sorted(set(shapes))[:2])
        what = f"maps of several sizes (levels x height x width): {sizes}"
        raise SchemaError(what, hint="render them again at one --size")
    n_bytes = 4 * int(np.prod(shapes[0])) * max(n_rows, len(shapes))
    if n_bytes > max_bytes:
        what = f"the maps take {n_bytes // 1024**2:,} MB as float32"
        hint = "give a larger max_bytes, or read them one by one: read_maps(…).rows()"
        raise ConfigError(what, hint=hint)


def _shares(params: MapParams | None, levels: int) -> dict[str, Any]:
    if params is None or len(params.ratios) != levels:
        return {}
    titles = np.array(level_titles(params), object)
    about = {"long_name": f"share of the track, by {params.by}"}
    return {"share": ("level", np.array(params.ratios), about), "keeps": ("level", titles)}


def _degrees(screen: Screen, rule: str | None, height: int, width: int) -> dict[str, Any]:
    """Return where the maps' columns and rows are, in degrees from the middle of the screen."""
    if rule is None and (screen.width_px, screen.height_px) != (width, height):
        size = f"{screen.width_px} x {screen.height_px}"
        what = f"maps of {width} x {height} px on a screen of {size}: nobody says where they lay"
        raise ConfigError(what, hint='give the placement, such as "fit" or "X,Y,WIDTH,HEIGHT"')
    where = place(rule or "stretch", screen, width, height)
    x, y = where.to_screen(np.arange(width) + 0.5, np.arange(height) + 0.5)
    middle_row = np.full(width, screen.height_px / 2)
    middle_column = np.full(height, screen.width_px / 2)
    azimuth, _ = screen.degrees(x.astype(np.float64), middle_row)
    _, elevation = screen.degrees(middle_column, y.astype(np.float64))
    about_x = {"units": "deg", "long_name": "right of the middle of the screen, along its row"}
    about_y = {"units": "deg", "long_name": "down from the middle of the screen, along its column"}
    return {"x_deg": ("x", azimuth, about_x), "y_deg": ("y", elevation, about_y)}
