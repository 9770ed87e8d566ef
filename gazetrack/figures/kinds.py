"""What can be drawn, by name: for whoever has only to offer the choice.

Nothing heavy is imported here, so that the help of a command can say what there is.
"""

from __future__ import annotations

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")
# What other programs call pictures: no folder is meant by such a name.
OTHER_PICTURE_SUFFIXES = (
    *(".gif", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".avif", ".heic"),
    *(".eps", ".ps", ".emf", ".wmf", ".pgf", ".svgz", ".html"),
)
DEFAULT_FIGURE = "maps"
# One figure per track: an observer on an image in a trial.
OF_TRACKS = {
    "maps": "the scanpath, and the levels of its maps beside it",
    "scanpath": "one scanpath on its image, with areas of interest where they are given",
}
# One figure per image, of all who looked at it.
OF_IMAGES = {"heatmap": "where everybody looked on an image, and how long"}
# One figure per image, of its areas of interest.
OF_AREAS = {
    "aois": "the areas of interest of an image, in the colour of how long they were looked at",
    "scarf": "which area of interest was looked at when, a band per trial",
    "transitions": "how often gaze went from each area of interest to each other one",
}
# One figure per table.
OF_TABLES = {"durations": "how long fixations last"}
# Of exports, not of tables: they need samples or movements.
OF_RECORDINGS = {
    "time-series": "gaze over time, with fixations, saccades and blinks shaded",
    "pupil": "size of the pupil over time, as exported and after all steps",
    "main-sequence": "peak velocity of saccades over their amplitude",
}
FIGURES = OF_TRACKS | OF_IMAGES | OF_AREAS | OF_TABLES | OF_RECORDINGS
