"""SMI: the lines before the table, and messages made into rows of the table.

Source: "iView X System Manual", SensoMotoric Instruments, "IDF Converter": lines such as ``##
Sample Rate: 500`` describe the recording, and ``MSG`` lines stand between the samples.
"""

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
_MESSAGE_PREFIX = "# Message:"
_FILE_NAME = re.compile(
    r"\S.*\.(?:jpe?g|png|bmp|gif|tiff?|avi|mp4|wmv|mpe?g|html?|swf)", re.IGNORECASE
)
_MAX_RATE_HZ = 10_000.0
_NUMBER = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,9})?")


def sample_header(head: Head) -> Header | None:
    """Return the header of raw samples, below any number of lines that describe the recording."""
    for i, line in enumerate(head.lines):
        if line.startswith("Time"):
            header = header_of(replace(head, lines=(line,)))
            if header is not None and header.names[:2] == ("Time", "Type"):
                return replace(header, lines=i + 1)
    return None


def properties_of(lines: Sequence[str]) -> dict[str, str]:
    """Return the lines before the table, as name and value."""
    found = {}
    for line in lines:
        # By hand: a pattern with blanks about a name takes minutes for a line of thousands.
        before, colon, value = line.partition(":")
        name = before.lstrip("#").strip()
        if colon and name and "\t" not in name:
            found[name] = value.strip()
    return found


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
    has_size = len(size) == 2 and all(size)  # SMI writes 0 for what it was not told
    has_distance = bool(distance) and distance[0] != 0
    try:
        screen = Screen(
            width_px=int(area[0]),
            height_px=int(area[1]),
            width_mm=size[0] if has_size else None,
            height_mm=size[1] if has_size else None,
            distance_mm=distance[0] if has_distance else None,
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
    """Return the numbers of a property, none where it holds anything else."""
    parts = text.split()
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    values = [float(part.replace(",", ".")) for part in parts]
    return [value for value in values if math.isfinite(value)]


def with_messages_as_rows(head: Head, header: Header) -> Head:
    """Return the file with messages as rows of the table.

    A message line has four cells: time, ``MSG``, trial and text. The text moves into the type,
    after ``MSG``, and empty cells follow. Lines keep their numbers.
    """
    delimiter = header.delimiter.encode()
    mark = re.escape(delimiter)
    cell = b"([^" + mark + b"\n]*)"
    message = re.compile(b"^" + cell + mark + b"MSG" + mark + cell + mark + b"?(.*)$", re.MULTILINE)
    padding = delimiter * max(len(header.names) - 3, 0)

    def as_row(match: re.Match[bytes]) -> bytes:
        kind = MESSAGE.encode() + match[3].replace(delimiter, b" ")
        return match[1] + delimiter + kind + delimiter + match[2] + padding

    def rewrite(block: bytes) -> bytes:
        # Most blocks have no message, and to look for the word is far faster than to match lines.
        if delimiter + b"MSG" + delimiter not in block:
            return block
        return message.sub(as_row, block)

    return rewritten(head, lambda: rewrite)
