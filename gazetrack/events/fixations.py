"""From a recording to its fixation table: the tracker's own fixations where it has any, else detected ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import ConfigError, InputError
from gazetrack.events.auto import BEHIND_CAMERA
from gazetrack.events.base import detect
from gazetrack.events.detectors import DEFAULT, DETECTORS
from gazetrack.events.prepare import prepare
from gazetrack.kernels.segments import describe_runs
from gazetrack.tables.placement import Placement, place
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.screen import Screen
from gazetrack.tables.selection import EyeChoice, gaze_of, has_gaze, one_eye
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    import pandas as pd

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation
    from gazetrack.tables.recording import Recording

_FROM_EVENTS = [
    "recording",
    "participant",
    "stimulus",
    "trial",
    "index",
    "eye",
    "onset_ms",
    "duration_ms",
    "x_px",
    "y_px",
    "pupil",
]


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
        What to do to the samples before; nothing by default.
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
    source: dict[str, Any] = {"fixation_source": "export"}
    vendor, left_out = (None, {}) if detector is not None else _exported(recording)
    if vendor is not None:
        table, choice = one_eye(vendor, eye)
        left_out |= {"of the other eye": choice.left_out} if choice.left_out else {}
        source |= {"left_out": left_out} if left_out else {}
    else:
        if recording.sample_table is None and detector is None:
            raise InputError(
                "holds neither fixations nor samples", hint="export the recording again, with both"
            )
        if recording.sample_table is None:
            raise ConfigError(
                "no samples to detect fixations in",
                hint="use gazetrack convert: the export has its own fixations",
            )
        if recording.world_camera and (
            recording.screen is None or recording.screen.px_per_deg is None
        ):
            what = f"detecting fixations needs degrees: the field of view of the {recording.world_camera} is not known"
            raise ConfigError(
                what,
                hint="give its width, as in --fov 82 (with --screen WIDTHxHEIGHT of its image)",
            )
        table, facts = _detected(recording, _suited(detector, recording), preparation, eye)
        choice = EyeChoice(asked=eye, held=tuple(sorted(set(table["eye"].to_pylist()))))
        source = {"fixation_source": "detector", "detector": facts}
        source |= {"preparation": asdict(preparation)} if preparation is not None else {}
    source |= {"fixation_eye": choice.as_json(), "notes": [choice.note] if choice.note else []}
    return place_known(table, recording.placements), source


def _exported(recording: Recording) -> tuple[pa.Table | None, dict[str, int]]:
    """Return the export's own fixations, each eye's, or None; and the number of impossible ones by reason."""
    if recording.fixation_table is not None:
        return recording.fixation_table, {}
    vendor = _vendor_fixations(recording)
    return (
        (None, {})
        if vendor is None
        else valid_fixations(vendor, positions=not recording.no_positions)
    )


def _detected(
    recording: Recording, detector: Detector, preparation: Preparation | None, eye: str
) -> tuple[pa.Table, dict[str, Any]]:
    """Return the fixations in the combined gaze or in that of one eye or of each, and the detector's facts."""
    samples = recording.sample_table
    prepared = "exported" if preparation is None else preparation.eye
    sides = [eye] if eye in ("left", "right") else []
    if eye == "both":
        sides = [side for side in ("left", "right") if has_gaze(samples, side)]
        if prepared != "exported":
            raise ConfigError(
                f"each eye on its own, and eye={prepared}", hint="leave out one of the two"
            )
    tables: list[pa.Table] = []
    facts: dict[str, Any] = {}
    for side in sides or [""]:
        own = gaze_of(samples, side) if side else samples
        own = own if preparation is None else prepare(own, recording.screen, preparation)
        table, facts = detect(own, recording.screen, detector)
        whose = next(
            (one for one in (prepared, side, recording.eyes) if one in ("left", "right")), "both"
        )
        tables.append(
            conform({name: table[name] for name in table.column_names} | {"eye": whose}, FIXATIONS)
        )
    found = pa.concat_tables(tables).unify_dictionaries()
    return _with_participants(found, recording), facts


def _with_participants(table: pa.Table, recording: Recording) -> pa.Table:
    """Return detected fixations with who was recorded, by what the reader or the events of the recording say.

    A recording whose events name several people, or none, has no participant.
    """
    rows = (
        recording.event_table.select(["recording", "participant"])
        .to_pandas()
        .astype(str)
        .drop_duplicates()
    )
    named = rows[rows["participant"] != ""]
    owners = (
        named.drop_duplicates("recording", keep=False)
        .set_index("recording")["participant"]
        .to_dict()
    )
    owners |= {name: who for name, who in recording.participants.items() if name not in owners}
    if not owners:
        return table
    participant = table["recording"].to_pandas().astype(str).map(owners).fillna("").to_numpy(object)
    columns = {name: table[name] for name in table.column_names}
    return conform(columns | {"participant": participant}, FIXATIONS)


def _suited(detector: Detector | None, recording: Recording) -> Detector:
    """Return the detector; the default one takes nothing for smooth pursuit behind a camera that moves with the head.

    There the eyes drift against the head to stay on what they look at, which is a fixation.
    """
    default = DETECTORS[DEFAULT]()
    if recording.world_camera and detector in (None, default):
        return BEHIND_CAMERA
    return detector or default


def place_known(table: pa.Table, placements: Mapping[str, Placement]) -> pa.Table:
    """Map the fixations on every stimulus with a known placement from screen to image pixels."""
    return _place(table, placements.get) if placements else table


def place_by_rule(
    table: pa.Table, screen: Screen | None, sizes: Mapping[str, tuple[int, int]], rule: str | None
) -> pa.Table:
    """Map the fixations whose image size the table does not know, by a rule of the user's.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`.
    screen : Screen or None
        The screen of the recording.
    sizes : mapping of str to (width, height)
        Image sizes by image id.
    rule : str or None
        See `gazetrack.tables.placement.place`; None leaves the table as it is.
    """
    if rule is None:
        return table

    def placement(stimulus: str) -> Placement | None:
        size = sizes.get(stem(stimulus))
        return None if size is None else place(rule, screen, *size)

    return _place(table, placement)


def screen_of(meta: Mapping[str, Any]) -> Screen | None:
    """Return the screen that a table's metadata state."""
    fields = meta.get("screen")
    return Screen(**fields) if isinstance(fields, dict) else None


def _place(table: pa.Table, placement_of: Callable[[str], Placement | None]) -> pa.Table:
    frame = table.to_pandas()
    unplaced = frame["image_width_px"].isna()
    for stimulus, rows in frame[unplaced].groupby("stimulus", observed=True, sort=False):
        placement = placement_of(str(stimulus))
        if placement is None:
            continue
        for names in (["x_px", "y_px"], ["median_x_px", "median_y_px"]):
            xy = placement.to_image(*(rows[name].to_numpy(np.float64) for name in names))
            frame.loc[rows.index, names] = np.column_stack(xy).astype(np.float32)
        frame.loc[rows.index, "image_width_px"] = placement.image_width_px
        frame.loc[rows.index, "image_height_px"] = placement.image_height_px
    return conform({name: frame[name] for name in frame}, FIXATIONS)


def _vendor_fixations(recording: Recording) -> pa.Table | None:
    """Return the export's own fixation events as a fixation table, or None when it has none."""
    events = recording.event_table.to_pandas()
    events = events[events["kind"] == "fixation"]
    if events.empty:
        return None
    columns: dict[str, object] = {name: events[name] for name in _FROM_EVENTS}
    if recording.sample_table is not None:
        facts = _sample_facts(events, recording.sample_table)
        unplaced = events["x_px"].isna() | events["y_px"].isna()
        columns |= {
            "n_samples": facts[:, 6].astype(np.int32),
            "dispersion_px": facts[:, 4],
            "rms_s2s_px": facts[:, 5],
        }
        columns |= {"median_x_px": facts[:, 2], "median_y_px": facts[:, 3]}
        for axis, values in (("x_px", facts[:, 0]), ("y_px", facts[:, 1])):
            columns[axis] = events[axis].mask(unplaced, values)
    return conform(columns, FIXATIONS)


_WINDOW = 1 << 18  # samples
_TEXTS = ("recording", "trial", "stimulus")
_EYE_COLUMNS = {
    "left": ("left_x_px", "left_y_px"),
    "right": ("right_x_px", "right_y_px"),
    "both": ("x_px", "y_px"),
}


def _sample_facts(events: pd.DataFrame, samples: pa.Table) -> npt.NDArray[np.float64]:
    """Return what `describe_runs` says of the samples in each fixation [n, 7], with a window of them in memory."""
    facts = np.full((len(events), 7), np.nan)
    facts[:, 6] = 0
    onsets, eyes = events["onset_ms"].to_numpy(), events["eye"].to_numpy(object)
    ends = onsets + events["duration_ms"].to_numpy()
    for recording, indices in events.groupby("recording", observed=True).indices.items():
        rows = np.asarray(indices)
        own = _in_order(_samples_of(str(recording), samples))
        first, last = _places(onsets[rows], own["t_ms"]), _places(ends[rows], own["t_ms"])
        last = np.maximum(first, last)
        for eye in dict.fromkeys(eyes[rows]):
            of_eye = np.flatnonzero(eyes[rows] == eye)
            for group in _groups(first[of_eye] // _WINDOW):
                at = of_eye[group]
                start, stop = int(first[at].min()), int(last[at].max())
                columns = _EYE_COLUMNS.get(str(eye), _EYE_COLUMNS["both"])
                x, y = (own[name].slice(start, stop - start).to_numpy() for name in columns)
                facts[rows[at]] = describe_runs(x, y, first[at] - start, last[at] - start)
    return facts


def _groups(keys: npt.NDArray[np.integer]) -> list[npt.NDArray[np.intp]]:
    """Return the places of each of the keys."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if len(keys) else []


def _samples_of(recording: str, samples: pa.Table) -> pa.Table:
    """Return the samples of one recording, without a copy where they lie together."""
    names = samples["recording"].unify_dictionaries()
    if len(names.unique()) == 1:
        return samples
    is_own = np.concatenate(
        [
            chunk.indices.to_numpy() == chunk.dictionary.index(recording).as_py()
            for chunk in names.chunks
        ]
    )
    first, n = int(is_own.argmax()), int(np.count_nonzero(is_own))
    return (
        samples.slice(first, n)
        if is_own[first : first + n].all()
        else samples.filter(pa.array(is_own))
    )


def _in_order(samples: pa.Table) -> pa.Table:
    """Return the samples by their times, without a copy where they are so already."""
    last = -np.inf
    for chunk in samples["t_ms"].chunks:
        t = chunk.to_numpy()
        if len(t) and not (t[0] >= last and (np.diff(t) >= 0).all()):
            order = np.argsort(samples["t_ms"].to_numpy(), kind="stable")
            return samples.select(
                [name for name in samples.column_names if name not in _TEXTS]
            ).take(pa.array(order))
        last = t[-1] if len(t) else last
    return samples


def _places(values: npt.NDArray[np.float64], times: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return the first place in ascending times that is not before each value, chunk by chunk."""
    chunks = [chunk.to_numpy() for chunk in times.chunks if len(chunk)]
    if not chunks:
        return np.zeros(len(values), np.int64)
    offsets = np.cumsum([0, *map(len, chunks)])
    owner = np.maximum(np.searchsorted([chunk[0] for chunk in chunks], values) - 1, 0)
    places = np.empty(len(values), np.int64)
    for at in _groups(owner):
        places[at] = offsets[owner[at[0]]] + np.searchsorted(chunks[owner[at[0]]], values[at])
    return places
