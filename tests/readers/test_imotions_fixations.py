"""Fixations of iMotions, whose rows reach across the parts of an export."""

import gazetrack
from tests.parts import grown, same_in_parts

HEAD = (
    "Row,Timestamp,EventSource,SlideEvent,SourceStimuliName,ET_GazeLeftx,ET_GazeLefty,"
    "ET_GazeRightx,ET_GazeRighty,Fixation Index,Fixation X,Fixation Y,Fixation Start,"
    "Fixation Duration\n"
)


def rows(n=120):
    for i in range(n):
        seq = 1 + i % 60 // 8
        fixation = f"{seq},{100 + seq},{50 + seq},{4 * (i - i % 60 % 8)},30"
        if i % 60 >= 56:
            fixation = f"{seq},,,{4 * (i - i % 60 % 8)},30"
        yield f"{i},{4 * i},2,,s{i // 60}.png,{10 + i},20,{11 + i},21,{fixation}\n"


def test_each_fixation_is_there_once(tmp_path, monkeypatch):
    path = tmp_path / "raw.csv"
    path.write_text(HEAD + "".join(rows()))
    found = same_in_parts(path, monkeypatch)
    assert len(found.events) == 14
    assert found.events["index"].tolist() == [1, 2, 3, 4, 5, 6, 7] * 2
    assert any("2 fixations without an onset" in note for note in found.notes)


def test_the_fixations_of_an_older_export_count_from_the_stimulus(tmp_path, monkeypatch):
    head = (
        "StudyName\tTimestamp\tEventSource\tStimulusName\tMediaTime\tGazeLeftx\tGazeLefty\t"
        "GazeRightx\tGazeRighty\tFixationSeq\tFixationX\tFixationY\tFixationStart\t"
        "FixationDuration\n"
    )
    lines = []
    for i in range(60):
        stamp = f"20190102_1234{5 + i * 20 // 1000:02d}{i * 20 % 1000:03d}"
        media = "" if i == 0 else f"{20 * (i % 30)}"
        own = f"{1 + i % 30 // 7}\t5\t6\t{20 * (i % 30 - i % 30 % 7)}\t100"
        lines.append(f"S\t{stamp}\tET\ti{i // 30}\t{media}\t1\t2\t3\t4\t{own}\n")
    path = tmp_path / "raw.txt"
    path.write_text(head + "".join(lines))
    found = same_in_parts(path, monkeypatch)
    assert found.events["onset_ms"].tolist() == [0, 140, 280, 420, 560, 600, 740, 880, 1020, 1160]
    assert any("1 fixations begin with their first row" in note for note in found.notes)


def test_an_export_without_fixations_has_none(tmp_path, monkeypatch):
    path = grown("imotions", tmp_path / "raw.csv")
    assert same_in_parts(path, monkeypatch).events.empty
    assert gazetrack.read(path).sample_table.num_rows > 500
