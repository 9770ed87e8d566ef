"""Real exports against counts that were made without this library."""

import json

import numpy as np
import pytest

from gazetrack.errors import UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import read_head
from gazetrack.readers.head import HEAD_BYTES
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data

EYELINK = [
    *(
        "almadi2018_006.asc",
        "cili_binoc_250Hz_1.asc",
        "eyelinker_bino500.asc.gz",
        "eyelinker_binoRemote250.asc.gz",
    ),
    *("eyelinker_mono1000.asc.gz", "eyelinker_mono250.asc.gz", "eyelinker_monoRemote500.asc.gz"),
    *(
        "fdbeye_1950168.asc.gz",
        "mne_test_eyelink.asc",
        "pspm_PCF24_short.asc",
        "pspm_example_data.asc",
    ),
    *(
        "pymovements_eyelink_binocular_example.asc",
        "pymovements_eyelink_monocular_example.asc",
        "smathot_data1.asc",
    ),
    "sp_tool_eyelink_data_example.asc",
]
TOBII = [
    "andersson_transition_test_Data_Export.tsv",
    "cemgr_I-VT-normal_Data_export_short.tsv",
    "posluoglu_Participant16_excerpt.tsv",
]
TOBII_STUDIO = [
    *(
        "emdat_P61-Fixation-Data.tsv",
        "emdat_P63-All-Data.tsv",
        "fhpotsdam_J07.csv",
        "fhpotsdam_Rec_01.tsv",
    ),
    "fhpotsdam_CSVExport-All-Data-noheader-nofilter.tsv",
]
SMI = [
    *("emdat_SMI_Sample_67_Events.txt", "emip_156_rawdata.tsv", "pspm_smi_data_2_events.txt"),
    *("pupillometry_pitch_discrimination_19-1_001_Samples.txt", "pymovements_didec_example.txt"),
]
FILES = [
    *(("eyelink_asc", f"eyelink_asc/{name}") for name in EYELINK),
    *(("tobii_pro", f"tobii_pro_lab/{name}") for name in TOBII),
    *(("smi", f"smi/{name}") for name in SMI),
    *(("tobii_studio", f"tobii_studio/{name}") for name in TOBII_STUDIO),
    ("eyelink_report", "eyelink_dataviewer/gazer_FixData_v1_N15.xls"),
]


@pytest.fixture(scope="module")
def truth(data_dir):
    return json.loads((data_dir / "exports" / "truth.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "file"), FILES, ids=lambda value: value)
def test_counts(name, file, data_dir, truth):
    recording, want = check_reader(registry.get(name), data_dir / "exports" / file), truth[file]
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


def detected(path):
    try:
        return registry.detect(read_head(path)).name
    except UnknownFormat as error:
        return error.what


def test_the_first_64_kib_of_every_export_tell_what_it_is(data_dir, truth, tmp_path):
    for file, want in truth.items():
        path = data_dir / "exports" / file
        if not want["n_samples"] and file.endswith(".tsv.gz"):
            continue  # an empty placeholder
        cut = tmp_path / "renamed.txt"
        cut.write_bytes(read_head(path).data[:HEAD_BYTES])
        if not detected(path).startswith("holds no gaze"):  # a companion may be told by its name
            assert detected(cut) == detected(path), file


def test_all_listed_files_are_tested(truth):
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


def test_exports_without_gaze_are_named(data_dir):
    with pytest.raises(
        UnknownFormat, match="holds no gaze: it is a Tobii Studio Event-Data export"
    ):
        registry.detect(
            read_head(data_dir / "exports" / "tobii_studio" / "emdat_P61-Event-Data.tsv")
        )


@pytest.mark.parametrize(
    ("file", "n_fixations", "n_images"),
    [
        ("kvasir-gaze/kvasir_fixation.csv", 24290, 900),
        ("nci-isbi-gaze/nci-isbi_fixation.csv", 17397, 789),
    ],
)
def test_gaze_of_medical_images(file, n_fixations, n_images, data_dir):
    recording = check_reader(registry.get("gazemedseg"), data_dir / file)
    assert recording.fixation_table.num_rows == n_fixations
    assert len(set(recording.fixation_table["stimulus"].to_pylist())) == n_images
    assert not recording.dropped
