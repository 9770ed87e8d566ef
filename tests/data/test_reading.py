"""What one process reads for all arrives as it was."""

from __future__ import annotations

import numpy as np
import torch

from gradtrack_model import parallel
from gradtrack_model.data import reading
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sample import Sample
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from tests.processes import run_in
from tests.synthetic import TINY, write_data


def test_alone_every_item_is_read_here():
    assert reading.read_together(["a", "b"], {"a": 1}.get, None) == [1, None]


def test_a_message_keeps_all_arrays():
    whole = Sample(
        "a",
        torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2),
        maps=torch.ones(2, 2, 2, dtype=torch.uint8),
        mask=np.eye(3, dtype=bool),
    )
    parts = reading._unpacked(reading._packed([None, whole]))
    assert set(parts) == {1}
    (pixels, maps, mask) = (parts[1][name].numpy() for name in ("pixels", "maps", "mask"))
    assert all(
        np.array_equal(a, b) for a, b in zip(whole.arrays(), (pixels, maps, mask), strict=True)
    )
    assert mask.dtype == bool


def digests(folder, out, overrides):
    reading.BLOCK = 2  # several rounds, and a last one that is not full
    config = load_config("tiny", overrides=TINY | overrides)
    with parallel.joined():
        data = load_data(discover(folder, need_gaze=config.method != "full"), config)
    (out / f"{parallel.rank()}.txt").write_text(data.sha256())


def test_data_of_any_kind_are_the_same_in_every_process(tmp_path):
    folder = write_data(tmp_path / "data", n=8)
    for number, overrides in enumerate(({"val_share": 0.3}, {"method": "full"})):
        out = tmp_path / str(number)
        out.mkdir()
        run_in(digests, 3, folder, out, overrides)
        config = load_config("tiny", overrides=TINY | overrides)
        alone = load_data(discover(folder, need_gaze=config.method != "full"), config).sha256()
        assert {path.read_text() for path in out.iterdir()} == {alone}
