"""The tables: columns, types, units and meanings of everything gazetrack writes.

Every column carries its unit in its name and again, with its meaning, in the Arrow field metadata.
Missing numbers are NaN, missing texts are empty; an Arrow null never appears. Times are
milliseconds from the start of the recording. Positions are pixels, origin at the top left corner, y
down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import SchemaError, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

VERSION = 1
TEXT = pa.dictionary(pa.int32(), pa.string())


def column(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    """Return a column that says its unit and its meaning, and is never null.

    Parameters
    ----------
    name : str
        The column's name, with its unit at the end where it has one.
    kind : pyarrow.DataType
        What a cell holds; `TEXT` for names, which repeat.
    unit : str
        The unit as a reader writes it, such as ``deg/s``; empty for names and counts.
    meaning : str
        What a cell says, in words for the user.
    """
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})


_field = column  # so that the tables below are read as tables


_RECORDING = _field(
    "recording",
    TEXT,
    "",
    "recording the row belongs to; called after the file, or its folder, "
    "unless the export names it",
)
_PARTICIPANT = _field(
    "participant", TEXT, "", "participant as named by the export; empty when it names none"
)
_STIMULUS = _field(
    "stimulus", TEXT, "", "image or other stimulus shown; empty when the export names none"
)
_TRIAL = _field(
    "trial", TEXT, "", "trial, block or timeline as named by the export; empty when it names none"
)

SAMPLES = pa.schema(
    [
        _RECORDING,
        _TRIAL,
        _STIMULUS,
        _field("t_ms", pa.float64(), "ms", "time from the start of the recording"),
        *(
            _field(f"{eye}_{name}", pa.float32(), unit, f"{meaning} of the {eye} eye")
            for eye in ("left", "right")
            for name, unit, meaning in (
                ("x_px", "px", "horizontal gaze position on the screen"),
                ("y_px", "px", "vertical gaze position on the screen"),
                ("pupil", "as exported", "pupil size"),
            )
        ),
        _field("x_px", pa.float32(), "px", "horizontal gaze position on the screen, eyes combined"),
        _field("y_px", pa.float32(), "px", "vertical gaze position on the screen, eyes combined"),
    ]
)

EVENTS = pa.schema(
    [
        _RECORDING,
        _PARTICIPANT,
        _STIMULUS,
        _TRIAL,
        _field(
            "kind",
            TEXT,
            "",
            "fixation, saccade, blink, message, input, button, unclassified or eyes_not_found",
        ),
        _field(
            "index",
            pa.int32(),
            "",
            "the export's own number of the event, or its order within the trial from 1",
        ),
        _field(
            "eye",
            TEXT,
            "",
            "left, right, or both when the export combines the eyes; empty for messages",
        ),
        _field("onset_ms", pa.float64(), "ms", "first moment, from the start of the recording"),
        _field(
            "duration_ms", pa.float64(), "ms", "length of the half-open interval; 0 for messages"
        ),
        _field(
            "x_px",
            pa.float32(),
            "px",
            "mean horizontal position on the screen; start position for saccades",
        ),
        _field(
            "y_px",
            pa.float32(),
            "px",
            "mean vertical position on the screen; start position for saccades",
        ),
        _field("end_x_px", pa.float32(), "px", "horizontal end position of a saccade"),
        _field("end_y_px", pa.float32(), "px", "vertical end position of a saccade"),
        _field("amplitude_deg", pa.float32(), "deg", "saccade amplitude as exported"),
        _field("peak_velocity_deg_s", pa.float32(), "deg/s", "peak saccade velocity as exported"),
        _field("pupil", pa.float32(), "as exported", "mean pupil size"),
        _field("text", TEXT, "", "text of a message"),
    ]
)

FIXATIONS = pa.schema(
    [
        _RECORDING,
        _PARTICIPANT,
        _STIMULUS,
        _TRIAL,
        _field(
            "index",
            pa.int32(),
            "",
            "number of the fixation in temporal order; may have holes when the export has",
        ),
        _field("eye", TEXT, "", "whose fixation: left, right, or both when the eyes are combined"),
        _field(
            "onset_ms", pa.float64(), "ms", "first moment, from the time origin in the metadata"
        ),
        _field("duration_ms", pa.float64(), "ms", "length of the half-open interval"),
        _field(
            "x_px",
            pa.float32(),
            "px",
            "horizontal position: of the image where image_width_px is given, else of the screen",
        ),
        _field(
            "y_px",
            pa.float32(),
            "px",
            "vertical position: of the image where image_height_px is given, else of the screen",
        ),
        _field(
            "dispersion_px",
            pa.float32(),
            "px",
            "(max x - min x) + (max y - min y) over the samples; NaN without samples",
        ),
        _field(
            "median_x_px",
            pa.float32(),
            "px",
            "median horizontal position, as x_px; NaN without samples",
        ),
        _field(
            "median_y_px",
            pa.float32(),
            "px",
            "median vertical position, as y_px; NaN without samples",
        ),
        _field(
            "rms_s2s_px",
            pa.float32(),
            "px",
            "RMS of the steps from sample to sample; NaN without samples",
        ),
        _field(
            "amplitude_deg",
            pa.float32(),
            "deg",
            "distance from the fixation before; NaN for the first, "
            "and where the screen's physical size is not known",
        ),
        _field("pupil", pa.float32(), "as exported", "mean pupil size"),
        _field(
            "n_samples",
            pa.int32(),
            "",
            "samples in the fixation; 0 when the export has fixations only",
        ),
        _field(
            "image_width_px",
            pa.float32(),
            "px",
            "width of the image; NaN when its placement is not known",
        ),
        _field(
            "image_height_px",
            pa.float32(),
            "px",
            "height of the image; NaN when its placement is not known",
        ),
    ]
)

QUALITY = pa.schema(
    [
        _RECORDING,
        _TRIAL,
        _STIMULUS,
        _field("target", TEXT, "", "what was to be looked at; empty without targets"),
        _field("eye", TEXT, "", "left, right, or both when the eyes are combined"),
        _field("onset_ms", pa.float64(), "ms", "first sample of the period; NaN without any"),
        _field(
            "duration_ms",
            pa.float64(),
            "ms",
            "from first to last sample and one step more; pauses are left out",
        ),
        _field("n_samples", pa.int64(), "", "samples in the period, with or without gaze"),
        _field(
            "rate_hz",
            pa.float64(),
            "Hz",
            "sampling rate as measured from the steps between samples",
        ),
        _field("effective_rate_hz", pa.float64(), "Hz", "samples with gaze per second"),
        _field(
            "jitter_ms",
            pa.float64(),
            "ms",
            "standard deviation of the steps between samples, gaps left out",
        ),
        _field("loss", pa.float64(), "", "share of the samples without gaze, 0 to 1"),
        _field(
            "loss_expected",
            pa.float64(),
            "",
            "share of the samples expected at rate_hz that lack gaze or are not there",
        ),
        _field("n_gaps", pa.int64(), "", "stretches without gaze"),
        _field("longest_gap_ms", pa.float64(), "ms", "the longest of them"),
        _field("gaps_ms", pa.float64(), "ms", "all of them together"),
        *(
            _field(f"{name}_{unit}{power}", pa.float64(), f"{unit}{power and '²'}", meaning)
            for unit in ("px", "deg")
            for name, power, meaning in (
                ("rms_s2s", "", "precision: root mean square of the steps from sample to sample"),
                ("std", "", "precision: standard deviations of both axes as one length"),
                ("bcea", "2", "precision: area of the ellipse that holds 68 % of the gaze"),
                (
                    "window_rms_s2s",
                    "",
                    "median of RMS-S2S in a window that moves along the samples",
                ),
                ("window_std", "", "median of STD in a window that moves along the samples"),
            )
        ),
        _field("accuracy_px", pa.float64(), "px", "distance of the mean gaze from the target"),
        _field("accuracy_deg", pa.float64(), "deg", "angle between mean gaze and target"),
        _field(
            "accuracy_x_deg", pa.float64(), "deg", "horizontal part of it, positive to the right"
        ),
        _field("accuracy_y_deg", pa.float64(), "deg", "vertical part of it, positive down"),
    ]
)

_AOI = _field("aoi", TEXT, "", "area of interest")
_STATES = _field(
    "states",
    TEXT,
    "",
    "aois: fixations in no area are left out of the sequence; "
    "aois+outside: outside is a state like an area",
)

AOI_MEASURES = pa.schema(
    [
        _RECORDING,
        _PARTICIPANT,
        _TRIAL,
        _STIMULUS,
        _AOI,
        _field("dwell_ms", pa.float64(), "ms", "fixation time in the area, while it was there"),
        _field(
            "dwell_share_of_fixation_time",
            pa.float64(),
            "",
            "dwell_ms / trial_fixation_ms; areas that overlap sum to more than they cover",
        ),
        _field("dwell_share_of_trial", pa.float64(), "", "dwell_ms / trial_ms"),
        _field("fixations", pa.int32(), "", "fixations in the area"),
        _field("fixation_share", pa.float64(), "", "fixations / trial_fixations"),
        _field("mean_fixation_ms", pa.float64(), "ms", "dwell_ms / fixations; NaN where never"),
        _field("visits", pa.int32(), "", "runs of consecutive fixations in the area"),
        _field(
            "entries",
            pa.int32(),
            "",
            "visits that came from elsewhere, not with the first fixation",
        ),
        _field("revisits", pa.int32(), "", "visits after the first"),
        _field(
            "time_to_first_fixation_ms",
            pa.float64(),
            "ms",
            "from the start of the trial, or the area's onset if later, to the first fixation in "
            "it; NaN where never",
        ),
        _field(
            "censored",
            pa.bool_(),
            "",
            "whether the area was never fixated, so that observed_ms is no time of an event",
        ),
        _field(
            "observed_ms",
            pa.float64(),
            "ms",
            "for survival analysis: time_to_first_fixation_ms, or where censored, how long it was "
            "waited for while the area could still be seen",
        ),
        _field("first_fixation_ms", pa.float64(), "ms", "how long the first fixation in it lasted"),
        _field(
            "first_fixation_number",
            pa.float64(),
            "",
            "its number among the trial's fixations, from 1; NaN where never",
        ),
        _field("first_visit_ms", pa.float64(), "ms", "dwell of the first visit: first-pass dwell"),
        _field("first_visit_fixations", pa.int32(), "", "fixations of the first visit"),
        _field(
            "first_entry_ms",
            pa.float64(),
            "ms",
            "onset of the first fixation in it, from the start of the trial",
        ),
        _field("first_exit_ms", pa.float64(), "ms", "end of the first visit, likewise"),
        _field("last_entry_ms", pa.float64(), "ms", "onset of the last visit, likewise"),
        _field("last_exit_ms", pa.float64(), "ms", "end of the last visit, likewise"),
        _field("available_ms", pa.float64(), "ms", "how long the area was there within the trial"),
        _field(
            "area_share",
            pa.float64(),
            "",
            "share of the image in which a fixation counts for the area, its margin included; NaN "
            "without an image's size",
        ),
        _field(
            "window",
            TEXT,
            "",
            "how the trial's time is known: stated (--trials), clock (from 0 of its own clock to "
            "the last fixation), fixations (from the first to the last)",
        ),
        _field(
            "trial_onset_ms", pa.float64(), "ms", "start of the trial on the fixations' own clock"
        ),
        _field("trial_ms", pa.float64(), "ms", "length of the trial; NaN where nobody knows"),
        _field("trial_fixations", pa.int32(), "", "fixations in the trial, in areas or not"),
        _field("trial_fixation_ms", pa.float64(), "ms", "all of them together"),
    ]
)

AOI_TRANSITIONS = pa.schema(
    [
        _RECORDING,
        _PARTICIPANT,
        _TRIAL,
        _STIMULUS,
        _STATES,
        _field("from_aoi", TEXT, "", "area of a fixation, or (outside)"),
        _field("to_aoi", TEXT, "", "area of the next fixation, which may be the same"),
        _field("transitions", pa.int32(), "", "how often; pairs that never occur have no row"),
        _field("probability", pa.float64(), "", "share among the transitions from from_aoi"),
    ]
)

AOI_ENTROPY = pa.schema(
    [
        _RECORDING,
        _PARTICIPANT,
        _TRIAL,
        _STIMULUS,
        _STATES,
        _field("n_states", pa.int32(), "", "areas of the stimulus, and outside where it is one"),
        _field("fixations", pa.int32(), "", "fixations in the sequence"),
        _field("transitions", pa.int32(), "", "steps of the sequence"),
        *(
            _field(f"{which}{name}{unit}", pa.float64(), unit_name, f"{meaning}; {how}{ends}")
            for which, how in (
                ("", "pi is the stationary distribution of the chain"),
                ("fixation_", "pi is the share of fixations"),
            )
            for name, meaning in (
                ("transition_entropy", "-sum pi_i sum p_ij log2 p_ij"),
                ("stationary_entropy", "-sum pi_i log2 pi_i"),
            )
            for unit, unit_name, ends in (
                ("_bits", "bit", ""),
                ("_share", "", "; over log2 n_states"),
            )
        ),
    ]
)

MANIFEST = pa.schema(
    [
        _field("image_id", TEXT, "", "name of the image without folder and suffix"),
        _field("image", TEXT, "", "image file, relative to the data folder"),
        _field("mask", TEXT, "", "mask file, relative to the data folder; empty without one"),
        _field("split", TEXT, "", "train, val, test, or empty for none"),
    ]
)


def conform(columns: pa.Table | Mapping[str, object], schema: pa.Schema) -> pa.Table:
    """Return the columns as a table of exactly this schema.

    Parameters
    ----------
    columns : pyarrow.Table or mapping of str to array-like
        Columns by name, in any order. Scalars are repeated. Absent columns are filled: NaN, 0 or
        empty text.
    schema : pyarrow.Schema
        One of the schemas of this module, such as `FIXATIONS`, or another of `column`s.

    Returns
    -------
    pyarrow.Table
        All columns of the schema, in its order, its types, without nulls.

    Raises
    ------
    SchemaError
        A column is unknown to the schema, of another length, or cannot have the schema's type.
    """
    given = (
        dict(zip(columns.column_names, columns.columns, strict=True))
        if isinstance(columns, pa.Table)
        else dict(columns)
    )
    unknown = [name for name in given if name not in schema.names]
    if unknown:
        raise SchemaError(f"unknown columns {unknown}", hint=f"known are {schema.names}")
    lengths = {len(value) for value in given.values() if not np.isscalar(value)}
    if len(lengths) > 1:
        raise SchemaError(f"columns of different lengths: {sorted(lengths)}")
    n_rows = lengths.pop() if lengths else 0
    return pa.Table.from_arrays(
        [_column(given.get(field.name), field, n_rows) for field in schema], schema=schema
    )


def coded(codes: npt.NDArray[np.integer], names: Sequence[str]) -> pa.DictionaryArray:
    """Return names[codes] as a column of texts.

    Its dictionary is the names that are used, in their order.
    """
    used, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    own: dict[str, int] = {}
    places = np.empty(len(used), np.int32)
    for at in np.argsort(first):
        places[at] = own.setdefault(names[used[at]], len(own))
    return pa.DictionaryArray.from_arrays(places[codes], pa.array(list(own), pa.string()))


def _column(value: object, field: pa.Field, n_rows: int) -> pa.ChunkedArray:
    if value is None:
        value = "" if field.type == TEXT else np.nan if pa.types.is_floating(field.type) else 0
    if np.isscalar(value):
        if field.type == TEXT:
            return pa.chunked_array(
                [
                    pa.DictionaryArray.from_arrays(
                        np.zeros(n_rows, np.int32), pa.array([value], pa.string())
                    )
                ]
            )
        return pa.chunked_array([pa.array(np.full(n_rows, value), type=field.type)])
    try:
        array = (
            value
            if isinstance(value, pa.Array | pa.ChunkedArray)
            else pa.array(value, from_pandas=True)
        )
        if field.type == TEXT:
            return _text_column(array)
        if array.type != field.type:
            array = pc.cast(array, field.type, safe=not pa.types.is_floating(field.type))
        if array.null_count:
            array = pc.fill_null(array, np.nan if pa.types.is_floating(field.type) else 0)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SchemaError(
            f"column {field.name!r} cannot be {field.type}: {quote(error, 150)}"
        ) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _text_column(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    if array.type == TEXT and array.null_count == 0:
        unified = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
        return unified.unify_dictionaries()
    if pa.types.is_dictionary(array.type) and array.type.value_type != pa.string():
        array = _coded_as_strings(array)
    plain = pc.cast(array, pa.string())
    encoded = pc.fill_null(plain, "").dictionary_encode()
    return (
        pa.chunked_array([encoded])
        if isinstance(encoded, pa.Array)
        else encoded.unify_dictionaries()
    )


def _coded_as_strings(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts that are coded with another type of theirs, such as the views of polars."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    recoded = [
        pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))
        for chunk in chunks
    ]
    return pa.chunked_array(recoded, pa.dictionary(array.type.index_type, pa.string()))
