"""Turn eye-tracker exports into fixation tables and gaze track maps.

The public names load on first use, so that ``import gazetrack`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gazetrack.version import __version__

if TYPE_CHECKING:
    from gazetrack.errors import GazetrackError
    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.render import TrackMaps, render_maps
    from gazetrack.maps.store import read_maps
    from gazetrack.maps.track import Track, build_tracks
    from gazetrack.tables.finding import find_tables
    from gazetrack.tables.placement import Placement
    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen
    from gazetrack.tables.store import read_fixations
    from gazetrack.workflows.convert import read_recording

_HOME = {
    "GazetrackError": "errors",
    "MapParams": "maps.parameters",
    "Placement": "tables.placement",
    "Recording": "tables.recording",
    "Screen": "tables.screen",
    "Track": "maps.track",
    "TrackMaps": "maps.render",
    "build_tracks": "maps.track",
    "find_tables": "tables.finding",
    "read_fixations": "tables.store",
    "read_maps": "maps.store",
    "read_recording": "workflows.convert",
    "render_batch": "maps.render",
    "render_maps": "maps.render",
}

__all__ = [
    "GazetrackError",
    "MapParams",
    "Placement",
    "Recording",
    "Screen",
    "Track",
    "TrackMaps",
    "__version__",
    "build_tracks",
    "find_tables",
    "read_fixations",
    "read_maps",
    "read_recording",
    "render_batch",
    "render_maps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gazetrack' has no attribute {name!r}")
    return getattr(import_module(f"gazetrack.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
