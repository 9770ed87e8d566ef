import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import GazetrackError, InputError
from gazetrack.workflows.reporting import pictures
from gazetrack.workflows.reporting.measuring import measured
from gazetrack.workflows.reporting.options import ReportOptions
from gazetrack.workflows.reporting.pictures import embedded, embedded_maps, placed


def opened(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.fixture(scope="module")
def trials(study):
    (entry,) = measured(gazetrack.read(study.exports[0]), ReportOptions(), 1000).entries
    return entry.trials


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("wide", (900, 1800, 3)), ("small", (30, 40, 3))):
        noise = rng.integers(0, 255, size, np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    return tmp_path


def test_images_are_embedded_once_each_and_large_ones_small(folder):
    found = embedded(folder, ["wide.png", "shown/wide.png", "small.png", "", "none.png"])
    assert list(found.uris) == ["wide", "small"]
    assert opened(found.uris["wide"]).size == (720, 360)
    assert opened(found.uris["small"]).size == (40, 30)
    assert found.sizes["wide"] == (1800, 900)
    assert found.missing == ("none.png",)


def test_many_images_are_smaller_so_that_all_fit(folder, monkeypatch):
    monkeypatch.setattr(pictures, "_MOST_BYTES", 40_000)
    found = embedded(folder, ["wide.png", "small.png"])
    assert opened(found.uris["wide"]).size[0] < 720
    assert sum(len(uri) for uri in found.uris.values()) < 60_000


def test_a_damaged_image_is_left_out_and_named_without_its_folder(folder):
    found = embedded(folder, ["bad.png"])
    assert found.uris == {}
    assert found.troubles == ("the image of bad cannot be read as an image",)


def test_no_folder_is_no_pictures_and_a_wrong_one_an_error(tmp_path):
    assert embedded(None, ["a.png"]).missing == ()
    with pytest.raises(InputError, match="no such folder"):
        embedded(tmp_path / "none", ["a.png"])


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"images": "none"}, "no such folder"),
        ({"maps": "none.parquet"}, "no such file"),
        ({"images": ".", "placement": "middle"}, "middle"),
        ({"placement": "fit"}, "a placement needs the images"),
    ],
)
def test_wrong_pictures_are_refused_before_anything_is_read(tmp_path, monkeypatch, choices, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.csv").write_text("never read\n")
    with pytest.raises(GazetrackError, match=told):
        gazetrack.write_report("raw.csv", "r.html", **choices)


def test_a_rule_places_images_whose_exports_do_not_say(study, trials):
    found = embedded(study.folder / "images", ["lesion-001.png"])
    assert placed(trials[0], found, "centre") is trials[0]
    nowhere = replace(trials[0], placed=None)
    assert placed(nowhere, found, None).placed is None
    assert placed(nowhere, found, "fit").placed == (0.0, 32.0, 1280.0, 960.0)
    filling = replace(nowhere, plane=(1280.0, 960.0))
    assert placed(filling, found, None).placed == (0.0, 0.0, 1280.0, 960.0)


def test_maps_are_those_of_their_trials(study, tables, trials):
    found = embedded_maps(tables / "maps", trials)
    assert len(found.uris) == 2
    assert found.n_unused == 2  # of the other reader
    first, second = (found.of(trial) for trial in trials)
    assert first != second
    row = next(iter(gazetrack.read_maps(tables / "maps").rows()))
    levels = found.levels[first]
    shown = np.asarray(opened(found.uris[first])).reshape(levels, 24, 32)
    assert abs(shown.astype(int) - row.as_uint8()).mean() < 3  # JPEG
    assert found.of(replace(trials[0], trial="another")) is None


def test_maps_of_everybody_are_those_of_the_image(study, tables, trials, tmp_path):
    paths = gazetrack.find_tables(tables).paths
    gazetrack.render(paths, study.folder / "images", tmp_path / "maps", size=(24, 32), pooled=True)
    found = embedded_maps(tmp_path / "maps", trials)
    assert [found.of(trial) for trial in trials] == [0, 1]
