"""Rows that are shorter or longer than the header, and files that are cut off or grow too much."""

import gzip
from unittest import mock

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.text import cells as _cells
from gazetrack.readers.text import ragged
from gazetrack.readers.text.header import needed_header
from gazetrack.readers.text.table import MAX_COLUMNS, read_columns
from gazetrack.workflows.convert import ConvertOptions, convert_files

HEADER = ["t", "x", "y", "stimulus", "remark"]
SHORT_UNUSED = "shorter than the header, in columns that are not used"
UNLIKE_MOST = ragged._UNLIKE_MOST
SHORT = "shorter than the header: the missing cells taken as empty"
LOST = ragged._KINDS[ragged._LOST]
SPARE = "empty cells beyond the header left out"
TEXT = "text beyond the last column left out"
# Quotes anywhere take another way through the table, small blocks a third.
WAYS = [
    ("\t", "", 1 << 19),
    (";", "", 1 << 19),
    (",", '"', 1 << 19),
    ("\t", "", 50),
    (",", '"', 50),
]


def rows(n=12):
    return [[str(20 * i), f"{100 + i}.5", f"{200 + i}", "a.png", "ok"] for i in range(n)]


def written(tmp_path, cells, way=WAYS[0], tail="\n"):
    mark, quote, _ = way
    lines = [HEADER, *cells]
    path = tmp_path / "a.csv"
    text = "\n".join(mark.join(f"{quote}{cell}{quote}" for cell in line) for line in lines)
    path.write_text(text + tail)
    return path


def read(tmp_path, cells, way=WAYS[0], tail="\n"):
    path = written(tmp_path, cells, way, tail)
    with (
        mock.patch.object(_cells, "BLOCK_BYTES", way[2]),
        mock.patch("gazetrack.readers.text.utf8.BLOCK_BYTES", way[2]),
    ):
        return gazetrack.read(path)


def assert_positions(recording, n=12):
    np.testing.assert_allclose(recording.sample_table["x_px"], 100.5 + np.arange(n))
    np.testing.assert_allclose(recording.sample_table["y_px"], 200 + np.arange(n))
    np.testing.assert_allclose(recording.sample_table["t_ms"], 20 * np.arange(n))


@pytest.mark.parametrize("way", WAYS)
def test_whole_rows_mend_nothing(way, tmp_path):
    recording = read(tmp_path, rows(), way)
    assert_positions(recording)
    assert recording.mended == {}


@pytest.mark.parametrize("way", WAYS)
def test_empty_cells_that_a_vendor_left_out_at_the_end_are_empty(way, tmp_path):
    cells = rows()
    cells[3], cells[5], cells[7] = cells[3][:4], cells[5][:4], cells[7][:3]
    recording = read(tmp_path, cells, way)
    assert_positions(recording)
    assert recording.mended == {UNLIKE_MOST: 2, SHORT: 1}
    assert (recording.rows_in, recording.dropped) == (12, {})
    assert recording.sample_table["stimulus"].to_pylist() == ["a.png"] * 7 + [""] + ["a.png"] * 4
    assert recording.notes[:2] == (
        f"2 rows {UNLIKE_MOST} (first: line 5)",
        f"1 rows {SHORT} (first: line 9)",
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("at", range(4))
def test_a_row_that_lost_a_separator_is_taken_as_empty_and_counted(at, way, tmp_path):
    cells = rows()
    cells[6] = [*cells[6][:at], cells[6][at] + cells[6][at + 1], *cells[6][at + 2 :]]
    recording = read(tmp_path, cells, way)
    whole = np.delete(np.arange(12), 6)
    np.testing.assert_allclose(recording.sample_table["x_px"], 100.5 + whole)
    np.testing.assert_allclose(recording.sample_table["y_px"], 200 + whole)
    np.testing.assert_allclose(recording.sample_table["t_ms"], 20 * whole)
    assert set(recording.sample_table["stimulus"].to_pylist()) == {"a.png"}
    assert recording.mended == {LOST: 1}
    assert recording.notes[0] == f"1 rows {LOST} (first: line 8)"
    assert (recording.rows_in, sum(recording.dropped.values())) == (12, 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_ends_as_no_row_with_a_lost_separator_does_lacks_its_last_cells(way, tmp_path):
    cells = rows()
    cells[7] = cells[7][:3]  # a lost separator would have moved a remark here
    recording = read(tmp_path, cells, way)
    assert_positions(recording)
    assert recording.mended == {SHORT: 1}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("left", [[], ["7"]])
def test_rows_of_numbers_alone_do_not_say_which_cell_is_missing(left, way, tmp_path):
    cells = [[*row[:3], "5", "6"] for row in rows(60)]
    cells[40] = [*cells[40][:2], *cells[40][3:4], *left] if left else cells[40][:4]
    recording = read(tmp_path, cells, way)
    assert recording.sample_table.num_rows == 59
    assert recording.mended == {LOST: 1}


@pytest.mark.parametrize("way", WAYS)
def test_a_row_without_the_cells_of_its_gaze_has_none(way, tmp_path):
    cells = rows()
    cells[2] = cells[2][:1]
    recording = read(tmp_path, cells, way)
    assert recording.mended == {SHORT: 1}
    assert (
        recording.rows_in == recording.sample_table.num_rows + sum(recording.dropped.values()) == 12
    )
    x = recording.sample_table["x_px"].to_numpy()
    assert np.isnan(x[2]) if x.size == 12 else recording.dropped == {"no position": 1}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("more", [[""], ["", "", ""], [" "]])
def test_separators_beyond_the_header_are_counted_and_no_more(more, way, tmp_path):
    recording = read(tmp_path, [[*row, *more] for row in rows()], way)
    assert_positions(recording)
    assert recording.mended == {SPARE: 12}


@pytest.mark.parametrize("way", WAYS)
def test_a_remark_behind_the_last_column_is_left_out(way, tmp_path):
    cells = rows()
    cells[5] += ["trigger lost"]
    recording = read(tmp_path, cells, way)
    assert_positions(recording)
    assert recording.mended == {TEXT: 1}
    assert recording.notes[0].endswith("(first: line 7)")


@pytest.mark.parametrize("way", WAYS)
def test_a_number_beyond_the_header_means_that_cells_have_moved(way, tmp_path):
    cells = rows()
    cells[5] = [*cells[5][:2], "7", *cells[5][2:4], "3.25"]
    with pytest.raises(ParseError, match="numbers beyond the last column") as caught:
        read(tmp_path, cells, way)
    assert caught.value.line == 7


@pytest.mark.parametrize("way", WAYS)
def test_two_rows_in_one_line_are_refused(way, tmp_path):
    cells = rows()
    cells[5:7] = [cells[5] + cells[6]]
    with pytest.raises(ParseError, match="two rows in one line") as caught:
        read(tmp_path, cells, way)
    assert caught.value.line == 7


@pytest.mark.parametrize("way", WAYS)
def test_a_column_without_a_name_in_every_row_is_refused(way, tmp_path):
    with pytest.raises(ParseError, match="more cells than the header, which has 5") as caught:
        read(tmp_path, [[*row[:3], "7", *row[3:]] for row in rows()], way)
    assert (caught.value.line, "name it in the header" in caught.value.hint) == (2, True)


def test_decimal_commas_between_commas_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,x,y\n" + "".join(f"{20 * i},{100 + i},5,{200 + i}\n" for i in range(9)))
    with pytest.raises(ParseError, match="numbers beyond the last column"):
        gazetrack.read(path)


def test_a_header_that_ends_with_a_separator_fits_rows_that_do_not(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,x,y,\n" + "".join(f"{20 * i},{100 + i}.5,{200 + i}\n" for i in range(12)))
    recording = gazetrack.read(path)
    assert_positions(recording)
    assert recording.mended == {}


@pytest.mark.parametrize("way", WAYS)
def test_blank_lines_are_no_rows(way, tmp_path):
    path = written(tmp_path, rows(), way, "\n\n\n")
    path.write_text(path.read_text().replace("\n", "\n\n\n"))
    recording = gazetrack.read(path)
    assert_positions(recording)
    assert (recording.mended, recording.rows_in) == ({}, 12)


def test_cells_in_quotes_may_hold_line_ends(tmp_path):
    path = tmp_path / "a.csv"
    lines = [f'{20 * i},{100 + i}.5,{200 + i},"a ""big"",\nimage {i}.png"\n' for i in range(12)]
    path.write_text("t,x,y,stimulus\n" + "".join(lines))
    for block in (1 << 19, 50):
        with (
            mock.patch.object(_cells, "BLOCK_BYTES", block),
            mock.patch("gazetrack.readers.text.utf8.BLOCK_BYTES", block),
        ):
            recording = gazetrack.read(path)
        assert_positions(recording)
        assert recording.sample_table["stimulus"].to_pylist()[3] == 'a "big",\nimage 3.png'


def test_a_quote_left_open_is_named(tmp_path):
    path = written(tmp_path, rows(), WAYS[2])
    path.write_text(path.read_text().replace('"a.png","ok"\n"80"', '"a.png","ok\n80'))
    with pytest.raises(ParseError) as caught:
        gazetrack.read(path)
    assert caught.value.line


def test_a_wide_header_over_short_rows_needs_no_more_memory_than_its_cells(tmp_path):
    header = ["t", "x", "y", *(f"c{i}" for i in range(9_000))]
    path = tmp_path / "a.csv"
    path.write_text("\t".join(header) + "\n" + "1\t2\n" * 200_000)
    head = read_head(path)
    table = read_columns(head, needed_header(head), {"t": (0, "float64"), "c": (9_002, "text")})
    assert (table.n_rows, head.reading.mended) == (200_000, {SHORT: 200_000})


@pytest.mark.parametrize("way", WAYS[:3])
def test_a_file_that_ends_in_the_middle_of_a_row_is_refused_or_salvaged(way, tmp_path):
    path = written(tmp_path, rows(), way)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"212") if b"212" in whole else whole.rindex(b"211") + 1])
    with pytest.raises(
        ParseError, match=r"ends in the middle of a row|a quote is left open"
    ) as caught:
        gazetrack.read(path)
    assert caught.value.line == 13
    recording = gazetrack.read(path, salvage=True)
    assert_positions(recording, 11)
    assert (recording.rows_in, recording.dropped) == (12, {"cut off at the end of the file": 1})


@pytest.mark.parametrize(("cells", "refused"), [(3, True), (4, False)])
def test_a_cell_at_which_the_file_ends_may_be_cut_off(cells, refused, tmp_path):
    path = tmp_path / "a.csv"
    lines = [
        ["t", "x", "y", "one", "other"],
        *([str(20 * i), "100", "200", "a", "b"] for i in range(5)),
    ]
    lines[-1] = lines[-1][:cells]
    path.write_text("\n".join(map("\t".join, lines)))
    if refused:
        with pytest.raises(ParseError, match="ends in the middle of a row"):
            gazetrack.read(path)
    else:
        assert gazetrack.read(path).mended == {LOST: 1}


def test_salvage_leaves_a_whole_file_as_it_is(tmp_path):
    path = written(tmp_path, rows())
    whole, salvaged = gazetrack.read(path), gazetrack.read(path, salvage=True)
    assert salvaged.sample_table.to_pandas().equals(whole.sample_table.to_pandas())
    assert (salvaged.rows_in, salvaged.dropped) == (12, {})
    path.write_bytes(
        path.read_bytes()[:-1]
    )  # without its last line end nobody can tell that the last cell is whole
    assert gazetrack.read(path).rows_in == 12
    assert gazetrack.read(path, salvage=True).dropped == {"cut off at the end of the file": 1}


def test_salvage_takes_the_whole_rows_of_gzip_that_is_cut_off(tmp_path):
    path = tmp_path / "a.csv.gz"
    rng = np.random.default_rng(0)
    lines = [
        f"{20 * i}\t{x:.3f}\t{y:.3f}\n" for i, (x, y) in enumerate(rng.uniform(0, 900, (50_000, 2)))
    ]
    packed = gzip.compress(("t\tx\ty\n" + "".join(lines)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ParseError, match="ends in the middle") as caught:
        gazetrack.read(path)
    assert "--salvage" in caught.value.hint
    recording = gazetrack.read(path, salvage=True)
    taken = recording.sample_table.num_rows
    assert 20_000 < taken < 30_000
    assert recording.sample_table["x_px"].to_pylist()[-1] == pytest.approx(
        float(lines[taken - 1].split("\t")[1]), abs=1e-3
    )
    assert "the gzip stream ends in the middle: read up to there" in recording.notes


def test_salvage_of_eyelink_lines(tmp_path):
    lines = [f"{1000 + i}\t {500 + i}.5\t  {300 + i}.0\t  900.0\t...\n" for i in range(20)]
    path = tmp_path / "a.asc"
    head = (
        "START\t1000 \tRIGHT\tSAMPLES\tEVENTS\nSAMPLES\tGAZE\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\n"
    )
    path.write_text((head + "".join(lines))[:-1])
    assert any("the file may be cut off there" in note for note in gazetrack.read(path).notes)
    recording = gazetrack.read(path, salvage=True)
    assert recording.sample_table.num_rows == 19
    assert recording.dropped["cut off at the end of the file"] == 1


def test_the_outcome_counts_mended_rows(tmp_path):
    cells = rows()
    cells[3] = cells[3][:3]
    (outcome,) = convert_files([written(tmp_path, cells)], ConvertOptions())
    assert outcome.as_json()["mended"] == {SHORT: 1}
    assert outcome.notes[0] == f"1 rows {SHORT} (first: line 5)"


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_the_limit_of_columns(step, tmp_path):
    n = MAX_COLUMNS + step
    path = tmp_path / "a.csv"
    path.write_text("t\tx\ty" + "\tc" * (n - 3) + "\n0\t100\t200\n20\t100\t200\n40\t100\t200\n")
    if step > 0:
        with pytest.raises(ParseError, match="10,001 columns, more than 10,000") as caught:
            gazetrack.read(path)
        assert caught.value.line == 1
    else:
        assert gazetrack.read(path).sample_table.num_rows == 3


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_the_limit_of_a_line(step, tmp_path):
    path = written(tmp_path, rows())
    row = "400\t112.5\t212\ta.png\t"
    path.write_text(path.read_text() + row + "o" * (MAX_LINE_BYTES + step - len(row)) + "\n")
    if step > 0:
        with pytest.raises(ParseError, match="a line of more than") as caught:
            gazetrack.read(path)
        assert caught.value.line == 14
    else:
        assert gazetrack.read(path).sample_table.num_rows == 13


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text('"t","x"\n"1","2"\n"3","4\n')
    head = read_head(path)
    rows = ragged.RaggedRows(head, needed_header(head), [0, 1])
    monkeypatch.setattr(ragged, "MAX_LINE_BYTES", 1_000)
    given = []

    def blocks():
        yield b'"1","2"\n"3","4\n', True
        for _ in range(100):
            given.append(b"5,6\n" * 100)
            yield given[-1], True

    with pytest.raises(ParseError, match="a quote is left open") as caught:
        list(rows.quoted_blocks(blocks()))
    assert caught.value.line == 3
    assert len(given) == 3


def test_rows_that_are_mostly_short_are_as_the_exporter_cut_them(tmp_path):
    cut = [row[:-1] for row in rows()]
    cut[0] = rows()[0]
    recording = read(tmp_path, cut)
    assert_positions(recording)
    assert recording.mended == {SHORT_UNUSED: 11}
