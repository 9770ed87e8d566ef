# %% [markdown]
# # Experts and novices by their scanpaths
#
# Are the scanpaths of experts more like each other than like those of novices? Every pair of
# readers is compared on every image, and the labels of the readers are shuffled to learn how large
# a difference chance makes. Then: when do they look at the lesion?

# %%
import numpy as np
import pandas as pd

import gazetrack

N_SHUFFLES = 999

study = gazetrack.write_study("experts-study", n_readers=10, n_images=3)
gazetrack.convert(study.exports, out=study.folder / "tables")
readers = pd.read_csv(study.readers).set_index("recording")["group"]

# %% [markdown]
# EyeAnalysis (Mathôt et al. 2012): the distance of every fixation from the nearest of the other
# scanpath, so that scanpaths of different lengths can be compared. Small is alike.

# %%
pairs = gazetrack.compare_scanpaths(study.folder / "tables", ["eyenalysis"])
distance = pairs.groupby(["recording_a", "recording_b"], observed=True)["value"].mean()
print(distance.describe().round(1).to_string())

# %%
names = readers.index.to_numpy()
place = {name: number for number, name in enumerate(names)}
first = np.array([place[str(name)] for name in distance.index.get_level_values(0)])
second = np.array([place[str(name)] for name in distance.index.get_level_values(1)])


def difference(is_expert: np.ndarray) -> float:
    """Return how much farther pairs across the groups are apart than pairs of experts."""
    both = is_expert[first] & is_expert[second]
    across = is_expert[first] ^ is_expert[second]
    values = distance.to_numpy()
    return float(values[across].mean() - values[both].mean())


is_expert = (readers == "expert").to_numpy()
observed = difference(is_expert)
rng = np.random.default_rng(0)
shuffled = np.array([difference(rng.permutation(is_expert)) for _ in range(N_SHUFFLES)])
p = (1 + np.sum(shuffled >= observed)) / (1 + N_SHUFFLES)
(unit,) = pairs["unit"].unique()
print(f"across the groups: {observed:.1f} {unit} farther apart than experts, p = {p:.3f}")

# %% [markdown]
# Proportions of looks at the lesion over time, and a cluster-based permutation test of where the
# groups differ (Maris & Oostenveld 2007). The denominator is the time in which anything was
# fixated; the reader is what is exchangeable.

# %%
looks = gazetrack.aoi_looks(study.folder / "tables", study.folder / "masks")
courses = gazetrack.time_courses(looks, gazetrack.TimeCourseOptions(bin_ms=200, end_ms=5000))
courses["group"] = courses["recording"].astype("str").map(readers)
(area,) = courses["aoi"].unique()
test = gazetrack.cluster_permutation(courses, "group", area, unit="recording")
print(test.clusters.round(3).to_string(index=False))

# %%
figure = gazetrack.plot_time_course(test, title="looks at the lesion")
figure  # noqa: B018 - a notebook shows it
