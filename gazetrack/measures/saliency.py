"""How well a saliency map tells where people looked: NSS, AUC, KL, CC, SIM, information gain.

A map is an array [H, W] of any non-NaN values; fixations are x and y in its pixels, all of them on
it: the value at a fixation is that of the pixel it lies in. Definitions are those of Bylinskii,
Judd, Oliva, Torralba & Durand 2019 and of pysaliency (Kümmerer, Wallis & Bethge 2018), whose values
they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, refuse_no_count

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Of MATLAB, in the code of the MIT benchmark; what a share of 0 is taken for.
EPSILON = 2.2204e-16


@dataclass(frozen=True, kw_only=True)
class SaliencyOptions:
    """How fixations become a map, and what is taken for chance.

    Parameters
    ----------
    sigma_share : float
        Standard deviation of the Gaussian that blurs fixations for KL, CC and SIM, as a share of
        the map's diagonal; a degree of visual angle is about .03 of an ordinary screen.
    centre_share : float
        Standard deviations of the centre bias, as shares of the map's width and height.
    splits : int
        How many times AUC-Borji draws pixels, as many as there are fixations.
    seed : int
        Seed of the random numbers of these draws.
    """

    sigma_share: float = 0.03
    centre_share: float = 0.22
    splits: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        shares = {"sigma_share": self.sigma_share, "centre_share": self.centre_share}
        for name, share in shares.items():
            if not (math.isfinite(share) and share > 0):
                raise ConfigError(f"{name}={share:g}", hint="use a share above 0")
        refuse_no_count(self.splits, "splits", 1)
        refuse_no_count(self.seed, "seed")


def at(saliency: Floats, x: Floats, y: Floats) -> Floats:
    """Return the values of a map [H, W] in the pixels that the fixations lie in."""
    values: Floats = saliency[np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)]
    return values


def _is_flat(saliency: Floats) -> bool:
    """Whether a map is the same everywhere; rounding gives such a one a deviation above 0."""
    return bool(saliency.min() == saliency.max())


def density(saliency: Floats) -> Floats:
    """Return a map as shares of 1, all of them at least 0.

    A map with negative values is raised until its least one is 0; one of zeros alone is flat.
    """
    raised = saliency - min(float(saliency.min()), 0.0)
    total = raised.sum()
    if total == 0:
        return np.full(saliency.shape, 1 / saliency.size)
    shares: Floats = raised / total
    return shares


def nss(saliency: Floats, x: Floats, y: Floats) -> float:
    """Return the normalised scanpath saliency: how many standard deviations above the mean.

    Parameters
    ----------
    saliency : ndarray of float64, shape (H, W)
        The map, in any unit that there is.
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the map.

    Returns
    -------
    float
        The mean over the fixations; 0 for a map that is the same everywhere.
    """
    if _is_flat(saliency):
        return 0.0
    return float((at(saliency, x, y).mean() - saliency.mean()) / saliency.std())


def auc(positives: Floats, negatives: Floats) -> float:
    """Return the area under the ROC curve: how often a positive is above a negative.

    Parameters
    ----------
    positives, negatives : ndarray of float64, shape (N,) and (M,)
        Values of a map at fixations, and where nobody looked.

    Returns
    -------
    float
        0 to 1, .5 at chance; ties count half.
    """
    ordered = np.sort(negatives, axis=None)
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean()) / (2 * ordered.size)


def auc_judd(saliency: Floats, x: Floats, y: Floats) -> float:
    """Return the AUC of fixations against all pixels of the map; arguments as those of `nss`."""
    return auc(at(saliency, x, y), saliency)


def auc_borji(saliency: Floats, x: Floats, y: Floats, *, splits: int = 100, seed: int = 0) -> float:
    """Return the AUC of fixations against random pixels, the mean over some draws.

    Parameters
    ----------
    saliency, x, y
        The same as those of `nss`.
    splits : int
        How many times as many pixels are drawn as there are fixations.
    seed : int
        Seed of the random numbers of the draws.

    Returns
    -------
    float
        0 to 1, .5 at chance; every value is a threshold, not each tenth as in the MIT benchmark.
    """
    random = np.random.default_rng(seed)
    values = at(saliency, x, y)
    flat = saliency.ravel()
    found = [auc(values, flat[random.integers(flat.size, size=len(x))]) for _ in range(splits)]
    return float(np.mean(found))


def kl(saliency: Floats, empirical: Floats) -> float:
    """Return the Kullback-Leibler divergence of a map from that of the fixations, in nats.

    Parameters
    ----------
    saliency, empirical : ndarray of float64, shape (H, W)
        The map, and the fixations as `fixation_density` gives them.

    Returns
    -------
    float
        0 for equal maps; regularised as in the MIT benchmark.
    """
    shares = density(saliency)
    of_people = density(empirical)
    return float((of_people * np.log(EPSILON + of_people / (shares + EPSILON))).sum())


def cc(saliency: Floats, empirical: Floats) -> float:
    """Return Pearson's correlation of two maps; 0 where one is the same everywhere."""
    if _is_flat(saliency) or _is_flat(empirical):
        return 0.0
    both = (saliency - saliency.mean()) * (empirical - empirical.mean())
    return float(both.mean() / (saliency.std() * empirical.std()))


def sim(saliency: Floats, empirical: Floats) -> float:
    """Return the similarity of two maps: what their densities have in common, 0 to 1."""
    return float(np.minimum(density(saliency), density(empirical)).sum())


def information_gain(saliency: Floats, baseline: Floats, x: Floats, y: Floats) -> float:
    """Return how much better a map predicts fixations than another one, in bits per fixation.

    Parameters
    ----------
    saliency, baseline : ndarray of float64, shape (H, W)
        The map, and the one it is compared with; both are taken as densities.
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the maps.

    Returns
    -------
    float
        The mean difference of binary logarithms (Kümmerer, Wallis & Bethge 2015); negative for a
        map that predicts worse.
    """
    of_map = np.log2(EPSILON + at(density(saliency), x, y))
    of_baseline = np.log2(EPSILON + at(density(baseline), x, y))
    return float((of_map - of_baseline).mean())


def fixation_density(x: Floats, y: Floats, shape: tuple[int, int], sigma_px: float) -> Floats:
    """Return the fixations on a map [H, W], each blurred by a Gaussian.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the map.
    shape : (int, int)
        Height and width of the map in pixels.
    sigma_px : float
        Standard deviation of the Gaussian in pixels; what leaves the map comes back as in a mirror.

    Returns
    -------
    ndarray of float64, shape (H, W)
        It adds up to the number of fixations.
    """
    from scipy.ndimage import gaussian_filter

    counts = np.zeros(shape)
    np.add.at(counts, (np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)), 1.0)
    blurred: Floats = gaussian_filter(counts, sigma_px)
    return blurred


def centre_bias(shape: tuple[int, int], share: float = 0.22) -> Floats:
    """Return the centre bias: a Gaussian about the middle of the image, as a density [H, W].

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    share : float
        Standard deviations as shares of height and width. (An anisotropic Gaussian is the baseline
        that Clarke & Tatler 2014 propose.)
    """
    height, width = shape
    rows = (np.arange(height) + 0.5) / height - 0.5
    columns = (np.arange(width) + 0.5) / width - 0.5
    squares = rows[:, None] ** 2 + columns**2
    return density(np.exp(-squares / (2 * share**2)))


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Where people looked on one image, and what maps of it are scored against.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the maps, one or more, all of them on the image.
    elsewhere : (ndarray, ndarray)
        Positions of fixations on other images in the same pixels, for the shuffled AUC.
    empirical : ndarray of float64, shape (H, W)
        The fixations, each blurred by a Gaussian.
    centre : ndarray of float64, shape (H, W)
        The centre bias, a density that adds up to 1.
    options : SaliencyOptions
        How fixations are blurred, and what is taken for chance.
    """

    x: Floats
    y: Floats
    elsewhere: tuple[Floats, Floats]
    empirical: Floats
    centre: Floats
    options: SaliencyOptions

    @classmethod
    def on(
        cls,
        shape: tuple[int, int],
        x: Floats,
        y: Floats,
        elsewhere: tuple[Floats, Floats],
        options: SaliencyOptions | None = None,
    ) -> Looks:
        """Return the looks at an image whose maps are of this (height, width) in pixels."""
        options = options or SaliencyOptions()
        sigma_px = options.sigma_share * math.hypot(*shape)
        return cls(
            x=x,
            y=y,
            elsewhere=elsewhere,
            empirical=fixation_density(x, y, shape, sigma_px),
            centre=centre_bias(shape, options.centre_share),
            options=options,
        )


def scores(saliency: Floats, looks: Looks) -> dict[str, float]:
    """Return all scores of a map.

    Parameters
    ----------
    saliency : ndarray of float64, shape (H, W)
        The map, in any unit that there is.
    looks : Looks
        Where people looked on its image; without fixations on other images the shuffled AUC is NaN.

    Returns
    -------
    dict of str to float
        ``nss``, ``auc_judd``, ``auc_borji``, ``auc_shuffled``, ``kl``, ``cc``, ``sim``,
        ``information_gain`` over the centre bias and ``information_gain_uniform`` over a flat map,
        in bits per fixation.
    """
    x, y = looks.x, looks.y
    splits, seed = looks.options.splits, looks.options.seed
    shuffled = math.nan
    if len(looks.elsewhere[0]):
        shuffled = auc(at(saliency, x, y), at(saliency, *looks.elsewhere))
    flat = np.ones(saliency.shape)
    return {
        "nss": nss(saliency, x, y),
        "auc_judd": auc_judd(saliency, x, y),
        "auc_borji": auc_borji(saliency, x, y, splits=splits, seed=seed),
        "auc_shuffled": shuffled,
        "kl": kl(saliency, looks.empirical),
        "cc": cc(saliency, looks.empirical),
        "sim": sim(saliency, looks.empirical),
        "information_gain": information_gain(saliency, looks.centre, x, y),
        "information_gain_uniform": information_gain(saliency, flat, x, y),
    }


SCORES = (
    "nss",
    "auc_judd",
    "auc_borji",
    "auc_shuffled",
    "kl",
    "cc",
    "sim",
    "information_gain",
    "information_gain_uniform",
)
