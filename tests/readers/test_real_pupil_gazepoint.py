"""Real exports of Gazepoint and Pupil Labs against counts that were made without this library."""

import json

import pytest

from gazetrack.errors import UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import read_head
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def truth(data_dir):
    return json.loads((data_dir / "exports" / "truth.json").read_text(encoding="utf-8"))


def read(name, file, data_dir):
    return check_reader(registry.get(name), data_dir / "exports" / file)


@pytest.mark.parametrize(
    ("file", "n_never_valid", "n_empty"),
    [("jhthompson_c0_User_1_all_gaze.csv", 3, 2), ("thed2lab_User_1_all_gaze.csv", 1, 0)],
)
def test_gazepoint_samples(file, n_never_valid, n_empty, data_dir, truth):
    recording, want = read("gazepoint", f"gazepoint/{file}", data_dir), truth[f"gazepoint/{file}"]
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


def test_gazepoint_samples_have_the_fixations_of_the_fixation_table(data_dir, truth):
    events = read("gazepoint", "gazepoint/thed2lab_User_1_all_gaze.csv", data_dir).event_table
    table = read("gazepoint", "gazepoint/thed2lab_User_1_fixations.csv", data_dir).fixation_table
    for name in ("index", "onset_ms", "duration_ms", "x_px", "y_px"):
        assert events[name].to_pylist() == table[name].to_pylist()


@pytest.mark.parametrize(
    "file", ["jhthompson_c0_User_38", "jhthompson_c1_User_8", "thed2lab_User_1"]
)
def test_gazepoint_fixations(file, data_dir, truth):
    file = f"gazepoint/{file}_fixations.csv"
    recording, want = read("gazepoint", file, data_dir), truth[file]
    durations = recording.fixation_table["duration_ms"].to_numpy()
    assert durations.size == want["n_fixations"]
    assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)
    # The truth takes the earliest and latest TIME of any medium; a row's TIME is the end of its
    # fixation.
    ends = recording.fixation_table["onset_ms"].to_numpy() + durations
    assert ends.min() == pytest.approx(want["first_t_ms"], abs=0.05)
    assert ends.max() == pytest.approx(want["last_t_ms"], abs=0.05)
    assert len(set(recording.fixation_table["recording"].to_pylist())) == want["n_media"]


@pytest.mark.parametrize(
    "folder", ["pupil_tutorials_10", "gaze2svg_tip", "wcosta_1280x720_withoutBlinks"]
)
def test_pupil_core_samples(folder, data_dir, truth):
    file = f"pupil_core/{folder}/gaze_positions.csv"
    recording, want = read("pupil_core", file, data_dir), truth[file]
    t = recording.origin_ms + recording.sample_table["t_ms"].to_numpy()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    assert recording.loss == pytest.approx(want["conf_lt_0_6"] / want["n_samples"])


@pytest.mark.parametrize(
    "file", ["pupil_tutorials_10/fixations.csv", "chblab_surface/005_fixations_on_surface.csv"]
)
def test_pupil_core_fixations(file, data_dir, truth):
    file = f"pupil_core/{file}"
    recording, want = read("pupil_core", file, data_dir), truth[file]
    t = recording.origin_ms + recording.fixation_table["onset_ms"].to_numpy()
    assert recording.rows_in == want["n_rows"]
    assert recording.fixation_table.num_rows == want["n_fixations"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    assert recording.fixation_table["duration_ms"].to_numpy().mean() == pytest.approx(
        want["mean_fix_dur_ms"], abs=1e-3
    )


def test_pupil_core_companions_are_refused(data_dir, truth):
    companions = {"pupil_core_blinks", "pupil_core_pupil", "pupil_core_other"}
    files = [file for file, facts in truth.items() if facts["format"] in companions]
    assert files
    for file in files:
        with pytest.raises(
            UnknownFormat, match=r"holds no gaze: it is .* of a Pupil Core recording"
        ):
            registry.detect(read_head(data_dir / "exports" / file))


@pytest.mark.parametrize(
    "folder", ["glassesvalidator_invisible", "eyedentify3d_invisible_trampoline_01"]
)
def test_pupil_cloud_samples(folder, data_dir, truth):
    file = f"pupil_cloud/{folder}/gaze.csv"
    recording, want = read("pupil_cloud", file, data_dir), truth[file]
    kinds = recording.event_table["kind"].to_pylist()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert kinds.count("fixation") == want["n_fixations"]
    assert kinds.count("blink") == truth[f"pupil_cloud/{folder}/blinks.csv"]["n_events"]
    assert recording.start_ns == want["t0_ns"]
    assert (
        recording.start_ns + round(recording.sample_table["t_ms"][-1].as_py() * 1e6)
        == want["t1_ns"]
    )


def test_pupil_cloud_fixations(data_dir, truth):
    file = "pupil_cloud/glassesvalidator_invisible/fixations.csv"
    recording, want = read("pupil_cloud", file, data_dir), truth[file]
    t = recording.origin_ms + recording.fixation_table["onset_ms"].to_numpy()
    durations = recording.fixation_table["duration_ms"].to_numpy()
    assert durations.size == want["n_fixations"]
    assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    events = read(
        "pupil_cloud", file.replace("fixations", "gaze"), data_dir
    ).event_table.to_pandas()
    events = events[events["kind"] == "fixation"]
    assert events["onset_ms"].tolist() == recording.fixation_table["onset_ms"].to_pylist()
    # The fixation table has whole milliseconds; its last fixation ends after the last sample of the
    # gaze file.
    assert events["duration_ms"].to_numpy()[:-1] == pytest.approx(durations[:-1], abs=1.0)


def test_pupil_cloud_companions_are_refused(data_dir, truth):
    kinds = ("blinks", "events", "world_timestamps", "meta")
    files = [
        file
        for file, facts in truth.items()
        if facts["format"] in {f"pupil_cloud_{kind}" for kind in kinds}
    ]
    assert files
    for file in files:
        with pytest.raises(
            UnknownFormat, match=r"holds no gaze: it is .* of a Pupil Cloud recording"
        ):
            registry.detect(read_head(data_dir / "exports" / file))
