"""One look for all figures: colours that everybody can tell apart, names, titles and legends.

Qualitative colours are those of Okabe and Ito (2008, https://jfly.uni-koeln.de/color/), which
people with any of the common colour deficiencies tell apart; amounts and orders use the colour maps
viridis and magma, in which equal steps look equal and the order survives printing in grey (van der
Walt and Smith 2015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from gazetrack.errors import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from gazetrack.maps.track import Track

ORDER_MAP = colormaps["viridis"]
AMOUNT_MAP = colormaps["magma"]
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILION, YELLOW, GREY = "#56B4E9", "#D55E00", "#F0E442", "#999999"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW)
EVENT_COLOURS = {
    "fixation": SKY,
    "saccade": ORANGE,
    "blink": GREY,
    "microsaccade": VERMILION,
    "smooth_pursuit": GREEN,
    "pso": PURPLE,
}
TITLE_POINTS = 10
LABEL_POINTS = 9
SMALL_POINTS = 7.5
_MOST_NAME_CHARS = 40
_MOST_TITLE_CHARS = 90


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Return an empty figure that pyplot does not know, whose parts make room for each other.

    Parameters
    ----------
    width_inches, height_inches : float
        Size of the whole figure in inches, legends included.
    """
    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def shown(name: object, limit: int = _MOST_NAME_CHARS) -> str:
    """Return a name from data as it can stand in a figure: short, printable, and no mathematics.

    Parameters
    ----------
    name : object
        Anything that came out of a file, such as the name of a recording.
    limit : int
        The longest that it may be, in characters.
    """
    return quote(name, limit).replace("$", r"\$")


def titled(title: str, otherwise: str) -> str:
    """Return the title of a figure: what the caller says, else what the figure is.

    Parameters
    ----------
    title : str
        The caller's title, which may hold names from data; empty for none.
    otherwise : str
        What the figure shows, in a few words.
    """
    return shown(title, _MOST_TITLE_CHARS) if title else otherwise


def heading(track: Track) -> str:
    """Return on one line which image was looked at, and in which recording, by whom."""
    stimulus = track.stimulus or "no stimulus"
    who = {"recording": track.recording, "participant": track.participant}
    where = {"trial": track.trial, "eye": track.eye}
    named = [f"{key} {shown(name)}" for key, name in (who | where).items() if name]
    return " · ".join([shown(stimulus), *named])


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name, in their order.

    Up to seven have those of Okabe and Ito; more are spread over viridis, which is still safe, but
    neighbours look alike.
    """
    known = list(dict.fromkeys(names))
    if len(known) <= len(COLOURS):
        return dict(zip(known, COLOURS, strict=False))
    steps = [number / (len(known) - 1) for number in range(len(known))]
    return {name: to_hex(ORDER_MAP(step)) for name, step in zip(known, steps, strict=True)}


def halo(width_points: float = 2.0) -> list[withStroke]:
    """Return the effect that keeps a text readable on any image: a white rim around it.

    Parameters
    ----------
    width_points : float
        Width of the rim, in points of 1/72 inch.
    """
    return [withStroke(linewidth=width_points, foreground="white")]


def plain(axis: Axes) -> None:
    """Take away the two edges of an axis that say nothing, and make its numbers small."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=SMALL_POINTS)


def legend_below(axis: Axes, handles: Sequence[Artist], columns: int = 4) -> None:
    """Put a legend under an axis, where it hides nothing.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis that the legend is under.
    handles : sequence of matplotlib.artist.Artist
        What is named, each with its label.
    columns : int
        How many entries stand in one row.
    """
    below = -0.02 if not axis.get_xlabel() else -0.2
    axis.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, below),
        ncols=columns,
        frameon=False,
        fontsize=SMALL_POINTS,
        handletextpad=0.8,
    )


def say_nothing_there(axis: Axes, what: str) -> None:
    """Write in the middle of an axis what there is none of, so that no empty frame puzzles.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis that would be empty otherwise.
    what : str
        What is missing, such as ``no saccades``.
    """
    axis.text(
        0.5, 0.5, what, transform=axis.transAxes, ha="center", va="center", fontsize=LABEL_POINTS
    )
