"""From a recording to its fixation table: the tracker's own fixations where it has any, else detected ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.checks import valid_fixations
from gazetrack.errors import ConfigError, InputError
from gazetrack.events.base import detect
from gazetrack.events.detectors import DEFAULT, DETECTORS
from gazetrack.kernels.segments import describe_runs
from gazetrack.preparation import prepare
from gazetrack.recording import Placement, Recording, Screen, place
from gazetrack.schema import FIXATIONS, conform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    import pandas as pd

    from gazetrack.events.base import Detector
    from gazetrack.preparation import Preparation

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
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


def stem(name: str) -> str:
    """Return a stimulus or image name without folder and image suffix; a dot in the name itself stays.

    >>> stem("shown/case.12.jpg"), stem("case.12")
    ('case.12', 'case.12')
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    head, dot, tail = base.rpartition(".")
    return head if dot and f".{tail.lower()}" in IMAGE_SUFFIXES else base


def fixation_table(
    recording: Recording, detector: Detector | None = None, preparation: Preparation | None = None
) -> tuple[pa.Table, dict[str, Any]]:
    """Return a recording's fixations, on image pixels wherever the export says where the image lay.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    detector : Detector, optional
        Detect fixations from the samples with these parameters even when the export has its own. Without it, the
        default one serves exports that have samples only.
    preparation : Preparation, optional
        What to do to the samples before; nothing by default.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS`; and where the fixations come from: ``fixation_source`` (``export`` or ``detector``), for
        the latter ``detector`` and ``preparation`` with all their parameters, for the former ``left_out`` with the
        number of impossible ones by reason, where there are any.

    Raises
    ------
    ConfigError
        A detector was asked for, and the export has no samples.
    InputError
        The export has neither fixations nor samples.
    """
    source: dict[str, Any] = {"fixation_source": "export"}
    if detector is None and recording.fixations is not None:
        table = recording.fixations
    elif detector is None and (vendor := _vendor_fixations(recording)) is not None:
        table, left_out = valid_fixations(vendor)
        source |= {"left_out": left_out} if left_out else {}
    else:
        if recording.samples is None and detector is None:
            raise InputError("holds neither fixations nor samples", hint="export the recording again, with both")
        if recording.samples is None:
            raise ConfigError(
                "no samples to detect fixations in", hint="use gazetrack convert: the export has its own fixations"
            )
        samples = recording.samples
        if preparation is not None:
            samples = prepare(samples, recording.screen, preparation)
        table, facts = detect(samples, recording.screen, detector or DETECTORS[DEFAULT]())
        source = {"fixation_source": "detector", "detector": facts}
        source |= {"preparation": asdict(preparation)} if preparation is not None else {}
    return place_known(table, recording.placements), source


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
        See `gazetrack.recording.place`; None leaves the table as it is.
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
    events = recording.events.to_pandas()
    events = events[events["kind"] == "fixation"]
    if events.empty:
        return None
    columns: dict[str, object] = {name: events[name] for name in _FROM_EVENTS}
    if recording.samples is not None:
        facts = _sample_facts(events, recording.samples)
        unplaced = events["x_px"].isna() | events["y_px"].isna()
        columns |= {"n_samples": facts[:, 6].astype(np.int32), "dispersion_px": facts[:, 4]}
        for axis, values in (("x_px", facts[:, 0]), ("y_px", facts[:, 1])):
            columns[axis] = events[axis].mask(unplaced, values)
    return conform(columns, FIXATIONS)


_EYE_COLUMNS = {"left": ("left_x_px", "left_y_px"), "right": ("right_x_px", "right_y_px"), "both": ("x_px", "y_px")}


def _sample_facts(events: pd.DataFrame, samples: pa.Table) -> npt.NDArray[np.float64]:
    """Return what `describe_runs` says of the samples in each fixation [n, 7], with one eye in memory at a time."""
    facts = np.full((len(events), 7), np.nan)
    facts[:, 6] = 0
    names = samples["recording"].unify_dictionaries()
    several = len(names.unique()) > 1
    for recording, own_events in events.groupby("recording", observed=True).indices.items():
        own = samples
        if several:
            codes = [chunk.indices.to_numpy() == chunk.dictionary.index(recording).as_py() for chunk in names.chunks]
            own = samples.filter(pa.array(np.concatenate(codes)))
        t = own["t_ms"].to_numpy()
        order = slice(None) if (np.diff(t) >= 0).all() else np.argsort(t, kind="stable")
        t = t[order]
        onsets, eyes = events["onset_ms"].to_numpy()[own_events], events["eye"].to_numpy(object)[own_events]
        ends = onsets + events["duration_ms"].to_numpy()[own_events]
        first, last = np.searchsorted(t, onsets), np.searchsorted(t, ends)
        del t
        for eye in dict.fromkeys(eyes):
            x, y = (own[name].to_numpy()[order] for name in _EYE_COLUMNS.get(str(eye), _EYE_COLUMNS["both"]))
            at = eyes == eye
            facts[own_events[at]] = describe_runs(x, y, first[at], np.maximum(last[at], first[at]))
    return facts
