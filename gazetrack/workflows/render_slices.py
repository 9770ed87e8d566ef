"""Which slices lie around the slice of a track, by the same observer, and what they count."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.errors import ConfigError, quote
from gazetrack.images.volumes import volume_of
from gazetrack.maps.render import prepare
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.neighbours import SliceSmoothing
    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track
    from gazetrack.workflows.outcome import Outcome

    # A track on another slice, and what its maps count.
    Around = list[tuple[float, Track]]

# Slice 7 of `case.nrrd` is the image `case_7`; a picture of that name is taken for the same.
_BY_NAME = re.compile(r"(.+)_(\d{1,9})")


class _Place(NamedTuple):
    volume: str
    number: int


def slices_around(
    work: Sequence[tuple[Track, Outcome]],
    images: Mapping[str, ImageRef],
    smoothing: SliceSmoothing,
    params: MapParams,
) -> list[Around]:
    """Return the tracks on the slices around that of each track.

    Parameters
    ----------
    work : sequence of (Track, Outcome)
        All tracks, each with the outcome of its table.
    images : mapping of str to ImageRef
        The images by id, as far as they are known. A track on an image that is a slice of a file or
        of a DICOM series lies there; else its place is that of its name, ``case_7``.
    smoothing : SliceSmoothing
        What a slice counts by its distance.
    params : MapParams
        Says which fixations are no look at all.

    Returns
    -------
    list of list of (float, Track)
        One list a track, in the order of their slices; only tracks of the same observer, that is of
        the same table, recording, participant and eye, and for the same target, whatever their
        trials. Empty of a track that
        is not on a slice, and of one without a fixation that counts.

    Raises
    ------
    ConfigError
        No track is on a slice, slices of a volume differ in size, or distances in mm are asked for
        and not known.
    DataError, InputError
        The DICOM series of an image is no volume, see `gazetrack.images.volumes.volume_of`.
    """
    looks: dict[tuple[object, ...], dict[int, list[Track]]] = defaultdict(lambda: defaultdict(list))
    for track, outcome in work:
        place = _place_of(track, images)
        if place is not None and len(prepare(track, params)):
            looks[_key(track, outcome, place)][place.number].append(track)
    if not looks:
        hint = "name stimuli CASE_NUMBER, or give volumes with --images"
        raise ConfigError("smoothing over slices, but no stimulus is one", hint=hint)
    found: list[Around] = []
    for track, outcome in work:
        place = _place_of(track, images)
        slices = {} if place is None else looks.get(_key(track, outcome, place), {})
        # A track without a look of its own stays without a map.
        if place is None or track not in slices.get(place.number, ()):
            found.append([])
            continue
        step = _step(track, images, smoothing)
        found.append(_weighed(track, place.number, slices, smoothing, step))
    return found


def _weighed(
    own: Track,
    number: int,
    slices: Mapping[int, Sequence[Track]],
    smoothing: SliceSmoothing,
    step: float,
) -> Around:
    """Return the tracks on all other slices, each slice's weight shared among its tracks."""
    around: Around = []
    for other in sorted(slices):
        weight = 0.0 if other == number else smoothing.weight((other - number) * step)
        if weight == 0:
            continue
        tracks = slices[other]
        for track in tracks:
            if (track.height, track.width) != (own.height, own.width):
                sizes = f"{own.width:g} x {own.height:g} and {track.width:g} x {track.height:g}"
                what = f"{quote(own.stimulus, 40)}: slices of {sizes} pixels in one volume"
                raise ConfigError(what, hint="give volumes, or names that are no slices' names")
        around += [(weight / len(tracks), track) for track in tracks]
    return around


def _key(track: Track, outcome: Outcome, place: _Place) -> tuple[object, ...]:
    observer = (outcome.file, track.recording, track.participant, track.eye)
    return (*observer, track.target, place.volume)


def _place_of(track: Track, images: Mapping[str, ImageRef]) -> _Place | None:
    image_id = stem(track.stimulus)
    image = images.get(image_id)
    volume = None if image is None else volume_of(image)
    if image is not None and volume is not None:
        return _Place(str(volume.file), volume.number(image))
    match = _BY_NAME.fullmatch(image_id)
    return None if match is None else _Place(match[1], int(match[2]))


def _step(track: Track, images: Mapping[str, ImageRef], smoothing: SliceSmoothing) -> float:
    """Return the distance from a slice to the next one, in the unit of the smoothing."""
    if smoothing.unit == "slices":
        return 1.0
    image = images.get(stem(track.stimulus))
    volume = None if image is None else volume_of(image)
    between = math.nan if volume is None else volume.spacing[0]
    if math.isnan(between):
        what = f"{quote(track.stimulus, 60)}: the distance between its slices is not known"
        raise ConfigError(what, hint="give the number of slices: --slice-sigma")
    return between
