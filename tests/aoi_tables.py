"""Fixations and areas of interest with nothing in them but what a test needs, and a slow oracle."""

from __future__ import annotations

import json
import math

import numpy as np

from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Polygon, Rectangle
from gazetrack.tables.schema import FIXATIONS, conform

NAN = math.nan


def table(x, y, onset=None, duration=100.0, stimulus="cat.png", **columns):
    """Fixations of one recording, every 200 ms for 100 ms, on an image of 100 x 100 px."""
    n = len(x)
    full = {
        "recording": "r",
        "stimulus": np.array([stimulus] * n, object) if isinstance(stimulus, str) else stimulus,
        "x_px": np.asarray(x, float),
        "y_px": np.asarray(y, float),
        "onset_ms": np.arange(n) * 200.0 if onset is None else np.asarray(onset, float),
        "duration_ms": np.broadcast_to(np.asarray(duration, float), n).copy(),
        "index": np.arange(1, n + 1, dtype=np.int32),
        "image_width_px": 100.0,
        "image_height_px": 100.0,
    }
    return conform(full | columns, FIXATIONS)


def box(left, top, right, bottom):
    return Rectangle(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)


def polygon(*points):
    return Polygon(points_px=tuple((float(x), float(y)) for x, y in points))


def area(name, *shapes, onset_ms=-math.inf, offset_ms=math.inf):
    parts = (Part(shape=shape, onset_ms=onset_ms, offset_ms=offset_ms) for shape in shapes)
    return Aoi(name=name, parts=tuple(parts))


def areas(*aois, stimulus="cat", size=None, **more):
    return AoiSet(stimuli=(StimulusAois(stimulus=stimulus, aois=aois, size=size),), **more)


def halves(**more):
    """The image in two: left and right of 50."""
    return areas(area("left", box(0, 0, 50, 100)), area("right", box(50, 0, 100, 100)), **more)


def own_json(path, *aois, **stimulus):
    whole = {"stimulus": "cat.png", "aois": list(aois), **stimulus}
    path.write_text(json.dumps({"format": "gazetrack-aois", "version": 1, "stimuli": [whole]}))
    return path


def rectangle(name="face", x=10, y=20, width=30, height=40, **more):
    found = {"name": name, "shape": "rectangle", "x_px": x, "y_px": y}
    return found | {"width_px": width, "height_px": height} | more


def slow_measures(fixations, inside, window, max_gap=math.inf):
    """What `dwell.aoi_measures` says of one trial and one area without times, one by one.

    `fixations` are (begin, end) in ms, `inside` says of each whether it is in the area, `window` is
    the length of the trial in ms.
    """
    found = dict.fromkeys(
        (
            "time_to_first_fixation_ms",
            "first_fixation_ms",
            "first_visit_ms",
            "first_entry_ms",
            "first_exit_ms",
            "last_entry_ms",
            "last_exit_ms",
            "first_fixation_number",
            "mean_fixation_ms",
        ),
        NAN,
    )
    visits = []
    for number, (begin, _) in enumerate(fixations):
        if not inside[number]:
            continue
        near = number > 0 and begin - fixations[number - 1][1] <= max_gap
        if number > 0 and inside[number - 1] and near:
            visits[-1].append(number)
        else:
            visits.append([number])
    looks = [number for visit in visits for number in visit]
    lasts = [end - begin for begin, end in fixations]
    found["dwell_ms"] = sum(lasts[number] for number in looks)
    found["fixations"] = len(looks)
    found["visits"] = len(visits)
    found["entries"] = len([visit for visit in visits if visit[0] != 0])
    found["revisits"] = max(len(visits) - 1, 0)
    found["first_visit_fixations"] = len(visits[0]) if visits else 0
    found["censored"] = not looks
    found["observed_ms"] = fixations[looks[0]][0] if looks else window
    total = sum(lasts)
    found["dwell_share_of_fixation_time"] = found["dwell_ms"] / total if total else NAN
    found["dwell_share_of_trial"] = found["dwell_ms"] / window if window else NAN
    found["fixation_share"] = len(looks) / len(fixations) if fixations else NAN
    if looks:
        first = looks[0]
        found["time_to_first_fixation_ms"] = found["first_entry_ms"] = fixations[first][0]
        found["first_fixation_ms"] = lasts[first]
        found["first_fixation_number"] = first + 1
        found["first_visit_ms"] = sum(lasts[number] for number in visits[0])
        found["first_exit_ms"] = fixations[visits[0][-1]][1]
        found["last_entry_ms"] = fixations[visits[-1][0]][0]
        found["last_exit_ms"] = fixations[looks[-1]][1]
        found["mean_fixation_ms"] = found["dwell_ms"] / len(looks)
    return found
