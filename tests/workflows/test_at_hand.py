"""Tables, images and maps that lie elsewhere, at hand while they are rendered."""

from __future__ import annotations

import tempfile

import pytest
from PIL import Image

from gazetrack.errors import InputError, OutputError
from gazetrack.maps.store import read_maps
from gazetrack.storage.objects import fetch, listed, send, size_of
from gazetrack.tables.screen import Screen
from gazetrack.workflows.at_hand import at_hand
from gazetrack.workflows.convert import convert
from gazetrack.workflows.render import render
from tests.object_store import BUCKET

LAB = f"s3://{BUCKET}"
ROWS = "".join(f"{100 + i % 2},{120 + 50 * (i // 70)},{i * 4},a.png\n" for i in range(210))
GAZE = "x,y,t,stimulus\n" + ROWS


@pytest.fixture(params=["memory", "s3"])
def lab(request, tmp_path, monkeypatch):
    """A store with a table and its image; nothing is left in the folder for temporary files."""
    name = "memory_store" if request.param == "memory" else "object_store"
    found = request.getfixturevalue(name)
    url = found if request.param == "memory" else LAB
    (tmp_path / "tables").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "raw.csv").write_text(GAZE)
    convert(tmp_path / "raw.csv", out=tmp_path / "tables", screen=Screen(640, 480))
    Image.new("RGB", (320, 280)).save(tmp_path / "images" / "a.png")
    for path in (tmp_path / "tables" / "raw.fixations.parquet", tmp_path / "images" / "a.png"):
        send(path, f"{url}/{path.parent.name}/{path.name}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield url
    assert list(temporary.iterdir()) == []


def names(url):
    return [name.removeprefix(f"{url}/") for name in listed(url, recursive=True)[0]]


def test_maps_are_rendered_from_a_store_into_it_as_here(lab, tmp_path):
    choices = {"placement": "stretch", "png": True, "overlay": True}
    render(tmp_path / "tables", tmp_path / "images", tmp_path / "maps", **choices)
    (there,) = render(f"{lab}/tables", f"{lab}/images", f"{lab}/maps", **choices)
    assert there.file == f"{lab}/tables/raw.fixations.parquet"
    assert [entry["path"] for entry in there.outputs] == [f"{lab}/maps/maps.parquet"]
    here = sorted(path for path in (tmp_path / "maps").rglob("*") if path.is_file())
    assert names(f"{lab}/maps") == [p.relative_to(tmp_path / "maps").as_posix() for p in here]
    for path in here:
        fetch(f"{lab}/maps/{path.relative_to(tmp_path / 'maps').as_posix()}", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    table = f"{lab}/tables/raw.fixations.parquet"
    render(table, f"{lab}/images", tmp_path / "other", placement="stretch")
    assert len(read_maps(tmp_path / "other")) == 1


def test_a_map_file_that_gazetrack_did_not_write_is_not_replaced(lab, tmp_path):
    (tmp_path / "mine").write_text("mine")
    send(tmp_path / "mine", f"{lab}/maps/maps.parquet")
    with pytest.raises(OutputError, match="was not written by gazetrack") as caught:
        render(f"{lab}/tables", f"{lab}/images", f"{lab}/maps", placement="stretch")
    assert str(caught.value.path) == f"{lab}/maps/maps.parquet"
    fetch(f"{lab}/maps/maps.parquet", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"
    render(f"{lab}/tables", f"{lab}/images", f"{lab}/maps", placement="stretch", force=True)


def test_an_error_about_a_table_names_its_address(lab, tmp_path):
    (tmp_path / "bad").write_text("no table")
    send(tmp_path / "bad", f"{lab}/bad/raw.fixations.parquet")
    with pytest.raises(InputError) as caught:
        render(f"{lab}/bad/raw.fixations.parquet", out=tmp_path / "maps")
    assert str(caught.value.path) == f"{lab}/bad/raw.fixations.parquet"
    with pytest.raises(InputError, match="a folder without such files"):
        render(f"{lab}/images", out=tmp_path / "maps")
    with pytest.raises(InputError, match="404"):
        render(f"{lab}/none.fixations.parquet", out=tmp_path / "maps")


def test_nothing_is_sent_after_an_error(lab, tmp_path):
    def fails():
        with at_hand([], None, f"{lab}/out", file="maps.parquet") as places:
            places.out.mkdir()
            (places.out / "maps.parquet").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert size_of(f"{lab}/out/maps.parquet") is None


def test_what_is_here_is_taken_as_it_is(tmp_path):
    with at_hand([tmp_path, str(tmp_path / "a")], None, "maps", file="maps.parquet") as places:
        assert places.tables == [tmp_path, tmp_path / "a"]
        assert (places.images, str(places.out)) == (None, "maps")
        assert places.told([]) == []
