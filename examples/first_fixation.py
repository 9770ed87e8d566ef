"""Where the eye lands first, and when: one row an image and eye, from the fixation tables of the folder."""

from pathlib import Path

import pandas as pd

fixations = pd.concat(pd.read_parquet(path) for path in sorted(Path().glob("*.fixations.parquet")))
ordered = fixations.sort_values(["recording", "stimulus", "eye", "onset_ms"])
first = ordered.groupby(["recording", "stimulus", "eye"], observed=True).first()
first["x_share"] = first["x_px"] / first["image_width_px"]
first["y_share"] = first["y_px"] / first["image_height_px"]
print(first[["onset_ms", "duration_ms", "x_share", "y_share"]].round(3).to_string())
