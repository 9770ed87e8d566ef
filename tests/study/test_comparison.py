"""gradtrack-compare: methods times seeds, and what it does not do twice."""

from __future__ import annotations

import csv
import json
import os
import signal
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import ConfigError, OutputError
from gazetrack.maps.parameters import MapParams
from gazetrack.workflows.render import RenderOptions, render_tables
from gradtrack_model.data.loading import load_data
from gradtrack_model.study import runner as study
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.training.loop import train
from tests.pages_of_html import read_page
from tests.studies import SMALL, jobs_of, run


@pytest.mark.parametrize(
    "methods",
    [
        ("full", "gradtrack"),
        pytest.param(("full", "heatmap", "gazemedseg", "gradtrack"), marks=pytest.mark.slow),
    ],
    ids=len,
)
def test_a_folder_is_compared_by_just_typing_it(folder, methods):
    done = run(f"{SMALL} --seeds 0,1 --methods {','.join(methods)}")
    assert done.return_value == 0, done.output
    shown = done.stdout.splitlines()[1 : 1 + len(methods)]
    assert tuple(line.split()[0] for line in shown) == methods
    out = folder / "comparison"
    table = (out / "comparison.md").read_text()
    assert table.startswith(
        "| method | seeds | Dice | 95 % over images | IoU | HD95 px | from full"
    )
    assert " ± " in table
    rows = list(csv.DictReader((out / "comparison.csv").read_text().splitlines()))
    assert [row["seeds"] for row in rows] == ["0 1"] * len(methods)
    assert rows[0]["p"] == ""
    assert rows[1]["reference"] == "full"
    facts = json.loads((out / "comparison.json").read_text())
    assert len(facts["runs"]) == 2 * len(methods)
    assert set(facts["runs"][0]["dice"]) == {"im4", "im5"}
    with Image.open(out / "comparison.png") as picture:
        assert picture.width > 400
    mean = sum(sum(r["dice"].values()) for r in facts["runs"] if r["method"] == "gradtrack") / 4
    assert float(rows[-1]["dice"]) == pytest.approx(mean)


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


def test_a_row_is_called_what_was_computed(folder):
    plain = "--set model.attention=false --set loss.track_weight=0 --set precision=fp32"
    assert run(f"{SMALL} --methods gradtrack,full {plain}").return_value == 0
    out = folder / "comparison"
    table = (out / "comparison.md").read_text()
    assert "| plain (asked for: gradtrack) | 1 |" in table
    assert "plain: plain decoder; the last level alone; cross-entropy + Dice; density maps" in table
    assert "fp32 precision; foreground above 0.5; learned from gaze of fixation tables" in table
    (row, _) = csv.DictReader((out / "comparison.csv").read_text().splitlines())
    assert (row["method"], row["computed"]) == ("gradtrack", "plain")
    first, second = json.loads((out / "comparison.json").read_text())["runs"]
    assert (first["computed"], first["decoder"], first["levels"]) == (
        "plain",
        "plain decoder",
        "the last level alone",
    )
    assert (second["computed"], second["learned_from"]) == ("full", "masks")
    summary = json.loads((out / "gradtrack/0/plain/evaluation/summary.json").read_text())
    assert (summary["network"]["method"], summary["network"]["precision"]) == ("plain", "fp32")
    assert "plain, seed 0" in read_page(out / "gradtrack/0/run/report.html").text
    assert "plain (asked for: gradtrack)" in read_page(out / "comparison.html").text


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("--set model.attention=false", "gradtrack and gradtrack-no-attention"),
        ("--set maps.truncation=head", "gradtrack and gradtrack-none"),
        ("--maps maps", "gradtrack and gradtrack-none"),
    ],
)
def test_two_rows_that_would_compute_the_same_are_refused(folder, line, names):
    options = RenderOptions(params=MapParams(), images=folder / "images", out=folder / "maps")
    render_tables([folder / "g.fixations.parquet"], options)
    methods = "gradtrack,full,gradtrack-none,gradtrack-head,gradtrack-no-attention"
    with pytest.raises(ConfigError, match=f"^{names} would compute the same: "):
        run(f"{SMALL} --methods {methods} {line}")
    assert not (folder / "comparison").exists()


@pytest.mark.parametrize("place", ["images", "masks", "masks/../images"])
def test_no_plot_is_written_among_the_images(folder, place):
    before = sorted(folder.rglob("*"))
    with pytest.raises(OutputError, match="is a folder of inputs"):
        compare_methods(jobs_of(folder), folder / place)
    assert sorted(folder.rglob("*")) == before


def test_what_a_machine_lacks_is_said_before_any_image_is_read(folder, monkeypatch):
    def read(*_):
        raise AssertionError("an image was read")

    monkeypatch.setattr(study, "load_data", read)
    jobs = jobs_of(folder, **{"optimizer.frozen_blocks": 99})
    found = compare_methods(jobs, folder / "out")
    assert all("frozen_blocks" in str(result.error) for result in found.results)
