import csv
import json

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import registry, webgazer
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.real_exports import read_export

REAL_TRIALS = [f"webgazer_jspsych/jspsych_group-{group}_s1.json" for group in "bd"]
REAL_LOG = "webgazer_jspsych/webcam_webgazer_pursuit_04-23-12.csv"


def trial(index, points, **facts):
    return {"trial_type": "image", "trial_index": index, "webgazer_data": points, **facts}


def points(*times):
    return [{"x": 100 + t, "y": 50, "t": t} for t in times]


def read(tmp_path, data):
    path = tmp_path / "a.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return webgazer.read(read_head(path), ReadOptions())


def test_trials_in_one_line_of_more_than_a_mebibyte(tmp_path):
    trials = [trial(i, points(*range(1000))) for i in range(50)]
    assert len(json.dumps(trials)) > 1024**2
    assert read(tmp_path, trials).sample_table.num_rows == 50_000


def test_a_table_of_trials_is_the_same_as_their_json(tmp_path):
    trials = [
        trial(0, points(0, 33), stimulus='<img src="a.png">\n"one", two'),
        trial(1, None, stimulus=""),
        trial(2, points(5), stimulus="b.png"),
    ]
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(trials[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for row in trials:
            writer.writerow(row | {"webgazer_data": json.dumps(row["webgazer_data"] or "")})
    head = read_head(path)
    assert registry.detect(head).name == "webgazer"
    table, whole = webgazer.read(head, ReadOptions()), read(tmp_path, trials)
    assert table.sample_table.to_pandas().equals(whole.sample_table.to_pandas())
    assert whole.sample_table["stimulus"].to_pylist() == ["a.png", "a.png", "b.png"]


def test_trials_numbered_anew_are_another_run(tmp_path):
    recording = read(
        tmp_path, [trial(3, points(0, 10)), trial(4, points(0)), trial(3, points(0, 10))]
    )
    assert recording.sample_table["recording"].to_pylist() == ["a_1", "a_1", "a_1", "a_2", "a_2"]
    assert recording.notes == ("2 runs of an experiment: each is a recording of its own",)


def test_points_without_a_time_are_counted_and_without_a_position_missing(tmp_path):
    found = [
        {"x": 1, "y": 2, "t": 0},
        {"x": None, "y": 2, "t": 5},
        {"x": 1, "y": 2},
        {"x": 1, "y": 2, "t": True},
        7,
    ]
    recording = read(tmp_path, [trial(0, found)])
    assert (recording.dropped, recording.rows_in) == ({"no time": 3}, 5)
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), [1, np.nan])


@pytest.mark.parametrize("huge", ["1" + "0" * 400, "1e400", "-Infinity", "NaN"])
def test_numbers_beyond_all_measure_are_missing(huge, tmp_path):
    text = (
        f'[{{"webgazer_data": [{{"x": {huge}, "y": 1, "t": 1}}, {{"x": 1, "y": 1, "t": {huge}}}]}}]'
    )
    recording = read(tmp_path, text)
    assert recording.dropped == {"no time": 1}
    assert np.isnan(recording.sample_table["x_px"].to_numpy()).all()


@pytest.mark.parametrize(
    "text", ['{"trials": 5, "webgazer_data": 3}', "[3, null]", '[{"webgazer_data": {}}]']
)
def test_json_of_another_shape_has_no_trials_with_gaze(text, tmp_path):
    with pytest.raises(ParseError, match="no trial has webgazer_data"):
        read(tmp_path, text)


def test_json_cut_off_is_named(tmp_path):
    with pytest.raises(ParseError, match="no whole JSON"):
        read(tmp_path, json.dumps([trial(0, points(0))])[:-5])


def test_a_damaged_cell_is_named(tmp_path):
    with pytest.raises(ParseError, match="webgazer_data of trial 1 is no JSON"):
        read(tmp_path, 'trial_type,trial_index,webgazer_data\nimage,0,"[{"\n')


def test_the_size_of_a_stimulus_is_not_that_of_the_window(tmp_path):
    stimulus = trial(0, points(0), width=50, height=40)
    window = {"trial_type": "browser-check", "trial_index": 1, "width": 1600, "height": 900}
    assert read(tmp_path, [stimulus]).screen is None
    assert read(tmp_path, [stimulus, window]).screen.width_px == 1600


def test_a_second_table_ends_the_log(tmp_path):
    rows = [
        "# screen_width,800",
        "# screen_height,600",
        "timestamp_ms,gaze_x,gaze_y",
        "10,1,2",
        "20,,",
    ]
    recording = read(tmp_path, "\n".join([*rows, "# --- summary ---", "cell,error", "1,??"]) + "\n")
    assert recording.sample_table["t_ms"].to_pylist() == [0, 10]
    assert (recording.screen.width_px, recording.loss) == (800, 0.5)


def test_a_second_log_in_the_file_is_refused_at_its_line(tmp_path):
    log = "# screen_width,800\ntimestamp_ms,gaze_x,gaze_y\n10,1,2\n20,3,4\n"
    log += "# --- summary ---\ncell,error\n1,2\n"
    with pytest.raises(
        ParseError, match=r":9:1: 'timestamp_ms' in column 'timestamp_ms' is not a number"
    ):
        read(tmp_path, log + log)


def test_other_json_is_not_claimed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"trial_type": "image", "trial_index": 0, "rt": 300}]')
    assert webgazer.sniff(read_head(path)).level == Level.NO


@pytest.mark.real_data
@pytest.mark.parametrize("file", REAL_TRIALS)
def test_real_trials_of_jspsych_are_as_counted(file, exports, truth):
    samples, want = read_export(exports / file).sample_table.to_pandas(), truth[file]
    # The earliest and the latest time of any trial: each trial has its own clock.
    assert (samples["t_ms"].min(), samples["t_ms"].max()) == (want["first_t_ms"], want["last_t_ms"])
    assert samples["trial"].nunique() == want["trials_with_gaze"]
    assert samples.groupby("trial", observed=True)["t_ms"].diff().min() >= 0


@pytest.mark.real_data
def test_a_table_of_real_trials_has_the_samples_of_their_json(exports, tmp_path):
    trials = json.loads((exports / REAL_TRIALS[0]).read_text(encoding="utf-8"))
    cells = [
        {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in trial.items()}
        for trial in trials
    ]
    pd.DataFrame(cells).to_csv(tmp_path / "jspsych_group-b_s1.csv", index=False)
    table, whole = (
        read_export(tmp_path / "jspsych_group-b_s1.csv"),
        read_export(exports / REAL_TRIALS[0]),
    )
    assert table.sample_table.to_pandas().equals(whole.sample_table.to_pandas())


@pytest.mark.real_data
def test_a_real_log_is_as_its_preamble_says(exports, truth):
    recording, want = read_export(exports / REAL_LOG), truth[REAL_LOG]["preamble"]
    assert recording.sample_table.num_rows == int(want["total_samples"])
    assert (recording.screen.width_px, recording.screen.height_px) == (1890, 1071)
    assert recording.effective_rate_hz == pytest.approx(float(want["sample_rate_hz"]), rel=0.02)
    assert recording.loss == float(want["tracking_loss_pct"])


def test_trials_that_use_webgazer_and_hold_no_gaze_are_likely(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"trial_type": "webgazer-calibrate", "rt": 5}]))
    assert webgazer.sniff(read_head(path)).level == Level.LIKELY


@pytest.mark.parametrize("text", ['{"trials": 5}', "[[1], 2]", "[]"])
def test_json_without_trials_holds_no_gaze(text, tmp_path):
    with pytest.raises(ParseError, match="no trial has webgazer_data"):
        read(tmp_path, text)


def test_more_trials_than_the_memory_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(webgazer, "_MAX_BYTES", 1_000)
    with pytest.raises(ParseError, match="more than 1 GiB of trials") as caught:
        read(tmp_path, [trial(0, points(*range(200)))])
    assert caught.value.hint == "save each participant by itself"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '"trial_type","trial_index","webgazer_data"\n"a",1,"[]"\n"a",2,"[]","b","c"\n',
            "a damaged table",
        ),
        (
            '"trial_type";"trial_index";"webgazer_data"\n"a";1;"[]"\n',
            "no column webgazer_data between commas",
        ),
    ],
)
def test_a_damaged_table_of_trials_is_named(text, words, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ParseError, match=words) as caught:
        webgazer.read(read_head(path), ReadOptions())
    assert caught.value.hint
