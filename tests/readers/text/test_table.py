"""Bad input, for all readers of delimited text."""

import gzip

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head

HEADERS = {
    "eyelink_report": ("\t", "CURRENT_FIX_X CURRENT_FIX_Y CURRENT_FIX_DURATION CURRENT_FIX_START"),
    "gazemedseg": (
        ",",
        " ".join(
            f"CURRENT_FIX_{name}" for name in ("X", "Y", "DURATION", "START", "INDEX", "PUPIL")
        )
        + " IMAGE_HEIGHT IMAGE_WIDTH IMAGE",
    ),
    "generic": (";", "x_px y_px duration t"),
    "tobii_pro": ("\t", "Gaze-point-X Gaze-point-Y Gaze-event-duration Recording-timestamp"),
}
NAMES = sorted(HEADERS)


def table(name, *rows, end="\n"):
    mark, header = HEADERS[name]
    width = len(header.split())
    lines = [
        header.split(),
        *([*row, *["1"] * (width - len(row))] if len(row) == 4 else row for row in rows),
    ]
    return "".join(
        mark.join(cell.replace("-", " ") if i == 0 else cell for cell in line) + end
        for i, line in enumerate(lines)
    )


def read(tmp_path, name, text, columns=None, suffix=".csv"):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return registry.get(name).read(read_head(path), ReadOptions(columns=columns or {}))


def refused(tmp_path, name, text, suffix=".csv"):
    with pytest.raises(ParseError) as caught:
        read(tmp_path, name, text, suffix=suffix)
    return caught.value


def row(i, x="0.5"):
    return x, "0.25", "200", str(100 + 300 * i)


def xs(recording):
    found = (
        recording.fixation_table if recording.fixation_table is not None else recording.sample_table
    )
    return found["x_px"].to_pylist()


@pytest.mark.parametrize("name", NAMES)
def test_header_only(name, tmp_path):
    for text in (table(name), table(name, end=""), table(name) + "\n\n"):
        error = refused(tmp_path, name, text)
        assert "a header and no rows" in str(error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_a_cell_that_is_no_number_is_named(name, end, tmp_path):
    text = table(name, row(0), row(1), row(2, "1_0"), end=end)
    error = refused(tmp_path, name, text)
    assert (error.line, error.column) == (4, 1)
    assert "'1_0'" in str(error)
    assert error.hint


@pytest.mark.parametrize(
    "cell", ["inf", "Infinity", "1e999", "٣", "0x10", "1,2,3", "twelve", "1e30", "-1e20"]
)
def test_strict_numbers(cell, tmp_path):
    assert refused(tmp_path, "generic", table("generic", row(0), row(1, cell))).line == 3


def test_numbers_that_are_allowed(tmp_path):
    cells = ["1", "+1", " 1 ", "1.", ".5", "1e2", "-3", "1E-1"]
    recording = read(
        tmp_path, "generic", table("generic", *(row(i, cell) for i, cell in enumerate(cells)))
    )
    np.testing.assert_allclose(xs(recording), [1, 1, 1, 1, 0.5, 100, -3, 0.1], rtol=1e-6)


@pytest.mark.parametrize("cell", ["", ".", "NA", "nan", "NaN", "-", " . "])
def test_missing_numbers_are_counted(cell, tmp_path):
    recording = read(tmp_path, "generic", table("generic", row(0), row(1, cell)))
    assert (recording.rows_in, recording.dropped) == (2, {"no position": 1})


@pytest.mark.parametrize("name", NAMES)
def test_nul_and_long_lines(name, tmp_path):
    good = table(name, row(0))
    nul = refused(tmp_path, name, good + "\0")
    assert (nul.line, "a NUL byte" in str(nul)) == (3, True)
    for tail in ("5" * (1024 * 1024 + 1), "5" * (3 * 1024 * 1024) + "\n"):
        assert "a line of more than" in str(refused(tmp_path, name, good + tail))


@pytest.mark.parametrize("name", NAMES)
def test_truncated_gzip(name, tmp_path):
    packed = gzip.compress(table(name, *(row(i * 7919) for i in range(20000))).encode())
    error = refused(tmp_path, name, packed[: len(packed) // 2], ".csv.gz")
    assert "ends in the middle" in str(error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_encodings(name, encoding, tmp_path):
    text = table(name, row(0), row(1))
    assert xs(read(tmp_path, name, text.encode(encoding))) == xs(read(tmp_path, name, text))


@pytest.mark.parametrize("name", ["eyelink_report", "generic", "tobii_pro"])
def test_decimal_comma(name, tmp_path):
    text = table(name, row(0, "10,5"), row(1, "11,25"))
    assert xs(read(tmp_path, name, text.replace("0.25", "0,25"))) == [10.5, 11.25]


@pytest.mark.parametrize("cells", [("10.5", "11,25"), ("11,25", "10.5")])
def test_the_decimal_mark_may_not_change(cells, tmp_path):
    error = refused(
        tmp_path,
        "generic",
        table("generic", row(0, cells[0]), row(1, cells[1])).replace("0.25", "1"),
    )
    assert "decimal mark changes" in str(error)
    assert (error.line, error.column) == (3, 1)


@pytest.mark.parametrize(("first", "second"), [(".", ","), (",", ".")])
@pytest.mark.parametrize("change", [3, 4000])
@pytest.mark.parametrize("quoted", [False, True])
def test_the_line_where_the_decimal_mark_changes_is_named(first, second, change, quoted, tmp_path):
    """In whatever order blocks and columns are read; the last column has the first mark."""
    rows = [f"{i}{first if i < change else second}5;7;{20 * i}{first}0" for i in range(6000)]
    if quoted:
        rows = [";".join(f'"{cell}"' for cell in row.split(";")) for row in rows]
    text = "x_px;y_px;t\n" + "\n".join(rows) + "\n"
    error = refused(tmp_path, "generic", text)
    assert (error.line, error.column) == (change + 2, 1)
    assert f"since line 2 {'a point' if first == '.' else 'a comma'}" in error.what


@pytest.mark.parametrize("rows", [("1,5", "a.b"), ("a.b", "1,5")])
def test_a_word_with_a_point_is_no_second_decimal_mark(rows, tmp_path):
    error = refused(tmp_path, "generic", "x_px;y_px;t\n" + ";7;0\n".join((*rows, "")))
    assert "'a.b' in column 'x_px' is not a number" in error.what
    assert (error.line, error.column) == (2 + rows.index("a.b"), 1)


@pytest.mark.parametrize("quote", ["", '"'])
def test_beside_a_cell_longer_than_what_csv_takes_a_second_decimal_mark_is_no_number(
    quote, tmp_path
):
    page = quote + "p" * 200_000 + quote
    text = f"x_px;y_px;t;page\n1.5;7;0;p\n2.5;7;20;{page}\n3,5;7;40;p\n"
    error = refused(tmp_path, "generic", text)
    assert "'3,5' in column 'x_px' is not a number" in error.what
    assert (error.line, error.column) == (4, 1)


@pytest.mark.parametrize("name", ["eyelink_report", "gazemedseg"])
def test_a_column_that_is_missing(name, tmp_path):
    error = refused(tmp_path, name, table(name, row(0)).replace("CURRENT_FIX_X", "X"))
    assert "no column 'CURRENT_FIX_X'" in str(error)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_that_is_there_twice(name, tmp_path):
    mark, header = HEADERS[name]
    first = header.split()[0].replace("-", " ")
    text = "".join(
        line + mark + (first if i == 0 else "7") + "\n"
        for i, line in enumerate(table(name, row(0)).splitlines())
    )
    assert refused(tmp_path, name, text).line == 1


def test_latin1_names(tmp_path):
    text = "stimulus;x;y;t\nGrößenmaß.png;1;2;3\nÜbung.png;2;3;4\n"
    recording = read(
        tmp_path,
        "generic",
        text.encode("latin-1"),
        {"x": "x", "y": "y", "t": "t", "stimulus": "stimulus"},
    )
    assert recording.rows_in == 2
    assert recording.sample_table["stimulus"].to_pylist()[1].endswith("bung.png")


def test_quoted_cells(tmp_path):
    recording = read(tmp_path, "generic", '"stimulus","x","y","t"\n"a, b.png","1","2","3"\n')
    assert recording.sample_table["stimulus"].to_pylist() == ["a, b.png"]
