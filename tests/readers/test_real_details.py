"""Real exports of EyeTribe, WebGazer, iMotions, ViewPoint, ARFF and VR headsets, beyond their counts."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import InputError, UnknownFormat
from gazetrack.events.fixations import fixation_table
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head

pytestmark = pytest.mark.real_data

IMOTIONS = "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt"
VIEWPOINT = "arrington_viewpoint/pspm_viewpoint_test_data.txt"
VIVE = "vr_headset/eyedentify3d_HTC_Vive_Pro_TESTNA01_2D_Fist3.csv"
PICO = "vr_headset/eyedentify3d_Pico_Neo_3_Pro_boxing_2D.csv"
ARFF = "arff/sp_tool_arff_data_example.arff"
WEBCAM = "webgazer_jspsych/webcam_webgazer_pursuit_04-23-12.csv"
EYETRIBE = [f"eyetribe/huettel_P{n}_EyeTribe.tsv" for n in (1, 2)]
JSPSYCH = [f"webgazer_jspsych/jspsych_group-{group}_s1.json" for group in "bd"]


@pytest.fixture(scope="module")
def exports(data_dir):
    return data_dir / "exports"


@pytest.fixture(scope="module")
def truth(exports):
    return json.loads((exports / "truth.json").read_text(encoding="utf-8"))


def read(path):
    head = read_head(path)
    return registry.get(registry.detect(head).name).read(head, ReadOptions())


@pytest.mark.parametrize("file", EYETRIBE)
def test_eyetribe(file, exports, truth):
    recording, want = read(exports / file), truth[file]
    kinds = recording.event_table["kind"].to_pylist()
    assert (kinds.count("message"), kinds.count("fixation")) == (want["n_msg"], want["n_fixations"])
    assert recording.loss == pytest.approx(want["zero_zero"] / want["n_samples"])
    steps = np.diff(recording.sample_table["t_ms"].to_numpy())
    assert (steps.min() >= 0, np.median(steps)) == (want["monotonic"], want["median_dt_ms"])
    assert (recording.screen.width_px, recording.screen.width_mm, recording.rate_hz) == (
        1280,
        338,
        60,
    )
    assert recording.rows_in == want["n_samples"] + want["n_msg"]


@pytest.mark.parametrize("file", JSPSYCH)
def test_jspsych(file, exports, truth):
    samples, want = read(exports / file).sample_table.to_pandas(), truth[file]
    # The earliest and the latest time of any trial: each trial has its own clock.
    assert (samples["t_ms"].min(), samples["t_ms"].max()) == (want["first_t_ms"], want["last_t_ms"])
    assert samples["trial"].nunique() == want["trials_with_gaze"]
    assert samples.groupby("trial", observed=True)["t_ms"].diff().min() >= 0


def test_a_table_of_trials_has_the_samples_of_their_json(exports, tmp_path):
    trials = json.loads((exports / JSPSYCH[0]).read_text(encoding="utf-8"))
    cells = [
        {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in trial.items()}
        for trial in trials
    ]
    pd.DataFrame(cells).to_csv(tmp_path / "jspsych_group-b_s1.csv", index=False)
    table, whole = read(tmp_path / "jspsych_group-b_s1.csv"), read(exports / JSPSYCH[0])
    assert table.sample_table.to_pandas().equals(whole.sample_table.to_pandas())


def test_webgazer_log(exports, truth):
    recording, want = read(exports / WEBCAM), truth[WEBCAM]["preamble"]
    assert recording.sample_table.num_rows == int(want["total_samples"])
    assert (recording.screen.width_px, recording.screen.height_px) == (1890, 1071)
    assert recording.effective_rate_hz == pytest.approx(float(want["sample_rate_hz"]), rel=0.02)
    assert recording.loss == float(want["tracking_loss_pct"])


def test_imotions_samples_are_even_and_fixations_its_own(exports):
    recording = read(exports / IMOTIONS)
    assert recording.effective_rate_hz == pytest.approx(60, rel=0.01)
    table = pd.read_csv(exports / IMOTIONS, sep="\t", dtype=str)
    table["at"] = pd.to_datetime(table["Timestamp"], format="%Y%m%d_%H%M%S%f")
    tracker = table[table["EventSource"].str.split("|").map(lambda parts: "ET" in parts)]
    want = table[table["FixationSeq"].notna()].drop_duplicates("FixationSeq")
    began = (want["at"] - tracker["at"].iloc[0]) / pd.Timedelta(milliseconds=1)
    late = want["MediaTime"].astype(float) - want["FixationStart"].astype(float)
    events = recording.event_table.to_pandas()
    assert events["onset_ms"].tolist() == (began - late).tolist()
    for name, column in {
        "duration_ms": "FixationDuration",
        "x_px": "FixationX",
        "y_px": "FixationY",
    }.items():
        assert events[name].tolist() == want[column].astype(float).tolist()
    lost = (tracker[["GazeLeftx", "GazeRightx"]] == "-1").all(axis=1).mean()
    assert recording.loss == pytest.approx(lost)


def test_viewpoint_fixations_are_those_of_its_timer(exports, truth):
    recording, want = read(exports / VIEWPOINT), truth[VIEWPOINT]
    rows = [
        line.split("\t")
        for line in (exports / VIEWPOINT).read_text().splitlines()
        if line.startswith("10\t")
    ]
    assert len(rows) == want["record_types"]["10"]
    timer, events = np.array([float(row[9]) for row in rows]), recording.event_table.to_pandas()
    fixations = events[events["kind"] == "fixation"]
    # The timer's peaks, each followed by a sample that begins it anew; it was running when the file
    # begins.
    peaks = [timer[i] for i in range(len(timer) - 1) if timer[i] > 0.02 and timer[i + 1] < timer[i]]
    assert fixations["duration_ms"].tolist() == pytest.approx([1e3 * peak for peak in peaks])
    assert fixations["onset_ms"].iloc[0] == pytest.approx(-1e3 * timer[0], abs=0.5)
    assert events["text"].tolist()[1:3] == ["STARTUP.BMP", "=,+ END"]
    # 143.113 x 107.399 mm, seen from 100 mm.
    assert (recording.screen.width_px, recording.screen.height_px) == (1280, 961)
    table, source = fixation_table(recording)
    assert (table.num_rows, source["fixation_source"]) == (2, "export")


def test_vive_keeps_every_digit_of_its_clock(exports, truth):
    recording = read(exports / VIVE)
    table = pd.read_csv(exports / VIVE, sep=";")
    ticks = table["time(100ns)"].to_numpy()
    np.testing.assert_allclose(
        recording.sample_table["t_ms"].to_numpy(), (ticks - ticks[0]) / 1e4, rtol=0, atol=1e-9
    )
    assert recording.origin_ms == pytest.approx(truth[VIVE]["first_t_ms"], rel=1e-15)
    valid = (table[["eye_valid_L", "eye_valid_R"]].to_numpy() & 2).any(axis=1)
    assert recording.loss == pytest.approx(1 - valid.mean(), abs=2e-3)
    # Both eyes look at the same place, as far as a metre's plane can tell: their mean angles differ
    # by a few degrees.
    samples = recording.sample_table.to_pandas()
    apart = (samples["left_x_px"] - samples["right_x_px"]).median() / recording.screen.px_per_deg
    assert abs(apart) < 5


def test_pico(exports, truth):
    recording = read(exports / PICO)
    assert recording.origin_ms == truth[PICO]["first_t_ms"]
    assert recording.sample_table["stimulus"].to_pylist()[0] == "Boxe_EPreN4_2D_Testing_N1_S8_D"
    assert recording.effective_rate_hz == pytest.approx(50, rel=0.02)


def test_arff_screen(exports):
    recording = read(exports / ARFF)
    screen = recording.screen
    assert (screen.width_px, screen.height_px, screen.width_mm, screen.distance_mm) == (
        1280,
        720,
        400,
        450,
    )
    assert recording.effective_rate_hz == pytest.approx(250, rel=0.01)


@pytest.mark.parametrize(
    "file", [IMOTIONS, VIEWPOINT, VIVE, PICO, ARFF, WEBCAM, *EYETRIBE, *JSPSYCH]
)
def test_in_another_encoding_the_samples_are_the_same(file, exports, tmp_path):
    text = (exports / file).read_bytes().decode("utf-8")
    plain = read(exports / file)
    copy = tmp_path / f"{read_head(exports / file).stem}.dat"
    copy.write_bytes(gzip.compress(("\ufeff" + text).encode("utf-16-le"), 1))
    again = read(copy)
    assert again.sample_table.to_pandas().equals(plain.sample_table.to_pandas())
    assert again.event_table.to_pandas().equals(plain.event_table.to_pandas())
    assert again.notes == plain.notes


@pytest.mark.parametrize("name", ["blink_data.csv", "ipd_data.csv", "meta_data.json"])
def test_adhawk_says_which_file_to_give(name, exports):
    with pytest.raises(UnknownFormat, match="AdHawk MindLink") as caught:
        registry.detect(read_head(exports / "adhawk_mindlink/mindlink_raw_01" / name))
    assert "gaze_data.csv" in caught.value.hint


def test_no_other_export_is_claimed(exports, truth):
    ours = {"eyetribe", "webgazer", "imotions", "viewpoint", "arff", "vr_headset"}
    folders = (
        "eyetribe",
        "webgazer_jspsych",
        "imotions",
        "arrington_viewpoint",
        "arff",
        "vr_headset",
    )
    for file in truth:
        if not file.startswith(folders) and (exports / file).stat().st_size:
            try:
                head = read_head(exports / file)
            except InputError:  # an empty file within gzip
                continue
            claims = [name for name in ours if registry.get(name).sniff(head).level]
            assert not claims, file
