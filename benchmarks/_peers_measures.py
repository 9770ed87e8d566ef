"""Scanpath and saliency measures of other packages, as their documentation calls them.

multimatch_gaze (Wagner, Halchenko & Hanke 2019), EyeFeatures (HSE University) and pysaliency
(Kümmerer), where they are installed.
"""

from __future__ import annotations

import contextlib
import io
import sys
import types
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from gazetrack.maps.track import Track

PACKAGES = {"multimatch_gaze": "multimatch-gaze", "eyefeatures": "eyefeatures"}
PACKAGES |= {"pysaliency": "pysaliency"}


def versions() -> dict[str, str]:
    """Return the versions of those that can be imported."""
    return {name: version(dist) for name, dist in PACKAGES.items() if find_spec(name)}


def multimatch_gaze(a: Track, b: Track, limits: tuple[float, float, float]) -> list[float]:
    """Return the five similarities; limits are amplitude, direction and duration."""
    from multimatch_gaze.multimatch_gaze import docomparison

    fields = [("start_x", "f8"), ("start_y", "f8"), ("duration", "f8")]
    records = [
        np.array(list(zip(t.x, t.y, t.duration_ms, strict=True)), dtype=fields) for t in (a, b)
    ]
    names = dict(zip(("TAmp", "TDir", "TDur"), limits, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = docomparison(*records, [a.width, a.height], grouping=any(limits), **names)
    return [float(np.squeeze(value)) for value in found]


def _on_unit_square(track: Track, *, durations: bool = False) -> pd.DataFrame:
    """Return positions as EyeFeatures expects them."""
    columns = {"x": track.x / track.width, "y": track.y / track.height}
    return pd.DataFrame(columns | ({"duration": track.duration_ms} if durations else {}))


class _Writable:
    """The values of a frame: EyeFeatures shuffles them, which pandas from version 3 refuses."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.values = frame.to_numpy(copy=True)

    def __len__(self) -> int:
        return len(self.values)


def eyefeatures(name: str, a: Track, b: Track) -> Any:
    """Return what a function of ``eyefeatures.features.dist`` gives, on the unit square."""
    from eyefeatures.features import dist

    with_durations = name == "mm_features"
    frames = [_Writable(_on_unit_square(track, durations=with_durations)) for track in (a, b)]
    function = getattr(dist, f"calc_{name}" if name == "mm_features" else f"calc_{name}_dist")
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*frames)


def eyefeatures_recurrence(track: Track, radius_px: float, line: int) -> dict[str, float]:
    """Return REC, DET, LAM and CORM of one path, in pixels."""
    from eyefeatures.features.measures import RQAMeasures
    from scipy.spatial.distance import euclidean

    frame = pd.DataFrame({"x": track.x, "y": track.y})
    settings = {"metric": euclidean, "rho": radius_px, "min_length": line}
    names = ["rec", "det", "lam", "corm"]
    transformer = RQAMeasures(x="x", y="y", measures=names, **settings)
    values = transformer.fit_transform(frame).to_numpy().ravel()
    return dict(zip(names, map(float, values), strict=True))


def scanmatch(a: Any, b: Any, grid: tuple[int, int], threshold: float = 3.5) -> float:
    """Return Biopython's alignment by the substitutions and the scale of the ScanMatch toolbox."""
    from Bio.Align import PairwiseAligner

    rows, columns = np.divmod(np.arange(grid[0] * grid[1]), grid[0])
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    aligner = PairwiseAligner(mode="global", gap_score=0.0)
    aligner.substitution_matrix = np.abs(apart - apart.max()) - (apart.max() - threshold)
    score = aligner.score(a.astype(np.int32), b.astype(np.int32))
    return score / (threshold * max(len(a), len(b)))


def pysaliency() -> Any:
    """Return pysaliency without its networks: its own import needs torch."""
    if not hasattr(np, "trapz"):  # NumPy 2.4 has it under its other name alone
        setattr(np, "trapz", np.trapezoid)  # noqa: B010 - by a name that ruff would modernise
    if "pysaliency" not in sys.modules:
        package = types.ModuleType("pysaliency")
        package.__spec__ = find_spec("pysaliency")
        package.__path__ = list(package.__spec__.submodule_search_locations)
        sys.modules["pysaliency"] = package
    import pysaliency.datasets
    import pysaliency.metrics
    import pysaliency.models
    import pysaliency.roc
    import pysaliency.saliency_map_models

    return pysaliency
