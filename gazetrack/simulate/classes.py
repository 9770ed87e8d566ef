"""A data set of two things to be found: each in trials of its own, in images that have one or both.

For examples and tests of networks that tell several classes apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.publish import write_text
from gazetrack.simulate.example import (
    SCREEN,
    Example,
    as_picture,
    draw_lesion,
    mucosa,
    simulate_gaze,
    write_png,
)
from gazetrack.simulate.trackers import Trial, write_asc
from gazetrack.tables.placement import place

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.simulate.example import Floats, Mask

# In the order of their values in the masks, from 1.
CLASSES = ("polyp", "ulcer")
BOTH = 0.6  # share of the images that have one of each
TRIAL_MS = 6000.0
RATE_HZ = 250
# How light falls on a lesion: on the flat, and more towards the middle; and its colours, in red,
# green and blue: polyps are darker and redder than what is around them, ulcers paler.
_LOOKS = {
    "polyp": (0.85, 0.25, (1.0, 0.72, 0.72)),
    "ulcer": (1.05, 0.15, (0.98, 1.32, 1.22)),
}
_MOST_TRIES = 100
_BOX_COLUMNS = ("stimulus", "aoi", "x_px", "y_px", "width_px", "height_px")
_BOX_MARGIN = 0.04  # of the root of the image's area: nobody draws a box tightly


def write_class_example(
    folder: str | Path, *, n_images: int = 40, size: tuple[int, int] = (120, 144), seed: int = 0
) -> Example:
    """Write a small data set of two classes: images, label images, a split, and readers' gaze.

    Each of two readers sees half of the images, once for every class that is in them. The message
    ``TASK polyp`` or ``TASK ulcer`` says what a trial was looking for, and ``aois.csv`` has a rough
    box around each lesion, as areas of interest that are labelled with its class.

    Parameters
    ----------
    folder : path-like
        The folder to write to; files of an earlier example are replaced.
    n_images : int
        Number of images; most have both classes, the others one of them.
    size : (height, width)
        Size of the images in pixels.
    seed : int
        The same seed writes the same bytes.

    Returns
    -------
    Example
        The values of its masks are 0 for background, 1 for polyps and 2 for ulcers.

    Raises
    ------
    ConfigError
        Fewer than four images.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> example = gazetrack.write_class_example("demo", n_images=4)  # doctest: +SKIP
    """
    if n_images < 4:
        what = f"an example of {n_images} images"
        raise ConfigError(what, hint="two readers and a split need at least four")
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    trials: list[list[Trial]] = []
    names = []
    boxes = [",".join(_BOX_COLUMNS)]
    n_alone = 0
    for number in range(n_images):
        name = f"case-{number + 1:03d}.png"
        present: tuple[str, ...] = CLASSES
        if rng.random() >= BOTH:
            present = (CLASSES[n_alone % len(CLASSES)],)
            n_alone += 1
        image, labels = class_image(rng, size, present)
        write_png(folder / "images" / name, image)
        write_png(folder / "masks" / name, labels)
        boxes += [f"{name},{each},{box}" for each, box in _boxes(labels, present)]
        placement = place("fit", SCREEN, size[1], size[0])
        own = []
        for each in present:
            gaze = simulate_gaze(labels == CLASSES.index(each) + 1, rng, TRIAL_MS)
            own.append(Trial(name, placement, gaze, each))
        trials.append(own)
        names.append(Path(name).stem)
    half = n_images // 2
    exports = (folder / "reader-1.asc", folder / "reader-2.asc")
    for path, seen in zip(exports, (trials[:half], trials[half:]), strict=True):
        # All images for one task, then all for the other: nobody looks for two things in turn.
        shown = [trial for each in CLASSES for own in seen for trial in own if trial.task == each]
        write_asc(path, shown, SCREEN, rate_hz=RATE_HZ, rng=rng)
    write_text(folder / "aois.csv", "".join(f"{line}\n" for line in boxes))
    held_out = set(names[::4])
    write_text(folder / "train.txt", "".join(f"{n}\n" for n in names if n not in held_out))
    write_text(folder / "val.txt", "".join(f"{n}\n" for n in names if n in held_out))
    return Example(folder, exports)


def class_image(
    rng: np.random.Generator, size: tuple[int, int], present: tuple[str, ...]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Make an endoscopy-like image with a lesion of each class that is present.

    Parameters
    ----------
    rng : numpy.random.Generator
        What all random numbers are drawn from.
    size : (height, width)
        Size of the image in pixels.
    present : tuple of str
        The classes to draw, some of `CLASSES`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), and ndarray of uint8, shape (H, W)
        The image, and its label image. Lesions do not overlap.
    """
    height, width = size
    rgb, light = mucosa(rng, height, width)
    labels = np.zeros(size, np.uint8)
    for name in present:
        lesion, dome = _beside(rng, labels)
        flat, raised, tint = _LOOKS[name]
        shade = flat + raised * dome
        painted = rgb * shade[..., None] * np.array(tint) * rng.uniform(0.95, 1.05, 3)
        rgb = np.where(lesion[..., None], painted, rgb)
        labels[lesion] = CLASSES.index(name) + 1
    return as_picture(rng, rgb, light), labels


def _boxes(labels: npt.NDArray[np.uint8], present: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each class that is in the image, and its box: left, top, width, height in pixels."""
    height, width = labels.shape
    margin = round(_BOX_MARGIN * np.sqrt(height * width))
    found = []
    for name in present:
        rows, columns = np.nonzero(labels == CLASSES.index(name) + 1)
        if not len(rows):
            continue
        left = max(int(columns.min()) - margin, 0)
        top = max(int(rows.min()) - margin, 0)
        right = min(int(columns.max()) + 1 + margin, width)
        bottom = min(int(rows.max()) + 1 + margin, height)
        found.append((name, f"{left},{top},{right - left},{bottom - top}"))
    return found


def _beside(rng: np.random.Generator, labels: npt.NDArray[np.uint8]) -> tuple[Mask, Floats]:
    """Draw a lesion where there is none yet; what overlaps in spite of all tries is left out."""
    height, width = labels.shape
    lesion, dome = draw_lesion(rng, height, width)
    for _ in range(_MOST_TRIES):
        if not (lesion & (labels > 0)).any():
            break
        lesion, dome = draw_lesion(rng, height, width)
    return lesion & (labels == 0), dome
