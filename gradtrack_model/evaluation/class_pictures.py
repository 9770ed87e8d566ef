"""What is written of an image on which several classes are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.nn import functional

from gradtrack_model.evaluation.overlay import draw_overlay
from gradtrack_model.network.classes import label_image, probabilities, refuse_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    from PIL import Image
    from torch import Tensor

    from gradtrack_model.network.classes import ClassConfig

    Pixels = npt.NDArray[np.uint8]

# Colours that people with any kind of colour vision tell apart (Okabe & Ito 2008), in red, green
# and blue; of the first class, the second, and so on, and then from the start again.
COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


def refuse_for_classes(networks: Iterable[ClassConfig], asked: Mapping[str, bool]) -> None:
    """Refuse what is made for one class alone of networks that tell several apart.

    Parameters
    ----------
    networks : iterable of ClassConfig
        The classes of each network.
    asked : mapping of str to bool
        What could be asked for, in words for the user, and whether it is.

    Raises
    ------
    ConfigError
        Something is asked for, and a network has several classes.
    """
    for classes in networks:
        for what, is_asked in asked.items():
            if is_asked:
                refuse_classes(classes, what)


def draw_labels(pixels: Pixels, labels: Pixels) -> Pixels:
    """Tint and outline each class in its colour.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        The image in colour (red, green, blue).
    labels : ndarray of uint8, shape (H, W)
        The class of each pixel, from 1; 0 is background.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        A copy of the image with the classes on it.
    """
    drawn = pixels.copy()
    for number in range(1, int(labels.max(initial=0)) + 1):
        drawn = draw_overlay(drawn, labels == number, COLOURS[(number - 1) % len(COLOURS)])
    return drawn


def classes_of(
    logits: Tensor,
    size: tuple[int, int],
    threshold: float,
    classes: ClassConfig,
    *,
    divisor: float = 1.0,
) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Return the label image [H, W] and the probabilities [K, H, W] of an image at its own size.

    Parameters
    ----------
    logits : Tensor, shape (K, h, w)
        Those of each class, at the network's size.
    size : (height, width)
        Size of the image in pixels.
    threshold : float
        Probability above which a pixel is foreground, see
        `gradtrack_model.network.classes.label_image`.
    classes : ClassConfig
        The classes of the network.
    divisor : float
        Temperature, by which logits are divided before they become probabilities. Labels are those
        without it.
    """
    # Logits are resized, not probabilities or labels: their border is a smooth line.
    full = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]
    labels = label_image(full, threshold, exclusive=classes.exclusive)
    p = probabilities(full / divisor, exclusive=classes.exclusive)
    return labels.numpy(), p.numpy()


def class_pictures(
    image: Image.Image,
    found: tuple[Pixels, npt.NDArray[np.float32]],
    *,
    shares: bool,
    overlay: bool,
) -> list[Pixels]:
    """Return the pictures to write for an image: its label image first.

    Parameters
    ----------
    image : PIL.Image.Image
        The image in RGB, at its own size.
    found : tuple of ndarray
        What `classes_of` returned for it.
    shares : bool
        Whether the probability of each class follows, 255 for certainty.
    overlay : bool
        Whether the image with its classes drawn in follows.
    """
    labels, p = found
    pictures = [labels]
    if shares:
        pictures += list(np.rint(p * 255).astype(np.uint8))
    if overlay:
        pictures.append(draw_labels(np.array(image), labels))
    return pictures
