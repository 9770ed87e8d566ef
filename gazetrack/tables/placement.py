"""Where an image lay on the screen: from screen pixels to image pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from gazetrack.tables.screen import Screen


@dataclass(frozen=True)
class Placement:
    """Where an image lay on the screen, and how large the image is itself.

    Parameters
    ----------
    x_px, y_px : float
        Top left corner of the shown image, in screen pixels.
    width_px, height_px : float
        Size of the shown image on the screen, in screen pixels.
    image_width_px, image_height_px : int
        Size of the image file in pixels. Gaze is mapped to these.

    Raises
    ------
    ConfigError
        A size is not a positive number.
    """

    x_px: float
    y_px: float
    width_px: float
    height_px: float
    image_width_px: int
    image_height_px: int

    def __post_init__(self) -> None:
        sizes = (self.width_px, self.height_px, self.image_width_px, self.image_height_px)
        if not all(math.isfinite(size) and size > 0 for size in sizes):
            raise ConfigError(
                f"an image placed with sizes {sizes}", hint="widths and heights must be positive"
            )

    def to_image(
        self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """Map screen pixels to image pixels; positions beside the image map outside its bounds."""
        x_scale = self.image_width_px / self.width_px
        y_scale = self.image_height_px / self.height_px
        # What is beyond all numbers is infinitely far beside the image, and no reason to warn.
        with np.errstate(over="ignore"):
            return (x - self.x_px) * x_scale, (y - self.y_px) * y_scale

    def to_screen(
        self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """Map image pixels to screen pixels: what `to_image` undoes."""
        x_scale = self.width_px / self.image_width_px
        y_scale = self.height_px / self.image_height_px
        return x * x_scale + self.x_px, y * y_scale + self.y_px


def filling(screen: Screen, stimuli: Iterable[str]) -> dict[str, Placement]:
    """Return the placements of stimuli that fill the screen.

    Surfaces to which a vendor mapped the gaze are of this kind: each is its own whole screen.
    """
    whole = Placement(
        x_px=0.0,
        y_px=0.0,
        width_px=screen.width_px,
        height_px=screen.height_px,
        image_width_px=screen.width_px,
        image_height_px=screen.height_px,
    )
    return dict.fromkeys(sorted(stimuli), whole)


def place(rule: str, screen: Screen | None, image_width_px: int, image_height_px: int) -> Placement:
    """Work out a placement from a rule a user can type.

    Parameters
    ----------
    rule : str
        ``centre`` (own size, centred), ``fit`` (as large as the screen allows, centred),
        ``stretch`` (the whole screen), or ``X,Y,WIDTH,HEIGHT`` in screen pixels.
    screen : Screen or None
        Needed by every rule but the last.
    image_width_px, image_height_px : int
        Size of the image file in pixels.

    Raises
    ------
    ConfigError
        The rule is none of these, or needs a screen and there is none.
    """
    if "," in rule:
        x, y, width, height = _typed_numbers(rule)
    elif screen is None:
        hint = (
            "convert the export again with --screen WIDTHxHEIGHT, "
            "or give --placement X,Y,WIDTH,HEIGHT"
        )
        raise ConfigError("the screen size is not known", hint=hint)
    else:
        x_scale, y_scale = _scales(rule, screen, image_width_px, image_height_px)
        width = image_width_px * x_scale
        height = image_height_px * y_scale
        x = (screen.width_px - width) / 2
        y = (screen.height_px - height) / 2
    return Placement(
        x_px=x,
        y_px=y,
        width_px=width,
        height_px=height,
        image_width_px=image_width_px,
        image_height_px=image_height_px,
    )


def check_rule(rule: str) -> None:
    """Refuse a rule that no screen and no image could make sense of.

    Parameters
    ----------
    rule : str
        What a user typed as a placement, as `place` takes it.

    Raises
    ------
    ConfigError
        It is neither the name of a rule nor four numbers.
    """
    from gazetrack.tables.screen import Screen

    screen = Screen(width_px=100, height_px=100)
    place(rule, screen, 100, 100)


def _typed_numbers(rule: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(part) for part in rule.split(","))
    except ValueError:
        raise ConfigError(
            f"placement {rule!r}", hint="give X,Y,WIDTH,HEIGHT in screen pixels"
        ) from None
    return x, y, width, height


def _scales(rule: str, screen: Screen, image_width: int, image_height: int) -> tuple[float, float]:
    """Return by which factors an image is shown wider and higher than it is."""
    to_width = screen.width_px / image_width
    to_height = screen.height_px / image_height
    fitting = min(to_width, to_height)
    scales = {
        "centre": (1.0, 1.0),
        "center": (1.0, 1.0),
        "fit": (fitting, fitting),
        "stretch": (to_width, to_height),
    }
    if rule not in scales:
        raise ConfigError(
            f"placement {rule!r}", hint="use centre, fit, stretch or X,Y,WIDTH,HEIGHT"
        )
    return scales[rule]
