"""The page of figures, made from what there is to draw."""

from __future__ import annotations

import inspect
import textwrap

from gazetrack.figures import kinds

INTRODUCTION = """`gazetrack plot --what NAME` draws each of these but `time-course`, which is
drawn in Python only; `-o FILE.svg` (or `.png`, `.pdf`) writes one, `-o FOLDER --file-type svg`
many. In Python each is a function that returns a
matplotlib `Figure`, which pyplot does not know: a notebook shows it, `figure.savefig` writes it,
and `figure.axes` can be changed first. Order and amounts are shown in viridis and magma, in which
equal steps look equal; groups in the colours of Okabe and Ito, which are told apart with any of
the common colour deficiencies. All data on this page are made up by formulas."""

FUNCTIONS = {
    "maps": "plot_track",
    "scanpath": "plot_scanpath",
    "heatmap": "plot_heatmap",
    "aois": "plot_aois",
    "scarf": "plot_scarf",
    "transitions": "plot_transitions",
    "time-course": "plot_time_course",
    "durations": "plot_durations",
    "time-series": "plot_time_series",
    "pupil": "plot_pupil",
    "main-sequence": "plot_main_sequence",
}
COMMANDS = {
    "maps": "gazetrack plot --levels 4",
    "scanpath": "gazetrack plot --what scanpath --images images --aois aois.json -o scanpaths",
    "heatmap": "gazetrack plot --what heatmap --images images",
    "aois": "gazetrack plot --what aois --aois aois.json --images images",
    "scarf": "gazetrack plot --what scarf --aois aois.json",
    "transitions": "gazetrack plot --what transitions --aois aois.json",
    "durations": "gazetrack plot one.fixations.parquet --what durations -o durations.svg",
    "time-series": "gazetrack plot raw.tsv --what time-series --seconds 6",
    "pupil": "gazetrack plot raw.asc --what pupil --seconds 8",
    "main-sequence": "gazetrack plot raw.asc --what main-sequence -o main-sequence.pdf",
}


def figures_page():
    """Return the page: of each figure its picture, command, function and first words."""
    import gazetrack

    lines = ["# Figures", "", *textwrap.wrap(" ".join(INTRODUCTION.split()), 110), ""]
    lines += ["This page is made from the functions: `python -m tests.pages`; its pictures by"]
    lines += ["`python -m tests.figure_cases`."]
    for name, function in FUNCTIONS.items():
        text = inspect.getdoc(getattr(gazetrack, function))
        about = text.partition("\nParameters\n---")[0].strip()
        command = COMMANDS.get(name)
        reached = f"`gazetrack.{function}`"
        where = "In Python" if command else "In Python only"
        lines += ["", f"## `{name}`", ""]
        lines += [f"![{name}](figures/{name}.png)", "", about, "", f"{where}: {reached}."]
        if command:
            lines += ["", "```console", command, "```"]
    assert set(kinds.FIGURES) <= set(FUNCTIONS), "name its function"
    return "\n".join(lines) + "\n"
