"""What rendering would do, with nothing done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import OutputError
from gazetrack.maps.render import check_size
from gazetrack.maps.store import MAP_FILE
from gazetrack.workflows.render import gathered
from gazetrack.workflows.render_notes import count_used

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.render import RenderOptions

_BYTES = {"uint8": 1, "float32": 4}


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """What would be rendered.

    Parameters
    ----------
    outcomes : list of Outcome
        One per table: how many fixations would be rendered, what not and why, and errors.
    n_rows : int
        Number of rows of the map file, each of all levels.
    n_images : int
        How many stimuli they are of.
    n_bytes : int
        What they take unpacked; in the file they are packed.
    target : pathlib.Path
        The map file that would be written.
    """

    outcomes: list[Outcome]
    n_rows: int
    n_images: int
    n_bytes: int
    target: Path


def plan_rendering(paths: Sequence[str | Path], options: RenderOptions) -> RenderPlan:
    """Return what `render_tables` would do with the same arguments; nothing is written.

    Parameters
    ----------
    paths : sequence of path-like
        Fixation tables, each named once.
    options : RenderOptions
        How maps would be made and where they would go.

    Returns
    -------
    RenderPlan

    Raises
    ------
    GazetrackError
        What is asked for cannot be, or would take more than ``options.max_total_bytes``.
    """
    found = gathered(paths, options)
    target = options.out / MAP_FILE
    n_bytes = 0
    stimuli = set()
    for group in found.groups:
        track = group[0][0]
        height, width = options.size or (round(track.height), round(track.width))
        check_size(height, width, options.params.levels)
        n_bytes += options.params.levels * height * width * _BYTES[options.dtype]
        stimuli.add(track.stimulus)
        count_used(group, options.params)
    if n_bytes > options.max_total_bytes:
        what = f"the maps would take {n_bytes // 1024**2:,} MB"
        most = f"more than {options.max_total_bytes // 1024**2:,} MB"
        hint = "give a smaller --size, or a larger --max-total-mb"
        raise OutputError(f"{what}, {most}", path=target, hint=hint)
    return RenderPlan(
        outcomes=found.outcomes,
        n_rows=len(found.groups),
        n_images=len(stimuli),
        n_bytes=n_bytes,
        target=target,
    )
