"""A folder is searched whole; what is found is told without quoting it."""

from __future__ import annotations

import gzip

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.scrubbing import check
from gazetrack.workflows.scrubbing.check import scrub_check

NAME = "Anna Kowalski"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "names.txt").write_text(f"Nobody Else\n{NAME}\n")
    (tmp_path / "given" / "deep").mkdir(parents=True)
    (tmp_path / "given" / "clean.csv").write_text("x,y\n1,2\n")
    return tmp_path


def search(folder, **choices):
    return scrub_check(folder / "given", folder / "names.txt", **choices)


def told(report):
    return [(found.file, found.place, found.line, found.form) for found in report.findings]


def test_a_folder_without_names_has_none(folder):
    report = search(folder)
    assert (report.n_files, report.n_tokens, report.findings, report.errors) == (1, 2, [], [])


def test_what_is_found_is_told_by_file_place_and_line(folder):
    (folder / "given" / "deep" / "a.csv").write_text(f"x\n1\n{NAME},{NAME}\n")
    (folder / "given" / "b.gz").write_bytes(gzip.compress(f"\n{NAME.upper()}".encode("utf-16")))
    (folder / "given" / "c.bin").write_bytes(bytes(9) + NAME.encode())
    assert told(search(folder)) == [
        ("b.gz", "unpacked, line 2", 2, "UTF-16"),
        ("c.bin", "byte 22", 2, ""),
        ("deep/a.csv", "line 3", 2, ""),
    ]


def test_names_of_files_folders_and_links_count_and_are_not_quoted(folder):
    (folder / "given" / "anna_kowalski").mkdir()
    (folder / "given" / "anna_kowalski" / f"{NAME}.csv").write_text("x\n")
    (folder / "given" / "link").symlink_to(folder / f"{NAME}.txt")
    report = search(folder)
    assert told(report) == [
        ("<token 2>", "its name", 2, ""),
        ("<token 2>/<token 2>.csv", "its name", 2, ""),
        ("link", "what the link points to", 2, ""),
    ]
    assert "kowalski" not in str(report).lower()


def test_a_name_across_two_blocks_is_found_once(folder):
    path = folder / "given" / "long.csv"
    path.write_bytes(b"x" * (check._CHUNK_BYTES - 5) + b"\n" + NAME.encode() + b"\n" + b"y" * 99)
    assert told(search(folder)) == [("long.csv", "line 2", 2, "")]


def test_several_processes_find_the_same(folder):
    for n in range(6):
        (folder / "given" / f"{n}.csv").write_text(NAME if n % 2 else "x")
    assert told(search(folder, jobs=2)) == told(search(folder))


def test_what_cannot_be_searched_is_an_error_of_its_own(folder):
    (folder / "given" / "cut.gz").write_bytes(gzip.compress(NAME.encode())[:-9])
    report = search(folder)
    assert not report.findings
    (error,) = report.errors
    assert str(error).startswith("cut.gz: cannot be searched: damaged - look at it yourself")


def test_tokens_in_the_folder_itself_and_no_folder_are_refused(folder):
    with pytest.raises(ConfigError, match="lie in the folder itself"):
        scrub_check(folder, folder / "names.txt")
    with pytest.raises(InputError, match="no such folder"):
        scrub_check(folder / "nowhere", folder / "names.txt")
