"""Scanpaths as words, a letter a region: ScanMatch, and the edit distance.

Cristino, Mathôt, Theeuwes & Gilchrist 2010 (ScanMatch); Levenshtein 1966, by rapidfuzz.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, SchemaError, quote
from gazetrack.kernels.scanpaths import alignment_score

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.maps.track import Track
    from gazetrack.measures.aois import AoiSet

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MAX_REGIONS = 4096
MAX_LETTERS = 1_000_000


def grid_word(track: Track, grid: tuple[int, int], bin_ms: float = 0.0) -> Integers:
    """Return a scanpath as the numbers of the grid's cells it goes through.

    Parameters
    ----------
    track : Track
        Fixations in temporal order; those beside the image count for the nearest cell.
    grid : (int, int)
        Number of columns and rows of cells that the image is cut into.
    bin_ms : float
        With more than 0, a fixation's cell is there once for each so many milliseconds of it,
        rounded: what is shorter than half of it is not there. With 0, once a fixation.

    Returns
    -------
    ndarray of int64
        Cells from 0, row by row from the top left.

    Raises
    ------
    ConfigError
        The grid or the bin makes no sense, or the word would have over a million letters.
    """
    n_columns, n_rows = grid
    if min(grid) < 1 or n_columns * n_rows > MAX_REGIONS:
        what = f"a grid of {n_columns} x {n_rows} cells"
        raise ConfigError(what, hint=f"use 1 or more a side, and at most {MAX_REGIONS} in all")
    if not bin_ms >= 0:
        raise ConfigError(f"bins of {bin_ms:g} ms", hint="use 0 for none, or a length of time")
    column = _cell(track.x, track.width, n_columns)
    row = _cell(track.y, track.height, n_rows)
    cells = row * n_columns + column
    if bin_ms == 0:
        return cells
    # Half a bin counts, as in MATLAB.
    times = np.floor(track.duration_ms / bin_ms + 0.5)
    if times.sum() > MAX_LETTERS:
        what = f"bins of {bin_ms:g} ms make a word of {times.sum():,.0f} letters"
        raise ConfigError(what, hint="use longer bins")
    return np.repeat(cells, times.astype(np.int64))


def _cell(positions: Floats, size: float, n_cells: int) -> Integers:
    return np.clip(np.floor(positions * (n_cells / size)), 0, n_cells - 1).astype(np.int64)


def aoi_word(track: Track, aois: AoiSet) -> Integers | None:
    """Return a scanpath as the numbers of the areas of interest it goes through.

    Parameters
    ----------
    track : Track
        Fixations in temporal order, on the pixels of the image.
    aois : AoiSet
        Areas of the stimuli, in the pixels of their images.

    Returns
    -------
    ndarray of int64, or None
        A number a fixation: that of the first area it lies in, or one more than all areas have,
        for what lies in none. None where the stimulus has no areas.

    Raises
    ------
    ConfigError
        The areas come and go, or move: a scanpath knows no moments.
    SchemaError
        They are given in the pixels of the screen.
    """
    own = aois.of(track.stimulus)
    if own is None:
        return None
    if aois.space != "image":
        what = f"areas of {quote(own.stimulus, 40)!r} in the pixels of the screen"
        raise SchemaError(what, hint="give them in the pixels of the image")
    if any(aoi.is_dynamic for aoi in own.aois):
        what = f"areas of {quote(own.stimulus, 40)!r} that come and go"
        raise ConfigError(what, hint="scanpaths are compared by areas that stay")
    width, height = own.size or (track.width, track.height)
    x, y = track.x * (width / track.width), track.y * (height / track.height)
    word = np.full(len(track), len(own.aois), np.int64)
    for number in range(len(own.aois) - 1, -1, -1):
        for inside in own.aois[number].inside(x, y).values():
            word[inside] = number
    return word


@lru_cache(maxsize=8)
def substitutions(grid: tuple[int, int], threshold: float) -> Floats:
    """Return how alike the cells of a grid are, [S, S]: the threshold less their distance in cells.

    Cells that are farther apart than the threshold are worse than a gap of 0.
    """
    rows, columns = np.divmod(np.arange(grid[0] * grid[1]), grid[0])
    apart: Floats = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    return threshold - apart


def scanmatch(
    a: Integers, b: Integers, grid: tuple[int, int], *, threshold: float = 3.5, gap: float = 0.0
) -> float:
    """Return the ScanMatch score of two words.

    Parameters
    ----------
    a, b : ndarray of int64
        Words as `grid_word` gives them.
    grid : (int, int)
        Columns and rows of the words' grid.
    threshold : float
        How many cells apart two fixations may be and still be better aligned than not; Cristino et
        al. take twice the standard deviation of saccade amplitudes, in cells.
    gap : float
        What a fixation that faces none adds to the score, 0 or less.

    Returns
    -------
    float
        1 for equal words, NaN where one is empty.

    Raises
    ------
    ConfigError
        The threshold is not above 0, or the gap is.
    """
    if not threshold > 0 or not gap <= 0:
        what = f"ScanMatch with a threshold of {threshold:g} and a gap of {gap:g}"
        raise ConfigError(what, hint="use a threshold above 0, and a gap of 0 or below")
    if not len(a) or not len(b):
        return math.nan
    score = alignment_score(a, b, substitutions(grid, threshold), gap)
    return float(score) / (threshold * max(len(a), len(b)))


def levenshtein(a: Integers, b: Integers) -> tuple[float, float]:
    """Return the edit distance of two words, and their similarity, 1 - distance / longer one.

    Both are NaN where both words are empty.
    """
    from rapidfuzz.distance import Levenshtein

    longest = max(len(a), len(b))
    if not longest:
        return math.nan, math.nan
    edits = Levenshtein.distance(a.tolist(), b.tolist())
    return float(edits), 1 - edits / longest
