"""Evaluations at hand say what those of folders say."""

from __future__ import annotations

import numpy as np
import pytest

import gradtrack_model
from gazetrack.errors import ConfigError, DataError
from gazetrack.images.folder import find_images, read_mask


def test_an_evaluation_at_hand_is_that_of_the_folders(study, run, tmp_path):
    network = gradtrack_model.load_model(run.folder)
    found = gradtrack_model.predict(network, study / "images")
    list(
        gradtrack_model.predict_folder(
            study / "images", network, tmp_path / "p", gradtrack_model.PredictOptions()
        )
    )
    of_folders = gradtrack_model.evaluate(tmp_path / "p", study / "masks", out=tmp_path / "e")
    assert (tmp_path / "e" / "evaluation.csv").exists()
    expected = [score.measures for score in sorted(of_folders.scores, key=lambda s: s.image_id)]
    masks = {name: read_mask(ref) for name, ref in find_images(study / "masks").items()}
    in_order = [masks[one.name] for one in found]
    for predictions, reference in (
        (found, study / "masks"),
        (found, masks),
        ([one.mask for one in found], in_order),
    ):
        ours = gradtrack_model.evaluate(predictions, reference)
        assert [score.measures for score in ours.scores] == expected
        assert ours.complete
    gradtrack_model.evaluate(tmp_path / "p", study / "masks")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "p"]


def test_an_evaluation_says_what_does_not_fit():
    ours = {"a": np.ones((3, 3), bool), "b": np.ones((2, 2), bool), "c": np.ones((1, 1), bool)}
    masks = {"a": np.ones((3, 3), bool), "b": np.ones((3, 3), bool), "d": np.ones((1, 1), bool)}
    found = gradtrack_model.evaluate(ours, masks)
    assert [score.image_id for score in found.scores if score.error is None] == ["a"]
    assert (found.without_mask, found.without_prediction) == (("c",), ("d",))
    assert not found.complete
    with pytest.raises(DataError, match="no prediction"):
        gradtrack_model.evaluate({"a": ours["a"]}, {"d": masks["d"]})
    with pytest.raises(ConfigError, match="folders"):
        gradtrack_model.evaluate(ours, masks, out="e")


def test_masks_that_are_none_are_refused_in_words(study, run):
    found = gradtrack_model.predict(run.folder, study / "images")
    seen = [one.mask for one in found]
    likely = [one.probability for one in found]
    with pytest.raises(DataError, match=r"mask '0' holds \d+ values of type float32 - apply"):
        gradtrack_model.evaluate(likely, seen)
    twice = [gradtrack_model.Segmentation("a", seen[0], likely[0])] * 2
    with pytest.raises(DataError, match="two predictions are called 'a'"):
        gradtrack_model.evaluate(twice, seen)
    for wrong in (np.zeros((2, 3, 4, 5)), [np.zeros(4)], ["masks/a.png"]):
        with pytest.raises(DataError, match="give folders"):
            gradtrack_model.evaluate(wrong, wrong)
    with pytest.raises(ConfigError, match="of type NoneType"):
        gradtrack_model.evaluate(None, seen)


def test_masks_may_be_of_any_type_whose_foreground_is_one_value():
    mask = np.array([[True, False], [False, True]])
    for other in (mask, mask.astype(np.uint8) * 255, mask.astype(np.float32)):
        measured = gradtrack_model.evaluate(other, [mask]).summary()["dice"]
        assert measured["mean"] == 1
    empty = gradtrack_model.evaluate(np.zeros_like(mask, np.uint8), mask)
    assert empty.summary()["dice"]["mean"] == 0
