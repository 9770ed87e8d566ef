"""Tobii Studio 2, All-Data, in parts: fixations that reach across them, media, messages."""

import pytest

import gazetrack
from gazetrack.errors import NoGaze
from tests.parts import grown, same_in_parts

HEAD = """Recording name:\tRec 07
Participant:\tP9

Timestamp\tNumber\tGazePointXLeft\tGazePointYLeft\tPupilLeft\tValidityLeft\tGazePointXRight\t\
GazePointYRight\tPupilRight\tValidityRight\tFixationIndex\tGazePointX\tGazePointY\tEvent\t\
Data1\tStimuliName\tMediaPosX\tMediaPosY\tMediaWidth\tMediaHeight\tMappedFixationPointX\t\
MappedFixationPointY\tFixationDuration\t
"""


def rows(n=120, lost=()):
    for i in range(n):
        if i % 25 == 3:
            yield f"{4 * i}\t\t\t\t\t\t\t\t\t\t\t\t\tKeyPress\tkey {i}" + "\t" * 9 + "\n"
        pupil = "" if i in lost else f"{3 + i / 700:.4f}"
        index = 1 + i % 60 // 11
        yield (
            f"{4 * i + 1}\t{i}\t500\t400\t{pupil}\t0\t502\t402\t{pupil}\t0\t{index}\t501\t401"
            f"\t\t\ti{i // 50}.png\t{i // 50}\t20\t800\t600\t300\t200\t{44 - index}\t\n"
        )


@pytest.mark.parametrize("lost", [(), (40,)])
def test_parts_make_the_same_recording(tmp_path, monkeypatch, lost):
    path = tmp_path / "raw.tsv"
    path.write_text(HEAD + "".join(rows(lost=lost)))
    found = same_in_parts(path, monkeypatch)
    kinds = found.events["kind"].value_counts()
    assert kinds["message"] == 5
    assert kinds["fixation"] == 12  # the index starts again in the middle
    assert any("starts again 1 times" in note for note in found.notes)
    assert any("and others" in note or "0,20,800,600 and 1,20" in note for note in found.notes)


def test_a_grown_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("tobii_studio", tmp_path / "raw.tsv"), monkeypatch)
    assert len(found.samples) > 200


def test_messages_alone_are_no_gaze(tmp_path):
    path = tmp_path / "raw.tsv"
    path.write_text(HEAD + next(rows()).replace("\t0\t", "\t\t").split("\t", 1)[0] + "\n")
    path.write_text(HEAD + "5" + "\t" * 13 + "KeyPress\tq" + "\t" * 9 + "\n")
    with pytest.raises(NoGaze, match="no samples"):
        gazetrack.read(path)


def test_media_at_many_places_are_not_all_listed(tmp_path):
    path = tmp_path / "raw.tsv"
    path.write_text(HEAD + "".join(rows(250)))
    (note,) = (note for note in gazetrack.read(path).notes if note.startswith("media shown at"))
    places = "0,20,800,600 and 1,20,800,600 and 2,20,800,600 and others"
    assert note.startswith(f"media shown at {places}: give the place")


def test_fixations_without_a_duration_are_left_out_and_counted(tmp_path):
    path = tmp_path / "raw.tsv"
    lines = [line.replace("\t42\t\n", "\t\t\n") for line in rows(60)]  # those of index 2
    path.write_text(HEAD + "".join(lines))
    recording = gazetrack.read(path)
    fixations = recording.events[recording.events["kind"] == "fixation"]
    assert fixations["index"].tolist() == [1, 3, 4, 5, 6]
    assert "1 fixations without a duration: left out" in recording.notes
