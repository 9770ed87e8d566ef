"""The simulated data set: like real gaze, readable by our readers, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.events.fixations import fixation_table
from gazetrack.maps.track import build_tracks
from gazetrack.simulate.example import lesion_image, simulate_gaze, write_example


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return write_example(tmp_path_factory.mktemp("example"), n_images=8, size=(96, 128))


def test_the_same_seed_writes_the_same_bytes(example, tmp_path):
    again = write_example(tmp_path, n_images=8, size=(96, 128))
    for path in sorted(p for p in example.folder.rglob("*") if p.is_file()):
        assert (
            path.read_bytes() == (again.folder / path.relative_to(example.folder)).read_bytes()
        ), path.name


def test_images_and_masks_belong_together(example):
    names = sorted(p.name for p in (example.folder / "images").iterdir())
    assert names == sorted(p.name for p in (example.folder / "masks").iterdir())
    assert len(names) == 8
    for name in names:
        with Image.open(example.folder / "masks" / name) as opened:
            mask = np.array(opened)
        assert mask.shape == (96, 128)
        assert set(np.unique(mask)) == {0, 255}
        assert 0.01 < (mask > 0).mean() < 0.5


def test_the_splits_name_every_image_once(example):
    train, val = ((example.folder / f"{name}.txt").read_text().split() for name in ("train", "val"))
    assert sorted(train + val) == [f"lesion-{i:03d}" for i in range(1, 9)]


def test_gaze_is_like_a_physicians():
    rng = np.random.default_rng(0)
    first, later, counts, durations = [], [], [], []
    for _ in range(300):
        _, mask = lesion_image(rng, 48, 64)
        gaze = simulate_gaze(mask, rng)
        hits = mask[gaze.y_px.astype(int), gaze.x_px.astype(int)]
        first.append(hits[0])
        later += hits[4:].tolist()
        counts.append(len(hits))
        durations += gaze.duration_ms.tolist()
        assert gaze.onset_ms[-1] + gaze.duration_ms[-1] <= 9000
    assert 0.38 < np.mean(first) < 0.62
    assert 0.84 < np.mean(later) < 0.92
    assert 20 < np.median(counts) < 30
    assert np.percentile(durations, [25, 50, 75]) == pytest.approx([237, 305, 395], rel=0.08)


def test_gaze_on_a_target_that_fills_the_image_or_in_a_short_trial():
    rng = np.random.default_rng(0)
    full = np.ones((48, 64), np.bool_)
    assert len(simulate_gaze(full, rng).x_px) > 10
    for _ in range(20):
        gaze = simulate_gaze(full, rng, duration_ms=100)
        assert len(gaze.x_px) >= 1
        assert gaze.onset_ms[-1] + gaze.duration_ms[-1] <= 100


def test_what_cannot_be_simulated_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="empty mask"):
        simulate_gaze(np.zeros((48, 64), np.bool_), rng)
    with pytest.raises(ConfigError, match="99 ms"):
        simulate_gaze(np.ones((48, 64), np.bool_), rng, duration_ms=99)
    with pytest.raises(ConfigError, match="1 images"):
        write_example(tmp_path / "new", n_images=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("export", [0, 1])
def test_our_readers_read_the_exports_back(example, export):
    recording = gazetrack.read(example.exports[export])
    assert recording.format == ("eyelink_asc", "tobii_pro")[export]
    assert recording.rate_hz in (250, None)
    assert 0 < recording.loss < 0.1
    assert len(recording.placements) == 4
    table, source = fixation_table(recording)
    assert source["fixation_source"] == "export"
    assert len(build_tracks(table)) == 4
