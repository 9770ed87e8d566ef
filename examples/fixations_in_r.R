# A fixation table in R: its origin, its units, and dwell by stimulus.
#
#     Rscript fixations_in_r.R raw.fixations.parquet
#
# It needs the packages arrow and jsonlite.

library(arrow)

path <- commandArgs(trailingOnly = TRUE)[1]
table <- read_parquet(path, as_data_frame = FALSE)

# What the recording, screen and detector were is one JSON text; units are in the columns' names.
facts <- jsonlite::fromJSON(table$metadata$gazetrack)
message(sprintf("screen: %d x %d px", facts$screen$width_px, facts$screen$height_px))

# Missing numbers are NaN, which R leaves out as it does NA: mean(x, na.rm = TRUE).
fixations <- as.data.frame(table)
message(sprintf("mean amplitude: %.3f deg", mean(fixations$amplitude_deg, na.rm = TRUE)))

dwell <- aggregate(duration_ms ~ stimulus, data = fixations, FUN = sum)
write.csv(dwell, row.names = FALSE)
