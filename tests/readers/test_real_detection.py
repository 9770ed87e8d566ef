"""Every real export: found by content under any name, read as independent counts say, or refused by name."""

import json

import numpy as np
import pytest

from gazetrack.errors import GazetrackError, InputError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.head import HEAD_BYTES
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data

FILES = {
    "adhawk_mindlink/mindlink_raw_01/blink_data.csv": "blinks of an AdHawk",
    "adhawk_mindlink/mindlink_raw_01/ipd_data.csv": "pupil distances of an AdHawk",
    "adhawk_mindlink/mindlink_raw_01/meta_data.json": "settings of an AdHawk",
    "arff/sp_tool_arff_data_example.arff": "arff",
    "arrington_viewpoint/pspm_viewpoint_test_data.txt": "viewpoint",
    "bids_eyetrack/eye2bids_decisions_modality_eyetrack.tsv": "bids",
    "bids_eyetrack/eye2bids_eyetrack.tsv.gz": "bids",
    "bids_eyetrack/studyforrest_sub-30_task-movie_run-1_events.tsv": "labelled_events",
    "eyelink_dataviewer/gazer_s2_samples.xls": "generic",
    "eyetribe/huettel_P1_EyeTribe.tsv": "eyetribe",
    "eyetribe/huettel_P2_EyeTribe.tsv": "eyetribe",
    "eyelink_asc/cili_binoc_250Hz_1_samps.csv": "generic",
    "lsl_xdf/tobii_streamer_test_old1.xdf": "xdf",
    "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt": "imotions",
    "tobii_glasses3/eyedentify3d_calibration_1/eventdata.gz": "sync signals of a Glasses 3",
    "tobii_glasses3/eyedentify3d_calibration_1/gazedata.gz": "tobii_glasses3",
    "tobii_glasses3/eyedentify3d_calibration_1/imudata.gz": "movements of the head of a Glasses 3",
    "tobii_other/emdat_tobii_sdk_4Ctest.csv": "tobii_sdk",
    "tobii_other/emdat_tobii_sdk_4Ctest_fixation.csv": "labelled_events",
    "tobii_other/huettel_P1_pygaze_TOBII_output.tsv": "tobii_logs",
    "tobii_other/i2mc_tx300_participant1_2.tsv": "tobii_logs",
    "tobii_pro_lab_metrics/andersson_decision_making_metrics_AOIbased.tsv": "metrics export of Tobii Pro Lab",
    "vr_headset/eyedentify3d_HTC_Vive_Pro_TESTNA01_2D_Fist3.csv": "vr_headset",
    "vr_headset/eyedentify3d_Pico_Neo_3_Pro_boxing_2D.csv": "vr_headset",
    "webgazer_jspsych/jspsych_group-b_s1.json": "webgazer",
    "webgazer_jspsych/jspsych_group-d_s1.json": "webgazer",
    "webgazer_jspsych/webcam_webgazer_pursuit_04-23-12.csv": "webgazer",
}
_SEGMENT = "tobii_glasses2/glassesviewer_raoscyb/recordings/gzz7stc"
FILES |= {
    "tobii_glasses2/glassesviewer_raoscyb/project.json": "project file of Tobii Glasses 2",
    f"{_SEGMENT}/participant.json": "participant file of Tobii Glasses 2",
    f"{_SEGMENT}/recording.json": "recording file of Tobii Glasses 2",
    f"{_SEGMENT}/sysinfo.json": "system file of Tobii Glasses 2",
    f"{_SEGMENT}/segments/1/calibration.json": "calibration file of Tobii Glasses 2",
    f"{_SEGMENT}/segments/1/et.tslv.gz": "binary stream log",
    f"{_SEGMENT}/segments/1/livedata.json.gz": "tobii_glasses2",
    f"{_SEGMENT}/segments/1/segment.json": "segment file of Tobii Glasses 2",
}
_BIDS = "bids_eyetrack/bids_examples/eyetracking_binocular"
FILES |= {
    f"{_BIDS}/task-FreeView_{name}.json": "sidecar of a BIDS"
    for name in ("events", "physio", "physioevents")
}
FILES |= {
    f"{_BIDS}/sub-01/beh/sub-01_task-FreeView_run-01_events.tsv": "BIDS events",
    f"{_BIDS}/sub-01/beh/sub-01_task-FreeView_run-01_recording-eye1_physio.json": "sidecar of a BIDS",
}
READ = sorted((file, name) for file, name in FILES.items() if " " not in name)
REFUSED = sorted((file, what) for file, what in FILES.items() if " " in what)
# Where the independent counts are not those of gaze samples: what they count, and what is right.
CORRECTED = {
    # Not counted: the stretches over which ViewPoint's own timer of fixations grows; the first
    # began before the file.
    "arrington_viewpoint/pspm_viewpoint_test_data.txt": {"n_fixations": 2},
    # Rows whose source is "ET" alone; the tracker's rows that also hold another sensor's are
    # samples, too: with them the sampling is even, at 60 Hz. The fixations, FixationSeq 1 to 16,
    # are not counted.
    "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt": {"n_samples": 458, "n_fixations": 16},
    # 356 of the 16,905 rows are messages: a time, nine empty cells and a text.
    "tobii_other/huettel_P1_pygaze_TOBII_output.tsv": {"n_samples": 16549},
    # 28 labelled rows, of which 14 are saccades.
    "tobii_other/emdat_tobii_sdk_4Ctest_fixation.csv": {"n_fixations": 14},
}
# Clocks that begin anew within the file have no first and last time in common; the other two are in
# other units.
NO_COMMON_CLOCK = ("webgazer_jspsych/jspsych", "tobii_other/huettel", "vr_headset/eyedentify3d_HTC")


@pytest.fixture(scope="module")
def truth(data_dir):
    return json.loads((data_dir / "exports" / "truth.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), READ)
def test_read_as_counted(file, name, data_dir, truth):
    recording = check_reader(registry.get(name), data_dir / "exports" / file)
    want = truth[file] | CORRECTED.get(file, {})
    assert (0 if recording.sample_table is None else recording.sample_table.num_rows) == want[
        "n_samples"
    ]
    fixations = np.array(recording.event_table["kind"].to_pylist()) == "fixation"
    durations = recording.event_table["duration_ms"].to_numpy()[fixations]
    assert durations.size == (want["n_fixations"] or 0)
    if want["mean_fix_dur_ms"] is not None:
        assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)
    if (
        recording.sample_table is not None
        and want["first_t_ms"] is not None
        and not file.startswith(NO_COMMON_CLOCK)
    ):
        times = recording.origin_ms + recording.sample_table["t_ms"].to_numpy()[[0, -1]]
        assert times == pytest.approx([want["first_t_ms"], want["last_t_ms"]], rel=1e-12, abs=2e-3)


@pytest.mark.parametrize(("file", "what"), REFUSED)
def test_refused_by_name(file, what, data_dir, tmp_path):
    for path in (data_dir / "exports" / file, renamed(data_dir / "exports" / file, tmp_path)):
        if "renamed" in path.name and what == "binary stream log":
            continue  # nothing but its name says what it is
        with pytest.raises(UnknownFormat, match="holds no gaze: it is") as caught:
            registry.detect(read_head(path))
        assert what in str(caught.value)
        assert caught.value.hint


def renamed(path, folder):
    copy = folder / ("renamed.txt.gz" if path.suffix == ".gz" else "renamed.txt")
    copy.write_bytes(path.read_bytes())
    return copy


@pytest.mark.parametrize(("file", "name"), READ)
def test_the_first_64_kib_are_enough(file, name, data_dir, tmp_path):
    (tmp_path / "renamed.txt").write_bytes(read_head(data_dir / "exports" / file).data[:HEAD_BYTES])
    assert registry.detect(read_head(tmp_path / "renamed.txt")).name == name


def test_nothing_crashes_and_all_is_known(data_dir, truth):
    unknown = {}
    for file in truth:
        try:
            registry.detect(read_head(data_dir / "exports" / file))
        except GazetrackError as error:
            if "holds no gaze" not in str(error) and not (
                isinstance(error, InputError) and "is empty" in str(error)
            ):
                unknown[file] = str(error)
    assert not unknown


def test_a_lab_recording_without_a_tracker_is_named(data_dir):
    head = read_head(data_dir / "exports" / "lsl_xdf" / "xdf_minimal.xdf")
    with pytest.raises(ParseError, match="holds no gaze: its streams are"):
        registry.get("xdf").read(head, ReadOptions())
