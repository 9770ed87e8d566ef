"""A simulated data set: lesion-like images, masks, and the gaze of readers who scan, then dwell.

For the demo, for tests, and for trying things out. Everything depends on a seed alone. The gaze is
made to resemble that of physicians in the released GazeMedSeg data (Zhong et al., MICCAI 2024):
median fixation about 300 ms, the first fixation on the target in about 45 % of the images, later
ones in about 88 %.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.publish import write_bytes, write_text
from gazetrack.simulate.trackers import Gaze, Trial, write_asc, write_tobii_tsv
from gazetrack.tables.placement import place
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

SCREEN = Screen(1280, 1024, 376.0, 301.0, 600.0)
# Shares of fixations on the target.
FIRST_ON_TARGET = 0.45
LATER_ON_TARGET = 0.88
SCANS = (1, 3)  # fixations before the eye dwells
# Durations of fixations are log-normal.
DURATION_MEDIAN_MS = 305.0
DURATION_LOG_SD = 0.38
BLINK_PROBABILITY = 0.03  # between two fixations
BLINK_MS = 160.0
MIN_TRIAL_MS = 100.0


@dataclass(frozen=True)
class Example:
    """Where `write_example` put its files.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``images/``, ``masks/``, ``train.txt``, ``val.txt`` and the exports.
    exports : tuple of pathlib.Path
        An EyeLink ASC and a Tobii Pro Lab TSV.
    """

    folder: Path
    exports: tuple[Path, ...]


def write_example(
    folder: str | Path, *, n_images: int = 48, size: tuple[int, int] = (160, 192), seed: int = 0
) -> Example:
    """Write a small data set: images, masks, a split, and two readers' gaze by two trackers.

    Parameters
    ----------
    folder : path-like
        The folder to write to; files of an earlier example are replaced.
    n_images : int
        Number of images; the first half is looked at by the first reader, the rest by the second.
    size : (height, width)
        Size of the images in pixels.
    seed : int
        The same seed writes the same bytes.

    Returns
    -------
    Example

    Raises
    ------
    ConfigError
        Fewer than two images: each reader needs one.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> example = gazetrack.write_example("demo", n_images=4)  # doctest: +SKIP
    >>> recording = gazetrack.read(example.exports[0])  # doctest: +SKIP
    """
    if n_images < 2:
        raise ConfigError(f"an example of {n_images} images", hint="two readers need at least two")
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n_images):
        name = f"lesion-{number + 1:03d}.png"
        image, mask = lesion_image(rng, *size)
        write_png(folder / "images" / name, image)
        write_png(folder / "masks" / name, mask.astype(np.uint8) * 255)
        placement = place("fit", SCREEN, size[1], size[0])
        trials.append(Trial(name, placement, simulate_gaze(mask, rng)))
    half = n_images // 2
    exports = (folder / "reader-1.asc", folder / "reader-2.tsv")
    write_asc(exports[0], trials[:half], SCREEN, rate_hz=250, rng=rng)
    write_tobii_tsv(exports[1], trials[half:], SCREEN, rate_hz=60, rng=rng)
    names = [Path(trial.stimulus).stem for trial in trials]
    held_out = set(names[::4])
    write_text(folder / "train.txt", "".join(f"{n}\n" for n in names if n not in held_out))
    write_text(folder / "val.txt", "".join(f"{n}\n" for n in names if n in held_out))
    return Example(folder, exports)


def lesion_image(
    rng: np.random.Generator, height: int, width: int
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """Make an endoscopy-like image with one or two lesions.

    Parameters
    ----------
    rng : numpy.random.Generator
        What all random numbers are drawn from.
    height, width : int
        Size of the image in pixels.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), and ndarray of bool, shape (H, W)
        The image, and its mask.
    """
    rgb, light = mucosa(rng, height, width)
    mask = np.zeros((height, width), np.bool_)
    for _ in range(2 if rng.random() < 0.15 else 1):
        lesion, dome = draw_lesion(rng, height, width)
        rgb = _paint(rng, rgb, lesion, dome)
        mask |= lesion
    return as_picture(rng, rgb, light), mask


def mucosa(rng: np.random.Generator, height: int, width: int) -> tuple[Floats, Floats]:
    """Return an uneven, folded, dimly lit surface: colours [H, W, 3], and its light [H, W]."""
    s = math.sqrt(height * width)
    uneven = 0.13 * _noise(rng, height, width, s / 6)
    grain = 0.05 * _noise(rng, height, width, s / 25)
    light = 0.72 + uneven + grain
    light += 0.06 * np.sin(_noise(rng, height, width, s / 4) * 5 + rng.uniform(0, 6))  # folds
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    light *= 1 - 0.9 * (x * x + y * y)  # vignette
    tone = _noise(rng, height, width, s / 8)
    rgb = np.stack([205 + 8 * tone, 112 + 12 * tone, 92 - 6 * tone], axis=-1) * light[..., None]
    return rgb, light


def as_picture(rng: np.random.Generator, rgb: Floats, light: Floats) -> npt.NDArray[np.uint8]:
    """Return a lit surface as a camera sees it: with glare and noise, 8 bits a colour."""
    height, width = light.shape
    glare = _noise(rng, height, width, math.sqrt(height * width) / 60) * light > 2.1
    rgb[glare] = 235
    rgb += rng.normal(0, 5, rgb.shape)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def simulate_gaze(
    mask: Mask,
    rng: np.random.Generator,
    duration_ms: float = 9000.0,
    *,
    on_target: float = LATER_ON_TARGET,
    scans: tuple[int, int] = SCANS,
) -> Gaze:
    """Simulate how a reader looks at an image: a short scan, then dwelling on the target.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        Which pixels are the target.
    rng : numpy.random.Generator
        What all random numbers are drawn from.
    duration_ms : float
        Length of the trial in milliseconds.
    on_target : float
        Share of the fixations after the scan that are on the target.
    scans : (int, int)
        The least and the most fixations of the scan before.

    Returns
    -------
    Gaze
        Fixations in image pixels, at least one.

    Raises
    ------
    ConfigError
        The target is empty, or the trial shorter than 100 ms.
    """
    if not mask.any():
        raise ConfigError("gaze on an empty mask", hint="simulate it on masks that have a target")
    if not duration_ms >= MIN_TRIAL_MS:
        raise ConfigError(f"a trial of {duration_ms} ms", hint=f"give at least {MIN_TRIAL_MS:.0f}")
    height, width = mask.shape
    n_scan = int(rng.integers(scans[0], scans[1] + 1))
    inside = np.argwhere(mask)
    around = _around(mask)
    rows: list[tuple[float, ...]] = []
    onset = float(rng.uniform(5, 40))
    while True:
        length = float(DURATION_MEDIAN_MS * math.exp(rng.normal(0, DURATION_LOG_SD)))
        if not rows:
            length = min(length, duration_ms - onset)
        if onset + length > duration_ms:
            break
        is_first = len(rows) == 0
        is_scanning = len(rows) < n_scan
        hits = rng.random() < (FIRST_ON_TARGET if is_first else on_target)
        if hits and (is_first or not is_scanning):
            row, col = inside[rng.integers(len(inside))]
        elif is_scanning or not len(around):
            row = rng.uniform(0, height)
            col = rng.uniform(0, width)
        else:
            row, col = around[rng.integers(len(around))]
        x = col + rng.uniform(0, 1)
        y = row + rng.uniform(0, 1)
        blink = rng.random() < BLINK_PROBABILITY
        rows.append((onset, length, min(x, width - 1e-3), min(y, height - 1e-3), blink))
        onset += length + (BLINK_MS if blink else float(rng.uniform(24, 60)))
    onsets, durations, x_px, y_px, blinks = np.array(rows).T
    return Gaze(onsets, durations, x_px, y_px, blinks > 0)


def _around(mask: Mask) -> npt.NDArray[np.intp]:
    """Return the pixels just outside the target."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~mask)
    near = (distance > 0) & (distance < 0.15 * math.sqrt(mask.size))
    return np.argwhere(near)


def _noise(rng: np.random.Generator, height: int, width: int, scale: float) -> Floats:
    """Return smooth noise of unit variance whose features are about `scale` pixels large."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(0, 1, (height, width)), scale / 2, mode="wrap")
    return np.asarray((noise - noise.mean()) / noise.std())


def draw_lesion(rng: np.random.Generator, height: int, width: int) -> tuple[Mask, Floats]:
    """Return the inside of an irregular smooth outline, and its height as a dome."""
    s = math.sqrt(height * width)
    radius = rng.uniform(0.1, 0.22) * s
    cy = rng.uniform(0.25, 0.75) * height
    cx = rng.uniform(0.25, 0.75) * width
    y, x = np.mgrid[:height, :width] + 0.5
    stretch = rng.uniform(0.7, 1.4)
    turn = rng.uniform(0, math.pi)
    # Turned and stretched: u and v are the axes of an ellipse, whose border waves are laid upon.
    u = ((x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)) * stretch
    v = ((y - cy) * math.cos(turn) - (x - cx) * math.sin(turn)) / stretch
    angle = np.arctan2(v, u)
    waves = np.zeros_like(angle)
    for k in range(2, 6):
        height_of_wave = rng.normal(0, 0.16 / k)
        waves = waves + height_of_wave * np.cos(k * angle + rng.uniform(0, 6.3))
    outline = 1.0 + waves
    relative = np.hypot(u, v) / (radius * np.maximum(outline, 0.3))
    return relative < 1, np.sqrt(np.clip(1 - relative**2, 0, 1))


def _paint(rng: np.random.Generator, rgb: Floats, lesion: Mask, dome: Floats) -> Floats:
    """Tint and shade the lesion; its colours overlap with those around it."""
    texture = _noise(rng, lesion.shape[0], lesion.shape[1], 6.0)
    shade = 0.9 + 0.28 * dome + 0.04 * texture
    tint = np.array([rng.uniform(0.96, 1.06), rng.uniform(0.74, 0.88), rng.uniform(0.72, 0.9)])
    return np.where(lesion[..., None], rgb * shade[..., None] * tint, rgb)


def write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Publish pixels as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    write_bytes(path, buffer.getvalue())
