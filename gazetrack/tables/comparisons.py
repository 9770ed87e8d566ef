"""The tables of scanpaths beside each other and of saliency scores: columns, units, meanings."""

from __future__ import annotations

import pyarrow as pa

from gazetrack.tables.schema import TEXT


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})


_STIMULUS = _field("stimulus", TEXT, "", "image or other stimulus that was looked at")
_REASON = _field("reason", TEXT, "", "why there is no value; else empty")

SCANPATHS = pa.schema(
    [
        _STIMULUS,
        *(
            _field(f"{name}_{letter}", TEXT, "", f"{name} of the {which} scanpath")
            for letter, which in (("a", "first"), ("b", "second"))
            for name in ("recording", "participant", "trial", "eye")
        ),
        _field("n_fixations_a", pa.int64(), "", "fixations of the first scanpath"),
        _field("n_fixations_b", pa.int64(), "", "fixations of the second scanpath"),
        _field("method", TEXT, "", "how they are compared, such as multimatch or dtw"),
        _field("measure", TEXT, "", "which of the method's measures the value is"),
        _field("unit", TEXT, "", "px or %; empty for shares from 0 to 1, and for counts"),
        _field("value", pa.float64(), "see unit", "the measure; NaN where there is none"),
        _REASON,
    ]
)

SCANPATH_MATRIX = pa.schema(
    [
        _field("method", TEXT, "", "how scanpaths are compared"),
        _field("measure", TEXT, "", "which of the method's measures the values are"),
        _field("unit", TEXT, "", "px or %; empty for shares from 0 to 1, and for counts"),
        _field("recording", TEXT, "", "one of the two, or a participant where one holds several"),
        _field("other", TEXT, "", "the other one; every pair is there both ways"),
        _field("value", pa.float64(), "see unit", "mean over stimuli and trials; NaN without any"),
    ]
)

SALIENCY = pa.schema(
    [
        _STIMULUS,
        _field("recording", TEXT, "", "whose fixations; empty where all observers count together"),
        _field("participant", TEXT, "", "who looked; empty where all observers count together"),
        _field("scored", TEXT, "", "map, or centre_bias: a Gaussian in its place"),
        _field("n_fixations", pa.int64(), "", "fixations on the map"),
        _field("n_outside", pa.int64(), "", "fixations beside it, which are left out"),
        _field("width_px", pa.int64(), "px", "width of the map; 0 without one"),
        _field("height_px", pa.int64(), "px", "height of the map; 0 without one"),
        *(
            _field(name, pa.float64(), unit, meaning)
            for name, unit, meaning in (
                ("nss", "sd", "mean of the map at fixations, in its standard deviations"),
                ("auc_judd", "", "how often a fixation is above a pixel of the map; .5 at chance"),
                ("auc_borji", "", "the same with random pixels, as many as fixations"),
                ("auc_shuffled", "", "the same with fixations on the other images"),
                ("kl", "nats", "Kullback-Leibler divergence from the blurred fixations"),
                ("cc", "", "correlation with the blurred fixations"),
                ("sim", "", "what densities of map and blurred fixations share, 0 to 1"),
                ("information_gain", "bit", "per fixation, over the centre bias"),
                ("information_gain_uniform", "bit", "per fixation, over a flat map"),
            )
        ),
        _REASON,
    ]
)
