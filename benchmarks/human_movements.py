"""How well saccades, glissades and smooth pursuit agree with those of human coders, and they.

    python benchmarks/human_movements.py FOLDER [--json]

FOLDER holds the recordings of Lund (Larsson, Nyström & Stridh 2013; Andersson et al. 2017) as one
Parquet table. Of each kind and group of stimuli: F1 of events matched one to one by their overlap
in time, averaged over recordings and coders, for every detector that tells the kind; and of the
coders among each other.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from human_agreement import LUND_PX_PER_DEG, in_ms

from gazetrack.events.agreement import Intervals, event_agreement, intervals_of
from gazetrack.events.base import Trial
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.saccades import unbroken

KINDS = {"saccade": "saccade", "pso": "pso", "smooth_pursuit": "pursuit"}
LASTING = ("fixation", "smooth_pursuit")


def recordings(data):
    """Yield (group, trial, labels of each coder) of every recording."""
    frame = pd.read_parquet(data / "lund2013_samples.parquet")
    for (group, _), rows in frame.groupby(["stimulus_type", "recording"]):
        coders = [part for _, part in rows.groupby("coder")]
        n = min(map(len, coders))
        first = coders[0].iloc[:n]
        missing = (first["x_px"] == 0) & (first["y_px"] == 0)
        x, y = (np.where(missing, np.nan, first[name]).astype(float) for name in ("x_px", "y_px"))
        trial = Trial(first["time"].to_numpy(float), x, y, LUND_PX_PER_DEG)
        yield group, trial, [part["label"].to_numpy()[:n] for part in coders]


def scores(data):
    """Return a row per group, kind and detector; ``human`` is the coders among each other."""
    rows = []
    for group, trial, labels in recordings(data):
        found = {name: kind().movements(trial) for name, kind in DETECTORS.items()}
        for kind, label in KINDS.items():
            coded = [in_ms(trial, intervals_of(own == label)) for own in labels]
            if not any(len(own.starts) for own in coded):
                continue
            for a, b in itertools.combinations(coded, 2):
                rows.append((group, kind, "human", event_agreement(a, b).f1))
            for name, movements in found.items():
                if kind not in movements:
                    continue
                runs = movements[kind]
                if kind not in LASTING:
                    runs = unbroken(trial, runs)
                ours = in_ms(trial, Intervals(*runs))
                f1 = np.mean([event_agreement(own, ours).f1 for own in coded])
                rows.append((group, kind, name, f1))
    return pd.DataFrame(rows, columns=["group", "kind", "detector", "F1"])


if __name__ == "__main__":
    table = scores(Path(sys.argv[1]))
    if "--json" in sys.argv:
        means = table.groupby(["kind", "detector", "group"])["F1"].mean().reset_index()
        print(json.dumps(means.to_dict("records")))
    else:
        mean = table.pivot_table("F1", ["kind", "detector"], "group")
        print(mean.round(3).to_string())
