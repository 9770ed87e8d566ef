"""EyeLink EDF, the tracker's own binary format, through eyelinkio.

Source: "eyelinkio", https://pypi.org/project/eyelinkio, which calls SR Research's EDF Access
library. It lays the samples end to end: pauses between the blocks of a recording are not in its
times. ``edf2asc`` of SR Research's Developers Kit makes an ASC of an EDF, which keeps them and
which the reader eyelink_asc reads.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="eyelink_edf",
    title="SR Research EyeLink EDF (through eyelinkio)",
    suffixes=(".edf",),
    provides="samples and events",
    units="s, converted to ms; px; pupil as exported",
    lost="pauses between blocks, velocity, resolution, buttons and inputs, date and serial number",
    source="https://pypi.org/project/eyelinkio",
)
_ONE_EYE = {"LEFT_EYE": "left", "RIGHT_EYE": "right"}
# eyelinkio's names: those of the fields of a sample, and those of the tables of movements with our
# kind and the columns of their positions.
_FIELDS = {"xpos": "x", "ypos": "y", "ps": "pupil"}
_MOVEMENTS = {
    "fixations": ("fixation", {"x_px": "axp", "y_px": "ayp"}),
    "saccades": ("saccade", {"x_px": "sxp", "y_px": "syp", "end_x_px": "exp", "end_y_px": "eyp"}),
    "blinks": ("blink", {}),
}
_MESSAGES = "messages"
_NOTE = "pauses between blocks are not in the times that eyelinkio gives; edf2asc keeps them"
_MAKE_ASC = "make an ASC of it with edf2asc and give that"


def sniff(head: Head) -> Verdict:
    """Judge the file by its first bytes."""
    if head.data.startswith(b"SR_RESEARCH"):
        return Verdict(Level.CERTAIN, "first bytes SR_RESEARCH")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a recording.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ConfigError
        eyelinkio is not installed, or does not find SR Research's library.
    ParseError
        A damaged file.
    """
    edf = _load(head)
    info = edf["info"]
    times = np.asarray(edf["times"], np.float64) * 1e3
    one_eye = _ONE_EYE.get(str(info["eye"]))
    notes = [_NOTE]
    gaze = _without_lost_eyes(_gaze(edf, one_eye), notes)
    samples = {"recording": head.stem, "t_ms": times, **gaze_columns(gaze)}
    events, dropped = _events(edf, head.stem)
    n_events = sum(len(_table(edf, name)) for name in (*_MOVEMENTS, _MESSAGES))
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(samples, SAMPLES),
        event_table=events,
        screen=_screen(info),
        rate_hz=float(info["sfreq"]),
        pupil_measure=_pupil_measure(info),
        eyes=one_eye or "binocular",
        tracker=str(info.get("version", "")),
        software="eyelinkio",
        rows_in=times.size + n_events,
        dropped=dropped,
        notes=tuple(notes),
    )


def _load(head: Head) -> Any:
    """Return what eyelinkio makes of the file."""
    try:
        with _quiet():
            import eyelinkio

            return eyelinkio.read_edf(str(head.path))
    except ImportError:
        what = "EDF is read through eyelinkio, which is not installed"
        hint = f'install eyelinkio, with: pip install "gazetrack[edf]", or {_MAKE_ASC}'
        raise ConfigError(what, path=head.path, hint=hint) from None
    except AssertionError as error:
        # So it says that SR Research's library is not there.
        what = f"eyelinkio cannot be used: {quote(error, 150)}"
        raise ConfigError(what, path=head.path, hint=_MAKE_ASC) from error
    except OSError as error:
        # vendor quirk: SR Research's library tells no more than that it did not open the file.
        what = "SR Research's library cannot open it: it is damaged, or no EDF of an EyeLink"
        raise ParseError(what, path=head.path, hint=_MAKE_ASC) from error
    except Exception as error:
        what = f"eyelinkio cannot read it: {type(error).__name__}: {quote(error, 150)}"
        raise ParseError(what, path=head.path, hint=_MAKE_ASC) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the C library from printing on our standard output.

    It knows nothing of `sys.stdout`: the file descriptor itself has to lead elsewhere.
    """
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _table(edf: Any, name: str) -> Any:
    """Return a table of events, empty where the recording has none of them."""
    return edf["discrete"].get(name, ())


def _gaze(edf: Any, one_eye: str | None) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions and pupils by the names that `gaze_columns` knows.

    Parameters
    ----------
    edf : dict
        What eyelinkio makes of the file.
    one_eye : str or None
        The eye that was recorded, None for both: the fields of a single eye do not name it.
    """
    values = np.asarray(edf["samples"], np.float64)
    gaze = {
        f"{eye}_{key}": np.full(values.shape[1], np.nan) for eye in EYES for key in _FIELDS.values()
    }
    for name, column in zip(edf["info"]["sample_fields"], values, strict=True):
        field, _, named_eye = str(name).partition("_")
        eye = named_eye or one_eye
        if field in _FIELDS and eye:
            gaze[f"{eye}_{_FIELDS[field]}"] = column
    return gaze


def _without_lost_eyes(
    gaze: dict[str, npt.NDArray[np.floating]], notes: list[str]
) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze in which an eye that was lost is missing.

    A pupil of 0 marks a lost eye, but stands beside every position of a recording without pupil
    sizes: there the positions are kept, with a note.
    """
    has_pupil = any(bool((gaze[f"{eye}_pupil"] > 0).any()) for eye in EYES)
    found = {}
    any_kept = False
    for eye in EYES:
        x = gaze[f"{eye}_x"]
        y = gaze[f"{eye}_y"]
        pupil = gaze[f"{eye}_pupil"]
        no_pupil = pupil == 0
        no_position = np.isnan(x) | np.isnan(y)
        is_lost = no_pupil if has_pupil else no_pupil & no_position
        any_kept = any_kept or bool((no_pupil & ~is_lost).any())
        found[f"{eye}_x"] = np.where(is_lost, np.nan, x)
        found[f"{eye}_y"] = np.where(is_lost, np.nan, y)
        found[f"{eye}_pupil"] = np.where(no_pupil, np.nan, pupil)
    if any_kept:
        notes.append("every pupil size is 0: taken as not recorded, the positions are kept")
    return found


def _pupil_measure(info: Any) -> str:
    """Return what pupil sizes measure; eyelinkio writes ``PUPIL_AREA`` or ``PUPIL_DIAMETER``."""
    words = str(info.get("ps_units", "")).lower()
    return next((measure for measure in ("area", "diameter") if measure in words), "")


def _events(edf: Any, name: str) -> tuple[pa.Table, dict[str, int]]:
    """Return the events, and the number of those that cannot have been, by reason."""
    frames = []
    n_backwards = 0
    # The end that the tracker writes is the time of the last sample, which lasts until the next
    # one.
    step_ms = 1e3 / float(edf["info"]["sfreq"])
    for key, (kind, positions) in _MOVEMENTS.items():
        table = _table(edf, key)
        if not len(table):
            continue
        possible = table["stime"] <= table["etime"]
        n_backwards += int((~possible).sum())
        table = table[possible]
        onset_ms = table["stime"] * 1e3
        columns = {
            "kind": kind,
            "onset_ms": onset_ms,
            "duration_ms": table["etime"] * 1e3 - onset_ms + step_ms,
            "eye": np.where(table["eye"] == 0, "left", "right"),
            "text": "",
        }
        columns |= {ours: table[theirs] for ours, theirs in positions.items()}
        frames.append(pd.DataFrame(columns))
    messages = _table(edf, _MESSAGES)
    if len(messages):
        texts = [bytes(text).decode("utf-8", "replace").strip() for text in messages["msg"]]
        said = {"kind": "message", "onset_ms": messages["stime"] * 1e3, "duration_ms": 0.0}
        frames.append(pd.DataFrame({**said, "eye": "", "text": texts}))
    dropped = counted({"event that ends before it starts": n_backwards})
    if not frames:
        return conform({}, EVENTS), dropped
    frame = pd.concat(frames).sort_values("onset_ms", kind="stable")
    frame["index"] = (frame.groupby(["kind", "eye"]).cumcount() + 1).astype(np.int32)
    columns = {str(column): frame[column].to_numpy() for column in frame}
    return conform({"recording": name, **columns}, EVENTS), dropped


def _screen(info: Any) -> Screen | None:
    """Return the screen, if the recording names one that can be."""
    try:
        width, height = (int(value) for value in info["screen_coords"])
        return Screen(width, height)
    except (KeyError, TypeError, ValueError, ConfigError):
        return None
