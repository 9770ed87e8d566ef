"""The pupil of recordings at hand and of files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import gazetrack
from gazetrack.errors import ConfigError, DataError
from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS
from tests.eye_signals import pupil_with_blinks


def write_export(folder, name):
    """Write a table of samples of ours, whose two trials have a pupil with blinks."""
    from gazetrack.tables.schema import SAMPLES, conform
    from gazetrack.tables.store import write_table

    t, size = pupil_with_blinks()
    trial = np.where(t < 4000, "1", "2").astype(object)
    columns = {"recording": "r", "trial": trial, "stimulus": "a", "t_ms": t}
    columns |= {"x_px": 1.0, "y_px": 1.0, "left_pupil": size}
    path = folder / name
    write_table(path, conform(columns, SAMPLES), {"source": {"file": name, "sha256": "0" * 64}})
    return path


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return write_export(tmp_path_factory.mktemp("pupil"), "raw.samples.parquet")


def test_the_frames_are_what_the_command_writes(export, tmp_path):
    steps = gazetrack.PupilOptions(baseline="divisive")
    found = gazetrack.pupil(gazetrack.read(export), steps)
    options = gazetrack.PupilFilesOptions(out=tmp_path, steps=steps)
    (outcome,) = gazetrack.convert_files([export], options)
    assert outcome.error is None
    samples, trials = (Path(output["path"]) for output in outcome.outputs)
    assert (samples.name, trials.name) == ("raw.pupil.parquet", "raw.pupil-trials.parquet")
    pd.testing.assert_frame_equal(found.samples, pd.read_parquet(samples))
    pd.testing.assert_frame_equal(found.trials, pd.read_parquet(trials))
    assert list(found.samples) == PUPIL.names
    assert list(found.trials) == PUPIL_TRIALS.names
    assert len(found.trials) == 2
    assert outcome.rows_out == 4000


def test_every_step_is_recorded(export, tmp_path):
    steps = gazetrack.PupilOptions(fill_ms=300.0)
    options = gazetrack.PupilFilesOptions(out=tmp_path, steps=steps)
    (outcome,) = gazetrack.convert_files([export], options)
    for output in outcome.outputs:
        meta = json.loads(pq.read_schema(output["path"]).metadata[b"gazetrack"])
        how = meta["pupil"]
        assert how["options"]["fill_ms"] == 300.0
        assert how["unit"] == "arbitrary"
        frame = pd.read_parquet(tmp_path / "raw.pupil.parquet")
        counts = how["counts"]["left"]
        assert counts["samples"] == len(frame) == 4000
        for reason in ("missing", "speed", "edge", "trend", "isolated"):
            assert counts[reason] == (frame["removed_by"] == reason).sum()
        assert counts["missing"] == int((pupil_with_blinks()[1] == 0).sum())
        assert counts["filled"] == frame["is_filled"].sum() > 0
    found = gazetrack.pupil(gazetrack.read(export), steps)
    assert found.samples.attrs["gazetrack"]["pupil"] == how
    assert "% used" in repr(found)


def test_trials_may_begin_elsewhere(export):
    found = gazetrack.pupil(gazetrack.read(export), trial_by="stimulus")
    assert list(found.trials["trial"]) == ["1"]


def test_what_cannot_be_asked_is_refused(export, tmp_path):
    with pytest.raises(ConfigError, match="of its own"):
        gazetrack.PupilFilesOptions(samples=True)
    with pytest.raises(ConfigError, match=r"gazetrack\.read"):
        gazetrack.pupil(str(export))
    with pytest.raises(DataError, match="of the right eye"):
        gazetrack.pupil(gazetrack.read(export), eye="right")
    (tmp_path / "no.csv").write_text("x,y,t\n" + "".join(f"1,2,{4 * i}\n" for i in range(9)))
    options = gazetrack.PupilFilesOptions(screen=gazetrack.Screen(100, 100))
    (outcome,) = gazetrack.convert_files([tmp_path / "no.csv"], options)
    assert outcome.status == "failed"
    assert "no pupil sizes" in str(outcome.error)
    assert [path.name for path in tmp_path.iterdir()] == ["no.csv"]
