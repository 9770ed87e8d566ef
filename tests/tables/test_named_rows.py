"""Small CSV files that users write, by the names of their columns."""

from __future__ import annotations

import pytest

from gazetrack.errors import InputError
from gazetrack.tables.named_rows import read_named_rows


def test_rows_are_read_by_the_names_of_their_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfimage_id,split\r\na,train\r\nb\r\n")
    names, rows = read_named_rows(path, "a manifest")
    assert names == ("image_id", "split")
    assert rows == [{"image_id": "a", "split": "train"}, {"image_id": "b", "split": ""}]
    path.write_bytes(b"")
    assert read_named_rows(path, "a manifest") == ((), [])


@pytest.mark.parametrize("data", [None, b"a\n\xff\n", b"a\n" + b"x" * 200_000])
def test_what_cannot_be_read_is_said(tmp_path, data):
    path = tmp_path / "a.csv"
    if data is not None:
        path.write_bytes(data)
    told = "no such file" if data is None else "cannot be read as a manifest"
    with pytest.raises(InputError, match=told):
        read_named_rows(path, "a manifest")
