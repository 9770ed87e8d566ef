"""A study file: TOML with a table for the study and one for each command."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, InputError, did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NAME = "gazetrack.toml"
MOST_BYTES = 1024**2
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")


@dataclass(frozen=True)
class StudyFile:
    """What a study file says, and where it says so.

    Parameters
    ----------
    path : pathlib.Path
        The file, as the user named it.
    tables : mapping of str to object
        What it says: tables by name, each a mapping of keys to values; of a command that is called
        several times, a list of them.
    text : str
        All of it, to tell where something stands.
    """

    path: Path
    tables: Mapping[str, Any]
    text: str

    @property
    def folder(self) -> Path:
        """The folder that its paths are seen from."""
        return self.path.parent

    def each(self, name: str) -> list[dict[str, Any]]:
        """Return the tables of a command, in order: none, one, or several.

        Raises
        ------
        ConfigError
            There is something else of that name.
        """
        found = self.tables.get(name, [])
        tables = found if isinstance(found, list) else [found]
        if not all(isinstance(table, dict) for table in tables):
            what = f"{name} is no table"
            raise self.error([name], what, hint=f"write [{name}] on a line of its own")
        return tables

    def error(self, keys: Iterable[str | int], what: str, *, hint: str) -> ConfigError:
        """Return an error about what stands at some keys, from the outermost to the innermost.

        Parameters
        ----------
        keys : iterable of str or int
            Such as ``["convert", "eye"]``, or ``["measures", 1, "out"]`` for the second of several.
        what, hint : str
            What is wrong there, and what to do.
        """
        named = list(keys)
        return ConfigError(what, path=self.path, line=self.line_of(named), hint=hint)

    def unknown(self, keys: Iterable[str | int], known: Iterable[str], what: str) -> ConfigError:
        """Return an error about a key that is none of those known; it names the nearest one.

        Parameters
        ----------
        keys : iterable of str or int
            Where the key stands, itself last.
        known : iterable of str
            What could stand there instead.
        what : str
            What the key is not, such as ``an option of gazetrack convert``.
        """
        named, names = list(keys), sorted(known)
        nearest = did_you_mean(str(named[-1]).replace("_", "-"), names)
        return self.error(named, what, hint=f"{nearest}there are {', '.join(names)}")

    def refuse_twice(self, table: Sequence[str | int], keys: Iterable[str]) -> None:
        """Refuse two spellings of one key, as TOML refuses a key that is there twice.

        Parameters
        ----------
        table : sequence of str or int
            Where the table stands, from the outermost key to the innermost.
        keys : iterable of str
            The keys of the table.
        """
        seen: dict[str, str] = {}
        for key in keys:
            other = seen.setdefault(key.replace("_", "-"), key)
            if other != key:
                what = f"[{table[0]}] {other} and {key} are the same key"
                hint = f"keep one: {other} is on line {self.line_of([*table, other])}"
                raise self.error([*table, key], what, hint=hint)

    def line_of(self, keys: list[str | int]) -> int | None:
        """Return the line on which something begins, counted from 1; None of what is not there.

        The first lines of a file are a file of their own, unless they end within a value. The
        shortest beginning that holds the keys is found by halving; whatever it has beyond the one
        before it is theirs.
        """
        lines = self.text.splitlines(keepends=True)
        if not _holds(self.tables, keys):
            return None
        without, with_it = 0, len(lines)
        while True:
            middle = _whole_between(lines, without, with_it)
            if middle is None:
                return without + 1
            if _holds(_parsed(lines[:middle]), keys):
                with_it = middle
            else:
                without = middle


def _whole_between(lines: list[str], low: int, high: int) -> int | None:
    """Return a number of lines between two that is a file of its own, as near the middle as is."""
    middle = (low + high) // 2
    numbers = [*range(middle, high), *range(middle - 1, low, -1)]
    inside = (number for number in numbers if number > low)
    return next((number for number in inside if _parsed(lines[:number]) is not None), None)


def _parsed(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:  # it ends within a value of several lines
        return None


def _holds(found: Any, keys: list[str | int]) -> bool:
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            # The first of several tables is a table of its own to whoever asks for it by 0.
            if not (key == 0 and isinstance(found, dict)):
                return False
    return True


def _hint_about(told: str) -> str:
    """Return what to do about what the reader of TOML says."""
    if re.search("overwrite|twice|Duplicate", told):
        return "it is there twice: keep one; several tables of a command are written [[measures]]"
    return 'texts stand in quotes, as in out = "results"; tables in brackets, as in [study]'


def find_study(folder: Path) -> Path:
    """Return the study file of a folder: its own, or that of the nearest folder above it.

    Raises
    ------
    InputError
        There is none.
    """
    whole = folder.absolute()
    for place in (whole, *whole.parents):
        if (place / NAME).is_file():
            return place / NAME
    what = f"no {NAME} here, nor in a folder above"
    raise InputError(what, path=folder, hint="name the file: --study FILE")


def read_study(path: str | Path) -> StudyFile:
    """Read a study file; whether its keys are options is for whoever knows the commands to say.

    Raises
    ------
    InputError
        There is no such file, or it is too large.
    ConfigError
        It is no TOML; the error says where.
    """
    path = Path(path)
    try:
        if not path.is_file():
            hint = "name a TOML file with a table [study]; docs/study.md says how it looks"
            raise InputError("there is no such study file", path=path, hint=hint)
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is too large for a study file", path=path, hint="name a TOML file")
        text = path.read_text("utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read: {quote(error, 80)}"
        raise InputError(what, path=path, hint="give a TOML file, in UTF-8") from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", path=path, hint="give a study file") from error
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        match = _PLACE.search(told)
        line, column = match.groups() if match else (None, None)
        raise ConfigError(
            f"no TOML: {quote(_PLACE.sub('', told), 100)}",
            path=path,
            line=None if line is None else int(line),
            column=None if column is None else int(column),
            hint=_hint_about(told),
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"no TOML: {quote(error, 100)}", path=path, hint="correct it") from error
    return StudyFile(path, tables, text)
