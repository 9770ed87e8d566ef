"""Maps of several classes: what is rendered, what is stored, what nobody looked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazetrack.errors import DataError
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import map_writer, read_maps, stored
from gazetrack.maps.track import Track
from gradtrack_model.config import InputConfig
from gradtrack_model.data.batches import plain_maps
from gradtrack_model.data.class_maps import (
    label_maps,
    left_out,
    of_classes,
    refuse_unseen,
    rendered_classes,
    stored_classes,
)
from gradtrack_model.data.sample import Sample
from gradtrack_model.network.classes import ClassConfig

S, NAMES = 32, ("a", "b")


def track(target, x=10.0, y=12.0):
    n = 5
    xs, ys = x + np.arange(n), y + np.zeros(n)
    return Track("r", target, "i", xs, ys, np.full(n, 200.0), S, S, target=target)


def sample(*tracks):
    return Sample("i", torch.zeros(3, S, S, dtype=torch.uint8), tracks)


def test_each_class_has_its_own_maps_and_says_whether_it_was_looked_for():
    config = InputConfig(image_size=S, classes=ClassConfig(names=NAMES))
    one = InputConfig(image_size=S)
    a, b = track("a"), track("b", x=20.0)
    both = plain_maps([sample(a, b)], config)[0].view(2, -1, S, S)
    for number, own in enumerate((a, b)):
        expected = plain_maps([sample(own)], one)[0]
        assert torch.equal(both[number, :-1], expected)
        assert not both[number, -1].any()
    half = plain_maps([sample(b)], config)[0].view(2, -1, S, S)
    assert not half[0, :-1].any()
    assert half[0, -1].eq(1).all()
    assert torch.equal(half[1], both[1])


def test_tracks_of_no_class_are_left_out():
    tracks = (track("a"), track("practice"), track("b"))
    assert [one.target for one in of_classes(tracks, NAMES)] == ["a", "b"]
    assert of_classes(tracks, ()) == tracks


def test_what_is_left_out_is_told():
    tracks = (track("a"), track("practice"), track("b"), track("practice"), track(""))
    told = ["3 tracks are of no class and left out: their target is none or practice"]
    assert left_out(tracks, NAMES) == told
    assert left_out(tracks[:1], NAMES) == left_out(tracks, ()) == []


def test_stored_maps_of_each_class_are_those_rendered(tmp_path):
    path = tmp_path / "maps.parquet"
    with map_writer(path, {}, targets=True) as write:
        for one in (track("b"), track("a"), track("b", x=16.0)):
            write(stored(render_maps(one)))
    store = read_maps(path)
    assert (store.ids, store.targets) == (("i",), ("b", "a"))
    found = stored_classes(store, "i", NAMES, lambda maps: maps)
    expected = rendered_classes(
        [track("a"), track("b"), track("b", x=16.0)],
        NAMES,
        lambda tracks: np.mean([render_maps(one).values for one in tracks], axis=0),
    )
    assert found.shape == expected.shape
    # Of two observers, stored gray levels are averaged: half a level more.
    assert np.abs(found.numpy() / 255 - expected).max() <= 1.01 / 255
    assert stored_classes(store, "i", ("c", "d"), lambda maps: maps) is None


def test_label_images_are_maps_of_one_level_that_are_known():
    labels = np.array([[0, 1], [2, 2]], np.uint8)
    maps = label_maps(labels, 2)
    assert maps.view(2, 2, 2, 2)[:, 0].tolist() == [[[0, 1], [0, 0]], [[0, 0], [1, 1]]]
    assert not maps.view(2, 2, 2, 2)[:, 1].any()


def test_a_class_that_nobody_looked_for_is_refused():
    refuse_unseen([sample(track("a")), sample(track("b"))], NAMES, ["a", "b"], "t.parquet")
    with pytest.raises(DataError, match=r"of class b: the targets in t.parquet are a, ulcer"):
        refuse_unseen([sample(track("a"))], NAMES, ["ulcer", "a", ""], "t.parquet")
    maps = torch.zeros(2, 5, S, S, dtype=torch.uint8)
    maps[0, -1] = 255
    stored_one = Sample("i", torch.zeros(3, S, S, dtype=torch.uint8), maps=maps.flatten(0, 1))
    with pytest.raises(DataError, match="of class a"):
        refuse_unseen([stored_one], NAMES, ["b"], "maps.parquet")
