"""XDF, the files of Lab Recorder (Lab Streaming Layer), through pyxdf.

Specification: "XDF", https://github.com/sccn/xdf. A file holds streams of many devices on one clock; those of type Gaze
are read, and markers as messages. What a channel is stands in the stream's description, where its maker wrote one.
"""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, GazetrackError, ParseError, quote
from gazetrack.readers._gaze import gaze_columns
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="xdf",
    title="XDF (Lab Streaming Layer)",
    suffixes=(".xdf", ".xdfz"),
    provides="samples and messages",
    units="s, converted to ms; px, or fractions of the screen, to px of the screen given or 1920x1080",
    lost="all other streams, channels that are no position or pupil",
    source="https://github.com/sccn/xdf",
)
_NOMINAL = Screen(1920, 1080)
_TYPES = {"gaze", "eyetracking", "eyetracker", "eye tracking", "eye"}
_SIDES = (
    ("left", re.compile(r"(^|[^a-z])(left|l)([^a-z]|$)")),
    ("right", re.compile(r"(^|[^a-z])(right|r)([^a-z]|$)")),
)
_AXIS = re.compile(r"(?:^|[^a-z])([xy])(?:[^a-z]|$)")
_FRACTIONS_WITHIN = (-0.5, 1.5)


def sniff(head: Head) -> Verdict:
    """Judge the file by its first bytes."""
    return Verdict(Level.CERTAIN, "first bytes XDF:") if head.data.startswith(b"XDF:") else NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the streams of gaze.

    Returns
    -------
    Recording
        A recording per stream of gaze where there are several; times count from the first sample of the file's gaze.

    Raises
    ------
    ConfigError
        pyxdf is not installed.
    ParseError
        A damaged file, or one without gaze.
    """
    streams = _load(head)
    gaze = [stream for stream in streams if _type(stream) in _TYPES and len(stream["time_stamps"])]
    if not gaze:
        kinds = ", ".join(sorted({f"{stream['info']['name'][0]} ({_type(stream)})" for stream in streams}))
        what = f"holds no gaze: its streams are {quote(kinds, 120) or 'none'}"
        raise ParseError(what, path=head.path, hint="record the eye tracker's stream as well")
    notes: list[str] = []
    origin = min(float(stream["time_stamps"][0]) for stream in gaze) * 1e3
    names = [head.stem if len(gaze) == 1 else f"{head.stem}_{stream['info']['name'][0]}" for stream in gaze]
    parts = [_samples(stream, name, origin, notes) for stream, name in zip(gaze, names, strict=True)]
    fractions = any(is_fraction for _, is_fraction in parts)
    samples = conform({}, SAMPLES) if not parts else _joined([table for table, _ in parts])
    rate = float(gaze[0]["info"]["nominal_srate"][0])
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=samples,
        events=_messages(streams, names[0], origin),
        rate_hz=rate if rate > 0 else None,
        eyes="binocular" if np.isfinite(samples["left_x_px"].to_numpy()).any() else "combined",
        origin_ms=origin,
        tracker=str(gaze[0]["info"]["name"][0]),
        software="Lab Streaming Layer",
        rows_in=samples.num_rows + sum(len(s["time_stamps"]) for s in streams if _is_marker(s)),
        notes=tuple(dict.fromkeys(notes)),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen") if fractions else recording


def _load(head: Head) -> list[dict[str, Any]]:
    try:
        import pyxdf
    except ImportError:
        hint = 'install pyxdf, with: pip install "gazetrack[xdf]"'
        raise ConfigError("XDF is read through pyxdf, which is not installed", path=head.path, hint=hint) from None
    logging.getLogger("pyxdf").setLevel(logging.ERROR)
    try:
        with head.blocks() as file:
            streams, _ = pyxdf.load_xdf(io.BytesIO(file.read()))
    except GazetrackError:
        raise
    except Exception as error:
        what = f"is a damaged XDF file: {type(error).__name__}: {error}"
        raise ParseError(what, path=head.path, hint="copy it from the recording computer again") from error
    found: list[dict[str, Any]] = streams
    return found


def _type(stream: dict[str, Any]) -> str:
    return str((stream["info"].get("type") or [""])[0]).strip().lower()


def _is_marker(stream: dict[str, Any]) -> bool:
    return bool(stream["info"]["channel_format"][0] == "string")


def _labels(stream: dict[str, Any]) -> list[str]:
    try:
        channels = stream["info"]["desc"][0]["channels"][0]["channel"]
        return [str(channel["label"][0]).lower().replace("_", " ") for channel in channels]
    except (KeyError, IndexError, TypeError):
        return []


def _channels(stream: dict[str, Any], notes: list[str]) -> dict[str, int]:
    """Return the number of each channel of gaze by our name for it."""
    found: dict[str, int] = {}
    for number, label in enumerate(_labels(stream)):
        side = next((f"{name}_" for name, pattern in _SIDES if pattern.search(label)), "")
        axis = _AXIS.search(label)
        if "pupil" in label and side:
            found.setdefault(f"{side}pupil", number)
        elif axis is not None and not any(word in label for word in ("origin", "3d", "pupil", "head")):
            found.setdefault(f"{side}{axis[1]}", number)
    pairs = [side for side in ("", "left_", "right_") if {f"{side}x", f"{side}y"} <= set(found)]
    if not pairs and int(stream["info"]["channel_count"][0]) >= 2:
        notes.append("the stream does not name its channels: the first two taken for x and y")
        return {"x": 0, "y": 1}
    return found


def _samples(stream: dict[str, Any], name: str, origin: float, notes: list[str]) -> tuple[pa.Table, bool]:
    values = np.asarray(stream["time_series"], np.float64)
    gaze = {key: values[:, number] for key, number in _channels(stream, notes).items()}
    positions = np.concatenate([column for key, column in gaze.items() if not key.endswith("pupil")] or [np.empty(0)])
    seen = positions[np.isfinite(positions)]
    low, high = _FRACTIONS_WITHIN
    fractions = bool(seen.size) and bool(np.mean((seen > low) & (seen < high)) > 0.99)
    if fractions:
        for key, column in gaze.items():
            if not key.endswith("pupil"):
                gaze[key] = column * (_NOMINAL.width_px if key.endswith("x") else _NOMINAL.height_px)
        notes.append("nearly all positions lie between -0.5 and 1.5: taken as fractions of the screen")
    for side in ("left_", "right_"):
        for key in ("x", "y", "pupil"):
            gaze.setdefault(side + key, np.full(len(values), np.nan))
    time = np.asarray(stream["time_stamps"], np.float64) * 1e3 - origin
    return conform({"recording": name, "t_ms": time, **gaze_columns(gaze)}, SAMPLES), fractions


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return conform(pa.concat_tables(tables), SAMPLES)


def _messages(streams: list[dict[str, Any]], name: str, origin: float) -> pa.Table:
    found: list[tuple[float, str]] = []
    for stream in filter(_is_marker, streams):
        found += [(float(t), str(row[0])) for t, row in zip(stream["time_stamps"], stream["time_series"], strict=True)]
    found.sort(key=lambda message: message[0])
    times: npt.NDArray[np.float64] = np.array([t for t, _ in found], np.float64) * 1e3 - origin
    columns = {
        "recording": name,
        "kind": "message",
        "index": np.arange(1, len(found) + 1, dtype=np.int32),
        "onset_ms": times,
        "duration_ms": np.zeros(len(found)),
        "text": np.array([text for _, text in found], object),
    }
    return conform(columns if found else {}, EVENTS)
