"""Text of any encoding as UTF-8 lines, whatever the blocks are."""

import io
from unittest import mock

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import opening
from gazetrack.readers.head import read_head
from gazetrack.readers.reading import CUT_OFF, Reading
from gazetrack.readers.text import utf8
from gazetrack.readers.text.utf8 import Utf8Lines, by_line, rewritten

LINES = ["a\tä", "", "€\t1", "the last"]


def content(head, block=1 << 19):
    with mock.patch.object(utf8, "BLOCK_BYTES", block), Utf8Lines(head) as file:
        return file.read()


def written(tmp_path, data, **reading):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    return read_head(path, Reading(**reading))


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 19])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_line_ends_and_characters_may_lie_across_blocks(encoding, end, block, tmp_path):
    head = written(tmp_path, end.join(LINES).encode(encoding))
    assert content(head, block).decode() == "\n".join(LINES)


@pytest.mark.parametrize("block", [1, 5, 1 << 19])
def test_the_line_of_a_nul_byte_is_named(block, tmp_path):
    head = written(tmp_path, b"one\r\ntwo\nth\0ree\nfour\n")
    with pytest.raises(ParseError, match="a NUL byte") as caught:
        content(head, block)
    assert caught.value.line == 3


def test_a_line_longer_than_all_tables_have_is_refused_across_blocks(tmp_path):
    data = b"1\n" + b"x" * (opening.MAX_LINE_BYTES + 1) + b"\n"
    with pytest.raises(ParseError, match="a line of more than") as caught:
        content(written(tmp_path, data), 1 << 16)
    assert caught.value.line == 2
    data = b"1\n" + b"x" * opening.MAX_LINE_BYTES + b"\n"
    assert content(written(tmp_path, data), 1 << 16) == data


@pytest.mark.parametrize("block", [1, 4, 1 << 19])
def test_of_a_file_to_be_salvaged_a_line_without_its_end_is_counted_not_read(block, tmp_path):
    head = written(tmp_path, b"one\ntwo\nthr", salvage=True)
    assert content(head, block) == b"one\ntwo\n"
    assert head.reading.dropped == {CUT_OFF: 1}


@pytest.mark.parametrize("block", [1, 4, 1 << 19])
def test_a_file_can_be_read_as_if_its_lines_were_others(block, tmp_path):
    head = written(tmp_path, b"one\r\n\r\ntwo")
    table = rewritten(head, lambda: by_line(lambda line: b"<" + line + b">"))
    assert table.lines == ("<one>", "", "<two>")
    with mock.patch.object(utf8, "BLOCK_BYTES", block), table.blocks() as file:
        assert io.BufferedReader(file).read() == b"<one>\n\n<two>"
