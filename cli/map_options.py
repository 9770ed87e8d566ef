"""The options that say how a track becomes maps, for every command that renders."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gazetrack.maps.parameters import KINDS, PRESETS, SHARES_OF, TRUNCATIONS, MapParams

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

# Each field of `MapParams` but the ratios, which are parsed by hand: its choices or type, and its
# help. The help names the default, but click does not get it: what nobody gave comes from the
# preset.
FIELDS: dict[str, tuple[Any, str]] = {
    "kind": (click.Choice(KINDS), "Kind of map."),
    "levels": (int, "Levels; level l of L keeps the last l/L of the track."),
    "by": (click.Choice(SHARES_OF), "What a share counts: fixations, or their duration."),
    "truncation": (click.Choice(TRUNCATIONS), "Part of the track that a level keeps."),
    "seed": (int, "Of the random truncations."),
    "drop_first": (
        int,
        "Fixations dropped from the start of each track of four or more; none for heatmaps.",
    ),
    "min_duration_ms": (float, "Shorter fixations are dropped."),
    "radius": (float, "Tube, disc, hull: distance of the border, share of sqrt(H x W)."),
    "softness": (float, "Tube, disc, hull: width of the border, share of sqrt(H x W)."),
    "duration_exponent": (float, "Tube: exponent with which longer fixations widen it."),
    "max_saccade": (float, "Longer segments are left out, share of sqrt(H x W)."),
    "blur": (float, "Density, gaussian, heatmap: sigma, share of sqrt(H x W)."),
    "threshold": (float, "Density: the border, share of the maximum."),
    "width": (float, "Density: width of the border, share of the maximum."),
}


def with_default(text: str, value: object) -> str:
    """Return an option's help with the default that the library uses where nobody gave a value."""
    shown = f"{value:g}" if isinstance(value, float) else value
    return f"{text}  [default: {shown}]"


def _parse_ratios(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not like .25,.5,1") from None


def map_options(command: F) -> F:
    """Add the keywords of `map_params` to a command as options; None where they are not given."""
    ratios = "Shares of the track that the levels keep, instead of --levels."
    options = [
        click.option(
            "--preset",
            type=click.Choice(list(PRESETS)),
            help="Parameters for a kind of image; options go first.",
        ),
        click.option("--ratios", callback=_parse_ratios, metavar="R,…,1", help=ratios),
    ]
    defaults = {field.name: field.default for field in fields(MapParams)}
    for name, (kind, text) in FIELDS.items():
        flag = "--" + name.replace("_", "-")
        options.append(click.option(flag, type=kind, help=with_default(text, defaults[name])))
    for option in reversed(options):
        command = option(command)
    return command
