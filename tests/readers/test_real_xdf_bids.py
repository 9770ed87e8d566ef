"""Real Lab Streaming Layer recordings against counts made without this library; real BIDS sidecars; a clock."""

import gzip
import json
import shutil

import pytest

from gazetrack.errors import InputError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.head import HEAD_BYTES
from gazetrack.tables.screen import Screen
from tests.contracts import check_reader

pytestmark = pytest.mark.real_data
XDF = "lsl_xdf/tobii_streamer_test_old1.xdf"


@pytest.fixture(scope="module")
def truth(data_dir):
    return json.loads((data_dir / "exports" / "truth.json").read_text(encoding="utf-8"))


def test_xdf_gaze(data_dir, truth):
    recording, want = check_reader(registry.get("xdf"), data_dir / "exports" / XDF), truth[XDF]
    t = recording.origin_ms + recording.sample_table["t_ms"].to_numpy()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), rel=0, abs=1e-3)
    assert (recording.tracker, recording.rate_hz) == (want["streams"][0]["name"], None)
    assert (recording.loss, recording.fractions_of) == (0, "screen")
    assert recording.effective_rate_hz == pytest.approx(90, abs=2)


def test_xdf_is_told_by_its_head_under_any_name(data_dir, tmp_path):
    (tmp_path / "a.txt").write_bytes((data_dir / "exports" / XDF).read_bytes()[:HEAD_BYTES])
    assert registry.detect(read_head(tmp_path / "a.txt")).name == "xdf"


def test_xdf_without_gaze_is_refused(data_dir):
    with pytest.raises(
        UnknownFormat, match=r"holds no gaze: it is .* SendDataC \(EEG\), SendDataString"
    ):
        registry.detect(read_head(data_dir / "exports" / "lsl_xdf" / "xdf_minimal.xdf"))


def test_no_other_real_file_is_taken_for_xdf(data_dir, truth):
    others = [file for file in truth if not file.startswith("lsl_xdf/")]
    assert others
    for file in others:
        path = data_dir / "exports" / file
        with path.open("rb") as opened:
            assert opened.read(4) != b"XDF:"


def test_tobii_sdk_rate_is_that_of_the_tracker(data_dir):
    """The truth's first and last time are of the system's clock, whose stamps are rounded to 10 ms: 100 Hz."""
    recording = check_reader(
        registry.get("tobii_sdk"), data_dir / "exports/tobii_other/emdat_tobii_sdk_4Ctest.csv"
    )
    assert recording.effective_rate_hz == pytest.approx(90, abs=0.1)


def test_real_bids_sidecars_describe_a_table(data_dir, tmp_path):
    """The tables of the example are empty placeholders; with rows of ours, all that its sidecars say is found."""
    shutil.copytree(
        data_dir / "exports" / "bids_eyetrack" / "bids_examples",
        tmp_path / "set",
        copy_function=copied,
    )
    name = "sub-01_task-FreeView_run-01_recording-eye1"
    folder = tmp_path / "set" / "eyetracking_binocular" / "sub-01" / "beh"
    folder.chmod(0o755)  # the data are read-only
    for suffix in ("physio", "physioevents"):
        with pytest.raises(InputError, match="is empty"):
            read_head(folder / f"{name}_{suffix}.tsv.gz")
    (folder / f"{name}_physio.tsv.gz").write_bytes(
        gzip.compress(b"5000\t1\t2\t3\n5001\t3\t2\t3\n5002\tn/a\tn/a\t0\n")
    )
    (folder / f"{name}_physioevents.tsv.gz").write_bytes(
        gzip.compress(b"5000\t2\tfixation\t0\tn/a\n")
    )
    head = read_head(folder / f"{name}_physio.tsv.gz")
    assert registry.detect(head).name == "bids"
    recording = registry.get("bids").read(head, ReadOptions())
    assert (recording.eyes, recording.rate_hz, recording.origin_ms) == ("left", 1000, 5000)
    assert recording.screen == Screen(1919, 1079, 696, 391, 600)
    assert recording.event_table["x_px"].to_pylist() == [2]
    assert recording.tracker.startswith("SR-Research EYELINK II")


def copied(source, target):
    return shutil.copyfile(source, target)  # without its mode
