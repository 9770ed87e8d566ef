"""How a configuration is built: of a preset, a method, a TOML file, and settings (``a.b=c``)."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from gazetrack.errors import ConfigError, InputError, nearest, quote
from gazetrack.maps.parameters import MapParams, map_params
from gradtrack_model.config import TrainConfig
from gradtrack_model.limits import one_of
from gradtrack_model.network.model import ModelConfig
from gradtrack_model.presets import METHODS, PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Before .5, where TOML wants a digit: a point that neither continues a name or number, nor is in
# quotes.
_BARE_POINT = re.compile(r"(?<![\w.\"'])(?=\.\d)")


def load_config(
    preset: str = "default",
    file: str | Path | None = None,
    settings: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Build a configuration; later sources win: preset, method, file, overrides, settings.

    Parameters
    ----------
    preset : str
        Name of the settings to begin with, one of `gradtrack_model.presets.PRESETS`.
    file : path-like, optional
        A TOML file with keys as in `gradtrack_model.config.TrainConfig`.
    settings : iterable of str
        ``a.b=c``, with c as in TOML; quotes may be left out.
    overrides : mapping, optional
        Values by dotted keys such as ``optimizer.lr``; None means not given.

    Returns
    -------
    TrainConfig

    Raises
    ------
    ConfigError
        An unknown key, a value of the wrong type or out of range, or a file that is no TOML.
    InputError
        The file cannot be read.

    Examples
    --------
    >>> load_config("tiny", overrides={"optimizer.lr": 0.001}).optimizer.lr
    0.001
    """
    one_of("preset", preset, PRESETS)
    layers = _given(file, settings, overrides)
    # The method's own settings lie under all others, so the last word on the method comes first.
    chosen = [layer["method"] for layer in layers if "method" in layer]
    method = chosen[-1] if chosen else "gradtrack"
    one_of("method", method, METHODS)
    values: dict[str, Any] = {}
    for layer in (PRESETS[preset], METHODS[method], *layers):
        _merge(values, layer)
    return config_from(values)


def map_settings(
    file: str | Path | None = None,
    settings: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Return the names of the map parameters that a user sets.

    Parameters and errors are those of `load_config`.
    """
    values: dict[str, Any] = {}
    for layer in _given(file, settings, overrides):
        _merge(values, layer)
    # The CRF is no parameter of `MapParams`, and says as much of what the maps are.
    crf = ("crf_weight",) if "crf_weight" in values else ()
    return (*values.get("maps", ()), *crf)


def _given(
    file: str | Path | None, settings: Iterable[str], overrides: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the nested values of a file, and of all that was typed, the stronger last."""
    layers = [] if file is None else [_read_toml(Path(file))]
    typed: dict[str, Any] = {}
    named = [(key, value) for key, value in (overrides or {}).items() if value is not None]
    for key, value in (*named, *map(_parse_setting, settings)):
        # Not `_merge`: widths typed before their encoder are that encoder's.
        _lay(typed, _nested(key, value))
    return [*layers, typed]


def config_from(values: Mapping[str, Any]) -> TrainConfig:
    """Build a configuration from nested plain values, as read from TOML or JSON.

    Raises
    ------
    ConfigError
        An unknown key, or a value of the wrong type or out of range.
    """
    config: TrainConfig = _build(TrainConfig, values, "")
    return config


def as_toml(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML, which `load_config` takes back as a file.

    Parameters
    ----------
    settings : mapping
        Plain JSON values, as `gradtrack_model.config.TrainConfig.as_dict` returns them: those of
        the run itself first, then the sections.

    Returns
    -------
    str
        A line for each setting, with a line feed behind it.
    """
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]", as_toml(value).rstrip("\n")]
        else:
            # Texts, numbers, words and lists of JSON are those of TOML.
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _build(kind: Any, values: Any, prefix: str) -> Any:
    """Build a section from plain values; `prefix`, such as ``optimizer.``, says where it is."""
    if not isinstance(values, dict):
        what = f"{prefix.rstrip('.')} is {quote(values)}"
        raise ConfigError(what, hint="it is a section with keys of its own")
    hints = get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise _unknown(prefix + str(key), known=hints)
    arguments = {key: _convert(hints[key], value, prefix + key) for key, value in values.items()}
    try:
        if kind is MapParams:
            # What a kind of map leaves to its own default is the toolkit's to say.
            return map_params(**arguments)
        return kind(**arguments)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error.what}", hint=error.hint) from error


def _unknown(key: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a setting that does not exist, with the one that may be meant."""
    what = f"unknown setting {quote(key)!r}"
    meant = _nearest_setting(key)
    if meant:
        return ConfigError(what, hint=f"did you mean {meant}?")
    return ConfigError(what, hint=f"known: {', '.join(known)}")


def _nearest_setting(key: str) -> str:
    """Return the dotted name of the setting that is most like `key`, or nothing."""
    section, _, word = key.rpartition(".")
    beside: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for setting in _all_settings(TrainConfig):
        its_section, _, name = setting.rpartition(".")
        group = beside if its_section == section else elsewhere
        group[name] = setting
    meant = beside.get(nearest(word, beside), "")
    if meant:
        return meant
    # Who names a section has chosen it: a setting elsewhere is meant where it has the very name.
    return elsewhere.get(word if section else nearest(word, elsewhere), "")


def _all_settings(kind: Any, prefix: str = "") -> list[str]:
    """Return the dotted names of all sections and settings."""
    found = []
    for name, hint in get_type_hints(kind).items():
        found.append(prefix + name)
        if dataclasses.is_dataclass(hint):
            found += _all_settings(hint, f"{prefix}{name}.")
    return found


def _convert(kind: Any, value: Any, key: str) -> Any:
    """Return a plain value as the type of its setting, or say that it is of another one."""
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, f"{key}.")
    if get_origin(kind) is tuple:
        members = value if isinstance(value, list | tuple) else [value]
        member_kind = get_args(kind)[0]
        return tuple(_convert(member_kind, member, key) for member in members)
    if kind is float and _is_number(value):
        return float(value)
    # Of bool and int, `isinstance` would take the one for the other.
    if kind is not float and type(value) is kind:
        return value
    raise ConfigError(
        f"{key} is {quote(value)!r}", hint=f"it takes a value of type {kind.__name__}"
    )


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number, or infinity as TOML or JSON has it."""
    if value in ("inf", math.inf):
        return True
    return type(value) in (int, float) and math.isfinite(value)


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Put `layer` over `into`, section by section; another encoder takes its own widths."""
    model, above = into.get("model"), layer.get("model")
    if isinstance(model, dict) and isinstance(above, dict):
        _forget_widths(model, above)
    _lay(into, layer)


def _lay(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Put `layer` over `into`, section by section."""
    for key, value in layer.items():
        below = into.setdefault(key, {}) if isinstance(value, dict) else None
        if isinstance(below, dict):
            below.update(value)
        else:
            # Also where a section lies over a plain value, which is refused later.
            into[key] = value


def _forget_widths(model: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Remove the widths of another encoder: each brings its own default widths."""
    encoder = model.get("encoder", ModelConfig().encoder)
    if above.get("encoder", encoder) != encoder:
        model.pop("widths", None)


def _nested(key: str, value: Any) -> dict[str, Any]:
    section, dot, name = key.partition(".")
    return {section: {name: value} if dot else value}


def _parse_setting(text: str) -> tuple[str, Any]:
    """Return key and value of ``key=value``; what TOML does not know is text."""
    key, mark, value = (part.strip() for part in text.partition("="))
    if not mark or not key:
        raise ConfigError(f"setting {quote(text)!r}", hint="write it as optimizer.lr=0.001")
    try:
        return key, tomllib.loads(f"value = {_BARE_POINT.sub('0', value)}")["value"]
    except (ValueError, RecursionError):  # no TOML, or more digits or brackets than it takes
        return key, value


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check --config") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueErrors are those of TOML, too
        what = f"is no TOML: {quote(error, 120)}"
        raise ConfigError(what, path=path, hint="see --config in the help") from error
