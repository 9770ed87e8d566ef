# %% [markdown]
# # Convert a study
#
# A folder of exports becomes a folder of tables, all of the same columns and units, whatever
# software wrote the exports. What cannot be read is named, with the reason, and stops nothing.

# %%
import pandas as pd

import gazetrack

# A simulated study; put the folder of your own exports in its place.
study = gazetrack.write_study("convert-study", n_readers=4, n_images=4)
exports = study.folder / "exports"
(exports / "notes.asc").write_text("calibration repeated after lunch\n")

# %% [markdown]
# One call reads all of them; each has an outcome. With `errors="report"` a file that fails is
# reported like the others; without it, its error is raised when all are done. `jobs=4` converts on
# four processes, to the same bytes.

# %%
outcomes = gazetrack.convert(exports, out=study.folder / "tables", errors="report")
report = pd.DataFrame(
    {
        "file": [outcome.file.rpartition("/")[2] for outcome in outcomes],
        "status": [outcome.status for outcome in outcomes],
        "format": [outcome.format for outcome in outcomes],
        "rows read": [outcome.rows_in for outcome in outcomes],
        "fixations": [outcome.rows_out for outcome in outcomes],
    }
)
print(report.to_string(index=False))

# %% [markdown]
# The tables are plain Parquet: `find_tables` names them, one a recording, and pandas reads them.
# A check that costs nothing: every reader has seen every image.

# %%
paths = gazetrack.find_tables(study.folder / "tables").paths
fixations = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
seen = fixations.pivot_table(
    index="recording", columns="stimulus", values="duration_ms", aggfunc="size", observed=True
)
assert seen.notna().all().all(), "somebody did not look at an image"
print(seen.to_string())

# %% [markdown]
# How long fixations last is the first thing to look at: medians of 200 to 350 ms are usual for
# looking at images.

# %%
figure = gazetrack.plot_durations(fixations, by="recording")
figure  # noqa: B018 - a notebook shows it
