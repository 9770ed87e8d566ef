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
from gazetrack.readers.layouts.known import LAYOUTS

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
    "gazepoint": "gazetrack.readers.gazepoint.export",
    "gazetrack_samples": "gazetrack.readers.gazetrack_samples",
    "generic": "gazetrack.readers.generic.table",
    "imotions": "gazetrack.readers.imotions",
    "iohub": "gazetrack.readers.iohub.reports",
    "labelled_events": "gazetrack.readers.labelled_events",
    "public_dataset": "gazetrack.readers.layouts.table",
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
    """The reader a file belongs to, how sure that is, and why.

    Parameters
    ----------
    name : str
        The name of the reader, as users type it after ``--format``.
    verdict : Verdict
        What the reader says of the file.
    """

    name: str
    verdict: Verdict


@cache
def names() -> tuple[str, ...]:
    """Return the names of all readers, built-in and third-party, sorted."""
    third_party = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
    return tuple(sorted(third_party | BUILTIN.keys()))


def is_own(name: str) -> bool:
    """Tell whether a reader is one of ours, and none of a third party's."""
    return name in BUILTIN or name in LAYOUTS


@cache
def get(name: str) -> Reader:
    """Return a reader by name, or the one of a data set's layout.

    Raises
    ------
    ConfigError
        There is none of that name, or a third party's cannot be imported.
    """
    # A built-in reader comes first: another package cannot take its name.
    if name in BUILTIN:
        return cast("Reader", import_module(BUILTIN[name]))
    if name in LAYOUTS:
        reader: Reader = import_module(BUILTIN["public_dataset"]).LayoutReader(LAYOUTS[name])
        return reader
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            return cast("Reader", point.load())
        except ImportError as error:
            what = f"reader {name!r} cannot be imported: {error}"
            raise ConfigError(what, hint="install what it needs") from error
    hint = f"{did_you_mean(name, (*names(), *LAYOUTS))}known are {', '.join(names())}"
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
        what = f"could be {' or '.join(winners)}"
        hint = f"choose one with --format {winners[0]}"
        raise AmbiguousFormat(what, path=head.path, hint=hint)
    return Detection(winners[0], verdicts[winners[0]])


def _unknown(head: Head, verdicts: dict[str, Verdict]) -> InputError:
    """Return the error about a file that no reader claims.

    Parameters
    ----------
    head : Head
        The first look at the file.
    verdicts : dict of str to Verdict
        What each reader says of it, by the reader's name.
    """
    named = [verdict for verdict in verdicts.values() if verdict.instead]
    beside = named[0] if named else companion(head)
    if beside is not None:
        what = f"holds no gaze: it is {beside.reason}"
        return CompanionFile(what, path=head.path, hint=beside.instead)
    # In UTF-16 and UTF-32 every letter has a zero byte.
    is_wide = head.encoding.startswith(("utf-16", "utf-32"))
    if b"\0" in head.data and not is_wide:
        byte = head.data.index(b"\0")
        hint = "export it as text from the tracker's software"
        return UnknownFormat("is binary, not a text export", path=head.path, byte=byte, hint=hint)
    closest = _closest(verdicts)
    guess = verdicts[closest]
    if guess.reason:
        what = f"unknown format; closest is {closest}: {guess.reason}"
        hint = guess.hint or f"try --format {closest}, or --columns x=NAME,y=NAME,t=NAME"
        return UnknownFormat(what, path=head.path, hint=hint)
    hint = "name its columns: --columns x=NAME,y=NAME,t=NAME"
    return UnknownFormat("unknown format", path=head.path, hint=hint)


def _closest(verdicts: dict[str, Verdict]) -> str:
    """Return the reader whose verdict helps most: a sure one, one with a reason, a vendor's own."""

    def help_of(name: str) -> tuple[int, bool, bool]:
        verdict = verdicts[name]
        return verdict.level, bool(verdict.reason), name != "generic"

    return max(verdicts, key=help_of)
