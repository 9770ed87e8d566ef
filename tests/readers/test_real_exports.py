"""Real exports against counts that were made without this library."""

import json

import numpy as np
import pytest

from gazetrack.readers import registry
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data

EYELINK = [
    *("almadi2018_006.asc", "cili_binoc_250Hz_1.asc", "eyelinker_bino500.asc.gz", "eyelinker_binoRemote250.asc.gz"),
    *("eyelinker_mono1000.asc.gz", "eyelinker_mono250.asc.gz", "eyelinker_monoRemote500.asc.gz"),
    *("fdbeye_1950168.asc.gz", "mne_test_eyelink.asc", "pspm_PCF24_short.asc", "pspm_example_data.asc"),
    *("pymovements_eyelink_binocular_example.asc", "pymovements_eyelink_monocular_example.asc", "smathot_data1.asc"),
    "sp_tool_eyelink_data_example.asc",
]
TOBII = [
    "andersson_transition_test_Data_Export.tsv",
    "cemgr_I-VT-normal_Data_export_short.tsv",
    "posluoglu_Participant16_excerpt.tsv",
]
FILES = [
    *(("eyelink_asc", f"eyelink_asc/{name}") for name in EYELINK),
    *(("tobii_pro", f"tobii_pro_lab/{name}") for name in TOBII),
    ("eyelink_report", "eyelink_dataviewer/gazer_FixData_v1_N15.xls"),
]


@pytest.fixture(scope="module")
def truth(data_dir):
    return json.loads((data_dir / "exports" / "truth.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "file"), FILES, ids=lambda value: value)
def test_counts(name, file, data_dir, truth):
    recording, want = check_reader(registry.get(name), data_dir / "exports" / file), truth[file]
    if recording.samples is None:
        durations = recording.fixations["duration_ms"].to_numpy()
    else:
        fixations = np.array(recording.events["kind"].to_pylist()) == "fixation"
        durations = recording.events["duration_ms"].to_numpy()[fixations]
        assert recording.samples.num_rows == want["n_samples"]
        assert recording.origin_ms + recording.samples["t_ms"][0].as_py() == want["first_t_ms"]
        assert recording.origin_ms + recording.samples["t_ms"][-1].as_py() == want["last_t_ms"]
    assert durations.size == want["n_fixations"]
    assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)


def test_all_listed_files_are_tested(truth):
    formats = {"eyelink_asc", "tobii_pro_lab_tsv", "eyelink_dataviewer_fixation_report"}
    assert {file for file, facts in truth.items() if facts["format"] in formats} == {file for _, file in FILES}


@pytest.mark.parametrize(
    ("file", "n_fixations", "n_images"),
    [("kvasir-gaze/kvasir_fixation.csv", 24290, 900), ("nci-isbi-gaze/nci-isbi_fixation.csv", 17397, 789)],
)
def test_gaze_of_medical_images(file, n_fixations, n_images, data_dir):
    recording = check_reader(registry.get("gazemedseg"), data_dir / file)
    assert recording.fixations.num_rows == n_fixations
    assert len(set(recording.fixations["stimulus"].to_pylist())) == n_images
    assert not recording.dropped
