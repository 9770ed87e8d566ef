"""Parts of a map, the prompts made of them, and what is made of the answers."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.sam.network import Embedding
from gazetrack.sam.parameters import PromptParams
from gazetrack.sam.prompts import Looks, parts_of, prompted

PARAMS = PromptParams()


class Asked:
    """A prompt model that remembers what it was asked, and answers with what it is given."""

    mask_side = 256

    def __init__(self, *answers):
        self.answers = list(answers)
        self.prompts = []

    def decode(self, embedding, points, labels, mask=None):
        self.prompts.append((points, list(labels), mask))
        answer = self.answers[(len(self.prompts) - 1) % len(self.answers)]
        return np.full((256, 256), answer, np.float32)


def embedding(height=256, width=512):
    return Embedding((), height, width, 1024)


def map_with(*blocks, shape=(40, 80), low=0.1, high=0.9):
    values = np.full(shape, low, np.float32)
    for rows, columns in blocks:
        values[rows, columns] = high
    return values


LARGE = (slice(4, 24), slice(10, 50))  # 800 pixels
MIDDLE = (slice(30, 38), slice(60, 80))  # 160 pixels: exactly .2 of it
SMALL = (slice(30, 38), slice(0, 19))  # 152


def test_parts_are_boxes_of_what_is_above_half_and_small_ones_are_left_out():
    found = list(parts_of(map_with(LARGE, MIDDLE, SMALL), 0.2))
    assert [part.box for part in found] == [
        (10 / 80, 4 / 40, 50 / 80, 24 / 40),
        (60 / 80, 30 / 40, 1, 38 / 40),
    ]
    first, second = found
    assert first.inside.sum() == 800
    assert (second.map[LARGE], second.map[MIDDLE]) == (pytest.approx(0), pytest.approx(0.9))
    assert first.map[0, 0] == np.float32(0.1)  # what is below the border belongs to every part
    assert list(parts_of(map_with(), 0.2)) == []


def test_each_part_is_asked_by_its_points_and_by_the_map():
    model = Asked(3.0, 1.0)
    xy = [[0.2, 0.2], [0.3, 0.3], [0.9, 0.9], [0.95, 0.92], [0.01, 0.01]]
    looks = Looks(np.array(xy), np.array([100.0, 900, 500, 700, 9000]))
    found = prompted(model, embedding(), map_with(LARGE, MIDDLE), PARAMS, looks)
    by_points, by_mask, second, _ = model.prompts
    points, labels, mask = by_points
    assert labels == [1, 1, 2, 3]
    assert mask is None
    # Shares of the image become pixels of the canvas; the longest fixation comes first.
    expected = [[0.3 * 512, 0.3 * 256], [0.2 * 512, 0.2 * 256], [64, 25.6], [320, 153.6]]
    np.testing.assert_allclose(points, expected)
    assert by_mask[1] == [2, 3]
    np.testing.assert_allclose(by_mask[0], expected[2:])
    assert second[1] == [1, 1, 2, 3]
    np.testing.assert_allclose(second[0][:2] / [512, 256], [[0.95, 0.92], [0.9, 0.9]])
    # The mean of both answers, as probability.
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-2.0)), rtol=1e-5)
    assert found.shape == (40, 80)


def test_the_mask_prompt_is_twice_the_logit_of_the_map_where_the_image_is():
    model = Asked(0.0)
    prompted(model, embedding(), map_with(LARGE), PARAMS)
    _, (_, _, mask) = model.prompts
    assert mask.shape == (256, 256)
    height, width = 64, 128  # a quarter of the image's size on the canvas
    expected = 2 * np.log(0.9 / 0.1)
    np.testing.assert_allclose(mask[10:36, 20:76], expected, rtol=1e-5)
    nothing = 2 * np.log(0.03 / 0.97)
    np.testing.assert_allclose(mask[height:], nothing, rtol=1e-5)
    np.testing.assert_allclose(mask[:, width:], nothing, rtol=1e-5)
    assert mask[height - 1, width - 1] == pytest.approx(2 * np.log(0.1 / 0.9), rel=1e-5)


def test_at_most_five_fixations_are_prompts_and_none_within_is_fine():
    model = Asked(0.0)
    looks = Looks(np.full((9, 2), 0.3), np.arange(9.0))
    prompted(model, embedding(), map_with(LARGE), PARAMS, looks)
    assert model.prompts[0][1] == [1] * 5 + [2, 3]
    model = Asked(0.0)
    prompted(model, embedding(), map_with(LARGE), PARAMS, Looks(np.full((9, 2), 0.01), np.ones(9)))
    assert [labels for _, labels, _ in model.prompts] == [[2, 3], [2, 3]]


def test_where_no_fixations_are_known_the_deepest_point_stands_for_them():
    # An L on the edge of the image: its foot is thicker than its stem.
    block = map_with((slice(0, 40), slice(0, 8)), (slice(27, 40), slice(0, 40)))
    model = Asked(0.0)
    prompted(model, embedding(), block, PARAMS)
    points, labels, _ = model.prompts[0]
    assert labels == [1, 2, 3]
    x, y = points[0] / [512, 256] * [80, 40]
    assert y == 33.5  # the middle of the foot: what lies beyond the image is no depth
    assert 6 < x < 34
    model = Asked(0.0)
    prompted(model, embedding(), block, PromptParams(points=0))
    assert [labels for _, labels, _ in model.prompts] == [[2, 3], [2, 3]]


def test_parts_are_joined_by_the_larger_answer():
    model = Asked(-3.0, -1.0, 4.0, 2.0)
    found = prompted(model, embedding(), map_with(LARGE, MIDDLE), PARAMS)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-3.0)), rtol=1e-5)


def test_only_the_image_of_the_canvas_is_returned():
    class Left(Asked):
        def decode(self, *args):
            answer = np.full((256, 256), -5, np.float32)
            answer[:64, :64] = 5  # the left half of the image, which fills 64 x 128
            return answer

    found = prompted(Left(), embedding(), map_with(LARGE), PARAMS)
    assert (found[:, :38] > 0.9).all()
    assert (found[:, 42:] < 0.1).all()


def test_of_a_map_without_any_part_nothing_is_asked():
    model = Asked(0.0)
    assert prompted(model, embedding(), map_with(), PARAMS) is None
    assert model.prompts == []
