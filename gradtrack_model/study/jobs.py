"""The jobs of a study, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazetrack.publish import safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.errors import GazetrackError
    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.sources import Sources

# How the validation images are segmented, and whether that averages over flips.
WAYS = {"plain": False, "flips": True}


@dataclass(frozen=True)
class Job:
    """One training of a study.

    Parameters
    ----------
    name : str
        The name of its row in the table, which is the method.
    seed : int
        The seed, the same as in `config`.
    config : TrainConfig
        The configuration of the training.
    sources : Sources
        Where images, gaze, masks and splits of the data set are.
    """

    name: str
    seed: int
    config: TrainConfig
    sources: Sources

    def folder(self, out: Path) -> Path:
        """Return the folder of this job in that of the study."""
        return out / safe_name(self.name.replace(", ", "-").replace(" ", "-")) / str(self.seed)


@dataclass(frozen=True)
class Result:
    """What became of a job.

    Parameters
    ----------
    job : Job
        The job that it is the result of.
    facts : dict
        As in ``result.json``: ``config``, ``data``, ``steps``, ``best_step``, ``seconds``, …; empty
        after an error.
    scores : dict
        Way (of `WAYS`) → image id → measure (of `MEASURES`, and those of `SURFACES` that are known)
        → value.
    error : GazetrackError or None
        Why there is no result; None where there is one.
    again : bool
        Whether it was there already, and nothing had to be done.
    stopped_by : int or None
        Number of the signal that stopped the job, and the study with it; None of one that ended.
    volumes : dict
        Way → volume → measure → value, of validation volumes that are whole.
    """

    job: Job
    facts: dict[str, Any]
    scores: dict[str, dict[str, dict[str, float]]]
    error: GazetrackError | None = None
    again: bool = False
    stopped_by: int | None = None
    volumes: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
