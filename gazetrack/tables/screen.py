"""The screen gaze was recorded on, and its geometry: screen pixels and degrees of visual angle."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]

MAX_SCREEN_PX = 100_000
_NO_DISTANCE_HINT = "give --screen 1920x1080,531x299mm,650mm"


@dataclass(frozen=True)
class Screen:
    """The screen the stimulus was shown on.

    Parameters
    ----------
    width_px, height_px : int
        Resolution of the screen in pixels.
    width_mm, height_mm, distance_mm : float, optional
        Physical size of the screen and viewing distance. Only degrees of visual angle need them.
    fov_deg : float, optional
        In place of these lengths, how many degrees the width covers: the horizontal field of view
        of a world camera, whose image then stands for the screen.
    fisheye : bool
        With `fov_deg`: whether angles grow in proportion to the distance from the middle, as in the
        image of an equidistant fisheye, not their tangents, as on a flat screen.

    Raises
    ------
    ConfigError
        A size is not positive, or absurd (more than 100,000 px), or a field of view cannot be.

    Examples
    --------
    >>> screen = Screen(1920, 1080, width_mm=531, height_mm=299, distance_mm=650)
    >>> round(screen.px_per_deg, 1)
    41.0
    """

    width_px: int
    height_px: int
    width_mm: float | None = None
    height_mm: float | None = None
    distance_mm: float | None = None
    fov_deg: float | None = None
    fisheye: bool = False

    def __post_init__(self) -> None:
        width_is_possible = 0 < self.width_px <= MAX_SCREEN_PX
        height_is_possible = 0 < self.height_px <= MAX_SCREEN_PX
        if not (width_is_possible and height_is_possible):
            raise ConfigError(
                f"a screen of {self.width_px} x {self.height_px} px",
                hint="give the size as --screen WIDTHxHEIGHT",
            )
        for name in ("width_mm", "height_mm", "distance_mm"):
            length = getattr(self, name)
            if length is not None and not (math.isfinite(length) and length > 0):
                raise ConfigError(
                    f"{name} of {length}", hint="give a positive length in millimetres"
                )
        widest_deg = 360.0 if self.fisheye else 180.0
        if self.fov_deg is not None and not 0 < self.fov_deg < widest_deg:
            raise ConfigError(
                f"a field of view of {self.fov_deg} degrees",
                hint=f"give degrees from 0 to {widest_deg:g}",
            )

    @property
    def px_per_deg(self) -> float | None:
        """Pixels per degree of visual angle at the centre, or None where sizes are unknown."""
        if self.fov_deg is not None and self.fisheye:
            return self.width_px / self.fov_deg
        distance_px = self._distance_px
        return None if distance_px is None else math.tan(math.radians(1.0)) * distance_px

    @property
    def _distance_px(self) -> float | None:
        """How far away the eye is from a flat screen, in pixels of its width."""
        if self.fov_deg is not None:
            # Half the width over the tangent of half the angle; a fisheye may see more than 180.
            half_angle = math.radians(min(self.fov_deg, 179.0)) / 2
            return self.width_px / 2 / math.tan(half_angle)
        if self.width_mm is None or self.distance_mm is None:
            return None
        return self.distance_mm * self.width_px / self.width_mm

    def _known_distance_px(self) -> float:
        """Return the distance of the eye in pixels, or raise ConfigError where it is not known."""
        distance_px = self._distance_px
        if distance_px is None:
            raise ConfigError("a screen without width and distance", hint=_NO_DISTANCE_HINT)
        return distance_px

    def facts(self) -> dict[str, Any]:
        """Return the fields as JSON values; those of a camera only where it is one."""
        fields = asdict(self)
        if self.fov_deg is None:
            del fields["fov_deg"]
            del fields["fisheye"]
        return fields

    def degrees(
        self, x_px: npt.NDArray[np.float64], y_px: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return Fick angles of positions, for an eye straight in front of the screen's centre.

        Parameters
        ----------
        x_px, y_px : ndarray of float64
            Positions in pixels of the screen.

        Returns
        -------
        (ndarray, ndarray)
            Azimuth and elevation: degrees to the right and down of the centre. Without a height
            in mm, pixels are taken as square.

        Raises
        ------
        ConfigError
            The width in mm or the distance is not known.
        """
        import numpy as np  # here, for a shell asks for names of layouts, which have screens

        distance_px = self._known_distance_px()
        x = x_px - self.width_px / 2
        y = y_px - self.height_px / 2
        if self.fov_deg is not None and self.fisheye:
            return _fisheye_degrees(x, y, self.fov_deg / self.width_px)
        y = y * self._aspect
        azimuth = np.degrees(np.arctan2(x, distance_px))
        elevation = np.degrees(np.arctan2(y, np.hypot(distance_px, x)))
        return azimuth, elevation

    def pixels(self, azimuth_deg: Floats, elevation_deg: Floats) -> tuple[Floats, Floats]:
        """Return the positions on a flat screen in Fick angles: what `degrees` undoes.

        Parameters
        ----------
        azimuth_deg, elevation_deg : ndarray of float
            Degrees to the right and down of the middle of the screen.

        Returns
        -------
        (ndarray, ndarray)
            Screen pixels; missing where an angle is a right one or more, since no screen reaches
            there.

        Raises
        ------
        ConfigError
            The width in mm or the distance is not known.
        """
        import numpy as np

        distance_px = self._known_distance_px()
        beyond = (np.abs(azimuth_deg) >= 90.0) | (np.abs(elevation_deg) >= 90.0)
        azimuth = np.radians(np.where(beyond, np.nan, azimuth_deg))
        elevation = np.radians(np.where(beyond, np.nan, elevation_deg))
        x = distance_px * np.tan(azimuth)
        y = np.hypot(distance_px, x) * np.tan(elevation)
        return x + self.width_px / 2, y / self._aspect + self.height_px / 2

    @property
    def _aspect(self) -> float:
        """Height of a pixel as a multiple of its width; 1 without a height in mm."""
        if self.width_mm is None or self.height_mm is None:
            return 1.0
        return (self.height_mm / self.height_px) / (self.width_mm / self.width_px)


def _fisheye_degrees(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], deg_per_px: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Fick angles of positions from the middle of an equidistant fisheye's image."""
    import numpy as np

    radius = np.hypot(x, y)
    off_axis = np.radians(radius * deg_per_px)
    # The direction as a unit vector: to the right, down, ahead. In the middle there is no sideways
    # part.
    sideways = np.sin(off_axis) / np.where(radius == 0, 1.0, radius)
    right = x * sideways
    down = y * sideways
    ahead = np.cos(off_axis)
    azimuth = np.degrees(np.arctan2(right, ahead))
    elevation = np.degrees(np.arctan2(down, np.hypot(right, ahead)))
    return azimuth, elevation
