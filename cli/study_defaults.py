"""What a study file says of a command's options: every option of every command, by its own type.

Nothing is listed by hand: names, types and units of options are those that click knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.errors import quote
from gazetrack.storage.address import is_url
from gazetrack.workflows.study.run import RECORDINGS_FILE
from gazetrack.workflows.study.settings import OWN, TABLE, settings_of
from gazetrack.workflows.study.steps import ALSO_OF_EXPORTS, STEPS, TABLES
from gazetrack.workflows.study.units import has_endless, in_unit, kind_of

from .parsing import parse_screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.workflows.study.file import StudyFile
    from gazetrack.workflows.study.settings import StudySettings

# Options that several commands have, and that a study says once, in its own table.
SHARED = (
    "cluster",
    "columns",
    "format",
    "fov",
    "images",
    "jobs",
    "key",
    "layout",
    "messages",
    "participant",
    "placement",
    "recursive",
    "retries",
    "salvage",
    "stimulus",
    "trial-by",
    "trust-gzip",
)
# Options that name what is written: all other files and folders have to be there.
WRITTEN = ("dataset", "errors", "key", "manifest", "out", "report")
# Where nobody says otherwise, these look for `images` in the working directory; a study's images
# lie beside it.
_LOOKS_FOR_IMAGES = ("plot", "refine", "render", "report")
NOTES = "log"
# What is about one call.
_TYPED_ALONE = ("is_dry_run",)
_UNITS = {
    "MS": "ms",
    "FROM TO": "ms",
    "PX": "px",
    "DEGREES": "deg",
    "HZ": "Hz",
    "_ms": "ms",
    "_px": "px",
    "_deg": "deg",
    "_hz": "Hz",
    "_mb": "MB",
}
_IN_SECONDS = ("seconds",)
_PAIRS = re.compile(r"\w+=\w+")
_PLACES = re.compile(r"\b(?:DIR|FILE|WHERE)\b")


@dataclass
class Defaults:
    """What a command is told by a study.

    Parameters
    ----------
    values : dict
        By the names of click's parameters: texts and numbers, as they could be typed.
    reads : list of pathlib.Path
        Files and folders of this machine among them that have to be there.
    if_there : list of str
        Names of options that are left out while what they name is not there.
    made : list of pathlib.Path
        Those of the files and folders that a step before makes; they need not be there yet.
    elsewhere : bool
        Whether an address is among them.
    """

    values: dict[str, Any] = field(default_factory=dict)
    reads: list[Path] = field(default_factory=list)
    if_there: list[str] = field(default_factory=list)
    made: list[Path] = field(default_factory=list)
    elsewhere: bool = False

    def at_hand(self) -> dict[str, Any]:
        """Return the values without results of other steps that are not there."""
        return {
            name: value
            for name, value in self.values.items()
            if name not in self.if_there or Path(value).exists()
        }


class _Wrong(Exception):
    """A value is of another kind than its option takes."""


class Study:
    """A study file, read and checked, and what it tells commands.

    Parameters
    ----------
    file : StudyFile
        What was read of the file.
    commands : mapping of str to click.Command
        All commands that it may have tables for.

    Raises
    ------
    ConfigError
        A table, a key or a value cannot be; the error says where and what is allowed.
    """

    def __init__(self, file: StudyFile, commands: Mapping[str, click.Command]) -> None:
        self.file = file
        self.commands = commands
        self.settings: StudySettings = settings_of(file, commands)
        self._check_shared()
        for name in commands:
            for number in range(len(file.each(name))):
                self._told(name, number)

    @property
    def notes(self) -> Path:
        """The folder of the notes and of what commands print."""
        return self.settings.out / NOTES

    def defaults(self, name: str, number: int = 0) -> Defaults:
        """Return what a command is told, from the least particular to the most.

        Parameters
        ----------
        name : str
            The name of the command.
        number : int
            Which of its tables, where it has several.
        """
        command = self.commands[name]
        told = self._of_layout(name, number)
        options = options_of(command)
        self._refuse_names(name, options)
        for key, value in self._shared_of_all().items():
            if key in options:
                self._take(told, options[key], value, [TABLE, key])
        own = self._told(name, number)
        told.values |= own.values
        told.if_there = [each for each in told.if_there if each not in own.values]
        told.reads += own.reads
        told.made += own.made
        told.elsewhere |= own.elsewhere
        if "dataset" in own.values and "out" not in own.values:
            # The layout's own folder gives way to a data set that the study asks for.
            told.values.pop("out", None)
        return told

    def _refuse_names(self, name: str, options: Mapping[str, click.Option]) -> None:
        """Refuse a step that would name participants where the study says not to."""
        policy = self.settings.shared.get("participant", "keep")
        step = STEPS.get(name)
        if policy == "keep" or "participant" in options or step is None or step.takes != "exports":
            return
        what = f"[study] participant = {policy!r}, and {name} names recordings after their exports"
        hint = f"leave {name} out, or write participant into the tables that it is meant for"
        raise self.file.error([TABLE, "participant"], what, hint=hint)

    def defaults_of_call(self, name: str) -> dict[str, Any]:
        """Return what a command is told that is called on its own.

        Raises
        ------
        ConfigError
            The study has several tables for it.
        """
        if len(self.file.each(name)) > 1:
            what = f"[[{name}]] is there several times"
            hint = "gazetrack run takes one after the other; a command on its own takes one"
            raise self.file.error([name], what, hint=hint)
        return self.defaults(name).at_hand()

    def _told(self, name: str, number: int) -> Defaults:
        """Return what the table of a command says, with every key checked."""
        tables = self.file.each(name)
        told = Defaults()
        if number >= len(tables):
            return told
        options = options_of(self.commands[name])
        before: list[str | int] = [name, *([number] if len(tables) > 1 else [])]
        self.file.refuse_twice(before, tables[number])
        for key, value in tables[number].items():
            keys = [*before, key]
            normal = key.replace("_", "-")
            if normal not in options:
                what = f"[{name}] {quote(key, 40)} is no option of this command"
                raise self.file.unknown(keys, options, what)
            self._take(told, options[normal], value, keys)
        return told

    def _of_layout(self, name: str, number: int) -> Defaults:
        """Return what follows from where the study keeps its files."""
        told, settings = Defaults(), self.settings
        step = STEPS.get(name)
        takes = "exports" if name in ALSO_OF_EXPORTS else step.takes if step else ""
        given = {
            "exports": settings.inputs,
            "tables": (settings.out / TABLES,),
            "maps": (self._made_by("render"),),
        }.get(takes, ())
        arguments = [each for each in self.commands[name].params if _is_argument(each)]
        if given and arguments:
            first = arguments[0]
            texts = [str(place) for place in given]
            told.values[str(first.name)] = texts if first.nargs != 1 else texts[0]
            told.reads += [place for place in given if isinstance(place, Path)]
            told.elsewhere = any(not isinstance(place, Path) for place in given)
        options = options_of(self.commands[name])
        if step is not None and step.makes and "out" in options:
            told.values["out"] = str(settings.out / _numbered(step.makes, number))
        # Notes of quality name the files: where nobody is to be named, all are measured again.
        keeps = name != "quality" or self.settings.shared.get("participant", "keep") == "keep"
        if step is not None and "manifest" in options and keeps:
            told.values["manifest"] = str(self.notes / _numbered(RECORDINGS_FILE, number))
        if "key" in options:
            told.values["key"] = str(self.file.folder / "gazetrack.key")
        if name == "report":
            # What the other steps have made belongs on the page, and so does the study's name.
            maps = self._made_by("render")
            told.values |= {"title": settings.name, "maps": str(maps)}
            told.reads.append(maps)
            told.if_there.append("maps")
        images = self.file.folder / "images"
        if name in _LOOKS_FOR_IMAGES and images.is_dir():
            told.values["images"] = str(images)
            told.reads.append(images)
        return told

    def _made_by(self, name: str, number: int = 0) -> Path:
        """Return where a step leaves its results: where its table says, or in its own place."""
        tables = self.file.each(name)
        out = tables[number].get("out") if number < len(tables) else None
        if isinstance(out, str) and out and not is_url(out):
            return self.file.folder / out
        return self.settings.out / _numbered(STEPS[name].makes, number)

    def _is_made_before(self, path: Path, name: str) -> bool:
        """Tell whether a step that is taken before another makes a file, or the folder it is in."""
        steps = self.settings.steps
        earlier = steps[: steps.index(name)] if name in steps else ()
        places = {
            self._made_by(each, number)
            for each in earlier
            for number in range(max(len(self.file.each(each)), 1))
        }
        return bool(places & {path, *path.parents})

    def _shared_of_all(self) -> dict[str, Any]:
        """Return what the study's own table says of options, by their names."""
        told = {key.replace("_", "-"): value for key, value in self.settings.shared.items()}
        if self.settings.screen is not None:
            told["screen"] = self.settings.screen
        return told

    def _check_shared(self) -> None:
        """Refuse a key of the study's own table that is no option of several commands."""
        known = sorted({*OWN, *SHARED})
        self.file.refuse_twice([TABLE], self.settings.shared)
        for key in self.settings.shared:
            if key.replace("_", "-") not in known:
                owners = [name for name, each in self.commands.items() if key in options_of(each)]
                what = f"[study] has a key {quote(key, 40)!r}"
                if owners:
                    where = " or ".join(f"[{name}]" for name in owners[:3])
                    what += f", which is an option of single commands: write it into {where}"
                raise self.file.unknown([TABLE, key], known, what)
        for key, value in self._shared_of_all().items():
            for command in self.commands.values():
                option = options_of(command).get(key)
                if option is not None:
                    self._take(Defaults(), option, value, [TABLE, key])
        try:
            parse_screen(self.settings.screen)
        except click.BadParameter as error:
            hint = 'write it as screen = "1920x1080,531x299mm,650mm"'
            what = f"[study] screen: {error.message}"
            raise self.file.error([TABLE, "screen"], what, hint=hint) from None

    def _take(self, told: Defaults, option: click.Option, value: Any, keys: list[Any]) -> None:
        """Add the value of an option to what a command is told."""
        place = self._place_of(keys)
        try:
            typed = _typed(option, value)
            if _names_files(option):
                typed = self._placed(told, option, typed, str(keys[0]))
            with click.Context(click.Command("study"), resilient_parsing=False) as context:
                _refuse_endless(option.process_value(context, typed))
        except (click.UsageError, _Wrong) as error:
            what = error.message if isinstance(error, click.UsageError) else str(error)
            hint = f"give {_allowed(option)}"
            raise self.file.error(keys, f"{place}: {what.rstrip('.')}", hint=hint) from None
        told.values[str(option.name)] = typed

    def _place_of(self, keys: list[Any]) -> str:
        return f"[{keys[0]}] {keys[-1]}"

    def _placed(self, told: Defaults, option: click.Option, value: Any, name: str) -> Any:
        """Return names of files as seen from the study's folder.

        What is read has to be there, or is made by a step before the one of this name.
        """
        if isinstance(value, list | tuple):
            return [self._placed(told, option, each, name) for each in value]
        if not isinstance(value, str) or not value:
            return value
        if is_url(value):
            told.elsewhere = True
            return value
        path = self.file.folder / value
        if option.name not in WRITTEN and self._is_made_before(path, name):
            told.made.append(path)
        elif isinstance(option.type, click.Path):
            if option.name not in WRITTEN and not path.exists():
                where = quote(self.file.folder.absolute(), 80)
                raise _Wrong(f"there is no {quote(value, 80)} in {where}")
        elif not path.exists():  # it may be the name of something else, such as ``local``
            return value
        if option.name not in WRITTEN:
            told.reads.append(path)
        return str(path)


def _refuse_endless(value: Any) -> None:
    if has_endless(value):
        raise _Wrong(f"{value} is no number that anything is measured by")


def _numbered(name: str, number: int) -> str:
    """Return the name of results, of which the second and further ones have a number."""
    path = Path(name)
    numbered = f"{path.stem}-{number + 1}{path.suffix}"
    return name if number == 0 else numbered


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command that a file may set, by their names on the command line."""
    return {
        name.removeprefix("--"): each
        for each in command.params
        if isinstance(each, click.Option) and each.expose_value and not each.is_eager
        if each.name not in _TYPED_ALONE
        for name in each.opts
        if name.startswith("--")
    }


def unit_of(option: click.Option) -> str:
    """Return the unit of an option's value; empty where it has none.

    Parameters
    ----------
    option : click.Option
        Its metavar, or the end of its name, says the unit.
    """
    if option.metavar in _UNITS:
        return _UNITS[option.metavar]
    return _unit_of_name(str(option.name))


def _unit_of_name(name: str) -> str:
    if name in _IN_SECONDS:
        return "s"
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def _names_files(option: click.Option) -> bool:
    return isinstance(option.type, click.Path) or bool(_PLACES.search(option.metavar or ""))


def _typed(option: click.Option, value: Any) -> Any:
    """Return a value of TOML as it could be typed.

    Raises
    ------
    _Wrong
        It is of another kind, or has a unit of something else.
    """
    if option.is_flag:
        if not isinstance(value, bool):
            raise _Wrong(f"{quote(value, 40)} is neither true nor false")
        return value
    takes_pairs = _PAIRS.search(option.metavar or "") is not None
    if isinstance(value, dict):
        if not takes_pairs:
            raise _Wrong("a table stands where a value does")
        value = [f"{key}={_plain(each, _unit_of_name(key))}" for key, each in value.items()]
        return value if option.multiple else ",".join(value)
    if option.multiple or option.nargs != 1:
        listed = value if isinstance(value, list) else [value]
        return [_plain(each, unit_of(option)) for each in listed]
    if isinstance(value, list):
        # What is typed with commas between, such as names of methods.
        if "," not in (option.metavar or ""):
            raise _Wrong("a list stands where a single value does")
        return ",".join(str(_plain(each, "")) for each in value)
    plain = _plain(value, unit_of(option))
    if isinstance(option.type, click.types.IntParamType) and isinstance(plain, float):
        raise _Wrong(f"{plain:g} is no whole number")
    return str(plain) if isinstance(option.type, click.types.StringParamType) else plain


def _plain(value: Any, unit: str) -> Any:
    """Return a text or a number, in the option's own unit."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Wrong(f"{quote(value, 40)} is neither a text nor a number")
    if isinstance(value, str) and "\0" in value:
        raise _Wrong(f"{quote(value, 40)} has a character that no name and no text has")
    try:
        return in_unit(value, unit) if unit else value
    except ValueError as error:
        raise _Wrong(str(error)) from None


def _allowed(option: click.Option) -> str:
    """Return what an option takes, in words."""
    kind, unit = option.type, unit_of(option)
    if option.is_flag:
        return "true or false"
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}"
    if _names_files(option):
        return f"{option.metavar or 'a path'}, as seen from the study file"
    number = "a whole number" if isinstance(kind, click.types.IntParamType) else "a number"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        bounds = kind._describe_range() if hasattr(kind, "_describe_range") else ""  # noqa: SLF001
        text = f"{number} {bounds}".rstrip()
        measures = f", or a {kind_of(unit)} with its unit" if unit else ""
        return text + measures
    return option.metavar or "a text"
