import pytest

from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import pupil_cloud, registry
from gazetrack.readers.base import ReadOptions, read_head

COMPANIONS = [
    ("recording id,blink id,start timestamp [ns],end timestamp [ns]\nr,1,5,6", "blinks"),
    ("recording id,timestamp [ns],name,type\nr,5,recording.begin,recording", "events"),
    ("section id,recording id,timestamp [ns]\ns,r,5", "timestamps of camera frames"),
    ("timestamp [ns],gaze position on surface x [normalized]\n5,0.5", "gaze on a surface"),
    ('{\n"android_device_id": "x", "duration": 5}', "settings"),
]


def head_of(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text + "\n", encoding="utf-8")
    return read_head(path)


@pytest.mark.parametrize(("text", "what"), COMPANIONS, ids=[what for _, what in COMPANIONS])
def test_companions_are_refused_by_name(text, what, tmp_path):
    head = head_of(tmp_path, text)
    with pytest.raises(UnknownFormat, match=f"{what} .*give gaze.csv"):
        registry.detect(head)
    with pytest.raises(ParseError, match=rf"holds no gaze: it is {what} .*\[NO_GAZE\]"):
        pupil_cloud.read(head, ReadOptions())


def test_nanoseconds_stay_exact(tmp_path):
    head = head_of(tmp_path, "timestamp [ns],gaze x [px],gaze y [px]\n1700000000000000001,1,2\n1700000000000000003,1,2")
    recording = pupil_cloud.read(head, ReadOptions())
    assert recording.start_ns == 1700000000000000001
    assert recording.samples["t_ms"].to_pylist() == [0, 2e-6]


def test_rounded_timestamps_are_refused(tmp_path):
    head = head_of(tmp_path, "timestamp [ns],gaze x [px],gaze y [px]\n1.70E+18,1,2")
    with pytest.raises(ParseError, match="no whole number"):
        pupil_cloud.read(head, ReadOptions())


def test_a_damaged_cell_has_its_place(tmp_path):
    head = head_of(tmp_path, "timestamp [ns],gaze x [px],gaze y [px]\n5,1,2\nsoon,1,2")
    with pytest.raises(ParseError, match="soon") as caught:
        pupil_cloud.read(head, ReadOptions())
    assert (caught.value.line, caught.value.column) == (3, 1)
