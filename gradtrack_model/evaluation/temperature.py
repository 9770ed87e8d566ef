"""Temperature scaling: one number that makes a network's probabilities what they say.

All logits are divided by it, so that no mask changes (Guo et al., On Calibration of Modern Neural
Networks, ICML 2017). It is fitted on validation images, stored beside the weights and not in them,
and never used on the images that it was fitted on: on those it looks better than it is.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from gazetrack.errors import ConfigError, DataError, InputError, quote
from gazetrack.publish import write_json
from gradtrack_model.evaluation.uncertainty import reliability

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import numpy.typing as npt

    from gradtrack_model.weights.checkpoint import Checkpoint
    from gradtrack_model.weights.ensemble import Ensemble

FORMAT = "gradtrack temperature 1"
SUFFIX = ".temperature.json"
# What is searched. A network that learned anything is far from either end.
LOWEST = 0.05
HIGHEST = 20.0
_AT_THE_EDGE = 1.001
_MAX_JSON_BYTES = 50_000_000
# Logits are counted in bins of .01, so that memory does not grow with the number of images.
_REACH = 40.0
_BINS = 8000


class Said(NamedTuple):
    """Probabilities, and how often they were right: what a reliability diagram is made of.

    Parameters
    ----------
    said : ndarray of float64, shape (N,)
        The probabilities, in [0, 1].
    pixels, right : ndarray of int64, shape (N,)
        How many pixels have each of them, and of how many of these it was right.
    """

    said: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]

    @staticmethod
    def of_pixels(said: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> Said:
        """Return those of single pixels, of which each was right or wrong."""
        return Said(said, np.ones(len(said), np.int64), right.astype(np.int64))


class Counted(Protocol):
    """Logits of pixels and what these are: of one class, or of several that exclude each other."""

    @property
    def n(self) -> int:
        """How many pixels there are."""

    @property
    def problem(self) -> str:
        """Why no temperature can be fitted, in words; empty where one can."""

    def nll(self, temperature: float) -> float:
        """Return the mean negative log-likelihood of a pixel, in nats, at a temperature."""

    def said(self, temperature: float) -> Said:
        """Return what is said of all pixels at a temperature."""

    def said_of_classes(self, temperature: float) -> list[Said]:
        """Return what is said of each class, where there are several."""

    def __add__(self, other: Self) -> Self: ...


C = TypeVar("C", bound=Counted)


class LogitCounts:
    """How many pixels have which logit, and how many of them are foreground.

    Parameters
    ----------
    pixels, foreground : ndarray of int64, shape (8000,), optional
        Of the bins from -40 to 40; zeros by default.
    """

    def __init__(
        self,
        pixels: npt.NDArray[np.int64] | None = None,
        foreground: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.pixels = np.zeros(_BINS, np.int64) if pixels is None else pixels
        self.foreground = np.zeros(_BINS, np.int64) if foreground is None else foreground

    def add(self, logits: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> None:
        """Count the pixels of an image.

        Parameters
        ----------
        logits : ndarray of float32, shape (H, W)
            What the network says, at the size of the mask.
        mask : ndarray of bool, shape (H, W)
            The reference mask of the image.
        """
        places = ((logits.astype(np.float64) + _REACH) * (_BINS / (2 * _REACH))).astype(int)
        places = np.clip(places, 0, _BINS - 1)
        self.pixels = self.pixels + np.bincount(places.ravel(), minlength=_BINS)
        self.foreground = self.foreground + np.bincount(places[mask], minlength=_BINS)

    def __add__(self, other: LogitCounts) -> LogitCounts:
        return LogitCounts(self.pixels + other.pixels, self.foreground + other.foreground)

    @property
    def n(self) -> int:
        """How many pixels there are."""
        return int(self.pixels.sum())

    @property
    def problem(self) -> str:
        """Why no temperature can be fitted, in words; empty where one can."""
        n_foreground = int(self.foreground.sum())
        if n_foreground not in (0, self.n):
            return ""
        kind = "foreground" if n_foreground else "background"
        return f"all pixels of the masks are {kind}"

    def nll(self, temperature: float) -> float:
        """Return the mean negative log-likelihood of a pixel, in nats, at a temperature."""
        logits = _CENTRES / temperature
        # -log of the probability of what is seen: log(1 + exp(-z)) of foreground, with z turned
        # round of background.
        of_foreground = self.foreground * np.logaddexp(0, -logits)
        of_background = (self.pixels - self.foreground) * np.logaddexp(0, logits)
        return float((of_foreground + of_background).sum() / self.pixels.sum())

    def reliability(self, temperature: float = 1.0) -> dict[str, Any]:
        """Return the reliability diagram and the ECE at a temperature, as `reliability` does."""
        return reliability(*self.said(temperature))

    def said(self, temperature: float) -> Said:
        """Return how likely foreground is said to be at a temperature, and where it is."""
        return Said(expit(_CENTRES / temperature), self.pixels, self.foreground)

    def said_of_classes(self, temperature: float) -> list[Said]:
        """Return nothing: there is one class, or several that are counted as one."""
        del temperature
        return []


_CENTRES = (np.arange(_BINS) + 0.5) * (2 * _REACH / _BINS) - _REACH


def fit(counts: Counted) -> float:
    """Return the temperature of the greatest likelihood.

    Parameters
    ----------
    counts : Counted
        The pixels of validation images.

    Raises
    ------
    DataError
        All pixels are of one kind, or there is no best temperature within .05 to 20.
    """
    if counts.problem:
        what = f"{counts.problem}: no temperature can be fitted"
        raise DataError(what, hint="give images of both")
    # The likelihood is concave in 1 / temperature: it has one maximum.
    found = minimize_scalar(
        lambda log: counts.nll(math.exp(log)),
        bounds=(math.log(LOWEST), math.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    best = math.exp(found.x)
    if not LOWEST * _AT_THE_EDGE < best < HIGHEST / _AT_THE_EDGE:
        what = f"no temperature between {LOWEST:g} and {HIGHEST:g} fits best"
        raise DataError(what, hint="give more images, and the masks of these images")
    return best


def measure(halves: tuple[C, C]) -> dict[str, float]:
    """Return what a temperature is good for: likelihood and calibration before and after.

    Parameters
    ----------
    halves : tuple of Counted
        The images in two halves: each is measured with the temperature of the other, as one that
        has been fitted on an image says nothing of it.

    Returns
    -------
    dict of str to float
        ``nll_before``, ``nll_after``, ``ece_before`` and ``ece_after``, over all pixels. Of classes
        that exclude each other the ECE is that of the most likely one, and ``class_ece_before`` and
        ``class_ece_after`` are the means over those of each class.
    """
    every = halves[0] + halves[1]
    shares = [half.n / every.n for half in halves]
    after = [fit(other) for other in reversed(halves)]
    scaled = [half.nll(value) for half, value in zip(halves, after, strict=True)]
    found = {
        "nll_before": every.nll(1.0),
        "nll_after": float(np.dot(shares, scaled)),
        "ece_before": float(reliability(*every.said(1.0))["ece"]),
        "ece_after": float(crossed(halves, after)["ece"]),
    }
    of_classes = _class_errors(halves, [1.0, 1.0])
    if of_classes:
        found["class_ece_before"] = float(np.mean(of_classes))
        found["class_ece_after"] = float(np.mean(_class_errors(halves, after)))
    return found


def _class_errors(halves: tuple[C, C], temperatures: list[float]) -> list[float]:
    """Return the ECE of each class of two halves; of one class nothing."""
    each = [half.said_of_classes(value) for half, value in zip(halves, temperatures, strict=True)]
    return [float(_together(list(parts))["ece"]) for parts in zip(*each, strict=True)]


def crossed(halves: tuple[C, C], temperatures: list[float]) -> dict[str, Any]:
    """Return the reliability diagram of two halves, each at a temperature of its own.

    Parameters
    ----------
    halves : tuple of Counted
        The images in two halves.
    temperatures : list of float
        What each half's logits are divided by.

    Returns
    -------
    dict
        As `reliability` returns it.
    """
    pairs = zip(halves, temperatures, strict=True)
    return _together([half.said(value) for half, value in pairs])


def _together(parts: list[Said]) -> dict[str, Any]:
    """Return the reliability diagram of several parts as one."""
    return reliability(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """A fitted temperature, and what it is of.

    Parameters
    ----------
    value : float
        All logits are divided by it: above 1 a network was too sure.
    weights_sha256 : tuple of str
        The digest of the weights file of each network, whose logits it is for.
    flips : bool
        Whether predictions were averaged over flips.
    image_size : int
        Pixels a side that images were resized to.
    images : dict of str to str
        The images that it was fitted on: SHA-256 of each image's file by its id.
    measured : dict of str to float
        What `measure` returns; empty of a single image.
    """

    value: float
    weights_sha256: tuple[str, ...]
    flips: bool
    image_size: int
    images: dict[str, str]
    measured: dict[str, float] = field(default_factory=dict)

    def check(self, ensemble: Ensemble, *, size: int, flips: bool, refined: bool) -> None:
        """Refuse logits that it was not fitted on.

        Parameters
        ----------
        ensemble : Ensemble
            The networks whose logits are to be divided.
        size : int
            Pixels a side that images are resized to.
        flips, refined : bool
            Whether predictions are averaged over flips, and drawn anew by a prompt model.

        Raises
        ------
        ConfigError
            They are of other networks, or made in another way.
        """
        hint = "fit one for these: gradtrack-calibrate"
        if sorted(ensemble.digests()) != sorted(self.weights_sha256):
            raise ConfigError("the temperature was fitted on other weights", hint=hint)
        if refined:
            what = "a temperature is of the network's own logits, not of a prompt model's"
            raise ConfigError(what, hint="leave one of the two out")
        if flips != self.flips:
            what = f"the temperature was fitted with{'' if self.flips else 'out'} flips"
            raise ConfigError(what, hint=f"{'give' if self.flips else 'leave out'} --tta")
        if size != self.image_size:
            what = f"the temperature was fitted at {self.image_size} pixels, and not at {size}"
            raise ConfigError(what, hint=hint)

    def refuse(self, images: Mapping[str, str]) -> None:
        """Refuse the images that it was fitted on.

        Parameters
        ----------
        images : mapping of str to str
            SHA-256 of the file of each image that is predicted, by its id.

        Raises
        ------
        DataError
            One of them is among those.
        """
        fitted = set(self.images.values())
        again = [image_id for image_id, digest in images.items() if digest in fitted]
        if again:
            more = f" and {len(again) - 1} others" if len(again) > 1 else ""
            what = f"the temperature was fitted on {quote(again[0])!r}{more}: of these it says"
            hint = "leave them out (--ids), or predict without a temperature"
            raise DataError(f"{what} nothing", hint=hint)


def write_temperature(path: Path, found: Temperature) -> None:
    """Write a temperature as JSON; OutputError where that is not possible."""
    facts = {
        "format": FORMAT,
        "temperature": found.value,
        "flips": found.flips,
        "image_size": found.image_size,
        "weights_sha256": list(found.weights_sha256),
        "measured": found.measured,
        "images": found.images,
    }
    write_json(path, facts)


def beside(checkpoint: Checkpoint) -> Path:
    """Return where the temperature of a network is stored: beside its weights file."""
    return checkpoint.path.with_suffix(SUFFIX)


def read_temperature(path: str | Path) -> Temperature:
    """Read a temperature.

    Parameters
    ----------
    path : path-like
        The file that `write_temperature` wrote.

    Raises
    ------
    InputError
        There is none, or it is no such file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _stored(json.loads(file.read(_MAX_JSON_BYTES)))
    except FileNotFoundError:
        hint = "fit one on validation images: gradtrack-calibrate"
        raise InputError("no such file", path=path, hint=hint) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "fit it again: gradtrack-calibrate"
        raise InputError("is no temperature", path=path, hint=hint) from error


def _stored(facts: Any) -> Temperature:
    """Return the temperature that a file holds; errors of Python where it holds none."""
    found = Temperature(
        value=float(facts["temperature"]),
        weights_sha256=tuple(map(str, facts["weights_sha256"])),
        flips=bool(facts["flips"]),
        image_size=int(facts["image_size"]),
        images={str(name): str(digest) for name, digest in facts["images"].items()},
        measured={str(name): float(value) for name, value in facts["measured"].items()},
    )
    if facts["format"] != FORMAT or not LOWEST <= found.value <= HIGHEST:
        raise ValueError(facts["format"])
    return found
