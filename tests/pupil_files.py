"""Folders as Pupil Player and Pupil Cloud export them, with fixations that the writer knows."""

from __future__ import annotations

CLOCK_S = 4_321.5  # of the first sample: Pupil's clock begins anywhere
STEP_S = 1 / 120
START_NS = 1_700_000_000_123_456_789


def write_core(folder, fixations, *, shift_s=0.0, blinks=()):
    """Write gaze_positions.csv, fixations.csv and blinks.csv of a world camera of 1280x720 px.

    `fixations` are (onset_ms, duration_ms, x_px, y_px) from the first sample; `shift_s` is added to
    the clock of fixations.csv alone; `blinks` are (onset_ms, duration_ms)."""
    folder.mkdir(parents=True, exist_ok=True)
    last = max(onset + duration for onset, duration, *_ in fixations)
    lines = ["gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data"]
    for i in range(int(last / 1e3 / STEP_S) + 1):
        t_ms = i * STEP_S * 1e3
        *_, x, y = max((f for f in fixations if f[0] <= t_ms), default=fixations[0])
        wobble = 0.4 * (-1) ** i
        lines.append(
            f"{CLOCK_S + t_ms / 1e3:.6f},{i},1.0,{(x + wobble) / 1280:.8f},{1 - y / 720:.8f},{i}"
        )
    (folder / "gaze_positions.csv").write_text("\n".join(lines) + "\n")
    lines = [
        "id,start_timestamp,duration,start_frame_index,end_frame_index,norm_pos_x,norm_pos_y,dispersion,confidence"
    ]
    for i, (onset, duration, x, y) in enumerate(fixations, 1):
        start = CLOCK_S + shift_s + onset / 1e3
        lines.append(f"{i},{start:.6f},{duration},{i},{i},{x / 1280:.8f},{1 - y / 720:.8f},1.0,1.0")
    (folder / "fixations.csv").write_text("\n".join(lines) + "\n")
    if blinks:
        lines = ["id,start_timestamp,duration,end_timestamp,confidence,filter_response,base_data"]
        for i, (onset, duration) in enumerate(blinks, 1):
            start = CLOCK_S + onset / 1e3
            lines.append(
                f"{i},{start:.6f},{duration / 1e3},{start + duration / 1e3:.6f},.5,.5 .6,1"
            )
        (folder / "blinks.csv").write_text("\n".join(lines) + "\n")


def write_cloud(folder, fixations, *, blinks=(), recording="4f0c1d9e-0000-4000-8000-000000000001"):
    """Write gaze.csv, fixations.csv and blinks.csv in nanoseconds.

    The arguments are those of `write_core`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = max(onset + duration for onset, duration, *_ in fixations)
    lines = ["section id,recording id,timestamp [ns],gaze x [px],gaze y [px],worn"]
    for i in range(int(last / 5) + 1):
        *_, x, y = max((f for f in fixations if f[0] <= i * 5), default=fixations[0])
        lines.append(f"s,{recording},{START_NS + i * 5_000_000},{x},{y},1")
    (folder / "gaze.csv").write_text("\n".join(lines) + "\n")
    times = "start timestamp [ns],end timestamp [ns],duration [ms]"
    lines = [f"section id,recording id,fixation id,{times},fixation x [px],fixation y [px]"]
    for i, (onset, duration, x, y) in enumerate(fixations, 1):
        start = START_NS + int(onset * 1_000_000)
        lines.append(f"s,{recording},{i},{start},{start + duration * 1_000_000},{duration},{x},{y}")
    (folder / "fixations.csv").write_text("\n".join(lines) + "\n")
    if blinks:
        lines = [
            "section id,recording id,blink id,start timestamp [ns],end timestamp [ns],duration [ms]"
        ]
        for i, (onset, duration) in enumerate(blinks, 1):
            start = START_NS + int(onset * 1_000_000)
            lines.append(f"s,{recording},{i},{start},{start + duration * 1_000_000},{duration}")
        (folder / "blinks.csv").write_text("\n".join(lines) + "\n")
