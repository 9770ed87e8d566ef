"""The functions of the commands: outcomes, and errors that nobody can overlook."""

from __future__ import annotations

import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, UnknownFormat


@pytest.fixture
def folder(tmp_path, monkeypatch):
    example = gazetrack.write_example(tmp_path, n_images=4, size=(48, 64))
    example.exports[1].rename(tmp_path / "raw.tsv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_error_is_raised_when_the_others_are_done(folder):
    (folder / "bad.tsv").write_bytes(b"\0" * 50)
    (folder / "worse.tsv").write_text("nothing that anybody knows")
    with pytest.raises(UnknownFormat, match=r"bad\.tsv") as caught:
        gazetrack.convert(["bad.tsv", "worse.tsv", "raw.tsv"])
    assert any("worse.tsv" in note for note in caught.value.__notes__)
    assert (folder / "raw.fixations.parquet").exists()
    outcomes = gazetrack.convert(["bad.tsv", "raw.tsv"], errors="report")
    assert [outcome.status for outcome in outcomes] == ["failed", "ok"]
    with pytest.raises(ConfigError, match="raise or report"):
        gazetrack.convert("raw.tsv", errors="ignore")


def test_convert_render_refine_and_plot_of_a_folder(folder):
    gazetrack.convert("raw.tsv", out="tables")
    (outcome,) = gazetrack.render("tables", images="images", placement="fit")
    assert outcome.outputs[0]["path"] == "maps/maps.parquet"
    assert len(gazetrack.read_maps("maps")) == 2
    done = gazetrack.refine("maps", images="images")
    assert done.rows_out == 2
    (folder / "images" / f"{gazetrack.read_maps('maps').ids[0]}.png").unlink()
    with pytest.raises(gazetrack.GazetrackError, match="no image for 1 of 2"):
        gazetrack.refine("maps", images="images", force=True)
    assert len(gazetrack.read_maps("refined")) == 1
    pictures = gazetrack.plot("tables", out="plots")
    with Image.open(pictures[0]) as picture:
        assert picture.width > 500
