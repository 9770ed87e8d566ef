"""The first look at a file: which part of it, in which encoding, and what separates its cells."""

import gzip

import pytest

from gazetrack.errors import InputError
from gazetrack.readers.head import HEAD_BYTES, read_head

LINES = ["t\tx\ty", "0\t10.5\t20", "20\tä\t21"]


def head_of(tmp_path, data, name="a.tsv"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_head(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_lines_are_the_same_in_any_encoding_and_with_any_line_end(written, found, end, tmp_path):
    head = head_of(tmp_path, (end.join(LINES) + end).encode(written))
    assert head.encoding == found
    assert [line.removeprefix("\ufeff") for line in head.lines] == LINES
    assert head.delimiter == "\t"


def test_western_bytes_are_no_utf_8(tmp_path):
    head = head_of(tmp_path, ("\n".join(LINES) + "\n").encode("latin-1") * 20)
    assert "ä" in head.lines[2]


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_the_head_cuts_off_is_left_out(packed, tmp_path):
    text = "".join(f"{row:07d}\t1\n" for row in range(HEAD_BYTES // 10 + 10))
    data = text.encode()
    head = head_of(tmp_path, gzip.compress(data) if packed else data)
    assert head.data == data[:HEAD_BYTES]
    assert len(head.data) % 10  # within a line
    assert head.lines == tuple(text.splitlines()[: HEAD_BYTES // 10])


def test_a_character_that_the_head_cuts_in_two_does_not_change_the_encoding(tmp_path):
    text = "x" + "ä" * HEAD_BYTES
    assert head_of(tmp_path, text.encode()).encoding == "utf-8"


def test_the_last_line_of_a_whole_file_needs_no_end(tmp_path):
    assert head_of(tmp_path, b"t\tx\n1\t2").lines == ("t\tx", "1\t2")


@pytest.mark.parametrize(
    ("line", "mark"),
    [("a\tb,c,d", "\t"), ("a;b,c;d", ";"), ("a,b;c,d", ","), ("a,b;c", ";"), ("abc", "")],
)
def test_the_delimiter_is_what_a_typical_line_has_most_of_but_a_tab_wins(line, mark, tmp_path):
    text = "free text, with; marks,,,\n" + f"{line}\n" * 5
    assert head_of(tmp_path, text.encode()).delimiter == mark


@pytest.mark.parametrize(
    ("name", "stem"),
    [("p01.asc", "p01"), ("p01.asc.gz", "p01"), ("p.01.TSV.GZ", "p.01"), ("p01", "p01")],
)
def test_the_stem_has_neither_suffix_nor_gz(name, stem, tmp_path):
    assert head_of(tmp_path, b"1\n", name).stem == stem


@pytest.mark.parametrize(
    ("name", "words"), [("a.tsv", "is empty"), ("sub-01_physio.tsv.gz", "a placeholder")]
)
def test_an_empty_file_is_an_error_that_says_so(name, words, tmp_path):
    with pytest.raises(InputError, match=words):
        head_of(tmp_path, b"", name)


def test_a_mark_of_the_encoding_alone_is_no_line(tmp_path):
    head = head_of(tmp_path, b"\xef\xbb\xbf")
    assert (head.encoding, head.lines, head.delimiter) == ("utf-8-sig", (), "")
