"""How well do track maps match the masks nobody drew for training? Dice of each kind of map, on real gaze.

Usage: python benchmarks/map_quality.py ../shared/data [--limit N] [--crf] [--json FILE]

Needs the research data (Kvasir-SEG with gaze, NCI-ISBI masks with gaze). Masks are read here to measure the labels; no
training ever sees them. The mean over all images of the Dice of map >= .5 against the mask, at the image's own size.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from gazetrack.crf import CRFParams, refine
from gazetrack.fixations import fixation_table, stem
from gazetrack.maps import MapParams, render_maps
from gazetrack.pipeline import read_recording
from gazetrack.track import build_tracks

TUBES = {"kvasir": MapParams(), "nci": MapParams(radius=0.025)}
DENSITIES = {
    "kvasir": MapParams(kind="density", levels=1),
    "nci": MapParams(kind="density", levels=1, blur=0.02, threshold=0.15),
}
# GazeMedSeg blurs an impulse image of 768 x 768 pixels with these sigmas (Zhong et al., MICCAI 2024).
CANVAS, CANVAS_SIGMA = 768, {"kvasir": 70, "nci": 50}
HULL_MARGIN = {"kvasir": 0.04, "nci": 0.02}


def one_level(data, **changes):
    """A tube of one level."""
    return replace(TUBES[data], levels=1, ratios=(), **changes)


def kinds(data):
    """What is compared: name to (track -> maps), the last level counting."""
    tail = replace(TUBES[data], drop_first=0)
    head = replace(tail, truncation="head")
    return {
        "GazeMedSeg heatmap": lambda track: released_heatmap(track, CANVAS_SIGMA[data]),
        "discs, no order": lambda track: render_maps(track, one_level(data, kind="disc", drop_first=0)).values[-1],
        "tube, full track": lambda track: render_maps(track, tail).values[3],
        "tube, last 75 %": lambda track: render_maps(track, tail).values[2],
        "tube, first 75 %": lambda track: render_maps(track, head).values[2],
        "tube, first fixation dropped": lambda track: render_maps(track, one_level(data)).values[-1],
        "convex hull with margin": lambda track: hull(track, HULL_MARGIN[data]),
        "density": lambda track: render_maps(track, DENSITIES[data]).values[-1],
        "density, all fixations": lambda track: render_maps(track, replace(DENSITIES[data], drop_first=0)).values[-1],
    }


def released_heatmap(track, sigma):
    """The heatmap GazeMedSeg releases: blurred on a square canvas, min-max, resized to the image."""
    canvas = np.zeros((CANVAS, CANVAS))
    x, y = (
        np.rint(at / size * CANVAS).astype(int) - 1 for at, size in ((track.x, track.width), (track.y, track.height))
    )
    inside = (x >= 0) & (y >= 0) & (x < CANVAS) & (y < CANVAS)
    np.add.at(canvas, (y[inside], x[inside]), track.duration_ms[inside])
    canvas = gaussian_filter(canvas, sigma)
    canvas = (canvas - canvas.min()) / (np.ptp(canvas) or 1)
    size = (round(track.width), round(track.height))
    return np.asarray(Image.fromarray(canvas.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))


def hull(track, margin):
    """The convex hull of the fixations after the first, widened."""
    from PIL import ImageDraw
    from scipy.spatial import ConvexHull, QhullError

    canvas = Image.new("L", (round(track.width), round(track.height)))
    points = np.column_stack([track.x, track.y])[1 if len(track) > 3 else 0 :]
    try:
        corners = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        corners = points
    outline = [tuple(map(float, corner)) for corner in corners]
    if len(outline) > 1:
        ImageDraw.Draw(canvas).polygon(outline, fill=1, outline=1)
    else:
        ImageDraw.Draw(canvas).point(outline, fill=1)
    distance = distance_transform_edt(np.asarray(canvas) == 0)
    return (distance <= margin * np.sqrt(track.width * track.height)).astype(np.float32)


def kvasir(folder):
    """Yield (track, mask, image file) of the 900 training images."""
    for track in tracks(folder / "kvasir_fixation.csv"):
        path = folder / "masks" / f"{stem(track.stimulus)}.jpg"
        with Image.open(path) as opened:
            yield track, np.asarray(opened.convert("L")) > 127, folder / "images" / path.name


def nci(folder):
    """Yield (track, mask, None) of the 789 slices: slice i is volume[:, :, i - 1] transposed."""
    import nrrd

    files = {path.stem.removesuffix("_correctedLabels"): path for path in (folder / "masks").rglob("*.nrrd")}
    volumes = {}
    for track in tracks(folder / "nci-isbi_fixation.csv"):
        case, number = stem(track.stimulus).rsplit("_", 1)
        if case not in volumes:
            volumes[case] = nrrd.read(str(files[case]))[0]
        yield track, volumes[case][:, :, int(number) - 1].T > 0, None


def tracks(path):
    """The tracks of a fixation export."""
    return build_tracks(fixation_table(read_recording(path))[0])


def dice(a, b):
    """Of two masks that are not both empty."""
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def crf_rows(track, mask, path, data):
    """Dice of the calibrated maps after the CRF."""
    with Image.open(path) as opened:
        image = np.asarray(opened.convert("RGB"))
    for name, params in (("tube", one_level(data)), ("density", DENSITIES[data])):
        maps = render_maps(track, params).values
        for weight in (3.0, 5.0):
            refined = refine(maps, image, CRFParams(weight=weight))
            yield f"{name} + CRF, weight {weight:g}", dice(refined[-1] >= 0.5, mask)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, help="images per data set")
    parser.add_argument("--crf", action="store_true", help="also with the CRF on Kvasir (a minute per 60 images)")
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    for data, read in (("kvasir", kvasir), ("nci", nci)):
        folder = options.data / {"kvasir": "kvasir-gaze", "nci": "nci-isbi-gaze"}[data]
        scores = {}
        for number, (track, mask, path) in enumerate(read(folder)):
            if number == options.limit:
                break
            for name, render in kinds(data).items():
                scores.setdefault(name, []).append(dice(render(track) >= 0.5, mask))
            for name, score in crf_rows(track, mask, path, data) if options.crf and path else ():
                scores.setdefault(name, []).append(score)
        results[data] = {name: float(np.mean(values)) for name, values in scores.items()}
        print(f"\n{data}: {len(next(iter(scores.values())))} images, mean Dice of map >= .5")
        for name, value in results[data].items():
            print(f"  {name:32} {value:.3f}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
