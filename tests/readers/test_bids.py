import gzip
import json

import pytest

from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import bids, registry
from gazetrack.readers.base import ReadOptions, read_head

ROWS = "1000\t400.5\t300.5\t900\n1002\tn/a\tn/a\tn/a\n1004\t402.5\t301.5\t901\n"
TASK = {
    "Manufacturer": "SR-Research",
    "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
    "timestamp": {"Units": "ms"},
    "SamplingFrequency": 500,
}
NAME = "sub-01_task-look_recording-eye1_physio"


@pytest.fixture
def physio(tmp_path):
    """A table without header, whose sidecars stand beside it and two folders above."""
    folder = tmp_path / "data" / "sub-01" / "beh"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.tsv.gz").write_bytes(gzip.compress(ROWS.encode()))
    (folder / f"{NAME}.json").write_text(json.dumps({"RecordedEye": "right"}))
    (tmp_path / "data" / "task-look_physio.json").write_text(json.dumps(TASK))
    (tmp_path / "data" / "task-other_physio.json").write_text(json.dumps({"SamplingFrequency": 60}))
    return folder / f"{NAME}.tsv.gz"


def test_sidecars_are_inherited(physio):
    head = read_head(physio)
    assert registry.detect(head).name == "bids"
    recording = bids.read(head, ReadOptions())
    assert recording.samples["t_ms"].to_pylist() == [0, 2, 4]
    assert (
        recording.samples["right_x_px"].to_pylist()[::2] == recording.samples["x_px"].to_pylist()[::2] == [400.5, 402.5]
    )
    assert (recording.eyes, recording.rate_hz, recording.tracker) == ("right", 500, "SR-Research")
    assert recording.notes == ()


@pytest.mark.parametrize(("unit", "last"), [("s", 4000), ("us", 0.004)])
def test_the_sidecar_gives_the_unit(physio, unit, last):
    physio.with_name(f"{NAME}.json").write_text(json.dumps({"timestamp": {"Units": unit}}))
    assert bids.read(read_head(physio), ReadOptions()).samples["t_ms"].to_pylist()[-1] == pytest.approx(last)


def test_without_its_sidecar_it_says_what_is_missing(physio):
    (physio.parents[2] / "task-look_physio.json").unlink()
    with pytest.raises(UnknownFormat, match="BIDS table without header, whose JSON sidecar is not beside it"):
        registry.detect(read_head(physio))
    with pytest.raises(ParseError, match="no columns timestamp"):
        bids.read(read_head(physio), ReadOptions())


def test_a_screen_in_metres(physio):
    shown = {"ScreenResolution": [1920, 1080], "ScreenSize": [0.5, 0.3], "ScreenDistance": 0.6}
    physio.with_name(f"{NAME}.json").write_text(json.dumps({"StimulusPresentation": shown}))
    screen = bids.read(read_head(physio), ReadOptions()).screen
    assert (screen.width_px, screen.width_mm, screen.distance_mm) == (1920, 500, 600)
