# %% [markdown]
# # A tour: from a raw export to a map and measures
#
# One export of an eye tracker becomes a table of fixations, a map of where somebody looked, and
# numbers about it. The data are simulated, so that this notebook runs anywhere, in seconds:
# two readers look at images with a lesion each. With your own export, change the path.

# %%
import pandas as pd

import gazetrack

example = gazetrack.write_example("tour", n_images=6, size=(120, 144), seed=3)
export, images, masks = example.exports[0], example.folder / "images", example.folder / "masks"
print(*export.read_text("utf-8").splitlines()[8:14], sep="\n")

# %% [markdown]
# ## What is this file?
#
# The format is found by content, whatever the file is called, with the reason.

# %%
found = gazetrack.info(export)
print(found["format"], "-", found["reason"])

# %% [markdown]
# ## Read it
#
# Samples and events are pandas tables: times in milliseconds, positions in pixels of the screen,
# and missing gaze is NaN.

# %%
recording = gazetrack.read(export)
print(recording)
print(recording.samples[["stimulus", "t_ms", "x_px", "y_px"]].head(4).to_string(index=False))

# %% [markdown]
# ## What are the data worth?
#
# Before any result: how much is lost, how precise is it? By trial, so that bad ones can be left
# out by a rule that was written down first.

# %%
quality = gazetrack.quality(recording, by="trial")
print(quality[["stimulus", "loss", "window_rms_s2s_px"]].round(3).to_string(index=False))

# %% [markdown]
# ## Fixations
#
# The export has the tracker's own; here they are looked for in the samples, and compared with
# these. The table's metadata say which detector it was, with every parameter.

# %%
fixations = gazetrack.detect_fixations(recording)
own = gazetrack.exported_fixations(recording)
print(len(fixations), "detected,", len(own), "of the tracker's own")
print(gazetrack.compare(own, fixations))
columns = ["onset_ms", "duration_ms", "x_px", "y_px"]
print(fixations[columns].head(4).round(1).to_string(index=False))

# %% [markdown]
# ## A track and its maps
#
# The fixations on one image, in order, are a track. Level 4 is the map of all of it; level 1 of its
# last quarter, where a reader has found what there is.

# %%
track = gazetrack.tracks(fixations, images=images)[0]
maps = gazetrack.render_maps(track, gazetrack.MapParams(levels=4))
levels = maps.values  # noqa: PD011 - an array (levels, height, width)
print(track)
print(levels.shape, f"{(levels[-1] >= 0.5).mean():.1%} of the image inside the border")
figure = gazetrack.plot_track(track, images / track.stimulus, maps)
figure.set_size_inches(0.6 * figure.get_size_inches())
figure  # noqa: B018 - a notebook shows it

# %% [markdown]
# ## Measures
#
# How long did the reader look at the lesion, and when first? Areas of interest come from masks
# here; files of areas and shapes work as well.

# %%
lesions = gazetrack.read_aois(masks, name="lesion")
looks = gazetrack.measure_aois(fixations, lesions)
shown = ["stimulus", "fixations", "dwell_share_of_fixation_time", "time_to_first_fixation_ms"]
print(looks[shown].round(2).to_string(index=False))

# %% [markdown]
# ## Keep it
#
# Tables are plain Parquet that any program reads; units are in the names of the columns. The
# command for a folder of exports is `gazetrack convert FOLDER`, and the function the same.

# %%
(outcome,) = gazetrack.convert([export], out=example.folder / "tables")
table = pd.read_parquet(example.folder / "tables" / "reader-1.fixations.parquet")
print(f"{outcome.rows_out} rows written, {len(table)} read; dropped: {outcome.dropped or 'none'}")
