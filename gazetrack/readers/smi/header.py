"""SMI: the lines before the table, and messages made into rows of the table."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError
from gazetrack.readers.text.header import Header, header_of
from gazetrack.readers.text.utf8 import rewritten
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.readers.base import Head

MESSAGE = "MSG "
_PROPERTY = re.compile(r"#*\s*([^\t:]+?)\s*:[\s]*(.*?)\s*")
_MESSAGE_PREFIX = "# Message:"
_FILE_NAME = re.compile(
    r"\S.*\.(?:jpe?g|png|bmp|gif|tiff?|avi|mp4|wmv|mpe?g|html?|swf)", re.IGNORECASE
)
_MAX_RATE_HZ = 10_000.0
_NUMBER = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,9})?")


def sample_header(head: Head) -> Header | None:
    """Find the header line of raw samples, below any number of lines that describe the recording."""
    for i, line in enumerate(head.lines):
        if line.startswith("Time"):
            header = header_of(replace(head, lines=(line,)))
            if header is not None and header.names[:2] == ("Time", "Type"):
                return replace(header, lines=i + 1)
    return None


def properties_of(lines: Sequence[str]) -> dict[str, str]:
    """Return the lines before the table, as name and value."""
    return {match[1]: match[2] for match in map(_PROPERTY.fullmatch, lines) if match}


def rate_of(properties: Mapping[str, str]) -> float | None:
    """Return the stated sampling rate in Hz."""
    rate = _numbers(properties.get("Sample Rate", ""))
    return rate[0] if rate and 0 < rate[0] <= _MAX_RATE_HZ else None


def screen_of(properties: Mapping[str, str], notes: list[str]) -> Screen | None:
    """Return the screen: in pixels the calibration area, in millimetres the stimulus dimension."""
    area = _numbers(properties.get("Calibration Area", ""))
    if len(area) != 2:
        return None
    size = _numbers(properties.get("Stimulus Dimension [mm]", ""))
    distance = _numbers(properties.get("Head Distance [mm]", ""))
    width, height = size if len(size) == 2 and all(size) else (None, None)
    try:
        screen = Screen(
            int(area[0]),
            int(area[1]),
            width,
            height,
            distance[0] if distance and distance[0] else None,
        )
    except ConfigError:
        notes.append("the calibration area is not usable as the screen: ignored")
        return None
    notes.append("screen taken from the calibration area")
    return screen


def message_text(cell: str) -> str:
    """Return a message without SMI's mark."""
    return cell.strip().removeprefix(_MESSAGE_PREFIX).strip()


def is_stimulus(message: str) -> bool:
    """Return whether a message is nothing but the name of an image, video or page."""
    return _FILE_NAME.fullmatch(message) is not None and "=" not in message


def _numbers(text: str) -> list[float]:
    parts = text.split()
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    return [
        value for value in (float(part.replace(",", ".")) for part in parts) if math.isfinite(value)
    ]


def with_messages_as_rows(head: Head, header: Header) -> Head:
    """Return the file with messages as rows of the table.

    A message line has four cells: time, ``MSG``, trial and text. The text moves into the type,
    after ``MSG``, and empty cells follow. Lines keep their numbers.
    """
    delimiter = header.delimiter.encode()
    mark, cell = re.escape(delimiter), b"([^" + re.escape(delimiter) + b"\n]*)"
    message = re.compile(b"^" + cell + mark + b"MSG" + mark + cell + mark + b"?(.*)$", re.MULTILINE)
    padding = delimiter * max(len(header.names) - 3, 0)

    def as_row(match: re.Match[bytes]) -> bytes:
        kind = MESSAGE.encode() + match[3].replace(delimiter, b" ")
        return match[1] + delimiter + kind + delimiter + match[2] + padding

    def rewrite(block: bytes) -> bytes:
        return message.sub(as_row, block) if delimiter + b"MSG" + delimiter in block else block

    return rewritten(head, lambda: rewrite)
