"""The fixations of one recording at hand, as a data frame: detected, or those of the export itself.

Fixations come in three forms: as the data frames of this module, as Arrow tables, and as files.
What follows, such as tracks and comparisons, takes each of them (`as_table`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, InputError, did_you_mean, quote, refuse_other_type
from gazetrack.events.detectors import DEFAULT, DETECTORS
from gazetrack.events.fixations import fixation_table
from gazetrack.interop.arrow import facts_in
from gazetrack.tables.recording import ATTRS_KEY, Recording
from gazetrack.tables.selection import select_eye
from gazetrack.tables.store import conform_fixations, read_fixations, refuse_doubled

if TYPE_CHECKING:
    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation

    # What `as_table` takes.
    Fixations: TypeAlias = pd.DataFrame | pa.Table | str | Path


def detect_fixations(
    recording: Recording,
    detector: str | Detector = DEFAULT,
    *,
    eye: str = "auto",
    preparation: Preparation | None = None,
) -> pd.DataFrame:
    """Detect fixations in the samples of a recording, also where the export has its own.

    Parameters
    ----------
    recording : Recording
        A recording with samples, as `read` gives it.
    detector : str or Detector
        Name of a detector, such as ``auto``, ``ivt`` or ``i2mc``, or one with other parameters,
        such as ``IVT(velocity_threshold_deg_s=50)`` of `gazetrack.events.ivt`.
    eye : {"auto", "left", "right", "both"}
        Whose gaze: by default that of both eyes combined; ``both`` takes each eye on its own.
    preparation : Preparation, optional
        What to do to the samples before, such as filling gaps; nothing by default.

    Returns
    -------
    pandas.DataFrame
        The columns of a fixation table, a row per fixation: onset and duration in milliseconds,
        positions in pixels of the image where the export says where it lay, else of the screen.
        ``attrs["gazetrack"]`` holds the screen, the detector and all its parameters.

    Raises
    ------
    ConfigError
        The export has no samples, or there is no such detector, or it needs degrees of visual angle
        and cannot have them.

    Examples
    --------
    >>> recording = gazetrack.read("raw.tsv")  # doctest: +SKIP
    >>> fixations = gazetrack.detect_fixations(recording)  # doctest: +SKIP
    >>> fixations["duration_ms"].median()  # doctest: +SKIP
    248.0
    """
    return _frame(recording, detector_of(detector), preparation, eye)


def detector_of(detector: str | Detector) -> Detector:
    """Return a detector, also by its name; errors are those of `detect_fixations`."""
    if isinstance(detector, str):
        if detector not in DETECTORS:
            hint = f"{did_you_mean(detector, DETECTORS)}use one of {', '.join(DETECTORS)}"
            raise ConfigError(f"detector {quote(detector)!r}", hint=hint)
        return DETECTORS[detector]()
    if isinstance(detector, type):
        what = f"the detector is the class {quote(detector.__name__)}"
        raise ConfigError(what, hint=f"give one of it: {detector.__name__}()")
    return detector


def exported_fixations(recording: Recording, *, eye: str = "auto") -> pd.DataFrame:
    """Return the fixations that the export itself tells of, as `convert` writes them.

    Parameters
    ----------
    recording : Recording
        A recording as `read` gives it.
    eye : {"auto", "left", "right", "both"}
        Whose fixations: but for ``both``, no moment is in two rows.

    Returns
    -------
    pandas.DataFrame
        The columns of a fixation table; see `detect_fixations`.

    Raises
    ------
    InputError
        The export does not say what the fixations are.

    Examples
    --------
    >>> fixations = gazetrack.exported_fixations(gazetrack.read("raw.asc"))  # doctest: +SKIP
    """
    frame = _frame(recording, None, None, eye)
    if frame.attrs[ATTRS_KEY]["fixation_source"] != "export":
        raise InputError(
            f"{recording.name} has no fixations of its own",
            hint="find them with gazetrack.detect_fixations(recording)",
        )
    return frame


def _frame(
    recording: Recording, detector: Detector | None, preparation: Preparation | None, eye: str
) -> pd.DataFrame:
    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    table, facts = fixation_table(select_eye(recording, eye), detector, preparation, eye)
    notes = [*recording.notes, *facts.pop("notes")]
    frame: pd.DataFrame = table.to_pandas()
    # Placements stay behind: the positions are on the images already, and pandas copies `attrs` at
    # every step.
    frame.attrs[ATTRS_KEY] = recording.facts() | facts | {"notes": notes}
    return frame


def as_table(fixations: Fixations) -> tuple[pa.Table, dict[str, Any]]:
    """Return fixations in any form as an Arrow table, with what is known about them.

    Parameters
    ----------
    fixations : pandas.DataFrame, pyarrow.Table or path-like
        A data frame may be one of `detect_fixations`, part of it, or `pandas.read_parquet` of a
        fixation table. In place of an Arrow table, anything that exports Arrow's C stream, such as
        a table of polars. Columns beside those of the schema are left out.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS`, and the metadata: empty where nobody kept them.

    Raises
    ------
    ConfigError
        It is none of these.
    SchemaError
        A column that is needed is missing, or holds something else than numbers.
    """
    if isinstance(fixations, str | Path):
        return read_fixations(fixations)
    if isinstance(fixations, pd.DataFrame):
        meta = fixations.attrs.get(ATTRS_KEY, {})
        refuse_doubled(map(str, fixations.columns))
        table = pa.Table.from_pandas(fixations, preserve_index=False)
        return conform_fixations(table), meta
    if not hasattr(fixations, "__arrow_c_stream__"):
        hint = (
            "give a data frame, an Arrow table or the path of one fixation table; "
            "gazetrack.detect_fixations finds those of a recording"
        )
        refuse_other_type(fixations, pa.Table, "the table of fixations", hint)
    table = pa.table(fixations)
    return conform_fixations(table), facts_in(table)
