"""A simulated study: several readers of two groups look at the same images.

For examples, and for trying an analysis out before there are data. Experts find the target sooner
and stay longer on it than novices. Some trials are bad, as they are in every laboratory: the
tracker loses the eye for most of the time.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.publish import write_text
from gazetrack.simulate.example import SCREEN, lesion_image, simulate_gaze, write_png
from gazetrack.simulate.trackers import Gaze, Trial, write_asc
from gazetrack.tables.placement import place

if TYPE_CHECKING:
    import numpy.typing as npt

# Of each group: share of the fixations that are on the target, and length of the scan before.
GROUPS = {"expert": (0.85, (1, 2)), "novice": (0.6, (4, 8))}
SPREAD_OF_READERS = 0.06  # standard deviation of their shares
BAD_TRIALS = 0.08
LOST_SHARE = 0.7  # of the fixations of a bad trial
RATE_HZ = 250


@dataclass(frozen=True)
class Study:
    """Where `write_study` put its files.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``images/``, ``masks/`` (of the targets), ``exports/`` and ``readers.csv``.
    exports : tuple of pathlib.Path
        An EyeLink ASC of each reader, called after the reader.
    readers : pathlib.Path
        A CSV with the columns ``recording`` and ``group``: expert or novice.
    """

    folder: Path
    exports: tuple[Path, ...]
    readers: Path


def write_study(
    folder: str | Path,
    *,
    n_readers: int = 12,
    n_images: int = 6,
    size: tuple[int, int] = (120, 160),
    seed: int = 0,
) -> Study:
    """Write a study: images, masks, and the gaze of experts and novices on all of them.

    Parameters
    ----------
    folder : path-like
        The folder to write to; files of an earlier study are replaced.
    n_readers : int
        Number of readers; every second one is an expert.
    n_images : int
        Number of images, each of which every reader sees for six seconds.
    size : (height, width)
        Size of the images in pixels.
    seed : int
        The same seed writes the same bytes.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        Fewer than two readers, or no image.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> study = gazetrack.write_study("study", n_readers=4)  # doctest: +SKIP
    >>> gazetrack.convert(study.exports, out="study/tables")  # doctest: +SKIP
    """
    if n_readers < 2 or n_images < 1:
        what = f"a study of {n_readers} readers and {n_images} images"
        raise ConfigError(what, hint="two readers and one image at least")
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    masks: dict[str, npt.NDArray[np.bool_]] = {}
    for number in range(1, n_images + 1):
        name = f"lesion-{number:03d}.png"
        image, masks[name] = lesion_image(rng, *size)
        write_png(folder / "images" / name, image)
        write_png(folder / "masks" / name, masks[name].astype(np.uint8) * 255)
    exports = []
    groups = {}
    for number in range(1, n_readers + 1):
        group = list(GROUPS)[(number - 1) % 2]
        path = folder / "exports" / f"reader-{number:02d}.asc"
        write_asc(path, _trials(masks, group, rng), SCREEN, rate_hz=RATE_HZ, rng=rng)
        exports.append(path)
        groups[path.stem] = group
    readers = folder / "readers.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("recording", "group"), *groups.items()])
    write_text(readers, text.getvalue())
    return Study(folder, tuple(exports), readers)


def _trials(
    masks: dict[str, npt.NDArray[np.bool_]], group: str, rng: np.random.Generator
) -> list[Trial]:
    """Return the trials of one reader, on all images."""
    share, scans = GROUPS[group]
    on_target = float(np.clip(rng.normal(share, SPREAD_OF_READERS), 0, 1))
    trials = []
    for name, mask in masks.items():
        gaze = simulate_gaze(mask, rng, 6000.0, on_target=on_target, scans=scans)
        if rng.random() < BAD_TRIALS:
            gaze = _with_losses(gaze, rng)
        placement = place("fit", SCREEN, mask.shape[1], mask.shape[0])
        trials.append(Trial(name, placement, gaze))
    return trials


def _with_losses(gaze: Gaze, rng: np.random.Generator) -> Gaze:
    """Return the gaze of a trial in which the tracker loses the eye for most of the time."""
    kept = rng.random(len(gaze.onset_ms)) >= LOST_SHARE
    kept[[0, -1]] = True
    # What is left out looks like one long blink after the fixation before.
    is_followed = np.append(kept[1:], True)
    blink = gaze.blink_after | ~is_followed
    return replace(
        gaze,
        onset_ms=gaze.onset_ms[kept],
        duration_ms=gaze.duration_ms[kept],
        x_px=gaze.x_px[kept],
        y_px=gaze.y_px[kept],
        blink_after=blink[kept],
    )
