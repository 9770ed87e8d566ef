"""Heads of images are text; what packed bytes hold between zeros is."""

from __future__ import annotations

import io

import numpy as np
import pytest

from gazetrack.workflows.scrubbing import heads
from gazetrack.workflows.scrubbing.piece import NotSearched

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")


@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_head_of_nifti_ends_where_voxels_begin(kind, order):
    header = getattr(nibabel, kind.replace("Image", "Header"))(endianness=order)
    image = getattr(nibabel, kind)(np.full((2, 2, 2), 65, np.uint8), np.eye(4), header)
    image.header["descrip"] = b"Kim"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Ada Lee"))
    data = image.to_bytes()
    assert heads.is_nifti(data)
    head = heads.nifti_head(data)
    assert b"Kim" in head
    assert b"Ada Lee" in head
    assert not head.endswith(b"AAAA")
    assert heads.nifti_head(data[:40])


def test_other_files_are_no_nifti():
    assert not heads.is_nifti(b"")
    assert not heads.is_nifti(b"%PDF-1.4")


def test_fields_stand_between_zeros():
    data = b"\x01Kim\0Ada\0\xff\0M\xc3\xbcller\0x\0"
    assert heads.fields_of(data).split(b"\n") == [b"Ada", "Müller".encode()]


def test_fields_across_blocks_are_found_once():
    at = heads._CHUNK_BYTES
    for begin in (at - 4, at - 1, at, at + 1):
        data = bytearray(2 * at)
        data[begin : begin + 3] = b"Kim"
        assert heads.fields_of(bytes(data)) == b"Kim"


def test_values_of_an_image_between_zeros_are_no_fields():
    rng = np.random.default_rng(3)
    values = np.clip(rng.normal(80, 20, 2**20), 0, 255).astype(np.uint8)
    values[rng.random(values.shape) < 0.4] = 0
    assert heads.fields_of(values.tobytes()) == b""
    # In few bytes, such as those of a head, there are many.
    assert heads.fields_of(values[:1000].tobytes())


def test_the_head_of_nrrd_ends_with_a_blank_line():
    assert heads.nrrd_head(b"NRRD0005\r\ncontent: a\r\n\r\nvoxels") == b"NRRD0005\r\ncontent: a"


def dicom(**facts):
    data = pydicom.dataset.FileDataset("", {}, preamble=bytes(128))
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    for name, value in facts.items():
        setattr(data, name, value)
    return data


def written(data):
    file = io.BytesIO()
    data.save_as(file)
    return io.BytesIO(file.getvalue())


def test_all_texts_of_dicom_are_told_within_sequences_as_well():
    inner = pydicom.Dataset()
    inner.PatientComments = "seen by Kim"
    born = "19870312"
    data = dicom(PatientName="Lee^Ada", OtherPatientIDsSequence=[inner], PatientBirthDate=born)
    data.add_new(0x00091010, "UN", b"Ben")
    texts, others = heads.dicom_texts(written(data))
    lines = texts.decode().split("\n")
    assert {"Lee^Ada", "Lee Ada", "seen by Kim", "19870312"} <= set(lines)
    assert others == [b"Ben "] or others == [b"Ben"]


def test_dicom_that_is_damaged_or_packed_as_a_whole_is_said(monkeypatch):
    with pytest.raises(NotSearched, match="damaged DICOM"):
        heads.dicom_texts(io.BytesIO(bytes(128) + b"DICM" + b"\x02\0\0\0UL\x04\0"))
    data = dicom(PatientName="Kim")
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    with pytest.raises(NotSearched, match="packed as a whole"):
        heads.dicom_texts(written(data))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(NotSearched, match=r"gazetrack\[medical\]"):
        heads.dicom_texts(io.BytesIO(b""))


def test_texts_of_tiff_are_its_tags():
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "tiff", description="Kim")
    assert b"Kim" in heads.tiff_texts(io.BytesIO(file.getvalue()))
    with pytest.raises(OSError, match="cannot identify"):
        heads.tiff_texts(io.BytesIO(b"II*\0"))
