"""World cameras of head-mounted trackers: how wide each sees, and how its lens maps angles.

A head-mounted tracker has no screen: its positions are pixels of the image of a camera on the head.
What a pixel is in degrees is known from the camera alone, so a model whose field of view nobody
published is not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A model of a world camera.

    Parameters
    ----------
    fov_deg : float or mapping of (int, int) to float
        Horizontal field of view in degrees; by the size of the image in pixels where it depends on
        that.
    fisheye : bool
        Whether angles grow in proportion to the distance from the middle of the image (an
        equidistant fisheye), not their tangents (a flat picture).
    source : str
        Who states the field of view.
    """

    fov_deg: float | Mapping[tuple[int, int], float] = field()
    fisheye: bool
    source: str


# Whether a lens is flat shows in the two stated angles. A flat picture has tan(h/2) : tan(v/2) as
# width : height, as both Glasses have to 1 %; a fisheye has h : v as width : height, as Invisible
# (82 : 82) and Neon (103 : 77) have.
CAMERAS: Mapping[str, Camera] = {
    "Pupil Core": Camera(
        # The default lens, "Pupil Cam1 ID2 (wide-angle lens)"; other lenses and cameras can be
        # mounted.
        fov_deg={(1920, 1080): 155.0, (1280, 720): 103.0, (640, 480): 103.0},
        fisheye=True,
        source="Pupil Labs, Pupil Capture, Camera field of view",
    ),
    "Pupil Invisible": Camera(
        fov_deg=82.0, fisheye=True, source="Pupil Labs, Pupil Invisible, Scene video"
    ),
    "Neon": Camera(fov_deg=103.0, fisheye=True, source="Pupil Labs, Neon, Technical overview"),
    "Tobii Pro Glasses 2": Camera(
        fov_deg=82.0, fisheye=False, source="Tobii Pro Glasses 2, Product Description"
    ),
    "Tobii Pro Glasses 3": Camera(
        fov_deg=95.0, fisheye=False, source="Tobii Pro Glasses 3, Product Description"
    ),
}


def field_of_view(model: str, width_px: int, height_px: int) -> float | None:
    """Return the horizontal field of view of a model's camera in degrees; None if not known.

    Parameters
    ----------
    model : str
        A key of `CAMERAS`, or any other name.
    width_px, height_px : int
        Size of the camera's image in pixels.
    """
    camera = CAMERAS.get(model)
    if camera is None:
        return None
    if isinstance(camera.fov_deg, Mapping):
        return camera.fov_deg.get((width_px, height_px))
    return camera.fov_deg


def is_fisheye(model: str) -> bool:
    """Tell whether a camera's picture is a fisheye's.

    One of unknown make is taken for a fisheye, as most that are worn see widely.
    """
    camera = CAMERAS.get(model)
    return True if camera is None else camera.fisheye
