"""Every real export is found by its content, under any name, or refused by what it is."""

import gzip

import pytest

from gazetrack.errors import GazetrackError, InputError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import read_head
from gazetrack.readers.head import HEAD_BYTES
from tests.real_exports import read_export

pytestmark = pytest.mark.real_data

# What is read by which format, and what is refused as what.
_METRICS = "tobii_pro_lab_metrics"
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
    f"{_METRICS}/andersson_decision_making_metrics_AOIbased.tsv": "metrics export of Tobii Pro Lab",
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
_BEH = f"{_BIDS}/sub-01/beh/sub-01_task-FreeView_run-01"
FILES |= {
    f"{_BIDS}/task-FreeView_{name}.json": "sidecar of a BIDS"
    for name in ("events", "physio", "physioevents")
}
FILES |= {
    f"{_BEH}_events.tsv": "BIDS events",
    f"{_BEH}_recording-eye1_physio.json": "sidecar of a BIDS",
}
READ = sorted((file, name) for file, name in FILES.items() if " " not in name)
REFUSED = sorted((file, what) for file, what in FILES.items() if " " in what)
# Text of several vendors, with quotes, comments, messages and JSON.
TEXTS = [
    "imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt",
    "arrington_viewpoint/pspm_viewpoint_test_data.txt",
    "vr_headset/eyedentify3d_HTC_Vive_Pro_TESTNA01_2D_Fist3.csv",
    "vr_headset/eyedentify3d_Pico_Neo_3_Pro_boxing_2D.csv",
    "arff/sp_tool_arff_data_example.arff",
    "webgazer_jspsych/webcam_webgazer_pursuit_04-23-12.csv",
    "webgazer_jspsych/jspsych_group-b_s1.json",
    "webgazer_jspsych/jspsych_group-d_s1.json",
    "eyetribe/huettel_P1_EyeTribe.tsv",
    "eyetribe/huettel_P2_EyeTribe.tsv",
]
# The folders of these formats, none of which may claim a file of another.
FOLDERS = {
    "eyetribe": "eyetribe",
    "webgazer": "webgazer_jspsych",
    "imotions": "imotions",
    "viewpoint": "arrington_viewpoint",
    "arff": "arff",
    "vr_headset": "vr_headset",
}


@pytest.mark.parametrize(("file", "what"), REFUSED)
def test_what_holds_no_gaze_is_refused_by_what_it_is(file, what, exports, tmp_path):
    for path in (exports / file, renamed(exports / file, tmp_path)):
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
def test_the_first_64_kib_are_enough(file, name, exports, tmp_path):
    (tmp_path / "renamed.txt").write_bytes(read_head(exports / file).data[:HEAD_BYTES])
    assert registry.detect(read_head(tmp_path / "renamed.txt")).name == name


def test_the_first_64_kib_tell_the_same_as_the_whole_of_any_export(exports, truth, tmp_path):
    for file, want in truth.items():
        path = exports / file
        if not want["n_samples"] and file.endswith(".tsv.gz"):
            continue  # an empty placeholder
        cut = tmp_path / "renamed.txt"
        cut.write_bytes(read_head(path).data[:HEAD_BYTES])
        if not detected(path).startswith("holds no gaze"):  # a companion may be told by its name
            assert detected(cut) == detected(path), file


def detected(path):
    try:
        return registry.detect(read_head(path)).name
    except UnknownFormat as error:
        return error.what


def test_nothing_crashes_and_all_is_known(exports, truth):
    unknown = {}
    for file in truth:
        try:
            registry.detect(read_head(exports / file))
        except GazetrackError as error:
            if "holds no gaze" not in str(error) and not (
                isinstance(error, InputError) and "is empty" in str(error)
            ):
                unknown[file] = str(error)
    assert not unknown


def test_an_event_export_of_tobii_studio_is_refused_by_what_it_is(exports):
    with pytest.raises(
        UnknownFormat, match="holds no gaze: it is a Tobii Studio Event-Data export"
    ):
        registry.detect(read_head(exports / "tobii_studio" / "emdat_P61-Event-Data.tsv"))


@pytest.mark.parametrize("file", TEXTS)
def test_in_another_encoding_the_samples_are_the_same(file, exports, tmp_path):
    text = (exports / file).read_bytes().decode("utf-8")
    plain = read_export(exports / file)
    copy = tmp_path / f"{read_head(exports / file).stem}.dat"
    copy.write_bytes(gzip.compress(("\ufeff" + text).encode("utf-16-le"), 1))
    again = read_export(copy)
    assert again.sample_table.to_pandas().equals(plain.sample_table.to_pandas())
    assert again.event_table.to_pandas().equals(plain.event_table.to_pandas())
    assert again.notes == plain.notes


def test_no_export_is_claimed_by_another_of_these_formats(exports, truth):
    folders = tuple(FOLDERS.values())
    for file in truth:
        if file.startswith(folders) or not (exports / file).stat().st_size:
            continue
        try:
            head = read_head(exports / file)
        except InputError:  # an empty file within gzip
            continue
        claims = [name for name in FOLDERS if registry.get(name).sniff(head).level]
        assert not claims, file
