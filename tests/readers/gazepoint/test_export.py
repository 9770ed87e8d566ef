import tracemalloc
from unittest import mock

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Level, ReadOptions, read_head
from gazetrack.readers.gazepoint import export as gazepoint
from gazetrack.readers.shared import sink as _sink
from gazetrack.readers.text import cells as _cells
from tests.contracts import check_reader
from tests.places import GOLDEN

HEADER = "MEDIA_ID,MEDIA_NAME,TIME(2024/01/01 00:00:00.000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,"


def head_of(tmp_path, rows, header=HEADER):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_head(path)


def read(tmp_path, rows, header=HEADER):
    return gazepoint.read(head_of(tmp_path, rows, header), ReadOptions())


def test_without_best_gaze_samples_are_the_gaze_of_fixations(tmp_path):
    recording = read(tmp_path, ["0,a,1.0,0.5,0.5,1.0,0,1,0,", "0,a,1.1,0.5,0.5,1.0,0.1,1,1,"])
    assert recording.sample_table["x_px"].to_pylist() == pytest.approx(
        [float("nan"), 960], nan_ok=True
    )
    assert (recording.origin_ms, recording.event_table["onset_ms"].to_pylist()) == (1000, [0])
    assert any("no BPOGX" in note for note in recording.notes)


def test_a_medium_shown_twice_is_two_recordings(tmp_path):
    rows = ["0,a,0.0,0.5,0.5,0,0,1,1,", "0,a,0.1,0.5,0.5,0,0.1,1,1,"]
    recording = read(tmp_path, rows + rows)
    assert recording.sample_table["recording"].to_pylist() == ["a_1", "a_1", "a_2", "a_2"]
    assert recording.sample_table["t_ms"].to_pylist() == [0, 100, 0, 100]


def test_a_damaged_cell_has_its_place(tmp_path):
    with pytest.raises(ParseError, match="FPOGY") as caught:
        read(tmp_path, ["0,a,0.0,0.5,0.5,0,0,1,1,", "0,a,0.1,0.5,??,0,0.1,1,1,"])
    assert (caught.value.line, caught.value.column) == (3, 5)


def test_an_export_without_gaze_is_named(tmp_path):
    verdict = gazepoint.sniff(
        head_of(tmp_path, [], "MEDIA_ID,MEDIA_NAME,TIME(2024/01/01 00:00:00.000),AOI,")
    )
    assert (verdict.level, "without FPOGD" in verdict.reason) == (Level.NO, True)


def test_a_time_column_is_needed(tmp_path):
    with pytest.raises(ParseError, match="TIME"):
        read(tmp_path, ["0,1"], "MEDIA_ID,FPOGX")


def test_units_of_the_image_are_read_as_the_note_says():
    path = GOLDEN / "gazepoint" / "time_in_secs" / "input.csv"
    (note,) = [note for note in gazetrack.read(path).notes if "X_ORIGINAL" in note]
    columns = dict(pair.split("=") for pair in note.rsplit(" ", 1)[1].split(","))
    fixations = gazetrack.read(path, columns=columns).fixation_table
    assert fixations["x_px"].to_pylist() == [998, 952, 642, 650]
    assert fixations["onset_ms"].to_pylist() == pytest.approx([100, 750, 200, 900])
    assert fixations["stimulus"].to_pylist() == ["chest-a", "chest-a", "chest-b", "chest-b"]


def long_export(tmp_path, n, kind="gaze"):
    """Three media; fixations of seven samples, of which two are not valid yet, or of one row."""
    rows = []
    for i in range(n):
        medium, at = divmod(i, (n + 2) // 3)
        number, step = divmod(at, 7) if kind == "gaze" else (at, 6)
        place = f"{0.2 + (i * 7919) % 1000 / 2000:.5f}"
        times = f"{at / 60:.5f},{place},0.5,{number * 7 / 60:.5f},{step / 60:.5f}"
        rows.append(f"{medium},m{medium}.png,{times},{number},{int(step > 1)},")
    path = tmp_path / f"{kind}{n}.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


@pytest.mark.parametrize("kind", ["gaze", "fixations"])
def test_parts_of_an_export_make_no_difference(kind, tmp_path):
    path = long_export(tmp_path, 500, kind)
    whole = gazetrack.read(path)
    with (
        mock.patch.object(_cells, "BLOCK_BYTES", 700),
        mock.patch("gazetrack.readers.text.utf8.BLOCK_BYTES", 700),
        mock.patch.object(_cells, "PART_ROWS", 3),
    ):
        parts = gazetrack.read(path)
    assert (parts.rows_in, parts.dropped, parts.notes) == (
        whole.rows_in,
        whole.dropped,
        whole.notes,
    )
    for one, other in (
        (whole.sample_table, parts.sample_table),
        (whole.event_table, parts.event_table),
        (whole.fixation_table, parts.fixation_table),
    ):
        assert (one is None) == (other is None)
        if one is not None:
            pd.testing.assert_frame_equal(
                one.to_pandas(), other.to_pandas(), check_categorical=False
            )
    assert (whole.fixation_table is None) == (kind == "gaze")
    assert (whole.event_table.num_rows > 60) == (kind == "gaze")


def peak(path):
    tracemalloc.start()
    with (
        mock.patch.object(_cells, "BLOCK_BYTES", 1 << 14),
        mock.patch("gazetrack.readers.text.utf8.BLOCK_BYTES", 1 << 14),
        mock.patch.object(_cells, "PART_ROWS", 1000),
        mock.patch.object(_sink.SampleSink.__init__, "__defaults__", (1000,)),
    ):
        gazetrack.read(path)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.mark.slow
def test_memory_does_not_grow_with_the_samples(tmp_path):
    short, long = long_export(tmp_path, 10_000), long_export(tmp_path, 60_000)
    peak(short)
    more = long.stat().st_size - short.stat().st_size
    # The lesser of two: now and then something else in the process is counted along.
    of_long, of_short = (min(peak(path), peak(path)) for path in (long, short))
    assert of_long - of_short < more  # of short rows; before, seven times as much


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "n_never_valid", "n_empty"),
    [("jhthompson_c0_User_1_all_gaze.csv", 3, 2), ("thed2lab_User_1_all_gaze.csv", 1, 0)],
)
def test_real_samples_are_as_counted(file, n_never_valid, n_empty, exports, truth):
    recording, want = (
        check_reader(gazepoint, exports / "gazepoint" / file),
        truth[f"gazepoint/{file}"],
    )
    t, durations = (
        recording.sample_table["t_ms"].to_numpy(),
        recording.event_table["duration_ms"].to_numpy(),
    )
    assert recording.sample_table.num_rows == want["n_samples"]
    assert recording.origin_ms + t.min() == want["first_t_ms"]
    assert t.max() == pytest.approx(want["last_t_ms"])
    # The truth calls its count of fixations an upper one: it counts every number, also those that
    # never become valid, and those whose only valid row has no duration yet. All of these last 0 s,
    # so the sum of durations is the same.
    assert durations.size == want["n_fixations"] - n_never_valid - n_empty
    assert durations.sum() == pytest.approx(want["mean_fix_dur_ms"] * want["n_fixations"], abs=0.05)
    assert len(set(recording.sample_table["recording"].to_pylist())) == want["n_media"]


@pytest.mark.real_data
def test_real_samples_have_the_fixations_of_the_fixation_table(exports):
    events = check_reader(gazepoint, exports / "gazepoint/thed2lab_User_1_all_gaze.csv").event_table
    table = check_reader(
        gazepoint, exports / "gazepoint/thed2lab_User_1_fixations.csv"
    ).fixation_table
    for name in ("index", "onset_ms", "duration_ms", "x_px", "y_px"):
        assert events[name].to_pylist() == table[name].to_pylist()


@pytest.mark.real_data
@pytest.mark.parametrize(
    "file", ["jhthompson_c0_User_38", "jhthompson_c1_User_8", "thed2lab_User_1"]
)
def test_real_fixations_are_as_counted(file, exports, truth):
    file = f"gazepoint/{file}_fixations.csv"
    recording, want = check_reader(gazepoint, exports / file), truth[file]
    durations = recording.fixation_table["duration_ms"].to_numpy()
    assert durations.size == want["n_fixations"]
    assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)
    # The truth takes the earliest and latest TIME of any medium; a row's TIME is the end of its
    # fixation.
    ends = recording.fixation_table["onset_ms"].to_numpy() + durations
    assert ends.min() == pytest.approx(want["first_t_ms"], abs=0.05)
    assert ends.max() == pytest.approx(want["last_t_ms"], abs=0.05)
    assert len(set(recording.fixation_table["recording"].to_pylist())) == want["n_media"]


def test_a_time_column_alone_is_no_export(tmp_path):
    head = head_of(tmp_path, ["0.0,0.5,0.5"], "TIME,FPOGX,FPOGY")
    assert gazepoint.sniff(head) == NO


def test_pupils_of_a_log_may_be_in_millimetres(tmp_path):
    header = "CNT,TIME,TIME_TICK,FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,LPMM,LPMMV,LPUPILD,USER"
    rows = [f"{i},{i / 10},{i},0.5,0.5,0.0,{i / 10},1,1,3.5,1,0.007,0" for i in range(3)]
    recording = read(tmp_path, rows, header)
    # Those in metres, which contradict them, are not looked at.
    assert recording.sample_table["left_pupil"].to_pylist() == [3.5] * 3


def test_values_without_their_flag_are_missing_and_counted(tmp_path):
    source = (GOLDEN / "gazepoint" / "all_gaze" / "input.csv").read_text("utf-8").splitlines()
    names = source[0].split(",")
    cells = [line.split(",") for line in source]
    cells[2][names.index("LPMMV")] = ""
    cells[3][names.index("LPMMV")] = ""
    cells[2][names.index("BPOGV")] = "nan"
    path = tmp_path / "input.csv"
    path.write_text("\n".join(map(",".join, cells)) + "\n", "utf-8")
    recording = gazetrack.read(path)
    assert pd.isna(recording.samples["left_pupil"][1])
    assert "2 values without LPMMV, their flag: taken as missing" in recording.notes
    assert "1 values without BPOGV, their flag: taken as missing" in recording.notes


def test_rows_without_their_flag_are_of_no_fixation_and_counted(tmp_path):
    rows = ["0,a,0.0,0.5,0.5,0,0,1,1,", "0,a,0.1,0.5,0.5,0,0.1,1,1,", "0,a,0.2,0.5,0.5,0,0.2,2,,"]
    recording = read(tmp_path, rows)
    assert recording.event_table["duration_ms"].to_pylist() == pytest.approx([100])
    assert "1 rows without FPOGV: taken as of no fixation" in recording.notes


def test_rows_in_no_order_are_refused_at_the_first_of_them(tmp_path):
    times = np.random.default_rng(1).permutation(50) / 10
    with pytest.raises(ParseError, match="rows in no order") as caught:
        read(tmp_path, [f"0,a,{t},0.5,0.5,0,0.1,1,0," for t in times])
    first = int(np.flatnonzero(np.diff(times) < 0)[0]) + 1
    assert caught.value.line == 2 + first


def test_rows_without_a_time_are_counted(tmp_path):
    recording = read(tmp_path, ["0,a,,0.5,0.5,0,0,1,1,", "0,a,,0.5,0.5,0,0.1,1,1,"])
    assert recording.dropped == {"no time": 2}
    assert recording.rows_in == 2
