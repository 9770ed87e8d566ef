"""The pages of docs/ that are made from the code: `python -m tests.pages` writes them."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import re
import textwrap
import typing

import numpy as np

from gazetrack.events.base import Trial
from gazetrack.events.blinks import Blinks
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.microsaccades import Microsaccades
from gazetrack.events.prepare import Preparation
from gazetrack.maps.store import MAPS
from gazetrack.measures.pupil import PupilOptions
from gazetrack.readers import registry
from gazetrack.readers.shared.positions import UNITS
from gazetrack.tables import comparisons, schema
from gazetrack.tables.cameras import CAMERAS
from gazetrack.tables.movements import MOVEMENTS
from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS
from gazetrack.tables.selection import RULE
from tests.dataset_page import datasets_page
from tests.figure_page import figures_page
from tests.places import ROOT
from tests.reliability_page import reliability_page
from tests.study_page import study_page

TABLES = {
    "*.fixations.parquet": schema.FIXATIONS,
    "*.samples.parquet": schema.SAMPLES,
    "`*.events.parquet` of `gazetrack convert --events`": schema.EVENTS,
    "`*.events.parquet` of `gazetrack events`": MOVEMENTS,
    "*.pupil.parquet": PUPIL,
    "*.pupil-trials.parquet": PUPIL_TRIALS,
    "quality, as `gazetrack quality -o FILE` writes it": schema.QUALITY,
    "areas of interest, as `gazetrack measures --aois` writes them": schema.AOI_MEASURES,
    "`*.transitions.parquet`, beside it": schema.AOI_TRANSITIONS,
    "`*.entropy.parquet`, beside it": schema.AOI_ENTROPY,
    "scanpaths, as `gazetrack measures --scanpaths` writes them": comparisons.SCANPATHS,
    "`*.matrix.parquet`, beside it": comparisons.SCANPATH_MATRIX,
    "scores of maps, as `gazetrack measures --saliency` writes them": comparisons.SALIENCY,
    "maps.parquet": MAPS,
}


def tables_page():
    lines = [
        "# Tables",
        "",
        *prose(
            """Every file is plain Parquet: `pandas.read_parquet` reads it, and it means the same
            without this library. Missing numbers are NaN (in SQL, `isnan(x_px)`, not `x_px is
            null`; averages need `where not isnan(x_px)`), missing texts are empty. Times are
            milliseconds from the start of the recording (of the trial, where the metadata's
            `time_origin` says so), intervals half open. Positions are pixels, origin top left,
            y down; the centre of the first pixel is (0.5, 0.5). What the recording, screen,
            reader and detector were stands as one JSON text under the key `gazetrack` of the
            file's metadata."""
        ),
        "",
        *prose(
            f"""A table of fixations counts no moment for two eyes, so that durations add up to time
            there was. Which eye it holds: {RULE}. Where fixations are detected, they are those
            of the combined gaze. `--eye left` or `right` takes that eye alone. `--eye both`
            writes a row per fixation and eye: group by `eye` before adding up durations. The
            metadata say which under `fixation_eye`, and so does `gazetrack info FILE` before
            anything is converted. Tracks, and maps made of them, are of one eye whatever the
            table holds."""
        ),
        "",
        *prose(
            """The JSON also says what cannot be seen in the columns: `pupil_measure`, whether
            EyeLink's pupil sizes are an area or a diameter; `rates_hz`, pairs of a time and the
            rate from then on, where the rate changes within a recording (`rate_hz` is then
            empty); `no_positions` where the export tells when fixations were and not where; and
            `directions` where positions are directions of the eye (EyeLink HREF, virtual
            reality) and no places on a screen: they lie on a plane 1 m away, where a pixel is a
            millimetre, so that degrees are right and `--screen` does not change them. No map is
            made of either."""
        ),
        "",
        *prose(
            """A recording is called as its export names it, else after its file: `anna.asc` is
            `anna`. Names that software gives to everybody say nothing, so folder or file stand
            in front: `s01/gaze_positions.csv` is `s01`, `s01/data.csv` is `s01_data`, and
            `Recording1` in `anna.tsv` is `anna_Recording1`. Files of one call that would still
            share a name carry the folders that tell them apart. Files of one recording (gaze,
            fixations and blinks of Pupil Core and Pupil Cloud, the two files of Gazepoint and
            Tobii Studio) that are given together, such as by their folder, are one recording
            with the tracker's own fixations."""
        ),
        "",
        *prose(
            """`gazetrack convert x.asc` writes `x.fixations.parquet`; `gazetrack fixations x.asc`
            writes `x.auto.fixations.parquet`, called after the detector, beside it. No table is
            replaced by one of another origin without `--force`, and where all tables of a
            folder are taken (`render`, `plot`, `compare`, `gradtrack-train`,
            `gazetrack.find_tables()`), they are one a recording: the export's own fixations
            before detected ones. A script that reads `*.fixations.parquet` by itself has to
            choose as well."""
        ),
        "",
        "This page is made from the schemas: `python -m tests.pages`.",
    ]
    for name, table in TABLES.items():
        title = name if "`" in name else f"`{name}`"
        lines += ["", f"## {title}", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
        for field in table:
            kind = "text" if field.type in (schema.TEXT, "string") else str(field.type)
            unit = field.metadata.get(b"unit", b"").decode()
            lines.append(
                f"| `{field.name}` | {kind} | {unit} | {field.metadata[b'meaning'].decode()} |"
            )
    return "\n".join(lines) + "\n"


def prose(text):
    return textwrap.fill(
        " ".join(text.split()), 112, break_on_hyphens=False, break_long_words=False
    ).splitlines()


def units_section():
    return [
        "",
        "## Units and origins",
        "",
        *prose(
            """Tables that no reader knows are read by the columns you name. A unit stands in
            brackets behind a column, and a setting among the columns; one unit holds for all
            positions, and a name such as `gaze_x_px` or `X [deg]` says it as well:"""
        ),
        "",
        "```console",
        "# Every column named, each with its unit:",
        'gazetrack convert a.csv --columns "x=GX[norm],y=GY[norm],t=Time[s]" --screen 1920x1080',
        "# Pixels from the centre of the screen, y upwards:",
        "gazetrack convert b.csv --columns x=gx,y=gy,t=time[s],origin=centre,unit=px,y_axis=up \\",
        "    --screen 1920x1080",
        "# The columns' own names say enough, but for the unit:",
        "gazetrack convert c.csv --columns unit=norm",
        "```",
        "",
        *prose(
            """Times: `ms` (by default), `s`, `us`, `ns`; numbers of samples by their rate, as in
            `t=sample[120Hz]`. Positions:"""
        ),
        "",
        "| `unit=` | 1 is |",
        "|---|---|",
        *(f"| `{unit}` | {meaning} |" for unit, meaning in UNITS.items()),
        "",
        *prose(
            """`origin=` is `top_left`, `bottom_left` or `centre`; `y_axis=` is `down` or `up`, and
            has to be said from the centre, but for PsychoPy's units, where it is up.
            Millimetres need the size of the screen, degrees its distance as well, and whatever
            is counted from the centre or the bottom its pixels: `--screen
            1920x1080,531x299mm,650mm`, or `1920x1080,53.1x29.9cm,65cm`, or
            `1920x1080,24in,65cm` with the diagonal. Fractions without `--screen` are put on
            1920x1080, with a note. Positions that lie within 0…1, or close around 0, and have
            no unit are refused."""
        ),
        "",
        *prose(
            """From a corner, (-1, -1) and (0, 0) are lost gaze, and counted. Where more than a
            fifth of the gaze of any format lies off the screen, the first note says so: x and y
            may be swapped, the origin another, the size wrong. Where `--screen` contradicts
            what an export states, a note says so, and `--screen` wins."""
        ),
    ]


def cameras_section():
    lines = [
        "",
        "## World cameras",
        "",
        *prose(
            """Head-mounted trackers have no screen: positions are pixels of the image of a camera
            on the head, and what a degree is depends on that camera. Known are:"""
        ),
        "",
        "| camera | degrees wide | lens | stated by |",
        "|---|---|---|---|",
    ]
    for name, camera in CAMERAS.items():
        wide = camera.fov_deg
        wide = (
            f"{wide:g}"
            if isinstance(wide, float)
            else ", ".join(f"{v:g} at {w}x{h}" for (w, h), v in wide.items())
        )
        lines.append(
            f"| {name} | {wide} | {'fisheye' if camera.fisheye else 'flat'} | {camera.source} |"
        )
    return [
        *lines,
        "",
        *prose(
            """Pupil Cloud's gaze.csv has azimuths, which tell the camera and its scale, and
            AdHawk's meta_data.json beside the gaze the width of its view. For any other camera,
            lens or size of image give that width: `--fov 82`, with `--screen 1280x720` where
            the size is another than the one said. Without it nothing that needs degrees is
            computed: no fixations are detected, and `quality` stays in pixels. The export's own
            fixations need none. `--fov` also serves for a screen whose size in millimetres is
            not known."""
        ),
    ]


def formats_page():
    lines = [
        "# Formats",
        "",
        *prose(
            """A file's format is found by its content; its name and suffix do not matter.
            `gazetrack info FILE` says what was found and why, `gazetrack formats` lists what
            can be read. Files that lie beside gaze and hold none (calibrations, sidecars,
            metrics, blinks) are named as what they are, with the file to give instead."""
        ),
        "",
        *prose(
            """Encodings are found by their mark, else UTF-8, else by a detector; any line ends;
            gzip is unpacked. Rows that cannot be used are counted by reason, and whatever had
            to be inferred is said as a note."""
        ),
        "",
        *prose(
            """Rows of a table may be shorter than its header, as vendors leave out empty cells at
            the end: the missing cells are empty. A row with a cell or two fewer than the others, in
            a table whose rows are not short otherwise, may have lost a separator, which moves all
            cells behind it: all of it is empty, unless its last cell shows that only cells at its
            end are missing. Rows may be longer by a separator or a remark:
            what no column claims is left out. Both are counted as `mended` in the report, with
            the first line as a note. A number beyond the header, two rows in one line, or text
            beyond it in most rows mean that cells have moved: such a file is refused with the
            line. A file that ends in the middle of a row is refused as well; `--salvage` takes
            the lines before the one that is cut off, also of gzip, and counts it. Gzip that
            unpacks to more than 200 times its size (from 64 MiB on), or to more than 64 GiB,
            needs `--trust-gzip`."""
        ),
        "",
        *prose(
            """A clock that begins again, at its beginning or more than a second back, begins
            another recording: Tobii Pro Lab, Gazepoint, BeGaze and Tobii logs split there
            (`name_2`), all others refuse the file at that line. Rows of which more than a fifth
            are before the one above them are in no order, and refused; so are clocks that stand
            still throughout, files of which no row can be used, and a position that is the same
            throughout and off the screen. Notes count what is less: single steps back, repeated
            times, gaze lost throughout, columns without a value, a stated sampling rate that is
            not that of the times."""
        ),
        "",
        *prose(
            """Files are read block by block. Of all formats of text with a row a sample, samples
            beyond 262,144 wait in a temporary file (56 bytes each, in the folder `TMPDIR` names),
            with the columns that a reader looks at twice, and events beyond 32,768: so memory
            hardly grows with the file. Tables of fixations and of labelled events, ioHub, snapshots
            of Tobii Glasses and logs of user code for Tobii are kept whole. XDF takes about 7 times
            its size, jsPsych's JSON about 11 times."""
        ),
        "",
        "This page is made from the readers: `python -m tests.pages`.",
        *units_section(),
        *cameras_section(),
        *experiments_section(),
    ]
    for name in sorted(registry.BUILTIN):
        found = registry.get(name).FORMAT
        lines += [
            "",
            f"## `{name}`: {found.title}",
            "",
            f"- Read: {found.provides}",
            f"- Units: {found.units}",
            f"- Lost: {found.lost}",
            f"- Usual suffixes: {' '.join(found.suffixes)}",
        ]
        if found.source:
            lines.append(f"- Described in: {found.source}")
    return "\n".join(lines) + "\n"


def experiments_section():
    """What programs that show experiments leave behind, and which file has the gaze."""
    return [
        "",
        "## PsychoPy, PyGaze, OpenSesame",
        "",
        *prose(
            """Programs that show an experiment write a table of trials, and beside it, or through
            the tracker's own software, the gaze. The table of trials has none, and is named as
            what it is; give the other file:"""
        ),
        "",
        "| program | tracker | file of the gaze | read as |",
        "|---|---|---|---|",
        "| PsychoPy (ioHub) | any | `*.hdf5`, with `--columns unit=` of the window | `iohub` |",
        "| | | event report of it, `*.txt` or `*.csv` | `iohub` |",
        "| | EyeLink | `*.EDF` or its `*.asc` | `eyelink_edf`, `eyelink_asc` |",
        "| | | table with gaze in columns of your own | `generic`, with `--columns` |",
        "| PyGaze, OpenSesame | EyeTribe | `*.tsv` | `eyetribe` |",
        "| | Tobii | `*_TOBII_output.tsv` | `tobii_logs` |",
        "| | EyeLink | `*.edf` or its `*.asc` | `eyelink_edf`, `eyelink_asc` |",
        "| | Gazepoint (Open Gaze) | `*.tsv` | `gazepoint` |",
        "| | SMI | what IDF Converter makes of the `*.idf` | `smi` |",
        "",
        *prose(
            """Messages of the experiment (`log` of PyGaze, `sendMessage` of ioHub) become events
            of the kind `message`. ioHub does not say the unit of its positions, which is that of
            the experiment's window: `pix`, `norm`, `height`, `deg` or `cm`. Where it cannot be seen
            that they are pixels, it has to be said. Logs of PyGaze's dummy tracker, of Alea
            and of EyeLogic have not been seen here; `--columns` reads them where they are
            tables."""
        ),
    ]


def detectors_page():
    lines = [
        "# Fixation detectors",
        "",
        *prose(
            """`gazetrack fixations FILE --detector NAME --set KEY=VALUE` detects fixations in the
            samples of an export, also where it has its own; the table is called after the
            detector, `FILE.auto.fixations.parquet`, and lies beside that of `gazetrack
            convert`, which uses the default, `auto`, where the export has none. The table says
            which detector made it, with all parameters. Velocities and distances are degrees;
            without the screen's physical size it is taken to be 45 degrees wide, and the table
            says that, too. Behind the world camera of a head-mounted tracker its field of view
            has to be known (`docs/formats.md`). No detector needs a constant rate, and the
            nominal one is never asked. Figures of agreement with human coders:
            `benchmarks/human_agreement.py`."""
        ),
        "",
        "This page is made from the detectors: `python -m tests.pages`.",
    ]
    for name, kind in {**DETECTORS, "--prepare": Preparation}.items():
        about = (
            inspect.getdoc(inspect.getmodule(kind))
            if kind.__module__.endswith(name)
            else inspect.getdoc(kind)
        )
        lines += ["", f"## `{name}`", "", *settings_of(kind, about)]
    return "\n".join(lines) + "\n"


def settings_of(kind, about=None):
    """The lines on a dataclass of parameters: what it is about, and a table of all of them."""
    text, _, table = inspect.getdoc(kind).partition("Parameters\n----------\n")
    lines = [(about or text).partition("Parameters\n---")[0].strip(), ""]
    defaults = {
        f.name: f"{f.default:g}" if f.type == "float" else f.default
        for f in dataclasses.fields(kind)
    }
    lines += ["| parameter | default | meaning |", "|---|---|---|"]
    for names, meaning in re.findall(
        r"^(\w[^\n]*) : (?:float|\{.*\})\n((?:    [^\n]*\n?)+)", table, re.MULTILINE
    ):
        for one in names.split(", "):
            lines.append(f"| `{one}` | {defaults.pop(one)} | {' '.join(meaning.split())} |")
    for one, value in defaults.items():
        lines.append(f"| `{one}` | {value} | as `{kind.__mro__[1].name}` |")
    return lines


def pupil_page():
    lines = [
        "# The pupil",
        "",
        "```console",
        "gazetrack pupil raw.asc     # → raw.pupil.parquet, raw.pupil-trials.parquet",
        "gazetrack pupil raw.asc --baseline subtractive --baseline-ms -200 0",
        "gazetrack pupil raw.asc --set fill_ms=500 --set deblink=hershman --eye right",
        "```",
        "",
        *prose(
            """The steps are those of the guideline of Kret & Sjak-Shie (2019, Behavior Research
            Methods 51), with their defaults, in their order. In Python,
            `gazetrack.pupil(recording, gazetrack.PupilOptions(baseline="divisive"))` has `samples`,
            `trials` and `counts`."""
        ),
        "",
        "| step | what it takes out or does | in `removed_by` |",
        "|---|---|---|",
        "| 1 | samples without a pupil: no size, zero or less | `missing` |",
        "| 2 | impossible sizes: 1.5 to 9 mm; none where sizes are no millimetres | `size` |",
        "| 3 | changes that are too fast: median + 16 median absolute deviations | `speed` |",
        "| 4 | 50 ms to either side of gaps of 75 to 2000 ms: the lid | `edge` |",
        "| 5 | what is off a trend of 16 Hz, by 16 deviations, in 4 passes | `trend` |",
        "| after 2, 3, 5 | groups of less than 50 ms, more than 40 ms from others | `isolated` |",
        "| 6 | the mean of both eyes; where one is lost, the other and their difference | |",
        "| 7 | gaps of up to 250 ms are filled by a line, longer ones stay NaN | `is_filled` |",
        "| 8 | a Butterworth filter of order 4, 4 Hz, forth and back on a grid of 1000 Hz | |",
        "| 9 | the mean of a window of each trial is subtracted, or divides | `change_pupil` |",
        "",
        *prose(
            """`*.pupil.parquet` has a row per sample and eye (`left`, `right`, and `both` for the
            mean), with the size as exported beside the result; `*.pupil-trials.parquet` a row per
            trial, stimulus and eye, with how many samples each step took out, the share that is
            lost in the end, the baseline and of how many samples it is, mean and peak. The
            metadata hold every option and the counts. A trial whose baseline window is lost has no
            baseline, and NaN for what follows from it. All columns: [tables](tables.md)."""
        ),
        "",
        *prose(
            """Sizes stay in the unit of the export: arbitrary units, areas and diameters are not
            converted. Steps work on times, so that rates may be uneven. A recording is one signal
            through all of its trials, as in the authors' code; where the clock steps back, pauses
            for more than 10 s, or begins anew with each trial, the next signal begins. Where more
            than half of the speeds are the same, as in sizes with few digits, their deviation is
            zero and the third step would take out whatever moves: it is left out, and a note says
            so. Where a tracker is off between trials, no lid has closed: the fourth step leaves
            what is beside it alone. `--trial-by message=REGEX` says where trials begin, and
            `--participant hash|drop` leaves out [who it was](privacy.md)."""
        ),
        "",
        "## `--set`",
        "",
        *settings_of(PupilOptions),
        "",
        "This page is made from the code: `python -m tests.pages`.",
    ]
    return "\n".join(lines) + "\n"


# As `benchmarks/human_movements.py` measures them; tests/events/test_movements.py holds them.
SACCADE_F1 = {
    "human": {"image": 0.979, "dots": 0.873, "video": 0.910},
    "auto": {"image": 0.971, "dots": 0.862, "video": 0.918},
    "i2mc": {"image": 0.930, "dots": 0.714, "video": 0.800},
    "idt": {"image": 0.923, "dots": 0.402, "video": 0.624},
    "ihmm": {"image": 0.813, "dots": 0.671, "video": 0.801},
    "ivt": {"image": 0.804, "dots": 0.724, "video": 0.692},
    "engbert_kliegl": {"image": 0.672, "dots": 0.509, "video": 0.628},
    "nystrom_holmqvist": {"image": 0.641, "dots": 0.812, "video": 0.856},
}


def events_page():
    told = {kind: [] for kind in ("saccade", "smooth_pursuit", "pso")}
    for name, kind in DETECTORS.items():
        for told_kind in kind().movements(Trial(*np.zeros((3, 0)), 40.0)):
            if told_kind in told:
                told[told_kind].append(f"`{name}`")
    others = {kind: ", ".join(told[kind]) for kind in ("smooth_pursuit", "pso")}
    lines = [
        "# Eye movements",
        "",
        "```console",
        "gazetrack events raw.asc                                   # → raw.events.parquet",
        "gazetrack events raw.asc --source detected --detector ivt  # → raw.ivt.events.parquet",
        "gazetrack events exports --trial-by 'message=TRIALID (.+)' --participant hash -o tables",
        "gazetrack events raw.asc --microsaccades --screen 1920x1080,531x299mm,650mm",
        "```",
        "",
        *prose(
            """One table, a row an event, with its `kind` and its `source`: what the tracker's
            export tells (`tracker`), and what is found in the samples (`detected`), side by side
            unless `--source` says otherwise. Of each kind that both have, the command prints how
            many there are, the F1 of events matched one to one by overlap, the same for pairs that
            overlap by half of their union, and the mean differences of onset and offset. In
            Python: `gazetrack.detect_events(gazetrack.read("raw.asc"))`. All columns:
            [tables](tables.md)."""
        ),
        "",
        *prose(
            """`gazetrack convert --events` writes a file of the same name with the tracker's own
            events alone. Either order of the two commands leaves the table that holds more:
            `events` takes the place of that of `convert`, whose rows it holds, and `convert`
            leaves a table of `events` with all of its rows where it is and says so. One that lacks
            some of them (of an earlier state of the export, of other trials) is refused, and
            `--force` replaces it. `--source detected` has none of the tracker's own, and writes a
            file of its own, under the name of the detector."""
        ),
        "",
        "| kind | where it comes from |",
        "|---|---|",
        "| `fixation` | the detector, as for `gazetrack fixations` |",
        "| `saccade` | the detector: what is fast (I-DT, I2MC: what lies between two fixations) |",
        f"| `smooth_pursuit` | {others['smooth_pursuit']} |",
        f"| `pso`, post-saccadic oscillation | {others['pso']} (glissades) |",
        "| `blink` | gaps in the pupil with what the lid does beside them, or gaps in the gaze |",
        "| `microsaccade` | `--microsaccades`: both eyes at once where both have gaze |",
        "",
        *prose(
            """A saccade leads from the sample before its first to the one after its last. One that
            touches a loss of gaze is left out: a lid that closes looks like one. `direction_deg`
            is as seen on the screen: 0 to the right, 90 up, 180 to the left, -90 down, though
            `y_px` counts downwards. The speed is the slope of a line over 20 ms (Nyström &
            Holmqvist 2010); `peak_velocity_deg_s` is its largest, `mean_velocity_deg_s` its mean.
            Of microsaccades, amplitude and velocity are those of their authors: the way between
            the extremes, and the velocity over five samples. Where the tracker tells no
            amplitude it follows from start and end, if the size of a degree is known; its mean
            velocity is amplitude over duration."""
        ),
        "",
        *prose(
            """Where the size or the distance of the screen is not known, degrees are as if it were
            45 degrees wide, and a note says so: amplitudes and velocities are then comparable
            within a study and wrong by a factor. Give `--screen`. The trackers' own numbers stay
            as they are exported. Where the tracker tells amplitudes in degrees, the median of
            pixels over degrees of its saccades of a degree or more says which scale it had in
            mind: if the assumed one is more than 10 % off, a second note gives both, and the
            `--fov` that leads there. No number changes until you give it."""
        ),
        "",
        "## How well saccades agree with those of people",
        "",
        *prose(
            """F1 of saccades matched one to one by overlap, against two coders of 18 recordings at
            500 Hz (Larsson, Nyström & Stridh 2013; Andersson et al. 2017), averaged over recordings
            and coders, with default parameters: `python benchmarks/human_movements.py DATA`. The
            first row is one coder against the other."""
        ),
        "",
        "| detector | images | moving dots | videos |",
        "|---|---|---|---|",
        *(
            f"| {name if name == 'human' else f'`{name}`'} | {row['image']:.3f} | "
            f"{row['dots']:.3f} | {row['video']:.3f} |"
            for name, row in SACCADE_F1.items()
        ),
        "",
        *prose(
            """Glissades of `nystrom_holmqvist` agree with those of people by .40 on images (people
            among each other: .90), smooth pursuit of `auto` by .71 on dots and .61 on videos (.86
            and .83)."""
        ),
        "",
        "## Main sequence",
        "",
        *prose(
            """Larger saccades are faster, along one curve (Bahill, Clark & Stark 1975): peak
            velocity = v_max (1 - exp(-amplitude / c)). It is fitted to the saccades of either
            source, by logarithms and with a loss that outliers do not bend, and printed with the
            share of its variance that it explains and the share of outliers: more than three
            standard deviations, taken from medians, off the curve. Blinks and noise that were
            taken for saccades show there. In Python:
            `gazetrack.events.main_sequence.main_sequence`, also with a power law."""
        ),
        "",
        "## `--blinks`",
        "",
        *settings_of(Blinks, inspect.getdoc(inspect.getmodule(Blinks))),
        "",
        "## `--microsaccade`",
        "",
        *settings_of(Microsaccades, inspect.getdoc(inspect.getmodule(Microsaccades))),
        "",
        *prose(
            """Of two eyes, movements that overlap in time are one, from the first onset to the last
            end; peak velocity and amplitude are means, as in the toolbox's `sacpar`. What one eye
            does alone is left out. Below 200 Hz a microsaccade is a sample or two, and a note
            says so."""
        ),
        "",
        "This page is made from the code: `python -m tests.pages`.",
    ]
    return "\n".join(lines) + "\n"


def training_page():
    from gradtrack_model import config
    from gradtrack_model.presets import METHODS, PRESETS

    lines = [
        "# Settings of gradtrack-train",
        "",
        *prose(
            """Settings come from, later ones win: the preset (`--preset`), the method
            (`--method`), a TOML file (`--config run.toml`), options of their own such as
            `--steps`, and `--set section.key=value`, whose order does not matter. The run folder
            keeps all of them in `settings.toml`, which `--config` takes back, and with each network
            in `best.json` and `last.json`. A file with an unknown key, a value of another type or
            one out of range is refused with the key's name.
            Keys of tables without brackets stand before the first section. In TOML:"""
        ),
        "",
        "```toml",
        *(
            "steps = 3000",
            'precision = "fp32"',
            "",
            "[model]",
            'encoder = "basic"',
            "",
            "[maps]",
            'kind = "density"',
        ),
        "```",
        "",
        f"Methods: {', '.join(f'`{name}`' for name in METHODS)}.",
        "",
        *prose(
            """The run folder also keeps `splits.json`: split, case and digest of every image, and
            of masks that were used; `--split splits.json` takes it back. Images of one case
            (the slices of a volume, or what `--case REGEX` says) are never in two splits. How
            several processes and machines share one run: [parallel](parallel.md)."""
        ),
        "",
        *prose(
            """`--resume` goes on with a run that was interrupted, and comes to the same weights as
            without the interruption, bit for bit on one CPU. With `--steps N`, and N larger than
            before, it extends a run, a finished one, too: the steps that were taken stay as they
            are, and from the next one on the learning rate is that of a run of N steps at that
            place. After a schedule that had ended, the rate so rises again, which is a warm
            restart, and the outcome is not that of a run of N steps from the start. An extended
            run can be interrupted and resumed like any other (give the same N). `report.html`,
            `log.txt` and the JSON of every network saved since say from which step on it was
            extended."""
        ),
        "",
        *prose(
            """`--folds K` trains K networks (`runs/folds/fold-1` and so on, each a run like any
            other) with the same settings and the same seed. Training and validation images are
            shared out by their cases, a case and every file in one fold, by SHA-256 of seed and
            case, so that a seed's folds are the same everywhere; test images stay out of all.
            `folds.json` has the figures of every fold, their mean, standard deviation and mean over
            images, of the best network of each (which was chosen on its own held-out images) and of
            the last one (which nothing was chosen by). `gradtrack-predict --weights runs/folds`
            averages the probabilities of all K networks, and `--resume` goes on with a
            cross-validation that was interrupted."""
        ),
        "",
        *prose(
            """`gradtrack-compare --prune` ends hopeless runs: at a validation at which the best
            Dice that a run has had is below the median of what the whole runs before it, at least
            three, had at the same step, from a third of the steps on (the median rule of Golovin
            et al. 2017, as Optuna's MedianPruner has it; both end the same runs of a table of
            40). Runs are taken in their order, so that the same comparison ends the same runs,
            also after an interruption. Table, page and `comparison.json` say which methods had
            runs that ended early, as such a row is not that of a whole training; a later call
            without `--prune` goes on with them, to the same weights as if they had never ended."""
        ),
        "",
        *prose(
            """`--set loggers=mlflow`, `wandb`, or both (`pip install "gazetrack[loggers]"`), log a
            run where a laboratory keeps its runs, beside `metrics.csv` and TensorBoard's file: all
            settings and every row, and nothing of the data, neither names nor images. Where that
            is, their own variables say: `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`,
            `WANDB_PROJECT`, `WANDB_MODE=offline`. W&B sends what it gets to its server unless that
            last one is set. A run that is resumed goes on under the name it was logged by
            (`loggers.json`); a logger that fails is told, and ends no run."""
        ),
        "",
        "This page is made from the configuration: `python -m tests.pages`.",
        "",
        "## Several classes",
        "",
        *prose(
            """Where trials look for several things, each of these targets is a class. A simulated
            study shows it (`gazetrack demo --classes` runs all of this): readers see an image once
            for its polyps and once for its ulcers, and the tracker's messages say which."""
        ),
        "",
        "```console",
        "python -c 'import gazetrack; gazetrack.write_class_example(\"two\")'",
        "cd two",
        'gazetrack convert reader-1.asc reader-2.asc --trial-by "message=TASK (.+)"',
        "gradtrack-train --preset tiny --steps 100 \\",
        '  --set \'classes.names=["polyp", "ulcer"]\'',
        "gradtrack-predict images --weights runs/gradtrack --overlay --probabilities",
        "gradtrack-evaluate predictions masks --ids val.txt -o evaluation",
        "```",
        "",
        *prose(
            """`classes.target` says where a trial's target is read: its trial, stimulus, recording
            or participant, whole or by a pattern (`classes.target="trial=find (.+)"`), or a CSV
            file with some of these columns and `target`. `gazetrack render --target RULE` writes
            maps that say their target; training on them needs no rule. An image that was not
            searched for a class teaches nothing about it: of a softmax, where no other class is, it
            may be background or that class (the marginal loss of Shi et al., Medical Image Analysis
            2021)."""
        ),
        "",
        *prose(
            """Where one trial looks for several things, an area of interest says what gaze fell on:
            its label is the class. The areas may be rough boxes (`aois.csv` of the example has
            some), in any file that `gazetrack measures --aois` reads, or images of labels (`--aois
            masks --labels 1=polyp,2=ulcer`). They are needed for training images alone.
            Maps of one label alone train without `classes.names`, as those of one thing; maps of
            labels that are no class are left out, and counted in a note."""
        ),
        "",
        "```console",
        "gazetrack convert reader-1.asc reader-2.asc --force        # of no task",
        "gazetrack render --images images --target aoi --aois aois.csv -o by-area",
        "gradtrack-train --maps by-area --preset tiny --steps 100 -o runs/by-area \\",
        '  --set \'classes.names=["polyp", "ulcer"]\'',
        "```",
        "",
        *prose(
            """A trial then has a track of each class: its fixations within the areas of that label,
            of which each level keeps the last, as of any track. A line joins fixations that
            followed each other within the class, and breaks where gaze was elsewhere; noise (short
            fixations, those off the image, the first of the trial) is left out before, so that it
            breaks nothing. A fixation within areas of two classes is one of either, and one in none
            is of no class, counted as such: there the maps say background. A class that is in the
            image and that a trial never looked at has no map of it, which is not the same as a map
            of nothing; a class that no image with gaze has is named, as the value of its label may
            be mistyped. Areas of one image have names of their own in a CSV, and `--target
            "aoi=^([a-z]+)"` makes one class of polyp-1 and polyp-2. Images
            without areas are left out and named; areas that move, or are there for a time only, are
            refused."""
        ),
        "",
        *prose(
            """Each class has its track maps, and each decoder stage predicts all, with the loss
            of one class each; Track Attention sees the features through the most likely class at
            each pixel. With `classes.heads = "softmax"` a pixel is of one class or background;
            with `"independent"` each class is learned by itself. Masks are label images, 0 for
            background and 1 to K in the order of the names, and a value that is no class is
            refused. A pixel of the prediction is foreground where all classes together
            (`softmax`), or one of them (`independent`), are above `predict_threshold`, and then of
            the most probable class. `val_dice` is the mean over the classes, `val_dice_NAME` that
            of one; an image on which a class is in neither mask nor prediction does not count for
            it."""
        ),
        "",
        *prose(
            """Several networks of the same classes predict together: the probabilities of each
            class (of a softmax, with the background's) are averaged. `gradtrack-calibrate images
            masks` fits one temperature for all classes, by the likelihood of the label images, and
            label images stay as they are with it; what it tells is the calibration error of the
            most likely class and the mean over those of each class (of independent heads, over all
            classes at once), on at most 2^24 logits evenly taken from the images. `--uncertainty`
            writes 1 less the mean Dice of all pairs of label images, which is the mean over the
            classes that either has; beside it the mean entropy of the image's pixels, in nats,
            which tells where all networks are unsure alike and, with `--calibrated`, is of the
            calibrated probabilities (the rest is of the networks as they are); and a picture of how
            far probabilities are spread: the root of half the sum of their variances, background
            included, or of independent heads the largest standard deviation, 255 for .5."""
        ),
        "",
        *prose(
            """For one class alone so far, refused with several: `crf_weight`, `gazetrack refine`,
            prompt models, the heads and networks of GazeMedSeg, `gradtrack-compare`,
            `gradtrack-view`, MONAI bundles, nnU-Net, `--html`, `--images` and `--against` of
            `gradtrack-evaluate`, and track maps of predictions; with a softmax,
            `loss.soft_labels` and `loss.bootstrap`. Left out with a note: the referral curve and
            the calibration error that `gradtrack-evaluate` measures of `uncertainty.csv` and of
            probabilities."""
        ),
    ]
    of_the_run = {
        "The run": config.TrainConfig,
        "The data": config.DataConfig,
        "Training batches": config.BatchConfig,
        "Validation": config.ValidationConfig,
        "The input of the network": config.InputConfig,
    }
    of_their_own = {
        f"[{name}]": kind
        for name, kind in typing.get_type_hints(config.TrainConfig).items()
        if dataclasses.is_dataclass(kind)
    }
    for name, kind in (of_the_run | of_their_own).items():
        meanings = parameters_of(kind)
        lines += ["", f"## {name}", "", "| key | type | default | meaning |", "|---|---|---|---|"]
        for field in dataclasses.fields(kind):
            # Those of a broader section are in its own table.
            if (
                field.name in inspect.get_annotations(kind)
                and f"[{field.name}]" not in of_their_own
            ):
                type_, meaning = meanings[field.name]
                lines.append(f"| `{field.name}` | {type_} | {toml(field.default)} | {meaning} |")
    lines += ["", "## Presets", ""]
    for name, values in PRESETS.items():
        flat = ", ".join(f"`{key} = {toml(value).strip('`')}`" for key, value in dotted(values))
        lines.append(f"- `{name}`: {flat or 'the defaults above'}")
    return "\n".join(lines) + "\n"


def parameters_of(kind):
    """{name: (type, meaning)} of a numpydoc section; choices are set as code."""
    table = inspect.getdoc(kind).partition("Parameters\n----------\n")[2]
    found = {}
    for names, type_, meaning in re.findall(
        r"^(\w[^\n]*?) : ([^\n]*)\n((?:    [^\n]*\n?)+)", table, re.MULTILINE
    ):
        shown = type_.strip("{}").replace('"', "`") if type_.startswith("{") else type_
        for name in names.split(", "):
            found[name] = (
                shown.replace("str", "text"),
                " ".join(meaning.split()).replace("``", "`"),
            )
    return found


def toml(value):
    plain = json.dumps(list(value) if isinstance(value, tuple) else value)
    return f"`{'inf' if value == math.inf else plain}`"


def dotted(values, prefix=""):
    for key, value in values.items():
        yield from dotted(value, f"{key}.") if isinstance(value, dict) else [(prefix + key, value)]


PAGES = {
    "tables.md": tables_page,
    "formats.md": formats_page,
    "datasets.md": datasets_page,
    "detectors.md": detectors_page,
    "events.md": events_page,
    "pupil.md": pupil_page,
    "training.md": training_page,
    "figures.md": figures_page,
    "study.md": study_page,
    "reliability.md": reliability_page,
}


def write_pages():
    """Write every page to docs/."""
    for page, text in PAGES.items():
        (ROOT / "docs" / page).write_text(text(), "utf-8")


if __name__ == "__main__":
    write_pages()
