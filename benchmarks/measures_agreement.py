"""Our measures beside each published implementation's on the same input: the largest difference.

Usage: python benchmarks/measures_agreement.py [--pairs 60] [--multimatch-data DIR] [--json FILE]
       [--golden FILE]

Others take part where they are installed: multimatch_gaze, EyeFeatures, similaritymeasures,
Biopython, rapidfuzz, SciPy, pysaliency. A difference of more than 1e-6 ends with exit code 1. What
another package defines otherwise is named beside the rank correlation of both over all pairs.

--multimatch-data DIR: fixations of multimatch_gaze's own tests (``segment_*_sub-*.tsv`` of its
repository). --golden FILE: write the scores of pysaliency, as the tests read them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import _peers_measures as peers  # noqa: E402
import numpy as np  # noqa: E402
from _timing import save, where_and_when  # noqa: E402
from scipy.spatial.distance import directed_hausdorff  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

from gazetrack.maps.track import Track  # noqa: E402
from gazetrack.measures import distances, saliency  # noqa: E402
from gazetrack.measures.multimatch import MultiMatch, multimatch  # noqa: E402
from gazetrack.measures.recurrence import recurrence  # noqa: E402
from gazetrack.measures.regions import grid_word, levenshtein, scanmatch  # noqa: E402
from tests.measures.saliency_inputs import SIGMA_PX, study  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 1e-6
GRID = (12, 8)
# EyeFeatures adds 1e-7 to the number of recurrences, which are few.
MOST_OF = {("EyeFeatures", "recurrence"): 1e-4, ("EyeFeatures", "corm"): 1e-4}
SIDE = 1000.0
RADIUS_PX, LINE = 120.0, 2
# The thresholds of multimatch_gaze's own tests, and of its README.
LIMITS = ((0.0, 0.0, 0.0), (146.8, 45.0, 300.0), (100.0, 30.0, 200.0), (0.0, 90.0, 400.0))


@dataclass
class Found:
    """Values of ours and of another package, by who and what."""

    equal: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    other: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, who: str, what: str, ours: float, theirs: float, *, same: bool = True) -> None:
        """Keep two values, which are the same or only meant alike."""
        place = self.equal if same else self.other
        place.setdefault((who, what), []).append((float(ours), float(theirs)))


def track(x: Any, y: Any, lasting: Any, size: tuple[float, float] = (SIDE, SIDE)) -> Track:
    names = {"recording": "", "trial": "", "stimulus": "s", "width": size[0], "height": size[1]}
    columns = {"x": x, "y": y, "duration_ms": lasting}
    return Track(**names, **{name: np.array(values, float) for name, values in columns.items()})


def simulated(n_pairs: int) -> list[tuple[Track, Track]]:
    """Return random scanpaths, half of them in whole pixels, some near each other."""
    random = np.random.default_rng(2012)
    found = []
    for number in range(n_pairs):
        n, m = random.integers(5, 40, 2)
        places = random.uniform(0, SIDE, (2, n))
        others = random.uniform(0, SIDE, (2, m))
        if number % 3 == 0:
            m = n
            others = np.clip(places + random.normal(0, 60, (2, n)), 0, SIDE)
        if number % 2:
            places, others = np.round(places), np.round(others)
        lasting = random.uniform(60, 600, n), random.uniform(60, 600, m)
        found.append((track(*places, lasting[0]), track(*others, lasting[1])))
    return found


def of_multimatch(pairs: Iterable[tuple[Track, Track]], found: Found, what: str) -> None:
    for (a, b), limits in itertools.product(pairs, LIMITS):
        names = dict(zip(("amplitude_px", "direction_deg", "duration_ms"), limits, strict=True))
        try:
            theirs = peers.multimatch_gaze(a, b, limits)
        except (IndexError, ValueError) as error:
            name = f"multimatch_gaze ends with {type(error).__name__}"
            found.failed[name] = found.failed.get(name, 0) + 1
            continue
        ours = multimatch(a, b, **names)
        for name, mine, its in zip(MultiMatch._fields, ours, theirs, strict=True):
            found.add("multimatch_gaze", f"{what}: {name}", mine, its)


def own_data(folder: Path) -> list[tuple[Track, Track]]:
    """Return every pair of the fixations in multimatch_gaze's test data, in milliseconds."""
    read = []
    for path in sorted(folder.glob("segment_*.tsv")):
        x, y, seconds = np.loadtxt(path, skiprows=1).T
        read.append(track(x, y, seconds * 1000, (1280.0, 720.0)))
    return list(itertools.combinations(read, 2))


def of_distances(a: Track, b: Track, found: Found, installed: set[str]) -> None:
    p, q = (np.column_stack([t.x, t.y]) for t in (a, b))
    both_ways = max(directed_hausdorff(p, q)[0], directed_hausdorff(q, p)[0])
    found.add("SciPy", "hausdorff", distances.hausdorff(p, q), both_ways)
    if "rapidfuzz" in installed:
        from rapidfuzz.distance import Levenshtein

        words = [grid_word(t, GRID) for t in (a, b)]
        # Of its texts, in place of its lists.
        texts = ["".join(chr(48 + cell) for cell in word) for word in words]
        found.add("rapidfuzz", "levenshtein", levenshtein(*words)[0], Levenshtein.distance(*texts))
        similarity = Levenshtein.normalized_similarity(*texts)
        found.add("rapidfuzz", "levenshtein similarity", levenshtein(*words)[1], similarity)
    if "similaritymeasures" in installed:
        import similaritymeasures

        found.add(
            "similaritymeasures", "dtw", distances.dtw(p, q)[0], similaritymeasures.dtw(p, q)[0]
        )
        leash = similaritymeasures.frechet_dist(p, q)
        found.add("similaritymeasures", "frechet", distances.frechet(p, q), leash)
    if "Bio" in installed:
        words = [grid_word(t, GRID, 50.0) for t in (a, b)]
        found.add("Biopython", "scanmatch", scanmatch(*words, GRID), peers.scanmatch(*words, GRID))
    if "eyefeatures" in installed:
        of_eyefeatures(a, b, found)


def of_eyefeatures(a: Track, b: Track, found: Found) -> None:
    """Compare on the unit square, where EyeFeatures works; it has squares of some distances."""
    who = "EyeFeatures"
    p, q = (np.column_stack([t.x, t.y]) / SIDE for t in (a, b))
    root = math.sqrt
    found.add(who, "hausdorff", distances.hausdorff(p, q), peers.eyefeatures("hau", a, b))
    found.add(
        who, "frechet, root of its", distances.frechet(p, q), root(peers.eyefeatures("dfr", a, b))
    )
    found.add(
        who,
        "mannan, root of its",
        distances.mannan(p, q, 1, 1),
        root(peers.eyefeatures("man", a, b)),
    )
    theirs = dict(zip(MultiMatch._fields, peers.eyefeatures("mm_features", a, b), strict=True))
    ours = multimatch(a, b)._asdict()
    for name, value in theirs.items():
        # Its differences of directions do not go around the circle.
        found.add(who, f"multimatch {name}", ours[name], value, same=name != "direction")
    for name, function in (("dtw", lambda: distances.dtw(p, q)[0]),):
        found.add(
            who, f"{name}: sums squares", function(), peers.eyefeatures(name, a, b), same=False
        )
    eye = peers.eyefeatures("eye", a, b)
    found.add(who, "eyenalysis: sums squares", distances.eyenalysis(p, q), eye, same=False)
    own = recurrence(np.column_stack([a.x, a.y]), RADIUS_PX, LINE)
    if own.recurrence > 0:
        its = peers.eyefeatures_recurrence(a, RADIUS_PX, LINE)
        found.add(who, "recurrence", own.recurrence, its["rec"])
        found.add(who, "corm", own.corm, its["corm"])
        for name, short in (("determinism", "det"), ("laminarity", "lam")):
            what = f"{name}: counts what follows a line"
            found.add(who, what, getattr(own, name), its[short], same=False)


def of_saliency(found: Found) -> dict[str, list[float]]:
    """Compare the scores of saliency maps; return those of pysaliency by score and image."""
    pysaliency = peers.pysaliency()
    maps, looked = study()
    metrics = pysaliency.metrics
    # It knows images by their bytes.
    pictures = [np.full((*m.shape, 3), k, np.uint8) for k, m in enumerate(maps)]
    stimuli = pysaliency.datasets.Stimuli(pictures)
    trains = [[list(where[axis]) for where in looked] for axis in (0, 1)]
    times = [list(range(len(where[0]))) for where in looked]
    fixations = pysaliency.datasets.FixationTrains.from_fixation_trains(
        *trains, times, list(range(len(maps))), [0] * len(maps)
    )

    class Given(pysaliency.saliency_map_models.SaliencyMapModel):
        def __init__(self) -> None:
            super().__init__(caching=False)

        def _saliency_map(self, stimulus: Any) -> Any:
            return maps[next(k for k, m in enumerate(maps) if m.shape == stimulus.shape[:2])]

    class Density(pysaliency.models.Model):
        def __init__(self, densities: list[Any]) -> None:
            super().__init__(caching=False)
            self.densities = densities

        def _log_density(self, stimulus: Any) -> Any:
            shapes = [one.shape for one in self.densities]
            return np.log(self.densities[shapes.index(stimulus.shape[:2])])

    raised = Density([saliency.density(m + 1) for m in maps])
    centred = Density([saliency.centre_bias(m.shape) for m in maps])
    golden: dict[str, list[float]] = {}
    blurred = pysaliency.saliency_map_models.FixationMap(stimuli, fixations, kernel_size=SIGMA_PX)
    everywhere = {
        which: Given().AUCs(stimuli, fixations, nonfixations=which)
        for which in ("uniform", "shuffled")
    }
    gains = raised.information_gains(stimuli, fixations, centred)
    for k, (given, (x, y)) in enumerate(zip(maps, looked, strict=True)):
        empirical = saliency.fixation_density(x, y, given.shape, SIGMA_PX)
        theirs = np.asarray(blurred.saliency_map(stimuli[k]))
        found.add("pysaliency", "fixation density", 0.0, np.abs(theirs - empirical).max())
        others = [n for n in range(len(maps)) if n != k]
        elsewhere = [
            np.concatenate([looked[n][axis] * size / maps[n].shape[1 - axis] for n in others])
            for axis, size in enumerate(given.shape[::-1])
        ]
        on_it = fixations.n == k
        draws = np.random.default_rng(0)
        values = saliency.at(given, x, y)
        borji = [
            pysaliency.roc.general_roc(
                values, given.ravel()[draws.integers(given.size, size=len(x))]
            )[0]
            for _ in range(100)
        ]
        at_fixations = saliency.at(given, *elsewhere)
        both = {
            "nss": (saliency.nss(given, x, y), metrics.NSS(given, x, y).mean()),
            "auc_judd": (saliency.auc_judd(given, x, y), everywhere["uniform"][on_it].mean()),
            "auc_borji": (saliency.auc_borji(given, x, y), np.mean(borji)),
            "auc_shuffled": (
                saliency.auc(values, at_fixations),
                everywhere["shuffled"][on_it].mean(),
            ),
            "kl": (saliency.kl(given, empirical), metrics.MIT_KLDiv(given, empirical)),
            "cc": (saliency.cc(given, empirical), metrics.CC(given, empirical)),
            "sim": (saliency.sim(given, empirical), metrics.SIM(given, empirical)),
            "information_gain": (
                saliency.information_gain(given + 1, saliency.centre_bias(given.shape), x, y),
                gains[on_it].mean(),
            ),
        }
        for name, (ours, its) in both.items():
            found.add("pysaliency", name, ours, its)
            golden.setdefault(name, []).append(float(its))
    return golden


def table(found: Found) -> tuple[list[dict[str, Any]], bool]:
    """Print both tables; return their rows, and whether all that is to be equal is."""
    rows = []
    print(f"\n{'other':20} {'measure':34} {'values':>7} {'largest difference':>19}")
    for (who, what), values in sorted(found.equal.items()):
        ours, theirs = np.array(values).T
        worst = float(np.nanmax(np.abs(ours - theirs)))
        agree = bool(
            worst <= MOST_OF.get((who, what), MOST) and (np.isnan(ours) == np.isnan(theirs)).all()
        )
        rows.append(
            {"other": who, "measure": what, "n": len(values), "difference": worst, "ok": agree}
        )
        print(f"{who:20} {what:34} {len(values):7} {worst:19.2e}{'' if agree else '  DIFFERS'}")
    print(f"\n{'defined otherwise':55} {'values':>7} {'rank correlation':>19}")
    for (who, what), values in sorted(found.other.items()):
        ours, theirs = np.array(values).T
        alike = float(spearmanr(ours, theirs, nan_policy="omit").statistic)
        rows.append({"other": who, "measure": what, "n": len(values), "rank_correlation": alike})
        print(f"{who:20} {what:34} {len(values):7} {alike:19.3f}")
    for name, count in found.failed.items():
        print(f"{name}: {count}")
    return rows, all(row.get("ok", True) for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--multimatch-data", type=Path)
    parser.add_argument("--json")
    parser.add_argument("--golden", type=Path)
    options = parser.parse_args()
    facts = where_and_when()
    names = {*peers.PACKAGES, "Bio", "rapidfuzz", "similaritymeasures"}
    installed = {name for name in names if find_spec(name)}
    print("installed:", ", ".join(sorted(installed)), "missing:", *sorted(names - installed))
    found = Found()
    pairs = simulated(options.pairs)
    for a, b in pairs:
        of_distances(a, b, found, installed)
    if "multimatch_gaze" in installed:
        of_multimatch(pairs, found, "simulated")
        if options.multimatch_data:
            of_multimatch(own_data(options.multimatch_data), found, "its own data")
    if "pysaliency" in installed:
        golden = {"pysaliency": version("pysaliency"), "scores": of_saliency(found)}
        if options.golden:
            options.golden.write_text(json.dumps(golden, indent=2) + "\n")
    rows, agree = table(found)
    packages = {
        name: version({"Bio": "biopython", **peers.PACKAGES}.get(name, name))
        for name in sorted(installed)
    }
    save(options.json, facts | {"packages": packages, "rows": rows, "failed": found.failed})
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
