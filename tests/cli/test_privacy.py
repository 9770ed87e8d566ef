"""No name of a participant in what convert writes, reports or says, wherever the export has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import gazetrack
from gazetrack.caches import user_caches
from gazetrack.readers import registry
from tests.places import GOLDEN as FOLDER

POLICIES = pytest.mark.parametrize("policy", ["hash", "drop"])
FIRST, LAST = "Zyxwv", "Qponm"
PERSON = f"{FIRST} {LAST}"
GOLDEN = sorted(path for name in registry.BUILTIN for path in (FOLDER / name).glob("*/input.*"))
TOBII = (
    "Recording timestamp [ms]\tParticipant name\tRecording name\tGaze point left X\t"
    "Gaze point left Y\t"
    "Gaze point right X\tGaze point right Y\tEvent\tPresented Stimulus name\t"
    "Eye movement type\tSensor\n"
)


def tobii(participant=PERSON, recording=f"{PERSON} 1", y=200):
    who = f"{participant}\t{recording}"
    said = f"0\t{who}\t\t\t\t\tstart {FIRST}.{LAST}@example.org\t\t\t\n"
    return (
        TOBII
        + said
        + "".join(
            f"{10 * i}\t{who}\t100\t{y}\t140\t260\t\ta.png\t\tEye Tracker\n" for i in range(60)
        )
    )


def telling(*texts):
    """Which of the texts hold a part of the name."""
    return [text for text in texts if FIRST.lower() in text.lower() or LAST.lower() in text.lower()]


def everything(folder):
    """All that is written below a folder: names, bytes, and what columns and metadata hold."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield str(path.relative_to(folder))
        yield path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            yield pd.read_parquet(path).to_csv()
            yield str(pq.read_schema(path).metadata)


def seeded(source, folder):
    """Write an export whose every place for a person names ours; return it and their number."""
    columns = source.parent / "columns.json"
    recording = gazetrack.read(
        source, columns=json.loads(columns.read_text()) if columns.exists() else None
    )
    tables = [
        table
        for table in (recording.sample_table, recording.event_table, recording.fixation_table)
        if table is not None
    ]
    names = {name for table in tables for name in table["recording"].to_pylist()} - {
        "input",
        "input_1",
        "input_2",
    }
    names |= {
        name
        for table in tables[bool(recording.sample_table) :]
        for name in table["participant"].to_pylist()
    }
    data, count = source.read_bytes(), 0
    if source.suffix in (".csv", ".tsv", ".txt", ".asc", ".json"):
        for name in sorted(names, key=len, reverse=True):
            if len(name) > 1:
                count += data.count(name.encode())
                data = data.replace(name.encode(), PERSON.encode())
    folder.mkdir()
    path = folder / f"{PERSON}{source.suffix}"
    path.write_bytes(data)
    return path, count


@POLICIES
@pytest.mark.parametrize("source", GOLDEN, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_no_name_is_left_of_golden_exports(run, tmp_path, source, policy):
    path, _ = seeded(source, tmp_path / PERSON)
    columns = source.parent / "columns.json"
    named = (
        ",".join(f"{k}={v}" for k, v in json.loads(columns.read_text()).items())
        if columns.exists()
        else ""
    )
    line = (
        f"gazetrack convert '{path}' --participant {policy} --samples --events "
        f"--report r.jsonl --errors e.jsonl"
    )
    line += f" --columns '{named}'" if named else ""
    line += " --fov 82" if "adhawk" in source.parts else ""
    result = run(f"{line} {'-v' if policy == 'hash' else '--json'}")
    if "sidecar" not in result.err:  # one that lies beside the original
        assert result.code == 0, result.err
    path.unlink()
    written = [
        text for text in everything(tmp_path) if PERSON not in text[: len(PERSON)] or "\n" in text
    ]
    assert len(written) > 2
    assert not telling(result.out, result.err, *written)
    assert (tmp_path / "gazetrack.key").exists() == (policy == "hash")


def test_the_names_were_in_many_of_the_golden_exports(tmp_path):
    counts = [seeded(source, tmp_path / str(n))[1] for n, source in enumerate(GOLDEN)]
    assert sum(count > 0 for count in counts) >= 12


def damaged(data, delimiter):
    """Put the name into a cell of the last full line, in place of its first number."""
    lines = data.rstrip(b"\n").split(b"\n")
    cells = lines[-1].split(delimiter)
    at = next((n for n, cell in enumerate(cells) if cell.replace(b".", b"").isdigit()), 0)
    cells[at] = PERSON.encode()
    return b"\n".join([*lines[:-1], delimiter.join(cells)]) + b"\n"


@POLICIES
def test_parse_errors_quote_no_cell(run, tmp_path, policy):
    refused = 0
    for n, source in enumerate(
        path for path in GOLDEN if path.suffix in (".csv", ".tsv", ".txt", ".asc")
    ):
        data = source.read_bytes()
        delimiter = max((b"\t", b";", b","), key=data.count)
        path = tmp_path / f"{n}{source.suffix}"
        path.write_bytes(damaged(data, delimiter))
        result = run(
            f"gazetrack convert {path.name} --participant {policy} --report r.jsonl "
            f"--errors e.jsonl -o out"
        )
        assert not telling(
            result.out,
            result.err,
            (tmp_path / "r.jsonl").read_text(),
            (tmp_path / "e.jsonl").read_text(),
        )
        assert "internal error" not in result.err
        if result.code:
            refused += 1
            assert result.err.startswith("gazetrack: error: input 1 of 1")
            kept = run(f"gazetrack convert {path.name} -o kept")
            assert result.err.split("[")[-1] == kept.err.split("[")[-1]  # the same code
    assert refused >= 8


@POLICIES
def test_what_cannot_be_read_is_named_by_its_place(run, tmp_path, policy):
    folder = tmp_path / PERSON
    folder.mkdir()
    (folder / "a.tsv").write_text(tobii())
    (folder / "b.csv").write_text(f"x,y,t\n1,2,0\n{PERSON},2,4\n")
    (folder / "c.txt").write_text(f"A letter to {PERSON}.\n")
    result = run(
        f"gazetrack convert '{folder}' '{PERSON}.asc' --participant {policy} -v "
        f"--report r.jsonl -o out"
    )
    assert result.code == 1
    assert "gazetrack: error: input 2 of 4:3:1: '…' in column '…' is not a number" in result.err
    assert "gazetrack: error: input 4 of 4: no such file" in result.err
    assert "skipped input 3 of 4: no export of a known format" in result.out
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [f"input {n} of 4" for n in range(1, 5)]
    assert len(lines[1]["sha256"]) == 64  # tells which one it was
    assert not telling(result.out, result.err, (tmp_path / "r.jsonl").read_text())
    empty = tmp_path / f"{PERSON} empty"
    empty.mkdir()
    result = run(f"gazetrack convert '{empty}' --participant {policy}")
    assert (result.code, telling(result.err)) == (1, [])


@POLICIES
def test_files_are_named_by_pseudonym_and_sources_by_digest(run, tmp_path, policy):
    (tmp_path / f"{PERSON}.tsv").write_text(tobii())
    assert (
        run(f"gazetrack convert '{PERSON}.tsv' --participant {policy} -o out --report r.jsonl").code
        == 0
    )
    (table,) = (tmp_path / "out").iterdir()
    (line,) = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    meta = json.loads(pq.read_schema(table).metadata[b"gazetrack"])
    assert meta["source"] == {"file": f"sha256-{line['sha256'][:12]}", "sha256": line["sha256"]}
    assert line["outputs"][0]["path"] == f"out/{table.name}"
    assert set(pd.read_parquet(table)["recording"]) == {
        table.name.removesuffix(".fixations.parquet")
    }
    beside = run(f"gazetrack convert '{PERSON}.tsv' --participant {policy}")
    assert (
        f"wrote {table.name} " in beside.out
    )  # without its folder, which may be called after somebody


@POLICIES
def test_folders_called_after_people_are_not_named(run, tmp_path, policy):
    for who in (PERSON, f"{LAST}_{FIRST}"):  # as Pupil Player lays out a study
        for name, case in (("gaze_positions", "gaze"), ("fixations", "fixations")):
            (tmp_path / "in" / who).mkdir(parents=True, exist_ok=True)
            data = (FOLDER / "pupil_core" / case / "input.csv").read_text()
            x = "0.25" if who == PERSON else "0.26"  # two people, not one file twice
            (tmp_path / "in" / who / f"{name}.csv").write_text(data.replace(",0.25,", f",{x},"))
    result = run(
        f"gazetrack convert in --recursive --participant {policy} --samples -v -o "
        f"out --report r.jsonl"
    )
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert sorted(line["file"] for line in lines) == [f"input {n} of 4" for n in range(1, 5)]
    assert not telling(
        result.out, result.err, (tmp_path / "r.jsonl").read_text(), *everything(tmp_path / "out")
    )
    tables = [pd.read_parquet(path) for path in (tmp_path / "out").glob("*.fixations.parquet")]
    recordings = [set(table["recording"]) for table in tables if len(table)]
    assert len(set.union(*recordings)) == len(recordings) == 2


@POLICIES
def test_a_table_made_of_samples_does_not_name_their_source(run, tmp_path, policy):
    (tmp_path / f"{PERSON}.tsv").write_text(tobii())
    assert run(f"gazetrack convert '{PERSON}.tsv' --samples -o kept").code == 0
    samples = next((tmp_path / "kept").glob("*.samples.parquet"))
    assert run(f"gazetrack convert '{samples}' --participant {policy} -o out --samples").code == 0
    assert not telling(*everything(tmp_path / "out"))


@POLICIES
@pytest.mark.parametrize("command", ["events", "fixations", "pupil"])
def test_no_name_is_left_of_movements_fixations_and_pupils(run, tmp_path, policy, command):
    sources = [path for path in GOLDEN if path.parts[-3] in ("eyelink_asc", "tobii_pro")]
    (tmp_path / PERSON).mkdir()
    head, *rows = tobii().splitlines()
    sized = [f"{row}\t3.{n % 7}" for n, row in enumerate(rows)]
    sizes = "\n".join([f"{head}\tPupil diameter left", *sized, ""])
    (tmp_path / PERSON / f"{PERSON}.tsv").write_text(sizes)
    (tmp_path / PERSON / f"{LAST}.csv").write_text(f"x,y,t\n1,2,0\n{PERSON},2,4\n")
    paths = [
        f"'{PERSON}'",
        *(f"'{seeded(one, tmp_path / str(n))[0]}'" for n, one in enumerate(sources)),
    ]
    rule = "--trial-by 'message=(start .+)' --manifest done.jsonl --report r.jsonl -v -o out"
    for line in (f"'{PERSON}'", *paths):
        result = run(f"gazetrack {command} {line} --participant {policy} {rule}")
        assert not telling(result.out, result.err)
        assert "internal error" not in result.err
    tables = sorted((tmp_path / "out").iterdir())
    assert any(len(pd.read_parquet(table)) for table in tables)
    told = [(tmp_path / name).read_text() for name in ("r.jsonl", "done.jsonl")]
    assert not telling(*told, *everything(tmp_path / "out"))
    assert (tmp_path / "gazetrack.key").exists() == (policy == "hash")
    kept = run(f"gazetrack {command} '{PERSON}' {rule.replace('out', 'kept')}")
    assert telling(kept.out, *everything(tmp_path / "kept"))  # the name was there to be told


def test_pseudonyms_are_the_same_in_all_files_and_need_the_key(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tsv").write_text(tobii(recording="r", y=200 + ord(name)))
        run(f"gazetrack convert {name}.tsv --events --participant hash -o {name}")
    run("gazetrack convert a.tsv --events --participant hash --key other.key -o other")
    people = [
        set(pd.read_parquet(next((tmp_path / name).glob("*.events.parquet")))["participant"])
        for name in ("a", "b", "other")
    ]
    assert people[0] == people[1] != people[2]
    assert len(people[0]) == 1
    assert (tmp_path / "gazetrack.key").stat().st_mode & 0o077 == 0
    (tmp_path / "bad.key").write_text("secret")
    result = run("gazetrack convert a.tsv --participant hash --key bad.key")
    assert (result.code, "no key of 64" in result.err) == (2, True)


@POLICIES
def test_people_whose_files_have_one_name_do_not_replace_each_other(run, tmp_path, policy):
    for folder, y in (("one", 200), ("two", 210)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "gaze.tsv").write_text(tobii(participant="", recording="r", y=y))
    assert run(f"gazetrack convert one two --participant {policy} -o out").code == 0
    tables = sorted((tmp_path / "out").iterdir())
    assert len(tables) == 2
    assert len({name for table in tables for name in pd.read_parquet(table)["recording"]}) == 2
    again = {table: table.read_bytes() for table in tables}
    assert run(f"gazetrack convert two one --participant {policy} -o out --jobs 2").code == 0
    assert {table: table.read_bytes() for table in sorted((tmp_path / "out").iterdir())} == again


def test_a_report_is_not_written_over_the_key(run, tmp_path):
    (tmp_path / "a.tsv").write_text(tobii())
    result = run("gazetrack convert a.tsv --participant hash --report gazetrack.key")
    assert result.code == 3
    assert len((tmp_path / "gazetrack.key").read_text()) == 65


def test_in_a_shell_of_its_own(tmp_path):
    """As somebody would look for it: convert in a shell, then search all that is there."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"{PERSON}.tsv").write_text(tobii())
    (tmp_path / "in" / f"{LAST}.csv").write_text(f"x,y,t\n1,2,0\n{PERSON},2,4\n")
    (tmp_path / "in" / "two.csv").write_text(
        "x,y,t,duration,participant,recording,stimulus\n"
        + "".join(
            f"{n},1,{300 * n},200,{'img1' if n % 2 else LAST},rec,img1.png\n" for n in range(6)
        )
    )
    script = """
    umask 000
    for policy in hash drop; do
        gazetrack convert in --participant $policy --samples --events -v \
            -o out-$policy --report r-$policy.jsonl > said-$policy.txt 2>&1
        echo $? >> codes
    done
    ls -R out-* >> names
    stat -c %a gazetrack.key > mode
    grep -rilE 'Zyxwv|Qponm' names said-* r-*.jsonl out-*
    """
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    # A home of its own, but the kernels that are compiled already.
    env = {"PATH": path, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(user_caches())}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 1), done.stderr
    assert (tmp_path / "codes").read_text().split() == ["1", "1"]  # one of three is damaged
    assert (tmp_path / "mode").read_text().strip() == "600"
    for policy in ("hash", "drop"):
        tables = sorted((tmp_path / f"out-{policy}").glob("*.fixations.parquet"))
        assert len(tables) == 2
        assert not telling(*everything(tmp_path / f"out-{policy}"))
        frame = pd.concat(map(pd.read_parquet, tables))
        two = frame[frame["stimulus"] == "img1.png"]  # a participant is called img1
        seen = two.groupby("recording", observed=True)["x_px"].apply(list)
        assert sorted(seen) == [[0, 2, 4], [1, 3, 5]]
