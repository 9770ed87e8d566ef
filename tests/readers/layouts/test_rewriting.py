"""Tables without a header, or with rows of several kinds."""

import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.layouts.rewriting import numbered, of_some_rows
from gazetrack.readers.text import utf8
from gazetrack.readers.text.header import header_of
from gazetrack.readers.text.table import read_columns


@pytest.fixture(params=[1 << 20, 5])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(utf8, "BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("end", ["\n", ""])
def test_rows_without_a_header_are_numbered_from_0(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(b"1.5,2\r\n\r\n3,4\r\n5,6" + end.encode())
    head, header = numbered(read_head(path), ("x", "y"))
    wanted = {name: (place, "float64") for place, name in enumerate(header.names)}
    table = read_columns(head, header, wanted)
    assert table.found["row"].tolist() == [0, 1, 2]
    assert table.found["x"].tolist() == [1.5, 3, 5]


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("end", ["\n", ""])
def test_rows_of_one_kind_are_kept_and_the_others_counted(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_text('kind,x\na,1\n"b, or c",2\na,3\nd' + end)
    plain = read_head(path)
    header = header_of(plain)
    head, n_others = of_some_rows(plain, header, "kind", "a")
    assert read_columns(head, header, {"x": (1, "float64")}).found["x"].tolist() == [1, 3]
    assert n_others() == 2


def test_a_cell_longer_than_what_csv_takes_is_no_matter_behind_the_kind(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f'kind,x,page\na,1,"short"\nb,2,"{"p" * 200_000}"\na,3,"{"p" * 200_000}"\n')
    plain = read_head(path)
    header = header_of(plain)
    head, n_others = of_some_rows(plain, header, "kind", "a")
    assert read_columns(head, header, {"x": (1, "float64")}).found["x"].tolist() == [1, 3]
    assert n_others() == 1


def test_one_row_without_a_line_end_is_of_a_kind_as_well(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("kind,x\nb,1")
    plain = read_head(path)
    head, n_others = of_some_rows(plain, header_of(plain), "kind", "a")
    with pytest.raises(ParseError, match="no rows"):
        read_columns(head, header_of(plain), {"x": (1, "float64")})
    assert n_others() == 1


def test_errors_name_the_line_of_the_file(tmp_path):
    path = tmp_path / "gaze_sub1_trial1.csv"
    path.write_text("600,500\n601,500\n602,oops\n603,500\n")
    with pytest.raises(ParseError, match=":3") as caught:
        gazetrack.read(path, format="gaze_on_faces")
    assert "oops" in str(caught.value)
