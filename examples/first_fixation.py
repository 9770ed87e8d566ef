"""Where the eye lands first, and when.

It prints a row for each image and eye, from the fixation tables of the folder.
"""

import pandas as pd

import gazetrack

# One table a recording: those of other detectors beside it, *.auto.fixations.parquet, are of the
# same looks.
fixations = pd.concat(map(pd.read_parquet, gazetrack.find_tables().paths))
ordered = fixations.sort_values(["recording", "stimulus", "eye", "onset_ms"])
first = ordered.groupby(["recording", "stimulus", "eye"], observed=True).first()
first["x_share"] = first["x_px"] / first["image_width_px"]
first["y_share"] = first["y_px"] / first["image_height_px"]
print(first[["onset_ms", "duration_ms", "x_share", "y_share"]].round(3).to_string())
