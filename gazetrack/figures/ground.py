"""What lies under a figure of gaze: the image, or an empty screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, InputError, refuse_other_type
from gazetrack.images.folder import read_image
from gazetrack.images.reference import ImageRef
from gazetrack.maps.track import Track

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt
    from matplotlib.axes import Axes

    Pixels = npt.NDArray[np.uint8]
    Picture: TypeAlias = Pixels | str | Path | None

SCREEN_GRAY = 96  # dark and bright discs are seen on it
MASK_COLOUR = "#00d27f"


def refuse_no_track(track: object) -> None:
    """Refuse what is no track with what to give in its place.

    Raises
    ------
    ConfigError
        It is of another type.
    """
    hint = "give one of those that gazetrack.tracks(fixations) returns"
    refuse_other_type(track, Track, "the track", hint)


def pixels_under(track: Track, image: Picture) -> Pixels:
    """Return the pixels to draw a track on, whatever says which these are.

    Parameters
    ----------
    track : Track
        The track, whose size the image must have.
    image : ndarray of uint8, shape (H, W), (H, W, 3) or (H, W, 4), or path-like, or None
        The image, its file, or None for an empty grey screen of the track's size.

    Returns
    -------
    ndarray of uint8, shape (H, W) or (H, W, 3) or (H, W, 4)

    Raises
    ------
    ConfigError
        `image` is neither picture nor path, or has another size than the track's image.
    InputError
        The file of the image cannot be read.
    """
    if image is None:
        return np.full((round(track.height), round(track.width)), SCREEN_GRAY, np.uint8)
    image = read_picture(image)
    height, width = image.shape[:2]
    # The sizes of tracks may be fractions of a pixel, as images are on a screen.
    if abs(height - track.height) >= 1 or abs(width - track.width) >= 1:
        size = f"{track.width:g} x {track.height:g}"
        what = f"the image has {width} x {height} pixels, the track lies on {size}"
        hint = "give tracks the images=FOLDER, or use track.scaled(width, height)"
        raise ConfigError(what, hint=hint)
    return image


def read_picture(image: Pixels | str | Path) -> Pixels:
    """Return an image as pixels, whether it is given as these or as its file.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W), (H, W, 3) or (H, W, 4), or path-like
        The image, or its file.

    Returns
    -------
    ndarray of uint8, shape (H, W) or (H, W, 3) or (H, W, 4)

    Raises
    ------
    ConfigError
        It is neither picture nor path.
    InputError
        The file cannot be read.
    """
    if isinstance(image, str | Path):
        path = Path(image)
        if not path.is_file():
            hint = "check the name; figure.savefig writes pictures"
            raise InputError("no such file", path=path, hint=hint)
        image = read_image(ImageRef(path), "RGB")
    hint = "give an array of shape (H, W) or (H, W, 3), or the path of the image"
    refuse_other_type(image, np.ndarray, "the image", hint)
    is_picture = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
    if not is_picture:
        raise ConfigError(f"the image is an array of shape {image.shape}", hint=hint)
    return image


def draw_ground(axis: Axes, pixels: Pixels, *, grey: bool = False) -> None:
    """Draw an image so that its pixels are the units of the axis, y down.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis, which shows the whole image and nothing else afterwards.
    pixels : ndarray of uint8, shape (H, W), (H, W, 3) or (H, W, 4)
        The image, as `pixels_under` returns it.
    grey : bool
        Whether to leave its colours out, so that those drawn over it are read alone.
    """
    height, width = pixels.shape[:2]
    drawn = pixels[..., :3].mean(axis=-1) if grey and pixels.ndim == 3 else pixels
    axis.imshow(drawn, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axis.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])


def draw_mask(axis: Axes, mask: npt.NDArray[np.bool_] | None) -> None:
    """Draw the outline of an object; nothing where there is no mask, or it is empty.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        An axis on which the image has been drawn.
    mask : ndarray of bool, shape (H, W), or None
        The pixels of the object.
    """
    if mask is None or not mask.any():
        return
    height, width = mask.shape
    across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
    axis.contour(across, down, mask, [0.5], colors=MASK_COLOUR, linewidths=1.2)
