"""Turn eye-tracker exports into fixation tables and gaze track maps.

The public names load on first use, so that ``import gazetrack`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gazetrack.version import __version__

if TYPE_CHECKING:
    from gazetrack.errors import GazetrackError
    from gazetrack.finding import find_tables
    from gazetrack.maps import MapParams, TrackMaps, render_maps
    from gazetrack.mapstore import read_maps
    from gazetrack.pipeline import read_recording
    from gazetrack.recording import Placement, Recording, Screen
    from gazetrack.store import read_fixations
    from gazetrack.track import Track, build_tracks

_HOME = {
    "GazetrackError": "errors",
    "MapParams": "maps",
    "Placement": "recording",
    "Recording": "recording",
    "Screen": "recording",
    "Track": "track",
    "TrackMaps": "maps",
    "build_tracks": "track",
    "find_tables": "finding",
    "read_fixations": "store",
    "read_maps": "mapstore",
    "read_recording": "pipeline",
    "render_batch": "maps",
    "render_maps": "maps",
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
