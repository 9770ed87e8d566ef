"""The tables that `gazetrack pupil` writes: a row per sample and eye, a row per trial and eye."""

from __future__ import annotations

import pyarrow as pa

from gazetrack.tables.schema import EVENTS, TEXT, column

_EYE = column("eye", TEXT, "", "left, right, or both: the mean of the two, or what is exported")
_NAMES = [EVENTS.field(name) for name in ("recording", "participant", "stimulus", "trial")]

# Why a sample is not used, in the order in which it is looked at; the first reason stands.
REASONS = ("missing", "size", "speed", "edge", "trend", "isolated")

PUPIL = pa.schema(
    [
        *_NAMES,
        _EYE,
        column("t_ms", pa.float64(), "ms", "time from the start of the recording"),
        column("raw_pupil", pa.float32(), "as exported", "pupil size as exported"),
        column(
            "pupil",
            pa.float32(),
            "as exported",
            "pupil size after all steps; NaN where nothing is known",
        ),
        column(
            "baseline_pupil",
            pa.float32(),
            "as exported",
            "baseline of the trial; NaN without one",
        ),
        column(
            "change_pupil",
            pa.float32(),
            "as exported, or 1",
            "pupil less the baseline, or divided by it, as the metadata say; NaN without one",
        ),
        column(
            "removed_by",
            TEXT,
            "",
            "why the sample was not used: missing, size, speed, edge (of a gap), trend or "
            "isolated; empty where it was",
        ),
        column("is_filled", pa.bool_(), "", "whether pupil is interpolated here"),
    ]
)

PUPIL_TRIALS = pa.schema(
    [
        *_NAMES,
        _EYE,
        column("onset_ms", pa.float64(), "ms", "first sample of the trial"),
        column("duration_ms", pa.float64(), "ms", "from its first sample to its last"),
        column("n_samples", pa.int64(), "", "samples of the trial"),
        *(
            column(f"n_{reason}", pa.int64(), "", f"samples not used: {meaning}")
            for reason, meaning in zip(
                REASONS,
                (
                    "no pupil size, or zero",
                    "outside the possible sizes",
                    "dilation speed too large",
                    "beside a gap or blink",
                    "too far from the trend line",
                    "few ones alone between gaps",
                ),
                strict=True,
            )
        ),
        column("n_filled", pa.int64(), "", "samples interpolated"),
        column("lost", pa.float64(), "", "share of the samples without a pupil in the end, 0 to 1"),
        column(
            "baseline_pupil", pa.float64(), "as exported", "baseline of the trial; NaN without one"
        ),
        column("n_baseline", pa.int64(), "", "samples that the baseline is made of"),
        column("mean_pupil", pa.float64(), "as exported", "mean of pupil"),
        column("mean_change_pupil", pa.float64(), "as exported, or 1", "mean of change_pupil"),
        column("peak_change_pupil", pa.float64(), "as exported, or 1", "largest change_pupil"),
        column("peak_ms", pa.float64(), "ms", "its time from the onset of the trial"),
    ]
)
