"""Who looked how long at which image: plain pandas on the tables that gazetrack convert writes.

Run it in a folder with *.fixations.parquet files. A table holds one eye, unless it was made with
--eye both: then either eye has rows of its own, and their dwell is of the same time.
"""

import pandas as pd

import gazetrack

# One table a recording: those of other detectors beside it, *.auto.fixations.parquet, are of the
# same looks.
fixations = pd.concat(map(pd.read_parquet, gazetrack.find_tables().paths))
per_image = fixations.groupby(["recording", "stimulus", "eye"], observed=True).agg(
    fixations=("duration_ms", "size"),
    dwell_s=("duration_ms", lambda ms: ms.sum() / 1000),
    median_ms=("duration_ms", "median"),
)
print(per_image.round(2).to_string())
