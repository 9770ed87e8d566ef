"""Whatever the reader, an export without gaze is refused with one code."""

import pytest

from gazetrack.errors import GazetrackError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head

EMPTY = {
    "eyelink_asc": (
        "a.asc",
        "** CONVERTED FROM a.edf using edfapi 4.2\nSTART\t1\tLEFT\tSAMPLES\nEND\t2\tSAMPLES\n",
    ),
    "eyelink_samples": ("a.txt", "TIMESTAMP\tRECORDING_SESSION_LABEL\n1\ta\n"),
    "pupil_cloud": ("a.csv", "section id,recording id,timestamp [ns]\n1,2,3\n"),
    "pupil_core": ("a.csv", "key,value\nPlayer Software Version,3.5\n"),
    "smi": (
        "a.txt",
        "## [iView]\nTime\tType\tTrial\tL POR X [px]\tL POR Y [px]\n1\tMSG\t1\t# Message: a\n",
    ),
    "tobii_glasses2": (
        "livedata.json",
        '{"ts":1,"s":0,"ac":[0,0,0]}\n{"ts":2,"s":0,"gy":[0,0,0]}\n',
    ),
    "tobii_glasses3": ("gazedata", '{"type":"imu","timestamp":1,"data":{}}\n'),
    "tobii_pro": (
        "a.tsv",
        "Recording timestamp [ms]\tSensor\tGaze point X\tGaze point Y\n1\tMouse\t1\t2\n",
    ),
    "tobii_studio": ("a.tsv", "Timestamp\tEvent\tEventKey\n1\tKeyPress\t2\n"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_export_without_gaze_has_one_code(name, tmp_path):
    file, text = EMPTY[name]
    (tmp_path / file).write_text(text)
    with pytest.raises(GazetrackError, match="holds no gaze") as caught:
        registry.get(name).read(read_head(tmp_path / file), ReadOptions())
    assert caught.value.code == "NO_GAZE"
    assert caught.value.hint


def test_a_file_beside_the_gaze_has_the_same_code(tmp_path):
    (tmp_path / "recording.json").write_text('{"rec_id": 1, "rec_info": 2}')
    with pytest.raises(UnknownFormat, match="holds no gaze") as caught:
        registry.detect(read_head(tmp_path / "recording.json"))
    assert caught.value.code == "NO_GAZE"
