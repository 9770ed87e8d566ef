"""The pictures of a report, as URIs that hold them: images once each, and maps.

They are made small: the page is to be sent by mail.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gazetrack.errors import ConfigError, GazetrackError
from gazetrack.images.folder import find_images, image_size, read_image
from gazetrack.maps.store import read_maps
from gazetrack.tables.placement import place
from gazetrack.tables.screen import Screen
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import StoredMaps
    from gazetrack.workflows.reporting.entries import TrialEntry

# All images of a page together may have so many bytes, and so may all maps.
_MOST_BYTES = 2_500_000
# The longer side that is tried, in pixels, the largest first.
_IMAGE_SIDES = (720, 480, 320, 200, 120)
_MAP_SIDES = (160, 96, 48)
_QUALITY = 80
_MAP_QUALITY = 85
# An image may have been shown a little stretched.
_SAME_SHAPE = 0.02


@dataclass(frozen=True)
class Pictures:
    """The pictures of a page.

    Parameters
    ----------
    uris : dict of str to str
        The image of each stimulus, by its image id.
    sizes : dict of str to (width, height)
        The sizes of these images themselves, in pixels.
    missing : tuple of str
        Stimuli of which the folder has no image.
    troubles : tuple of str
        Why images that are there are not shown, in words for the user.
    """

    uris: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True)
class MapPictures:
    """The maps of a page.

    Parameters
    ----------
    uris : tuple of str
        One a map: its levels below each other, gray, the core at the top.
    levels : tuple of int
        How many levels each has.
    of_trial : dict of tuple to int
        Which of them is that of a recording, participant, trial and stimulus.
    of_image : dict of str to int
        Which is that of everybody who looked at an image, by its id.
    n_unused : int
        How many maps of the file are of no trial of the page.
    """

    uris: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    of_trial: dict[tuple[str, ...], int] = field(default_factory=dict)
    of_image: dict[str, int] = field(default_factory=dict)
    n_unused: int = 0

    def of(self, trial: TrialEntry) -> int | None:
        """Return which map is that of a trial; None where there is none."""
        key = (trial.recording, trial.participant, trial.trial, trial.stimulus)
        found = self.of_trial.get(key)
        return self.of_image.get(stem(trial.stimulus)) if found is None else found


def check_pictures(
    images: str | Path | None, placement: str | None, maps: str | Path | None
) -> None:
    """Refuse wrong pictures before recordings are read, which may take hours.

    Parameters
    ----------
    images, maps : path-like or None
        The folder of the images, and the file of the maps, as for `embedded` and `embedded_maps`.
    placement : str or None
        The rule of the user's, as for `placed`.

    Raises
    ------
    GazetrackError
        There is no such folder or file, or no such rule, or a rule without images.
    """
    if images is not None:
        find_images(images)
    if placement is not None:
        place(placement, Screen(100, 100), 10, 10)
        if images is None:
            hint = "give their folder as well (--images DIR)"
            raise ConfigError("a placement needs the images", hint=hint)
    if maps is not None:
        read_maps(maps)


def embedded(folder: str | Path | None, stimuli: Iterable[str]) -> Pictures:
    """Return the images of stimuli, small enough for a page.

    Parameters
    ----------
    folder : path-like or None
        The folder of the images; without one there are no pictures.
    stimuli : iterable of str
        The stimuli that were looked at; empty ones are nobody's.

    Returns
    -------
    Pictures

    Raises
    ------
    GazetrackError
        There is no such folder, or two images of it have one name.
    """
    if folder is None:
        return Pictures()
    found = find_images(folder)
    wanted = {name: stem(name) for name in dict.fromkeys(stimuli) if name}
    missing = tuple(sorted(name for name, image_id in wanted.items() if image_id not in found))
    sizes: dict[str, tuple[int, int]] = {}
    images: dict[str, npt.NDArray[np.uint8]] = {}
    troubles = []
    for image_id in dict.fromkeys(wanted.values()):
        if image_id not in found:
            continue
        try:
            sizes[image_id] = image_size(found[image_id])
            images[image_id] = _small(found[image_id], sizes[image_id])
        except GazetrackError as error:
            # Not its path: a page may be sent to those who are not to know it.
            troubles.append(f"the image of {image_id} {error.what}")
    uris = dict(zip(images, _fitting(list(images.values()), _IMAGE_SIDES, _QUALITY), strict=True))
    return Pictures(uris, {name: sizes[name] for name in uris}, missing, tuple(troubles))


def placed(trial: TrialEntry, pictures: Pictures, rule: str | None) -> TrialEntry:
    """Return a trial that knows where its image lay, where a rule of the user's says so.

    Parameters
    ----------
    trial : TrialEntry
        As it was measured: what the export says of the place is kept.
    pictures : Pictures
        The images, whose sizes a rule needs.
    rule : str or None
        See `gazetrack.tables.placement.place`; without one, an image of the screen's own shape
        fills it, and others have no place.
    """
    size = pictures.sizes.get(stem(trial.stimulus))
    if trial.placed is not None or size is None:
        return trial
    width, height = trial.plane
    if rule is not None:
        own = place(rule, Screen(round(width), round(height)), *size)
        return replace(trial, placed=(own.x_px, own.y_px, own.width_px, own.height_px))
    stretch = width * size[1] / (height * size[0])
    if abs(stretch - 1) > _SAME_SHAPE:
        return trial
    return replace(trial, placed=(0.0, 0.0, width, height))


def embedded_maps(path: str | Path | None, trials: Sequence[TrialEntry]) -> MapPictures:
    """Return the maps of trials, small enough for a page.

    Parameters
    ----------
    path : path-like or None
        ``maps.parquet`` or its folder; without one there are no maps.
    trials : sequence of TrialEntry
        The trials of the page: maps of others are left out.

    Returns
    -------
    MapPictures

    Raises
    ------
    InputError, SchemaError
        It is no file of maps, or a damaged one.
    """
    if path is None:
        return MapPictures()
    store = read_maps(path)
    is_pooled = len(store) == len(store.ids)
    keys = {
        (trial.recording, trial.participant, trial.trial, trial.stimulus): stem(trial.stimulus)
        for trial in trials
    }
    looked: dict[str, set[str]] = {}
    for (recording, *_), image_id in keys.items():
        looked.setdefault(image_id, set()).add(recording)
    kept: list[npt.NDArray[np.uint8]] = []
    levels: list[int] = []
    of_trial: dict[tuple[str, ...], int] = {}
    of_image: dict[str, int] = {}
    for row in store.rows():
        key = (row.recording, row.participant, row.trial, row.stimulus)
        image_id = stem(row.stimulus)
        if key in keys:
            of_trial[key] = len(kept)
        elif is_pooled and _is_of_several(row.recording, looked.get(image_id, set())):
            of_image[image_id] = len(kept)
        else:
            continue
        levels.append(len(row.values))
        kept.append(_stacked(row))
    uris = _fitting(kept, _MAP_SIDES, _MAP_QUALITY, levels)
    n_unused = len(store) - len(kept)
    return MapPictures(tuple(uris), tuple(levels), of_trial, of_image, n_unused)


def _is_of_several(recording: str, known: set[str]) -> bool:
    """Whether a map is that of several recordings, which it then names all, some of ours."""
    names = recording.split(", ")
    return len(names) > 1 and bool(known.intersection(names))


def _small(image: ImageRef, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return an image in colour, at most as large as the first size that is tried."""
    width, height = size
    shrink = min(_IMAGE_SIDES[0] / max(size), 1.0)
    return read_image(image, "RGB", (_at_least_1(height * shrink), _at_least_1(width * shrink)))


def _stacked(row: StoredMaps) -> npt.NDArray[np.uint8]:
    """Return the levels of a map below each other, each at most as large as is tried first."""
    shrink = min(_MAP_SIDES[0] / max(row.values.shape[1:]), 1.0)
    height, width = (_at_least_1(side * shrink) for side in row.values.shape[1:])
    levels = [
        np.asarray(Image.fromarray(level).resize((width, height), Image.Resampling.BILINEAR))
        for level in row.as_uint8()
    ]
    return np.concatenate(levels)


def _at_least_1(side: float) -> int:
    return max(round(side), 1)


def _fitting(
    images: Sequence[npt.NDArray[np.uint8]],
    sides: Sequence[int],
    quality: int,
    levels: Sequence[int] | None = None,
) -> list[str]:
    """Return images as JPEGs of the largest size at which all of them fit into a page.

    Of several `levels` below each other, the size is that of one.
    """
    data: list[bytes] = []
    for side in sides:
        counts = levels or [1] * len(images)
        data = [_jpeg(image, n, side, quality) for image, n in zip(images, counts, strict=True)]
        if sum(map(len, data)) <= _MOST_BYTES:
            break
    return ["data:image/jpeg;base64," + base64.b64encode(one).decode() for one in data]


def _jpeg(image: npt.NDArray[np.uint8], n_levels: int, side: int, quality: int) -> bytes:
    """Return the levels of an image as one JPEG, the longer side of each at most `side`."""
    height, width = image.shape[0] // n_levels, image.shape[1]
    shrink = min(side / max(height, width), 1.0)
    picture = Image.fromarray(image)
    if shrink < 1.0:
        size = (_at_least_1(width * shrink), _at_least_1(height * shrink) * n_levels)
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
