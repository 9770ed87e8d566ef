"""Slow, obvious re-implementations of every kernel; nothing of gazetrack is imported here."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
from scipy.special import erf


def suffix_distance(xs, ys, radii, joined, firsts, tapered, out):
    n = len(xs)
    for level, first in enumerate(firsts):
        for row, col in np.ndindex(out.shape[1:]):
            p = col + 0.5, row + 0.5
            best = math.inf
            for i in range(first, n):
                j = i + 1 if i + 1 < n and joined[i] else i
                best = min(
                    best,
                    _least_above_segment(p, (xs[i], ys[i], radii[i]), (xs[j], ys[j], radii[j])),
                )
            out[level, row, col] = best


def _least_above_segment(p, start, end):
    """Search for the least (distance to a point of the segment - the radius there).

    The function is convex along the segment.
    """
    (x0, y0, r0), (x1, y1, r1) = (tuple(map(float, v)) for v in (start, end))

    def above(u):
        return math.hypot(p[0] - x0 - u * (x1 - x0), p[1] - y0 - u * (y1 - y0)) - r0 - u * (r1 - r0)

    low, high = 0.0, 1.0
    for _ in range(40):
        third = (high - low) / 3
        if above(low + third) <= above(high - third):
            high -= third
        else:
            low += third
    return min(above(0.0), above(1.0), above((low + high) / 2))


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
        while (
            first > 0 and linked(first - 1) and (first == i or t[first - 1] >= t[i] - half_window)
        ):
            first -= 1
        while last + 1 < n and linked(last) and (last == i or t[last + 1] <= t[i] + half_window):
            last += 1
        span = t[last] - t[first]
        out[i] = math.hypot(x[last] - x[first], y[last] - y[first]) / span if span > 0 else math.nan


def moving_precision(t, x, y, n, max_span):
    out = []
    for first in range(len(t) - n + 1):
        wx, wy, wt = (np.asarray(v)[first : first + n] for v in (x, y, t))
        steps = np.diff(wx) ** 2 + np.diff(wy) ** 2
        steps, known = steps[~np.isnan(steps)], ~np.isnan(wx)
        pause = wt[-1] - wt[0] > max_span
        rms = math.nan if pause or not steps.size else math.sqrt(steps.mean())
        std = math.nan if pause or not known.any() else math.hypot(wx[known].std(), wy[known].std())
        out.append((rms, std))
    return np.array(out).reshape(-1, 2)


def still_stretches(t, x, y, half_window, max_gap, threshold):
    speed = np.empty(len(t))
    windowed_speed(t, x, y, half_window, max_gap, speed)
    return slow_runs(t, speed, threshold, max_gap)


def merge_centred(t, x, y, starts, ends, max_step, max_distance):
    merged = []
    for a, b in zip(starts, ends, strict=True):
        if merged:
            c, d = merged[-1]
            apart = [np.nanmean(v[c:d]) - np.nanmean(v[a:b]) for v in (x, y)]
            if t[a] - t[d - 1] <= max_step and math.hypot(*apart) <= max_distance:
                merged[-1] = (c, b)
                continue
        merged.append((a, b))
    return np.array([a for a, _ in merged], int), np.array([b for _, b in merged], int)


def spread(points, lines, rules, firsts, sigma, step, out):
    def add(level, px, py, weight):
        rows, columns = (np.arange(n) * step for n in out.shape[1:])
        squares = (columns[None, :] - px) ** 2 + (rows[:, None] - py) ** 2
        out[level] += weight * np.exp(-squares / (2 * sigma**2))

    x, y, time = points
    for level, first in enumerate(firsts):
        for i in range(first, len(x)):
            pieces, nodes = lines[:, i]
            ends = bool(pieces) + (i > first and bool(lines[0, i - 1]))
            add(level, x[i], y[i], (2 - ends) / 2 * time[i])
            for piece, node in itertools.product(range(pieces), range(nodes)):
                along = (piece + rules[0, nodes, node]) / pieces
                weight = rules[1, nodes, node] / pieces * (time[i] + time[i + 1]) / 2
                px, py = (v[i] + along * (v[i + 1] - v[i]) for v in (x, y))
                add(level, px, py, weight)


def widen(grids, down, across, out):
    out[:] = np.einsum(
        "rj,ljk,kc->lrc", down.astype(float), grids.astype(float), across.astype(float)
    )


def dwell(x, y, durations, joined, sigma, shape):
    """Exact integral of Gaussians over dwell time.

    Half of a fixation's lies on each of its two lines.

    Along a line of length L from a, at u along it and r beside it, the integral of exp(-((t - u)^2
    + r^2) / 2 sigma^2) over t from 0 to L has a closed form by erf. The half of a side without a
    line stays at the fixation."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    total, root = np.zeros(shape), math.sqrt(2) * sigma
    for i in range(len(x)):
        lines = bool(joined[i]) + bool(i > 0 and joined[i - 1])
        total += (
            (2 - lines)
            / 2
            * durations[i]
            * np.exp(-((columns - x[i]) ** 2 + (rows - y[i]) ** 2) / root**2)
        )
        if not joined[i]:
            continue
        way, time = (
            math.hypot(x[i + 1] - x[i], y[i + 1] - y[i]),
            (durations[i] + durations[i + 1]) / 2,
        )
        if way < 1e-9 * sigma:
            total += time * np.exp(-((columns - x[i]) ** 2 + (rows - y[i]) ** 2) / root**2)
            continue
        ux, uy = (x[i + 1] - x[i]) / way, (y[i + 1] - y[i]) / way
        along, beside = (
            (columns - x[i]) * ux + (rows - y[i]) * uy,
            (rows - y[i]) * ux - (columns - x[i]) * uy,
        )
        between = erf(along / root) + erf((way - along) / root)
        total += (
            time / way * math.sqrt(math.pi / 2) * sigma * between * np.exp(-((beside / root) ** 2))
        )
    return total


def logistic(values, scale, shift):
    values[:] = [
        1 / (1 + math.exp(min(-(float(scale) * float(v) + float(shift)), 700.0))) for v in values
    ]


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


def sample_cells(line, by_tabs):
    if not by_tabs:
        return re.split(r"[ \t]+", line.strip(" \t"))[:7]
    cells = []
    for gap, word in re.findall(r"([ \t]*)([^ \t]+)", line.strip(" \t")):
        if cells and "\t" not in gap and re.match("[-0-9]", word):
            cells[-1] += " " + word
            continue
        if len(cells) == 7:
            break
        cells += [""] * (gap.count("\t") - 1) if cells else []
        cells.append(word)
    return cells[:7]


def values_before_quality(line, by_tabs):
    count = 0
    for gap, word in re.findall(r"([ \t]+)([^ \t]+)", line.strip(" \t")):
        count += max(gap.count("\t") - 1, 0) if by_tabs else 0
        if re.fullmatch("[.CIR]{3,}|[.MANCFTBLR]{13}|[.MANCFTBLR]{17}", word):
            break
        in_cell = by_tabs and "\t" not in gap and re.match("[-0-9]", word)
        count += not in_cell
    return min(count, 255)


def parse_samples(data, times, values, fields, n_values, lines, others):
    text = bytes(data).decode("latin-1")
    n_samples = n_others = n_lines = offset = 0
    pieces = re.split(r"(\r\r\n|\r\n|\r|\n)", text)
    for line, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if not line and not mark:
            break
        if re.match("-?[0-9]", line):
            by_tabs = re.match(r"[^ \t]+ *\t", line) is not None
            tokens = sample_cells(line, by_tabs)
            numbers = [parse_number(token.encode("latin-1"), 0, len(token)) for token in tokens]
            times[n_samples] = numbers[0]
            missing = [word == "." for word in tokens]
            read = [
                n
                if lost or not math.isnan(n)
                else (
                    math.inf
                    if by_tabs and (not word.startswith("..") or " " in word)
                    else -math.inf
                )
                for n, lost, word in zip(numbers, missing, tokens, strict=True)
            ]
            values[n_samples] = read[1:] + [math.nan] * (7 - len(numbers))
            fields[n_samples], lines[n_samples] = len(tokens), n_lines
            n_values[n_samples] = values_before_quality(line, by_tabs)
            n_samples += 1
        elif line:
            others[n_others] = offset, offset + len(line), n_lines, n_samples
            n_others += 1
        offset += len(line) + len(mark)
        n_lines += 1
    return n_samples, n_others, n_lines


def settle_samples(values, width, has_pupil):
    ours = values[:, :width]
    ours[(ours == -math.inf).any(axis=1)] = math.inf
    texts = [s for s, row in enumerate(ours) for value in row if value == math.inf]
    ours[ours == math.inf] = math.nan
    has_pupil = has_pupil or bool((ours[:, 2::3] > 0).any())
    stay = 0
    for row in ours:
        for eye in range(0, width, 3):
            x, y, pupil = row[eye : eye + 3]
            if pupil == 0 and (has_pupil or math.isnan(x) or math.isnan(y)):
                row[eye : eye + 3] = math.nan
            stay += row[eye + 2] == 0
    return has_pupil, stay, len(texts), texts[0] if texts else len(values)


def place_samples(times, values, fields, width, first, previous, placed):
    steps = np.diff(times, prepend=previous)
    damaged = [s for s in range(len(times)) if math.isnan(times[s]) or fields[s] <= width]
    placed[:] = math.nan
    for s, row in enumerate(values):
        for eye in range(first, first + width, 3):
            x, y, pupil = row[eye - first : eye - first + 3]
            placed[eye : eye + 3, s] = x, y, pupil
        for axis in (0, 1):
            seen = [v for v in placed[[axis, axis + 3], s] if not math.isnan(v)]
            placed[6 + axis, s] = sum(seen) / len(seen) if seen else math.nan
    return (
        damaged[0] if damaged else len(times),
        int(np.argmin(steps)),
        int(sum(steps < 0)),
        int(sum(steps == 0)),
    )


def parse_events(data, others, kinds, fields):
    needs = {"EFIX": (1, 8), "ESACC": (2, 11), "EBLINK": (3, 5)}
    needs |= {"SFIX": (4, 3), "SSACC": (5, 3), "SBLINK": (6, 3)}
    for o, (start, end, _, _) in enumerate(others):
        tokens = re.split(r"[ \t]+", bytes(data[start:end]).decode("latin-1").rstrip(" \t"))
        kind, needed = needs.get(tokens[0], (0, 0))
        kinds[o] = 0
        if not needed or len(tokens) < needed or tokens[1] not in {"L", "R"}:
            continue
        numbers = [
            parse_number(token.encode("latin-1"), 0, len(token)) for token in tokens[2:needed]
        ]
        fields[o, : needed - 1] = [tokens[1] == "R", *numbers]
        last = numbers[0] if kind > 3 else numbers[1]
        kinds[o] = kind if numbers[0] <= last < (math.inf if kind > 3 else 2**32 - 1) else 0


def find_cells(data, delimiter, ends):
    places = [i for i, byte in enumerate(data) if byte in (delimiter, 10)]
    if len(places) > len(ends) - 72:
        return -1, -1
    ends[: len(places)] = places
    return len(places), bytes(data).count(b"\n")


def parse_cells(data, ends, wanted, mark, columns, first, texts, counts):
    rows, _ = ends.shape
    lines = bytes(data).decode("latin-1")
    starts = [0, *(int(end) + 1 for end in ends.ravel())]
    cells = [lines[a:b] for a, b in zip(starts, ends.ravel(), strict=False)]
    codes = columns[2][:, first:]
    marked, names = False, [{} for _ in codes]
    numbers = [column[first:] for part in columns[:2] for column in part]
    for r in range(rows):
        if lines[ends[r, -1]] != "\n":
            return r
        row = [cells[r * ends.shape[1] + c] for c in wanted]
        for j, cell in enumerate(row[: len(numbers)]):
            if cell in {"", ".", "-", "NA", "na", "nan", "NaN", "NAN", "N/A", "n/a"}:
                numbers[j][r] = math.nan
                continue
            plain = cell.replace(chr(mark), ".", 1)
            unsigned = cell.lstrip("+-") if cell[1:2] not in ("+", "-") else cell
            other = "." in cell and mark != ord(".")
            if (
                not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", plain)
                or other
                or len(unsigned) > 16
            ):
                return r
            marked |= chr(mark) in cell
            numbers[j][r] = float(plain)
        for j, cell in enumerate(row[len(numbers) :]):
            codes[j, r] = names[j].setdefault(cell, len(names[j]))
            start = starts[r * ends.shape[1] + wanted[len(numbers) + j]]
            if codes[j, r] == len(names[j]) - 1 and counts[j] <= codes[j, r]:
                texts[j, codes[j, r]] = start, start + len(cell)
            counts[j] = len(names[j])
    counts[len(codes)] = marked
    return rows


def _rows(text, delimiter, quote):
    """The rows of cells in a text of whole lines, raw; None for a row whose quote is left open."""
    if not quote:
        return [line.split(delimiter) for line in text.split("\n")[:-1] if line]
    cell = (
        f"(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}(?!{quote}))?[^{re.escape(delimiter)}\n]*"
    )
    rows, at = [], 0
    while at < len(text):
        if text[at] == "\n":
            at += 1
            continue
        row = []
        while True:
            quoted = text[at] == quote
            found = re.compile(cell).match(text, at)
            if quoted and not re.compile(
                f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}(?!{quote})"
            ).match(text, at):
                return [*rows, None]
            row.append(found[0])
            at = found.end() + 1
            if text[at - 1] == "\n":
                break
        rows.append(row)
    return rows


def is_figure(cell):
    return re.fullmatch(r'[-+.,eE0-9 \t"]*', cell) and re.search("[0-9]", cell)


def pick_cells(data, marks, wanted, widths, out, facts):
    text = bytes(data).decode("latin-1")
    delimiter, quote = (chr(mark) if mark else "" for mark in marks)
    rows, lines, counted, refused = _rows(text, delimiter, quote), [], [], -1
    whole = [row for row in rows if row is not None]
    for number, row in enumerate(whole):
        beyond = [cell.strip(' \t"') for cell in row[widths[1] :]]
        texts = [cell for cell in beyond if cell]
        figures = [cell for cell in texts if is_figure(cell)]
        spare = len(row) > widths[1] and not texts
        is_text, is_any = row[-1].strip(' \t"') and not is_figure(row[-1]), is_figure(row[-1])
        fits = (True, is_text, is_text or is_any, not is_text and not is_any)[widths[4]]
        lost = bool(max(widths[2] - widths[3], 1) <= len(row) < widths[2] and fits)
        short = len(row) <= max(wanted, default=-1)
        counted.append(
            (len(row) < widths[0] and not lost, short and not lost, spare, bool(texts), lost)
        )
        if refused < 0 and (figures or len(texts) >= max(2, widths[1] - 1)):
            refused = number
        lines.append([row[c] if c < len(row) and not lost else "" for c in wanted] + [""])
    written = "".join(delimiter.join(line) + "\n" for line in lines).encode("latin-1")
    out[: len(written)] = np.frombuffer(written, np.uint8)
    kinds = list(zip(*counted, strict=True)) if counted else [()] * 5
    firsts = (kind.index(True) if any(kind) else -1 for kind in kinds)
    facts[:] = [len(whole), *(sum(kind) for kind in kinds), *firsts, len(whole[-1]) if whole else 0]
    return len(written), refused, None in rows


def recode(codes, lookup):
    codes[:] = [lookup[code] for code in codes]


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


def describe_runs(x, y, starts, ends):
    rows = []
    for a, b in zip(starts, ends, strict=True):
        known = [i for i in range(a, b) if np.isfinite(x[i]) and np.isfinite(y[i])]
        if not known:
            rows.append([math.nan] * 6 + [0])
            continue
        px, py = x[known], y[known]
        steps = [(x[i] - x[i - 1]) ** 2 + (y[i] - y[i - 1]) ** 2 for i in known if i - 1 in known]
        spread = px.max() - px.min() + py.max() - py.min()
        rms = math.sqrt(np.mean(steps)) if steps else math.nan
        rows.append([px.mean(), py.mean(), np.median(px), np.median(py), spread, rms, len(known)])
    return np.array(rows, float).reshape(-1, 7)


def fill_gaps(t, v, max_gap):
    known = np.flatnonzero(~np.isnan(v))
    out = v.copy()
    for a, b in itertools.pairwise(known):
        if 0 < t[b] - t[a] <= max_gap:
            out[a:b] = np.interp(t[a:b], [t[a], t[b]], [v[a], v[b]])
    return out


def moving_median(t, v, half_window, max_samples):
    out = np.full(len(v), math.nan)
    for i in np.flatnonzero(~np.isnan(v)):
        reach = 0
        for r in range(1, max_samples + 1):
            if i - r < 0 or i + r >= len(v) or max(t[i] - t[i - r], t[i + r] - t[i]) > half_window:
                break
            reach = r
        out[i] = np.nanmedian(v[i - reach : i + reach + 1])
    return out


def local_slope(t, v, half_window, max_gap):
    def linked(i):  # whether sample i and i + 1 belong together
        return not math.isnan(v[i]) and not math.isnan(v[i + 1]) and t[i + 1] - t[i] <= max_gap

    out = np.full(len(v), math.nan)
    for i in np.flatnonzero(~np.isnan(v)):
        a = b = i
        while a > 0 and linked(a - 1) and (a == i or t[i] - t[a - 1] <= half_window):
            a -= 1
        while b + 1 < len(v) and linked(b) and (b == i or t[b + 1] - t[i] <= half_window):
            b += 1
        if t[b] > t[a]:
            out[i] = np.polynomial.polynomial.polyfit(t[a : b + 1] - t[i], v[a : b + 1], 1)[1]
    return out


def moving_samples(t, speed, high, low, quiet):
    state = np.where(np.isnan(speed), 2, 0)
    for i in np.flatnonzero(speed > high):
        if state[i] == 1:
            continue
        a = i
        while a > 0 and state[a - 1] == 0 and speed[a - 1] > low:
            a -= 1
        fast = [i]
        for j in range(i + 1, len(t)):
            if math.isnan(speed[j]) or (speed[j] <= low and t[j] - t[fast[-1]] > quiet):
                break
            if speed[j] > low:
                fast.append(j)
        state[a : fast[-1] + 1] = 1
    return state


def merge_runs(t, x, y, starts, ends, max_gap, max_distance, edge):
    runs = []
    for a, b in zip(starts, ends, strict=True):
        if runs and t[a] - t[runs[-1][1] - 1] <= max_gap:
            c, d = runs[-1]
            before = [i for i in range(c, d) if t[d - 1] - t[i] <= edge and not math.isnan(x[i])]
            after = [i for i in range(a, b) if t[i] - t[a] <= edge and not math.isnan(x[i])]
            if (
                math.hypot(x[before].mean() - x[after].mean(), y[before].mean() - y[after].mean())
                <= max_distance
            ):
                runs[-1] = (c, b)
                continue
        runs.append((a, b))
    return np.array([a for a, _ in runs], int), np.array([b for _, b in runs], int)


def local_polynomial(t, v, half_window, order, max_gap):
    out = np.array(v, float)
    for part in np.split(np.arange(len(t)), np.flatnonzero(np.diff(t) > max_gap) + 1):
        for i in part:
            low, high = t[part[0]] + half_window, t[part[-1]] - half_window
            centre = (low + high) / 2 if low > high else np.clip(t[i], low, high)
            near = part[np.abs(t[part] - centre) <= half_window * (1 + 1e-9)]
            degree = min(order, len(np.unique(t[near])) - 1)
            powers = np.vander(t[near] - t[i], degree + 1, increasing=True)
            out[i] = np.linalg.lstsq(powers, v[near], rcond=None)[0][0]
    return out


def still_runs(t, state, max_gap):
    runs = []
    for i in np.flatnonzero(np.asarray(state) == 0):
        if runs and runs[-1][1] == i and t[i] - t[i - 1] <= max_gap:
            runs[-1][1] = i + 1
        else:
            runs.append([i, i + 1])
    return np.array(runs, int).reshape(-1, 2).T


def joined_runs(t, fast, group, join):
    runs = []
    for i in np.flatnonzero(fast):
        if runs:
            last = runs[-1][1]
            pauses = [t[j] - t[last] for j in range(last + 1, i)]
            if group[last] == group[i] and all(pause <= join for pause in pauses):
                runs[-1][1] = i
                continue
        runs.append([i, i])
    return np.array([a for a, _ in runs], int), np.array([b + 1 for _, b in runs], int)


def net_and_way(t, x, y, starts, ends, leg):
    rows = []
    for a, b in zip(starts, ends, strict=True):
        stops = [a]
        for i in range(a + 1, b):
            if not math.isnan(x[i]) and (t[i] - t[stops[-1]] >= leg or i == b - 1):
                stops.append(i)
        way = sum(math.hypot(x[j] - x[i], y[j] - y[i]) for i, j in itertools.pairwise(stops))
        rows.append([math.hypot(x[b - 1] - x[a], y[b - 1] - y[a]), way])
    return np.array(rows, float).reshape(-1, 2)


def compact_runs(t, x, y, dispersion, window, max_gap):
    def within(a, b):
        return np.ptp(x[a:b]) + np.ptp(y[a:b]) <= dispersion and (np.diff(t[a:b]) <= max_gap).all()

    runs, a = [], 0
    while a < len(t):
        b = a + 1
        while b < len(t) and within(a, b + 1):
            b += 1
        if t[b - 1] - t[a] >= window:
            runs.append((a, b))
            a = b
        else:
            a += 1
    return np.array([a for a, _ in runs], int), np.array([b for _, b in runs], int)


def two_states(v, means, deviations, log_stay, log_leave):
    best = -math.inf
    for path in np.ndindex((2,) * len(v)):
        score = sum(
            -0.5 * ((x - means[k]) / deviations[k]) ** 2 - math.log(deviations[k])
            for x, k in zip(v, path, strict=True)
        )
        score += sum(log_stay[a] if a == b else log_leave[a] for a, b in itertools.pairwise(path))
        if score > best + 1e-12:
            best = score
    return best


def five_point_velocity(t, v, max_gap):
    out = np.full(len(v), math.nan)
    for i in range(2, len(v) - 2):
        time = t[i + 2] + t[i + 1] - t[i - 1] - t[i - 2]
        if (
            np.diff(t[i - 2 : i + 3]).max() <= max_gap
            and time > 0
            and not np.isnan(v[i - 2 : i + 3]).any()
        ):
            out[i] = (v[i + 2] + v[i + 1] - v[i - 1] - v[i - 2]) / time
    return out


def two_means(points):
    """Labels of Lloyd's algorithm that starts from the extremes of the wider axis."""
    axis = 0 if np.ptp(points[:, 0]) >= np.ptp(points[:, 1]) else 1
    centres = points[[points[:, axis].argmin(), points[:, axis].argmax()]]
    labels = np.full(len(points), -1)
    for _ in range(100):
        again = (((points - centres[1]) ** 2).sum(1) < ((points - centres[0]) ** 2).sum(1)).astype(
            int
        )
        if (again == labels).all():
            break
        labels = again
        if len(set(labels)) < 2:
            break
        centres = np.array([points[labels == k].mean(0) for k in (0, 1)])
    return labels


def change_weights(t, x, y, window, step, averaged):
    total, windows = np.zeros(len(t)), np.zeros(len(t))
    first = 0
    while first < len(t):
        inside = [i for i in range(first, len(t)) if t[i] - t[first] < window]
        if inside[-1] == len(t) - 1 and t[-1] - t[first] < window - step:
            break
        missing = [i for i in inside if math.isnan(x[i])]
        if missing:
            first = missing[-1] + 1
            continue
        for n in averaged:
            blocks = len(inside) // n
            if blocks < 3:
                continue
            means = [
                [v[first + b * n : first + (b + 1) * n].mean() for v in (x, y)]
                for b in range(blocks)
            ]
            labels = two_means(np.array(means))
            changes = [b for b in range(1, blocks) if labels[b] != labels[b - 1]]
            for b in changes:
                total[first + (b - 1) * n + n // 2 : first + b * n + n // 2 + 1] += 1 / (
                    len(changes) * len(averaged)
                )
        windows[inside] += 1
        first = next((i for i in range(first + 1, len(t)) if t[i] - t[first] >= step), len(t))
    return np.array([a / b if b else math.nan for a, b in zip(total, windows, strict=True)])


def warping_path(x1, y1, x2, y2):
    """All costs at once, and back from the last place to the first."""
    n, m = len(x1), len(x2)
    if n == 0 or m == 0:
        return np.empty((0, 2), int)
    cost = np.full((n + 1, m + 1), np.inf)
    cost[1, 1] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if (i, j) != (1, 1):
                apart = math.sqrt((x1[i - 1] - x2[j - 1]) ** 2 + (y1[i - 1] - y2[j - 1]) ** 2)
                cost[i, j] = apart + min(cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1])
    way = [(n, m)]
    while way[-1] != (1, 1):
        i, j = way[-1]
        way.append(min([(i - 1, j - 1), (i - 1, j), (i, j - 1)], key=lambda place: cost[place]))
    return np.array(way[::-1]) - 1


def frechet_distance(x1, y1, x2, y2):
    """The definition of Eiter and Mannila (1994), as it is written there."""
    if not len(x1) or not len(x2):
        return math.nan

    def leash(i, j):
        apart = math.dist((x1[i], y1[i]), (x2[j], y2[j]))
        before = [
            leash(*p) for p in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if p[0] >= 0 and p[1] >= 0
        ]
        return max(apart, min(before)) if before else apart

    return leash(len(x1) - 1, len(x2) - 1)


def alignment_score(a, b, substitution, gap):
    if not len(a) or not len(b):
        return gap * max(len(a), len(b))
    return max(
        alignment_score(a[:-1], b[:-1], substitution, gap) + substitution[a[-1], b[-1]],
        alignment_score(a[:-1], b, substitution, gap) + gap,
        alignment_score(a, b[:-1], substitution, gap) + gap,
    )


def recurrence_counts(x1, y1, x2, y2, radius, line, itself):
    n, m = len(x1), len(x2)
    near = np.zeros((n, m), bool)
    for i, j in np.ndindex(n, m):
        squared = (x1[i] - x2[j]) ** 2 + (y1[i] - y2[j]) ** 2
        near[i, j] = squared <= radius**2 and (j > i or not itself)

    def in_lines(rows):
        runs = [
            len(list(run))
            for row in rows
            for value, run in itertools.groupby(row.tolist())
            if value
        ]
        return sum(length for length in runs if length >= line)

    places = np.argwhere(near)
    return np.array(
        [
            near.sum(),
            in_lines([np.diagonal(near, k) for k in range(-n, m + 1)]),
            in_lines(near),
            in_lines(near.T),
            sum(j - i for i, j in places),
        ],
        float,
    )


def simplified_saccades(x, y, duration, amplitude, direction_deg, longest):
    """The rounds of MultiMatch on lists, each of which makes new ones."""
    saccades = [[x[i], y[i], x[i + 1] - x[i], y[i + 1] - y[i]] for i in range(len(x) - 1)]
    durations = list(duration)

    def summed(first, second):
        return [*first[:2], first[2] + second[2], first[3] + second[3]]

    def angle(first, second):
        lengths = math.hypot(*first[2:]) * math.hypot(*second[2:])
        dot = first[2] * second[2] + first[3] * second[3]
        return math.degrees(math.acos(max(-1, min(1, dot / lengths)))) if lengths else math.inf

    while saccades:
        before = len(durations)
        for by_angle in (True, False):
            n, new, held, i = len(saccades), [], [], 0
            while i < n:
                last = i == n - 1
                if by_angle:
                    join = (
                        not last
                        and angle(saccades[i], saccades[i + 1]) < direction_deg
                        and durations[i + 1] < longest
                    )
                else:
                    brief = min(durations[i], durations[i + 1]) < longest
                    join = math.hypot(*saccades[i][2:]) < amplitude and brief
                if join and last:
                    if new:
                        new[-1] = new[-1][:2] + summed(saccades[-2], saccades[-1])[2:]
                        held.append(durations[i - 1])
                        i += 1
                        continue
                    join = False
                new.append(summed(saccades[i], saccades[i + 1]) if join else saccades[i])
                held.append(durations[i])
                i += 2 if join else 1
            # The last one that there is: a round may leave one more than there are fixations.
            saccades, durations = new, [*held, durations[-1]]
        if len(durations) == before:
            break
    rows = [
        [*saccade, held] for saccade, held in zip(saccades, durations[: len(saccades)], strict=True)
    ]
    return np.array(rows, float).reshape(-1, 5)


def middles(values):
    known = values[~np.isnan(values)]
    if not known.size:
        return np.full(4, np.nan)
    halves = (known.size - 1) // 2, known.size // 2
    return np.array([sorted(of)[k] for of in (known, np.abs(known)) for k in halves])
