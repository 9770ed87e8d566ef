"""Which readers there are, and which of them a file belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from gazetrack.errors import (
    AmbiguousFormat,
    CompanionFile,
    ConfigError,
    InputError,
    UnknownFormat,
    did_you_mean,
)
from gazetrack.readers.base import Level, Reader, Verdict
from gazetrack.readers.companions import companion

if TYPE_CHECKING:
    from gazetrack.readers.base import Head

# The built-in readers, as strings so that nothing is imported before it is needed.
BUILTIN = {
    "adhawk": "gazetrack.readers.adhawk",
    "arff": "gazetrack.readers.arff",
    "begaze": "gazetrack.readers.smi.begaze",
    "bids": "gazetrack.readers.bids.eyetrack",
    "eyelink_asc": "gazetrack.readers.eyelink.asc",
    "eyelink_edf": "gazetrack.readers.eyelink.edf",
    "eyelink_report": "gazetrack.readers.eyelink.report",
    "eyelink_samples": "gazetrack.readers.eyelink.samples",
    "eyetribe": "gazetrack.readers.eyetribe",
    "gazemedseg": "gazetrack.readers.gazemedseg",
    "gazepoint": "gazetrack.readers.gazepoint",
    "gazetrack_samples": "gazetrack.readers.gazetrack_samples",
    "generic": "gazetrack.readers.generic",
    "imotions": "gazetrack.readers.imotions",
    "iohub": "gazetrack.readers.iohub.reports",
    "labelled_events": "gazetrack.readers.labelled_events",
    "pupil_cloud": "gazetrack.readers.pupil.cloud",
    "pupil_core": "gazetrack.readers.pupil.core",
    "smi": "gazetrack.readers.smi.idf",
    "tobii_glasses2": "gazetrack.readers.tobii.glasses2",
    "tobii_glasses3": "gazetrack.readers.tobii.glasses3",
    "tobii_logs": "gazetrack.readers.tobii.logs",
    "tobii_mapped": "gazetrack.readers.tobii.mapped",
    "tobii_pro": "gazetrack.readers.tobii.pro",
    "tobii_sdk": "gazetrack.readers.tobii.sdk",
    "tobii_studio": "gazetrack.readers.tobii.studio",
    "viewpoint": "gazetrack.readers.viewpoint",
    "vr_headset": "gazetrack.readers.vr_headset",
    "webgazer": "gazetrack.readers.webgazer",
    "xdf": "gazetrack.readers.xdf.streams",
}
ENTRY_POINT_GROUP = "gazetrack.readers"


@dataclass(frozen=True)
class Detection:
    """The reader a file belongs to, how sure that is, and why."""

    name: str
    verdict: Verdict


@cache
def names() -> tuple[str, ...]:
    """Return the names of all readers, built-in and third-party, sorted."""
    return tuple(
        sorted({*BUILTIN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})
    )


@cache
def get(name: str) -> Reader:
    """Return a reader by name.

    Raises
    ------
    ConfigError
        There is none of that name, or a third party's cannot be imported.
    """
    if name in BUILTIN:
        return cast("Reader", import_module(BUILTIN[name]))
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            try:
                return cast("Reader", point.load())
            except ImportError as error:
                raise ConfigError(
                    f"reader {name!r} cannot be imported: {error}", hint="install what it needs"
                ) from error
    hint = f"{did_you_mean(name, names())}known are {', '.join(names())}"
    raise ConfigError(f"no format is called {name!r}", hint=hint)


def detect(head: Head) -> Detection:
    """Find the reader a file belongs to, by content.

    Parameters
    ----------
    head : Head
        The first look at the file.

    Raises
    ------
    UnknownFormat
        No reader claims it; a file of a recording that holds no gaze is named, else the closest
        guess.
    AmbiguousFormat
        Several claim it with the same level.
    """
    verdicts = {name: get(name).sniff(head) for name in names()}
    best = max(verdict.level for verdict in verdicts.values())
    winners = [name for name, verdict in verdicts.items() if verdict.level == best]
    if best <= Level.SUFFIX:
        raise _unknown(head, verdicts)
    if len(winners) > 1:
        raise AmbiguousFormat(
            f"could be {' or '.join(winners)}",
            path=head.path,
            hint=f"choose one with --format {winners[0]}",
        )
    return Detection(winners[0], verdicts[winners[0]])


def _unknown(head: Head, verdicts: dict[str, Verdict]) -> InputError:
    found = next((verdict for verdict in verdicts.values() if verdict.instead), None) or companion(
        head
    )
    if found is not None:
        return CompanionFile(
            f"holds no gaze: it is {found.reason}", path=head.path, hint=found.instead
        )
    if b"\0" in head.data and not head.encoding.startswith(("utf-16", "utf-32")):
        hint = "export it as text from the tracker's software"
        return UnknownFormat(
            "is binary, not a text export", path=head.path, byte=head.data.index(b"\0"), hint=hint
        )
    closest = max(
        verdicts,
        key=lambda name: (verdicts[name].level, bool(verdicts[name].reason), name != "generic"),
    )
    guess = verdicts[closest]
    if guess.reason:
        what = f"unknown format; closest is {closest}: {guess.reason}"
        hint = guess.hint or f"try --format {closest}, or --columns x=NAME,y=NAME,t=NAME"
        return UnknownFormat(what, path=head.path, hint=hint)
    return UnknownFormat(
        "unknown format", path=head.path, hint="name its columns: --columns x=NAME,y=NAME,t=NAME"
    )
