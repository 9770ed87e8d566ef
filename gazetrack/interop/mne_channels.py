"""The channels of MNE that columns of samples become, and the columns that channels become.

Constants are those of the FIFF standard as MNE has them (``mne._fiff.constants``): units, and a
place that says of which eye and along which axis a channel is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.interop.seen import is_one_gaze, seen_eyes
from gazetrack.measures.pupil import are_millimetres
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.tables.eyes import EYES, GAZE_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.tables.recording import Recording

PIXELS, METRES, RADIANS, NO_UNIT = 210, 1, 7, -1  # FIFF_UNIT_PX, _M, _RAD and _NONE
EYE_AT, AXIS_AT = 3, 4  # where in the place of a channel which eye and which axis are
EYE_CODES = {"left": -1.0, "right": 1.0}
AXIS_CODES = {"x": -1.0, "y": 1.0}
M_PER_MM = 1e-3


# Two are equal where they are the same: arrays have no one answer to whether they are equal.
@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """A channel of MNE, and the column of samples that it is made of.

    Parameters
    ----------
    column : str
        Name of the column in a table of samples.
    name : str
        Name of the channel, as MNE's own reader of EyeLink files calls it.
    kind : {"eyegaze", "pupil"}
        The type of the channel in MNE.
    eye : {"left", "right", "both"}
        Whose gaze or pupil it is.
    unit : int
        Number of the unit in the FIFF standard.
    factor : float
        What the column is multiplied by to have this unit.
    loc : ndarray of float64, shape (12,)
        MNE's place of the channel, which holds the eye and the axis.
    """

    column: str
    name: str
    kind: str
    eye: str
    unit: int
    factor: float
    loc: npt.NDArray[np.float64]


def channels_of(recording: Recording, pupil_unit: str) -> list[Channel]:
    """Return the channels of all that is known in the samples of a recording.

    Parameters
    ----------
    recording : Recording
        A recording with at least one sample.
    pupil_unit : {"auto", "mm", "arbitrary"}
        What pupil sizes are, see `to_mne`.

    Raises
    ------
    ConfigError
        There is neither a position nor a pupil.
    """
    table = recording.arrow("samples")
    seen = seen_eyes(recording)
    eyes: list[str] = list(seen)
    # The combined gaze of two eyes is mostly their mean, which MNE takes itself.
    if not seen or not (is_one_gaze(recording) or _is_mean(table)):
        eyes.append("both")
    channels = [_gaze(eye, axis) for eye in eyes for axis in AXIS_CODES if _known(table, eye, axis)]
    sizes = {eye: table[f"{eye}_pupil"].to_numpy().astype(np.float64) for eye in EYES}
    all_sizes = np.concatenate(list(sizes.values()))
    in_mm = are_millimetres(all_sizes, pupil_unit)
    channels += [_pupil(eye, in_mm) for eye in EYES if np.isfinite(sizes[eye]).any()]
    if not channels:
        what = "no sample of the recording has a position or a pupil"
        raise ConfigError(what, hint="look at its notes: gazetrack info FILE says what was lost")
    return channels


def _known(table: pa.Table, eye: str, axis: str) -> bool:
    column = GAZE_COLUMNS[eye][list(AXIS_CODES).index(axis)]
    return bool(np.isfinite(table[column].to_numpy()).any())


def _is_mean(table: pa.Table) -> bool:
    pairs = ((f"left_{axis}_px", f"right_{axis}_px", f"{axis}_px") for axis in AXIS_CODES)
    return all(
        np.array_equal(
            mean_of_eyes(table[left].to_numpy(), table[right].to_numpy()),
            table[both].to_numpy(),
            equal_nan=True,
        )
        for left, right, both in pairs
    )


def _gaze(eye: str, axis: str) -> Channel:
    column = GAZE_COLUMNS[eye][list(AXIS_CODES).index(axis)]
    return Channel(
        column=column,
        name=f"{axis}pos_{eye}",
        kind="eyegaze",
        eye=eye,
        unit=PIXELS,
        factor=1.0,
        loc=_loc(eye, axis),
    )


def _pupil(eye: str, in_mm: bool) -> Channel:
    return Channel(
        column=f"{eye}_pupil",
        name=f"pupil_{eye}",
        kind="pupil",
        eye=eye,
        unit=METRES if in_mm else NO_UNIT,
        factor=M_PER_MM if in_mm else 1.0,
        loc=_loc(eye),
    )


def _loc(eye: str, axis: str = "") -> npt.NDArray[np.float64]:
    loc = np.full(12, np.nan)
    loc[EYE_AT] = EYE_CODES.get(eye, np.nan)
    loc[AXIS_AT] = AXIS_CODES.get(axis, np.nan)
    return loc
