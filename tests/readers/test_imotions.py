import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import imotions, registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.real_exports import read_export

REAL = "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt"

GAZE = ("GazeLeftx", "GazeLefty", "GazeRightx", "GazeRighty")
OLD = ("StudyName", "StimulusName", "EventSource", "Timestamp", "MediaTime", *GAZE)
OLD_FIXATION = ("FixationSeq", "FixationX", "FixationY", "FixationStart", "FixationDuration")
NEW = ("Row", "Timestamp", "SourceStimuliName", "SlideEvent", *(f"ET_{name}" for name in GAZE))
NEW_FIXATION = ("Fixation Index", "Fixation X", "Fixation Y", "Fixation Start", "Fixation Duration")


def write(tmp_path, columns, rows, delimiter="\t", before=()):
    path = tmp_path / "a.txt"
    lines = [delimiter.join(columns), *(delimiter.join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join([*before, *lines]) + "\n", encoding="utf-8")
    return path


def read(*args, **kwargs):
    head = read_head(write(*args, **kwargs))
    assert registry.detect(head).name == "imotions"
    return imotions.read(head, ReadOptions())


def old(time, gaze=(100, 50, 104, 52), source="ET", media="", fixation=("",) * 5):
    return ("s", "a.png", source, f"20200131_{time}", media, *gaze, *fixation)


def new(time, gaze=(100, 50, 104, 52), fixation=("",) * 5):
    return (1, time, "a.png", "", *gaze, *fixation)


def test_local_times_go_over_midnight(tmp_path):
    rows = [old("235959990"), (*old("")[:3], "20200201_000000010", *old("")[4:])]
    recording = read(tmp_path, OLD + OLD_FIXATION, rows)
    assert recording.sample_table["t_ms"].to_pylist() == [0, 20]
    assert recording.origin_ms == 24 * 3600e3 - 10


def test_rows_of_several_sensors_are_samples_if_the_tracker_is_among_them(tmp_path):
    sources = ["ET", "FACET", "ET|Shimmer", "Shimmer|ET", "Emotient FACET|Shimmer", "ET_Tobii"]
    recording = read(
        tmp_path, OLD + OLD_FIXATION, [old(f"1000000{i}0", source=s) for i, s in enumerate(sources)]
    )
    assert recording.sample_table["t_ms"].to_pylist() == [0, 20, 30, 50]
    assert recording.dropped == {"other sensors": 2}


def test_older_fixations_count_from_their_stimulus(tmp_path):
    rows = [
        old("100000000"),
        old("100000500", media=100, fixation=(1, 300, 200, 90, 120)),  # began 10 ms before this row
        old("100000510", media=110, fixation=(1, 300, 200, 90, 120), source="FACET"),
        old("100000700", media="", fixation=(2, 310, 210, 300, 80)),
        old("100000800", media=400, fixation=(3, "", "", 400, 80)),
    ]
    recording = read(tmp_path, OLD + OLD_FIXATION, rows)
    events = recording.event_table.to_pandas()
    assert events["index"].tolist() == [1, 2]
    assert events["onset_ms"].tolist() == [490, 700]
    assert events["duration_ms"].tolist() == [120, 80]
    assert (events["x_px"].tolist(), events["stimulus"].tolist()) == ([300, 310], ["a.png"] * 2)
    assert "1 fixations begin with their first row" in recording.notes[0]
    assert "1 fixations without" in recording.notes[1]


def test_newer_fixations_count_from_the_recording(tmp_path):
    rows = [
        new(1000.5),
        new(1010.5, fixation=(7, 300, 200, 1009.5, 60)),
        new(1020.5, fixation=(7, 300, 200, 1009.5, 60)),
    ]
    events = read(
        tmp_path, NEW + NEW_FIXATION, rows, ",", before=("#DATA,,,",)
    ).event_table.to_pandas()
    assert events[["index", "onset_ms", "duration_ms"]].to_numpy().tolist() == [[7, 9, 60]]


def test_gaze_analysis_by_itself(tmp_path):
    columns = ("Row", "Timestamp", "Gaze X", "Gaze Y", "Fixation Index by Stimulus", *NEW_FIXATION)
    rows = [
        (1, 10, 500, 300, "", *("",) * 5),
        (2, 20, -1, -1, "", *("",) * 5),
        (3, 30, 510, 310, 1, 1, 510, 310, 30, 50),
    ]
    recording = read(tmp_path, columns, rows, ",", before=("#HEADER", "#DATA"))
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), [500, np.nan, 510])
    assert (recording.eyes, recording.event_table.num_rows) == ("combined", 1)


@pytest.mark.parametrize("name", ["Validity{}", "Validity{}Eye"])
def test_validity_has_two_names(name, tmp_path):
    columns = NEW + tuple("ET_" + name.format(side) for side in ("Left", "Right"))
    rows = [
        (*new(10, fixation=()), 0, 4),
        (*new(20, fixation=()), 4, 4),
        (*new(30, fixation=()), 1, 2),
    ]
    samples = read(tmp_path, columns, rows, ",").sample_table
    np.testing.assert_array_equal(samples["x_px"].to_numpy(), [100, np.nan, 100])


def test_minus_one_in_both_coordinates_is_lost(tmp_path):
    samples = read(
        tmp_path, NEW, [new(10, (-1, -1, 104, 52), ()), new(20, (-1, 5, -1, -1), ())], ","
    ).sample_table
    assert samples["x_px"].to_pylist() == [104, -1]


def test_a_column_per_sensor_may_come_twice(tmp_path):
    columns = (*NEW, "EventSource", "EventSource")
    assert read(tmp_path, columns, [(*new(10, fixation=()), 1, 2)], ",").sample_table.num_rows == 1


def test_times_with_a_decimal_comma(tmp_path):
    assert (
        read(tmp_path, NEW, [new("10,5", fixation=()), new("20,5", fixation=())], ";").origin_ms
        == 10.5
    )


@pytest.mark.parametrize("time", ["soon", "inf", "1e5", "20200131_100000000"])
def test_a_damaged_time_has_its_line(time, tmp_path):
    path = write(
        tmp_path, NEW, [new(10, fixation=()), new(time, fixation=())], ",", before=("#DATA",)
    )
    with pytest.raises(ParseError, match="no time like that of the first row") as caught:
        imotions.read(read_head(path), ReadOptions())
    assert caught.value.line == 4


def test_rows_without_a_time_are_counted(tmp_path):
    rows = [(*old("")[:3], "", *old("")[4:]), old("100000000")]
    recording = read(tmp_path, OLD + OLD_FIXATION, rows)
    assert (recording.dropped, recording.sample_table.num_rows) == ({"no time": 1}, 1)


def test_other_sensors_alone_are_named(tmp_path):
    path = write(tmp_path, ("Row", "Timestamp", "SlideEvent", "GSR RAW"), [(1, 10, "", 0.5)], ",")
    verdict = imotions.sniff(read_head(path))
    assert (verdict.level, "without eye tracking" in verdict.reason) == (Level.NO, True)


def test_no_row_of_the_tracker_is_named(tmp_path):
    path = write(tmp_path, OLD, [old("100000000", source="FACET", fixation=())])
    with pytest.raises(ParseError, match="no rows of an eye tracker"):
        imotions.read(read_head(path), ReadOptions())


def test_rows_without_the_names_of_their_columns_are_called_what_they_are(tmp_path):
    path = tmp_path / "a.txt"
    cells = ["S", "P", "b.png", "ET|GSR", "20200131_100000000", "0", "399", "300", "401", "302"]
    path.write_text("#Study : S\n" + "\n".join("\t".join(cells) for _ in range(5)) + "\n")
    with pytest.raises(
        UnknownFormat, match="closest is imotions: rows of iMotions without the row that names"
    ) as caught:
        registry.detect(read_head(path))
    assert "export again with it" in str(caught.value)


@pytest.mark.real_data
def test_real_samples_are_even_and_fixations_those_of_imotions(exports):
    recording = read_export(exports / REAL)
    assert recording.effective_rate_hz == pytest.approx(60, rel=0.01)
    table = pd.read_csv(exports / REAL, sep="\t", dtype=str)
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


def test_eyes_without_a_validity_are_kept_and_noted(tmp_path):
    columns = (*NEW, "ET_ValidityLeftEye", "ET_ValidityRightEye")
    gaze = [(100, 50, 104, 52), (100, 50, 104, 52), (-1, -1, 104, 52), (100, 50, 104, 52)]
    rated = [(0, 0), ("", 0), ("", 0), (4, 0)]
    rows = [
        (*new(10 * i, gaze=one, fixation=()), *validity)
        for i, (one, validity) in enumerate(zip(gaze, rated, strict=True))
    ]
    recording = read(tmp_path, columns, rows)
    left = recording.sample_table["left_x_px"].to_numpy()
    assert np.isnan(left).tolist() == [False, False, True, True]
    assert "1 positions of eyes without a validity are kept" in recording.notes
