# %% [markdown]
# # Dwell per area of interest, with a mixed model
#
# Do experts look longer at the lesion than novices? Every reader saw every image. Trials of one
# reader are alike, so the model has a random intercept for each reader; the images are the same
# for everybody, so they are fixed effects. It needs statsmodels:
# `pip install "gazetrack[examples]"`.

# %%
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

import gazetrack

study = gazetrack.write_study("dwell-study", n_readers=12, n_images=6)
gazetrack.convert(study.exports, out=study.folder / "tables")
readers = pd.read_csv(study.readers)

# %% [markdown]
# The masks of the lesions are the areas of interest. A row per trial and area says what was done;
# trials in which nobody looked at the area are rows, too, with a dwell of 0.

# %%
measures = gazetrack.measure_aois(study.folder / "tables", study.folder / "masks")
trials = measures.astype({"recording": "str", "stimulus": "str"}).merge(readers, on="recording")
share = trials["dwell_share_of_fixation_time"]
print(trials.groupby("group")["dwell_share_of_fixation_time"].describe().round(3).to_string())

# %% [markdown]
# A share lies between 0 and 1; its logit, the logarithm of dwell on the lesion over dwell beside
# it, has no such borders. Half of the shortest dwell is added on both sides, so that 0 and 1 have
# one, too.

# %%
least = share[share > 0].min() / 2
trials["logit"] = np.log((share + least) / (1 - share + least))
formula = "logit ~ C(group, Treatment('novice')) + C(stimulus)"
fitted = smf.mixedlm(formula, trials, groups="recording").fit(reml=True)
effect = fitted.params.filter(like="expert").iloc[0]
low, high = fitted.conf_int().filter(like="expert", axis=0).iloc[0]
p = fitted.pvalues.filter(like="expert").iloc[0]
print(f"experts: {effect:+.2f} logits, 95 % interval {low:.2f} to {high:.2f}, p = {p:.2g}")
print(f"odds of looking at the lesion: {np.exp(effect):.1f} times those of novices")

# %% [markdown]
# The areas in the colour of their dwell, as every reader saw the first image:

# %%
aois = gazetrack.read_aois(study.folder / "masks")
image = study.folder / "images" / "lesion-001.png"
figure = gazetrack.plot_aois(measures, aois, image, stimulus="lesion-001.png")
figure  # noqa: B018 - a notebook shows it
