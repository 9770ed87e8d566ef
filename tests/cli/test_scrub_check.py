"""gazetrack scrub-check: what it prints, and its exit codes."""

from __future__ import annotations

import json

NAME = "Anna Kowalski"


def test_it_tells_where_and_quotes_nothing(run, tmp_path):
    (tmp_path / "names.txt").write_text(f"Nobody Else\n{NAME}\n", "utf-8")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "clean.csv").write_text("x,y\n1,2\n")
    line = "gazetrack scrub-check given --tokens names.txt"
    found = run(line)
    assert (found.code, found.err) == (0, "")
    assert found.out == "searched 1 files for 2 tokens: found none\n"
    (tmp_path / "given" / f"{NAME}.csv").write_text(f"x\n{NAME.upper()}\n")
    found = run(line)
    assert (found.code, found.err) == (1, "")
    assert found.out == (
        "<token 2>.csv: its name: token 2\n"
        "<token 2>.csv: line 2: token 2\n"
        "searched 2 files for 2 tokens: found 1 of them, in 1 files\n"
    )
    assert run(f"{line} -q").out == "".join(found.out.splitlines(keepends=True)[:2])
    as_json = json.loads(run(f"{line} --json").out)
    assert as_json["found"][1] == {
        "file": "<token 2>.csv", "place": "line 2", "line": 2, "form": "",
    }  # fmt: skip


def test_what_it_cannot_look_into_is_no_success(run, tmp_path):
    (tmp_path / "names.txt").write_text(NAME)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "a.gz").write_bytes(b"\x1f\x8bno gzip")
    found = run("gazetrack scrub-check given --tokens names.txt")
    assert found.code == 1
    assert found.err.startswith("gazetrack: error: a.gz: cannot be searched: damaged")
    words = "searched 1 files for 1 tokens: found none; 1 could not be looked into\n"
    assert found.out == words


def test_wrong_use_is_told(run, tmp_path):
    (tmp_path / "names.txt").write_text("ab\n")
    assert run("gazetrack scrub-check nowhere --tokens names.txt").code == 1
    (tmp_path / "given").mkdir()
    found = run("gazetrack scrub-check given --tokens names.txt")
    assert (found.code, "names.txt: line 1 has 2 characters" in found.err) == (2, True)
    assert run("gazetrack scrub-check given").code == 2
