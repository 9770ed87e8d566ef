"""The simulated data set of two classes: images, label images, and trials that say their task."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.simulate.classes import CLASSES, class_image, write_class_example


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return write_class_example(tmp_path_factory.mktemp("classes"), n_images=12, size=(48, 64))


def labels_of(example):
    masks = sorted((example.folder / "masks").iterdir())
    return {path.stem: np.asarray(Image.open(path)) for path in masks}


def test_the_same_seed_writes_the_same_bytes(example, tmp_path):
    again = write_class_example(tmp_path, n_images=12, size=(48, 64))
    for path in sorted(p for p in example.folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again.folder / path.relative_to(example.folder)).read_bytes()


def test_masks_are_label_images_of_one_class_or_both(example):
    found = [tuple(np.unique(labels).tolist()) for labels in labels_of(example).values()]
    assert set(found) <= {(0, 1), (0, 2), (0, 1, 2)}
    assert len(set(found)) == 3
    train, val = ((example.folder / f"{name}.txt").read_text().split() for name in ("train", "val"))
    assert sorted(train + val) == sorted(labels_of(example))


def test_trials_say_their_task_and_look_at_it(example, tmp_path):
    gazetrack.convert(example.exports, out=tmp_path, trial_by="message=TASK (.+)")
    labels = labels_of(example)
    hits = []
    seen = set()
    for table in gazetrack.find_tables(tmp_path).paths:
        for track in gazetrack.tracks(table, images=example.folder / "images"):
            image = track.stimulus.removesuffix(".png")
            own = labels[image] == CLASSES.index(track.trial) + 1
            seen.add((image, track.trial))
            inside = (track.x >= 0) & (track.x < 64) & (track.y >= 0) & (track.y < 48)
            at = track.y[inside].astype(int), track.x[inside].astype(int)
            hits += own[at].tolist()
    there = {
        (image, name)
        for image, mask in labels.items()
        for number, name in enumerate(CLASSES, 1)
        if (mask == number).any()
    }
    assert seen == there
    assert np.mean(hits) > 0.6


def test_the_classes_look_different():
    rng = np.random.default_rng(3)
    for _ in range(5):
        image, labels = class_image(rng, (64, 80), CLASSES)
        green = [image[labels == number, 1].mean() for number in (0, 1, 2)]
        assert green[1] < green[0] < green[2]


def test_too_small_an_example_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="3 images"):
        write_class_example(tmp_path, n_images=3)
