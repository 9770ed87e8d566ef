"""gradtrack-compare: methods times seeds, its table, and what it does not do twice."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import signal
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import CheckpointError, ConfigError, GazetrackError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.evaluation.statistics import paired
from gradtrack_model.settings import load_config
from gradtrack_model.study import runner as study
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.study.jobs import Job, Result
from gradtrack_model.study.runner import run_jobs
from gradtrack_model.study.table import cells, markdown, per_image, summarise
from gradtrack_model.training.loop import train
from tests.synthetic import TINY, write_data

SMALL = "--preset tiny --steps 3 --image-size 64 --batch-size 2 --set val_every=2 --set tensorboard=false"


def run(line):
    command = import_module("gazetrack_cli.compare_methods").command
    return CliRunner().invoke(command, line.split(), catch_exceptions=False, standalone_mode=False)


def jobs_of(folder, methods=("full", "gradtrack"), seeds=(0,), **more):
    configs = [
        load_config("tiny", overrides=TINY | {"method": m, "seed": s} | more)
        for s in seeds
        for m in methods
    ]
    return [Job(config.method, config.seed, config, discover(folder)) for config in configs]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_data(tmp_path / "data"))
    (tmp_path / "data" / "val.txt").write_text("im4\nim5\n")
    return tmp_path / "data"


def test_a_folder_is_compared_by_just_typing_it(folder):
    done = run(f"{SMALL} --seeds 0,1 --methods full,heatmap,gazemedseg,gradtrack")
    assert done.return_value == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[1:5]] == [
        "full",
        "heatmap",
        "gazemedseg",
        "gradtrack",
    ]
    out = folder / "comparison"
    table = (out / "comparison.md").read_text()
    assert table.startswith(
        "| method | seeds | Dice | 95 % over images | IoU | HD95 px | from full"
    )
    assert " ± " in table
    rows = list(csv.DictReader((out / "comparison.csv").read_text().splitlines()))
    assert [row["seeds"] for row in rows] == ["0 1"] * 4
    assert rows[0]["p"] == ""
    assert rows[1]["reference"] == "full"
    facts = json.loads((out / "comparison.json").read_text())
    assert len(facts["runs"]) == 8
    assert set(facts["runs"][0]["dice"]) == {"im4", "im5"}
    with Image.open(out / "comparison.png") as picture:
        assert picture.width > 400
    mean = sum(sum(r["dice"].values()) for r in facts["runs"] if r["method"] == "gradtrack") / 4
    assert float(rows[3]["dice"]) == pytest.approx(mean)


def test_it_is_what_the_other_commands_do(folder):
    run(f"{SMALL} --methods gradtrack")
    ran = folder / "comparison" / "gradtrack" / "0"
    runner = CliRunner()
    for line in (
        f"train {SMALL} -o own",
        "predict images --weights own --ids val.txt -o masks-own",
        "evaluate masks-own masks --ids val.txt -o own-evaluation",
    ):
        name, *arguments = line.split()
        runner.invoke(
            import_module(f"gazetrack_cli.{name}").command, arguments, catch_exceptions=False
        )
    assert (ran / "run" / "best.safetensors").read_bytes() == Path(
        "own/best.safetensors"
    ).read_bytes()
    assert (ran / "plain" / "im4.png").read_bytes() == Path("masks-own/im4.png").read_bytes()
    theirs = Path("own-evaluation/evaluation.csv").read_text()
    assert (ran / "plain" / "evaluation" / "evaluation.csv").read_text() == theirs


def test_nothing_is_done_twice(folder, monkeypatch):
    first = compare_methods(jobs_of(folder), folder / "out")
    monkeypatch.setattr(study, "train", None)
    monkeypatch.setattr(study, "predict_folder", None)
    again = compare_methods(jobs_of(folder), folder / "out")
    assert again.lines == first.lines
    assert all(result.again for result in again.results)
    assert not any(result.again for result in first.results)


def test_flips_are_added_without_training(folder, monkeypatch):
    compare_methods(jobs_of(folder), folder / "out")
    monkeypatch.setattr(study, "train", None)
    flipped = compare_methods(jobs_of(folder), folder / "out", flips=True)
    assert not flipped.failed
    assert (folder / "out" / "full" / "0" / "flips" / "im5.png").exists()


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


def test_a_stopped_comparison_goes_on_to_the_same_weights(folder):
    def stop(job, progress):
        if job.name == "gradtrack" and progress.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    jobs = jobs_of(folder, ("full", "gradtrack", "heatmap"))
    stopped = compare_methods(jobs, folder / "out", report=stop)
    assert stopped.stopped_by == signal.SIGTERM
    assert [line["method"] for line in stopped.lines] == ["full"]
    assert len(stopped.results) == 2
    whole = compare_methods(jobs, folder / "out")
    assert [result.again for result in whole.results] == [True, False, False]
    train(jobs[1].config, load_data(jobs[1].sources, jobs[1].config), folder / "straight")
    one, other = (folder / "out" / "gradtrack" / "0" / "run", folder / "straight")
    assert (one / "best.safetensors").read_bytes() == (other / "best.safetensors").read_bytes()
    assert (one / "last.safetensors").read_bytes() == (other / "last.safetensors").read_bytes()


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


def test_without_masks_of_validation_images_nothing_can_be_compared(folder):
    (folder / "masks" / "im4.png").unlink()
    (folder / "masks" / "im5.png").unlink()
    done = run(f"{SMALL} --methods gradtrack")
    assert done.return_value == 1
    assert "no validation image has a mask" in done.stderr
    assert done.stdout == ""
    assert not (folder / "comparison" / "comparison.md").exists()


def test_bad_words(folder):
    for line, match in (
        ("--methods magic", "method is 'magic'"),
        ("--reference full --methods gradtrack", "reference"),
    ):
        with pytest.raises(ConfigError, match=match):
            run(f"{SMALL} {line}")
    for line in ("--seeds 0,x", "--seeds -1", "--methods ,"):
        with pytest.raises(import_module("click").BadParameter):
            run(f"{SMALL} {line}")
    assert not (folder / "comparison").exists()


def test_one_process_compares(folder, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="in 2 processes - leave out torchrun"):
        compare_methods(jobs_of(folder), folder / "out")


def results_of(**rows):
    """Return results of made-up Dice: method → a list of images' values per seed."""
    config = load_config("tiny")
    made = []
    for name, seeds in rows.items():
        for seed, values in enumerate(seeds):
            job = Job(name, seed, dataclasses.replace(config, seed=seed), None)
            scores = {
                f"im{i}": {"dice": v, "iou": v / 2, "hd95_px": 10 * v} for i, v in enumerate(values)
            }
            made.append(Result(job, {"steps": 3, "seconds": 100.0 * (seed + 1)}, {"plain": scores}))
    return made


def test_the_table_by_hand():
    lines = summarise(results_of(a=[[0.2, 0.4], [0.4, 0.6]], b=[[0.5, 0.5]]), "a")
    assert [line["dice"] for line in lines] == pytest.approx([0.4, 0.5])
    assert lines[0]["per_seed"] == pytest.approx([0.3, 0.5])
    assert lines[0]["sd_seeds"] == pytest.approx(0.2 / 2**0.5)
    assert lines[0]["from"] is None
    assert lines[1]["sd_seeds"] is None
    assert lines[1]["from"]["reference"] == "a"
    assert lines[1]["from"]["p"] == paired([0.2, 0.0])["p"]
    assert lines[1]["from"]["difference"] == pytest.approx(0.1)
    assert (lines[0]["iou"], lines[0]["hd95_px"], lines[0]["seconds"]) == pytest.approx(
        (0.2, 4.0, 150.0)
    )
    text = markdown(*cells(lines)).splitlines()
    assert text[2] == "| a | 2 | 0.400 ± 0.141 | 0.300 to 0.500 | 0.200 | 4.0 |  | 3 | 2:30 |"
    assert text[3].startswith(
        "| b | 1 | 0.500 | 0.500 to 0.500 | 0.250 | 5.0 | +0.100 [+0.000, +0.200], p = "
    )


def test_images_that_a_run_lacks_do_not_count():
    assert per_image([{"a": {"dice": 1.0}, "b": {"dice": 0.0}}, {"a": {"dice": 0.0}}]) == {"a": 0.5}
