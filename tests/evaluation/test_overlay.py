from __future__ import annotations

import numpy as np

from gradtrack_model.evaluation.overlay import draw_overlay


def test_the_mask_is_tinted_and_outlined():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    drawn = draw_overlay(np.full((20, 20, 3), 100, np.uint8), mask)
    assert drawn[0, 0].tolist() == [100, 100, 100]
    assert drawn[5, 8].tolist() == [0, 220, 80]
    assert drawn[10, 10].tolist() == [70, 136, 94]


def test_the_image_itself_stays_as_it_is():
    pixels = np.full((20, 20, 3), 100, np.uint8)
    drawn = draw_overlay(pixels, np.zeros((20, 20), bool))
    assert drawn is not pixels
    assert (drawn == 100).all()


def test_a_mask_that_fills_the_image_has_no_outline():
    drawn = draw_overlay(np.full((20, 20, 3), 100, np.uint8), np.ones((20, 20), bool))
    assert (drawn == [70, 136, 94]).all()
