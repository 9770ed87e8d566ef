import pytest

from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import pupil_core, registry
from gazetrack.readers.base import ReadOptions, read_head

COMPANIONS = [
    ("id,start_timestamp,duration,end_timestamp,filter_response\n1,2.0,0.1,2.1,0.5", "blinks"),
    ("pupil_timestamp,eye_id,confidence,norm_pos_x,norm_pos_y,diameter\n1.0,0,1,0.5,0.5,30", "pupil positions"),
    ("# timestamps [seconds],pts\n1.0,0", "timestamps of camera frames"),
    ("index,timestamp,label,duration\n", "annotations"),
    ("key,value\nPlayer Software Version,3.5", "settings"),
    ("world_timestamp,gaze_timestamp,x_norm,y_norm,on_surf\n1,1,0.5,0.5,True", "gaze on a surface"),
]


def head_of(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text + "\n", encoding="utf-8")
    return read_head(path)


@pytest.mark.parametrize(("text", "what"), COMPANIONS, ids=[what for _, what in COMPANIONS])
def test_companions_are_refused_by_name(text, what, tmp_path):
    head = head_of(tmp_path, text)
    with pytest.raises(UnknownFormat, match=f"{what} .*give gaze_positions.csv"):
        registry.detect(head)
    with pytest.raises(ParseError, match=rf"holds no gaze: it is {what} .*\[NO_GAZE\]"):
        pupil_core.read(head, ReadOptions())


def test_a_damaged_cell_has_its_place(tmp_path):
    head = head_of(tmp_path, "gaze_timestamp,confidence,norm_pos_x,norm_pos_y,base_data\n1,1,0.5,0.5,\n2,1,0.5,low,")
    with pytest.raises(ParseError, match="norm_pos_y") as caught:
        pupil_core.read(head, ReadOptions())
    assert (caught.value.line, caught.value.column) == (3, 4)
