"""Exports in, recordings out: find the reader by content, call it, check what it gave, name it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
import pyarrow as pa

from gazetrack.errors import (
    ConfigError,
    DataError,
    GazetrackError,
    ParseError,
    UnknownFormat,
    quote,
    refuse_other_type,
)
from gazetrack.readers import registry
from gazetrack.readers.base import POSITION_SETTINGS, Level, ReadOptions, Verdict
from gazetrack.readers.head import read_head
from gazetrack.readers.pupil.blinks import read_blinks
from gazetrack.readers.reading import Reading
from gazetrack.storage.address import local_or_url, shown_path
from gazetrack.tables.geometry import with_geometry
from gazetrack.tables.kinds import count_kinds
from gazetrack.tables.plausible import checked
from gazetrack.tables.screen import Screen
from gazetrack.workflows.elsewhere import near, near_file
from gazetrack.workflows.inputs import Source, find_sources
from gazetrack.workflows.joining import joined, renamed
from gazetrack.workflows.joining_eyes import joined_eyes
from gazetrack.workflows.naming import recording_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gazetrack.readers.head import Head
    from gazetrack.tables.recording import Recording

# What a reader that meets something unforeseen in a file may raise: still an error about that
# file, and no crash.
_UNFORESEEN = (
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
    MemoryError,
    pa.ArrowException,
)


@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """What a user may choose about the exports of a call: which files, and how each is read.

    Parameters
    ----------
    format : str or None
        Name of the reader; None to detect it by content.
    columns : mapping of str to str
        For the generic reader: our name (x, y, t, duration, …) to the export's column; also
        ``unit``, ``origin`` and ``y_axis`` of the positions, see docs/formats.md.
    screen : Screen or None
        The screen, in place of the one the export states.
    fov_deg : float or None
        How many degrees the width of the screen, or of a world camera's image, covers.
    salvage : bool
        Take the whole rows of a file that is cut off; without it such a file is refused.
    trust_gzip : bool
        Unpack gzip without the limits of ratio and size.
    recursive : bool
        Of a folder, also take the files below it.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None
    fov_deg: float | None = None
    salvage: bool = False
    trust_gzip: bool = False
    recursive: bool = False

    def __post_init__(self) -> None:
        # The command's way of writing the two, which is no type of Python's, is the likely mistake.
        hint = 'give a mapping, such as {"x": "GazeX[px]", "y": "GazeY[px]", "t": "Time[ms]"}'
        refuse_other_type(self.columns, (Mapping, type(None)), "columns", hint)
        hint = "give a gazetrack.Screen, such as Screen(1920, 1080, 531, 299, 650)"
        refuse_other_type(self.screen, (Screen, type(None)), "the screen", hint)

    @property
    def reading(self) -> Reading:
        """How the bytes of one file are taken."""
        return Reading(salvage=self.salvage, trust_gzip=self.trust_gzip)

    @property
    def may_join(self) -> bool:
        """Whether files of one recording are looked for.

        They are not where the user says how each file is to be read.
        """
        return self.format is None and not self.columns


class ReadChoices(TypedDict, total=False):
    """The fields of `InputOptions` that say how a file is read, as keyword arguments."""

    columns: Mapping[str, str]
    screen: Screen | None
    fov_deg: float | None
    salvage: bool
    trust_gzip: bool


class InputChoices(ReadChoices, total=False):
    """The fields of `InputOptions` as keyword arguments."""

    format: str | None
    recursive: bool


def read(path: str | Path, format: str | None = None, **choices: Unpack[ReadChoices]) -> Recording:
    """Read an export of any known format.

    Parameters
    ----------
    path : path-like
        The export, or its address, such as ``s3://bucket/raw.tsv``. Gzip is unpacked on the way.
    format : str, optional
        Name of the reader, see `formats`; found by content by default.
    **choices
        Fields of `InputOptions`: `columns`, `screen`, `fov_deg`, `salvage` and `trust_gzip`.

    Returns
    -------
    Recording
        ``recording.samples`` and ``recording.events`` are pandas data frames, positions in screen
        pixels and times in milliseconds; ``recording.arrow()`` gives the Arrow table.

    Raises
    ------
    GazetrackError
        `InputError`, `UnknownFormat`, `AmbiguousFormat`, `ParseError` or `ConfigError`, with the
        place and what to do.

    Examples
    --------
    >>> recording = gazetrack.read("raw.tsv")  # doctest: +SKIP
    >>> recording.samples[["t_ms", "x_px", "y_px"]].describe()  # doctest: +SKIP
    """
    options = InputOptions(format=format, **choices)
    place = local_or_url(path)
    name = recording_name(place if isinstance(place, Path) else shown_path(place))
    with contextlib.nullcontext(place) if isinstance(place, Path) else near_file(place) as file:
        head = read_head(file, options.reading)
        reader, _ = recognise(head, options)
        recording = _read_head(head, reader, options)
        return renamed(recording, head.stem, name)


def read_files(
    paths: Sequence[str | Path], options: InputOptions
) -> Iterator[tuple[Path, Recording | GazetrackError]]:
    """Read exports, one after the other; of a folder, all in it, as `convert_files` takes them.

    Yields
    ------
    (pathlib.Path, Recording or GazetrackError)
        The file, and what is in it or why it cannot be read; a file of a folder that is no export
        is left out.
    """
    for source in find_sources(paths, recursive=options.recursive, join=options.may_join):
        found = read_one(source, options)
        if found is not None:
            yield source.path, found


def read_one(source: Source, options: InputOptions) -> Recording | GazetrackError | None:
    """Return what is in a recording's files, or why they cannot be read.

    It is None for a file of a folder that is no export.
    """
    try:
        with near(source) as copies:
            head = read_head(copies.path, options.reading)
            reader, _ = recognise(head, options)
            return read_source(copies, options, head, reader)
    except UnknownFormat as error:
        return None if source.from_folder else error
    except GazetrackError as error:
        return error


def recognise(head: Head, options: InputOptions) -> tuple[str, Verdict]:
    """Return the reader's name and why it is this one.

    The reader is the one named, or the generic one when columns are given, or the detected one.
    """
    if options.format is not None:
        registry.get(options.format)
        return options.format, Verdict(Level.CERTAIN, "chosen with --format")
    if options.columns and not set(options.columns) <= POSITION_SETTINGS:
        return "generic", Verdict(Level.CERTAIN, "columns named with --columns")
    found = registry.detect(head)
    return found.name, found.verdict


def read_source(
    source: Source,
    options: InputOptions,
    head: Head,
    reader: str,
    *,
    wants_own_fixations: bool = True,
) -> Recording:
    """Read a recording from its file or files, under its name and on the user's screen.

    Parameters
    ----------
    source : Source
        The file, and those that belong to the same recording.
    options : InputOptions
        How the files are read and by whom.
    head : Head
        The beginning of the file, which is read once.
    reader : str
        Name of the reader that takes them.
    wants_own_fixations : bool
        Whether to say that a file beside it, which nobody named, holds the tracker's own fixations.

    Raises
    ------
    GazetrackError
        What `read` raises; and `DataError` where the files are not of one recording.
    """
    recording = _read_head(head, reader, options)
    if source.parts:
        recording = _with_parts(recording, source, options, reader)
    leaves_them_out = source.leaves_fixations and not has_own_fixations(recording)
    if leaves_them_out and wants_own_fixations:
        note = (
            "a file beside it holds the tracker's own fixations: "
            "name that file as well, or the folder, to have them"
        )
        recording = replace(recording, notes=(note, *recording.notes))
    return renamed(recording, head.stem, source.name)


def _with_parts(
    recording: Recording, source: Source, options: InputOptions, reader: str
) -> Recording:
    """Return the gaze with the other eyes, fixations and blinks that lie in files of their own."""
    fixations = None
    if source.fixations is not None:
        head = read_head(source.fixations, options.reading)
        fixations = _read_head(head, reader, options)
    if source.eyes:
        files = (read_head(eye, options.reading) for eye in source.eyes)
        others = [_read_head(head, reader, options) for head in files]
        recording = _together(joined_eyes, source, [recording, *others])
    blinks = None
    if source.blinks is not None:
        blinks = read_blinks(read_head(source.blinks, options.reading), reader)
    if fixations is None and blinks is None:
        return recording
    return _together(joined, source, recording, fixations, blinks)


def _together(join: Callable[..., Recording], source: Source, *parts: object) -> Recording:
    """Return what a function makes of the parts of a recording; errors name its file."""
    try:
        return join(*parts)
    except DataError as error:
        raise DataError(error.what, path=source.path, hint=error.hint) from error


def has_own_fixations(recording: Recording) -> bool:
    """Tell whether the export itself says what the fixations are."""
    if recording.fixation_table is not None:
        return True
    return bool(count_kinds(recording.event_table).get("fixation"))


def _read_head(head: Head, reader: str, options: InputOptions) -> Recording:
    """Call a reader, and check what it gave; every error names the file."""
    if options.columns and registry.is_own(reader):
        takes_columns = registry.get(reader).FORMAT.takes_columns
        if not takes_columns:
            what = (
                "--columns is for tables that do not say what they hold; "
                f"{reader} states its own columns and units"
            )
            hint = "leave --columns out, or add --format generic"
            raise ConfigError(what, path=head.path, hint=hint)
    given = ReadOptions(columns=options.columns or {}, screen=options.screen)
    try:
        # A number too large for float32 becomes infinite, which `checked` takes out and notes, and
        # a NaN stays one: NumPy's warnings would say less, and of arrays.
        with np.errstate(over="ignore", invalid="ignore"):
            recording = registry.get(reader).read(head, given)
            recording = checked(head.reading.applied(recording))
    except ParseError as error:
        if error.path is not None:
            raise
        raise type(error)(error.what, path=head.path, hint=error.hint) from error
    except GazetrackError:
        raise
    except _UNFORESEEN as error:
        what = f"the {reader} reader cannot make sense of it: {type(error).__name__}"
        hint = "check the export, or name the format with --format"
        raise ParseError(f"{what}: {quote(error, 150)}", path=head.path, hint=hint) from error
    return with_geometry(recording, options.screen, options.fov_deg)
