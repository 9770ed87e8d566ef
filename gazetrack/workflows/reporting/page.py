"""The page of a report: what it says as plain values, filled into a template.

The page asks the network for nothing, and its own policy (CSP) forbids it to: one style and one
script are let through by their digests. What comes from data is escaped by the template, or lies
in JSON from which the script makes text, never markup.
"""

from __future__ import annotations

import base64
import hashlib
import math
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, quote
from gazetrack.version import __version__
from gazetrack.workflows.reporting.facts import facts_of, number, summed
from gazetrack.workflows.reporting.thresholds import BEYOND, NOT_ASKED, UNKNOWN, WITHIN, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.workflows.reporting.entries import RecordingEntry, Reported, TrialEntry
    from gazetrack.workflows.reporting.options import ReportOptions
    from gazetrack.workflows.reporting.pictures import MapPictures, Pictures
    from gazetrack.workflows.reporting.thresholds import Judgement, Thresholds

GENERATOR = "gazetrack report"
_TEMPLATES = Path(__file__).with_name("templates")
_NAME_CHARS = 160
# A status by word and symbol: nobody has to tell colours apart.
STATUS = {
    WITHIN: ("✓", "within"),
    BEYOND: ("▲", "beyond"),
    UNKNOWN: ("?", "not known"),
    NOT_ASKED: ("·", "read"),
    "failed": ("✕", "not read"),
}
# A measure of each eye: its name, title, factor to the unit of the title, and digits.
_EYES = (
    ("rate_hz", "rate, Hz", 1.0, 1),
    ("effective_rate_hz", "with gaze, Hz", 1.0, 1),
    ("loss", "lost, %", 100.0, 2),
    ("n_gaps", "gaps", 1.0, 0),
    ("longest_gap_ms", "longest gap, ms", 1.0, 0),
    ("window_rms_s2s_deg", "RMS-S2S, deg", 1.0, 3),
    ("window_std_deg", "STD, deg", 1.0, 3),
    ("window_rms_s2s_px", "RMS-S2S, px", 1.0, 2),
    ("window_std_px", "STD, px", 1.0, 2),
)


def installed() -> bool:
    """Whether Jinja2, which the page needs, is installed."""
    return find_spec("jinja2") is not None


def check_installed() -> None:
    """Refuse to begin where Jinja2 is not installed.

    Raises
    ------
    ConfigError
        It is not.
    """
    if not installed():
        what = "Jinja2 is not installed, reports need it"
        raise ConfigError(what, hint='pip install "gazetrack[report]"')


def page_of(
    found: Sequence[Reported], pictures: Pictures, maps: MapPictures, options: ReportOptions
) -> str:
    """Return the page.

    Parameters
    ----------
    found : sequence of Reported
        What is said of each input, in order; those that failed have a row as well.
    pictures : Pictures
        The images that were looked at.
    maps : MapPictures
        The maps of trials, small and as URIs.
    options : ReportOptions
        The title, and the thresholds that quality is judged by.

    Returns
    -------
    str
        One HTML document.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style = (_TEMPLATES / "report.css").read_text("utf-8")
    script = (_TEMPLATES / "report.js").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = _rows(found, options.thresholds)
    shown = {image_id: place for place, image_id in enumerate(pictures.uris)}
    for row in rows:
        row["data"] = [_packed(one, shown, maps, options.thresholds) for one in row.pop("trials")]
    context = {
        "csp": _policy(style, script),
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "generator": f"{GENERATOR} {__version__}",
        "version": __version__,
        "title": quote(options.title, _NAME_CHARS) or _title(rows),
        "rows": rows,
        "has_participants": any(row["participant"] for row in rows),
        "formats": sorted({row["format"] for row in rows if row["format"]}),
        "statuses": [STATUS[name] for name in STATUS if any(row["status"] == name for row in rows)],
        "each": ", each eye" if options.eye == "both" else "",
        "thresholds": options.thresholds.in_words(),
        "tiles": _tiles(rows),
        "left_out": _left_out(found, pictures, maps, has_names=options.pseudonyms.keeps),
        "pictures": {
            "images": list(pictures.uris.values()),
            "maps": [list(pair) for pair in zip(maps.uris, maps.levels, strict=True)],
        },
    }
    return environment.get_template("report.html").render(context)


def _policy(style: str, script: str) -> str:
    """Return the content security policy: nothing from anywhere but what is in the page."""
    style_digest, script_digest = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    )
    return (
        "default-src 'none'; img-src data:; "
        f"style-src 'sha256-{style_digest}'; script-src 'sha256-{script_digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _rows(found: Sequence[Reported], thresholds: Thresholds) -> list[dict[str, Any]]:
    """Return one row a recording, and one for each input that failed."""
    rows = []
    for one in found:
        if one.outcome.status == "failed":
            rows.append(_failed(one))
        rows += [_row(one, entry, thresholds) for entry in one.entries]
    for place, row in enumerate(rows):
        row["id"] = f"r{place}"
    return rows


def _failed(one: Reported) -> dict[str, Any]:
    mark, word = STATUS["failed"]
    error = one.outcome.error
    assert error is not None  # noqa: S101 - that is what failed means
    place = f"line {error.line}: " if error.line else ""
    hint = f" - {error.hint}" if error.hint else ""
    return {
        "status": "failed",
        "mark": mark,
        "word": word,
        "name": quote(Path(one.outcome.file).name, _NAME_CHARS),
        "participant": "",
        "format": one.outcome.format,
        # The table names the file in front already.
        "brief": quote(f"{place}{error.what}{hint}", 400),
        "reasons": [error.whole()],
        "cells": [None] * 9,
        "facts": facts_of(one),
        "eyes": [],
        "eye_names": [],
        "events": [],
        "notes": [],
        "trials": [],
        "n_trials": 0,
        "duration_ms": 0.0,
    }


def _row(one: Reported, entry: RecordingEntry, thresholds: Thresholds) -> dict[str, Any]:
    """Return what the page says of one recording."""
    fixations = entry.events.get("fixation", {})
    own = judge(entry.quality | _count(entry.events), thresholds)
    of_trials = [_judged(trial, thresholds) for trial in entry.trials]
    n_beyond = sum(found.status == BEYOND for found in of_trials)
    status = own.status if own.status == BEYOND or not n_beyond else BEYOND
    reasons = list(own.reasons)
    if n_beyond and len(entry.trials) > 1:
        reasons.append(f"{n_beyond} of {len(entry.trials)} trials beyond")
    elif n_beyond and not reasons:
        reasons += of_trials[0].reasons
    mark, word = STATUS[status]
    duration_ms = sum(trial.duration_ms for trial in entry.trials)
    quality = entry.quality
    cells = [
        number(quality.get("rate_hz", one.provenance.get("rate_hz")), 1),
        number(duration_ms / 1000, 1),
        number(len(entry.trials), 0),
        number(quality.get("loss"), 1, 100.0),
        number(quality.get("window_rms_s2s_deg"), 3),
        number(fixations.get("n", 0), 0),
        number(fixations.get("median_ms"), 0),
        number(entry.events.get("saccade", {}).get("n"), 0),
        number(entry.events.get("blink", {}).get("n"), 0),
    ]
    return {
        "status": status,
        "mark": mark,
        "word": word,
        "name": quote(entry.name, _NAME_CHARS),
        "participant": quote(entry.participant, _NAME_CHARS),
        "format": one.outcome.format,
        "brief": "; ".join(reasons),
        "reasons": reasons,
        "cells": cells,
        "facts": facts_of(one),
        "eye_names": list(entry.eyes),
        "eyes": _eye_rows(entry.eyes),
        "events": _event_rows(entry.events),
        "notes": [quote(note, 400) for note in one.outcome.notes] + summed(one.outcome),
        "trials": entry.trials,
        "n_trials": len(entry.trials),
        "duration_ms": duration_ms,
    }


def _count(events: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {"fixations": events.get("fixation", {}).get("n", 0)}


def _judged(trial: TrialEntry, thresholds: Thresholds) -> Judgement:
    return judge(trial.quality | _count(trial.events), thresholds)


def _eye_rows(eyes: Mapping[str, Mapping[str, float]]) -> list[tuple[str, list[Any]]]:
    """Return the measures of each eye, a row a measure; those that nobody knows are left out."""
    rows = []
    for name, title, factor, digits in _EYES:
        cells = [number(measures.get(name), digits, factor) for measures in eyes.values()]
        if any(cell is not None for cell in cells):
            rows.append((title, cells))
    return rows


def _event_rows(events: Mapping[str, Mapping[str, float]]) -> list[tuple[str, list[Any]]]:
    """Return a row for each kind of movement: how many, and medians."""
    return [
        (
            kind,
            [
                number(found.get("n"), 0),
                number(found.get("median_ms"), 0),
                number(found.get("median_deg"), 2),
                number(found.get("median_peak_deg_s"), 0),
            ],
        )
        for kind, found in events.items()
    ]


def _packed(
    trial: TrialEntry, images: Mapping[str, int], maps: MapPictures, thresholds: Thresholds
) -> dict[str, Any]:
    """Return a trial as the script of the page takes it: short names, and few digits."""
    from gazetrack.tables.stimulus import stem

    judged = _judged(trial, thresholds)
    mark, word = STATUS[judged.status]
    packed = trial.packed
    saccades = trial.events.get("saccade", {})
    fixations = trial.events.get("fixation", {})
    image = images.get(stem(trial.stimulus)) if trial.stimulus else None
    return {
        "trial": quote(trial.trial, _NAME_CHARS),
        "stimulus": quote(trial.stimulus, _NAME_CHARS),
        "start": _short(trial.onset_ms),
        "ms": _short(trial.duration_ms),
        "loss": _short(100 * trial.quality.get("loss", math.nan)),
        "rms": _short(trial.quality.get("window_rms_s2s_deg", math.nan), 3),
        "fixations": fixations.get("n", 0),
        "median": _short(fixations.get("median_ms", math.nan)),
        "saccades": saccades.get("n"),
        "blinks": trial.events.get("blink", {}).get("n"),
        "status": [mark, word, list(judged.reasons)],
        "plane": [_short(side) for side in trial.plane],
        "placed": None if trial.placed is None else [_short(one) for one in trial.placed],
        "image": image,
        "map": maps.of(trial),
        "packed": [
            packed.text,
            packed.n_points,
            packed.n_fixations,
            _short(packed.step_ms, 4),
            packed.scale,
        ],
        "messages": [[_short(at), quote(text, 130)] for at, text in trial.messages],
        "n_messages": trial.n_messages,
    }


def _short(value: float, digits: int = 1) -> float | None:
    """Return a number with few digits behind the point; None for what is not known."""
    return round(float(value), digits) if math.isfinite(value) else None


def _title(rows: Sequence[Mapping[str, Any]]) -> str:
    n_read = sum(row["status"] != "failed" for row in rows)
    return f"Report on {n_read} recording{'' if n_read == 1 else 's'}"


def _tiles(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the figures at the head of the page, each with what it is."""
    read = [row for row in rows if row["status"] != "failed"]
    minutes = sum(row["duration_ms"] for row in read) / 60_000
    losses = [row["cells"][3][0] for row in read if row["cells"][3] is not None]
    tiles = [
        (f"{len(read):,}", "recordings"),
        (f"{sum(row['n_trials'] for row in read):,}", "trials"),
        (f"{minutes:,.1f}", "minutes"),
    ]
    if losses:
        tiles.append((f"{median(losses):.1f} %", "lost, median"))
    n_beyond = sum(row["status"] == BEYOND for row in read)
    if any(row["status"] != NOT_ASKED for row in read):
        tiles.append((f"{n_beyond:,}", "beyond thresholds"))
    n_failed = len(rows) - len(read)
    if n_failed:
        tiles.append((f"{n_failed:,}", "not read"))
    return tiles


def _left_out(
    found: Sequence[Reported], pictures: Pictures, maps: MapPictures, *, has_names: bool
) -> list[tuple[str, list[str]]]:
    """Return what is not in the page, by reason."""
    failed = [one.outcome.error.whole() for one in found if one.outcome.error is not None]
    skipped, again = (
        [
            note
            for one in found
            if one.outcome.status == "skipped" and bool(one.provenance) is was_read
            for note in one.outcome.notes
        ]
        for was_read in (False, True)
    )
    missing = [quote(name, _NAME_CHARS) for name in pictures.missing]
    of_no_trial = [_of_no_trial(maps.n_unused, has_names=has_names)] if maps.n_unused else []
    groups = [
        ("Inputs that could not be read", failed),
        ("Files that are no exports", skipped),
        ("Recordings that are in the report already", again),
        ("Stimuli without an image in the folder of images", missing),
        ("Images that could not be read", list(pictures.troubles)),
        ("Maps that are of no trial here", of_no_trial),
    ]
    return [(title, items) for title, items in groups if items]


def _of_no_trial(n_maps: int, *, has_names: bool) -> str:
    """Return how many maps are of no trial of the page, and what may be done about it."""
    said = f"{n_maps:,}: render them from tables of these recordings"
    if has_names:
        return said
    return f"{said} that were converted with the same --participant and --key as this page"
