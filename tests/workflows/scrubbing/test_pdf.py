"""Texts of PDFs are letters again, whatever codes them."""

from __future__ import annotations

import base64
import io
import sys
import zlib

import matplotlib as mpl
import matplotlib.figure
import pytest

from gazetrack.workflows.scrubbing.pdf import parts_of_pdf
from gazetrack.workflows.scrubbing.piece import NotSearched

pypdf = pytest.importorskip("pypdf")
NAME = "Łucja Ożóg"


def texts_of(data):
    parts = list(parts_of_pdf(data))
    return "\n".join(part.decode("utf-8", "replace") for _, part, _ in parts)


def document(author=None, content=b"", **stream):
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(100, 100)
    if author is not None:
        writer.add_metadata({"/Author": author})
    made = pypdf.generic.DecodedStreamObject()
    made.set_data(content)
    for name, value in stream.items():
        made[pypdf.generic.NameObject(f"/{name}")] = pypdf.generic.NameObject(value)
    page[pypdf.generic.NameObject("/Contents")] = writer._add_object(made)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", [3, 42])
def test_letters_beyond_latin_1_are_found_in_figures(kind):
    figure = matplotlib.figure.Figure()
    figure.text(0.5, 0.5, NAME)
    file = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": kind}):
        figure.savefig(file, format="pdf", metadata={"CreationDate": None})
    if b"/ToUnicode" not in file.getvalue():
        pytest.skip("a matplotlib that draws such letters as pictures")
    assert NAME in texts_of(file.getvalue())


@pytest.mark.parametrize("author", ["Anna Kowalski", NAME])
def test_an_author_in_hexadecimal_digits_is_found(author):
    code = "latin-1" if author.isascii() else "utf-16-be"
    mark = b"" if author.isascii() else b"\xfe\xff"
    digits = (mark + author.encode(code)).hex().encode()
    plain = document("X" * 40)
    place = b"(" + b"X" * 40 + b")"
    assert place in plain
    data = plain.replace(place, b"<" + digits + b">")
    assert author in texts_of(data)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_stream_of_an_earlier_state_is_found(end):
    old = zlib.compress(b"BT (Anna Kowalski) Tj ET")
    data = document() + b"\n9 0 obj <<>> stream" + end + old + b"\nendstream endobj\n"
    assert "Anna Kowalski" in texts_of(data)


@pytest.mark.parametrize("filters", ["ASCII85Decode", "ASCIIHexDecode", "LZWDecode"])
def test_filters_are_undone(filters):
    content = b"BT /F1 9 Tf (Anna Kowalski) Tj ET"
    packed = {
        "ASCII85Decode": base64.a85encode(content) + b"~>",
        "ASCIIHexDecode": content.hex().encode() + b">",
        "LZWDecode": lzw(content),
    }[filters]
    data = document(content=packed, Filter=f"/{filters}")
    assert b"Anna Kowalski" not in data
    assert "(Anna Kowalski)" in texts_of(data)


def lzw(data):
    """Pack by codes of nine bits alone: a clear, each byte as it is, and an end."""
    bits = "".join(f"{code:09b}" for code in (256, *data, 257))
    padded = bits + "0" * (-len(bits) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def test_what_nobody_can_read_is_said(monkeypatch):
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(document()))
    writer.encrypt("secret", algorithm="RC4-40")
    file = io.BytesIO()
    writer.write(file)
    with pytest.raises(NotSearched, match="encrypted PDF"):
        texts_of(file.getvalue())
    with pytest.raises(NotSearched, match="damaged PDF"):
        texts_of(b"%PDF-1.4\ntrailer <<")
    drawn = zlib.compress(b"q 1 0 0 1 3 4 cm /DejaVuSans-uni0141 Do Q")
    with pytest.raises(NotSearched, match="draws letters"):
        texts_of(b"%PDF-1.4\nstream\n" + drawn + b"\nendstream")
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(NotSearched, match=r"gazetrack\[pdf\]"):
        texts_of(document())


def test_numbers_of_glyphs_without_letters_are_said():
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(document()))
    names = pypdf.generic.NameObject
    font = pypdf.generic.DictionaryObject(
        {names("/Type"): names("/Font"), names("/Subtype"): names("/Type0")}
    )
    writer._add_object(font)
    file = io.BytesIO()
    writer._root_object[names("/Kept")] = font
    writer.write(file)
    with pytest.raises(NotSearched, match="numbers of glyphs"):
        texts_of(file.getvalue())
