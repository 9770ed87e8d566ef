"""Dense CRF: ours (kernels lattice_build and lattice_filter) beside pydensecrf2, if installed.

Usage: python benchmarks/bench_crf.py [--height 529] [--width 619] [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import numpy as np
from _timing import race, save, show
from scipy.ndimage import gaussian_filter

from gazetrack.kernels.lattice import lattice_build, lattice_filter
from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import CRFParams

ITERATIONS = 10


def scene(height, width):
    """A smooth image with an object, and a soft map that is a little off."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x - width / 2, y - height / 2) < height / 5
    texture = gaussian_filter(rng.normal(0, 1, (height, width, 3)), (3, 3, 0)) * 60
    image = np.where(inside[..., None], [190, 90, 80], [140, 80, 60]) + texture
    soft = 1 / (1 + np.exp((np.hypot(x - width / 2 - 12, y - height / 2) - height / 5) / 6))
    return image.clip(0, 255).astype(np.uint8), soft.astype(np.float32)[None]


def peer(image, soft, params):
    """The same inference by pydensecrf."""
    import pydensecrf.densecrf as dcrf

    _, height, width = soft.shape
    position, colour, refined = params.position_px, params.colour, []
    for level in soft:
        crf = dcrf.DenseCRF2D(width, height, 2)
        p = np.clip(level.ravel(), 1e-5, 1 - 1e-5)
        crf.setUnaryEnergy(np.ascontiguousarray(-np.log(np.stack([1 - p, p])), np.float32))
        crf.addPairwiseBilateral(
            sxy=position, srgb=colour, rgbim=np.ascontiguousarray(image), compat=params.weight
        )
        if params.smooth_weight:
            crf.addPairwiseGaussian(sxy=params.smooth_px, compat=params.smooth_weight)
        refined.append(np.array(crf.inference(params.iterations))[1].reshape(height, width))
    return np.stack(refined)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=529)
    parser.add_argument("--width", type=int, default=619)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    image, soft = scene(options.height, options.width)
    params = CRFParams(iterations=ITERATIONS)
    rgb_xy = np.concatenate([np.indices(soft.shape[1:])[::-1] / 80, image.transpose(2, 0, 1) / 13])
    features = np.ascontiguousarray(rgb_xy.reshape(5, -1).T, np.float32)
    lattice, out = lattice_build(features), np.empty(len(features), np.float32)
    kernels = {
        "lattice_build": lambda: lattice_build(features),
        "lattice_filter": lambda: lattice_filter(*lattice, soft.ravel(), out),
    }
    results = {}
    work = {
        "one level": (soft, params),
        "one level, smoothed": (soft, replace(params, smooth_weight=3.0)),
    }
    work |= {"four levels": (np.repeat(soft, 4, 0), params)}
    for title, (maps, chosen) in work.items():
        entries = {"refine": partial(refine, maps, image, chosen)} | (
            kernels if title == "one level" else {}
        )
        if find_spec("pydensecrf") is not None:
            entries["pydensecrf2"] = partial(peer, image, maps, chosen)
            difference = float(np.abs(entries["pydensecrf2"]() - entries["refine"]()).max())
            results[f"largest difference, {title}"] = difference
        seconds = race(entries, options.rounds)
        show(
            f"dense CRF, {options.height} x {options.width}, {ITERATIONS} iterations, {title}",
            seconds,
            "refine",
        )
        if find_spec("pydensecrf") is not None:
            print(f"  largest difference to pydensecrf2: {difference:.1e}")
        results[title] = seconds
    save(options.json, results)


if __name__ == "__main__":
    main()
