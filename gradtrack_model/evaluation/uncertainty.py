"""How sure a prediction is, and what that is good for: referral to a person, and calibration.

Where several networks, or one on the flips of an image, do not agree, a prediction is likely wrong.
An image's uncertainty is 1 - the mean Dice of all pairs of their masks (after Roy et al. 2019); a
pixel's is the standard deviation of their probabilities.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from gazetrack.errors import InputError
from gazetrack.publish import output_errors, write_text
from gradtrack_model.network.model import foreground

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    Mask = npt.NDArray[np.bool_]

UNCERTAINTY_FILE = "uncertainty.csv"
PROBABILITIES = "probabilities"
# Shares of the images that are referred, the most uncertain ones.
SHARES = tuple(step / 20 for step in range(11))
N_BINS = 10
_LEVELS = 256  # of a picture of probabilities


def disagreement(logits: Tensor, threshold: float) -> float:
    """Return 1 - the mean Dice of all pairs of masks, from 0 for one mask to 1.

    Parameters
    ----------
    logits : Tensor, shape (P, h, w)
        What P networks or flips say, at least two.
    threshold : float
        Probability above which a pixel is foreground.
    """
    masks = foreground(logits, threshold).flatten(1).double()
    both = masks @ masks.T
    sizes = masks.sum(1)
    total = sizes[:, None] + sizes
    # Two empty masks are the same mask.
    dice = torch.where(total > 0, 2 * both / total.clamp(min=1), torch.ones_like(both))
    above = torch.triu_indices(len(masks), len(masks), 1)
    return float(1 - dice[above[0], above[1]].mean())


def spread(logits: Tensor) -> Tensor:
    """Return the standard deviation of probabilities, from 0 to .5, of logits [P, h, w]."""
    return torch.sigmoid(logits.double()).std(0, correction=0).float()


def write_uncertainty(
    out: Path, found: Mapping[str, float], entropies: Mapping[str, float] | None = None
) -> None:
    """Write ``uncertainty.csv``, the most uncertain image first.

    Parameters
    ----------
    out : pathlib.Path
        The folder that holds the predictions.
    found : mapping of str to float
        The uncertainty of each image, by its id.
    entropies : mapping of str to float, optional
        The mean entropy of the pixels of each image, in nats; of several classes.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [found, entropies] if entropies else [found]
    writer.writerow(["image", "uncertainty", "entropy_nats"][: 1 + len(columns)])
    for name in sorted(found, key=lambda name: (-found[name], name)):
        writer.writerow([name, *(f"{column[name]:.6f}" for column in columns)])
    write_text(out / UNCERTAINTY_FILE, text.getvalue())


def read_uncertainty(predictions: Path) -> dict[str, float]:
    """Return the uncertainty of each image of a folder of predictions; none where it has no file.

    Raises
    ------
    InputError
        The file is not what `write_uncertainty` writes.
    """
    path = predictions / UNCERTAINTY_FILE
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["image"]: _finite(row["uncertainty"]) for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        what = "is no file of uncertainties"
        hint = "predict again with --uncertainty, or remove it"
        raise InputError(what, path=path, hint=hint) from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def forget_uncertainty(out: Path) -> None:
    """Remove the file of an earlier prediction: what is not predicted anew has no uncertainty."""
    with contextlib.suppress(InputError):  # somebody else's file of that name
        if read_uncertainty(out):
            path = out / UNCERTAINTY_FILE
            with output_errors(path):
                path.unlink(missing_ok=True)


def referral(dice: Mapping[str, float], uncertainty: Mapping[str, float]) -> dict[str, Any] | None:
    """Return how good the rest is when the most uncertain images are left to a person.

    Parameters
    ----------
    dice : mapping of str to float
        Dice of each image, by the name of its mask.
    uncertainty : mapping of str to float
        The uncertainty of images, by the same names.

    Returns
    -------
    dict or None
        ``n``; ``curve``, with ``referred`` (the share), ``n`` and ``dice`` (its mean over the
        rest), and ``dice_at_best``, were the worst images referred; None of fewer than two images.
    """
    names = sorted(name for name in dice if name in uncertainty)
    if len(names) < 2:
        return None
    certain = sorted(names, key=lambda name: uncertainty[name])
    good = sorted(names, key=lambda name: -dice[name])
    curve = []
    for share in SHARES:
        # At least one image stays.
        kept = max(1, round(len(names) * (1 - share)))
        means = [float(np.mean([dice[name] for name in order[:kept]])) for order in (certain, good)]
        line = {"referred": share, "n": kept, "dice": means[0], "dice_at_best": means[1]}
        curve.append(line)
    return {"n": len(names), "curve": curve}


class Counts(NamedTuple):
    """How often each gray level of a probability was predicted, and how often it was right.

    Parameters
    ----------
    pixels : ndarray of int64, shape (256,)
        Number of pixels of each level, from 0 to 255.
    foreground : ndarray of int64, shape (256,)
        Those of them that are foreground in the reference.
    """

    pixels: npt.NDArray[np.int64]
    foreground: npt.NDArray[np.int64]


def count(probabilities: Path, prediction: Mask, mask: Mask) -> Counts | None:
    """Compare a picture of probabilities with a reference mask; None where there is none.

    One that is not of the predicted mask, such as another network's from an earlier call, is none.

    Parameters
    ----------
    probabilities : pathlib.Path
        What ``gradtrack-predict --probabilities`` wrote, 255 standing for certainty.
    prediction : ndarray of bool, shape (H, W)
        The mask that was predicted: where these are above some level.
    mask : ndarray of bool, shape (H, W)
        The reference mask of the same image.
    """
    try:
        with Image.open(probabilities) as opened:
            levels = np.asarray(opened.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if levels.shape != mask.shape:
        return None
    inside, outside = levels[prediction], levels[~prediction]
    if inside.size and outside.size and inside.min() < outside.max():
        return None
    return Counts(
        np.bincount(levels.ravel(), minlength=_LEVELS),
        np.bincount(levels[mask], minlength=_LEVELS),
    )


def calibration(counts: Iterable[Counts]) -> dict[str, Any] | None:
    """Return whether probabilities are what they say, over all pixels of all images.

    Parameters
    ----------
    counts : iterable of Counts
        Those of each image, as `count` returns them.

    Returns
    -------
    dict or None
        ``images``, ``pixels``, ``ece`` (expected calibration error: the mean over pixels of the
        distance between what is said and what is seen in their bin; Guo et al. 2017), and ``bins``,
        the reliability diagram: ``said`` (mean probability), ``seen`` (share of foreground) and
        ``pixels``; None without images.
    """
    every = list(counts)
    if not every:
        return None
    pixels = np.sum([one.pixels for one in every], axis=0)
    is_foreground = np.sum([one.foreground for one in every], axis=0)
    levels = np.arange(_LEVELS) / (_LEVELS - 1)
    found = reliability(levels, pixels, is_foreground)
    return {"images": len(every), "pixels": int(pixels.sum()), **found}


def reliability(
    said: npt.NDArray[np.float64],
    pixels: npt.NDArray[np.int64],
    is_foreground: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return the reliability diagram of probabilities, and their expected calibration error.

    Parameters
    ----------
    said : ndarray of float, shape (N,)
        The probabilities that were predicted, in [0, 1].
    pixels, is_foreground : ndarray of int64, shape (N,)
        How many pixels have each of them, and how many of these are foreground in the reference.

    Returns
    -------
    dict
        ``ece`` and ``bins``, as `calibration` returns them.
    """
    bin_of = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    total = float(pixels.sum())
    bins = []
    error = 0.0
    for number in range(N_BINS):
        here = bin_of == number
        n = int(pixels[here].sum())
        if not n:
            continue
        mean = float((pixels[here] * said[here]).sum() / n)
        seen = float(is_foreground[here].sum() / n)
        error += n / total * abs(mean - seen)
        bins.append({"said": mean, "seen": seen, "pixels": n})
    return {"ece": error, "bins": bins}
