"""Where the parts of a data set are found."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError, InputError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config


def test_discover_says_what_it_looked_for(tmp_path):
    with pytest.raises(
        ConfigError, match=r"no images.*images/.*no gaze.*fixations\.parquet.*maps\.parquet.*demo"
    ):
        discover(tmp_path)
    with pytest.raises(InputError, match=r"m: no such file"):
        load_data(
            discover(tmp_path, images=tmp_path / "x", maps=tmp_path / "m"), load_config("tiny")
        )


def test_parts_are_found_by_their_names(data_folder):
    sources = discover(data_folder)
    assert sources.images == data_folder / "images"
    assert sources.masks == data_folder / "masks"
    assert sources.fixations == (data_folder / "g.fixations.parquet",)
    assert (sources.maps, sources.rendered, sources.given) == (None, None, "")
    assert (sources.train_ids, sources.val_ids) == (None, data_folder / "val.txt")
    (data_folder / "fit.txt").write_text("im0\n")
    (data_folder / "manifest.csv").write_text("image_id\nim0\n")
    with_lists = discover(data_folder)
    assert (with_lists.train_ids, with_lists.manifest) == (data_folder / "fit.txt", None)
    for name in ("fit.txt", "val.txt"):
        (data_folder / name).unlink()
    assert discover(data_folder).manifest == data_folder / "manifest.csv"


def test_a_folder_of_tables_is_its_tables(data_folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    table = (data_folder / "g.fixations.parquet").rename(elsewhere / "g.fixations.parquet")
    sources = discover(data_folder, fixations=[elsewhere])
    assert (sources.fixations, sources.given) == ((table,), "fixations")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        discover(tmp_path / "x")
