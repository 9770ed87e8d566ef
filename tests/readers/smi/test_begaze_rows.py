"""SMI BeGaze in parts: clocks of participants, and movements that reach across parts."""

import pytest

import gazetrack
from gazetrack.errors import NoGaze, ParseError
from tests.parts import grown, same_in_parts

HEAD = (
    "RecordingTime [ms];Trial;Stimulus;Participant;Category Group;Category Right;Category Left;"
    "Index Right;Index Left;Point of Regard Right X [px];Point of Regard Right Y [px];"
    "Point of Regard Left X [px];Point of Regard Left Y [px]\n"
)


def rows(people="ABA", n=40, step=4):
    for number, who in enumerate(people):
        for i in range(n):
            t = 500 + step * i + 10_000 * (number == 3)
            kind = ("Fixation", "Saccade", "Blink")[i // 9 % 3]
            x = 0 if i == 30 else 100 + i
            yield (
                f"{t};T{number};s{i // 20}.png;{who};Eye;{kind};Fixation;{1 + i // 9};"
                f"{1 + i // 12};{x};{x and 50 + i};{x};{x and 60 + i}\n"
            )
        yield f"{t};T{number};-;{who};-;Separator;Separator;-;-;-;-;-;-\n"


def test_parts_make_the_same_recording(tmp_path, monkeypatch):
    path = tmp_path / "raw.txt"
    path.write_text(HEAD + "".join(rows("ABAA")))
    found = same_in_parts(path, monkeypatch)
    # The second time of A lies on top of the first, the third behind both.
    assert sorted(set(found.samples["recording"])) == ["A", "A_2", "B"]
    assert found.samples.groupby("recording", observed=True)["t_ms"].min().tolist() == [0, 0, 0]
    assert found.dropped == {"no sample (separators and events of the user)": 4}
    assert set(found.events["eye"]) == {"left", "right"}
    assert any("3 clocks" in note or "2 clocks" in note for note in found.notes)


def test_a_grown_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("begaze", tmp_path / "raw.txt"), monkeypatch)
    assert len(found.events) > 20


def test_rows_in_no_order_are_refused(tmp_path):
    path = tmp_path / "raw.txt"
    path.write_text(HEAD + "".join([*rows("A")][::-1]))
    with pytest.raises(ParseError, match="backwards") as caught:
        gazetrack.read(path)
    assert caught.value.line == 4


def test_separators_alone_are_no_gaze(tmp_path):
    path = tmp_path / "raw.txt"
    path.write_text(HEAD + [*rows("A")][-1])
    with pytest.raises(NoGaze, match="no samples"):
        gazetrack.read(path)


def test_a_stretch_of_separators_makes_no_difference(tmp_path, monkeypatch):
    gap = ["900;T0;-;A;-;Separator;Separator;-;-;-;-;-;-\n"] * 40
    before = [*rows("A", n=20)]
    after = [*rows("A", n=40)][20:]
    path = tmp_path / "raw.txt"
    path.write_text(HEAD + "".join(gap + before + gap + after))
    found = same_in_parts(path, monkeypatch)
    whole = tmp_path / "whole.txt"
    whole.write_text(HEAD + "".join(before + after))
    expected = gazetrack.read(whole)
    assert found.dropped == {"no sample (separators and events of the user)": 82}
    assert found.samples["t_ms"].tolist() == expected.samples["t_ms"].tolist()
    assert found.events["onset_ms"].tolist() == expected.events["onset_ms"].tolist()


def test_an_index_that_is_no_number_begins_an_event_and_is_noted(tmp_path):
    path = tmp_path / "raw.txt"
    lines = [line.replace(";Fixation;1;", ";Fixation;x;") for line in rows("A")]
    path.write_text(HEAD.replace("Category Left", "Of the left eye") + "".join(lines))
    recording = gazetrack.read(path)
    assert "an index that is no number begins an event: 'x'" in recording.notes
