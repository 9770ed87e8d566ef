"""A small writer of XDF files, after its specification; it imports nothing of ours."""

import struct
from dataclasses import dataclass, field

CODES = {"float32": "<f", "double64": "<d", "int16": "<h", "int32": "<i"}


@dataclass
class Stream:
    """A stream, whose samples are pairs of a time and values.

    A time is in s, or None for one step after the last.
    """

    id: int
    name: str
    kind: str
    samples: list
    channels: tuple = ()  # dictionaries of label, eye, type, unit
    n_channels: int = 2
    format: str = "float32"
    rate: float = 0
    offsets: list = field(default_factory=list)  # (time, value) in s
    footer_count: int | None = None
    extra: str = ""


def number(n, width=None):
    width = width or (1 if n < 256 else 4)
    return bytes([width]) + n.to_bytes(width, "little")


def chunk(tag, content, width=None):
    return number(len(content) + 2, width) + struct.pack("<H", tag) + content


def header(stream):
    channels = "".join(
        "<channel>"
        + "".join(f"<{key}>{value}</{key}>" for key, value in channel.items())
        + "</channel>"
        for channel in stream.channels
    )
    desc = f"<channels>{channels}</channels>" if channels else ""
    return (
        f'<?xml version="1.0"?><info><name>{stream.name}</name><type>{stream.kind}</type>'
        f"<channel_count>{stream.n_channels}</channel_count><nominal_srate>{stream.rate}</nominal_srate>"
        f"<channel_format>{stream.format}</channel_format><desc>{desc}</desc>{stream.extra}</info>"
    ).encode()


def sample(stream, t, values):
    stamp = b"\0" if t is None else b"\x08" + struct.pack("<d", t)
    if stream.format == "string":
        texts = [value.encode() for value in values]
        return stamp + b"".join(number(len(text)) + text for text in texts)
    whole = stream.format.startswith("int")
    return stamp + b"".join(
        struct.pack(CODES[stream.format], int(value) if whole else value) for value in values
    )


def write(streams, per_chunk=10, width=None):
    """Return the bytes of a file with these streams, chunks of samples in turn."""
    ids = {stream.id: struct.pack("<I", stream.id) for stream in streams}
    parts = [b"XDF:", chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')]
    parts += [chunk(2, ids[stream.id] + header(stream), width) for stream in streams]
    longest = max((len(stream.samples) for stream in streams), default=0)
    for start in range(0, longest, per_chunk):
        for stream in streams:
            some = stream.samples[start : start + per_chunk]
            if some:
                body = b"".join(sample(stream, t, values) for t, values in some)
                parts.append(chunk(3, ids[stream.id] + number(len(some), width) + body, width))
    for stream in streams:
        parts += [
            chunk(4, ids[stream.id] + struct.pack("<dd", t, value)) for t, value in stream.offsets
        ]
        count = len(stream.samples) if stream.footer_count is None else stream.footer_count
        footer = f'<?xml version="1.0"?><info><sample_count>{count}</sample_count></info>'
        parts.append(chunk(6, ids[stream.id] + footer.encode(), width))
    return b"".join(parts)
