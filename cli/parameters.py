"""Parameters typed as KEY=VALUE, and the dataclasses that are made of them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gazetrack.events.detectors import DETECTORS

from .parsing import parse_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation

T = TypeVar("T")


def parse_detector(name: str, settings: Sequence[str]) -> Detector:
    """Return the detector of a name, with the parameters of ``--set``."""
    return built(DETECTORS[name], settings, "--set")


def parse_preparation(settings: Sequence[str]) -> Preparation | None:
    """Return what ``--prepare`` says is to be done to samples first; None where it says nothing."""
    from gazetrack.events.prepare import Preparation

    return built(Preparation, settings, "--prepare") if settings else None


def built(kind: type[T], settings: Sequence[str], option: str) -> T:
    """Build a dataclass of parameters from text.

    Parameters are numbers, but for those whose default is a name; usage errors name `option`.
    """
    known = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    pairs = parse_pairs(",".join(settings), option)
    values: dict[str, Any] = dict(pairs)
    for key, value in pairs.items():
        if key not in known:
            raise click.BadParameter(f"{key!r} is none of {', '.join(known)}", param_hint=option)
        if not isinstance(known[key], str):
            try:
                values[key] = float(value)
            except ValueError:
                raise click.BadParameter(f"{key}={value} is no number", param_hint=option) from None
    return kind(**values)
