"""The page of public data sets, made from their layouts."""

from __future__ import annotations

from textwrap import fill

from gazetrack.readers.layouts.known import LAYOUTS

_SETTINGS = {"unit", "y_axis"}


def prose(text):
    return fill(
        " ".join(text.split()), 112, break_on_hyphens=False, break_long_words=False
    ).splitlines()


def datasets_page():
    lines = [
        "# Public data sets",
        "",
        *prose(
            """Tables of public data sets say neither units nor screen, and often not even what
            their columns are. Their layouts are known here by name:"""
        ),
        "",
        "```console",
        "gazetrack convert S_1001_S1_TEX.csv                    # GazeBase: known by its columns",
        "gazetrack convert --layout potec reader0_b0_raw_data.tsv   # PoTeC: named",
        "```",
        "",
        *prose(
            """A table whose header no other table has is recognised by itself; of the others, whose
            columns could be anybody's, the layout is named with `--layout` (or `--format`, which is
            the same; in Python, `gazetrack.read(path, format="potec")`). A layout brings the
            screen, the rate, the tracker, and where file names tell it, the participant. A file
            whose columns or whose steps in time are not those of its layout is refused;
            `--screen` wins over the screen of the study. What is taken
            from a second source, or was inferred, stands in the notes of every file that is
            read, after `unsure:`, and below."""
        ),
        "",
        *prose(
            """Columns, screens and rates are those that pymovements 0.28 states of these data sets,
            held against what their makers write where that could be found. Each layout with columns
            is tested against pymovements on made-up files with the same columns; no file of a data
            set itself was at hand. Where both disagree, it says so below."""
        ),
        "",
        "This page is made from the layouts: `python -m tests.pages`.",
        "",
        "## Layouts",
        "",
        "| `--layout` | data set | recognised | Hz | screen, px | screen, cm | eyes away, cm |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [row_of(layout) for layout in LAYOUTS.values()]
    for layout in LAYOUTS.values():
        lines += ["", f"### `{layout.name}`", "", f"{layout.title}.", "", *facts_of(layout)]
    return "\n".join(lines) + "\n"


def row_of(layout):
    screen = layout.screen
    px = f"{screen.width_px} x {screen.height_px}" if screen else ""
    cm = (
        f"{screen.width_mm / 10:g} x {screen.height_mm / 10:g}"
        if screen and screen.width_mm
        else ""
    )
    far = f"{screen.distance_mm / 10:g}" if screen and screen.distance_mm else ""
    rate = f"{layout.rate_hz:g}" if layout.rate_hz else ""
    known = "without its screen" if layout.reader else "yes" if layout.mark else "no"
    return f"| `{layout.name}` | {layout.title} | {known} | {rate} | {px} | {cm} | {far} |"


def facts_of(layout):
    if layout.reader:
        yield f"- Read by: `{layout.reader}`"
    else:
        columns = {key: name for key, name in layout.columns.items() if key not in _SETTINGS}
        yield "- Columns: " + ", ".join(f"{key} `{name}`" for key, name in columns.items())
        yield f"- Positions: {positions_of(layout)}"
        yield f"- Missing gaze: {layout.missing}"
    if layout.tracker:
        yield f"- Tracker: {layout.tracker}"
    for note in layout.notes:
        yield f"- Note: {note}"
    for text in layout.unsure:
        yield f"- Unsure: {text}"


def positions_of(layout):
    unit = layout.columns.get("unit", "px")
    if unit == "deg":
        where = "from straight ahead" if layout.directions else "from the centre of the screen"
        return f"degrees {where}, y {layout.columns['y_axis']}wards"
    return (
        "fractions of the screen, from the top left" if unit == "norm" else "px, from the top left"
    )
