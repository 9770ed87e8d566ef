"""Figures on disk: PNG, SVG or PDF by the suffix, the same figure to the same bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context

from gazetrack.errors import ConfigError, quote
from gazetrack.figures.kinds import PICTURE_SUFFIXES
from gazetrack.publish import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 130
# Times and versions would make two equal figures differ.
_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def figure_bytes(figure: Figure, suffix: str = ".png", *, dpi: float = DOTS_PER_INCH) -> bytes:
    """Return a figure as the bytes of a file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Any figure, such as the functions of this wing return.
    suffix : {".png", ".svg", ".pdf"}
        Which kind of file it becomes.
    dpi : float
        Dots per inch of a PNG, and of what is pixels within the others.

    Returns
    -------
    bytes
        The same for the same figure, on one version of matplotlib.

    Raises
    ------
    ConfigError
        Another suffix.
    """
    check_picture_suffix(suffix)
    buffer = io.BytesIO()
    # Names of parts of an SVG are random unless they are salted.
    with rc_context({"svg.hashsalt": "gazetrack"}):
        figure.savefig(
            buffer,
            format=suffix.lstrip("."),
            dpi=dpi,
            metadata=_METADATA[suffix],
            bbox_inches="tight",
            pad_inches=0.08,
        )
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | Path) -> None:
    """Publish a figure as PNG, SVG or PDF, as the name of the file says.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Any figure, such as the functions of this wing return.
    path : path-like
        The file, whose suffix is ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    ConfigError
        Another suffix.
    OutputError
        The file cannot be written.
    """
    write_bytes(path, figure_bytes(figure, Path(path).suffix.lower()))


def check_picture_suffix(suffix: str) -> None:
    """Refuse a suffix that no figure can be saved under; see `figure_bytes`."""
    if suffix not in PICTURE_SUFFIXES:
        what = f"a figure cannot be saved as {quote(suffix or 'a file without suffix')!r}"
        raise ConfigError(what, hint=f"end the name in {', '.join(PICTURE_SUFFIXES)}")
