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

NOISE_PX = 1.2  # standard deviation of a sample
DRIFT_PX = 3.0  # standard deviation of where a fixation rests
_PX_PER_DEG = 36


@dataclass(frozen=True)
class Gaze:
    """Fixations of one trial.

    Parameters
    ----------
    onset_ms, duration_ms : ndarray of float64, shape (N,)
        Onsets from the start of the trial, and durations, in milliseconds.
    x_px, y_px : ndarray of float64, shape (N,)
        Positions in pixels of the image.
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
    """One image shown to a reader.

    Parameters
    ----------
    stimulus : str
        File name of the image.
    placement : Placement
        Where the image lay on the screen.
    gaze : Gaze
        The fixations on the image.
    task : str
        What the reader was to look for; empty where nobody said it to the tracker.
    """

    stimulus: str
    placement: Placement
    gaze: Gaze
    task: str = ""

    def on_screen(self) -> tuple[Floats, Floats]:
        """Return the fixations' positions in screen pixels."""
        p = self.placement
        x = p.x_px + self.gaze.x_px * p.width_px / p.image_width_px
        y = p.y_px + self.gaze.y_px * p.height_px / p.image_height_px
        return x, y


@dataclass(frozen=True)
class _Samples:
    """Samples of one trial.

    Parameters
    ----------
    t : ndarray, shape (N,)
        Time from the start of the trial in milliseconds.
    x, y : ndarray of float64, shape (N,)
        Position on the screen in pixels, NaN in blinks.
    event : ndarray of int64, shape (N,)
        Number of the event: 2 i for fixation i and 2 i + 1 for the saccade or blink after it; -1
        before the first.
    """

    t: npt.NDArray[np.floating]
    x: Floats
    y: Floats
    event: npt.NDArray[np.int64]


def _sample(trial: Trial, step_ms: float, rng: np.random.Generator) -> _Samples:
    """Sample a trial at equal steps: eyes rest on fixations and jump between them."""
    gaze = trial.gaze
    screen_x, screen_y = trial.on_screen()
    n = len(screen_x)
    ends = gaze.onset_ms + gaze.duration_ms
    t = np.arange(int((ends[-1] + step_ms) // step_ms)) * step_ms
    edges = np.column_stack([gaze.onset_ms, ends]).ravel()
    event = np.searchsorted(edges, t, side="right") - 1
    # Every sample is on its way from one fixation to the next, and mostly has not left yet.
    here = np.clip(event // 2, 0, n - 1)
    there = np.minimum(here + 1, n - 1)
    moving = (event % 2 == 1) & (event > 0)
    gap = np.maximum(gaze.onset_ms[there] - ends[here], 1e-9)
    u = np.where(moving, np.clip((t - ends[here]) / gap, 0, 1), 0)
    share = u**3 * (10 - 15 * u + 6 * u * u)  # minimum jerk (Flash & Hogan 1985)
    drift = rng.normal(0, DRIFT_PX, (2, n))
    x = _travelled(screen_x, here, there, share) + drift[0][here] * (1 - share)
    y = _travelled(screen_y, here, there, share) + drift[1][here] * (1 - share)
    x = x + rng.normal(0, NOISE_PX, len(t))
    y = y + rng.normal(0, NOISE_PX, len(t))
    blink = moving & gaze.blink_after[here]
    x[blink] = np.nan
    y[blink] = np.nan
    return _Samples(t, x, y, event)


def _travelled(
    positions: Floats, here: npt.NDArray[np.int64], there: npt.NDArray[np.int64], share: Floats
) -> Floats:
    """Return where samples are that have gone a share of their way."""
    return positions[here] + share * (positions[there] - positions[here])


def write_asc(
    path: Path, trials: Sequence[Trial], screen: Screen, rate_hz: int, rng: np.random.Generator
) -> None:
    """Write an EyeLink ASC file as edf2asc does: right eye, samples and events, a block a trial.

    Parameters
    ----------
    path : pathlib.Path
        The file that is written.
    trials : sequence of Trial
        The trials in the order they were shown.
    screen : Screen
        Its size goes into DISPLAY_COORDS.
    rate_hz : int
        Sampling rate, a divisor of 1000.
    rng : numpy.random.Generator
        Source of noise, drift and pupil sizes.
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
        lines += _asc_begin(number, trial, clock, rate_hz)
        lines += _asc_samples(trial, samples, clock, step, rng)
        end = clock + int(samples.t[-1]) + step
        lines.append(f"MSG\t{end} TRIAL_RESULT 0")
        lines.append(f"END\t{end} \tSAMPLES\tEVENTS\tRES\t  28.00\t  28.00")
        clock += int(samples.t[-1]) + step
    write_text(path, "\n".join(lines) + "\n")


def _asc_set_up(stamp: int, screen: Screen, rate_hz: int) -> Iterator[str]:
    yield f"MSG\t{stamp} RECCFG CR {rate_hz} 2 1 R"
    yield f"MSG\t{stamp} ELCLCFG MTABLER"
    yield f"MSG\t{stamp} GAZE_COORDS 0.00 0.00 {screen.width_px - 1:.2f} {screen.height_px - 1:.2f}"


def _asc_begin(number: int, trial: Trial, start: int, rate_hz: int) -> Iterator[str]:
    p = trial.placement
    mode = f"GAZE\tRIGHT\tRATE\t {rate_hz:.2f}\tTRACKING\tCR\tFILTER\t2"
    yield f"MSG\t{start - 5} TRIALID {number}"
    if trial.task:
        yield f"MSG\t{start - 4} TASK {trial.task}"
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


def _asc_samples(
    trial: Trial, samples: _Samples, start: int, step: int, rng: np.random.Generator
) -> Iterator[str]:
    pupil = 1200 + np.cumsum(rng.normal(0, 1, len(samples.t)))
    last = len(samples.t) - 1
    for i, (t, x, y, event) in enumerate(
        zip(samples.t, samples.x, samples.y, samples.event, strict=True)
    ):
        stamp = start + int(t)
        if i == 0 or event != samples.event[i - 1]:
            yield from _asc_starts(trial, event, stamp)
        if np.isnan(x):
            yield f"{stamp}\t   .\t   .\t    0.0\t..."
        else:
            yield f"{stamp}\t{x:7.1f}\t{y:7.1f}\t{pupil[i]:7.1f}\t..."
        if i == last or event != samples.event[i + 1]:
            yield from _asc_ends(trial, samples, i, start, step)


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
    first = start + int(samples.t[inside[0]])
    end = start + int(samples.t[last])
    span = f"{first}\t{end}\t{end - first + step}"
    if event % 2 == 0:
        x = samples.x[inside].mean()
        y = samples.y[inside].mean()
        yield f"EFIX R   {span}\t{x:7.1f}\t{y:7.1f}\t   1200"
        return
    if trial.gaze.blink_after[event // 2]:
        yield f"EBLINK R {span}"
    before = max(inside[0] - 1, 0)
    after = min(last + 1, len(samples.t) - 1)
    x0, y0 = samples.x[before], samples.y[before]
    x1, y1 = samples.x[after], samples.y[after]
    degrees = np.hypot(x1 - x0, y1 - y0) / _PX_PER_DEG
    peak_deg_s = 30 + 20 * degrees
    way = f"{x0:7.1f}\t{y0:7.1f}\t{x1:7.1f}\t{y1:7.1f}"
    yield f"ESACC R  {span}\t{way}\t{degrees:7.2f}\t{peak_deg_s:7.0f}"


_TOBII_COLUMNS = (
    "Recording timestamp [ms]",
    "Computer timestamp [ms]",
    "Sensor",
    "Participant name",
    "Recording name",
    "Timeline name",
    "Recording Fixation filter name",
    "Recording software version",
    "Recording resolution height [px]",
    "Recording resolution width [px]",
    "Eyetracker timestamp [μs]",
    "Event",
    "Gaze point X [DACS px]",
    "Gaze point Y [DACS px]",
    "Gaze point left X [DACS px]",
    "Gaze point left Y [DACS px]",
    "Gaze point right X [DACS px]",
    "Gaze point right Y [DACS px]",
    "Pupil diameter left [mm]",
    "Pupil diameter right [mm]",
    "Validity left",
    "Validity right",
    "Presented Stimulus name",
    "Presented Media name",
    "Presented Media width [px]",
    "Presented Media height [px]",
    "Presented Media position X [DACS px]",
    "Presented Media position Y [DACS px]",
    "Original Media width [px]",
    "Original Media height [px]",
    "Eye movement type",
    "Eye movement event duration [ms]",
    "Eye movement type index",
    "Fixation point X [DACS px]",
    "Fixation point Y [DACS px]",
)


def write_tobii_tsv(
    path: Path, trials: Sequence[Trial], screen: Screen, rate_hz: int, rng: np.random.Generator
) -> None:
    """Write a Tobii Pro Lab data export as a German Windows does: byte order mark, decimal comma.

    Parameters
    ----------
    path : pathlib.Path
        The file that is written.
    trials : sequence of Trial
        The trials in the order they were shown, one medium each.
    screen : Screen
        Its size goes into every row.
    rate_hz : int
        Sampling rate of the export, in Hz.
    rng : numpy.random.Generator
        Source of noise, drift and pupil sizes.
    """
    always = {
        "Participant name": "P02",
        "Recording name": "reader-2",
        "Timeline name": "Images",
        "Recording Fixation filter name": "Tobii I-VT (Fixation)",
        "Recording software version": "24.21",
        "Recording resolution height [px]": str(screen.height_px),
        "Recording resolution width [px]": str(screen.width_px),
    }
    rows: list[dict[str, str]] = [{"Recording timestamp [ms]": "0", "Event": "RecordingStart"}]
    clock = 200.0
    step = 1000 / rate_hz
    writer = _TobiiWriter(step, rng)
    for trial in trials:
        media = _tobii_media(trial)
        begin = {"Recording timestamp [ms]": f"{clock:.0f}", "Event": "ImageStimulusStart"}
        rows.append(begin | media)
        samples = _sample(trial, step, rng)
        rows += [row | media for row in writer.rows(trial, samples, clock)]
        clock += samples.t[-1] + 500
        rows.append({"Recording timestamp [ms]": f"{clock - 480:.0f}", "Sensor": "Mouse"})
    lines = ["\t".join(_TOBII_COLUMNS)]
    lines += ["\t".join((always | row).get(name, "") for name in _TOBII_COLUMNS) for row in rows]
    write_text(path, "\ufeff" + "\n".join(lines) + "\n")


def _tobii_media(trial: Trial) -> dict[str, str]:
    p = trial.placement
    return {
        "Presented Stimulus name": trial.stimulus,
        "Presented Media name": trial.stimulus,
        "Presented Media width [px]": f"{p.width_px:.0f}",
        "Presented Media height [px]": f"{p.height_px:.0f}",
        "Presented Media position X [DACS px]": f"{p.x_px:.0f}",
        "Presented Media position Y [DACS px]": f"{p.y_px:.0f}",
        "Original Media width [px]": str(p.image_width_px),
        "Original Media height [px]": str(p.image_height_px),
    }


class _TobiiWriter:
    """Rows of samples; fixations, saccades and losses are counted through the whole recording."""

    def __init__(self, step_ms: float, rng: np.random.Generator) -> None:
        self._step_ms = step_ms
        self._rng = rng
        self._counts = {"Fixation": 0, "Saccade": 0, "EyesNotFound": 0}

    def rows(self, trial: Trial, samples: _Samples, start_ms: float) -> Iterator[dict[str, str]]:
        """Yield a row per sample, with what the tracker says of its event."""
        facts: dict[str, str] = {}
        for i, event in enumerate(samples.event):
            if i == 0 or event != samples.event[i - 1]:
                facts = self._event(trial, samples, int(event))
            t = start_ms + samples.t[i]
            row = {
                "Recording timestamp [ms]": f"{t:.0f}",
                "Computer timestamp [ms]": f"{5_000_000 + t:.0f}",
                "Eyetracker timestamp [μs]": f"{7_000_000_000 + 1000 * t:.0f}",
                "Sensor": "Eye Tracker",
            }
            yield row | facts | self._gaze(samples.x[i], samples.y[i])

    def _event(self, trial: Trial, samples: _Samples, event: int) -> dict[str, str]:
        inside = samples.event == event
        kind = "Saccade"
        if event >= 0 and event % 2 == 0:
            kind = "Fixation"
        elif event >= 0 and trial.gaze.blink_after[event // 2]:
            kind = "EyesNotFound"
        self._counts[kind] += 1
        facts = {
            "Eye movement type": kind,
            "Eye movement event duration [ms]": f"{inside.sum() * self._step_ms:.0f}",
            "Eye movement type index": str(self._counts[kind]),
        }
        if kind == "Fixation":
            facts["Fixation point X [DACS px]"] = f"{samples.x[inside].mean():.0f}"
            facts["Fixation point Y [DACS px]"] = f"{samples.y[inside].mean():.0f}"
        return facts

    def _gaze(self, x: float, y: float) -> dict[str, str]:
        if np.isnan(x):
            return {"Validity left": "Invalid", "Validity right": "Invalid"}
        row = {"Validity left": "Valid", "Validity right": "Valid"}
        for eye, shift in (("", 0), ("left ", -2), ("right ", 2)):
            row[f"Gaze point {eye}X [DACS px]"] = f"{x + shift:.0f}"
            row[f"Gaze point {eye}Y [DACS px]"] = f"{y:.0f}"
        for eye in ("left", "right"):
            millimetres = f"{3.4 + self._rng.normal(0, 0.02):.3f}"
            row[f"Pupil diameter {eye} [mm]"] = millimetres.replace(".", ",")
        return row
