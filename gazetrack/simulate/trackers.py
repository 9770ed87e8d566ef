"""Writing gaze the way trackers export it: EyeLink ASC and Tobii Pro Lab TSV.

For simulated data only: these writers make what `gazetrack.readers` must read. Formats: SR
Research, EyeLink User Manual, "ASC file format"; Tobii Pro Lab User Manual, "Data export".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.publish import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.tables.placement import Placement
    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]

NOISE_PX, DRIFT_PX = 1.2, 3.0


@dataclass(frozen=True)
class Gaze:
    """Fixations of one trial.

    Parameters
    ----------
    onset_ms, duration_ms : ndarray of float64, shape (N,)
        From the start of the trial.
    x_px, y_px : ndarray of float64, shape (N,)
        In image pixels.
    blink_after : ndarray of bool, shape (N,)
        Whether the eye blinks before the next fixation.
    """

    onset_ms: Floats
    duration_ms: Floats
    x_px: Floats
    y_px: Floats
    blink_after: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """One image shown to a reader: its file name, where it lay on the screen, and the gaze on it."""

    stimulus: str
    placement: Placement
    gaze: Gaze

    def on_screen(self) -> tuple[Floats, Floats]:
        """Return the fixations' positions in screen pixels."""
        p = self.placement
        return (
            p.x_px + self.gaze.x_px * p.width_px / p.image_width_px,
            p.y_px + self.gaze.y_px * p.height_px / p.image_height_px,
        )


@dataclass(frozen=True)
class _Samples:
    """Samples of one trial: time from its start, position on the screen (NaN in blinks), number of the event.

    Events are numbered 2 i for fixation i and 2 i + 1 for the saccade or blink after it; -1 before
    the first.
    """

    t: npt.NDArray[np.floating]
    x: Floats
    y: Floats
    event: npt.NDArray[np.int64]


def _sample(trial: Trial, step_ms: float, rng: np.random.Generator) -> _Samples:
    gaze, (sx, sy) = trial.gaze, trial.on_screen()
    n = len(sx)
    ends = gaze.onset_ms + gaze.duration_ms
    t = np.arange(int((ends[-1] + step_ms) // step_ms)) * step_ms
    edges = np.column_stack([gaze.onset_ms, ends]).ravel()
    event = np.searchsorted(edges, t, side="right") - 1
    here = np.clip(event // 2, 0, n - 1)
    there = np.minimum(here + 1, n - 1)
    moving = (event % 2 == 1) & (event > 0)
    gap = np.maximum(gaze.onset_ms[there] - ends[here], 1e-9)
    u = np.where(moving, np.clip((t - ends[here]) / gap, 0, 1), 0)
    share = u**3 * (10 - 15 * u + 6 * u * u)  # minimum jerk (Flash & Hogan 1985)
    drift = rng.normal(0, DRIFT_PX, (2, n))
    x, y = (
        (p[here] + share * (p[there] - p[here])) + d[here] * (1 - share)
        for p, d in ((sx, drift[0]), (sy, drift[1]))
    )
    blink = moving & gaze.blink_after[here]
    x, y = (np.where(blink, np.nan, p + rng.normal(0, NOISE_PX, len(t))) for p in (x, y))
    return _Samples(t, x, y, event)


def write_asc(
    path: Path, trials: Sequence[Trial], screen: Screen, rate_hz: int, rng: np.random.Generator
) -> None:
    """Write an EyeLink ASC file as edf2asc does: right eye, samples and events, one START block a trial.

    Parameters
    ----------
    path : pathlib.Path
        The output.
    trials : sequence of Trial
        In the order shown.
    screen : Screen
        Its size goes into DISPLAY_COORDS.
    rate_hz : int
        A divisor of 1000.
    rng : numpy.random.Generator
        For noise, drift and pupil.
    """
    step = 1000 // rate_hz
    clock = 1_000_000
    lines = [
        "** CONVERTED FROM simulated.edf using gazetrack simulate",
        "** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED",
        "** VERSION: EYELINK II 1",
        "** SOURCE: EYELINK CL",
        "** EYELINK II CL v5.15 (simulated)",
        "**",
        "",
        f"MSG\t{clock} DISPLAY_COORDS 0 0 {screen.width_px - 1} {screen.height_px - 1}",
    ]
    for number, trial in enumerate(trials, 1):
        clock += 500
        samples = _sample(trial, step, rng)
        lines += _asc_set_up(clock - 10, screen, rate_hz)
        lines += _asc_block(
            number, trial, samples, start=clock, step=step, rate_hz=rate_hz, rng=rng
        )
        clock += int(samples.t[-1]) + step
    write_text(path, "\n".join(lines) + "\n")


def _asc_set_up(stamp: int, screen: Screen, rate_hz: int) -> Iterator[str]:
    yield f"MSG\t{stamp} RECCFG CR {rate_hz} 2 1 R"
    yield f"MSG\t{stamp} ELCLCFG MTABLER"
    yield f"MSG\t{stamp} GAZE_COORDS 0.00 0.00 {screen.width_px - 1:.2f} {screen.height_px - 1:.2f}"


def _asc_block(
    number: int,
    trial: Trial,
    samples: _Samples,
    *,
    start: int,
    step: int,
    rate_hz: int,
    rng: np.random.Generator,
) -> Iterator[str]:
    p = trial.placement
    mode = f"GAZE\tRIGHT\tRATE\t {rate_hz:.2f}\tTRACKING\tCR\tFILTER\t2"
    yield f"MSG\t{start - 5} TRIALID {number}"
    yield f"START\t{start} \tRIGHT\tSAMPLES\tEVENTS"
    yield from (
        "PRESCALER\t1",
        "VPRESCALER\t1",
        "PUPIL\tAREA",
        f"EVENTS\t{mode}",
        f"SAMPLES\t{mode}",
    )
    box = f"{p.x_px:.0f} {p.y_px:.0f} {p.width_px:.0f} {p.height_px:.0f}"
    yield f"MSG\t{start} !V IMGLOAD TOP_LEFT images/{trial.stimulus} {box}"
    pupil = 1200 + np.cumsum(rng.normal(0, 1, len(samples.t)))
    last = len(samples.t) - 1
    for i, (t, x, y, event) in enumerate(
        zip(samples.t, samples.x, samples.y, samples.event, strict=True)
    ):
        stamp = start + int(t)
        if i == 0 or event != samples.event[i - 1]:
            yield from _asc_starts(trial, event, stamp)
        lost = np.isnan(x)
        yield (
            f"{stamp}\t   .\t   .\t    0.0\t..."
            if lost
            else f"{stamp}\t{x:7.1f}\t{y:7.1f}\t{pupil[i]:7.1f}\t..."
        )
        if i == last or event != samples.event[i + 1]:
            yield from _asc_ends(trial, samples, i, start, step)
    end = start + int(samples.t[-1]) + step
    yield f"MSG\t{end} TRIAL_RESULT 0"
    yield f"END\t{end} \tSAMPLES\tEVENTS\tRES\t  28.00\t  28.00"


def _asc_starts(trial: Trial, event: int, stamp: int) -> Iterator[str]:
    if event >= 0 and event % 2 == 0:
        yield f"SFIX R   {stamp}"
    elif event >= 0:
        yield f"SSACC R  {stamp}"
        if trial.gaze.blink_after[event // 2]:
            yield f"SBLINK R {stamp}"


def _asc_ends(trial: Trial, samples: _Samples, last: int, start: int, step: int) -> Iterator[str]:
    event = samples.event[last]
    if event < 0:
        return
    inside = np.flatnonzero(samples.event == event)
    first, end = start + int(samples.t[inside[0]]), start + int(samples.t[last])
    span = f"{first}\t{end}\t{end - first + step}"
    if event % 2 == 0:
        x, y = samples.x[inside].mean(), samples.y[inside].mean()
        yield f"EFIX R   {span}\t{x:7.1f}\t{y:7.1f}\t   1200"
        return
    if trial.gaze.blink_after[event // 2]:
        yield f"EBLINK R {span}"
    before, after = max(inside[0] - 1, 0), min(last + 1, len(samples.t) - 1)
    (x0, y0), (x1, y1) = ((samples.x[k], samples.y[k]) for k in (before, after))
    degrees = np.hypot(x1 - x0, y1 - y0) / 36
    yield f"ESACC R  {span}\t{x0:7.1f}\t{y0:7.1f}\t{x1:7.1f}\t{y1:7.1f}\t{degrees:7.2f}\t{30 + 20 * degrees:7.0f}"


_TOBII_COLUMNS = (
    "Recording timestamp [ms]", "Computer timestamp [ms]", "Sensor", "Participant name", "Recording name",
    "Timeline name", "Recording Fixation filter name", "Recording software version",
    "Recording resolution height [px]", "Recording resolution width [px]", "Eyetracker timestamp [μs]", "Event",
    "Gaze point X [DACS px]", "Gaze point Y [DACS px]", "Gaze point left X [DACS px]", "Gaze point left Y [DACS px]",
    "Gaze point right X [DACS px]", "Gaze point right Y [DACS px]", "Pupil diameter left [mm]",
    "Pupil diameter right [mm]", "Validity left", "Validity right", "Presented Stimulus name", "Presented Media name",
    "Presented Media width [px]", "Presented Media height [px]", "Presented Media position X [DACS px]",
    "Presented Media position Y [DACS px]", "Original Media width [px]", "Original Media height [px]",
    "Eye movement type", "Eye movement event duration [ms]", "Eye movement type index", "Fixation point X [DACS px]",
    "Fixation point Y [DACS px]",
)  # fmt: skip


def write_tobii_tsv(
    path: Path, trials: Sequence[Trial], screen: Screen, rate_hz: int, rng: np.random.Generator
) -> None:
    """Write a Tobii Pro Lab data export as a German Windows writes it: byte order mark, decimal comma.

    Parameters
    ----------
    path : pathlib.Path
        The output.
    trials : sequence of Trial
        In the order shown, one medium each.
    screen : Screen
        Its size goes into every row.
    rate_hz : int
        Sampling rate.
    rng : numpy.random.Generator
        For noise, drift and pupil.
    """
    always = {
        "Participant name": "P02", "Recording name": "reader-2", "Timeline name": "Images",
        "Recording Fixation filter name": "Tobii I-VT (Fixation)", "Recording software version": "24.21",
        "Recording resolution height [px]": str(screen.height_px),
        "Recording resolution width [px]": str(screen.width_px),
    }  # fmt: skip
    rows: list[dict[str, str]] = [{"Recording timestamp [ms]": "0", "Event": "RecordingStart"}]
    clock, index = 200.0, {"Fixation": 0, "Saccade": 0, "EyesNotFound": 0}
    for trial in trials:
        media = _tobii_media(trial)
        rows.append(
            {"Recording timestamp [ms]": f"{clock:.0f}", "Event": "ImageStimulusStart", **media}
        )
        samples = _sample(trial, 1000 / rate_hz, rng)
        rows += (
            {**row, **media}
            for row in _tobii_rows(
                trial, samples, start=clock, step=1000 / rate_hz, index=index, rng=rng
            )
        )
        clock += samples.t[-1] + 500
        rows.append({"Recording timestamp [ms]": f"{clock - 480:.0f}", "Sensor": "Mouse"})
    lines = ["\t".join(_TOBII_COLUMNS)]
    lines += ["\t".join((always | row).get(name, "") for name in _TOBII_COLUMNS) for row in rows]
    write_text(path, "\ufeff" + "\n".join(lines) + "\n")


def _tobii_media(trial: Trial) -> dict[str, str]:
    p = trial.placement
    return {
        "Presented Stimulus name": trial.stimulus, "Presented Media name": trial.stimulus,
        "Presented Media width [px]": f"{p.width_px:.0f}", "Presented Media height [px]": f"{p.height_px:.0f}",
        "Presented Media position X [DACS px]": f"{p.x_px:.0f}",
        "Presented Media position Y [DACS px]": f"{p.y_px:.0f}",
        "Original Media width [px]": str(p.image_width_px), "Original Media height [px]": str(p.image_height_px),
    }  # fmt: skip


def _tobii_rows(
    trial: Trial,
    samples: _Samples,
    *,
    start: float,
    step: float,
    index: dict[str, int],
    rng: np.random.Generator,
) -> Iterator[dict[str, str]]:
    facts: dict[str, str] = {}
    for i, event in enumerate(samples.event):
        if i == 0 or event != samples.event[i - 1]:
            facts = _tobii_event(trial, samples, int(event), step, index)
        x, y, t = samples.x[i], samples.y[i], start + samples.t[i]
        row = {
            "Recording timestamp [ms]": f"{t:.0f}", "Computer timestamp [ms]": f"{5_000_000 + t:.0f}",
            "Eyetracker timestamp [μs]": f"{7_000_000_000 + 1000 * t:.0f}", "Sensor": "Eye Tracker", **facts,
        }  # fmt: skip
        found = not np.isnan(x)
        row["Validity left"] = row["Validity right"] = "Valid" if found else "Invalid"
        if found:
            for eye, shift in (("", 0), ("left ", -2), ("right ", 2)):
                row[f"Gaze point {eye}X [DACS px]"] = f"{x + shift:.0f}"
                row[f"Gaze point {eye}Y [DACS px]"] = f"{y:.0f}"
            for eye in ("left", "right"):
                row[f"Pupil diameter {eye} [mm]"] = f"{3.4 + rng.normal(0, 0.02):.3f}".replace(
                    ".", ","
                )
        yield row


def _tobii_event(
    trial: Trial, samples: _Samples, event: int, step: float, index: dict[str, int]
) -> dict[str, str]:
    inside = samples.event == event
    kind = "Fixation" if event >= 0 and event % 2 == 0 else "Saccade"
    if event >= 0 and event % 2 == 1 and trial.gaze.blink_after[event // 2]:
        kind = "EyesNotFound"
    index[kind] += 1
    facts = {
        "Eye movement type": kind,
        "Eye movement event duration [ms]": f"{inside.sum() * step:.0f}",
        "Eye movement type index": str(index[kind]),
    }
    if kind == "Fixation":
        facts["Fixation point X [DACS px]"] = f"{samples.x[inside].mean():.0f}"
        facts["Fixation point Y [DACS px]"] = f"{samples.y[inside].mean():.0f}"
    return facts
