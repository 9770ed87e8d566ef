"""Slow, obvious re-implementations of every kernel; nothing of gazetrack is imported here."""

from __future__ import annotations

import math
import re

import numpy as np


def suffix_distance(xs, ys, radii, joined, firsts, tapered, out):
    n = len(xs)
    for level, first in enumerate(firsts):
        for row, col in np.ndindex(out.shape[1:]):
            p = np.array([col + 0.5, row + 0.5])
            best = math.inf
            for i in range(first, n):
                j = i + 1 if i + 1 < n and joined[i] else i
                a, b = np.array([xs[i], ys[i]], float), np.array([xs[j], ys[j]], float)
                length2 = float((b - a) @ (b - a))
                u = 0.0 if length2 == 0 else min(max(float((p - a) @ (b - a)) / length2, 0.0), 1.0)
                distance = float(np.linalg.norm(p - a - u * (b - a)))
                best = min(best, distance - ((1 - u) * radii[i] + u * radii[j] if tapered else radii[0]))
            out[level, row, col] = best


def windowed_speed(t, x, y, half_window, max_gap, out):
    def known(i):
        return not (math.isnan(x[i]) or math.isnan(y[i]))

    def linked(i):  # whether sample i and i + 1 belong together
        return known(i) and known(i + 1) and 0 <= t[i + 1] - t[i] <= max_gap

    n = len(t)
    for i in range(n):
        if not known(i):
            out[i] = math.nan
            continue
        first = last = i
        while first > 0 and linked(first - 1) and (first == i or t[first - 1] >= t[i] - half_window):
            first -= 1
        while last + 1 < n and linked(last) and (last == i or t[last + 1] <= t[i] + half_window):
            last += 1
        span = t[last] - t[first]
        out[i] = math.hypot(x[last] - x[first], y[last] - y[first]) / span if span > 0 else math.nan


def slow_runs(t, speed, threshold, max_gap):
    slow = [bool(s < threshold) for s in speed]
    starts, ends = [], []
    for i in range(len(t)):
        goes_on = i > 0 and slow[i - 1] and 0 <= t[i] - t[i - 1] <= max_gap
        if slow[i] and not goes_on:
            starts.append(i)
            ends.append(i + 1)
        elif slow[i]:
            ends[-1] = i + 1
    return np.array(starts, int), np.array(ends, int)


def parse_number(data, start, end):
    token = bytes(data[start:end]).decode("latin-1")
    return float(token) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", token) else math.nan


def parse_samples(data, times, values, fields, lines, others):
    text = bytes(data).decode("latin-1")
    n_samples = n_others = n_lines = offset = 0
    pieces = re.split(r"(\r\r\n|\r\n|\r|\n)", text)
    for line, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if not line and not mark:
            break
        if line and line[0] in "0123456789":
            tokens = re.split(r"[ \t]+", line.strip(" \t"))[:7]
            numbers = [parse_number(token.encode("latin-1"), 0, len(token)) for token in tokens]
            times[n_samples] = numbers[0]
            values[n_samples] = numbers[1:] + [math.nan] * (7 - len(numbers))
            fields[n_samples], lines[n_samples] = len(tokens), n_lines
            n_samples += 1
        elif line:
            others[n_others] = offset, offset + len(line), n_lines, n_samples
            n_others += 1
        offset += len(line) + len(mark)
        n_lines += 1
    return n_samples, n_others, n_lines


def lattice_build(features):
    """The simplex of each point, found by trying all vertices: dicts of vertex tuple -> weight."""
    d = features.shape[1]
    up = math.sqrt(2 / 3) * (d + 1)
    simplices = []
    for f in features.astype(np.float64):
        c = f * up / np.sqrt(np.arange(1, d + 1) * np.arange(2, d + 2))
        # Column j of the basis of the plane sum = 0 has ones above row j and -j in it.
        e = np.array([sum(c[j:]) - (j * c[j - 1] if j else 0) for j in range(d + 1)])
        base = np.floor(e / (d + 1) + 0.5).astype(int) * (d + 1)
        order = np.argsort(-(e - base), kind="stable")
        rank = np.empty(d + 1, int)
        rank[order] = np.arange(d + 1)
        rank += base.sum() // (d + 1)
        base[rank < 0] += d + 1
        rank[rank < 0] += d + 1
        base[rank > d] -= d + 1
        rank[rank > d] -= d + 1
        y = np.sort((e - base) / (d + 1))[::-1]  # descending remainders
        simplex = {}
        for r in range(d + 1):
            vertex = base + np.where(rank <= d - r, r, r - (d + 1))
            weight = y[d - r] - y[d + 1 - r] if r else 1 + y[d] - y[0]
            simplex[tuple(int(v) for v in vertex)] = float(weight)
        simplices.append(simplex)
    return simplices


def lattice_filter(features, values):
    d = features.shape[1]
    simplices = lattice_build(features)
    here = {}
    for simplex, value in zip(simplices, values, strict=True):
        for vertex, weight in simplex.items():
            here[vertex] = here.get(vertex, 0.0) + weight * value
    for axis in range(d + 1):
        blurred = {}
        for vertex, value in here.items():
            before = tuple(v - 1 + (d + 1) * (j == axis) for j, v in enumerate(vertex))
            after = tuple(v + 1 - (d + 1) * (j == axis) for j, v in enumerate(vertex))
            blurred[vertex] = value + 0.5 * (here.get(before, 0.0) + here.get(after, 0.0))
        here = blurred
    alpha = 1 / (1 + 2.0**-d)
    return np.array([alpha * sum(w * here[v] for v, w in simplex.items()) for simplex in simplices])


def gaussian_filter_brute_force(features, values):
    f = features.astype(np.float64)
    squared = ((f[:, None] - f[None]) ** 2).sum(-1)
    return np.exp(-0.5 * squared) @ values
