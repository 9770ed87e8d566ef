"""The jobs of a study: what is refused, and what a failure leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import CheckpointError, GazetrackError, OutputError
from gradtrack_model.study import runner as study
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.study.runner import run_jobs
from gradtrack_model.training.replaced import set_aside
from gradtrack_model.training.run_folder import _RUN_FILES
from tests.dicom_files import write_series
from tests.studies import SMALL, jobs_of, run
from tests.synthetic import write_gaze
from tests.volume_study import ball


def test_other_settings_or_data_are_refused_and_force_begins_anew(folder):
    compare_methods(jobs_of(folder), folder / "out")
    other = list(run_jobs(jobs_of(folder, batch_size=3), folder / "out"))
    assert all(isinstance(result.error, CheckpointError) for result in other)
    assert "batch_size was 4, is 3" in str(other[0].error)
    assert "--force" in str(other[0].error)
    (folder / "val.txt").write_text("im3\n")
    changed = list(run_jobs(jobs_of(folder), folder / "out"))
    assert "masks or splits have changed" in str(changed[0].error)
    forced = list(run_jobs(jobs_of(folder, batch_size=3), folder / "out", force=True))
    assert [list(result.scores["plain"]) for result in forced] == [["im3"], ["im3"]]


def test_a_damaged_result_is_named(folder):
    compare_methods(jobs_of(folder, ("full",)), folder / "out")
    (folder / "out" / "full" / "0" / "result.json").write_text("[]")
    (result,) = run_jobs(jobs_of(folder, ("full",)), folder / "out")
    assert "result.json: is damaged" in str(result.error)


@pytest.mark.parametrize(
    "error", [GazetrackError("no luck"), RuntimeError("out of memory"), MemoryError()]
)
def test_one_failure_does_not_lose_the_others(folder, monkeypatch, error):
    real = study.train

    def failing(config, *arguments, **named):
        if config.method == "full":
            raise error
        return real(config, *arguments, **named)

    monkeypatch.setattr(study, "train", failing)
    done = run(f"{SMALL} --methods full,gradtrack,heatmap")
    assert done.return_value == 1
    assert done.stderr.count("gradtrack-compare: error: full, seed 0: ") == 1
    facts = json.loads(Path("comparison/comparison.json").read_text())
    assert [line["method"] for line in facts["methods"]] == ["gradtrack", "heatmap"]
    assert "error" in facts["runs"][0]
    assert facts["methods"][1]["from"] is None  # the reference is the one that failed


def test_several_classes_are_refused(folder):
    jobs = jobs_of(folder, **{"classes.names": ("a", "b")})
    results = list(run_jobs(jobs, folder / "out"))
    assert {str(result.error).split(" - ")[0] for result in results} == {
        "a comparison of 2 classes (a, b)"
    }
    assert not (folder / "out").exists() or not list((folder / "out").rglob("*.safetensors"))


def test_masks_that_are_pictures_of_a_dicom_series_are_compared_as_a_volume(tmp_path):
    """From training with neighbours to volumes: names say another order than positions."""
    pytest.importorskip("pydicom")
    mask = ball(0)
    (tmp_path / "masks").mkdir()
    for series, names in enumerate((["d", "a", "e", "b", "c"], ["y", "v", "z", "w", "x"])):
        voxels = (60 + 130 * mask).astype(np.int16)
        write_series(tmp_path / "images", voxels, names=names, SeriesInstanceUID=f"1.{series}")
        for name, plane in zip(names, mask, strict=True):
            Image.fromarray(plane.astype(np.uint8) * 255).save(tmp_path / "masks" / f"{name}.png")
    write_gaze(tmp_path / "g.fixations.parquet", {name: [(26.0, 24.0)] * 3 for name in "abcde"})
    (tmp_path / "val.txt").write_text("".join(f"{name}\n" for name in "vwxyz"))
    jobs = jobs_of(tmp_path, ("full",), context=1)
    (result,) = run_jobs(jobs, tmp_path / "out")
    assert result.error is None
    (volume,) = result.volumes["plain"]
    assert volume == "v.dcm"
    assert 0 <= result.volumes["plain"][volume]["dice"] <= 1


def test_an_old_result_that_cannot_be_removed_is_named(folder, tmp_path):
    (job,) = jobs_of(folder)[:1]
    result = job.folder(tmp_path) / "result.json"
    result.mkdir(parents=True)
    (done,) = run_jobs([job], tmp_path, force=True)
    assert isinstance(done.error, OutputError)
    assert done.error.path == result


def test_an_old_evaluation_that_cannot_be_removed_is_named(folder, tmp_path):
    (job,) = jobs_of(folder)[:1]
    scores = job.folder(tmp_path) / "plain" / "evaluation" / "evaluation.csv"
    scores.mkdir(parents=True)
    (done,) = run_jobs([job], tmp_path)
    assert isinstance(done.error, OutputError)
    assert done.error.path == scores


def test_a_run_whose_replacement_was_killed_is_not_trained_again(folder):
    (job,) = jobs_of(folder)[:1]
    steps = []

    def report(_job, progress):
        steps.append(progress.step)

    (first,) = run_jobs([job], folder / "out", report=report)
    assert len(steps) > 1
    place = job.folder(folder / "out")
    (place / "result.json").unlink()
    set_aside(place / "run", _RUN_FILES)
    trained = steps[-1:]
    steps.clear()
    (again,) = run_jobs([job], folder / "out", report=report)
    assert steps == trained  # the end of a run that is complete is told again
    assert again.scores == first.scores
