"""The eyes: which there are, where their gaze stands, and which a table may be asked to hold.

`gazetrack.tables.selection` chooses them.
"""

from __future__ import annotations

# Of each recording the eye with more fixation time, always one and the same, or a row of each eye.
EYE_CHOICES = ("auto", "left", "right", "both")
DEFAULT_EYE = "auto"

EYES = ("left", "right")
# The columns of a table of samples that hold the gaze of either eye, and of both combined.
GAZE_COLUMNS = {
    "left": ("left_x_px", "left_y_px"),
    "right": ("right_x_px", "right_y_px"),
    "both": ("x_px", "y_px"),
}
