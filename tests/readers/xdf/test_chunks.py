import io
from pathlib import Path

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.xdf import chunks
from gazetrack.readers.xdf.chunks import MAGIC, Stream, checked_streams, first_streams
from tests import xdf_files

GAZE = xdf_files.Stream(3, "Tracker", "Gaze", [(1.0, (0.5, 0.5)), (1.1, (0.6, 0.5))])
MARKERS = xdf_files.Stream(
    4, "A &amp; B", "Markers", [(1.0, ("go",))], n_channels=1, format="string"
)


def file_of(*chunks):
    return MAGIC + xdf_files.chunk(1, b"<?xml version='1.0'?><info/>") + b"".join(chunks)


def header(stream):
    return xdf_files.chunk(2, stream.id.to_bytes(4, "little") + xdf_files.header(stream))


def samples(stream_id, content):
    return xdf_files.chunk(3, stream_id.to_bytes(4, "little") + content)


def checked(data):
    return checked_streams(io.BytesIO(data), Path("a.xdf"))


def test_headers_say_what_a_stream_is():
    (gaze, markers) = first_streams(file_of(header(GAZE), header(MARKERS)))
    assert gaze == Stream(3, "Tracker", "Gaze", "float32", 2)
    assert (markers.name, markers.format, markers.is_gaze) == ("A & B", "string", False)
    assert checked(file_of(header(GAZE), header(MARKERS))) == [gaze, markers]


@pytest.mark.parametrize(
    ("kind", "form", "is_gaze"),
    [
        ("Gaze", "float32", True),
        ("eye-tracking", "double64", True),
        ("EyeTracker", "float32", True),
        ("Gaze", "string", False),
        ("EEG", "float32", False),
    ],
)
def test_gaze_is_told_by_the_content_type(kind, form, is_gaze):
    assert Stream(1, "a", kind, form, 2).is_gaze == is_gaze


def test_who_judges_a_file_stops_at_what_it_does_not_understand():
    whole = file_of(header(GAZE), header(MARKERS))
    assert [stream.id for stream in first_streams(whole[:-5])] == [3]
    assert first_streams(file_of(b"\x07", header(GAZE))) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file_of(header(GAZE))[:-5], "ends in the middle of a chunk"),
        (file_of(b"\x07"), "a chunk whose length has 7 bytes"),
        (file_of(b"\x01\x01\x00"), "a chunk without a tag"),
        (file_of(header(GAZE), header(GAZE)), "a second stream 3"),
        (file_of(header(GAZE), samples(9, b"\x01\x01")), "samples of a stream without a header"),
        (file_of(header(GAZE), samples(3, b"\x01\xff" + bytes(20))), "255 samples in a chunk"),
        (file_of(header(GAZE), samples(3, b"\x08" + b"\xff" * 8)), "samples in a chunk"),
        (
            file_of(xdf_files.chunk(2, b"\3\0\0\0<!DOCTYPE info><info/>")),
            "XML with entities",
        ),
    ],
)
def test_damage_is_refused_before_room_is_made_for_it(data, words):
    with pytest.raises(ParseError, match=words) as caught:
        checked(data)
    assert caught.value.byte is not None


def test_a_header_of_megabytes_is_refused_before_it_is_read():
    long = xdf_files.chunk(2, bytes(chunks._MAX_XML_BYTES + 1))
    with pytest.raises(ParseError, match=f"a header of {chunks._MAX_XML_BYTES + 1} bytes"):
        checked(file_of(long))


def test_samples_too_short_to_name_their_stream_are_refused():
    with pytest.raises(ParseError, match="samples of a stream without a header"):
        checked(file_of(header(GAZE), xdf_files.chunk(3, b"\3\0")))
