"""The page of public data sets, made from their layouts."""

from __future__ import annotations

from textwrap import fill

from gazetrack.datasets.facts import positions_in_words
from gazetrack.datasets.known import DATASETS
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
        "This page is made from the layouts and data sets: `python -m tests.pages`.",
        "",
        *fetching(),
        "",
        *left_out(),
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


def left_out():
    yield "## Looked at, and left out"
    yield ""
    yield from prose(
        """Of what else pymovements lists: CoLAGaze, RaCCooNS and its toy data set of EyeLink
        publish EyeLink's own text, which needs no layout. GazeGraph has neither header
        nor times, and fractions of a plane that is not said. InteRead numbers resampled
        rows where its times are asked for. Mouse Cursor holds a cursor at 3 Hz. The
        fixations of BSC, BSC II, CERVINO, ChineseReading, DAEMONS, IITB-HGC and UCL are
        tables whose columns nobody states; those of MECO are files of R. EMTeC, PoTeC,
        ETDD70 and GGTG publish fixations and reading measures as well, which are not
        read: of PoTeC's the positions were thrown away, of the others no columns were
        found. TECO has no gaze. Such tables are read by `--columns`, see
        [formats](formats.md)."""
    )


def fetching():
    yield "## Fetching one"
    yield ""
    yield "```console"
    yield "gazetrack dataset                                   # what there is"
    yield "gazetrack dataset show gazebase                     # columns, units, screen, terms"
    yield "gazetrack dataset get gazebase --subset '*_TEX.csv' --dir data"
    yield "gazetrack convert data/gazebase/gaze --recursive"
    yield "```"
    yield ""
    yield from prose(
        """`get` needs the extra `datasets` (`pip install "gazetrack[datasets]"`). It prints licence
        and citation before it fetches anything, and writes them beside the files
        (`DATASET.json`). Files are checked by their published MD5; one that is not as published
        is thrown away. A call that was cut off is made once more: a file goes on where it ended,
        what is whole stays. Archives, and archives within them, are unpacked file by file, each
        whole or not at all; one that is there already is compared with its checksum in the
        archive, and unpacked again where it differs; of a large set `--subset` unpacks some, as
        often as you like from the archive that is there, and `--only fixations` leaves out the
        gaze. `--dry-run` says what would be fetched, from where and to where. Without `--dir` it
        goes into `$GAZETRACK_DATASETS`, or the user's cache folder. In Python:
        `gazetrack.datasets.get("gazebase", "data", subset=["*_TEX.csv"]).tables`."""
    )
    yield ""
    yield from prose(
        """Addresses are tested as texts against pymovements', and the way of fetching on a server
        of our own: the servers of the data sets were not called."""
    )
    yield ""
    yield "| name | data set | fetched | published MD5 | licence | home |"
    yield "|---|---|---|---|---|---|"
    for dataset in DATASETS.values():
        contents = ", ".join(dict.fromkeys(file.content for file in dataset.files))
        checked = ", ".join(dict.fromkeys("yes" if file.md5 else "no" for file in dataset.files))
        licence = dataset.licence or "not known here"
        yield (
            f"| `{dataset.name}` | {dataset.title} | {contents} | {checked} "
            f"| {licence} | <{dataset.home}> |"
        )


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
        yield f"- Positions: {positions_in_words(layout)}"
        yield f"- Missing gaze: {layout.missing}"
    if layout.tracker:
        yield f"- Tracker: {layout.tracker}"
    for note in layout.notes:
        yield f"- Note: {note}"
    for text in layout.unsure:
        yield f"- Unsure: {text}"
