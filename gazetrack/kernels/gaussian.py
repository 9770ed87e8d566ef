"""Sums of Gaussians along a track, on a grid, and from there to the pixels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Maps = npt.NDArray[np.float32]
REACH = 6.0  # standard deviations after which a Gaussian is left out: 1.5e-8 of its peak


_COLUMNS = 16
_TILE = 256  # columns: as many as stay in the fastest memory for all rows that are summed


@jit
def _add(
    x: float, y: float, weight: float, sigma: float, step: float, across: Floats, out: Floats
) -> None:
    """Add weight times exp(-r^2 / 2 sigma^2) around (x, y) to the grid out [H, W].

    Node (row, column) of the grid lies at (column, row) times `step`; the point may lie beside it,
    and must be finite. `across` [W] is scratch.
    """
    height, width = out.shape
    reach = REACH * sigma
    left = max(math.ceil(max((x - reach) / step, -1.0)), 0)
    right = min(math.floor(min((x + reach) / step, float(width))), width - 1)
    top = max(math.ceil(max((y - reach) / step, -1.0)), 0)
    bottom = min(math.floor(min((y + reach) / step, float(height))), height - 1)
    if left > right or top > bottom:
        return
    # From one node to the next, exp(-a^2 / 2) changes by exp(-a h - h^2 / 2), and this factor by
    # exp(-h^2).
    h = step / sigma
    change = math.exp(-h * h)
    away = (left * step - x) / sigma
    value, factor = math.exp(-0.5 * away * away), math.exp(-away * h - 0.5 * h * h)
    for column in range(left, right + 1):
        across[column] = value
        value *= factor
        factor *= change
    away = (top * step - y) / sigma
    value, factor = weight * math.exp(-0.5 * away * away), math.exp(-away * h - 0.5 * h * h)
    # Away from the borders, a Gaussian has as many columns or one more, on the grids of
    # `gazetrack.maps.dwell`: of a loop whose length it knows, the compiler makes two instructions.
    known = _COLUMNS if right - left + 1 >= _COLUMNS else 0
    for row in range(top, bottom + 1):
        line = out[row]
        if known > 0:
            pixels, shares = line[left : left + _COLUMNS], across[left : left + _COLUMNS]
            for k in range(_COLUMNS):
                pixels[k] += value * shares[k]
        for column in range(left + known, right + 1):
            line[column] += value * across[column]
        value *= factor
        factor *= change


@inlined
def _within(start: float, end: float, low: float, high: float, pieces: int) -> tuple[int, int]:
    """Return from which to which piece, half open, a line from start to end can be in low .. high.

    It is cut into equal pieces; the first one before and after is counted in, for rounding.
    """
    if start == end:
        return (0, pieces) if low <= start <= high else (0, 0)
    a, b = (low - start) / (end - start), (high - start) / (end - start)
    enters, leaves = min(a, b) * pieces, max(a, b) * pieces
    # Along a line of next to no length these are huge: compiled code has no whole number for them,
    # so they are held within the line before they are rounded.
    first = math.floor(min(max(enters, 0.0), float(pieces))) - 1
    last = math.ceil(min(max(leaves, -1.0), float(pieces))) + 1
    return max(first, 0), min(last, pieces)


@jit
def spread(
    points: Floats,
    lines: Integers,
    rules: Floats,
    firsts: Integers,
    sigma: float,
    step: float,
    out: Floats,
) -> None:
    """Spread the time of points along the lines between them, as Gaussians on a grid per level.

    points [3, N]: x and y, finite, and time; lines [2, N]: the line from point i to i + 1 is cut
    into lines[0] pieces, 0 where there is none, of lines[1] nodes each. Rows k of rules [2, ...]
    hold the places and the shares of k nodes, see `gazetrack.maps.quadrature`. Half of a point's
    time lies on either line; without one it stays there. firsts [L], not increasing: level l is
    what points firsts[l] .. N-1 have. It is added to out [L, H, W], which begins with zeros; its
    nodes are `step` apart.
    """
    n_levels, height, width = out.shape
    x, y, time = points[0], points[1], points[2]
    across = np.empty(width)
    reach = REACH * sigma
    right, bottom = (width - 1) * step + reach, (height - 1) * step + reach
    done = x.size
    for level in range(n_levels):
        grid = out[level]
        if level > 0:
            grid[:] = out[level - 1]
        for i in range(done - 1, firsts[level] - 1, -1):
            pieces, nodes = lines[0, i], lines[1, i]
            alone = (1.0 if i == 0 or lines[0, i - 1] == 0 else 0.0) + (pieces == 0)
            if alone > 0.0:
                _add(x[i], y[i], 0.5 * alone * time[i], sigma, step, across, grid)
            if pieces == 0:
                continue
            share = 0.5 * (time[i] + time[i + 1]) / pieces
            dx, dy = x[i + 1] - x[i], y[i + 1] - y[i]
            # Of a line that comes from far away, only the pieces near the grid are looked at.
            first_x, last_x = _within(x[i], x[i + 1], -reach, right, pieces)
            first_y, last_y = _within(y[i], y[i + 1], -reach, bottom, pieces)
            for piece in range(max(first_x, first_y), min(last_x, last_y)):
                for node in range(nodes):
                    along = (piece + rules[0, nodes, node]) / pieces
                    weight = share * rules[1, nodes, node]
                    _add(x[i] + along * dx, y[i] + along * dy, weight, sigma, step, across, grid)
        done = min(done, firsts[level])
    # Where a level cuts the line, its first point keeps the half that the next level spreads over
    # the line before. It comes last, so that no level takes it over from another.
    for level in range(n_levels):
        i = firsts[level]
        if 0 < i < x.size and lines[0, i - 1] > 0:
            _add(x[i], y[i], 0.5 * time[i], sigma, step, across, out[level])


@inlined
def _add_eight(rows: Maps, first: int, left: int, shares: Maps, out: Maps) -> None:
    """Add eight of rows [h, W] from the first on, each times its share, to out [n].

    Of each, the n values from `left` on are added.
    """
    a, b, c, d = shares[0], shares[1], shares[2], shares[3]
    e, f, g, h = shares[4], shares[5], shares[6], shares[7]
    right = left + out.size
    # Slices of single rows: of these the compiler knows that their values are neighbours.
    r0, r1 = rows[first, left:right], rows[first + 1, left:right]
    r2, r3 = rows[first + 2, left:right], rows[first + 3, left:right]
    r4, r5 = rows[first + 4, left:right], rows[first + 5, left:right]
    r6, r7 = rows[first + 6, left:right], rows[first + 7, left:right]
    for i in range(out.size):
        half = a * r0[i] + b * r1[i] + c * r2[i] + d * r3[i]
        out[i] += half + (e * r4[i] + f * r5[i] + g * r6[i] + h * r7[i])


@inlined
def _stretches(table: Maps, starts: Integers, ends: Integers) -> None:
    """Write where each row of table [n, m] is not zero, half open; from m to 0 where it is."""
    for row in range(table.shape[0]):
        starts[row], ends[row] = table.shape[1], 0
        for column in range(table.shape[1]):
            if table[row, column] != 0.0:
                starts[row] = min(starts[row], column)
                ends[row] = column + 1


@jit
def widen(grids: Maps, down: Maps, across: Maps, out: Maps) -> None:
    """Write down @ grid @ across, matrix products, for each of grids [L, h, w].

    The shapes are down [H, h], across [w, W], out [L, H, W]. Rows of both are zero but for one
    stretch, which is all that is multiplied. The grid's few rows are widened first, so that what
    is left for every pixel are sums of whole rows, eight of them at a time. One thread and one
    order of sums: the same result on every machine, which a matrix library does not promise.
    """
    n_levels, height, width = out.shape
    n_rows, n_columns = grids.shape[1], grids.shape[2]
    starts, ends = np.empty(height, np.int64), np.empty(height, np.int64)
    _stretches(down, starts, ends)
    lefts, rights = np.empty(n_columns, np.int64), np.empty(n_columns, np.int64)
    _stretches(across, lefts, rights)
    # Rows of zeros at the end: the last eight may reach beyond the grid.
    wide = np.zeros((n_rows + 8, width), np.float32)
    pixels_of = np.zeros((n_columns + 8, width), np.float32)
    pixels_of[:n_columns] = across
    shares = np.zeros(8, np.float32)
    for level in range(n_levels):
        for j in range(n_rows):
            wide[j, :] = np.float32(0.0)
            for k in range(0, n_columns, 8):
                left, right, any_share = width, 0, False
                for m in range(8):
                    shares[m] = np.float32(0.0)
                    if k + m < n_columns and rights[k + m] > 0:
                        shares[m] = grids[level, j, k + m]
                        left, right = min(left, lefts[k + m]), max(right, rights[k + m])
                        any_share = any_share or shares[m] != 0.0
                if any_share:
                    _add_eight(pixels_of, k, left, shares, wide[j, left:right])
        for left in range(0, width, _TILE):
            right = min(left + _TILE, width)
            for row in range(height):
                pixels = out[level, row, left:right]
                pixels[:] = np.float32(0.0)
                for j in range(starts[row], ends[row], 8):
                    for k in range(8):
                        shares[k] = down[row, j + k] if j + k < ends[row] else np.float32(0.0)
                    _add_eight(wide, j, left, shares, pixels)
