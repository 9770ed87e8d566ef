"""The dense CRF on images whose edges are known."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import CRFParams
from tests import oracles


def scene(size=24):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    mask = (x - 12) ** 2 + (y - 11) ** 2 < 36
    image = np.where(mask[..., None], [170, 60, 60], [90, 120, 90]) + rng.normal(
        0, 4, (size, size, 3)
    )
    guess = (x - 14) ** 2 + (y - 13) ** 2  # off by two pixels
    soft = 1 / (1 + np.exp((np.sqrt(guess) - 6) / 1.5))
    return image.clip(0, 255).astype(np.uint8), mask, soft.astype(np.float32)[None]


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_border_moves_to_the_edge():
    image, mask, soft = scene()
    refined = refine(soft, image, CRFParams(position_px=20))[0]
    assert dice(refined >= 0.5, mask) > dice(soft[0] >= 0.5, mask) + 0.1
    assert dice(refined >= 0.5, mask) > 0.97


def by_brute_force(image, soft, params):
    y, x = np.mgrid[:24, :24]
    position = np.stack([x, y], -1)
    near = np.concatenate([position / params.position_px, image / params.colour], -1).reshape(-1, 5)
    terms = [
        (params.weight, near),
        (params.smooth_weight, (position / params.smooth_px).reshape(-1, 2)),
    ]
    filtered = oracles.gaussian_filter_brute_force
    norms = [1 / np.sqrt(filtered(features, np.ones(576))) for _, features in terms]
    p = soft[0].ravel().clip(1e-5, 1 - 1e-5).astype(float)
    unary, q = np.log(p / (1 - p)), p
    for _ in range(params.iterations):
        message = sum(
            weight * norm * filtered(features, norm * (2 * q - 1))
            for (weight, features), norm in zip(terms, norms, strict=True)
        )
        q = 1 / (1 + np.exp(-unary - message))
    return q


@pytest.mark.parametrize("smooth_weight", [0.0, 1.5])
def test_close_to_mean_field_by_brute_force(smooth_weight):
    image, _, soft = scene()
    params = CRFParams(position_px=8, weight=2.0, iterations=5, smooth_weight=smooth_weight)
    q = by_brute_force(image, soft, params)
    ours = refine(soft, image, params)[0].ravel()
    assert np.abs(ours - q).mean() < 0.02
    assert ((ours >= 0.5) == (q >= 0.5)).mean() > 0.98


@pytest.mark.parametrize("smooth_weight", [0.0, 1.5])
def test_equals_pydensecrf(smooth_weight):
    peer = pytest.importorskip("pydensecrf.densecrf")
    image, _, soft = scene()
    params = CRFParams(smooth_weight=smooth_weight)
    crf = peer.DenseCRF2D(24, 24, 2)
    p = soft[0].ravel().clip(1e-5, 1 - 1e-5)
    crf.setUnaryEnergy(np.ascontiguousarray(-np.log(np.stack([1 - p, p])), np.float32))
    crf.addPairwiseBilateral(
        sxy=params.position_px, srgb=params.colour, rgbim=image, compat=params.weight
    )
    if smooth_weight:
        crf.addPairwiseGaussian(sxy=params.smooth_px, compat=smooth_weight)
    q = np.array(crf.inference(params.iterations))[1].reshape(24, 24)
    np.testing.assert_allclose(refine(soft, image, params)[0], q, atol=1e-5)


def test_the_smoothing_term_takes_specks_away():
    image, _, soft = scene()
    image[:] = 100  # no edges to hold on to
    soft[0, 2, 2] = 0.9
    assert refine(soft, image, CRFParams(weight=0.1))[0, 2, 2] > 0.5
    assert refine(soft, image, CRFParams(weight=0.1, smooth_weight=3))[0, 2, 2] < 0.5


def test_levels_do_not_see_each_other_and_grey_images_will_do():
    image, _, soft = scene()
    levels = np.concatenate([soft * 0.5, soft])
    both = refine(levels, image)
    np.testing.assert_array_equal(both[1], refine(soft, image)[0])
    assert refine(soft, image[..., 0]).shape == soft.shape


def test_an_image_of_another_size_is_refused():
    image, _, soft = scene()
    with pytest.raises(ConfigError, match="24 x 24"):
        refine(soft, image[:20])


def by_hand(p, weight, iterations):
    """Take mean-field steps where all of the filter is the pixel itself."""
    q = np.clip(p, 1e-5, 1 - 1e-5)
    for _ in range(iterations):
        q = 1 / (1 + np.exp(-(np.log(p_unary(p)) + weight * (2 * q - 1))))
    return q


def p_unary(p):
    p = np.clip(p, 1e-5, 1 - 1e-5)
    return p / (1 - p)


@pytest.mark.parametrize("soft", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_an_image_of_one_pixel_by_hand(soft):
    params = CRFParams(weight=0.7, iterations=3, smooth_weight=0.4)
    found = refine(np.full((1, 1, 1), soft, np.float32), np.zeros((1, 1, 3), np.uint8), params)
    assert found.item() == pytest.approx(by_hand(soft, 0.7 + 0.4, 3), rel=1e-4)


def test_what_is_see_through_does_not_matter():
    image, _, soft = scene()
    alpha = np.random.default_rng(1).integers(0, 256, (24, 24, 1), np.uint8)
    np.testing.assert_array_equal(
        refine(soft, np.concatenate([image, alpha], -1)), refine(soft, image)
    )
    grey = image[..., 0]
    np.testing.assert_array_equal(refine(soft, grey), refine(soft, np.stack([grey] * 3, -1)))
