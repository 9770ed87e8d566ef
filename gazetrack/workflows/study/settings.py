"""The table [study] of a study file: exports, outputs, screen, steps."""

from __future__ import annotations

from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote
from gazetrack.storage.address import is_url
from gazetrack.workflows.study.steps import NEEDS_TABLE, STEPS, chosen_steps
from gazetrack.workflows.study.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from gazetrack.workflows.study.file import StudyFile

TABLE = "study"
# The keys that are not options of commands.
OWN = ("name", "inputs", "out", "steps", "screen")
_SCREEN = ("pixels", "width", "height", "diagonal", "distance")
_MM_PER_INCH = 25.4


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """What a study says of itself.

    Parameters
    ----------
    name : str
        What it is called; its folder's name by default.
    inputs : tuple of path-like
        Exports and folders of them, or their addresses.
    out : pathlib.Path
        The folder of all outputs.
    steps : tuple of str
        The steps it takes, in their order.
    screen : str or None
        The screen in the words of ``--screen``.
    shared : mapping of str to object
        All other keys: options that several commands have, as the file says them.
    """

    name: str
    inputs: tuple[str | Path, ...]
    out: Path
    steps: tuple[str, ...]
    screen: str | None
    shared: Mapping[str, Any]


def settings_of(study: StudyFile, commands: Collection[str]) -> StudySettings:
    """Return what a study says of itself, all of it checked.

    Parameters
    ----------
    study : StudyFile
        What was read of the file.
    commands : collection of str
        The commands that there are: their names may be those of tables.

    Raises
    ------
    ConfigError
        A key has a value that cannot be, or names what is not there; or a table is no command's.
    """
    for name in study.tables:
        if name not in (TABLE, *commands):
            what = f"{quote(name, 40)!r} is neither [study] nor a command"
            raise study.unknown([name], (TABLE, *commands), what)
    found = study.each(TABLE)
    if len(found) > 1 or isinstance(study.tables.get(TABLE), list):
        raise study.error([TABLE], "[[study]] is there as a list", hint="write [study], once")
    told = found[0] if found else {}
    return StudySettings(
        name=_text(study, told, "name", study.path.absolute().parent.name),
        inputs=_inputs(study, told),
        out=_out(study, told),
        steps=_steps(study, told, commands),
        screen=_screen(study, told),
        shared={key: value for key, value in told.items() if key not in OWN},
    )


def _text(study: StudyFile, told: Mapping[str, Any], key: str, default: str) -> str:
    value = told.get(key, default)
    if not isinstance(value, str) or not value or not value.isprintable():
        what = f"[study] {key} = {quote(value, 40)} is no text"
        raise study.error([TABLE, key], what, hint=f'write it in quotes: {key} = "{default}"')
    return value


def _texts(study: StudyFile, told: Mapping[str, Any], key: str, example: str) -> list[str]:
    value = told.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        what = f"[study] {key} is no list of texts"
        raise study.error([TABLE, key], what, hint=f"write it as {key} = {example}")
    return texts


def _inputs(study: StudyFile, told: Mapping[str, Any]) -> tuple[str | Path, ...]:
    found: list[str | Path] = []
    for text in _texts(study, told, "inputs", '["exports"]'):
        if is_url(text):
            found.append(text)
            continue
        matched = _matched(study.folder, text)
        if not matched:
            what = f"[study] inputs: there is no {quote(text, 80)}"
            hint = f"name files or folders as seen from {quote(study.folder.absolute(), 80)}"
            raise study.error([TABLE, "inputs"], what, hint=hint)
        found += matched
    return tuple(dict.fromkeys(found))


def _matched(folder: Path, text: str) -> list[Path]:
    """Return the file or folder of a name, or all that a pattern fits, in the order of names."""
    place = folder / text
    if place.exists():
        return [place]
    try:
        # Unlike a path's own, it takes any pattern, from the root of the disk as well.
        found = glob(text, root_dir=folder, recursive=True)  # noqa: PTH207
    except ValueError:  # what no file is called
        found = []
    return [folder / name for name in sorted(found)]


def _out(study: StudyFile, told: Mapping[str, Any]) -> Path:
    text = _text(study, told, "out", "results")
    if is_url(text):
        what = "[study] out is an address"
        hint = "name a folder of this machine; tables of single commands may have addresses"
        raise study.error([TABLE, "out"], what, hint=hint)
    out = study.folder / text
    if out.exists() and not out.is_dir():
        what = f"[study] out: {quote(text, 80)} is a file"
        raise study.error([TABLE, "out"], what, hint="name a folder for the results")
    return out


def _steps(study: StudyFile, told: Mapping[str, Any], commands: Collection[str]) -> tuple[str, ...]:
    known = [name for name in STEPS if name in commands]
    asked = _texts(study, told, "steps", '["convert", "quality"]') if "steps" in told else None
    for name in asked or ():
        if name not in known:
            what = f"[study] steps: {quote(name, 40)!r} is no step"
            keys = [TABLE, "steps"]
            hint = study.unknown([name], known, what).hint or ""
            raise study.error(keys, what, hint=hint)
    steps = chosen_steps(asked, study.tables)
    for name, hint in NEEDS_TABLE.items():
        if name in steps and name not in study.tables:
            what = f"[study] steps: there is no table [{name}]"
            raise study.error([TABLE, "steps"], what, hint=f"write [{name}], and {hint}")
    return steps


def _screen(study: StudyFile, told: Mapping[str, Any]) -> str | None:
    """Return the screen in the words of ``--screen``, which the study may say in a table."""
    value = told.get("screen")
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, dict):
        hint = 'write it as screen = "1920x1080,531x299mm,650mm", or as a table [study.screen]'
        raise study.error([TABLE, "screen"], "[study] screen is no text and no table", hint=hint)
    for key in value:
        if key not in _SCREEN:
            what = f"[study.screen] has a key {quote(key, 40)!r}"
            raise study.unknown([TABLE, "screen", key], _SCREEN, what)
    parts = [_pixels(study, value.get("pixels"))]
    mm = {key: _mm(study, key, value[key]) for key in _SCREEN[1:] if key in value}
    if "width" in mm and "height" in mm:
        parts.append(f"{_digits(mm['width'])}x{_digits(mm['height'])}mm")
    elif "diagonal" in mm:
        parts.append(f"{_digits(mm['diagonal'] / _MM_PER_INCH)}in")
    elif mm:
        what = f"[study.screen] says {' and '.join(mm)} alone"
        hint = "give width and height, or the diagonal"
        raise study.error([TABLE, "screen"], what, hint=hint)
    if "distance" in mm:
        parts.append(f"{_digits(mm['distance'])}mm")
    return ",".join(parts)


def _pixels(study: StudyFile, value: object) -> str:
    listed = value.lower().split("x") if isinstance(value, str) else value
    sides = [str(side).strip() for side in listed] if isinstance(listed, list) else []
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        what = f"[study.screen] pixels = {quote(value, 40)} is no size of a screen"
        keys = [TABLE, "screen", *(["pixels"] if value is not None else [])]
        raise study.error(keys, what, hint='write it as pixels = "1920x1080"')
    return "x".join(sides)


def _mm(study: StudyFile, key: str, value: object) -> float:
    """Return a length of the screen in millimetres; one without its unit could be anything."""
    keys = [TABLE, "screen", key]
    hint = f'write it with its unit, as in {key} = "53 cm": mm, cm, m or in'
    try:
        length = in_unit(value, "mm")
    except ValueError as error:
        raise study.error(keys, f"[study.screen] {key}: {error}", hint=hint) from None
    is_length = isinstance(value, str) and isinstance(length, int | float) and length > 0
    if not is_length:
        what = f"[study.screen] {key} = {quote(value, 40)} is no length"
        raise study.error(keys, what, hint=hint)
    return float(length)  # type: ignore[arg-type]


def _digits(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")
