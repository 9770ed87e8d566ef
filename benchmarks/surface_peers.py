"""What other libraries say of the surfaces of two objects, beside our numbers.

    pip install monai MedPy surface-distance
    python benchmarks/surface_peers.py

MONAI's numbers are those that `tests/evaluation/test_surfaces.py` holds ours against; MedPy's HD95
is one percentile of both distances together, and surface-distance weighs surfaces by their area.
"""

from __future__ import annotations

import json

import numpy as np

from gradtrack_model.evaluation.surfaces import compare_surfaces

SPACING = (3.0, 0.5, 0.8)
TOLERANCE = 1.0


def objects() -> tuple[np.ndarray, np.ndarray]:
    """Return two ellipsoids, the second one with a voxel far away."""
    z, y, x = np.mgrid[:9, :24, :20]
    a = ((z - 4) / 3) ** 2 + ((y - 11) / 7) ** 2 + ((x - 9) / 5) ** 2 <= 1
    b = ((z - 5) / 3) ** 2 + ((y - 13) / 6) ** 2 + ((x - 8) / 7) ** 2 <= 1
    b[0, 2, 2] = True
    return a, b


def monai(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...]) -> list[float]:
    """Return HD95, ASD and surface Dice of MONAI."""
    import torch
    from monai import metrics

    both = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (a, b)]
    options = {"include_background": True, "spacing": list(spacing)}
    found = [
        metrics.compute_hausdorff_distance(*both, percentile=95, **options),
        metrics.compute_average_surface_distance(*both, symmetric=True, **options),
        metrics.compute_surface_dice(*both, [TOLERANCE], **options),
    ]
    return [float(value[0, 0]) for value in found]


def medpy(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...]) -> list[float]:
    """Return HD95 and ASD of MedPy."""
    from medpy import metric

    return [float(metric.hd95(a, b, spacing)), float(metric.assd(a, b, spacing))]


def deepmind(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...]) -> list[float]:
    """Return HD95 and surface Dice of surface-distance."""
    import surface_distance as package

    found = package.compute_surface_distances(a, b, spacing)
    dice = package.compute_surface_dice_at_tolerance(found, TOLERANCE)
    return [float(package.compute_robust_hausdorff(found, 95)), float(dice)]


def main() -> None:
    """Print all numbers as JSON."""
    a, b = objects()
    cases = {"volume": (a, b, SPACING), "slice": (a[4], b[4], SPACING[1:])}
    report = {}
    for name, case in cases.items():
        ours = compare_surfaces(*case, TOLERANCE)
        report[name] = {
            "ours (hd95, asd, surface dice)": [ours.hd95, ours.asd, ours.surface_dice],
            "monai (the same)": monai(*case),
            "medpy (hd95, asd)": medpy(*case),
            "surface-distance (hd95, surface dice)": deepmind(*case),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
