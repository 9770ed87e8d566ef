"""What can be refined together, found out before any work."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, InputError
from gazetrack.images.folder import find_images
from gazetrack.maps.parameters import CRFParams
from gazetrack.maps.store import StoredMaps, map_writer, read_maps
from gazetrack.workflows.prompting import PromptOptions
from gazetrack.workflows.refine_checks import crf_for, probabilities_of, without_image

PROMPT = PromptOptions(model="none")


def stored(folder, names=("p",), **meta):
    values = np.zeros((1, 6, 8), np.uint8)
    with map_writer(folder / "maps.parquet", {"params": {"kind": "density"}} | meta) as write:
        for name in names:
            write(
                StoredMaps(
                    stimulus=f"{name}.png",
                    recording="one",
                    participant="",
                    trial="",
                    n_fixations=1,
                    values=values,
                )
            )
    return read_maps(folder)


def test_plain_maps_go_through_a_crf_before_anything_else(tmp_path):
    store = stored(tmp_path)
    assert crf_for(store, None, None, mixes=False) == CRFParams()
    own = CRFParams(iterations=2)
    assert crf_for(store, own, PROMPT, mixes=False) == own
    assert crf_for(store, None, PromptOptions(model="none", crf=False), mixes=False) is None
    with pytest.raises(ConfigError, match="and no CRF"):
        crf_for(store, own, PromptOptions(model="none", crf=False), mixes=False)


@pytest.mark.parametrize(
    ("meta", "given", "says"),
    [
        ({"params": {"kind": "linear"}}, {}, "linear"),
        ({"params": None}, {}, "unknown"),
        ({"crf": {"weight": 3}}, {}, "went through a CRF already"),
        ({"crf": {"weight": 3}}, {"params": CRFParams(), "prompt": PROMPT}, "takes it as it is"),
        ({"prompted": {"model": "x"}}, {}, "drawn by a prompt model already"),
        ({"prompted": {"model": "x"}}, {"prompt": PROMPT, "mixes": True}, "already"),
    ],
)
def test_what_was_refined_before_or_has_no_border_is_refused(tmp_path, meta, given, says):
    store = stored(tmp_path, **meta)
    with pytest.raises(ConfigError, match=says):
        crf_for(store, **({"params": None, "prompt": None, "mixes": False} | given))


def test_refined_maps_are_taken_as_they_are_by_what_comes_after(tmp_path):
    store = stored(tmp_path, crf={"weight": 3})
    assert crf_for(store, None, PROMPT, mixes=False) is None
    (tmp_path / "drawn").mkdir()
    drawn = stored(tmp_path / "drawn", prompted={"model": "x"})
    assert crf_for(drawn, None, None, mixes=True) is None


def test_probabilities_are_gray_pictures_of_all_images_and_no_masks(tmp_path):
    store = stored(tmp_path, ("p", "q"))
    seen = tmp_path / "seen"
    (seen / "probabilities").mkdir(parents=True)
    rng = np.random.default_rng(0)
    files = dict.fromkeys(("p", "q"))
    for name in "pq":
        with_gray = Image.fromarray(rng.integers(0, 256, (6, 8), np.uint8))
        with_gray.save(seen / "probabilities" / f"{name}.png")
    assert probabilities_of(seen, store, files) == find_images(seen / "probabilities")
    Image.new("RGB", (8, 6)).save(seen / "probabilities" / "q.png")
    with pytest.raises(InputError, match="is no probability"):
        probabilities_of(seen, store, files)
    (seen / "probabilities" / "q.png").unlink()
    with pytest.raises(InputError, match="has no probabilities of 1 images, first 'q'"):
        probabilities_of(seen, store, files)
    for name in "pq":
        Image.new("L", (8, 6), 255).save(seen / "probabilities" / f"{name}.png")
    with pytest.raises(InputError, match="holds masks"):
        probabilities_of(seen, store, files)


def test_missing_images_are_named_and_many_of_them_counted(tmp_path):
    store = stored(tmp_path, "abcdef")
    error = without_image(store, list("bcde"))
    assert "no image for 4 of 6 maps: b, c, d, …" in str(error)
