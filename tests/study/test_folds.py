"""Who is in which fold of a cross-validation."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.folds import make_folds, shared_out
from tests.synthetic import TINY


def groups(sizes):
    """Return images of as many groups, by the number of images of each."""
    return {f"g{i}_{k}": f"g{i}" for i, n in enumerate(sizes) for k in range(n)}


def test_groups_stay_together_and_folds_are_of_one_size():
    group_of = groups([3, 1, 1, 2, 1, 4, 1, 1, 2])
    fold_of = shared_out(group_of, 4, seed=0)
    assert fold_of.keys() == group_of.keys()
    for group in set(group_of.values()):
        assert len({fold_of[image] for image in group_of if group_of[image] == group}) == 1
    sizes = Counter(fold_of.values())
    assert sorted(sizes) == [1, 2, 3, 4]
    assert max(sizes.values()) - min(sizes.values()) <= 3  # of 16 images in groups of up to 4
    even = Counter(shared_out(groups([1] * 10), 4, seed=0).values())
    assert sorted(even.values()) == [2, 2, 3, 3]


def test_folds_are_the_seeds_whatever_the_order_of_the_images():
    group_of = groups([1] * 12)
    backwards = dict(reversed(group_of.items()))
    assert shared_out(group_of, 3, seed=5) == shared_out(backwards, 3, seed=5)
    assert shared_out(group_of, 3, seed=5) != shared_out(group_of, 3, seed=6)
    # Drawn by SHA-256, so that these are the folds anywhere and in later versions.
    found = shared_out(groups([1] * 5), 2, seed=0)
    assert [found[f"g{i}_0"] for i in range(5)] == [2, 1, 2, 1, 1]


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_as_many_folds_as_there_can_be(folds):
    with pytest.raises(ConfigError, match=f"{folds} folds of 3 cases"):
        shared_out(groups([2, 2, 2]), folds, seed=0)
    assert set(shared_out(groups([2, 2, 2]), 3, seed=0).values()) == {1, 2, 3}


def ids_of(samples):
    return {sample.image_id for sample in samples}


def test_every_image_is_held_out_once_and_test_images_never_learned_from(folder):
    (folder / "test.txt").write_text("im0\n")
    config = load_config("tiny", overrides=TINY)
    made = make_folds(discover(folder), config, folder / "cv", folds=2, seed=0)
    assert [fold.folder.name for fold in made] == ["fold-1", "fold-2"]
    loaded = [load_data(fold.sources, config) for fold in made]
    pool = {f"im{i}" for i in range(1, 6)}
    held_out = [ids_of(data.val) for data in loaded]
    assert held_out[0] | held_out[1] == pool
    assert not held_out[0] & held_out[1]
    for data, out in zip(loaded, held_out, strict=True):
        assert ids_of(data.train) == pool - out
        assert data.splits["im0"]["split"] == "test"
        # Masks of training images are no part of the data; those of held-out ones are.
        masks = {image for image, facts in data.splits.items() if facts["mask"] is not None}
        assert masks == out


def test_cases_and_files_of_two_names_are_in_one_fold(folder):
    for path in (folder / "images", folder / "masks"):
        (path / "im5.png").write_bytes((path / "im0.png").read_bytes())
    config = load_config("tiny", overrides=TINY)
    # im0 and im1 are of one case, and im5 is the file of im0.
    sources = discover(folder, case=r"(im[2-5]|im)")
    (one, two) = make_folds(sources, config, folder / "cv", folds=2, seed=0)
    together = {"im0", "im1", "im5"}
    for fold in (one, two):
        data = load_data(fold.sources, config)
        assert together <= ids_of(data.val) or together <= ids_of(data.train)


def test_folds_that_are_gone_on_with_have_to_be_the_same(folder):
    config = load_config("tiny", overrides=TINY)

    def made(**changes):
        given = {"folds": 2, "seed": 0, "resume": True} | changes
        return make_folds(discover(folder), config, folder / "cv", **given)

    made(resume=False)
    before = (folder / "cv" / "fold-1" / "fold.json").read_bytes()
    made()
    with pytest.raises(CheckpointError, match=r"shared out otherwise.*--force"):
        made(seed=1)
    (folder / "cv" / "fold-1" / "fold.json").write_text("{")
    with pytest.raises(CheckpointError, match="shared out otherwise"):
        made()
    made(resume=False)
    assert (folder / "cv" / "fold-1" / "fold.json").read_bytes() == before
    assert json.loads(before)["format"] == "gradtrack splits 1"
