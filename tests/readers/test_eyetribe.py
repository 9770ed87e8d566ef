import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers import eyetribe, registry
from gazetrack.readers.base import ReadOptions, read_head
from tests.parts import grown, same_in_parts
from tests.places import GOLDEN
from tests.real_exports import read_export

REAL = [f"eyetribe/huettel_P{n}_EyeTribe.tsv" for n in (1, 2)]

COLUMNS = ("timestamp", "time", "fix", "state", "rawx", "rawy", "avgx", "avgy", "psize")


def row(time, fix="False", x=100, y=50):
    return f"-\t{time}\t{fix}\t7\t{x}\t{y}\t{x}\t{y}\t20"


def read(tmp_path, *lines):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return eyetribe.read(read_head(path), ReadOptions())


def test_runs_of_the_flag_are_fixations(tmp_path):
    recording = read(
        tmp_path,
        row(0),
        row(20, "True", 100),
        row(40, "True", 104),
        row(60, x=0, y=0),
        row(80, "True"),
    )
    events = recording.event_table.to_pandas()
    assert events["onset_ms"].tolist() == [20, 80]
    assert events["duration_ms"].tolist() == [40, 20]
    assert events["x_px"].tolist() == [102, 100]
    assert "flag fix" in recording.notes[0]


def test_a_flag_that_is_never_set_gives_no_fixations(tmp_path):
    recording = read(tmp_path, row(0), row(20))
    assert (recording.event_table.num_rows, recording.notes) == (0, ())


def test_only_both_coordinates_at_zero_mean_lost(tmp_path):
    samples = read(tmp_path, row(0, x=0, y=0), row(20, x=0, y=5)).sample_table
    np.testing.assert_array_equal(samples["x_px"].to_numpy(), [np.nan, 0])


def test_messages_keep_tabs_and_stand_in_order(tmp_path):
    events = read(tmp_path, "MSG\t-\t5\timage on\ta.png", row(10), "MSG\t-\t1\tearly").event_table
    assert events["text"].to_pylist() == ["early", "image on\ta.png"]
    assert events["onset_ms"].to_pylist() == [-9, -5]


@pytest.mark.parametrize("time", ["", "soon", "9" * 400, "-5"])
def test_a_message_without_a_time_is_named(time, tmp_path):
    with pytest.raises(ParseError, match="'image on' has no time"):
        read(tmp_path, row(0), f"MSG\t-\t{time}\timage on")


def test_a_display_of_no_size_is_no_screen(tmp_path):
    recording = read(
        tmp_path,
        "MSG\t-\t0\tdisplay resolution: 0x0",
        "MSG\t-\t0\tsamplerate: 0.00 Hz",
        row(0),
        row(20),
    )
    assert (recording.screen, recording.rate_hz) == (None, None)


def test_the_screen_comes_from_the_messages(tmp_path):
    lines = [
        "MSG\t-\t0\tdisplay resolution: 1280x1024",
        "MSG\t-\t0\tdisplay size in cm: 0.0x27.1",
        row(0),
    ]
    screen = read(tmp_path, *lines).screen
    assert (screen.width_px, screen.width_mm, screen.height_mm) == (1280, None, 271.0)


def test_the_order_of_columns_is_free(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text(
        "\n".join("\t".join(reversed(line.split("\t"))) for line in ["\t".join(COLUMNS), row(0)])
        + "\n"
    )
    assert registry.detect(read_head(path)).name == "eyetribe"


def test_a_damaged_cell_has_its_line_among_messages(tmp_path):
    with pytest.raises(ParseError, match="rawx") as caught:
        read(tmp_path, "MSG\t-\t0\tstart", row(0), "MSG\t-\t1\tgo", row(20, x="1x"))
    assert caught.value.line == 5


@pytest.mark.real_data
@pytest.mark.parametrize("file", REAL)
def test_real_logs_are_as_counted(file, exports, truth):
    recording, want = read_export(exports / file), truth[file]
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


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("eyetribe", tmp_path / "raw.tsv"), monkeypatch)
    assert len(found.samples) > 200
    assert len(found.events) > 10


def test_samples_without_a_flag_are_of_no_fixation_and_noted(tmp_path):
    source = (GOLDEN / "eyetribe" / "fixations" / "input.tsv").read_text("utf-8")
    flag = "\tTrue\t"
    at = source.index(flag)
    path = tmp_path / "input.tsv"
    path.write_text(source[:at] + "\t\t" + source[at + len(flag) :], "utf-8")
    note = "1 samples whose flag fix is no True or False: of no fixation"
    assert note in gazetrack.read(path).notes


def test_rows_without_a_time_make_no_fixation(tmp_path):
    recording = read(tmp_path, row("", "True"))
    assert recording.event_table.num_rows == 0
    assert sum(recording.dropped.values()) == 1
