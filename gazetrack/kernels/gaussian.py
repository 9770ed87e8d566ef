"""Sums of Gaussians on a grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]
REACH = 6.0  # standard deviations after which a Gaussian is left out: 1.5e-8 of its peak


@jit
def splat(x: Floats, y: Floats, weights: Floats, sigma: float, step: float, out: Floats) -> None:
    """Add weights [N] times exp(-r^2 / 2 sigma^2) around points x, y [N] to the grid out [H, W].

    Node (row, column) of the grid lies at (column, row) times `step`; points may lie beside it, and
    must be finite.
    """
    height, width = out.shape
    reach = REACH * sigma
    across = np.empty(width)
    # From one node to the next, exp(-a^2 / 2) changes by exp(-a h - h^2 / 2), and this factor by
    # exp(-h^2).
    h = step / sigma
    change = math.exp(-h * h)
    for i in range(x.size):
        left = max(math.ceil(max((x[i] - reach) / step, -1.0)), 0)
        right = min(math.floor(min((x[i] + reach) / step, float(width))), width - 1)
        top = max(math.ceil(max((y[i] - reach) / step, -1.0)), 0)
        bottom = min(math.floor(min((y[i] + reach) / step, float(height))), height - 1)
        if left > right or top > bottom:
            continue
        away = (left * step - x[i]) / sigma
        value, factor = math.exp(-0.5 * away * away), math.exp(-away * h - 0.5 * h * h)
        for column in range(left, right + 1):
            across[column] = value
            value *= factor
            factor *= change
        away = (top * step - y[i]) / sigma
        value, factor = weights[i] * math.exp(-0.5 * away * away), math.exp(-away * h - 0.5 * h * h)
        for row in range(top, bottom + 1):
            line = out[row]
            for column in range(left, right + 1):
                line[column] += value * across[column]
            value *= factor
            factor *= change


@jit
def widen(
    grids: npt.NDArray[np.float32],
    down: npt.NDArray[np.float32],
    across: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Write down @ grid @ across, matrix products, for each of grids [L, h, w].

    The shapes are down [H, h], across [w, W], out [L, H, W]. Rows of both are zero but for one
    stretch, which is all that is multiplied, four rows of `across` at a time. One thread and one
    order of sums: the same result on every machine, which a matrix library does not promise.
    """
    nodes, width = across.shape
    blocks = (nodes + 3) // 4
    spans = np.zeros((blocks, 2), np.int64)
    shares = np.zeros((blocks, 4, width), np.float32)
    for k in range(nodes):
        shares[k // 4, k % 4, :] = across[k]
    for block in range(blocks):
        spans[block, 0] = width
        for column in range(width):
            if shares[block, :, column].any():
                spans[block, 0] = min(spans[block, 0], column)
                spans[block, 1] = column + 1
    line = np.zeros(4 * blocks, np.float32)
    for level in range(grids.shape[0]):
        for row in range(out.shape[1]):
            line[:] = np.float32(0.0)
            for j in range(grids.shape[1]):
                share = down[row, j]
                if share != 0.0:
                    for k in range(nodes):
                        line[k] += share * grids[level, j, k]
            out[level, row, :] = np.float32(0.0)
            for block in range(blocks):
                left, right = spans[block, 0], spans[block, 1]
                if left >= right:
                    continue
                a, b, c, d = (
                    line[4 * block],
                    line[4 * block + 1],
                    line[4 * block + 2],
                    line[4 * block + 3],
                )
                pixels = out[level, row, left:right]
                first, second = shares[block, 0, left:right], shares[block, 1, left:right]
                third, fourth = shares[block, 2, left:right], shares[block, 3, left:right]
                for i in range(pixels.size):
                    pixels[i] += a * first[i] + b * second[i] + c * third[i] + d * fourth[i]
