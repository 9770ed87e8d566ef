"""`benchmarks/track_attention.py`: its rows are what they say, and a second call does the rest."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import as_uint8, render_maps
from gazetrack.maps.store import StoredMaps, map_writer
from gazetrack.maps.track import build_tracks
from gazetrack.tables.store import read_table
from gradtrack_model.data.batches import training_batch
from gradtrack_model.data.image_files import find_images, read_mask
from gradtrack_model.data.sample import Sample
from gradtrack_model.network.losses import LossConfig, gaze_loss
from gradtrack_model.network.model import Output
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner
from tests.places import ROOT
from tests.synthetic import write_data

SIZE = 32
SMALL = ["model.encoder=basic", "model.widths=[8,8,8,8,8,8]", "image_size=32", "batch_size=2"]


@pytest.fixture(scope="module")
def labels():
    return imported("_attention_labels")


@pytest.fixture(scope="module")
def training():
    return imported("_attention_training")


def imported(name):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def some_samples(n=4):
    rng = np.random.default_rng(0)
    return [
        Sample(
            f"im{i}",
            torch.from_numpy(rng.integers(0, 255, (3, SIZE, SIZE), np.uint8)),
            maps=torch.from_numpy(rng.integers(0, 255, (10, SIZE, SIZE), np.uint8)),
        )
        for i in range(n)
    ]


def an_output():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, SIZE, SIZE, generator=generator)
    tracks = [
        torch.randn(2, 1, SIZE // 2**k, SIZE // 2**k, generator=generator) for k in (3, 2, 1, 0)
    ]
    maps = torch.rand(2, 10, SIZE, SIZE, generator=generator)
    return Output(logits, tracks, logits, (logits,), torch.zeros(1)), maps


def test_its_loss_is_that_of_the_package(training):
    output, maps = an_output()
    for labels, places in (("gaze", slice(0, 4)), ("sam", slice(4, 8))):
        row = training.Row(labels=labels, tracks=True)
        ours = training.loss_of(output, maps, row, LossConfig())
        assert ours == pytest.approx(gaze_loss(output, maps[:, places], LossConfig()).total)


def test_pixels_that_weigh_more_or_nothing(training):
    output, maps = an_output()
    maps[:, 9] = 0
    plain = training.loss_of(output, maps, training.Row(labels="gaze"), LossConfig())
    row = training.Row(labels="gaze", negatives=True)
    assert training.loss_of(output, maps, row, LossConfig()) == pytest.approx(plain)
    maps[:, 9, :, :3] = 1
    assert training.loss_of(output, maps, row, LossConfig()) != pytest.approx(plain)
    # A teacher that is sure of the opposite everywhere leaves nothing but one pixel of Dice.
    against = output._replace(logits=20 - 40 * (maps[:, 3:4] >= 0.5).float())
    for trust, loss in ((0.0, plain.item()), (1.0, 0.0)):
        doubt = training.Doubt(against, torch.tensor(trust))
        row = training.Row(labels="gaze", teacher=True)
        found = training.loss_of(output, maps, row, LossConfig(), doubt)
        assert found.item() == pytest.approx(loss)


def test_networks_train_together_as_alone_with_the_package(training):
    settings = [*SMALL, "model.attention=false", "loss.track_weight=1.0"]
    config = load_config("default", None, settings, {"steps": 4, "device": "cpu"})
    samples = some_samples()

    def batch_of(step):
        return training_batch(samples, config, step)

    learner = Learner(config)
    alone = []
    for step in range(1, 5):
        batch = batch_of(step - 1)
        (row,) = learner.advance(step, [batch._replace(maps=batch.maps[:, :4])])
        alone.append(row.values["loss"])
    rows = [
        training.Row(labels="gaze", attention=True, tracks=True),
        training.Row(labels="gaze", tracks=True),
        training.Row(labels="gaze", skips=True, tracks=True),
    ]
    attending = load_config("default", None, [*SMALL], {"steps": 4, "device": "cpu"})
    cpu = torch.device("cpu")
    trainees = [training.Trainee(row, attending, cpu) for row in rows]
    losses = training.Together(trainees, batch_of, record=False).train(range(1, 5))
    assert losses[1] == pytest.approx(alone, rel=1e-4)
    # All start as the plain network, and part from it.
    for of_row in (losses[0], losses[2]):
        assert of_row[0] == pytest.approx(alone[0], rel=1e-5)
        assert of_row[-1] != pytest.approx(alone[-1], rel=1e-5)


def test_the_segmentation_does_not_shape_tracks_on_skips(training):
    config = load_config("default", None, SMALL, {"device": "cpu"})
    model = training.build_variant(training.Row(labels="gaze", skips=True, tracks=True), config)
    for layer in model.refine:
        torch.nn.init.ones_(layer.weight)
    model(torch.randn(1, 3, SIZE, SIZE)).logits.sum().backward()
    assert all(p.grad is None for p in model.attention.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.refine.parameters())


class OnTheWay(TorchDispatchMode):
    """Collects operations on tensors in memory."""

    def __init__(self):
        super().__init__()
        self.in_memory = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        if any(one.device.type == "cpu" for one in tensors_in((args, kwargs, made))):
            self.in_memory.add(str(operation))
        return made


def tensors_in(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


@pytest.mark.parametrize(
    "more", [{"attention": True, "teacher": True}, {"skips": True, "negatives": True}]
)
def test_a_recorded_step_never_leaves_the_device(training, more):
    """On the device `meta` no value can be asked for, as in a recording of a GPU."""
    meta = torch.device("meta")
    config = load_config("default", None, SMALL, {"device": "cpu"})
    trainee = training.Trainee(training.Row(labels="gaze", tracks=True, **more), config, meta)
    trainee.optimizer.step = lambda: None  # there is none for this device
    images = torch.empty(2, 3, SIZE, SIZE, device=meta)
    maps = torch.empty(2, 10, SIZE, SIZE, device=meta)
    with OnTheWay() as seen:
        trainee.take(images, maps)
    assert not seen.in_memory


def test_levels_by_confidence_are_nested_and_end_with_the_label(labels):
    label = np.random.default_rng(0).random((9, 7), np.float32)
    levels = labels.by_confidence(label)
    assert (np.diff(levels, axis=0) >= 0).all()
    np.testing.assert_allclose(levels[-1], label.clip(1e-3, 1 - 1e-3), atol=1e-6)
    for level, threshold in zip(levels, labels.CONFIDENCE, strict=True):
        np.testing.assert_array_equal(level >= 0.5, label >= threshold)


def test_negatives_are_where_the_target_was_looked_for(labels, tmp_path):
    folder = write_data(tmp_path / "data", n=1)
    (track,) = build_tracks(read_table(folder / "g.fixations.parquet")[0])
    label = read_mask(find_images(folder / "masks")["im0"]).astype(np.float32)
    scan = labels.scan_of(track, label)
    assert (scan.x, scan.y) == (2.0, 2.0)
    y, x = np.nonzero(labels.negatives_of(track, label))
    assert len(x) > 4
    assert max(x.max(), y.max()) < 2 + 0.05 * 80


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("study") / "data", n=4)
    (folder / "fit.txt").write_text("im0\nim1\nim2\n")
    masks = find_images(folder / "masks")
    tracks = build_tracks(read_table(folder / "g.fixations.parquet")[0])
    (folder / "tables").mkdir()
    (folder / "g.fixations.parquet").rename(folder / "tables" / "g.fixations.parquet")
    for name in ("gaze", "sam", "poor"):
        with map_writer(folder / f"{name}.parquet", {}) as write:
            for track in tracks:
                mask = read_mask(masks[track.stimulus.removesuffix(".png")])
                values = render_maps(track, MapParams(kind="tube", levels=4)).as_uint8()
                if name != "gaze":
                    values = as_uint8((mask if name == "sam" else ~mask)[None].astype(np.float32))
                told = {"recording": "r", "participant": "", "trial": "", "n_fixations": 9}
                write(StoredMaps(stimulus=track.stimulus, values=values, **told))
    return folder


def study(data, out, *more, sam="sam"):
    command = [sys.executable, ROOT / "benchmarks" / "track_attention.py", "--data", data]
    command += ["--maps", data / "gaze.parquet", "--sam", data / f"{sam}.parquet"]
    command += ["--tables", data / "tables", "--out", out, "--networks", "basic"]
    command += ["--device", "cpu", "--processes", 2, "--seeds", 1, "--steps", 2, *more]
    for setting in SMALL[1:]:
        command += ["--set", setting]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_second_call_does_the_rest(data, tmp_path):
    some = ("--rows", "plain;SAM: track attention")
    late = study(data, tmp_path, *some, "--time-limit", 0)
    assert late.returncode == 1, late.stderr
    assert "not_run" in late.stdout
    first = study(data, tmp_path, *some)
    assert first.returncode == 0, first.stderr
    files = sorted((tmp_path / "jobs").glob("*/*/0.json"))
    times = [file.stat().st_mtime_ns for file in files]
    assert [file.parent.name for file in files] == ["SAM-track-attention", "plain"]
    rest = study(data, tmp_path, "--together", 20)
    assert rest.returncode == 0, rest.stderr
    assert [file.stat().st_mtime_ns for file in files] == times
    facts = json.loads((tmp_path / "results.json").read_text())
    rows = {line["row"]: line for line in facts["rows"]}
    assert len(rows) == 15
    assert rows["track attention"]["beside"]["row"] == "plain"
    assert rows["SAM: track attention"]["beside"]["row"] == "SAM: plain"
    assert facts["labels"]["sam, levels by confidence"]["precision"] == [1.0] * 4
    for file in files:
        known = json.loads(file.read_text())["dice"]
        image_id, dice = file.with_suffix(".csv").read_text().splitlines()[1].split(",")
        assert (image_id, float(dice)) == ("im3", pytest.approx(known))
    other = study(data, tmp_path, *some, "--steps", 3)
    assert other.returncode == 1
    assert "other settings" in other.stderr


@pytest.mark.slow
def test_labels_that_are_not_sure_train_nothing(data, tmp_path):
    done = study(data, tmp_path, "--rows", "SAM: plain;plain", sam="poor")
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "results.json").read_text())
    assert [line["row"] for line in facts["rows"]] == ["plain"]
    assert "not above 0.85" in facts["refused"]["SAM: plain"]


@pytest.mark.slow
def test_smoke_takes_a_step_of_every_row(data, tmp_path):
    done = study(data, tmp_path, "--smoke")
    assert done.returncode == 0, done.stderr
    assert "masks: plain" in done.stdout
    assert "eager" in done.stdout
