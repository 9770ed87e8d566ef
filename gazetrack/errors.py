"""The errors of the toolkit: what happened, where, and what to do about it.

Every error a user can meet is one line of this form, whatever raised it::

    <file>:<line>[:<column>]: <what> - <what to do> [CODE]

The library raises; only the command line prints.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

MAX_MESSAGE_CHARS = 300
MAX_PATH_CHARS = 120
_BODY_FIRST_CHARS = 100  # of a message, before its hint gets the rest
_LEAST_CHARS = 40
_PATH_END_CHARS = 48  # of a path, where a message is too long
_WORD = re.compile(r"[^\s'\"]+")
_LEAST_LIKE = 0.7  # one wrong letter of four, or two of seven
_quotes_nothing = ContextVar("quotes_nothing", default=False)


@contextmanager
def quoting_nothing(nothing: bool = True) -> Iterator[None]:
    """Let every `quote` within the block give ``…`` in place of the text.

    A message may name a person, whatever it is about.
    """
    token = _quotes_nothing.set(nothing)
    try:
        yield
    finally:
        _quotes_nothing.reset(token)


def quote(text: object, limit: int = 60) -> str:
    """Return text from data as printable ASCII-safe text, cut to `limit` characters.

    Parameters
    ----------
    text : object
        Anything that came out of a file or a file name.
    limit : int
        The longest that the result may be, in characters.

    Returns
    -------
    str
        Control characters and non-printable characters appear as escapes, never raw. Within
        `quoting_nothing`, nothing of the text appears.
    """
    return "…" if _quotes_nothing.get() else _shortened(text, limit)


def _shortened(text: object, limit: int) -> str:
    shown = _escaped(text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a mistyped word; empty when none is."""
    from rapidfuzz import fuzz, process  # only for errors

    names = {name.casefold(): name for name in known}
    least = 100 * _LEAST_LIKE
    found = process.extractOne(word.casefold(), list(names), scorer=fuzz.ratio, score_cutoff=least)
    return names[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the beginning of a hint that names what is most like a word, or an empty text."""
    name = nearest(word, known)
    return f"did you mean {quote(name, 40)!r}? " if name else ""


def readable(name: str) -> str:
    r"""Return the name of a file as text that every table and report can hold.

    File systems keep bytes. Those that are no UTF-8 appear as ``\xNN``, so that different names
    stay different; where the system's own encoding is narrower than UTF-8, its names are read as
    what they are.
    """
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except (
        UnicodeEncodeError
    ):  # no name of a file, but text that this system's encoding does not know
        return name.encode("utf-8", "backslashreplace").decode()


def _escaped(text: object) -> str:
    return "".join(map(_escape, str(text)))


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    if "\udc80" <= char <= "\udcff":  # a byte of a file's name that is no text
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape", "backslashreplace").decode()


def _shorter_path(word: re.Match[str]) -> str:
    return _path_end(word[0], _PATH_END_CHARS) if "/" in word[0] else word[0]


def _path_end(path: str | Path, limit: int | None) -> str:
    """Return the path, or its end where it is long: the name of the file matters most."""
    shown = _escaped(path)
    return shown if limit is None or len(shown) <= limit else "…" + shown[1 - limit :]


class GazetrackError(Exception):
    """The parent of all errors of gazetrack and gradtrack_model.

    Parameters
    ----------
    what : str
        What is wrong, in a few words. Text quoted from data goes through `quote` first.
    path : path-like, optional
        The file it is about.
    line, column : int, optional
        Where in the file, counted from 1.
    byte : int, optional
        Offset in the file, counted from 0, where lines mean nothing.
    hint : str, optional
        What the user can do.
    """

    code: ClassVar[str] = "ERROR"
    exit_code: ClassVar[int] = 1
    # Whether another process has told the user already.
    said: ClassVar[bool] = False

    def __init__(
        self,
        what: str,
        *,
        path: str | PathLike[str] | None = None,
        line: int | None = None,
        column: int | None = None,
        byte: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.line, self.column, self.byte, self.hint = what, line, column, byte, hint
        # An address is a path of a class of its own, which knows how it is shown.
        self.path = path if path is None or isinstance(path, Path) else Path(path)
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        # The arguments are named, which exceptions forget on their way between processes.
        named = {name: getattr(self, name) for name in ("path", "line", "column", "byte", "hint")}
        return _rebuilt, (type(self), self.what, named)

    def __str__(self) -> str:
        whole = self.whole()
        if len(whole) <= MAX_MESSAGE_CHARS:
            return whole
        # Of a path the end says most; of what is wrong and of what to do about it, every word
        # counts.
        code = f" [{self.code}]"
        body, hint = (_WORD.sub(_shorter_path, text) for text in self._texts())
        head = self._head(MAX_PATH_CHARS)
        if len(head) + len(body) + len(hint) + len(code) + len(" - ") > MAX_MESSAGE_CHARS:
            head = self._head(_PATH_END_CHARS)
        room = MAX_MESSAGE_CHARS - len(head) - len(code)
        for_hint = room - len(" - ") - min(len(_escaped(body)), _BODY_FIRST_CHARS)
        hint = f" - {_shortened(hint, max(for_hint, _LEAST_CHARS))}" if hint else ""
        return head + _shortened(body, max(room - len(hint), _LEAST_CHARS)) + hint + code

    def whole(self) -> str:
        """Return the message without any limit of length, for a report that programs read."""
        body, hint = map(_escaped, self._texts())
        return self._head(None) + body + (f" - {hint}" if hint else "") + f" [{self.code}]"

    def _texts(self) -> tuple[str, str]:
        return (
            self.what if self.byte is None else f"{self.what} (byte {self.byte})",
            self.hint or "",
        )

    def _head(self, path_chars: int | None) -> str:
        where = [] if self.path is None else [_path_end(self.path, path_chars)]
        where += [str(n) for n in (self.line, self.column) if n is not None]
        return ":".join(where) + ": " if where else ""


def _rebuilt(kind: type[GazetrackError], what: str, named: dict[str, Any]) -> GazetrackError:
    return kind(what, **named)


class InputError(GazetrackError):
    """A file or folder that cannot be used: missing, empty, no regular file, unreadable."""

    code = "INPUT"


class UnknownFormat(InputError):
    """No reader recognises the file."""

    code = "UNKNOWN_FORMAT"


class CompanionFile(UnknownFormat):
    """A file that belongs to a recording and holds no gaze, such as a calibration."""

    code = "NO_GAZE"


class AmbiguousFormat(InputError):
    """Several readers claim the file with equal confidence."""

    code = "AMBIGUOUS_FORMAT"


class ParseError(GazetrackError):
    """The file has a known format, and breaks its rules at a named place."""

    code = "PARSE"


class NoGaze(ParseError):
    """An export of a known format without any gaze."""

    code = "NO_GAZE"


class SchemaError(GazetrackError):
    """A table lacks what its kind must have, or has it in another type."""

    code = "SCHEMA"


class ConfigError(GazetrackError):
    """An option or parameter has a value that cannot work, or a needed one is missing."""

    code = "CONFIG"
    exit_code = 2


def refuse_other_type(value: object, wanted: type | tuple[type, ...], name: str, hint: str) -> None:
    """Refuse an argument of a public function that is no `wanted`, before it fails further in.

    Parameters
    ----------
    value : object
        The argument, as the caller gave it.
    wanted : type or tuple of type
        What it has to be an instance of.
    name : str
        The argument's name, for the message.
    hint : str
        What to give in its place.

    Raises
    ------
    ConfigError
        The value is of another type.
    """
    if not isinstance(value, wanted):
        raise ConfigError(f"{name} is of type {type(value).__name__}", hint=hint)


def refuse_no_count(value: object, name: str, least: int = 0) -> None:
    """Refuse a setting that is no whole number, or too small a one.

    Parameters
    ----------
    value : object
        What the caller gave for the setting.
    name : str
        The setting's name, for the message.
    least : int
        The smallest number that it may be.

    Raises
    ------
    ConfigError
        The value is of another type, or below `least`.
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < least:  # type: ignore[operator]
        raise ConfigError(f"{name}={quote(value, 40)}", hint=f"use a whole number from {least} on")


class OutputError(GazetrackError):
    """An output cannot be written: exists, read-only, full."""

    code = "OUTPUT"
    exit_code = 3


class DataError(GazetrackError):
    """Images, masks and gaze of a training set do not fit together."""

    code = "DATA"
    exit_code = 4


class CheckpointError(GazetrackError):
    """A checkpoint is damaged, or was made for another configuration."""

    code = "CHECKPOINT"
    exit_code = 5


class LockedError(GazetrackError):
    """Another process works in the folder."""

    code = "LOCKED"
    exit_code = 7


class WorkerLost(GazetrackError):
    """A recording whose worker died each time it was tried: killed, or out of memory."""

    code = "WORKER_LOST"


class ClusterError(GazetrackError):
    """A cluster that cannot be reached or used, or that nobody works on any more."""

    code = "CLUSTER"
    exit_code = 8
