"""Every layer of a file is looked into, whatever packs it."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib

import matplotlib.figure
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.io
from PIL import Image, PngImagePlugin

from gazetrack.workflows.scrubbing import contents
from gazetrack.workflows.scrubbing.contents import pieces_of
from gazetrack.workflows.scrubbing.piece import NotSearched
from gazetrack.workflows.scrubbing.tokens import Tokens

NAME = b"Anna Kowalski"


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet.xml", data)
    return file.getvalue()


def parquet(table):
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def table(**columns):
    return pa.table(columns)


def picture(**texts):
    info = PngImagePlugin.PngInfo()
    for kind, text in texts.items():
        if kind == "ztxt":
            info.add_text("Title", text, zip=True)
        else:
            info.add_itxt("Title", text, zip=True)
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "png", pnginfo=info)
    return file.getvalue()


def pdf(**rc):
    figure = matplotlib.figure.Figure()
    figure.text(0.5, 0.5, "Anna Kowalski")
    file = io.BytesIO()
    with matplotlib.rc_context(rc or {"pdf.use14corefonts": True}):
        figure.savefig(file, format="pdf", metadata={"CreationDate": None})
    return file.getvalue()


def tarred(data):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a.gz")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def lz4(data):
    file = pa.BufferOutputStream()
    with pa.CompressedOutputStream(file, "lz4") as stream:
        stream.write(data)
    return file.getvalue().to_pybytes()


def matlab():
    file = io.BytesIO()
    scipy.io.savemat(file, {"who": np.array([99.0]), "by": NAME.decode()}, do_compression=True)
    return file.getvalue()


def wrapped(data, width):
    return [data[at : at + width] for at in range(0, len(data), width)]


def feather(**columns):
    file = io.BytesIO()
    pyarrow.feather.write_feather(table(**columns), file, compression="zstd")
    return file.getvalue()


def png_text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", NAME.decode())
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "png", pnginfo=info)
    return file.getvalue()


def jpeg():
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "jpeg", comment=NAME)
    return file.getvalue()


TEXT = NAME.decode()
PACKED = {
    "plain": NAME,
    "gzip": gzip.compress(NAME),
    "two members": gzip.compress(b"first") + gzip.compress(NAME),
    "bzip2": bz2.compress(NAME),
    "xz": lzma.compress(NAME),
    "zstd": pa.compress(NAME, "zstd", asbytes=True),
    "zip": zipped(NAME),
    "name in a zip": zipped(b"").replace(b"xl/sheet.xml", b"xl/" + NAME[:9]),
    "gzip in zip": zipped(gzip.compress(NAME)),
    "parquet": parquet(table(who=[TEXT] * 3)),
    "dictionary": parquet(
        table(who=pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["x", TEXT])))
    ),
    "list": parquet(table(who=[[TEXT], []])),
    "bytes": parquet(table(who=[NAME])),
    "table metadata": parquet(table(x=[1.0]).replace_schema_metadata({"gazetrack": TEXT})),
    "field metadata": parquet(
        pa.table([[1.0]], schema=pa.schema([pa.field("x", "float64", metadata={"by": TEXT})]))
    ),
    "name of a column": parquet(table(**{TEXT: [1.0]})),
    "ztxt": picture(ztxt=TEXT),
    "itxt": picture(itxt=TEXT),
    "picture in a page": b"<img src='data:image/png;base64,"
    + base64.b64encode(picture(itxt=TEXT))
    + b"'>",
    "picture in a notebook": json.dumps(
        {"image/png": base64.encodebytes(picture(ztxt=TEXT)).decode()}
    ).encode(),
    "pdf": pdf(),
    "pdf by letters": pdf(**{"pdf.fonttype": 3}),
    "pdf by pairs of bytes": pdf(**{"pdf.fonttype": 42}),
    "zip behind a program": b"#!/bin/sh\n" + zipped(NAME * 9),
    "gzip in tar": tarred(gzip.compress(NAME * 9)),
    "lzma": lzma.compress(NAME * 9, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress(NAME * 9),
    "lz4": lz4(NAME * 9),
    "MATLAB": matlab(),
    "base64 in lines of 60": b"\n".join(wrapped(base64.b64encode(NAME * 9), 60)),
    "base64 of addresses": base64.urlsafe_b64encode(b"\xff\xfe?>" + NAME * 9),
    "short base64": b"x=" + base64.b64encode(NAME + b" of Warsaw"),
    "text of a PNG": png_text(),
    "comment of a JPEG": jpeg(),
    "feather": feather(who=[TEXT] * 3),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_name_is_in_a_piece(kind, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(PACKED[kind])
    found = [
        piece for piece in pieces_of(path) if NAME[:9] in bytes(piece.data).replace(b"\0", b"")
    ]
    assert found
    assert all(len(piece.where) <= contents.DEEPEST for piece in found)


def test_dates_and_whole_numbers_are_texts_as_well(tmp_path):
    born = np.array(["1985-03-12"], "datetime64[D]")
    path = tmp_path / "t.parquet"
    path.write_bytes(parquet(table(born=born, number=[19850312], x=[0.5])))
    texts = b"\n".join(
        bytes(piece.data) for piece in pieces_of(path) if "column" in str(piece.where)
    )
    assert b"1985-03-12" in texts
    assert b"19850312" in texts
    assert b"0.5" not in texts


def test_an_empty_file_has_one_piece_of_nothing(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    assert [bytes(piece.data) for piece in pieces_of(path)] == [b""]


def encrypted():
    data = bytearray(zipped(NAME))
    data[6] |= 1  # of the member
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and of the list of members
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(NAME * 9)[:-6],
        gzip.compress(NAME)[:-8] + b"damaged!",
        parquet(table(who=[TEXT]))[:-20],
        zipped(NAME)[:-30],
        encrypted(),
        lzma.compress(NAME)[:-4],
        b"7z\xbc\xaf\x27\x1c" + bytes(50),
        b"Rar!\x1a\x07\x00" + bytes(50),
        b"\x89HDF\r\n\x1a\n" + bytes(50),
        b"MATLAB 7.3".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(50),
        b"ORC\x00\x01" + bytes(50),
        b"FEA1" + bytes(50),
        bytes(128) + b"DICM" + b"damaged" * 9,
    ],
    # What gzip makes of it holds the time: names of tests may not.
    ids=map(str, range(13)),
)
def test_what_cannot_be_looked_into_is_said(data, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(NotSearched):
        list(pieces_of(path))


def test_what_is_packed_too_often_or_too_large_is_said(tmp_path, monkeypatch):
    data = NAME
    for _ in range(contents.DEEPEST + 1):
        data = gzip.compress(data)
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(NotSearched, match="packed more than"):
        list(pieces_of(path))
    path.write_bytes(gzip.compress(bytes(2**21)))
    monkeypatch.setattr(contents, "_IN_MEMORY_BYTES", 2**16)
    assert max(len(piece.data) for piece in pieces_of(path)) == 2**21  # from a file
    monkeypatch.setattr(contents, "MOST_UNPACKED_BYTES", 2**20)
    with pytest.raises(NotSearched, match="unpacks to more"):
        list(pieces_of(path))


def test_digests_are_not_taken_for_packed_bytes(tmp_path):
    path = tmp_path / "sums.txt"
    path.write_text("0123456789abcdef" * 4)
    assert len(list(pieces_of(path))) == 1


@pytest.mark.parametrize("kind", ["text of a PNG", "comment of a JPEG"])
def test_texts_of_pictures_are_no_packed_bytes(kind, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(PACKED[kind])
    assert any(piece.is_text and NAME in bytes(piece.data) for piece in pieces_of(path))


def test_brotli_is_told_by_its_name_alone(tmp_path):
    path = tmp_path / "page.html.br"
    path.write_bytes(pa.compress(NAME, "brotli", asbytes=True))
    with pytest.raises(NotSearched, match="brotli"):
        list(pieces_of(path))


def nifti(text):
    """Return the head of NIfTI-1, with a text where a scanner writes what it likes, and voxels."""
    head = bytearray(352)
    head[:4], head[344:348] = (348).to_bytes(4, "little"), b"n+1\0"
    head[108:112] = np.float32(352).tobytes()
    head[147] = 0x41  # the number before the field
    head[148 : 148 + len(text)] = text
    return bytes(head) + np.random.default_rng(1).bytes(4096)


def tiff(text):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "tiff", description=text.decode())
    return file.getvalue()


def dicom(text):
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.dataset.FileDataset("", {}, preamble=bytes(128))
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.PatientName = text.decode() + "^Ada"
    file = io.BytesIO()
    data.save_as(file)
    return file.getvalue()


SHORT = {
    "nifti": gzip.compress(nifti(b"by Kim")),
    "field": b"\x81\x82" + bytes(3) + b"Kim" + bytes(9) + b"\x99",
    "nrrd": b"NRRD0005\ncontent: Kim\nencoding: raw\n\n" + bytes(range(256)),
    "tiff": tiff(b"Kim"),
    "wide": "a,b\nKim,1\n".encode("utf-16-le"),
}


@pytest.mark.parametrize("kind", [*SHORT, "dicom"])
def test_a_short_name_is_in_a_piece_of_text(kind, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(dicom(b"Kim") if kind == "dicom" else SHORT[kind])
    texts = [bytes(piece.data).replace(b"\0", b"") for piece in pieces_of(path) if piece.is_text]
    assert any(b"Kim" in text for text in texts)


def test_packed_bytes_have_no_short_names_by_chance(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(nifti(b"") + np.random.default_rng(2).bytes(2**20)))
    tokens = Tokens({1: "Kim", 2: "Ada", 3: "Lee"})
    found = [
        hit
        for piece in pieces_of(path)
        for hit in tokens.hits(bytes(piece.data), packed=not piece.is_text)
    ]
    assert not found
