import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.events.fixations import fixation_table
from gazetrack.readers import viewpoint
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.parts import grown, same_in_parts
from tests.real_exports import read_export

REAL = "arrington_viewpoint/pspm_viewpoint_test_data.txt"

INFO = "3\tScreenSize\t400.0\t300.0"
CODES = "6\tATT\tALX\tALY\tAPW\tAQU\tAFX\tMRK\tSTR"


def sample(time, timer=0.0, x=0.5, y=0.5, quality=0, marker="", text=""):
    return f"10\t  {time:.4f}\t{x}\t{y}\t0.2\t{quality}\t{timer:.4f}\t{marker}\t{text}"


def read(tmp_path, *lines, info=INFO, codes=CODES):
    path = tmp_path / "a.txt"
    path.write_text("\n".join([info, codes, *lines]) + "\n", encoding="utf-8")
    return viewpoint.read(read_head(path), ReadOptions())


def test_fixations_are_where_the_timer_grows(tmp_path):
    # The first was already 0.5 s long when the file begins; then a saccade, whose samples each
    # begin the timer anew.
    timers = [0.5, 0.52, 0.54, 0.02, 0.0201, 0.0199, 0.04, 0.06, 0.02]
    recording = read(
        tmp_path, *(sample(1 + 0.02 * i, timer, x=i / 10) for i, timer in enumerate(timers))
    )
    events = recording.event_table.to_pandas()
    assert events["onset_ms"].tolist() == pytest.approx([-500, 80], abs=1e-6)
    assert events["duration_ms"].tolist() == pytest.approx([540, 60])
    assert events["x_px"].tolist() == pytest.approx([128, 768])
    assert any("fixation timer" in note for note in recording.notes)


def test_a_timer_at_zero_is_no_fixation(tmp_path):
    recording = read(tmp_path, *(sample(0.02 * i) for i in range(5)))
    assert recording.event_table.num_rows == 0
    assert not any("timer" in note for note in recording.notes)


def test_two_eyes_have_fixations_of_their_own(tmp_path):
    rows = [
        f"10\t{0.02 * i:.2f}\t0.5\t0.5\t{0.02 * i:.2f}\t0.6\t0.5\t{(0, 0, 0, 0.02, 0.04)[i]:.2f}"
        for i in range(5)
    ]
    recording = read(tmp_path, *rows, codes="6\tATT\tALX\tALY\tAFX\tBLX\tBLY\tBFX")
    events = recording.event_table.to_pandas().set_index("eye")
    assert events["duration_ms"].to_dict() == {
        "right": pytest.approx(80),
        "left": pytest.approx(40),
    }
    assert recording.sample_table["left_x_px"].to_pylist()[0] == pytest.approx(768)


def test_lengths_of_the_screen_make_its_proportions_and_degrees(tmp_path):
    screen = read(tmp_path, "3\tViewingDistance\t600", sample(0)).screen
    assert (screen.width_px, screen.height_px) == (1280, 960)
    assert (screen.width_mm, screen.height_mm, screen.distance_mm) == (400, 300, 600)


@pytest.mark.parametrize(
    "info", ["3\tScreenSize\t0\t300", "3\tScreenSize\t1.2.3\t300", "3\tScreenSize\t1\t999999"]
)
def test_useless_lengths_are_none(info, tmp_path):
    screen = read(tmp_path, sample(0), info=info).screen
    assert (screen.height_px, screen.width_mm) == (1024, None)


def test_one_eye_has_one_pupil(tmp_path):
    recording = read(tmp_path, sample(0))
    assert np.isnan(recording.sample_table["left_pupil"].to_numpy()).all()
    assert recording.sample_table["right_pupil"].to_pylist() == [pytest.approx(0.2)]
    assert "which eye it was is not in the file" in recording.notes[0]


def test_lost_samples_by_quality(tmp_path):
    samples = read(tmp_path, sample(0, quality=3), sample(0.02, quality=4)).sample_table
    np.testing.assert_array_equal(samples["x_px"].to_numpy(), [640, np.nan])


def test_lines_of_other_codes_are_counted_and_strings_kept(tmp_path):
    lines = [
        "16\t 0.000000\tSTART.BMP",
        "7\t 0.0\tEyeA FrameRate\t0",
        "814\t0.1\tEyeA:Saccade",
        "2\t0.05\tgo",
    ]
    recording = read(tmp_path, *lines, sample(0, marker="A", text="b.png"), sample(0.02))
    assert recording.event_table["text"].to_pylist() == ["START.BMP", "A b.png", "go"]
    assert (recording.dropped, recording.rows_in) == ({"lines of other codes": 1}, 5)


@pytest.mark.parametrize("time", ["", "now", "nan", "inf", "9" * 400])
def test_a_message_without_a_time_is_named(time, tmp_path):
    with pytest.raises(ParseError, match="'go' has no time"):
        read(tmp_path, sample(0), f"12\t{time}\tgo")


def test_a_second_recording_is_refused_at_its_line(tmp_path):
    with pytest.raises(ParseError, match="a second recording begins") as caught:
        read(tmp_path, sample(5), sample(6), INFO, CODES, sample(0))
    assert caught.value.line == 7


def test_a_small_step_back_is_noted(tmp_path):
    read(tmp_path, sample(1), sample(0.98))
    assert (
        "the clock steps back 1 times, by 20 ms at most" in gazetrack.read(tmp_path / "a.txt").notes
    )


def test_other_columns_further_down_are_refused(tmp_path):
    with pytest.raises(ParseError, match="columns change"):
        read(tmp_path, sample(0), CODES.replace("AFX", "ARI"), sample(1))


def test_a_damaged_cell_has_its_line(tmp_path):
    with pytest.raises(ParseError, match="ALX") as caught:
        read(tmp_path, sample(0), "16\t0.01\tx", sample(1, x="??"))
    assert caught.value.line == 5


def test_no_codes_no_reading(tmp_path):
    with pytest.raises(ParseError, match="column codes"):
        read(tmp_path, sample(0), codes="")
    path = tmp_path / "b.txt"
    path.write_text("3\tx\n10\t1\n")
    assert viewpoint.sniff(read_head(path)).level == Level.NO


@pytest.mark.real_data
def test_real_fixations_are_those_of_the_timer(exports, truth):
    recording, want = read_export(exports / REAL), truth[REAL]
    rows = [
        line.split("\t")
        for line in (exports / REAL).read_text().splitlines()
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


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("viewpoint", tmp_path / "raw.txt"), monkeypatch)
    assert len(found.samples) > 200


def test_the_timer_is_followed_across_parts(tmp_path, monkeypatch):
    lines = ["3\tScreenSize\t300.0\t240.0\n", "6\tATT\tADT\tALX\tALY\tAFX\tMRK\tSTR\n"]
    for i in range(120):
        t = 1 + i / 60
        timer = i % 17 / 60 if i % 17 < 13 else 0
        marker = "A" if i % 23 == 5 else ""
        if i % 29 == 7:
            lines.append(f"12\t{t:.4f}\tmarked {i}\n")
        lines.append(f"10\t{t:.4f}\t16.7\t{0.4 + i / 900:.4f}\t0.5\t{timer:.4f}\t{marker}\t\n")
    path = tmp_path / "raw.txt"
    path.write_text("".join(lines))
    found = same_in_parts(path, monkeypatch)
    kinds = found.events["kind"].value_counts()
    assert kinds["fixation"] == 7
    assert kinds["message"] == 9
    messages = found.events[found.events["kind"] == "message"]
    assert messages["index"].tolist() == [*range(1, 10)]


def test_without_a_size_of_the_screen_it_is_a_nominal_one(tmp_path):
    recording = read(tmp_path, *(sample(0.02 * i) for i in range(3)), info="3\tTimeValues\t0")
    assert (recording.screen.width_px, recording.screen.width_mm) == (1280, None)


def test_no_samples_have_no_fixations():
    runs = viewpoint._Fixations()
    nothing = {key: np.empty(0) for key in ("timer", "time", "x", "y")}
    assert runs.take(nothing) == {}
    assert not any(len(found) for found in runs.close())
