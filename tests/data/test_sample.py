"""The digest of a data set in memory is that of all that training depends on."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from gazetrack.maps.track import Track
from gradtrack_model.data.gaze import Gaze
from gradtrack_model.data.sample import Sample, TrainingData

GAZE = Gaze(source="fixations", what="a table", why="it is there")


def sample(**changes):
    values = np.arange(5.0)
    track = Track("r", "1", "s", values, values, values, 8, 8)
    return dataclasses.replace(
        Sample("s", torch.zeros(3, 8, 8, dtype=torch.uint8), (track,)), **changes
    )


def digest(*train):
    return TrainingData(train=train, val=(), notes=(), gaze=GAZE).sha256()


def test_whatever_training_depends_on_changes_the_digest():
    plain = sample()
    moved = dataclasses.replace(plain.tracks[0], x=plain.tracks[0].x + 1e-9)
    others = [
        sample(image_id="t"),
        sample(pixels=torch.ones(3, 8, 8, dtype=torch.uint8)),
        sample(tracks=(moved,)),
        sample(tracks=()),
        sample(maps=torch.zeros(2, 8, 8, dtype=torch.uint8)),
        sample(maps=torch.zeros(1, 16, 8, dtype=torch.uint8)),
        sample(mask=np.zeros((8, 8), bool)),
    ]
    digests = [digest(plain), *(digest(other) for other in others), digest(plain, plain)]
    assert len(set(digests)) == len(digests)
    assert digest(sample()) == digests[0]
    assert digests[0].startswith("1+0:")


def test_a_sample_has_gaze_as_tracks_or_as_maps():
    assert sample().has_gaze
    assert sample(tracks=(), maps=torch.zeros(1, 8, 8, dtype=torch.uint8)).has_gaze
    assert not sample(tracks=()).has_gaze
