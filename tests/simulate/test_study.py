"""The simulated study: two groups that differ as they should, and bad trials that quality finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.simulate.study import write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    found = write_study(folder, n_readers=8, n_images=4, size=(48, 64))
    gazetrack.convert(found.exports, out=folder / "tables")
    return found


def test_the_same_seed_writes_the_same_bytes(study, tmp_path):
    again = write_study(tmp_path, n_readers=8, n_images=4, size=(48, 64))
    for path in (again.readers, *again.exports, *sorted((tmp_path / "images").iterdir())):
        assert path.read_bytes() == (study.folder / path.relative_to(tmp_path)).read_bytes()
    other = write_study(tmp_path / "other", n_readers=2, n_images=1, size=(48, 64), seed=1)
    assert other.exports[0].read_bytes() != study.exports[0].read_bytes()


def test_every_reader_sees_every_image_and_has_a_group(study):
    readers = pd.read_csv(study.readers)
    assert readers["group"].value_counts().to_dict() == {"expert": 4, "novice": 4}
    assert readers["recording"].tolist() == [path.stem for path in study.exports]
    paths = gazetrack.find_tables(study.folder / "tables").paths
    fixations = pd.concat(map(pd.read_parquet, paths))
    seen = fixations.groupby(["recording", "stimulus"], observed=True).size()
    assert len(seen) == 8 * 4


def test_experts_look_longer_at_the_target_and_find_it_sooner(study):
    measures = gazetrack.measure_aois(study.folder / "tables", study.folder / "masks")
    merged = measures.astype({"recording": "str"}).merge(pd.read_csv(study.readers))
    means = merged.groupby("group")[
        ["dwell_share_of_fixation_time", "time_to_first_fixation_ms"]
    ].mean()
    expert, novice = means.loc["expert"], means.loc["novice"]
    assert expert["dwell_share_of_fixation_time"] > novice["dwell_share_of_fixation_time"] + 0.2
    assert expert["time_to_first_fixation_ms"] < novice["time_to_first_fixation_ms"]


def test_some_trials_have_lost_most_of_their_gaze(tmp_path):
    study = write_study(tmp_path, n_readers=6, n_images=6, size=(48, 64), seed=2)
    reports = [gazetrack.quality(path, by="trial") for path in study.exports]
    loss = pd.concat(reports)["loss"]
    assert 1 <= (loss > 0.3).sum() <= 9
    assert np.median(loss) < 0.1


def test_too_small_a_study_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="1 readers and 6 images"):
        write_study(tmp_path, n_readers=1)
    with pytest.raises(ConfigError, match="12 readers and 0 images"):
        write_study(tmp_path, n_images=0)
