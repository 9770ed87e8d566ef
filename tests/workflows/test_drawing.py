"""A prompt model that draws maps in this process and in others: loaded once, and the same one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ClusterError, ConfigError
from gazetrack.images.reference import ImageRef
from gazetrack.sam.models import find_model
from gazetrack.sam.parameters import PromptParams
from gazetrack.sam.prompts import Looks
from gazetrack.workflows import drawing
from gazetrack.workflows.drawing import Drawer
from gazetrack.workflows.unfinished import Kept
from tests.sam.tiny import write_pair

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

LOOKS = Looks(np.array([[0.5, 0.5]]), np.array([300.0]))


@pytest.fixture(autouse=True)
def _new_process():
    drawing._network_of.cache_clear()
    yield
    drawing._network_of.cache_clear()


@pytest.fixture
def image(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(90, 160, (48, 64, 3), np.uint8)).save(tmp_path / "p.png")
    return ImageRef(tmp_path / "p.png")


@pytest.fixture
def values():
    marked = np.zeros((48, 64), np.uint8)
    marked[15:30, 20:44] = 255
    return marked


def drawer(tmp_path, kept="kept", *, is_shared=True, size=64):
    if not (tmp_path / "toy").exists():
        write_pair(tmp_path / "toy")
    files, params = find_model(tmp_path / "toy"), PromptParams(size=size)
    return Drawer(files, params, Kept(tmp_path / kept), is_shared=is_shared)


def sent(one):
    return pickle.loads(pickle.dumps(one))  # noqa: S301 - of our own making


def test_another_process_draws_the_same_and_loads_the_model_once(
    tmp_path, image, values, monkeypatch
):
    here = drawer(tmp_path)
    drawn = here.draw(values, image, LOOKS)
    assert drawn[22, 32] > 245
    assert drawn[0, 0] < 10
    opened = []
    once = drawing.open_network
    monkeypatch.setattr(drawing, "open_network", lambda files: opened.append(1) or once(files))
    (there,) = [sent(drawer(tmp_path, "elsewhere", is_shared=False))]
    opened.clear()
    for _ in range(2):  # each task brings its own
        np.testing.assert_array_equal(sent(there).draw(values, image, LOOKS), drawn)
        there._kept.clear()
    assert opened == [1]


def test_a_model_of_other_bytes_draws_nothing(tmp_path, image, values):
    there = sent(drawer(tmp_path))
    (path,) = (tmp_path / "toy").glob("*encoder*")
    with path.open("ab") as file:
        file.write(b"\x0a\x00")  # another empty field of the protocol buffer
    with pytest.raises(ClusterError, match="another prompt model of this name"):
        there.draw(values, image, LOOKS)


def test_a_map_that_marks_nothing_asks_nobody(tmp_path, image, values):
    assert drawer(tmp_path).draw(values // 4, image, LOOKS) is None


def test_what_is_drawn_is_kept_and_so_is_an_image_that_several_looked_at(tmp_path, image, values):
    shared = drawer(tmp_path)
    drawn = shared.draw(values, image, LOOKS)
    n_kept = len(list(shared._kept.folder.iterdir()))
    shared._network._encoder = None  # it is not asked any more
    other = shared.draw(np.roll(values, 3, 1), image, LOOKS)
    assert len(list(shared._kept.folder.iterdir())) == n_kept + 1
    assert not np.array_equal(other, drawn)
    shared._network._decoder = None
    np.testing.assert_array_equal(shared.draw(values, image, LOOKS), drawn)
    alone = drawer(tmp_path, "alone", is_shared=False)
    alone.draw(values, image, None)
    assert len(list(alone._kept.folder.iterdir())) == 1


def test_an_image_larger_than_the_canvas_is_refused_at_once(tmp_path):
    with pytest.raises(ConfigError, match="canvas"):
        drawer(tmp_path, size=4096)
