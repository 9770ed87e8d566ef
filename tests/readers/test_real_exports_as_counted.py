"""Real exports hold what was counted in them without this library."""

import numpy as np
import pytest

from gazetrack.readers import registry
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data

EYELINK = [
    "almadi2018_006.asc",
    "cili_binoc_250Hz_1.asc",
    "eyelinker_bino500.asc.gz",
    "eyelinker_binoRemote250.asc.gz",
    "eyelinker_mono1000.asc.gz",
    "eyelinker_mono250.asc.gz",
    "eyelinker_monoRemote500.asc.gz",
    "fdbeye_1950168.asc.gz",
    "mne_test_eyelink.asc",
    "pspm_PCF24_short.asc",
    "pspm_example_data.asc",
    "pymovements_eyelink_binocular_example.asc",
    "pymovements_eyelink_monocular_example.asc",
    "smathot_data1.asc",
    "sp_tool_eyelink_data_example.asc",
]
TOBII = [
    "andersson_transition_test_Data_Export.tsv",
    "cemgr_I-VT-normal_Data_export_short.tsv",
    "posluoglu_Participant16_excerpt.tsv",
]
TOBII_STUDIO = [
    "emdat_P61-Fixation-Data.tsv",
    "emdat_P63-All-Data.tsv",
    "fhpotsdam_J07.csv",
    "fhpotsdam_Rec_01.tsv",
    "fhpotsdam_CSVExport-All-Data-noheader-nofilter.tsv",
]
SMI = [
    "emdat_SMI_Sample_67_Events.txt",
    "emip_156_rawdata.tsv",
    "pspm_smi_data_2_events.txt",
    "pupillometry_pitch_discrimination_19-1_001_Samples.txt",
    "pymovements_didec_example.txt",
]
FILES = [
    *(("eyelink_asc", f"eyelink_asc/{name}") for name in EYELINK),
    *(("tobii_pro", f"tobii_pro_lab/{name}") for name in TOBII),
    *(("smi", f"smi/{name}") for name in SMI),
    *(("tobii_studio", f"tobii_studio/{name}") for name in TOBII_STUDIO),
    ("eyelink_report", "eyelink_dataviewer/gazer_FixData_v1_N15.xls"),
]
# The other formats, each in a file or two.
OTHERS = [
    ("arff/sp_tool_arff_data_example.arff", "arff"),
    ("arrington_viewpoint/pspm_viewpoint_test_data.txt", "viewpoint"),
    ("bids_eyetrack/eye2bids_decisions_modality_eyetrack.tsv", "bids"),
    ("bids_eyetrack/eye2bids_eyetrack.tsv.gz", "bids"),
    ("bids_eyetrack/studyforrest_sub-30_task-movie_run-1_events.tsv", "labelled_events"),
    ("eyelink_asc/cili_binoc_250Hz_1_samps.csv", "generic"),
    ("eyelink_dataviewer/gazer_s2_samples.xls", "generic"),
    ("eyetribe/huettel_P1_EyeTribe.tsv", "eyetribe"),
    ("eyetribe/huettel_P2_EyeTribe.tsv", "eyetribe"),
    ("imotions/brhumphe_ET_Emotiv_FACET_Shimmer.txt", "imotions"),
    ("lsl_xdf/tobii_streamer_test_old1.xdf", "xdf"),
    (
        "tobii_glasses2/glassesviewer_raoscyb/recordings/gzz7stc/segments/1/livedata.json.gz",
        "tobii_glasses2",
    ),
    ("tobii_glasses3/eyedentify3d_calibration_1/gazedata.gz", "tobii_glasses3"),
    ("tobii_other/emdat_tobii_sdk_4Ctest.csv", "tobii_sdk"),
    ("tobii_other/emdat_tobii_sdk_4Ctest_fixation.csv", "labelled_events"),
    ("tobii_other/huettel_P1_pygaze_TOBII_output.tsv", "tobii_logs"),
    ("tobii_other/i2mc_tx300_participant1_2.tsv", "tobii_logs"),
    ("vr_headset/eyedentify3d_HTC_Vive_Pro_TESTNA01_2D_Fist3.csv", "vr_headset"),
    ("vr_headset/eyedentify3d_Pico_Neo_3_Pro_boxing_2D.csv", "vr_headset"),
    ("webgazer_jspsych/jspsych_group-b_s1.json", "webgazer"),
    ("webgazer_jspsych/jspsych_group-d_s1.json", "webgazer"),
    ("webgazer_jspsych/webcam_webgazer_pursuit_04-23-12.csv", "webgazer"),
]
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


@pytest.mark.parametrize(("name", "file"), FILES, ids=lambda value: value)
def test_samples_fixations_and_times_are_as_counted(name, file, exports, truth):
    recording, want = check_reader(registry.get(name), exports / file), truth[file]
    if recording.fixation_table is not None:
        durations, times = (
            recording.fixation_table[key].to_numpy() for key in ("duration_ms", "onset_ms")
        )
    else:
        fixations = np.array(recording.event_table["kind"].to_pylist()) == "fixation"
        durations = recording.event_table["duration_ms"].to_numpy()[fixations]
        times = np.sort(recording.event_table["onset_ms"].to_numpy())
    if recording.sample_table is not None:
        assert recording.sample_table.num_rows == want["n_samples"]
        times = recording.sample_table["t_ms"].to_numpy()
    if name != "eyelink_report":  # its onsets count from the trial
        # Microseconds divided by 1000 are not exact; a nanosecond is less than any tracker's clock
        # tells.
        first_and_last = [recording.origin_ms + times[0], recording.origin_ms + times[-1]]
        assert first_and_last == pytest.approx(
            [want["first_t_ms"], want["last_t_ms"]], rel=0, abs=1e-6
        )
    # None: the export has no column of events.
    assert durations.size == (want["n_fixations"] or 0)
    if want["mean_fix_dur_ms"] is not None:
        assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)


def test_every_counted_file_of_these_formats_is_tested(truth):
    formats = {"eyelink_asc", "tobii_pro_lab_tsv", "eyelink_dataviewer_fixation_report"}
    formats |= {
        "tobii_studio_alldata_tsv",
        "tobii_studio_fixation_tsv",
        "smi_raw_txt",
        "smi_events_txt",
    }
    assert {file for file, facts in truth.items() if facts["format"] in formats} == {
        file for _, file in FILES
    }


@pytest.mark.parametrize(("file", "name"), OTHERS)
def test_samples_and_fixations_of_other_formats_are_as_counted(file, name, exports, truth):
    recording = check_reader(registry.get(name), exports / file)
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
