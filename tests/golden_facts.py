"""What golden folders state about a recording, as plain JSON."""

import math
from collections import Counter


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
