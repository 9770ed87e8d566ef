"""Cards: how recordings, tracks and maps show themselves in a notebook, as a picture beside facts.

A card is one piece of HTML that needs nothing from outside: the picture lies within it, as SVG or
as PNG. Names come from files that other people made, so every text is escaped.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]

PICTURE_PX = 220  # of the longer side
_MOST_POINTS = 2000  # a longer path is thinned: a notebook keeps every card in its file
_MOST_CHARS = 80
_AREA_PX2_PER_MS = 0.35  # a fixation of 300 ms becomes a disc of 6 px radius
_CELL = 'style="text-align:left;padding:1px 12px 1px 0"'
_EARLY_RGB = np.array([68.0, 1.0, 84.0])  # the ends of viridis, which the plots use as well
_LATE_RGB = np.array([253.0, 231.0, 37.0])


def card(title: str, facts: Mapping[str, object], picture: str) -> str:
    """Return the HTML of a card.

    Parameters
    ----------
    title : str
        What is shown, in a few words.
    facts : mapping of str to object
        Rows of the table beside the picture; empty texts and None are left out.
    picture : str
        Markup of `path_svg`, `discs_svg` or `levels_png`.

    Returns
    -------
    str
        One ``div``. Title and facts are escaped, and cut where they are long.
    """
    known = {name: value for name, value in facts.items() if value not in (None, "")}
    rows = "".join(
        f"<tr><th {_CELL}>{_text(name)}</th><td {_CELL}>{_text(value)}</td></tr>"
        for name, value in known.items()
    )
    return (
        '<div style="display:flex;gap:16px;align-items:flex-start">'
        f"{picture}<div><b>{_text(title)}</b><table>{rows}</table></div></div>"
    )


def path_svg(x: Floats, y: Floats, width: float, height: float) -> str:
    """Draw where gaze was on a screen: dots, thinned where there are very many.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Positions in pixels; missing and infinite ones, and those beside the screen, are left out.
    width, height : float
        Size of the screen in pixels.

    Returns
    -------
    str
        An ``svg`` element.
    """
    shown = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    places = np.flatnonzero(shown)
    if len(places) > _MOST_POINTS:
        places = places[np.linspace(0, len(places) - 1, _MOST_POINTS).astype(np.intp)]
    scale = PICTURE_PX / max(width, height)
    dots = "".join(f"M{x[i] * scale:.1f} {y[i] * scale:.1f}h0" for i in places)
    path = f'<path d="{dots}" stroke="#3b528b" stroke-width="2" stroke-linecap="round"/>'
    return _svg(path if dots else "", width * scale, height * scale)


def discs_svg(x: Floats, y: Floats, duration_ms: Floats, width: float, height: float) -> str:
    """Draw a scanpath: a line through discs, their area the duration, dark first and bright last.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Positions in pixels, in temporal order.
    duration_ms : ndarray, shape (N,)
        Durations of the fixations in milliseconds.
    width, height : float
        Size of the image in pixels.

    Returns
    -------
    str
        An ``svg`` element.
    """
    scale = PICTURE_PX / max(width, height)
    places = np.flatnonzero(np.isfinite(x) & np.isfinite(y))[:_MOST_POINTS]
    radii = np.sqrt(_AREA_PX2_PER_MS * np.maximum(np.nan_to_num(duration_ms), 0) / np.pi)
    line = " ".join(f"{x[i] * scale:.1f},{y[i] * scale:.1f}" for i in places)
    drawn = [f'<polyline points="{line}" fill="none" stroke="#888"/>']
    for order, i in enumerate(places):
        share = order / max(len(places) - 1, 1)
        red, green, blue = np.rint(_EARLY_RGB + share * (_LATE_RGB - _EARLY_RGB)).astype(int)
        drawn.append(
            f'<circle cx="{x[i] * scale:.1f}" cy="{y[i] * scale:.1f}" r="{radii[i]:.1f}" '
            f'fill="rgb({red},{green},{blue})" fill-opacity=".75"/>'
        )
    return _svg("".join(drawn), width * scale, height * scale)


def levels_png(levels: npt.NDArray[np.uint8]) -> str:
    """Draw maps side by side, the core first.

    Parameters
    ----------
    levels : ndarray of uint8, shape (L, H, W)
        Maps as 0 to 255.

    Returns
    -------
    str
        An ``img`` element with the PNG in it, thinned to at most 220 pixels a map.
    """
    from PIL import Image

    step = max(1, -(-max(levels.shape[1:]) // PICTURE_PX))
    thin = levels[:, ::step, ::step]
    gap = np.full((thin.shape[1], 2), 128, np.uint8)
    parts = [part for level in thin for part in (level, gap)][:-1]
    buffer = io.BytesIO()
    Image.fromarray(np.hstack(parts)).save(buffer, format="PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="maps" src="data:image/png;base64,{data}"/>'


def _svg(drawn: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'style="flex:none;background:#eee">{drawn}</svg>'
    )


def _text(value: object) -> str:
    """Return a value as text of a page: no control characters, not too long, escaped."""
    return escape(quote(value, _MOST_CHARS))
