"""Compile the kernels that this machine needs before the first recording needs them.

A kernel is compiled when it is first called, for the types that it is called with. So a small
simulated study is taken through every step of the library: what a user calls later is there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack import kernels
from gazetrack.data_quality.measures import quality_table
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.fixations import fixation_table
from gazetrack.events.prepare import Preparation
from gazetrack.kernels._cache import cache_folder
from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import KINDS, MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import build_tracks
from gazetrack.measures.scanpaths import compare_tracks
from gazetrack.simulate.example import write_example
from gazetrack.workflows.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from gazetrack.maps.track import Track
    from gazetrack.tables.recording import Recording

_IMAGES = 4
_SIZE = (96, 128)


@dataclass(frozen=True, kw_only=True)
class WarmedStep:
    """A step of the library whose kernels are compiled.

    Parameters
    ----------
    name : str
        What the step does, in words for the user.
    seconds : float
        How long it took, with whatever had to be compiled.
    compiled : tuple of str
        The kernels that were compiled, by their names.
    found : tuple of str
        The kernels that an earlier run has compiled.
    """

    name: str
    seconds: float
    compiled: tuple[str, ...]
    found: tuple[str, ...]


def kernel_cache() -> Path | None:
    """Return the folder of compiled kernels; None where they cannot be kept between runs."""
    return cache_folder()


def warm_up() -> Iterator[WarmedStep]:
    """Take a small simulated study through every step, so that its kernels are compiled.

    Yields
    ------
    WarmedStep
        Each step as soon as it is done.
    """
    with TemporaryDirectory() as folder:
        for name, step in _steps(Path(folder)):
            before = _calls()
            start = time.perf_counter()
            step()
            seconds = time.perf_counter() - start
            more = {kernel: _more(calls, before[kernel]) for kernel, calls in _calls().items()}
            yield WarmedStep(
                name=name,
                seconds=seconds,
                compiled=tuple(kernel for kernel, (_, compiled) in more.items() if compiled),
                found=tuple(kernel for kernel, (found, _) in more.items() if found),
            )


def _steps(folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the name of each step and what does it; each uses what those before it have made."""
    example = write_example(folder, n_images=_IMAGES, size=_SIZE)
    asc, tsv = example.exports
    recordings: list[Recording] = []
    tracks: list[Track] = []
    yield "read EyeLink ASC", lambda: recordings.append(read(asc))
    yield "read Tobii TSV", lambda: recordings.append(read(tsv))
    yield "take the tracker's own fixations", partial(_own_fixations, recordings, tracks)
    (recording, _) = recordings
    for name, detector_class in DETECTORS.items():
        yield f"detect with {name}", partial(fixation_table, recording, detector_class())
    for smooth in ("median", "savgol"):
        preparation = Preparation(smooth=smooth, max_gap_ms=75.0, pad_ms=20.0)
        detector = DETECTORS["ivt"]()
        yield f"prepare with {smooth}", partial(fixation_table, recording, detector, preparation)
    yield "measure data quality", partial(quality_table, recording)
    for kind in KINDS:
        params = MapParams(kind=kind)
        yield f"render {kind}", partial(_rendered, tracks, params)
    yield "refine by a CRF", partial(_refined, tracks[0])
    yield "compare scanpaths", partial(compare_tracks, tracks[0], tracks[0])


def _own_fixations(recordings: list[Recording], tracks: list[Track]) -> None:
    """Build the tracks of the fixations that the exports hold."""
    for recording in recordings:
        table, _ = fixation_table(recording)
        tracks += build_tracks(table)


def _rendered(tracks: list[Track], params: MapParams) -> None:
    for track in tracks:
        render_maps(track, params, _SIZE)


def _refined(track: Track) -> npt.NDArray[np.floating]:
    maps = render_maps(track, MapParams(levels=1), _SIZE).values
    image = np.random.default_rng(0).integers(0, 256, (*maps.shape[1:], 3), np.uint8)
    return refine(maps, image)


def _calls() -> dict[str, tuple[int, int]]:
    """Return by kernel how often compiled code was found, and how often it was not."""
    calls = {}
    for module in iter_modules(kernels.__path__):
        loaded = import_module(f"{kernels.__name__}.{module.name}")
        for name, value in vars(loaded).items():
            stats: Any = getattr(value, "stats", None)
            if hasattr(stats, "cache_hits") and value.__module__ == loaded.__name__:
                found = sum(stats.cache_hits.values())
                compiled = sum(stats.cache_misses.values())
                calls[f"{module.name}.{name}"] = (found, compiled)
    return calls


def _more(after: tuple[int, int], before: tuple[int, int]) -> tuple[int, int]:
    return after[0] - before[0], after[1] - before[1]
