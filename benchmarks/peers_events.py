"""Fixation detectors of other packages, as their documentation calls them.

Each is a function of a trial.

pymovements (Krakowczyk et al. 2023), I2MC (Hessels et al. 2017) and REMoDNaV (Dar et al. 2021),
with their defaults.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gazetrack.events.base import Trial

NOTHING = np.zeros(0, np.int64)


def available() -> dict[str, Any]:
    """Return those that can be imported."""
    found = {
        "pymovements": {
            "pymovements ivt": pymovements_ivt,
            "pymovements idt": pymovements_idt,
            "pymovements microsaccades": pymovements_microsaccades,
        },
        "I2MC": {"I2MC": i2mc},
        "remodnav": {"REMoDNaV": remodnav},
    }
    return {
        name: detector
        for package, own in found.items()
        if find_spec(package)
        for name, detector in own.items()
    }


def _degrees(trial: Trial) -> np.ndarray:
    return np.stack([trial.x_px, trial.y_px], axis=1) / trial.px_per_deg


def _velocity(trial: Trial) -> np.ndarray:
    """Return the velocity over five samples in deg/s (Engbert & Kliegl 2003).

    It is pymovements' default, "fivepoint".
    """
    p = _degrees(trial)
    v = np.full_like(p, np.nan)
    v[2:-2] = (p[4:] + p[3:-1] - p[1:-3] - p[:-4]) * (1000 / (6 * trial.step_ms))
    return v


def _events(trial: Trial, frame: Any) -> tuple[np.ndarray, np.ndarray]:
    onset, offset = (np.array(frame[name].to_list(), float) for name in ("onset", "offset"))
    return np.searchsorted(trial.t_ms, onset), np.searchsorted(trial.t_ms, offset, side="right")


def pymovements_ivt(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    from pymovements.events import ivt

    return _events(trial, ivt(_velocity(trial), timesteps=trial.t_ms).frame)


def pymovements_idt(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    from pymovements.events import idt

    whole = np.round(trial.t_ms / trial.step_ms).astype(
        int
    )  # it demands whole numbers and equal steps
    found = idt(_degrees(trial), timesteps=whole, minimum_duration=round(100 / trial.step_ms)).frame
    onset, offset = (np.array(found[name].to_list(), int) for name in ("onset", "offset"))
    return np.searchsorted(whole, onset), np.searchsorted(whole, offset, side="right")


def pymovements_microsaccades(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """What is between (micro)saccades of 6 lambda and lasts 40 ms."""
    from pymovements.events import microsaccades

    velocity = _velocity(trial)
    fast = np.isnan(velocity).any(axis=1)
    found = microsaccades(
        velocity, timesteps=trial.t_ms, minimum_duration=6, threshold="engbert2015"
    ).frame
    for a, b in zip(*_events(trial, found), strict=True):
        fast[a:b] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], fast, [True]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    keep = trial.t_ms[ends - 1] - trial.t_ms[starts] >= 40
    return starts[keep], ends[keep]


def i2mc(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd
    from I2MC import I2MC

    frame = pd.DataFrame(
        {"time": trial.t_ms - trial.t_ms[0], "average_X": trial.x_px, "average_Y": trial.y_px}
    )
    missing = -9999.0
    options = {
        "xres": 1920,
        "yres": 1080,
        "freq": round(1000 / trial.step_ms),
        "missingx": missing,
        "missingy": missing,
    }
    found = I2MC(frame.fillna(missing), options, logging=False)[0]
    if not found:
        return NOTHING, NOTHING
    return np.asarray(found["start"], int), np.asarray(found["end"], int) + 1


def remodnav(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    import logging

    from remodnav import EyegazeClassifier

    logging.getLogger("remodnav").setLevel(logging.ERROR)

    rate = 1000 / trial.step_ms
    data = np.rec.fromarrays([trial.x_px, trial.y_px], names=["x", "y"])
    classify = EyegazeClassifier(px2deg=1 / trial.px_per_deg, sampling_rate=rate)
    found = [e for e in classify(classify.preproc(data)) if e["label"] == "FIXA"]
    times = [
        np.array([e[name] for e in found], float) * rate for name in ("start_time", "end_time")
    ]
    starts, ends = (np.clip(np.round(v).astype(int), 0, len(data)) for v in times)
    keep = ends > starts
    return starts[keep], ends[keep]
