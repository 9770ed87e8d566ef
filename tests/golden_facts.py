"""What golden folders state about a recording, as plain JSON."""

import json
import math
from collections import Counter

import numpy as np
from pyarrow.types import is_floating

import gazetrack
from gazetrack.errors import GazetrackError
from tests.places import GOLDEN


def _plain(value):
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def _rows(table, n):
    return [
        {name: _plain(value) for name, value in row.items() if _plain(value) not in (None, "")}
        for row in table.slice(0, n).to_pylist()
    ]


def facts(recording):
    samples, fixations, screen = recording.sample_table, recording.fixation_table, recording.screen
    return {
        "format": recording.format,
        "samples": samples and samples.num_rows,
        "fixations": fixations and fixations.num_rows,
        "events": dict(sorted(Counter(recording.event_table["kind"].to_pylist()).items())),
        "rows_in": recording.rows_in,
        "dropped": dict(recording.dropped),
        "screen": screen and [screen.width_px, screen.height_px],
        "placements": {
            name: [p.x_px, p.y_px, p.width_px, p.height_px, p.image_width_px, p.image_height_px]
            for name, p in recording.placements.items()
        },
        "rate_hz": recording.rate_hz,
        "eyes": recording.eyes,
        "origin_ms": recording.origin_ms,
        "time_origin": recording.time_origin,
        "tracker": recording.tracker,
        "software": recording.software,
        "notes": list(recording.notes),
        "first_samples": _rows(samples, 5) if samples else [],
        "first_events": _rows(recording.event_table, 12),
        "first_fixations": _rows(fixations, 4) if fixations else [],
    }


def _in_sum(table):
    """Of each column of numbers how many there are, and their mean, to six digits."""
    found = {}
    for field in table.schema if table is not None else ():
        if is_floating(field.type):
            values = table[field.name].to_numpy().astype(np.float64)
            known = values[np.isfinite(values)]
            mean = float(f"{known.mean():.6g}") if len(known) else None
            found[field.name] = [len(known), mean]
    return found


def outcome(folder):
    """What becomes of a damaged export: the code and place of the error, or what is in its tables.

    A folder of tests/golden/regressions holds one export and its ``about.json``.
    """
    about = json.loads((folder / "about.json").read_text("utf-8"))
    (path,) = folder.glob("input*")
    columns = about.get("columns") or {}
    try:
        recording = gazetrack.read(path, about["format"] if columns else None, columns=columns)
    except GazetrackError as error:
        place = {name: getattr(error, name, None) for name in ("line", "column", "byte")}
        return {"error": error.code, **place}
    rate_hz = recording.effective_rate_hz
    found = facts(recording) | {
        "measured_rate_hz": rate_hz and float(f"{rate_hz:.6g}"),
        "mended": dict(recording.mended),
        "sample_columns": _in_sum(recording.sample_table),
        "event_columns": _in_sum(recording.event_table),
        "fixation_columns": _in_sum(recording.fixation_table),
    }
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    # What becomes of damaged exports that were added is written down: look at it before keeping it.
    for added in sorted((GOLDEN / "regressions").iterdir()):
        expected = added / "expected.json"
        if not expected.exists():
            text = json.dumps(outcome(added), indent=1, ensure_ascii=False)
            expected.write_text(text + "\n", "utf-8")
