"""From a recording to its fixation table: the export's own fixations, or else detected ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gazetrack.errors import ConfigError, InputError
from gazetrack.events.auto import BEHIND_CAMERA
from gazetrack.events.base import detect
from gazetrack.events.detectors import DEFAULT, DETECTORS
from gazetrack.events.exported import exported_fixations
from gazetrack.events.prepare import prepare
from gazetrack.tables.placing import place_known
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.selection import EyeChoice, gaze_of, has_gaze, one_eye

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation
    from gazetrack.tables.recording import Recording


def fixation_table(
    recording: Recording,
    detector: Detector | None = None,
    preparation: Preparation | None = None,
    eye: str = "auto",
) -> tuple[pa.Table, dict[str, Any]]:
    """Return a recording's fixations, on image pixels wherever the export says where the image lay.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    detector : Detector, optional
        Detect fixations from the samples with these parameters even when the export has its own.
        Without it, the default one serves exports that have samples only.
    preparation : Preparation, optional
        What to do to the samples before fixations are detected; nothing by default.
    eye : {"auto", "left", "right", "both"}
        Whose fixations, see `selection.one_eye`: but for ``both``, no moment is in two rows. Where
        they are detected, ``auto`` takes the combined gaze, and ``both`` each eye's on its own.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS`; and where the fixations come from: ``fixation_source`` (``export`` or
        ``detector``), for the latter ``detector`` and ``preparation`` with all their parameters,
        for the former ``left_out`` with the number of those the table does not hold by reason,
        where there are any; ``fixation_eye`` with whose they are; and ``notes`` for the user.

    Raises
    ------
    ConfigError
        A detector was asked for, and the export has no samples; ``both`` with a preparation that
        mixes the eyes; or fixations are to be detected behind a world camera whose field of view is
        not known.
    InputError
        The export has neither fixations nor samples.
    """
    own = None
    if detector is None:
        own, left_out = exported_fixations(recording)
    source: dict[str, Any]
    if own is not None:
        table, choice = one_eye(own, eye)
        if choice.left_out:
            left_out = left_out | {"of the other eye": choice.left_out}
        source = {"fixation_source": "export"}
        if left_out:
            source["left_out"] = left_out
    else:
        refuse_undetectable(recording, detector)
        table, facts = _detected(recording, suited(detector, recording), preparation, eye)
        held = sorted(set(table["eye"].to_pylist()))
        choice = EyeChoice(asked=eye, held=tuple(held))
        source = {"fixation_source": "detector", "detector": facts}
        if preparation is not None:
            source["preparation"] = asdict(preparation)
    source["fixation_eye"] = choice.as_json()
    source["notes"] = [choice.note] if choice.note else []
    return place_known(table, recording.placements), source


def refuse_undetectable(recording: Recording, detector: Detector | None) -> None:
    """Refuse a recording without samples, or without a size of a degree in its pixels."""
    if recording.sample_table is None and detector is None:
        raise InputError(
            "holds neither fixations nor samples", hint="export the recording again, with both"
        )
    if recording.sample_table is None:
        raise ConfigError(
            "no samples to detect fixations in",
            hint="use gazetrack convert: the export has its own fixations",
        )
    has_scale = recording.screen is not None and recording.screen.px_per_deg is not None
    if recording.world_camera and not has_scale:
        of_camera = f"the field of view of the {recording.world_camera} is not known"
        raise ConfigError(
            f"detecting fixations needs degrees: {of_camera}",
            hint="give its width, as in --fov 82 (with --screen WIDTHxHEIGHT of its image)",
        )


def suited(detector: Detector | None, recording: Recording) -> Detector:
    """Return the detector, or in place of the default one that which suits a world camera.

    Behind a camera that moves with the head the eyes drift against the head to stay on what they
    look at, which is a fixation and no smooth pursuit.
    """
    default = DETECTORS[DEFAULT]()
    if recording.world_camera and detector in (None, default):
        return BEHIND_CAMERA
    return detector or default


def _detected(
    recording: Recording, detector: Detector, preparation: Preparation | None, eye: str
) -> tuple[pa.Table, dict[str, Any]]:
    """Return the fixations in the gaze that `eye` asks for, and the detector's facts.

    They are those in the combined gaze, in the gaze of one eye, or in that of each eye in turn.
    """
    tables: list[pa.Table] = []
    facts: dict[str, Any] = {}
    for side in sides(recording, preparation, eye):
        samples = recording.sample_table if side is None else gaze_of(recording.sample_table, side)
        if preparation is not None:
            samples = prepare(samples, recording.screen, preparation)
        table, facts = detect(samples, recording.screen, detector)
        columns = {name: table[name] for name in table.column_names}
        columns["eye"] = whose(recording, preparation, side)
        tables.append(conform(columns, FIXATIONS))
    found = pa.concat_tables(tables).unify_dictionaries()
    return with_participants(found, recording), facts


def sides(
    recording: Recording, preparation: Preparation | None, eye: str
) -> list[str] | list[None]:
    """Return the eyes to detect in one after the other; None stands for the combined gaze."""
    if eye in ("left", "right"):
        return [eye]
    if eye != "both":
        return [None]
    if preparation is not None and preparation.eye != "exported":
        raise ConfigError(
            f"each eye on its own, and eye={preparation.eye}", hint="leave out one of the two"
        )
    with_gaze = [side for side in ("left", "right") if has_gaze(recording.sample_table, side)]
    return with_gaze or [None]


def whose(recording: Recording, preparation: Preparation | None, side: str | None) -> str:
    """Return whose the detected fixations are: the eye that the gaze was in the end taken of."""
    prepared = None if preparation is None else preparation.eye
    # What is done last decides: preparation takes another eye's gaze out of the same samples.
    for taken in (prepared, side, recording.eyes):
        if taken in ("left", "right"):
            return str(taken)
    return "both"


def with_participants(table: pa.Table, recording: Recording) -> pa.Table:
    """Return detected events with who was recorded, as the reader or the export's events say.

    A recording whose events name several people, or none, has no participant.
    """
    named = recording.event_table.select(["recording", "participant"]).to_pandas().astype(str)
    named = named[named["participant"] != ""].drop_duplicates()
    of_one = named.drop_duplicates("recording", keep=False)
    owners = dict(recording.participants)
    owners |= of_one.set_index("recording")["participant"].to_dict()
    if not owners:
        return table
    participants: npt.NDArray[np.object_] = (
        table["recording"].to_pandas().astype(str).map(owners).fillna("").to_numpy(object)
    )
    columns = {name: table[name] for name in table.column_names}
    columns["participant"] = participants
    return conform(columns, table.schema)
