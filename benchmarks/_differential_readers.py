"""Readers beside MNE, pymovements, eyelinkio, SciPy and pandas.

pandas takes part with the columns written out here.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from _differential import Check, largest

import gazetrack
from gazetrack.errors import GazetrackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazetrack.tables.recording import Recording

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
MOST_BYTES = 30 * 1024**2
FLOAT32_PX = 5e-4  # positions are stored as float32


def files(data: Path | None, golden: str, exports: str) -> Iterator[tuple[str, Path]]:
    """Yield golden files, and exports where there are any, with their names."""
    found = [
        (f"golden {p.relative_to(GOLDEN).parent}", p) for p in sorted(GOLDEN.glob(golden or "none"))
    ]
    if data is not None and exports:
        root = data / "exports"
        found += [
            (str(p.relative_to(root)), p)
            for p in sorted(root.glob(exports))
            if p.stat().st_size < MOST_BYTES
        ]
    yield from found


def numbers(table: Any, *names: str) -> list[np.ndarray]:
    """Return columns of our tables."""
    return [table[name].to_numpy().astype(float) for name in names]


def plain(path: Path, folder: str) -> Path:
    """Return the file, unpacked where it is a .gz."""
    if path.suffix != ".gz":
        return path
    unpacked = Path(folder) / path.stem
    with gzip.open(path) as packed, unpacked.open("wb") as out:
        shutil.copyfileobj(packed, out)
    return unpacked


def asc_files(data: Path | None) -> Iterator[tuple[str, Recording, Path]]:
    """Yield every EyeLink ASC that we read, with its plain text."""
    for name, path in files(data, "eyelink_asc/*/input.asc", "eyelink_asc/*.asc*"):
        try:
            recording = gazetrack.read(path)
        except GazetrackError:
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield name, recording, plain(path, folder)


def eyelink_by_mne(data: Path | None) -> Iterator[tuple[str, float | None]]:
    """Positions and pupils of each eye, sample by sample.

    MNE keeps a lost eye's position where its pupil is 0.
    """
    import mne

    for name, recording, path in asc_files(data):
        try:
            raw = mne.io.read_raw_eyelink(path, verbose="ERROR")
        except Exception:  # noqa: BLE001 - whatever MNE raises for a file it does not know
            yield name, None
            continue
        # MNE lays the samples of a block side by side, whatever their times: an excerpt that lacks
        # some is not for it.
        at = np.rint(recording.sample_table["t_ms"].to_numpy() * raw.info["sfreq"] / 1000).astype(
            int
        )
        if at.max(initial=0) >= raw.n_times:
            yield name, None
            continue
        for eye in ("left", "right"):
            if f"xpos_{eye}" not in raw.ch_names:
                continue
            theirs = raw.get_data(picks=[f"{part}_{eye}" for part in ("xpos", "ypos", "pupil")])[
                :, at
            ]
            ours = np.stack(
                numbers(recording.sample_table, f"{eye}_x_px", f"{eye}_y_px", f"{eye}_pupil")
            )
            lost = np.isnan(ours[0]) & (theirs[2] == 0)
            theirs[:, lost] = np.nan
            yield f"{name}, {eye} eye", largest(ours, theirs)


def eyelink_by_pymovements(data: Path | None) -> Iterator[tuple[str, float | None]]:
    import pymovements

    for name, recording, path in asc_files(data):
        try:
            gaze = pymovements.gaze.from_asc(path)
            theirs = np.array(gaze.samples["pixel"].to_list(), float).T
        except Exception:  # noqa: BLE001 - whatever pymovements raises for a file it does not know
            yield name, None
            continue
        table = recording.sample_table
        eyes = [e for e in ("left", "right") if np.isfinite(table[f"{e}_x_px"].to_numpy()).any()]
        ours = np.stack([v for e in eyes for v in numbers(table, f"{e}_x_px", f"{e}_y_px")])
        if len(theirs) != len(ours):  # without a header it takes two eyes for one
            yield name, None
            continue
        times = gaze.samples["time"].to_numpy().astype(float)
        yield f"{name}, times", largest(table["t_ms"], times - times[0])
        yield f"{name}, positions", largest(ours, theirs)


def eyelink_events_by_pymovements(data: Path | None) -> Iterator[tuple[str, float | None]]:
    """Onsets and durations of EFIX lines.

    An event of ours lasts to the end of its last sample, theirs to its start.
    """
    import pymovements

    for name, recording, path in asc_files(data):
        try:
            gaze = pymovements.gaze.from_asc(path, events=True)
            frame = gaze.events.frame.to_pandas()
        except Exception:  # noqa: BLE001
            yield name, None
            continue
        first = float(gaze.samples["time"][0])
        theirs = frame[frame["name"].str.startswith("fixation")]
        theirs = np.sort(
            np.stack([theirs["onset"] - first, theirs["offset"] - theirs["onset"]], -1).astype(
                float
            ),
            0,
        )
        events = recording.event_table.to_pandas()
        events = events[events["kind"] == "fixation"]
        ours = np.stack([events["onset_ms"], events["duration_ms"]], -1).astype(float)
        steps = np.diff(recording.sample_table["t_ms"].to_numpy())
        ours[:, 1] -= 1000 / recording.rate_hz if recording.rate_hz else np.median(steps)
        n_lines = sum(line.startswith("EFIX") for line in path.read_text("latin-1").splitlines())
        yield f"{name}, number of EFIX lines", float(abs(len(ours) - n_lines))
        # It leaves out lines whose duration is damaged.
        yield name, largest(np.sort(ours, 0), theirs) if len(theirs) == n_lines else None


def eyelink_edf(_data: Path | None) -> Iterator[tuple[str, float | None]]:
    """The recordings that ship with eyelinkio, which is what reads them for us.

    Compared is what we make of its arrays.
    """
    import eyelinkio

    for path in sorted((Path(eyelinkio.__file__).parent / "tests" / "data").glob("*.edf")):
        edf, recording = eyelinkio.read_edf(path), gazetrack.read(path)
        yield (
            f"{path.name}, samples",
            float(abs(edf["samples"].shape[1] - recording.sample_table.num_rows)),
        )
        fixations = edf["discrete"]["fixations"]
        step = 1000 / edf["info"]["sfreq"]
        theirs = np.sort((fixations["etime"] - fixations["stime"]) * 1000 + step)
        events = recording.event_table.to_pandas()
        ours = np.sort(events.loc[events["kind"] == "fixation", "duration_ms"].to_numpy())
        yield f"{path.name}, durations of fixations", largest(ours, theirs)


def begaze_by_pymovements(data: Path | None) -> Iterator[tuple[str, float | None]]:
    import pymovements

    for name, path in files(data, "begaze/none", "smi/pymovements_didec_example.txt"):
        recording = gazetrack.read(path)
        for eye in ("left", "right"):
            gaze = pymovements.gaze.from_begaze(path, prefer_eye=eye[0].upper())
            theirs = np.array(gaze.samples["pixel"].to_list(), float).T
            theirs[:, (theirs == 0).all(0)] = (
                np.nan
            )  # SMI's mark of lost gaze, which pymovements keeps
            # pymovements rounds positions to a tenth of a pixel.
            yield (
                f"{name}, {eye} eye",
                largest(numbers(recording.sample_table, f"{eye}_x_px", f"{eye}_y_px"), theirs),
            )


def arff_by_scipy(data: Path | None) -> Iterator[tuple[str, float | None]]:
    from scipy.io import arff

    for name, path in files(data, "arff/*/input.arff", "arff/*.arff"):
        rows, _ = arff.loadarff(path)
        table = gazetrack.read(path).sample_table
        t, x, y = numbers(table, "t_ms", "x_px", "y_px")
        known = np.isfinite(x)
        yield f"{name}, times", largest(t, (rows["time"] - rows["time"][0]) / 1000)
        yield (
            f"{name}, positions",
            largest([x[known], y[known]], [rows["x"][known], rows["y"][known]]),
        )


def tables(
    golden: str,
    exports: str,
    read: Callable[[Path, Recording], pd.DataFrame],
    table: str = "sample_table",
):
    """Make the cases of a text format: `read` gives columns of our names as pandas finds them."""

    def cases(data: Path | None) -> Iterator[tuple[str, float | None]]:
        for name, path in files(data, golden, exports):
            recording = gazetrack.read(path)
            expected = read(path, recording)
            for column in expected:
                ours = getattr(recording, table)[column].to_numpy().astype(float)
                yield f"{name}, {column}", largest(ours, expected[column].to_numpy(float))

    return cases


def gazepoint(path: Path, recording: Recording) -> pd.DataFrame:
    """Best point of gaze, fractions of the screen, where it is valid."""
    frame = pd.read_csv(path, skipinitialspace=True)
    time = next(name for name in frame if name.startswith("TIME("))
    frame = frame[frame[time].notna()]
    seen = frame["BPOGV"] == 1
    width, height = recording.screen.width_px, recording.screen.height_px
    return pd.DataFrame(
        {
            "x_px": (frame["BPOGX"] * width).where(seen),
            "y_px": (frame["BPOGY"] * height).where(seen),
        }
    )


def pupil_core(path: Path, recording: Recording) -> pd.DataFrame:
    """Fractions of the world camera's image from its lower left corner.

    Gaze counts where confidence is .6 or more.
    """
    frame = pd.read_csv(path).rename(columns={"timestamp": "gaze_timestamp"})
    frame = frame[frame["gaze_timestamp"].notna()]
    sure = frame["confidence"] >= 0.6
    width, height = recording.screen.width_px, recording.screen.height_px
    return pd.DataFrame(
        {
            "t_ms": (frame["gaze_timestamp"] - frame["gaze_timestamp"].iloc[0]) * 1000,
            "x_px": (frame["norm_pos_x"] * width).where(sure),
            "y_px": ((1 - frame["norm_pos_y"]) * height).where(sure),
        }
    )


def pupil_cloud(path: Path, _recording: Recording) -> pd.DataFrame:
    """Pixels of the scene camera while the glasses are worn."""
    frame = pd.read_csv(path)
    frame = frame[frame["timestamp [ns]"].notna()]
    worn = frame["worn"].fillna(1) == 1 if "worn" in frame else frame.index == frame.index
    return pd.DataFrame(
        {"x_px": frame["gaze x [px]"].where(worn), "y_px": frame["gaze y [px]"].where(worn)}
    )


def tobii_pro(path: Path, _recording: Recording) -> pd.DataFrame:
    """Combined gaze in pixels of the screen, in rows of the eye tracker.

    Decimal marks as they come.
    """
    frame = pd.read_csv(path, sep="\t", encoding="utf-8-sig", dtype=str)
    columns = {}
    for axis in "XY":
        names = (
            f"Gaze point {axis} (DACSpx)",
            f"Gaze point {axis} [DACS px]",
            f"Gaze point {axis}",
        )
        name = next(n for n in names if n in frame)
        columns[f"{axis.lower()}_px"] = pd.to_numeric(frame[name].str.replace(",", "."))
    found = pd.DataFrame(columns)
    if "Sensor" in frame:
        return found[frame["Sensor"] == "Eye Tracker"]
    return found[frame["Event"].isna()] if "Event" in frame else found


def bids(path: Path, _recording: Recording) -> pd.DataFrame:
    """The mean of the eyes that were seen."""
    frame = pd.read_csv(path, sep="\t", na_values=["n/a"])
    eyes = {axis: [f"eye{n}_{axis}_coordinate" for n in (1, 2)] for axis in "xy"}
    return pd.DataFrame({f"{axis}_px": frame[names].mean(axis=1) for axis, names in eyes.items()})


def glasses3(path: Path, _recording: Recording) -> pd.DataFrame:
    """Fractions of the scene camera's 1920 x 1080 pixels, in the order of time."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        rows = sorted(
            (json.loads(line) for line in lines if line.strip()), key=lambda row: row["timestamp"]
        )
    gaze = [row["data"].get("gaze2d", [np.nan, np.nan]) for row in rows if row["type"] == "gaze"]
    return pd.DataFrame(np.array(gaze) * [1920, 1080], columns=["x_px", "y_px"])


def eyetribe(path: Path, _recording: Recording) -> pd.DataFrame:
    """Raw gaze of both eyes; 0, 0 is lost."""
    frame = pd.read_csv(path, sep="\t", low_memory=False)
    frame = frame[frame["timestamp"] != "MSG"]
    x, y = (pd.to_numeric(frame[name]) for name in ("rawx", "rawy"))
    lost = (x == 0) & (y == 0)
    return pd.DataFrame({"x_px": x.where(~lost), "y_px": y.where(~lost)})


def adhawk(path: Path, _recording: Recording) -> pd.DataFrame:
    """Fractions of the scene camera's 1920 x 1080 pixels; times in seconds."""
    frame = pd.read_csv(path)
    frame = frame[pd.to_numeric(frame["Timestamp"], errors="coerce").notna()].astype(
        {"Timestamp": float}
    )
    t = (frame["Timestamp"] - frame["Timestamp"].iloc[0]) * 1000
    return pd.DataFrame(
        {"t_ms": t, "x_px": frame["Image_X"] * 1920, "y_px": frame["Image_Y"] * 1080}
    )


def viewpoint(path: Path, recording: Recording) -> pd.DataFrame:
    """Rows of type 10, fractions of the screen, of eye A the right and B the left.

    A quality of 4 or 5 is lost gaze.
    """
    lines = [line.rstrip("\r\n").split("\t") for line in path.read_text("latin-1").splitlines()]
    header = next(line[1:] for line in lines if line[0] == "6")
    frame = pd.DataFrame(
        [line[1 : len(header) + 1] for line in lines if line[0] == "10"], columns=header
    )
    frame = frame[
        [f"{eye}{column}" for eye in "AB" for column in ("LX", "LY", "QU") if f"{eye}QU" in frame]
    ].astype(float)
    found = {}
    for eye, letter in (("right", "A"), ("left", "B")):
        if f"{letter}QU" not in frame:
            continue
        prefix = (
            f"{eye}_" if "BQU" in frame else ""
        )  # which eye a single one is, the file does not say
        seen = frame[f"{letter}QU"] < 4
        for axis, size in (("X", recording.screen.width_px), ("Y", recording.screen.height_px)):
            found[f"{prefix}{axis.lower()}_px"] = (frame[f"{letter}L{axis}"] * size).where(seen)
    return pd.DataFrame(found)


def tobii_sdk(path: Path, recording: Recording) -> pd.DataFrame:
    """Pairs of fractions of the screen, one text a cell, of eyes whose gaze is valid."""
    frame = pd.read_csv(path, sep=";", dtype=str)
    found = {}
    for eye in ("left", "right"):
        pairs = (
            frame[f"{eye}_gaze_point_on_display_area"]
            .str.strip("()")
            .str.split(",", expand=True)
            .astype(float)
        )
        seen = frame[f"{eye}_gaze_point_validity"] == "1"
        found[f"{eye}_x_px"] = (pairs[0] * recording.screen.width_px).where(seen)
        found[f"{eye}_y_px"] = (pairs[1] * recording.screen.height_px).where(seen)
    return pd.DataFrame(found)


def smi_raw(path: Path, _recording: Recording) -> pd.DataFrame:
    """Points of regard of both eyes in rows of type SMP; 0, 0 is lost."""
    frame = pd.read_csv(path, sep="\t", comment="#", low_memory=False)
    frame = frame[frame["Type"] == "SMP"]
    found = {}
    for eye in ("left", "right"):
        x, y = (pd.to_numeric(frame[f"{eye[0].upper()} POR {axis} [px]"]) for axis in "XY")
        lost = (x == 0) & (y == 0)
        found |= {f"{eye}_x_px": x.where(~lost), f"{eye}_y_px": y.where(~lost)}
    return pd.DataFrame(found)


def xdf(path: Path, _recording: Recording) -> pd.DataFrame:
    """The first stream of gaze as pyxdf, which is what reads it for us, has it."""
    import pyxdf

    streams, _ = pyxdf.load_xdf(path)
    gaze = next(
        s for s in streams if s["info"]["type"][0].lower() in ("gaze", "eyetracker", "eye tracker")
    )
    times = np.asarray(gaze["time_stamps"])
    return pd.DataFrame({"t_ms": (times - times[0]) * 1000})


def gazepoint_fixations(path: Path, recording: Recording) -> pd.DataFrame:
    """Positions in fractions of the screen and durations in seconds of valid fixations."""
    frame = pd.read_csv(path, skipinitialspace=True)
    frame = frame[frame["FPOGV"] == 1]
    width, height = recording.screen.width_px, recording.screen.height_px
    places = {"x_px": frame["FPOGX"] * width, "y_px": frame["FPOGY"] * height}
    return pd.DataFrame(places | {"duration_ms": frame["FPOGD"] * 1000})


def pupil_core_fixations(path: Path, recording: Recording) -> pd.DataFrame:
    """Fractions of the world camera's image from its lower left corner.

    Times are seconds, durations milliseconds.
    """
    frame = pd.read_csv(path)
    frame = frame[frame["duration"].notna()]
    return pd.DataFrame(
        {
            "duration_ms": frame["duration"],
            "x_px": frame["norm_pos_x"] * recording.screen.width_px,
            "y_px": (1 - frame["norm_pos_y"]) * recording.screen.height_px,
        }
    )


def pupil_cloud_fixations(path: Path, _recording: Recording) -> pd.DataFrame:
    """Pixels of the scene camera, and durations in milliseconds."""
    frame = pd.read_csv(path)
    frame = frame[frame["fixation x [px]"].notna()]
    names = {"fixation x [px]": "x_px", "fixation y [px]": "y_px", "duration [ms]": "duration_ms"}
    return frame[list(names)].rename(columns=names)


def data_viewer(path: Path, _recording: Recording) -> pd.DataFrame:
    """Fixations of a Data Viewer report that have a position, an onset and a duration."""
    frame = pd.read_csv(path, sep="\t", na_values=["."])
    names = {"CURRENT_FIX_START": "onset_ms", "CURRENT_FIX_DURATION": "duration_ms"}
    names |= {"CURRENT_FIX_X": "x_px", "CURRENT_FIX_Y": "y_px"}
    return frame[list(names)].dropna().rename(columns=names).astype(float)


def by_pandas(
    ours: str, golden: str, exports: str, read: Callable[[Path, Recording], pd.DataFrame]
) -> Check:
    """Make the row of a text format, of its samples or its fixations, whichever its name says."""
    table = "fixation_table" if "fixations" in ours else "sample_table"
    return Check(
        ours=ours,
        peer="pandas, columns by hand",
        tolerance=FLOAT32_PX,
        unit="px, ms",
        cases=tables(golden, exports, read, table),
    )


CHECKS = [
    Check(
        ours="EyeLink ASC: samples",
        peer="MNE",
        tolerance=FLOAT32_PX,
        unit="px",
        cases=eyelink_by_mne,
        needs="mne",
    ),
    Check(
        ours="EyeLink ASC: samples",
        peer="pymovements",
        tolerance=FLOAT32_PX,
        unit="px, ms",
        cases=eyelink_by_pymovements,
        needs="pymovements",
    ),
    Check(
        ours="EyeLink ASC: fixations",
        peer="pymovements",
        tolerance=1e-6,
        unit="ms",
        cases=eyelink_events_by_pymovements,
        needs="pymovements",
    ),
    Check(
        ours="EyeLink EDF: samples and fixations",
        peer="eyelinkio",
        tolerance=1e-6,
        unit="rows, ms",
        cases=eyelink_edf,
        needs="eyelinkio",
    ),
    Check(
        ours="SMI BeGaze: samples",
        peer="pymovements",
        tolerance=0.051,
        unit="px",
        cases=begaze_by_pymovements,
        needs="pymovements",
    ),
    Check(
        ours="ARFF: samples",
        peer="scipy.io.arff",
        tolerance=FLOAT32_PX,
        unit="px, ms",
        cases=arff_by_scipy,
    ),
    by_pandas(
        "Gazepoint: samples", "gazepoint/all_gaze/input.csv", "gazepoint/*all_gaze.csv", gazepoint
    ),
    by_pandas(
        "Pupil Core: samples",
        "pupil_core/gaze/input.csv",
        "pupil_core/*/gaze_positions.csv",
        pupil_core,
    ),
    by_pandas(
        "Pupil Cloud: samples", "pupil_cloud/gaze/input.csv", "pupil_cloud/*/gaze.csv", pupil_cloud
    ),
    by_pandas(
        "Tobii Pro Lab: samples",
        "tobii_pro/old_microseconds/input.tsv",
        "tobii_pro_lab/*.tsv",
        tobii_pro,
    ),
    by_pandas(
        "Tobii Glasses 3: samples",
        "tobii_glasses3/*/input*",
        "tobii_glasses3/*/gazedata.gz",
        glasses3,
    ),
    by_pandas("EyeTribe: samples", "eyetribe/pytribe/input.tsv", "eyetribe/*.tsv", eyetribe),
    by_pandas("AdHawk: samples", "adhawk/gaze_data/input.csv", "", adhawk),
    by_pandas(
        "ViewPoint: samples",
        "viewpoint/binocular/input.txt",
        "arrington_viewpoint/*.txt",
        viewpoint,
    ),
    by_pandas("Tobii SDK: samples", "tobii_sdk/tuples/input.csv", "", tobii_sdk),
    by_pandas("SMI: samples", "smi/none", "smi/emip_*.tsv", smi_raw),
    by_pandas(
        "Gazepoint: fixations",
        "gazepoint/fixations/input.csv",
        "gazepoint/*fixations.csv",
        gazepoint_fixations,
    ),
    by_pandas(
        "Pupil Core: fixations",
        "pupil_core/fixations/input.csv",
        "pupil_core/pupil_tutorials_10/fixations.csv",
        pupil_core_fixations,
    ),
    by_pandas(
        "Pupil Cloud: fixations",
        "pupil_cloud/fixations/input.csv",
        "pupil_cloud/*/fixations.csv",
        pupil_cloud_fixations,
    ),
    by_pandas(
        "EyeLink Data Viewer: fixations",
        "eyelink_report/trials/input.txt",
        "eyelink_dataviewer/*FixData*.xls",
        data_viewer,
    ),
    Check(
        ours="XDF: times of gaze",
        peer="pyxdf",
        tolerance=1e-6,
        unit="ms",
        cases=tables("xdf/*/input.xdf", "lsl_xdf/tobii*.xdf", xdf),
        needs="pyxdf",
    ),
    by_pandas("BIDS: samples of two eyes", "bids/two_eyes/input.tsv", "", bids),
]
