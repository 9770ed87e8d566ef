"""Dwell: no moment of a recording is in two rows of its fixation table.

Then durations add up to time there was.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.events.fixations import fixation_table
from gazetrack.maps.track import build_tracks
from gazetrack.readers import registry
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.selection import RULE, select_eye
from gazetrack.tables.store import read_meta
from gazetrack.workflows.convert import ConvertOptions, convert_files
from tests.places import GOLDEN as FOLDER
from tests.places import ROOT

GOLDEN = sorted(path for name in registry.BUILTIN for path in (FOLDER / name).glob("*/input.*"))


def with_ends(table, onset="onset_ms", duration="duration_ms"):
    frame = table.to_pandas()
    return frame.assign(
        start=frame[onset], end=frame[onset] + (frame[duration] if duration else 0.0)
    )


def lengths(recording, keys):
    """How long each recording is.

    That is from its first sample or event to its last, and a step of the samples more.
    """
    step = 0.0
    parts = [
        with_ends(table)
        for table in (recording.event_table, recording.fixation_table)
        if table is not None
    ]
    if recording.sample_table is not None:
        parts.append(with_ends(recording.sample_table, "t_ms", None))
        step = (
            1.5 * 1000 / (recording.effective_rate_hz or np.inf)
        )  # the usual one, where they are uneven
    spans = pd.concat(
        [part[[*keys, "start", "end"]].astype(dict.fromkeys(keys, str)) for part in parts]
    ).groupby(keys)
    return spans["end"].max() - spans["start"].min() + step


def check_dwell(recording, table):
    # Where onsets count from the trial, nothing but the trial and what it shows has a length.
    keys = (
        ["recording"]
        if recording.time_origin == "recording"
        else ["recording", "trial", "stimulus"]
    )
    if recording.sample_table is None:
        keys.append("participant")
    frame = table.to_pandas()
    dwell = frame.astype(dict.fromkeys(keys, str)).groupby(keys)["duration_ms"].sum()
    length = lengths(recording, keys)
    assert len(dwell) or not table.num_rows
    for name, spent in dwell.items():
        assert spent <= length[name] * (1 + 1e-9) + 1e-6, name


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_dwell_of_golden_files_is_within_their_length(path):
    columns = path.parent / "columns.json"
    recording = gazetrack.read(
        path,
        columns=json.loads(columns.read_text()) if columns.exists() else None,
        fov_deg=82 if "adhawk" in path.parts else None,  # of which no export states it
    )
    for eye in ("auto", "left", "right"):
        try:
            table, _ = fixation_table(select_eye(recording, eye), eye=eye)
        except GazetrackError:
            assert eye != "auto" or recording.sample_table is None  # the export has no such eye
            continue
        check_dwell(recording, table)


@pytest.mark.slow
@pytest.mark.real_data
def test_dwell_of_real_exports_is_within_their_length(data_dir):
    checked = binocular = 0
    for path in sorted(path for path in (data_dir / "exports").rglob("*") if path.is_file()):
        try:
            recording = gazetrack.read(path)
            table, source = fixation_table(recording)
        except GazetrackError:
            continue  # no gaze, or none that can be used: see the readers' tests
        check_dwell(recording, table)
        checked += 1
        binocular += "of the other eye" in source.get("left_out", {})
    assert checked > 60
    assert binocular >= 12


def binocular(tmp_path):
    """An EyeLink file of one second.

    The left eye's two fixations last 700 ms in all, the right eye's 712 ms.
    """
    rows = [f"{t}\t100.0\t200.0\t900\t110.0\t210.0\t900\t.....\n" for t in range(1000, 2000, 4)]
    lines = [
        *(
            "MSG 1000 DISPLAY_COORDS 0 0 1919 1079\n",
            "START 1000 LEFT RIGHT SAMPLES EVENTS\n",
            *rows,
        ),
        "EFIX L 1000 1396 400 100.0 200.0 900\n",
        "EFIX R 1000 1408 412 110.0 210.0 900\n",
        "EFIX L 1500 1796 300 100.0 200.0 900\n",
        "EFIX R 1504 1800 300 110.0 210.0 900\n",
        "END 2000 SAMPLES EVENTS RES 40 40\n",
    ]
    path = tmp_path / "two.asc"
    path.write_text("** CONVERTED FROM two.edf\n" + "".join(lines))
    return path


def test_dwell_of_a_binocular_recording_is_counted_once(tmp_path):
    recording = gazetrack.read(binocular(tmp_path))
    table, source = fixation_table(recording)
    assert (table["x_px"].to_pylist(), table["eye"].to_pylist()) == ([110, 110], ["right", "right"])
    assert (source["left_out"], source["fixation_eye"]["rule"]) == ({"of the other eye": 2}, RULE)
    assert [note for note in source["notes"] if "0.7 s in all, 0.7 s of the left eye" in note]
    each, source = fixation_table(recording, eye="both")
    assert each.num_rows == 4
    assert source["fixation_eye"] == {
        "asked": "both",
        "held": "left and right",
        "rows": "a row per fixation and eye",
    }
    assert "before durations are added up" in source["notes"][0]
    assert [len(track) for track in build_tracks(placed(each))] == [2]


@pytest.mark.parametrize("eye", ["auto", "both"])
def test_dwell_by_the_documented_recipe_is_within_the_length(tmp_path, monkeypatch, eye):
    binocular(tmp_path)
    (outcome,) = convert_files([tmp_path / "two.asc"], ConvertOptions(eye=eye))
    Path(outcome.outputs[0]["path"]).rename(tmp_path / "reader-1.fixations.parquet")
    text = (ROOT / "docs" / "getting-started.md").read_text("utf-8")
    recipe = next(
        code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "dwell = " in code
    )
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(recipe, "getting-started.md", "exec"), names)
    assert names["dwell"].tolist() == pytest.approx(
        [712.0] if eye == "auto" else [700.0, 712.0], abs=20
    )
    assert names["dwell"].max() < 1000


def placed(table):
    return conform(table.to_pandas().assign(image_width_px=100.0, image_height_px=100.0), FIXATIONS)


def test_dwell_of_detected_fixations_is_of_the_combined_gaze_of_one_eye_or_of_each(tmp_path):
    recording = gazetrack.read(binocular(tmp_path))
    recording = Recording(
        name=recording.name,
        format=recording.format,
        sample_table=recording.sample_table,
        event_table=conform({}, EVENTS),
        eyes="binocular",
    )
    found = {}
    for eye in ("auto", "left", "right", "both"):
        table, source = fixation_table(recording, eye=eye)
        found[eye] = list(zip(table["eye"].to_pylist(), table["x_px"].to_pylist(), strict=True))
    assert found["auto"] == [("both", 105)]
    assert found["both"] == [*found["left"], *found["right"]] == [("left", 100), ("right", 110)]
    assert source["fixation_eye"]["rows"] == "a row per fixation and eye"
    mono = conform(
        recording.sample_table.to_pandas().assign(right_x_px=np.nan, right_y_px=np.nan), SAMPLES
    )
    alone = Recording(
        name="r", format="f", sample_table=mono, event_table=conform({}, EVENTS), eyes="left"
    )
    assert set(fixation_table(alone)[0]["eye"].to_pylist()) == {"left"}


def test_which_eye_was_chosen_is_no_note_of_the_samples(tmp_path):
    path = FOLDER / "smi" / "raw_messages" / "input.txt"
    options = ConvertOptions(out=tmp_path, samples=True)
    (outcome,) = convert_files([path], options)
    assert outcome.status == "ok"
    chosen = [note for note in outcome.notes if "--eye left, right or both" in note]
    assert len(chosen) == 1
    fixations, samples = (
        read_meta(next(tmp_path.glob(f"*.{what}.parquet"))) for what in ("fixations", "samples")
    )
    assert chosen[0] in fixations["notes"]
    assert chosen[0] not in samples["notes"]
