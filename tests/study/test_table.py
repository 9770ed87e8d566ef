"""The table of a study, worked out by hand."""

from __future__ import annotations

import dataclasses

import pytest

from gradtrack_model.evaluation.statistics import paired
from gradtrack_model.settings import load_config
from gradtrack_model.study.jobs import Job, Result
from gradtrack_model.study.table import cells, markdown, per_image, row_name, summarise


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
            facts = {"steps": 3, "seconds": 100.0 * (seed + 1), "config": config.as_dict()}
            made.append(Result(job, facts, {"plain": scores}))
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
    figures = "| a | 2 | 0.400 ± 0.141 | 0.300 to 0.500 | 0.200 | 4.0 |  | 3 | 2:30 |"
    what = " gradtrack: Track Attention; 4 levels (tail by count); cross-entropy + Dice + levels; "
    assert text[2].startswith(figures + what)
    assert text[3].startswith(
        "| b | 1 | 0.500 | 0.500 to 0.500 | 0.250 | 5.0 | +0.100 [+0.000, +0.200], p = "
    )


def test_images_that_a_run_lacks_do_not_count():
    assert per_image([{"a": {"dice": 1.0}, "b": {"dice": 0.0}}, {"a": {"dice": 0.0}}]) == {"a": 0.5}


def test_a_row_whose_labels_a_prompt_model_drew_stands_apart_by_its_name():
    results = results_of(a=[[0.2]], b=[[0.5]])
    results[0].facts["drawn_by"] = "mobilesam (learned from masks of natural images)"
    _, rows = cells(summarise(results, "a"))
    assert [row[0] for row in rows] == [
        "a, labels drawn by mobilesam (learned from masks of natural images)",
        "b",
    ]


def test_a_row_is_called_by_its_own_name_unless_that_is_another_method():
    (line,) = summarise(results_of(a=[[0.5, 0.5]]), "a")
    assert (line["computed"], row_name(line)) == ("gradtrack", "a")
    assert row_name(line | {"method": "gradtrack"}) == "gradtrack"
    assert row_name(line | {"method": "full"}) == "gradtrack (asked for: full)"


def test_a_bar_in_a_cell_is_none_of_the_table():
    text = markdown(["method", "drawn by"], [["gradtrack", "my|model"]])
    assert text.splitlines()[2] == r"| gradtrack | my\|model |"
