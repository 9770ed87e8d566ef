"""What is written of an image of several classes."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from gradtrack_model.evaluation.class_pictures import (
    COLOURS,
    class_pictures,
    classes_of,
    draw_labels,
)
from gradtrack_model.network.classes import ClassConfig


def test_each_class_has_a_colour_of_its_own_and_the_background_none():
    labels = np.zeros((40, 60), np.uint8)
    labels[5:15, 5:15] = 1
    labels[20:30, 30:50] = 2
    gray = np.full((40, 60, 3), 100, np.uint8)
    drawn = draw_labels(gray, labels)
    assert (gray == 100).all()
    assert (drawn[labels == 0] == 100).all()
    for number in (1, 2):
        outline = drawn[labels == number].reshape(-1, 3)
        assert tuple(COLOURS[number - 1]) in set(map(tuple, outline.tolist()))
        assert not (drawn[labels == number] == 100).all(-1).any()
    assert len(set(COLOURS)) == 7
    assert np.array_equal(draw_labels(gray, labels * 0), gray)


def test_pictures_are_the_label_image_probabilities_and_an_overlay():
    classes = ClassConfig(names=("a", "b"))
    logits = torch.tensor([[[4.0, -4.0]], [[-4.0, -2.0]]])
    labels, p = found = classes_of(logits, (2, 4), 0.5, classes)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[1, 1, 0, 0]] * 2
    assert p.shape == (2, 2, 4)
    image = Image.fromarray(np.zeros((2, 4, 3), np.uint8))
    pictures = class_pictures(image, found, shares=True, overlay=True)
    assert np.array_equal(pictures[0], labels)
    assert np.array_equal(pictures[1], np.rint(p[0] * 255))
    assert len(pictures) == 4
    assert pictures[-1].shape == (2, 4, 3)
    assert len(class_pictures(image, found, shares=False, overlay=False)) == 1
