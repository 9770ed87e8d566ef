"""The options that say how a track becomes maps, for every command that renders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from .options import MAP_KINDS, PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

# Fields of gazetrack.maps.render.MapParams with their defaults, which click does not get: what
# nobody gave comes from the preset. Lengths are shares of sqrt(height x width). A test compares
# names and defaults.
FIELDS: tuple[tuple[str, Any, Any, str], ...] = (
    ("kind", click.Choice(MAP_KINDS), "tube", "Kind of map."),
    ("levels", int, 4, "Levels; level l of L keeps the last l/L of the track."),
    (
        "by",
        click.Choice(["count", "time"]),
        "count",
        "What a share counts: fixations, or their duration.",
    ),
    (
        "truncation",
        click.Choice(["tail", "head", "random", "shuffled", "none"]),
        "tail",
        "Part of the track that a level keeps.",
    ),
    ("seed", int, 0, "Of the random truncations."),
    (
        "drop_first",
        int,
        1,
        "Fixations dropped from the start of each track of four or more; none for heatmaps.",
    ),
    ("min_duration_ms", float, 50, "Shorter fixations are dropped."),
    ("radius", float, 0.05, "Tube, disc, hull: distance of the border, share of sqrt(H x W)."),
    ("softness", float, 0.015, "Tube, disc, hull: width of the border, share of sqrt(H x W)."),
    ("duration_exponent", float, 0, "Tube: exponent with which longer fixations widen it."),
    ("max_saccade", float, "inf", "Longer segments are left out, share of sqrt(H x W)."),
    ("blur", float, 0.05, "Density, gaussian, heatmap: sigma, share of sqrt(H x W)."),
    ("threshold", float, 0.2, "Density: the border, share of the maximum."),
    ("width", float, 0.06, "Density: width of the border, share of the maximum."),
)


def _parse_ratios(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(map(float, text.split(",")))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not like .25,.5,1") from None


def map_options(command: F) -> F:
    """Add the keywords of `gazetrack.maps.render.map_params` to a command as options; None where they are not given."""
    ratios = "Shares of the track that the levels keep, instead of --levels."
    options = [
        click.option(
            "--preset",
            type=click.Choice(PRESETS),
            help="Parameters for a kind of image; options go first.",
        ),
        click.option("--ratios", callback=_parse_ratios, metavar="R,…,1", help=ratios),
    ]
    for name, kind, default, text in FIELDS:
        flag = "--" + name.replace("_", "-")
        options.append(click.option(flag, type=kind, help=f"{text}  [default: {default}]"))
    for option in reversed(options):
        command = option(command)
    return command
