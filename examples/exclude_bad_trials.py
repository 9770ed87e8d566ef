# %% [markdown]
# # Exclude bad trials by their quality
#
# Which trials are good enough is decided before looking at results, by rules that are written
# down: here, at most 20 % of the samples lost, and a precision better than 0.5 degrees. What is
# excluded is counted, by reason, for the methods section.

# %%
import pandas as pd

import gazetrack

MOST_LOSS = 0.2
MOST_RMS_DEG = 0.5
FEWEST_TRIALS = 4

# Degrees need the physical size of the screen and how far away it was, in millimetres.
SCREEN = gazetrack.Screen(1280, 1024, 376, 301, 600)

study = gazetrack.write_study("bad-trials", n_readers=6, n_images=5, seed=2)

# %%
reports = [gazetrack.quality(export, by="trial", screen=SCREEN) for export in study.exports]
quality = pd.concat(reports, ignore_index=True)
print(quality[["loss", "longest_gap_ms", "window_rms_s2s_deg"]].describe().round(3).to_string())

# %% [markdown]
# A trial may break several rules; each is a column, so that nobody has to guess later why a trial
# is not there.

# %%
trial = ["recording", "trial", "stimulus"]
rules = pd.DataFrame(
    {
        "too much loss": quality["loss"] > MOST_LOSS,
        "too imprecise": ~(quality["window_rms_s2s_deg"] <= MOST_RMS_DEG),
    }
)
quality["is_good"] = ~rules.any(axis=1)
print(rules.sum().rename("trials").to_string())
print(f"{quality['is_good'].sum()} of {len(quality)} trials are kept")

# %% [markdown]
# Readers with too few trials left are excluded as a whole: a mean of two trials says little.

# %%
per_reader = quality.groupby("recording", observed=True)["is_good"].agg(["sum", "size"])
left_out = per_reader.index[per_reader["sum"] < FEWEST_TRIALS].tolist()
print(per_reader.rename(columns={"sum": "good", "size": "all"}).to_string())
print("left out:", ", ".join(left_out) or "nobody")

# %% [markdown]
# The analysis starts from the fixations of what is left.

# %%
gazetrack.convert(study.exports, out=study.folder / "tables")
paths = gazetrack.find_tables(study.folder / "tables").paths
fixations = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
texts = dict.fromkeys(trial, "str")
good = quality[quality["is_good"] & ~quality["recording"].isin(left_out)]
kept = fixations.astype(texts).merge(good[trial].astype(texts), on=trial, validate="many_to_one")
kept.to_parquet(study.folder / "good-trials.parquet")
print(f"{len(kept)} of {len(fixations)} fixations are in the analysis")
