"""Made-up looks at areas of interest, as `gazetrack.aoi_looks` gives them."""

from __future__ import annotations

import pandas as pd

from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.looks import LOOKS
from tests.figure_cases import spread


def looks(n_people=12, n_trials=2, trial_ms=4000.0):
    """Experts look at the lesion early, novices late."""
    rows = []
    for person in range(n_people):
        group = "expert" if person % 2 else "novice"
        for trial in range(n_trials):
            lasts = 180 + 260 * spread(40, 0.1 * person + 0.37 * trial)
            chance = spread(40, 0.77 * person + 0.13 * trial)
            t = 0.0
            for number in range(40):
                if t >= trial_ms:
                    break
                early = group == "expert" and 900 < t < 2600
                pull = 0.7 if early else 0.25 + 0.15 * (t > 2500)
                areas = ["lesion"] if chance[number] < pull else [OUTSIDE]
                if pull <= chance[number] < pull + 0.25:
                    areas = ["fold"] if number % 5 else ["fold", "lesion"]
                end = min(t + lasts[number], trial_ms)
                key = (f"r{person}", f"p{person}", str(trial), "a.png", trial_ms)
                rows += [(*key, area, number, t, end, group) for area in areas]
                t += lasts[number] + 40
    return pd.DataFrame(rows, columns=[*LOOKS, "group"])
