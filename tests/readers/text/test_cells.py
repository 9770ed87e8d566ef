"""The kernel and Arrow read the same table; parts and blocks make no difference."""

import tempfile
from itertools import chain
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.text import cells as _cells
from gazetrack.readers.text.arrow_cells import ArrowCells
from gazetrack.readers.text.header import needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.parts import TextNames
from gazetrack.readers.text.ragged import Picked
from gazetrack.readers.text.table import read_columns, read_parts
from gazetrack.readers.text.utf8 import Utf8Lines

WANTED = {"n": (0, "float64"), "m": (2, "float32"), "a": (1, "text"), "b": (3, "text")}
numbers = st.one_of(
    st.floats(-1e6, 1e6, width=32).map(lambda value: f"{value:.3f}"),
    st.integers(-(10**15), 10**15).map(str),
    st.sampled_from(
        ["", "NA", ".", "-", " 7 ", "+1", "1.", ".5", "2e3", "12345.678901234567", "1,5"]
    ),
)
names = st.one_of(st.text("abé ", max_size=9), st.sampled_from(["Valid", "Invalid"]))
rows = st.lists(st.tuples(numbers, names, numbers, names), min_size=1, max_size=30)


def outcome(path, blocks=1 << 19, part=60_000, kernel=True):
    head = read_head(path)
    without = mock.patch.object(_cells, "parse_cells", return_value=-1)
    with (
        mock.patch.object(_cells, "BLOCK_BYTES", blocks),
        mock.patch.object(_cells, "PART_ROWS", part),
        mock.patch("gazetrack.readers.text.utf8.BLOCK_BYTES", blocks),
    ):
        try:
            if kernel:
                table = read_columns(head, needed_header(head), WANTED)
            else:
                with without:
                    table = read_columns(head, needed_header(head), WANTED)
        except ParseError as error:
            return str(error)
    return [
        table.number("n"),
        table.number("m"),
        table.text("a").tolist(),
        table.text("b").tolist(),
    ]


def assert_same(one, other):
    assert isinstance(one, str) == isinstance(other, str), (one, other)
    if isinstance(
        one, str
    ):  # of several errors in a block, which one is named may depend on the block
        return
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@given(
    rows,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([64, 300, 1 << 19]),
    st.sampled_from([1, 7, 60_000]),
)
@example([("1.5", "a", "2", "")] * 9 + [("1,5", "a", "2", "")], "\n", 64, 60_000)
@example([("1,5", "a", "2", "")] * 9 + [("1.5", "a", "2", "")], "\n", 64, 60_000)
@example([("1", "a", "x", "")], "\n", 64, 1)
@settings(deadline=None, max_examples=150)
def test_the_kernel_reads_what_arrow_reads(cells, end, blocks, part):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tsv")
        lines = ["n\ta\tm\tb", *("\t".join(row) for row in cells)]
        path.write_bytes("".join(line + end for line in lines).encode())
        whole = outcome(path, kernel=False)
        assert_same(outcome(path), whole)
        assert_same(outcome(path, blocks, part), whole)


@pytest.mark.parametrize("tail", ["", "\n", "\n\n\n", "1\ta\t2\tb", "1\ta\t2\tb\n\n"])
def test_the_end_of_the_file_may_be_any(tail, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("n\ta\tm\tb\n" + "1\ta\t2\tb\n" * 3 + tail)
    table = read_columns(read_head(path), needed_header(read_head(path)), WANTED)
    assert table.n_rows == 3 + ("1" in tail)


def test_an_error_in_an_earlier_block_comes_first(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text(
        "n\ta\tm\tb\n"
        + "1\ta\t2\tb\n" * 5
        + "x\ta\t2\tb\n"
        + "1\ta\t2\tb\n" * 50
        + "1\0\ta\t2\tb\n"
    )
    assert "a.tsv:7:1: 'x' in column 'n' is not a number" in outcome(path, blocks=64)


def test_texts_of_all_parts_share_their_codes(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("n\ta\tm\tb\n" + "".join(f"1\t{'xyz'[i % 3]}\t2\t b\n" for i in range(20)))
    with mock.patch.object(_cells, "PART_ROWS", 6):
        parts = list(read_parts(read_head(path), needed_header(read_head(path)), WANTED))
    assert len(parts) == 1  # one block is one part, however small parts are
    assert parts[0].texts("b").names == ["b"]
    assert parts[0].texts("a").names == ["x", "y", "z"]


def maker_of(tmp_path, text, wanted=WANTED):
    path = tmp_path / "a.tsv"
    path.write_text(text)
    head = read_head(path)
    header = needed_header(head)
    return head, header, _cells._PartMaker(head, header, wanted)


def test_a_mark_that_changes_is_found_though_it_was_guessed_otherwise(tmp_path):
    text = "n\ta\tm\tb\n" + "1,5\ta\t2\tb\n" * 5 + "1.5\ta\t2\tb\n" * 5
    head, header, maker = maker_of(tmp_path, text)
    with mock.patch.object(_cells, "BLOCK_BYTES", 30), Utf8Lines(head) as file:
        blocks = list(maker.with_room(_cells._whole_lines(file, header.lines)))
    assert len(blocks) == 4
    # All of them are parsed before the first one is taken: each with a point, as is usual.
    parsed = [maker.parse(block) for block in blocks]
    assert {one.mark for one in parsed} == {"."}
    what = r"mark changes here, at '1\.5': since line 2 a comma"
    with pytest.raises(ParseError, match=what):
        list(chain.from_iterable(map(maker.take, parsed)))


def test_blank_lines_between_longer_rows_are_no_rows(tmp_path):
    # Two lines, one too long by as many cells as the other lacks: their cells add up.
    text = "n\ta\n" + "1\tx\t\n\n" * 3 + "2\ty\n"
    path = tmp_path / "a.tsv"
    path.write_text(text)
    head = read_head(path)
    table = read_columns(head, needed_header(head), {"n": (0, "float64"), "a": (1, "text")})
    assert table.number("n").tolist() == [1, 1, 1, 2]
    assert table.text("a").tolist() == ["x", "x", "x", "y"]


def test_a_text_with_blanks_around_it_is_the_text():
    known = TextNames()
    assert [known.code(text) for text in (b"b", b" b ", b"c", b"b ")] == [0, 0, 1, 0]
    assert known.names == ["b", "c"]


@pytest.mark.parametrize(
    ("data", "n_rows", "words"),
    [
        (b"1\t\n2\t\n", 3, "quoted cells that make 2 rows or 3"),
        (b"1\t\n2\t3\t4\t\n", 2, "Expected 2 columns, got 4"),
    ],
)
def test_rows_that_arrow_sees_otherwise_are_an_error(data, n_rows, words, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("n\ta\n1\tx\n")
    head = read_head(path)
    cells = ArrowCells(head, needed_header(head), picked=[0], numbers=[0], texts=[])
    picked = Picked(data, n_rows, np.zeros(10, np.int64), refused=-1, read=len(data))
    with pytest.raises(ParseError, match=words) as caught:
        cells.parse(picked)
    assert caught.value.path == path


def test_a_row_behind_the_last_one_is_told_by_the_header(tmp_path):
    head, header, _ = maker_of(tmp_path, "n\ta\tm\tb\n\n1\ta\t2\tb\n")
    assert line_of(head, header, 0) == 3
    assert line_of(head, header, 1) == header.lines == 1


@pytest.mark.skipif(not hasattr(_cells.parse_cells, "signatures"), reason="it is not compiled")
@pytest.mark.parametrize("wanted", [("n",), ("n", "m"), ("m", "a"), ("n", "m", "a", "b")])
@pytest.mark.parametrize("part", [1, 60_000])
def test_the_kernel_is_compiled_once_for_all_tables(tmp_path, wanted, part):
    """A part of a single column, or a block that fills it, is no type of its own."""
    path = tmp_path / "x.tsv"
    path.write_text("n\ta\tm\tb\n" + "1\tx\t2.5\ty\n" * 20)
    head = read_head(path)
    with mock.patch.object(_cells, "PART_ROWS", part):
        table = read_columns(head, needed_header(head), {name: WANTED[name] for name in wanted})
    assert table.n_rows == 20
    for signature in _cells.parse_cells.signatures:
        arrays = [each for given in signature for each in getattr(given, "types", [given])]
        assert {each.layout for each in arrays if hasattr(each, "layout")} == {"C"}
