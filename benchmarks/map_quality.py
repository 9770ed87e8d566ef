"""How well track maps match the masks nobody drew for training.

The answer is the Dice of each kind of map, on real gaze.

Usage: python benchmarks/map_quality.py ../shared/data [--only SET] [--limit N] [--crf] [--labels
MAPS]
       [--borders SHARE,SHARE] [--json FILE]

Needs the research data (Kvasir-SEG with gaze, NCI-ISBI masks with gaze). Masks are read here to
measure the labels; no training ever sees them. Two figures a row, means over all images: map >= .5
against the mask at the image's own size, and map >= the level that is best on the validation images
(Kvasir's val.txt; a fifth of NCI-ISBI's cases, by hash), on every second pixel. Beside them the
figure of a prototype, other code. `--crf` adds what a CRF makes of calibrated maps on Kvasir, at
256 px (the MRI of NCI-ISBI are not at hand); `--labels` scores a map file made in any other way;
`--borders` scores nothing but densities whose border is at these shares of their maximum.

Where a figure at .5 is more than .005 below the prototype's, that seems to have chosen one level
for all images where we keep the parameters it states. At the level chosen here, discs reach .730
and .791, the tube of the last 75 % .774 and .802, of the first .744 and .807. The density of
NCI-ISBI reaches .841 with a border at .09 of the maximum, .825 at the .15 stated (level .27: .841).
That of Kvasir is .803 at the images' own size, .804 with its border at .17.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import gazetrack
from gazetrack.events.fixations import fixation_table
from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import CRF_PRESETS, CRFParams, MapParams, map_params
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import read_maps
from gazetrack.maps.track import build_tracks
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.dataset import hashed_split, read_ids

SETS = {"kvasir": "kvasir-gaze", "nci": "nci-isbi-gaze"}
PRESET = {"kvasir": "polyp", "nci": "prostate"}
TUBES = {"kvasir": MapParams(kind="tube"), "nci": MapParams(kind="tube", radius=0.025)}
DENSITIES = {
    "kvasir": MapParams(kind="density"),
    "nci": MapParams(kind="density", blur=0.02, threshold=0.15),
}
SIGMA = {"kvasir": 70 / 768, "nci": 50 / 768}
HULL_MARGIN = {"kvasir": 0.04, "nci": 0.02}
NEIGHBOUR = 0.25
VAL_SHARE = 0.2
CRF_SIDE = 256
LOGITS = np.arange(-6, 6.25, 0.25)
PROTOTYPE = {
    "GazeMedSeg heatmap": (0.749, 0.791),
    "discs, no order": (0.729, 0.779),
    "tube, full track": (0.756, 0.828),
    "tube, last 75 %": (0.775, 0.802),
    "tube, first 75 %": (0.744, 0.809),
    "tube, first fixation dropped": (0.782, 0.830),
    "convex hull with margin": (0.792, 0.858),
    "density": (0.806, 0.842),
}
SLICES = "preset prostate, with the slices beside it"


def kinds(data):
    """What is compared: name to (track -> map)."""
    tube = replace(TUBES[data], drop_first=0)
    head = replace(tube, truncation="head")
    density = DENSITIES[data]
    return {
        "GazeMedSeg heatmap": last(map_params("gazemedseg", blur=SIGMA[data])),
        "discs, no order": last(replace(tube, kind="disc")),
        "tube, full track": last(tube),
        "tube, last 75 %": lambda track: render_maps(track, tube).values[2],
        "tube, first 75 %": lambda track: render_maps(track, head).values[2],
        "tube, first fixation dropped": last(TUBES[data]),
        "convex hull with margin": last(
            replace(TUBES[data], kind="hull", radius=HULL_MARGIN[data])
        ),
        "density": last(density),
        "density, all fixations": last(replace(density, drop_first=0)),
        f"preset {PRESET[data]}": last(map_params(PRESET[data])),
    }


def borders(data, shares):
    """Densities alone, as `kinds`."""
    return {
        f"density, border at {share:g}": last(replace(DENSITIES[data], threshold=share))
        for share in shares
    }


def last(params):
    """A function from a track to the map of all of it."""
    params = replace(params, levels=1, ratios=())
    return lambda track: render_maps(track, params).values[0]


def kvasir(folder):
    """Yield (track, mask, image file) of the 900 training images."""
    for track in tracks(folder / "kvasir_fixation.csv"):
        path = folder / "masks" / f"{stem(track.stimulus)}.jpg"
        with Image.open(path) as opened:
            yield track, np.asarray(opened.convert("L")) > 127, folder / "images" / path.name


def nci(folder):
    """Yield (track, mask, None) of the 789 slices: slice i is volume[:, :, i - 1] transposed."""
    import nrrd

    files = {
        path.stem.removesuffix("_correctedLabels"): path
        for path in (folder / "masks").rglob("*.nrrd")
    }
    volumes = {}
    for track in tracks(folder / "nci-isbi_fixation.csv"):
        case, number = stem(track.stimulus).rsplit("_", 1)
        if case not in volumes:
            volumes[case] = nrrd.read(str(files[case]))[0]
        yield track, volumes[case][:, :, int(number) - 1].T > 0, None


def tracks(path):
    """The tracks of a fixation export."""
    return build_tracks(fixation_table(gazetrack.read(path))[0])


def validation(data, folder, names):
    """The images on which levels are chosen; whole cases of volumes."""
    if data == "kvasir":
        return set(read_ids(folder / "val.txt"))
    cases = hashed_split({name.rsplit("_", 1)[0] for name in names}, VAL_SHARE)
    return {name for name in names if cases[name.rsplit("_", 1)[0]] == "val"}


def dice(a, b):
    """Of two masks that are not both empty."""
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def logit(values):
    """Of probabilities, finite."""
    return np.log(np.clip(values, 1e-7, 1 - 1e-7)) - np.log1p(-np.clip(values, 1e-7, 1 - 1e-7))


def curve(logits, mask):
    """Dice at every level of LOGITS."""
    level = np.searchsorted(LOGITS, logits.ravel(), side="right")
    above = np.bincount(level, minlength=len(LOGITS) + 1)[::-1].cumsum()[::-1][1:]
    hits = np.bincount(level, weights=mask.ravel(), minlength=len(LOGITS) + 1)[::-1].cumsum()[::-1][
        1:
    ]
    return 2 * hits / np.maximum(above + mask.sum(), 1)


def crf_maps(track, path):
    """Calibrated maps after the CRF, with names.

    They have at most CRF_SIDE pixels a side, as for training.
    """
    with Image.open(path) as opened:
        scale = CRF_SIDE / max(opened.size)
        size = round(opened.height * scale), round(opened.width * scale)
        image = np.asarray(opened.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR))
    plans = [("tube", TUBES["kvasir"], CRFParams(weight=w)) for w in (3.0, 5.0)]
    plans += [("density", DENSITIES["kvasir"], CRFParams(weight=w)) for w in (3.0, 5.0)]
    plans += [("preset polyp", map_params("polyp"), CRF_PRESETS["polyp"])]
    for name, params, crf in plans:
        maps = render_maps(track, replace(params, levels=1, ratios=()), size).values
        refined = refine(maps, image, crf.resized(scale))[0]
        yield f"{name} + CRF, {crf.position_px:g} px, weight {crf.weight:g}", refined


def fitted(values, shape):
    """A map resized to the size of its mask."""
    return np.asarray(Image.fromarray(values).resize(shape[::-1], Image.Resampling.BILINEAR))


def slices_beside(logits):
    """Logit maps, each averaged with those of the slices above and below.

    They are the maps' signed distances, so to speak.

    Shape-based interpolation (Raya & Udupa 1990): an outline between two slices is the zero of the
    distances' mean.
    """
    for name, own in logits.items():
        case, number = name.rsplit("_", 1)
        beside = [logits.get(f"{case}_{int(number) + step}") for step in (-1, 1)]
        beside = [other for other in beside if other is not None and other.shape == own.shape]
        yield name, (own + NEIGHBOUR * sum(beside)) / (1 + NEIGHBOUR * len(beside))


def measure(data, folder, options):
    """Dice per row and image: at .5, and at every level."""
    halves, curves, logits, masks = {}, {}, {}, {}
    rows = borders(data, options.borders) if options.borders else kinds(data)
    labels = read_maps(options.labels) if options.labels and data == "kvasir" else None
    for number, (track, mask, path) in enumerate({"kvasir": kvasir, "nci": nci}[data](folder)):
        if number == options.limit:
            break
        name, small = stem(track.stimulus), mask[::2, ::2]
        maps = {row: render(track) for row, render in rows.items()}
        if labels is not None:
            maps["the map file"] = fitted(
                (labels.load(name)[-1] / 255).astype(np.float32), mask.shape
            )
        if options.crf and path:
            maps |= {row: fitted(values, mask.shape) for row, values in crf_maps(track, path)}
        for row, values in maps.items():
            halves.setdefault(row, {})[name] = dice(values >= 0.5, mask)
            curves.setdefault(row, {})[name] = curve(logit(values[::2, ::2]), small)
        if data == "nci" and not options.borders:
            logits[name], masks[name] = logit(maps[f"preset {PRESET[data]}"][::2, ::2]), small
    for name, values in slices_beside(logits):
        halves.setdefault(SLICES, {})[name] = dice(values >= 0, masks[name])
        curves.setdefault(SLICES, {})[name] = curve(values, masks[name])
    return halves, curves


def numbers(text):
    """Of a list with commas."""
    return [float(number) for number in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=SETS, help="one data set")
    parser.add_argument("--limit", type=int, help="images per data set")
    parser.add_argument("--crf", action="store_true", help="also with the CRF on Kvasir")
    parser.add_argument("--labels", type=Path, help="also score a map file on Kvasir")
    parser.add_argument("--borders", type=numbers, help="score densities with these borders alone")
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    for column, (data, folder) in enumerate(SETS.items()):
        if options.only not in (None, data):
            continue
        halves, curves = measure(data, options.data / folder, options)
        names = next(iter(halves.values()))
        chosen_on = validation(data, options.data / folder, names) & set(names) or set(names)
        print(
            f"\n{data}: {len(names)} images, levels chosen on {len(chosen_on)} of them; mean Dice"
        )
        print(f"  {'':48} before   at .5   diff.  at the level chosen")
        for row, scores in halves.items():
            half = float(np.mean(list(scores.values())))
            best = int(
                np.argmax(np.mean([curves[row][name] for name in sorted(chosen_on)], axis=0))
            )
            level = 1 / (1 + math.exp(-LOGITS[best]))
            chosen = float(np.mean([dices[best] for dices in curves[row].values()]))
            known = PROTOTYPE.get(row, (None, None))[column]
            results.setdefault(data, {})[row] = {
                "half": half,
                "chosen": chosen,
                "level": level,
                "method": known,
            }
            beside = (
                f"{known:.3f}   {half:.3f}   {half - known:+.3f}"
                if known
                else f"        {half:.3f}         "
            )
            print(f"  {row:48} {beside}   {chosen:.3f} at {level:.2f}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
