"""What of fixation tables is rendered together, what is not, and why: said in their outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError, GazetrackError, InputError, quote
from gazetrack.images.folder import image_size
from gazetrack.maps.render import left_out
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track
    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.table_tracks import TableTracks

_NAMED = 3  # of images that are missing


def image_sizes(
    images: Mapping[str, ImageRef],
) -> tuple[dict[str, tuple[int, int]], dict[str, GazetrackError]]:
    """Return the sizes of the images, and the errors of those that cannot be read."""
    sizes, errors = {}, {}
    for image_id, image in images.items():
        try:
            sizes[image_id] = image_size(image)
        except GazetrackError as error:
            errors[image_id] = error
    return sizes, errors


def observers_of(
    groups: Sequence[Sequence[tuple[Track, Outcome]]], *, pooled: bool
) -> dict[str, Any]:
    """Return who looked, as the map file says it: a mean over people is not one person's gaze.

    Parameters
    ----------
    groups : sequence of sequences of (Track, Outcome)
        The tracks of each row of the map file.
    pooled : bool
        Whether a row is the mean over its tracks.

    Returns
    -------
    dict of str to Any
        ``pooled``, and how many ``participants`` (None where some track does not name its own) and
        ``recordings`` there are; ``most_tracks_a_map`` is the largest number behind one map.
    """
    tracks = [track for group in groups for track, _ in group]
    participants = {track.participant for track in tracks}
    return {
        "pooled": pooled,
        "participants": None if "" in participants else len(participants),
        "recordings": len({track.recording for track in tracks}),
        "most_tracks_a_map": max(map(len, groups), default=0),
    }


def take_note(
    outcome: Outcome,
    found: TableTracks,
    unreadable: Mapping[str, GazetrackError],
    images: Path | None,
) -> None:
    """Say in the outcome what of the table is not rendered, and why."""
    outcome.rows_in = found.n_rows
    outcome.dropped = dict(found.dropped)
    if found.by_case:
        name, image = next(iter(found.by_case.items()))
        shown = f"first {quote(name, 40)!r} is {quote(image, 40)!r}"
        what = f"{len(found.by_case)} images found by ignoring upper and lower case"
        outcome.notes.append(f"{what}: {shown}")
    damaged = [unreadable[stem(name)] for name in found.missing_images if stem(name) in unreadable]
    if damaged:
        outcome.error = damaged[0]
    elif found.missing_images:
        outcome.error = _without_images(outcome.file, found, images)
    elif found.misfits:
        name, sizes = next(iter(found.misfits.items()))
        what = f"{len(found.misfits)} images of another shape than the table says"
        first = f"first {quote(name, 40)}: {sizes}"
        hint = "give the images that were shown"
        outcome.error = DataError(f"{what}, {first}", path=outcome.file, hint=hint)
    if outcome.error is not None:
        outcome.status = "partial"
    if not found.tracks:
        raise outcome.error or InputError(
            "holds no fixation", path=outcome.file, hint="convert the recording again"
        )


def _without_images(file: str, found: TableTracks, images: Path | None) -> InputError:
    """Return the error about stimuli without an image, with the name that one may have meant."""
    missing = found.missing_images
    n_stimuli = len(missing) + len({track.stimulus for track in found.tracks})
    shown = ", ".join(quote(name, 30) for name in missing[:_NAMED])
    if len(missing) > _NAMED:
        shown += ", …"
    what = f"no image for {len(missing)} of {n_stimuli} stimuli: {shown}"
    hint = f"add them to {quote(images, 40)}"
    if found.alike:
        name, other = next(iter(found.alike.items()))
        hint = f"is {quote(name, 30)!r} {quote(other, 30)!r}? {hint}"
    return InputError(what, path=file, hint=hint)


def of_targets(found: TableTracks, target: Callable[[Track], str], outcome: Outcome) -> TableTracks:
    """Return tracks with their targets, without those that have none, which is noted.

    Raises
    ------
    DataError
        None has a target.
    """
    told = [replace(track, target=target(track)) for track in found.tracks]
    kept = tuple(track for track in told if track.target)
    without = [track for track in told if not track.target]
    if without and not kept:
        what = f"the rule of --target says nothing of trial {quote(without[0].trial, 40)!r}"
        raise DataError(f"{what}, nor of any other", path=outcome.file, hint="see --target")
    n_left_out = sum(len(track) for track in without)
    dropped = found.dropped | ({"no target": n_left_out} if n_left_out else {})
    return replace(found, tracks=kept, dropped=dropped)


def by_image(work: Sequence[tuple[Track, Outcome]]) -> list[list[tuple[Track, Outcome]]]:
    """Return the tracks of each image, and target, together, in the order in which they come."""
    groups: dict[tuple[str, str], list[tuple[Track, Outcome]]] = {}
    for track, outcome in work:
        groups.setdefault((stem(track.stimulus), track.target), []).append((track, outcome))
    return list(groups.values())


def count_used(group: Sequence[tuple[Track, Outcome]], params: MapParams) -> None:
    """Count in the outcomes what cleaning leaves of a row's tracks, and what it drops and why."""
    for track, outcome in group:
        if track.visit is not None:  # counted when it was split: a fixation may be in two of these
            continue
        reasons = left_out(track, params)
        outcome.rows_out += len(track) - sum(reasons.values())
        for reason, n in reasons.items():
            outcome.dropped[reason] = outcome.dropped.get(reason, 0) + n
