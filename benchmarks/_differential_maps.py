"""Maps and what is made of them, beside exact integrals, brute force, SciPy and pydensecrf2."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from _differential import Check, largest
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist
from scipy.special import erf, expit

from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import PRESETS, TRUNCATIONS, CRFParams, MapParams
from gazetrack.maps.render import render_points
from gazetrack.maps.track import level_members

if TYPE_CHECKING:
    from collections.abc import Iterator

H, W = 60, 84
S = math.sqrt(H * W)
CENTRES = np.stack(np.mgrid[:H, :W][::-1], -1) + 0.5
SEEDS = range(8)


def fixations(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions in pixels and durations in ms of 1 to 15 fixations."""
    rng = np.random.default_rng(seed)
    n = 1 + 2 * seed
    return rng.uniform(4, W - 4, n), rng.uniform(4, H - 4, n), rng.uniform(60, 900, n)


def away(x: np.ndarray, y: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return, per pixel, the least (distance to a place on the line - the radius there).

    All segments of the line count.

    At u along a segment and b beside it, sqrt((u - t)^2 + b^2) - r - k t is least at t = u + k b /
    sqrt(1 - k^2), k being the change of the radius per pixel; where that is 1 or more, one end has
    the other's disc within its own.
    """
    points = np.stack([x, y], -1)
    best = np.full((H, W), np.inf)
    for i in range(len(x)):
        j = min(i + 1, len(x) - 1)
        step = points[j] - points[i]
        length, change = float(np.hypot(*step)), float(radii[j] - radii[i])
        unit, slope = step / max(length, 1e-300), change / max(length, 1e-300)
        u = (CENTRES - points[i]) @ unit
        beside = np.abs((CENTRES - points[i]) @ np.array([-unit[1], unit[0]]))
        if abs(slope) < 1:
            t = np.clip(u + slope * beside / math.sqrt(1 - slope**2), 0, length)
        else:
            t = np.full_like(u, length if slope > 0 else 0.0)
        distance = np.linalg.norm(CENTRES - points[i] - t[..., None] * unit, axis=-1)
        best = np.minimum(best, distance - radii[i] - t * slope)
    return best


def per_level(params: MapParams, one) -> Iterator[tuple[str, float]]:
    """Compare `render_points` with what `one` makes of each level's fixations, truncated anyhow."""
    for seed in SEEDS:
        x, y, d = fixations(seed)
        for truncation in TRUNCATIONS:
            chosen = replace(params, truncation=truncation)
            members = level_members(d, chosen.ratios, truncation=truncation)
            expected = np.stack([one(x, y, d, m) for m in members])
            yield (
                f"{len(x)} fixations, {truncation}",
                largest(render_points(x, y, d, (H, W), chosen), expected),
            )


def lines(kind: str, exponent: float = 0.0):
    """Make the cases of a kind of distance to the line."""
    params = MapParams(kind=kind, duration_exponent=exponent)

    def one(x, y, d, m):
        radii = params.radius * S * np.clip(d / np.median(d), 0.25, 4) ** exponent
        if kind == "tube":
            return expit(-away(x[m], y[m], radii[m]) / (params.softness * S))
        if kind == "disc":
            return np.max(
                [expit(-away(x[[i]], y[[i]], radii[[i]]) / (params.softness * S)) for i in m],
                axis=0,
            )
        distance = away(x[m], y[m], np.zeros(len(m)))
        if kind == "gaussian":
            return np.exp(-0.5 * (distance / (params.blur * S)) ** 2)
        return 1 - distance / distance.max()

    return lambda _data: per_level(params, one)


def along_the_line(x: np.ndarray, y: np.ndarray, d: np.ndarray, sigma: float) -> np.ndarray:
    """Return dwell time blurred exactly.

    Each segment holds half of its ends' time, the ends of the line the rest.
    """
    points = np.stack([x, y], -1)
    total = np.zeros((H, W))
    for i in (0, len(x) - 1):
        total += d[i] / 2 * np.exp(-((CENTRES - points[i]) ** 2).sum(-1) / (2 * sigma**2))
    for a, b, time in zip(points, points[1:], (d[:-1] + d[1:]) / 2, strict=False):
        length = np.linalg.norm(b - a)
        unit = (b - a) / length
        u = (CENTRES - a) @ unit
        beside = (CENTRES - a) @ np.array([-unit[1], unit[0]])
        root = math.sqrt(2) * sigma
        share = math.sqrt(math.pi / 2) * sigma / length * (erf(u / root) + erf((length - u) / root))
        total += time * share * np.exp(-((beside / root) ** 2))
    return total


def density_by_erf(_data) -> Iterator[tuple[str, float]]:
    for blur in (0.02, 0.05, 0.15):
        params = MapParams(kind="density", blur=blur)

        def one(x, y, d, m, params=params):
            total = along_the_line(x[m], y[m], d[m], params.blur * S)
            return expit((total / total.max() - params.threshold) / params.width)

        for case, difference in per_level(params, one):
            yield f"blur {blur}, {case}", difference


def mean_along(a: np.ndarray, b: np.ndarray, centre: np.ndarray, sigma: float) -> float:
    """Return the mean of a Gaussian around `centre` along the segment from a to b.

    The rule is SciPy's adaptive one.
    """

    def bump(u: float) -> float:
        apart = a + u * (b - a) - centre
        return math.exp(-float(apart @ apart) / (2 * sigma**2))

    return quad(bump, 0, 1, epsabs=1e-12)[0]


def density_by_quadrature(_data) -> Iterator[tuple[str, float]]:
    """The integral itself at some pixels: neither our rule nor a closed form."""
    params = MapParams(kind="density", levels=1)
    sigma = params.blur * S
    for seed in (1, 3, 5):
        x, y, d = fixations(seed)
        points = np.stack([x, y], -1)
        peak = along_the_line(x, y, d, sigma).max()
        ours = render_points(x, y, d, (H, W), params)[0]
        for row, column in ((10, 20), (30, 40), (55, 70)):
            centre = CENTRES[row, column]
            total = sum(d[i] / 2 * mean_along(points[i], points[i], centre, sigma) for i in (0, -1))
            for i in range(len(x) - 1):
                total += (d[i] + d[i + 1]) / 2 * mean_along(points[i], points[i + 1], centre, sigma)
            expected = expit((total / peak - params.threshold) / params.width)
            yield (
                f"{len(x)} fixations, pixel {row}, {column}",
                abs(float(ours[row, column]) - expected),
            )


def heatmap(_data) -> Iterator[tuple[str, float]]:
    params = MapParams(kind="heatmap")

    def one(x, y, d, m):
        squares = ((CENTRES[None] - np.stack([x[m], y[m]], -1)[:, None, None]) ** 2).sum(-1)
        total = (d[m, None, None] * np.exp(-squares / (2 * (params.blur * S) ** 2))).sum(0)
        return (total - total.min()) / np.ptp(total)

    return per_level(params, one)


def hull(_data) -> Iterator[tuple[str, float]]:
    params = MapParams(kind="hull", levels=1)
    for seed in SEEDS[1:]:
        x, y, d = fixations(seed)
        corners = np.stack([x, y], -1)
        found = ConvexHull(corners)
        distance = np.min(
            [away(*corners[[a, b]].T, np.zeros(2)) for a, b in found.simplices], axis=0
        )
        inside = (CENTRES @ found.equations[:, :2].T + found.equations[:, 2] <= 0).all(-1)
        signed = np.where(inside, -distance, distance)
        expected = expit((params.radius * S - signed) / (params.softness * S))
        yield f"{len(x)} fixations", largest(render_points(x, y, d, (H, W), params)[0], expected)


def gazemedseg(_data) -> Iterator[tuple[str, float]]:
    for seed in SEEDS:
        x, y, d = fixations(seed)
        canvas = np.zeros((768, 768))
        np.add.at(
            canvas, (np.rint(y / H * 768).astype(int) - 1, np.rint(x / W * 768).astype(int) - 1), d
        )
        canvas = gaussian_filter(canvas, 70)
        ours = render_points(x * 768 / W, y * 768 / H, d, (768, 768), PRESETS["gazemedseg"])[0]
        yield f"{len(x)} fixations", largest(ours, (canvas - canvas.min()) / np.ptp(canvas))


def in_torch(_data) -> Iterator[tuple[str, float]]:
    """The trainer's renderer beside the toolkit's.

    Two implementations of ours, on the CPU, in float32.
    """
    import torch

    from gradtrack_model.data.torch_maps import KINDS, render_tracks

    for kind in KINDS:
        for seed in SEEDS:
            x, y, d = fixations(seed)
            n = len(x)
            params = MapParams(kind=kind, duration_exponent=0.5)
            firsts = torch.tensor([[n - len(m) for m in level_members(d, params.ratios)]])
            tensors = (torch.from_numpy(v)[None].float() for v in (x, y, d))
            found = render_tracks(*tensors, firsts, (H, W), params=params)[0].numpy()
            yield f"{kind}, {n} fixations", largest(found, render_points(x, y, d, (H, W), params))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Return an image [48, 40, 3] with a disc, and a map that has it two pixels beside."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :40]
    mask = (x - 20) ** 2 + (y - 22) ** 2 < 100
    image = np.where(mask[..., None], [170, 60, 60], [90, 120, 90]) + rng.normal(0, 4, (48, 40, 3))
    soft = expit((10 - np.hypot(x - 22, y - 24)) / 1.5)
    return image.clip(0, 255).astype(np.uint8), soft.astype(np.float32)


def crf(_data) -> Iterator[tuple[str, float]]:
    from pydensecrf import densecrf

    image, soft = scene()
    for params in (
        CRFParams(),
        CRFParams(smooth_weight=1.5),
        CRFParams(position_px=12, colour=6, weight=8),
    ):
        height, width = soft.shape
        peer = densecrf.DenseCRF2D(width, height, 2)
        p = soft.ravel().clip(1e-5, 1 - 1e-5)
        peer.setUnaryEnergy(np.ascontiguousarray(-np.log(np.stack([1 - p, p])), np.float32))
        peer.addPairwiseBilateral(
            sxy=params.position_px, srgb=params.colour, rgbim=image, compat=params.weight
        )
        if params.smooth_weight:
            peer.addPairwiseGaussian(sxy=params.smooth_px, compat=params.smooth_weight)
        expected = np.array(peer.inference(params.iterations))[1].reshape(height, width)
        case = (
            f"position {params.position_px:g} px, colour {params.colour:g}, "
            f"smoothing {params.smooth_weight:g}"
        )
        yield case, largest(refine(soft[None], image, params)[0], expected)


def blob(rng: np.random.Generator, share: float) -> np.ndarray:
    """Return a mask of smooth patches that cover a share of it."""
    smooth = gaussian_filter(rng.normal(size=(40, 50)), 3)
    return smooth > np.quantile(smooth, 1 - share)


def overlap_of_masks(_data) -> Iterator[tuple[str, float]]:
    from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

    from gradtrack_model.evaluation.metrics import score

    rng = np.random.default_rng(0)
    for share in (0.05, 0.3, 0.7):
        a, b = (blob(rng, share) for _ in "ab")
        found = score(a, b)
        flat = b.ravel(), a.ravel()
        expected = [
            measure(*flat) for measure in (f1_score, jaccard_score, precision_score, recall_score)
        ]
        yield (
            f"masks of about {share:.0%}",
            largest([found.dice, found.iou, found.precision, found.recall], expected),
        )


def borders_of_masks(_data) -> Iterator[tuple[str, float]]:
    """Distances from every border pixel to every other, the border found pixel by pixel."""
    from gradtrack_model.evaluation.metrics import surface_distances

    def border(mask):
        rows, columns = np.nonzero(mask)
        wide = np.pad(mask, 1)
        beside = [
            wide[rows + 1 + dr, columns + 1 + dc] for dr, dc in ((0, 1), (0, -1), (1, 0), (-1, 0))
        ]
        return np.stack([rows, columns], -1)[~np.all(beside, axis=0)]

    rng = np.random.default_rng(1)
    for spacing in ((1.0, 1.0), (0.5, 2.0)):
        a, b = (blob(rng, 0.4) for _ in "ab")
        apart = cdist(border(a) * spacing, border(b) * spacing)
        there, back = apart.min(1), apart.min(0)
        expected = [
            max(np.percentile(there, 95), np.percentile(back, 95)),
            np.concatenate([there, back]).mean(),
        ]
        yield (
            f"spacing {spacing}",
            largest(surface_distances(a, b, spacing), expected, relative=True),
        )


CHECKS = [
    *(
        Check(
            ours=f"maps: {kind}",
            peer="brute force over segments",
            tolerance=1e-5,
            unit="of 1",
            cases=lines(kind),
        )
        for kind in ("tube", "disc", "gaussian", "linear")
    ),
    Check(
        ours="maps: tube, duration_exponent .5",
        peer="brute force, the track's median",
        tolerance=1e-5,
        unit="of 1",
        cases=lines("tube", 0.5),
    ),
    Check(
        ours="maps: density",
        peer="exact integral, erf",
        tolerance=2e-5,
        unit="of 1",
        cases=density_by_erf,
    ),
    Check(
        ours="maps: density",
        peer="scipy.integrate.quad",
        tolerance=2e-5,
        unit="of 1",
        cases=density_by_quadrature,
    ),
    Check(
        ours="maps: heatmap", peer="sum of Gaussians", tolerance=5e-6, unit="of 1", cases=heatmap
    ),
    Check(ours="maps: hull", peer="scipy ConvexHull", tolerance=1e-5, unit="of 1", cases=hull),
    Check(
        ours="maps: gazemedseg",
        peer="scipy gaussian_filter",
        tolerance=1e-5,
        unit="of 1",
        cases=gazemedseg,
    ),
    Check(
        ours="maps in PyTorch, six kinds",
        peer="the toolkit's kernels",
        tolerance=1e-5,
        unit="of 1",
        cases=in_torch,
        needs="torch",
    ),
    Check(
        ours="dense CRF",
        peer="pydensecrf2",
        tolerance=1e-5,
        unit="of 1",
        cases=crf,
        needs="pydensecrf",
    ),
    Check(
        ours="Dice, IoU, precision, recall",
        peer="scikit-learn",
        tolerance=1e-12,
        unit="of 1",
        cases=overlap_of_masks,
        needs="sklearn",
    ),
    Check(
        ours="HD95 and ASD",
        peer="brute force over all borders",
        tolerance=1e-12,
        unit="relative",
        cases=borders_of_masks,
    ),
]
