"""A recording comes back as it was, whatever program its facts went through."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

import gazetrack
from gazetrack.interop.facts import facts_of, recording_of
from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS
from gazetrack.tables.screen import Screen

TABLES = ("sample_table", "event_table", "fixation_table")
FULL = Recording(
    name="anna",
    format="eyelink_asc",
    sample_table=None,
    event_table=EVENTS.empty_table(),
    screen=Screen(1920, 1080, 531.0, 299.0, 650.0),
    placements={"a.png": Placement(10, 20, 300, 200, 600, 400)},
    rate_hz=None,
    rates_hz=((0.0, 500.0), (100.5, 1000.0)),
    pupil_measure="area",
    participants={"anna": "p1"},
    no_positions=True,
    marks_known=True,
    directions=True,
    eyes="binocular",
    origin_ms=123456.5,
    start_ns=1_700_000_000_000_000_001,
    time_origin="trial",
    tracker="EyeLink 1000",
    software="5.15",
    rows_in=10,
    dropped={"no time": 2},
    notes=("time unit inferred: ms",),
    fractions_of="surface",
    world_camera="Neon",
    mended={"short": 1},
)


def back(recording, screen):
    facts = json.loads(json.dumps(facts_of(recording)))
    events = recording.event_table
    return recording_of(facts, samples=None, events=events, screen=screen, notes=("added",))


def test_every_field_comes_back():
    found = back(FULL, FULL.screen)
    assert found.notes == (*FULL.notes, "added")
    for field in fields(Recording):
        if field.name not in (*TABLES, "notes"):
            assert getattr(found, field.name) == getattr(FULL, field.name), field.name


def test_the_full_recording_has_no_field_at_its_default():
    plain = Recording(name="", format="", sample_table=None, event_table=EVENTS.empty_table())
    same = {
        field.name
        for field in fields(Recording)
        if field.name not in TABLES and getattr(FULL, field.name) == getattr(plain, field.name)
    }
    assert same == {"rate_hz"}  # where the rate changes, there is none


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (Screen(1920, 1080), True),  # says less
        (Screen(1920, 1080, 10 * 53.1, 10 * 29.9, 10 * 65.0), True),
        (Screen(1920, 1080, 500.0, 299.0, 650.0), False),  # somebody changed it
        (Screen(1280, 720), False),
        (None, True),
    ],
)
def test_the_other_programs_screen_wins_where_it_says_something_else(told, kept):
    found = back(FULL, told)
    assert found.screen == (FULL.screen if kept else told)


def test_a_field_of_view_has_no_place_elsewhere_and_comes_back():
    camera = Screen(1088, 1080, fov_deg=82.0, fisheye=True)
    found = back(replace(FULL, screen=camera), Screen(1088, 1080))
    assert found.screen == camera


def test_a_real_recording_comes_back(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64))
    recording = gazetrack.read(example.exports[1])
    assert replace(back(recording, recording.screen), notes=()).facts() == {
        **recording.facts(),
        "notes": [],
    }
