"""Where the jobs of a study lie, and what is said of them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from gradtrack_model.data.sources import Sources, discover
from gradtrack_model.study.jobs import WAYS, Job, Result


@pytest.fixture
def sources(data_folder) -> Sources:
    return discover(data_folder)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("gradtrack", "gradtrack"),
        ("gradtrack, one reader", "gradtrack-one-reader"),
        ("full, 10 images, seen once", "full-10-images-seen-once"),
    ],
)
def test_a_job_lies_in_the_folder_of_its_name_and_seed(config, sources, name, folder):
    job = Job(name, 7, config, sources)
    assert job.folder(Path("out")) == Path("out", folder, "7")


@pytest.mark.parametrize("name", ["../up", "a/b", "..", "con", "a\\b"])
def test_no_name_leads_out_of_the_study(config, sources, name):
    folder = Job(name, 0, config, sources).folder(Path("out"))
    assert len(folder.parts) == 3
    assert folder.parts[0] == "out"
    assert ".." not in folder.parts


def test_a_result_is_new_and_complete_unless_it_says_otherwise(config, sources):
    job = Job("full", 0, config, sources)
    result = Result(job, {"steps": 6}, {"plain": {"im5": {"dice": 0.5}}})
    assert (result.error, result.again, result.stopped_by) == (None, False, None)
    with pytest.raises(FrozenInstanceError):
        result.again = True


def test_images_are_segmented_plainly_and_over_flips():
    assert WAYS == {"plain": False, "flips": True}
