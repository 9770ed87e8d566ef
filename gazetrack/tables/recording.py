"""One recording as a reader gives it, and the geometry that turns screen pixels into image pixels and degrees."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt
    import pyarrow as pa

MAX_SCREEN_PX = 100_000
SURFACE = (
    "surface"  # what positions are fractions of where a vendor mapped them to the stimulus itself
)
_ENOUGH_STEPS = 1 << 20  # to know the ordinary one


@dataclass(frozen=True)
class Screen:
    """The screen the stimulus was shown on.

    Parameters
    ----------
    width_px, height_px : int
        Resolution.
    width_mm, height_mm, distance_mm : float, optional
        Physical size and viewing distance. Only degrees of visual angle need them.
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
    """

    width_px: int
    height_px: int
    width_mm: float | None = None
    height_mm: float | None = None
    distance_mm: float | None = None
    fov_deg: float | None = None
    fisheye: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.width_px <= MAX_SCREEN_PX and 0 < self.height_px <= MAX_SCREEN_PX):
            raise ConfigError(
                f"a screen of {self.width_px} x {self.height_px} px",
                hint="give the size as --screen WIDTHxHEIGHT",
            )
        for name in ("width_mm", "height_mm", "distance_mm"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ConfigError(
                    f"{name} of {value}", hint="give a positive length in millimetres"
                )
        widest = 360.0 if self.fisheye else 180.0
        if self.fov_deg is not None and not 0 < self.fov_deg < widest:
            raise ConfigError(
                f"a field of view of {self.fov_deg} degrees",
                hint=f"give degrees from 0 to {widest:g}",
            )

    @property
    def px_per_deg(self) -> float | None:
        """Pixels per degree of visual angle at the centre of the screen, or None where sizes or angles are unknown."""
        distance_px = self._distance_px
        if self.fov_deg is not None and self.fisheye:
            return self.width_px / self.fov_deg
        return None if distance_px is None else math.tan(math.radians(1.0)) * distance_px

    @property
    def _distance_px(self) -> float | None:
        """How far away the eye is from a flat screen, in pixels of its width."""
        if self.fov_deg is not None:
            return self.width_px / 2 / math.tan(math.radians(min(self.fov_deg, 179.0)) / 2)
        if self.width_mm is None or self.distance_mm is None:
            return None
        return self.distance_mm * self.width_px / self.width_mm

    def facts(self) -> dict[str, Any]:
        """Return the fields as JSON values; those of a camera only where it is one."""
        fields = asdict(self)
        if self.fov_deg is None:
            del fields["fov_deg"], fields["fisheye"]
        return fields

    def degrees(
        self, x_px: npt.NDArray[np.float64], y_px: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return Fick angles (azimuth, elevation) of positions, for an eye straight in front of the screen's centre.

        Parameters
        ----------
        x_px, y_px : ndarray of float64
            Screen pixels.

        Returns
        -------
        (ndarray, ndarray)
            Degrees to the right and down. Without a height in mm pixels are square.

        Raises
        ------
        ConfigError
            The width in mm or the distance is not known.
        """
        distance = self._distance_px
        if distance is None:
            raise ConfigError(
                "a screen without width and distance",
                hint="give --screen 1920x1080,531x299mm,650mm",
            )
        x, y = x_px - self.width_px / 2, y_px - self.height_px / 2
        if self.fov_deg is not None and self.fisheye:
            return _fisheye_degrees(x, y, self.fov_deg / self.width_px)
        y = y * self._aspect
        return np.degrees(np.arctan2(x, distance)), np.degrees(np.arctan2(y, np.hypot(distance, x)))

    def pixels(
        self, azimuth_deg: npt.NDArray[np.floating], elevation_deg: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
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
        distance = self._distance_px
        if distance is None:
            raise ConfigError(
                "a screen without width and distance",
                hint="give --screen 1920x1080,531x299mm,650mm",
            )
        beyond = (np.abs(azimuth_deg) >= 90.0) | (np.abs(elevation_deg) >= 90.0)
        azimuth, elevation = (
            np.radians(np.where(beyond, np.nan, a)) for a in (azimuth_deg, elevation_deg)
        )
        x = distance * np.tan(azimuth)
        y = np.hypot(distance, x) * np.tan(elevation)
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
    radius = np.hypot(x, y)
    off_axis = np.radians(radius * deg_per_px)
    # The direction as a unit vector: to the right, down, ahead. In the middle there is no sideways
    # part.
    sideways = np.sin(off_axis) / np.where(radius == 0, 1.0, radius)
    right, down, ahead = x * sideways, y * sideways, np.cos(off_axis)
    return np.degrees(np.arctan2(right, ahead)), np.degrees(
        np.arctan2(down, np.hypot(right, ahead))
    )


@dataclass(frozen=True)
class Placement:
    """Where an image lay on the screen, and how large the image is itself.

    Parameters
    ----------
    x_px, y_px : float
        Top left corner of the shown image, screen pixels.
    width_px, height_px : float
        Size of the shown image on the screen, screen pixels.
    image_width_px, image_height_px : int
        Size of the image file. Gaze is mapped to these pixels.
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
        with np.errstate(
            over="ignore"
        ):  # what is beyond all numbers is infinitely far beside the image
            return (
                (x - self.x_px) * (self.image_width_px / self.width_px),
                (y - self.y_px) * (self.image_height_px / self.height_px),
            )


def filling(screen: Screen, stimuli: Iterable[str]) -> dict[str, Placement]:
    """Return the placements of stimuli that are the whole screen, as surfaces are to which gaze was mapped."""
    width, height = screen.width_px, screen.height_px
    return {name: Placement(0.0, 0.0, width, height, width, height) for name in sorted(stimuli)}


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
        Size of the image file.

    Raises
    ------
    ConfigError
        The rule is none of these, or needs a screen and there is none.
    """
    if "," in rule:
        try:
            x, y, width, height = (float(part) for part in rule.split(","))
        except ValueError:
            raise ConfigError(
                f"placement {rule!r}", hint="give X,Y,WIDTH,HEIGHT in screen pixels"
            ) from None
        return Placement(x, y, width, height, image_width_px, image_height_px)
    if screen is None:
        hint = "convert the export again with --screen WIDTHxHEIGHT, or give --placement X,Y,WIDTH,HEIGHT"
        raise ConfigError("the screen size is not known", hint=hint)
    fitting = min(screen.width_px / image_width_px, screen.height_px / image_height_px)
    scale = {"centre": (1.0, 1.0), "center": (1.0, 1.0), "fit": (fitting, fitting)}.get(rule)
    if rule == "stretch":
        scale = (screen.width_px / image_width_px, screen.height_px / image_height_px)
    if scale is None:
        raise ConfigError(
            f"placement {rule!r}", hint="use centre, fit, stretch or X,Y,WIDTH,HEIGHT"
        )
    width, height = image_width_px * scale[0], image_height_px * scale[1]
    return Placement(
        (screen.width_px - width) / 2,
        (screen.height_px - height) / 2,
        width,
        height,
        image_width_px,
        image_height_px,
    )


@dataclass(frozen=True)
class Recording:
    """What a reader found in one file.

    Parameters
    ----------
    name : str
        The recording's name: the file's stem.
    format : str
        Name of the reader.
    samples : pyarrow.Table or None
        Schema `SAMPLES`, positions in screen pixels; None when the export has fixations only.
    events : pyarrow.Table
        Schema `EVENTS`, positions in screen pixels: everything the export itself calls an event.
    fixations : pyarrow.Table or None
        Schema `FIXATIONS`, only from exports that are fixation tables themselves; None for all
        others.
    screen : Screen or None
        As stated by the export; a nominal one where `fractions_of` is given.
    placements : mapping of str to Placement
        By stimulus, as stated by the export.
    rate_hz : float or None
        Nominal sampling rate as stated by the export; None also where it changes within the
        recording.
    rates_hz : tuple of (float, float)
        Where the rate changes: from which time on, ms from the start, which rate holds, Hz. Else
        empty.
    pupil_measure : {"", "area", "diameter"}
        What pupil sizes in arbitrary units measure, where the export states it.
    participants : mapping of str to str
        Who was recorded, by recording, where the rows of samples say it and no table of events or
        fixations does.
    no_positions : bool
        Whether the export tells when fixations were, and not where: their positions are missing.
    directions : bool
        Whether positions are directions of the eye, on the plane 1 m away that `screen` then is,
        and no places on a screen.
    marks_known : bool
        Whether the reader has taken out the marks of lost gaze where they stood, in the unit and
        from the origin of the export: what is at (0, 0) afterwards is a place, such as a corner
        counted from the centre.
    eyes : str
        ``left``, ``right``, ``binocular`` or ``combined``.
    origin_ms : float
        Tracker time of t = 0, in milliseconds.
    start_ns : int or None
        Absolute start, nanoseconds since 1970 UTC, where the export states it.
    time_origin : {"recording", "trial"}
        What onsets are counted from.
    tracker, software : str
        As stated by the export, empty when it does not.
    rows_in : int
        Data rows or lines read.
    dropped : mapping of str to int
        Rows not used, by reason. ``rows_in`` is the rows used plus all of these.
    notes : tuple of str
        What the reader had to infer, in words for the user ("time unit inferred: ms").
    fractions_of : str
        What the export gives positions as fractions of without telling its size, such as
        ``screen``; else empty.
    world_camera : str
        Of a head-mounted tracker, its model, such as ``Pupil Core``: `screen` is then the image of
        the camera on the head. Empty for all others.
    mended : mapping of str to int
        Rows whose text was shorter or longer than the header and that were read all the same, by
        what was done.
    """

    name: str
    format: str
    samples: pa.Table | None
    events: pa.Table
    fixations: pa.Table | None = None
    screen: Screen | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)
    rate_hz: float | None = None
    rates_hz: tuple[tuple[float, float], ...] = ()
    pupil_measure: str = ""
    participants: Mapping[str, str] = field(default_factory=dict)
    no_positions: bool = False
    marks_known: bool = False
    directions: bool = False
    eyes: str = "combined"
    origin_ms: float = 0.0
    start_ns: int | None = None
    time_origin: Literal["recording", "trial"] = "recording"
    tracker: str = ""
    software: str = ""
    rows_in: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fractions_of: str = ""
    world_camera: str = ""
    mended: Mapping[str, int] = field(default_factory=dict)

    def on_nominal_screen(self, screen: Screen, fractions_of: str) -> Recording:
        """Return the recording with a note that its pixels are those of a screen that nobody stated."""
        notes = (*self.notes, _nominal_note(screen, fractions_of))
        return replace(self, screen=screen, fractions_of=fractions_of, notes=notes)

    def with_screen(self, screen: Screen | None) -> Recording:
        """Return the recording with the user's screen in place of the export's, where the user gave one.

        Positions that were fractions in the export become pixels of that screen.
        """
        if screen is None:
            return self
        recording = replace(self, screen=screen)
        if not self.fractions_of or self.screen is None:
            return recording
        factors = {
            "x_px": screen.width_px / self.screen.width_px,
            "y_px": screen.height_px / self.screen.height_px,
        }
        assumed = _nominal_note(self.screen, self.fractions_of)
        return replace(
            recording,
            samples=None if self.samples is None else _scaled(self.samples, factors),
            events=_scaled(self.events, factors),
            fixations=None if self.fixations is None else _scaled(self.fixations, factors),
            notes=tuple(note for note in self.notes if note != assumed),
            placements=self._filled(screen) if self.fractions_of == SURFACE else self.placements,
            fractions_of="",
        )

    def _filled(self, screen: Screen) -> dict[str, Placement]:
        tables = [
            table["stimulus"].unify_dictionaries()
            for table in (self.samples, self.fixations)
            if table is not None
        ]
        return filling(
            screen, {name for stimuli in tables for name in stimuli.unique().to_pylist() if name}
        )

    @property
    def loss(self) -> float | None:
        """Share of samples without a combined gaze position, 0 to 1, or None without samples."""
        if self.samples is None or self.samples.num_rows == 0:
            return None
        known = 0.0
        for batch in self.samples.select(["x_px", "y_px"]).to_batches():
            known += int(
                np.count_nonzero(np.isfinite(batch.column(0)) & np.isfinite(batch.column(1)))
            )
        return 1.0 - known / float(self.samples.num_rows)

    @property
    def effective_rate_hz(self) -> float | None:
        """Sampling rate from the steps between samples, gaps left out, or None with fewer than two samples.

        The mean of the ordinary steps, not their median: at 300 Hz, whole milliseconds come in
        steps of 3 and 4.
        """
        if self.samples is None or self.samples.num_rows < 2:
            return None
        first: list[npt.NDArray[np.float64]] = []
        for steps in _steps_forward(self.samples["t_ms"]):
            first.append(steps)
            if sum(map(len, first)) > _ENOUGH_STEPS:
                break
        if not sum(map(len, first)):
            return None
        ordinary = 1.5 * float(np.median(np.concatenate(first)))
        total = count = 0.0
        for steps in _steps_forward(self.samples["t_ms"]):
            usual = steps[steps < ordinary]
            total, count = total + float(usual.sum()), count + len(usual)
        return 1000.0 * count / total


def _steps_forward(times: pa.ChunkedArray) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the steps between times that go forward, chunk by chunk."""
    last = np.empty(0)
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        steps, last = np.diff(t), t[-1:]
        yield steps[steps > 0]


def _nominal_note(screen: Screen, fractions_of: str) -> str:
    return (
        f"positions are fractions of the {fractions_of}, whose size the export does not state: taken as "
        f"{screen.width_px}x{screen.height_px} px (give the real size as --screen)"
    )


def _scaled(table: pa.Table, factors: Mapping[str, float]) -> pa.Table:
    """Scale the columns of positions, whichever eye's, by the factor of their axis."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for number, column in enumerate(table.schema):
        factor = next((factors[axis] for axis in factors if column.name.endswith(axis)), None)
        if factor is not None:
            scaled = pc.multiply(table.column(number), pa.scalar(factor, column.type))
            table = table.set_column(number, column, scaled)
    return table
