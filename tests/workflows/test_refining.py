"""One row of stored maps on its image: what a CRF and networks make of it, here and elsewhere."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError
from gazetrack.images.reference import ImageRef
from gazetrack.maps.parameters import CRFParams
from gazetrack.maps.store import StoredMaps
from gazetrack.workflows.refining import (
    SHARE,
    Row,
    Steps,
    check_calibrated,
    mixed,
    refine_on,
    refined_row,
    some_of,
)
from gazetrack.workflows.unfinished import Kept

CRF = CRFParams(position_px=8, iterations=2)


@pytest.fixture
def image(tmp_path):
    """A bright square on a dark ground."""
    pixels = np.full((30, 40, 3), 40, np.uint8)
    pixels[8:20, 10:26] = 210
    Image.fromarray(pixels).save(tmp_path / "p.png")
    return ImageRef(tmp_path / "p.png")


@pytest.fixture
def maps():
    """A map of two levels that marks the square roughly."""
    y, x = np.mgrid[:30, :40]
    last = 255 * np.exp(-((y - 14) ** 2 + (x - 18) ** 2) / 120)
    return StoredMaps(
        stimulus="p.png",
        recording="one",
        participant="",
        trial="",
        n_fixations=3,
        values=np.stack([last / 2, last]).astype(np.uint8),
    )


def steps(tmp_path, **more):
    fields = {"crf": CRF, "all_levels": False, "drawer": None, "share": SHARE}
    return Steps(**(fields | {"kept": Kept(tmp_path / "maps.parquet")} | more))


def test_the_last_level_goes_through_the_crf_or_all_do(image, maps, tmp_path):
    new, is_empty = refined_row(Row(maps=maps, image=image), steps(tmp_path))
    assert not is_empty
    np.testing.assert_array_equal(new.values[0], maps.values[0])
    expected = np.rint(255 * refine_on(maps.as_float32()[1:], image, CRF))
    np.testing.assert_array_equal(new.values[1:], expected)
    assert np.abs(new.values[1].astype(int) - maps.values[1]).max() > 20
    every, _ = refined_row(Row(maps=maps, image=image), steps(tmp_path, all_levels=True))
    assert not np.array_equal(every.values[0], maps.values[0])


def test_a_row_and_its_steps_mean_the_same_in_another_process(image, maps, tmp_path):
    told = Row(maps=maps, image=image), steps(tmp_path)
    new, _ = refined_row(*told)
    again, _ = refined_row(*pickle.loads(pickle.dumps(told)))  # noqa: S301 - of our own making
    np.testing.assert_array_equal(new.values, again.values)


def test_a_result_that_was_kept_is_not_computed_again(image, maps, tmp_path, monkeypatch):
    first, _ = refined_row(Row(maps=maps, image=image), steps(tmp_path))
    monkeypatch.setattr("gazetrack.maps.crf.refine", None)
    again, _ = refined_row(Row(maps=maps, image=image), steps(tmp_path))
    np.testing.assert_array_equal(first.values, again.values)
    with pytest.raises(TypeError):
        refined_row(Row(maps=maps, image=image), steps(tmp_path, crf=CRFParams(iterations=3)))


def test_what_networks_saw_is_mixed_in(image, maps, tmp_path):
    Image.fromarray(np.full((30, 40), 230, np.uint8)).save(tmp_path / "seen.png")
    picture = ImageRef(tmp_path / "seen.png")
    refined, _ = refined_row(Row(maps=maps, image=image), steps(tmp_path))
    new, _ = refined_row(Row(maps=maps, image=image, picture=picture), steps(tmp_path))
    seen = np.full((30, 40), 230, np.uint8)
    expected = mixed(maps.values[1], refined.values[1], seen, SHARE)
    np.testing.assert_array_equal(new.values[1], expected)


def test_the_mix_is_that_of_the_log_odds():
    a, b, c = (np.full((1, 1), value, np.uint8) for value in (51, 102, 204))  # .2, .4 and .8
    logit = 0.25 * (np.log(0.25) + np.log(2 / 3)) + 0.5 * np.log(4)
    assert mixed(a, b, c, 0.5)[0, 0] == round(255 / (1 + np.exp(-logit)))


def test_without_an_image_there_is_no_row(maps, tmp_path):
    assert refined_row(Row(maps=maps), steps(tmp_path)) is None


def test_kinds_without_a_border_are_refused():
    check_calibrated("density")
    with pytest.raises(ConfigError, match="linear"):
        check_calibrated("linear")


def test_a_few_images_stand_for_many(image):
    assert some_of([]) == []
    assert some_of([image]) == [image.file]
    many = [ImageRef(image.file.with_name(f"{n}.png")) for n in range(9)]
    assert [path.name for path in some_of(many)] == ["0.png", "4.png", "8.png"]
