"""From what a user names to recordings: which files belong together, their names and places."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazetrack.errors import InputError, OutputError
from gazetrack.workflows.inputs import Source, expand, find_sources
from tests.pupil_files import write_cloud, write_core

GAZE = "x,y,t\n" + "".join(f"{100 + i % 2},200,{i * 4}\n" for i in range(100))
FIXATIONS = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0))


def write(folder, *names, text=GAZE):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_of_a_folder_each_file_is_taken_once_but_hidden_ones_and_tables_of_ours(tmp_path):
    write(tmp_path, "b.csv", "a.csv", ".hidden.csv", "a.fixations.parquet", "below/c.csv")
    named = tmp_path / "b.csv"
    assert expand([named, tmp_path, named], recursive=False) == {
        named: False,
        tmp_path / "a.csv": True,
    }
    assert list(expand([tmp_path], recursive=True)) == [
        tmp_path / name for name in ("a.csv", "b.csv", "below/c.csv")
    ]


def test_a_file_that_is_named_is_taken_whatever_it_is(tmp_path):
    gone = tmp_path / "gone.parquet"
    assert expand([str(gone)], recursive=False) == {gone: False}


@pytest.mark.parametrize(
    ("recursive", "hint"),
    [(False, "name the exports, or add --recursive"), (True, "name the exports")],
)
def test_a_folder_without_files_is_an_error_that_says_what_to_do(tmp_path, recursive, hint):
    write(tmp_path, ".hidden.csv", "old.parquet")
    with pytest.raises(InputError, match="a folder without files") as caught:
        find_sources([tmp_path], recursive=recursive)
    assert caught.value.path == tmp_path
    assert caught.value.hint == hint


def test_outputs_go_beside_each_input_or_into_one_folder(tmp_path):
    write(tmp_path, "a/anna.csv", "b/ben.csv.gz")
    paths = [tmp_path / "a" / "anna.csv", tmp_path / "b" / "ben.csv.gz"]
    beside = find_sources(paths)
    assert [source.target for source in beside] == [
        tmp_path / "a" / "anna",
        tmp_path / "b" / "ben",
    ]
    assert [source.name for source in beside] == ["anna", "ben"]
    together = find_sources(paths, out=Path("out"))
    assert [source.target for source in together] == [Path("out/anna"), Path("out/ben")]
    assert not any(source.clash or source.from_folder for source in [*beside, *together])


def test_the_second_of_two_inputs_with_one_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "x.csv", "X.txt", "y.csv")
    first, second, third = find_sources(["x.csv", "X.txt", "y.csv"])
    assert first.clash is None
    assert third.clash is None
    assert isinstance(second.clash, OutputError)
    assert "x.csv" in second.clash.what
    assert second.clash.path == Path("X.txt")


@pytest.mark.parametrize(
    ("writer", "gaze"), [(write_core, "gaze_positions.csv"), (write_cloud, "gaze.csv")]
)
def test_gaze_fixations_and_blinks_are_one_recording_of_its_folder_s_name(tmp_path, writer, gaze):
    writer(tmp_path / "s01", FIXATIONS, blinks=((600.0, 80),))
    (source,) = find_sources([tmp_path / "s01"])
    fixations = tmp_path / "s01" / "fixations.csv"
    blinks = tmp_path / "s01" / "blinks.csv"
    assert source == Source(
        path=tmp_path / "s01" / gaze,
        name="s01",
        target=tmp_path / "s01" / Path(gaze).stem,
        from_folder=True,
        fixations=fixations,
        blinks=blinks,
    )
    assert source.parts == (fixations, blinks)


def test_files_are_read_one_by_one_where_that_is_asked_for(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS)
    sources = find_sources([tmp_path / "s01"], join=False)
    assert [source.path.name for source in sources] == ["fixations.csv", "gaze_positions.csv"]
    assert [source.parts for source in sources] == [(), ()]


def test_fixations_that_nobody_named_are_known_to_lie_beside(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS)
    gaze, fixations = (tmp_path / "s01" / f"{name}.csv" for name in ("gaze_positions", "fixations"))
    (alone,) = find_sources([gaze])
    assert alone.leaves_fixations
    assert alone.parts == ()
    (both,) = find_sources([gaze, fixations])
    assert not both.leaves_fixations
    assert both.parts == (fixations,)
    (apart,) = find_sources([gaze], join=False)
    assert not apart.leaves_fixations


def test_names_alone_join_nothing(tmp_path):
    write(tmp_path, "gaze.csv", "fixations.csv", "blinks.csv")
    sources = find_sources([tmp_path])
    assert len(sources) == 3
    assert not any(source.parts for source in sources)


def test_what_is_no_export_takes_neither_name_nor_place(tmp_path):
    write(tmp_path, "anna.csv")
    write(tmp_path, "anna.cfg", text="[tracker]\nrate = 250\n")
    write(tmp_path, "Anna.ASC.json", text='{"age": 30}')
    found = {source.path.name: source for source in find_sources([tmp_path])}
    assert found["anna.csv"].name == "anna"
    assert found["anna.csv"].target == tmp_path / "anna"
    assert all(source.clash is None for source in found.values())
    assert found["anna.cfg"].name == "anna.cfg"


def test_the_eyes_of_a_bids_recording_are_one(tmp_path):
    for eye in (1, 2, 3):
        for end, text in (("tsv.gz", "1\t2\t3\n"), ("json", "{}")):
            (tmp_path / f"sub-1_task-a_recording-eye{eye}_physio.{end}").write_text(text)
    (tmp_path / "sub-2_task-a_recording-eye2_physio.tsv.gz").write_text("1\t2\t3\n")
    sources = {source.path.name: source for source in find_sources([tmp_path])}
    first = sources["sub-1_task-a_recording-eye1_physio.tsv.gz"]
    assert [path.name for path in first.eyes] == [
        "sub-1_task-a_recording-eye2_physio.tsv.gz",
        "sub-1_task-a_recording-eye3_physio.tsv.gz",
    ]
    assert first.parts == first.eyes
    alone = sources["sub-2_task-a_recording-eye2_physio.tsv.gz"]
    assert alone.eyes == ()
    assert "sub-1_task-a_recording-eye2_physio.tsv.gz" not in sources
    apart = find_sources([tmp_path], join=False)
    assert all(source.eyes == () for source in apart)
