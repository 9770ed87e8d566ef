"""Gaussian filtering in a feature space on the permutohedral lattice.

Adams, Baek & Davis (2010), Fast high-dimensional filtering using the permutohedral lattice,
Computer Graphics Forum 29. Splat every point onto the vertices of its simplex, blur along the
lattice's axes, slice back: linear in the points.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

_SLOTS = 1 << 16  # of the first table of vertices, a power of two


@jit
def lattice_build(
    features: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return the lattice of points in feature space, whose unit is one standard deviation.

    features [N, D]. Returns vertex indices [N, D+1] counted from 1, barycentric weights [N, D+1],
    and neighbours [D+1, 2, M+1] along each axis; vertex 0 stands for all that are not there.
    """
    n, d = features.shape
    scale = np.empty(d, np.float32)
    for j in range(d):
        scale[j] = math.sqrt(2.0 / 3.0) * (d + 1) / math.sqrt((j + 1.0) * (j + 2.0))
    vertices = np.empty((n, d + 1), np.int32)
    weights = np.empty((n, d + 1), np.float32)
    keys = np.empty((n * (d + 1) + 1, d), np.int32)
    table = np.zeros(_SLOTS, np.int32)
    count = 0
    elevated = np.empty(d + 1, np.float32)
    base = np.empty(d + 1, np.int32)
    rank = np.empty(d + 1, np.int32)
    bary = np.empty(d + 2, np.float32)
    key = np.empty(d, np.int32)
    for p in range(n):
        # Lift the point onto the hyperplane whose coordinates add up to zero.
        total = np.float32(0.0)  # of the coordinates from j on
        for j in range(d, 0, -1):
            c = features[p, j - 1] * scale[j - 1]
            elevated[j] = total - j * c
            total += c
        elevated[0] = total
        # The nearest vertex whose coordinates are multiples of D+1, and the order of the
        # remainders.
        shift = 0
        for j in range(d + 1):
            r = math.floor(elevated[j] / (d + 1) + 0.5)
            base[j] = int(r) * (d + 1)
            shift += int(r)
            rank[j] = 0
        for i in range(d):
            for j in range(i + 1, d + 1):
                if elevated[i] - base[i] < elevated[j] - base[j]:
                    rank[i] += 1
                else:
                    rank[j] += 1
        for j in range(d + 1):
            rank[j] += shift
            if rank[j] < 0:
                rank[j] += d + 1
                base[j] += d + 1
            elif rank[j] > d:
                rank[j] -= d + 1
                base[j] -= d + 1
        bary[:] = 0.0
        for j in range(d + 1):
            v = (elevated[j] - base[j]) / np.float32(d + 1)
            bary[d - rank[j]] += v
            bary[d - rank[j] + 1] -= v
        bary[0] += np.float32(1.0) + bary[d + 1]
        for remainder in range(d + 1):
            for j in range(d):
                key[j] = base[j] + remainder - (d + 1 if rank[j] > d - remainder else 0)
            slot = _slot(keys, table, key)
            if table[slot] == 0:
                count += 1
                table[slot] = count
                keys[count, :] = key
                if 2 * count > table.size:
                    table = _rehash(keys, count, 4 * table.size)
                    slot = _slot(keys, table, key)
            vertices[p, remainder] = table[slot]
            weights[p, remainder] = bary[remainder]
    neighbours = np.zeros((d + 1, 2, count + 1), np.int32)
    for vertex in range(1, count + 1):
        for axis in range(d + 1):
            for side in range(2):
                step = 1 if side == 1 else -1
                for j in range(d):
                    key[j] = keys[vertex, j] + step
                if axis < d:
                    key[axis] = keys[vertex, axis] - step * d
                neighbours[axis, side, vertex] = table[_slot(keys, table, key)]
    return vertices, weights, neighbours


@jit
def _slot(
    keys: npt.NDArray[np.int32], table: npt.NDArray[np.int32], key: npt.NDArray[np.int32]
) -> int:
    """Return where the key stands in the hash table, or the free slot where it belongs."""
    h = 2166136261
    for j in range(key.size):
        h = ((h ^ (int(key[j]) & 0xFFFFFF)) * 16777619) & 0x7FFFFFFF
    slot = (h ^ (h >> 15)) & (table.size - 1)
    while table[slot] != 0:
        same = True
        for j in range(key.size):
            if keys[table[slot], j] != key[j]:
                same = False
                break
        if same:
            break
        slot = (slot + 1) & (table.size - 1)
    return slot


@jit
def _rehash(keys: npt.NDArray[np.int32], count: int, size: int) -> npt.NDArray[np.int32]:
    table = np.zeros(size, np.int32)
    for vertex in range(1, count + 1):
        table[_slot(keys, table, keys[vertex])] = vertex
    return table


@jit
def lattice_filter(
    vertices: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
    neighbours: npt.NDArray[np.int32],
    values: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Write the Gaussian filter of values [N] at their points into out [N].

    The points are those of a lattice made by `lattice_build`.
    """
    n, corners = vertices.shape
    half = np.float32(0.5)
    here = np.zeros(neighbours.shape[2], np.float32)
    there = np.zeros(neighbours.shape[2], np.float32)
    for p in range(n):
        for c in range(corners):
            here[vertices[p, c]] += weights[p, c] * values[p]
    here[0] = 0.0
    for axis in range(corners):
        before, after = neighbours[axis, 0], neighbours[axis, 1]
        for v in range(1, here.size):
            there[v] = here[v] + half * (here[before[v]] + here[after[v]])
        here, there = there, here
        here[0] = 0.0
    alpha = np.float32(1.0 / (1.0 + 2.0 ** -(corners - 1)))
    for p in range(n):
        total = np.float32(0.0)
        for c in range(corners):
            total += weights[p, c] * here[vertices[p, c]]
        out[p] = alpha * total
