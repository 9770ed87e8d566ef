"""Distance from every pixel to the last fixations of a track, for all levels in one pass."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

_OFTEN = 64


@jit
def suffix_distance(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    radii: npt.NDArray[np.float32],
    joined: npt.NDArray[np.bool_],
    firsts: npt.NDArray[np.int64],
    tapered: bool,
    reach: float,
    out: npt.NDArray[np.float32],
) -> None:
    """Write, per level and pixel centre, the least distance to the band about a track.

    That is the least (distance to a point of a segment - the radius there). xs, ys, radii [N]: the
    polyline and its radius at each vertex; joined [N]: whether vertex i is linked to i + 1; firsts
    [L], not increasing: level l consists of the vertices firsts[l] .. N-1; out [L, H, W], infinity
    without any. Levels are nested suffixes, so walking from the last vertex to the first and
    writing the running minimum at each level's end gives all levels for the price of the longest.
    With `tapered` false all radii must be equal: squared distances suffice. Segments farther away
    than `reach` may be left out, so that pixels beyond it are infinitely far.
    """
    n_levels, height, width = out.shape
    n = xs.size
    nearest = np.empty(width, np.float32)
    lows, highs = (
        np.empty(n, np.float32),
        np.empty(n, np.float32),
    )  # of each segment with its radius
    for i in range(n):
        j = i + 1 if (i + 1 < n and joined[i]) else i
        wide = max(radii[i], radii[j]) if tapered else np.float32(0.0)
        lows[i], highs[i] = min(ys[i], ys[j]) - wide, max(ys[i], ys[j]) + wide
    half = np.float32(0.5)
    zero = np.float32(0.0)
    one = np.float32(1.0)
    for row in range(height):
        py = np.float32(row) + half
        nearest[:] = np.inf
        # a segment farther away than this and its radius can be the nearest nowhere in the row
        bound = reach
        since = 0
        done = n
        for level in range(n_levels):
            for i in range(done - 1, firsts[level] - 1, -1):
                if lows[i] > py + bound or highs[i] < py - bound:
                    continue
                since += 1
                if since % _OFTEN == 0:
                    worst = nearest.max()
                    bound = min(reach, (worst if tapered else math.sqrt(worst)) + 1.0)
                j = i + 1 if (i + 1 < n and joined[i]) else i
                x0, y0 = xs[i], ys[i]
                dx, dy = xs[j] - x0, ys[j] - y0
                far = bound + (max(radii[i], radii[j]) if tapered else zero)
                x1, x2 = x0, xs[j]  # the ends of the part that is not too far from the row
                if abs(dy) > far:
                    enters, leaves = (py - far - y0) / dy, (py + far - y0) / dy
                    x1 = x0 + dx * min(max(enters, 0.0), 1.0)
                    x2 = x0 + dx * min(max(leaves, 0.0), 1.0)
                left = int(min(max(min(x1, x2) - far, 0.0), float(width)))
                right = int(min(max(max(x1, x2) + far + 1.0, 0.0), float(width)))
                near = nearest[left:right]
                x0 -= np.float32(left)  # columns count from the first one in reach
                length2 = dx * dx + dy * dy
                scale = one / length2 if length2 > zero else zero
                ry = py - y0
                if tapered:
                    r0, dr = radii[i], radii[j] - radii[i]
                    # Where the radius grows along the segment, the least is not at the foot of the
                    # perpendicular but farther on, in proportion to the distance: what joins two
                    # discs is then their common tangents.
                    steep = dr * dr >= length2  # one disc lies in the other
                    tilt = zero if steep else dr * scale / np.float32(math.sqrt(length2 - dr * dr))
                    end = one if dr > zero else zero
                    for col in range(near.size):
                        rx = np.float32(col) + half - x0
                        a = (rx * dx + ry * dy) * scale + abs(rx * dy - ry * dx) * tilt
                        a = end if steep else min(max(a, zero), one)
                        ex, ey = rx - a * dx, ry - a * dy
                        near[col] = min(
                            near[col], np.float32(math.sqrt(ex * ex + ey * ey)) - r0 - a * dr
                        )
                else:
                    for col in range(near.size):
                        rx = np.float32(col) + half - x0
                        a = min(max((rx * dx + ry * dy) * scale, zero), one)
                        ex, ey = rx - a * dx, ry - a * dy
                        near[col] = min(near[col], ex * ex + ey * ey)
            done = min(done, firsts[level])
            if tapered:
                out[level, row, :] = nearest
            else:
                radius = radii[0] if n > 0 else zero
                for col in range(width):
                    out[level, row, col] = np.float32(math.sqrt(nearest[col])) - radius
