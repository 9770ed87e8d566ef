"""Several processes take the steps of one, share what is read, and end together."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.distributed import TCPStore

from gazetrack.errors import ConfigError, DataError
from gradtrack_model import parallel
from gradtrack_model.data.batches import training_batch
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training import learner
from gradtrack_model.training.loop import train
from gradtrack_model.training.run_folder import Run
from gradtrack_model.verbs.train import train_sources
from gradtrack_model.weights.checkpoint import load_model
from tests.processes import command_in, end, nothing, run_in, start
from tests.synthetic import TINY, write_data
from tests.volume_study import write_volume_study

# Not AdamW: its first steps are the sign of the gradient, which rounding changes where it is
# almost 0.
SGD = {"optimizer.name": "sgd", "augment.cutmix": 0.7}
# One step from random weights: through 49 BatchNorms, any rounding grows tenfold with each further
# one, as that of two threads in place of one does, too.
LITE = {"model.encoder": "lite", "model.widths": [], "model.pretrained": False, "steps": 1}
LITE |= {"val_every": 1}


def config_of(**changes):
    return load_config("tiny", overrides=TINY | SGD | changes)


def trained(folder, out, changes):
    """Train as the command does, on all that `torchrun` has started, but without a report."""
    config = config_of(**changes)
    with parallel.joined():
        train(config, load_data(discover(folder), config), out)


def assert_same_run(one, two, atol):
    one, two = load_model(one / "last.safetensors"), load_model(two / "last.safetensors")
    assert one.step == two.step
    weights = two.model.state_dict()
    for key, value in one.model.state_dict().items():
        torch.testing.assert_close(weights[key], value, rtol=1e-5, atol=atol, msg=key)
    assert set(one.metrics) == set(two.metrics)
    for name in ("val_dice", "val_loss"):
        assert two.metrics[name] == pytest.approx(one.metrics[name], abs=10 * atol)


@pytest.mark.parametrize(("encoder", "cache"), [("basic", "host"), ("lite", "device")])
def test_two_processes_are_one(data_folder, tmp_path, encoder, cache):
    changes = {"cache": cache} | (LITE if encoder == "lite" else {})
    trained(data_folder, tmp_path / "one", changes)
    run_in(trained, 2, data_folder, tmp_path / "two", changes)
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)


@pytest.mark.parametrize(("accumulate", "size", "cache"), [(2, 4, "host"), (4, 1, "device")])
def test_accumulated_batches_are_one_large_batch(data_folder, tmp_path, accumulate, size, cache):
    # The encoder has no BatchNorm; with CutMix, whose next image may be in the next batch.
    trained(data_folder, tmp_path / "one", {"batch_size": accumulate * size, "cache": cache})
    split = {"accumulate": accumulate, "batch_size": size, "cache": cache}
    trained(data_folder, tmp_path / "parts", split)
    assert_same_run(tmp_path / "one", tmp_path / "parts", atol=2e-6)


def test_processes_accumulate_alike(data_folder, tmp_path):
    trained(data_folder, tmp_path / "one", {"batch_size": 8})
    run_in(trained, 2, data_folder, tmp_path / "two", {"batch_size": 4, "accumulate": 2})
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)


def test_two_processes_are_one_where_pixels_are_left_out(data_folder, tmp_path):
    """Of each process's share of a batch, another number of pixels is decided."""
    changes = {"loss.ignore_band": 0.4, "maps.kind": "density"}
    trained(data_folder, tmp_path / "one", changes)
    run_in(trained, 2, data_folder, tmp_path / "two", changes)
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)


def test_a_single_pixel_that_counts_is_divided_by_one(monkeypatch):
    """Of two processes, one has it: the mean of their losses is the pixel's."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(parallel, "mean", lambda counted: (counted + 0) / 2)
    loss = torch.tensor(3.0)
    of_one = loss / learner.of_all_processes(torch.tensor(1.0))
    assert (of_one + 0) / 2 == loss


@pytest.mark.parametrize("heads", ["softmax", "independent"])
def test_two_processes_are_one_on_several_classes(data_folder, tmp_path, heads):
    """Each image was searched for one class: a process's share may know less than the batch."""
    targets = [f"im{i}.png,{'ab'[i % 2]}" for i in range(6)]
    (data_folder / "t.csv").write_text("\n".join(["stimulus,target", *targets]), "utf-8")
    for i in range(6):
        path = data_folder / "masks" / f"im{i}.png"
        inside = np.asarray(Image.open(path)) > 0
        Image.fromarray(inside.astype(np.uint8) * (1 + i % 2)).save(path)
    changes = {"classes.names": ("a", "b"), "classes.heads": heads}
    changes |= {"classes.target": str(data_folder / "t.csv")}
    trained(data_folder, tmp_path / "one", changes)
    run_in(trained, 2, data_folder, tmp_path / "two", changes)
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)


def test_two_processes_are_one_on_slices_with_their_neighbours(tmp_path):
    pytest.importorskip("nrrd")
    folder = write_volume_study(tmp_path / "data")
    trained(folder, tmp_path / "one", {"context": 1})
    run_in(trained, 2, folder, tmp_path / "two", {"context": 1})
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)


def test_the_processes_have_the_images_of_one(data_folder, monkeypatch):
    data = load_data(discover(data_folder), config_of())
    config = config_of(batch_size=4)
    whole = training_batch(data.train, config, 3)
    monkeypatch.setenv("WORLD_SIZE", "2")
    parts = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(training_batch(data.train, config, 3))
    assert sum((part.ids for part in parts), ()) == whole.ids
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert torch.equal(torch.cat([part.maps for part in parts]), whole.maps)


def test_a_batch_must_be_shared_evenly(data_folder, config, monkeypatch):
    data = load_data(discover(data_folder), config)
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="batch_size 4 on 3 processes"):
        train(dataclasses.replace(config, batch_size=4), data, data_folder / "run")


def counting(folder, out):
    """Load a data set, and write how often each of its files was opened."""
    counts = {}

    def count(event, arguments):
        if event == "open" and isinstance(arguments[0], str | Path):
            path = Path(arguments[0])
            if path.suffix == ".png":
                key = f"{path.parent.name}/{path.name}"
                counts[key] = counts.get(key, 0) + 1

    sys.addaudithook(count)
    with parallel.joined():
        data = load_data(discover(folder), config_of())
        (out / f"{parallel.rank()}.txt").write_text(
            "".join(f"{name} {number}\n" for name, number in sorted(counts.items()))
        )
        (out / f"{parallel.rank()}.sha").write_text(data.sha256())


def test_each_image_is_read_by_one_process(tmp_path):
    folder = write_data(tmp_path / "data", n=9)
    run_in(counting, 2, folder, tmp_path)
    whole = load_data(discover(folder), config_of()).sha256()
    assert [(tmp_path / f"{rank}.sha").read_text() for rank in range(2)] == [whole] * 2
    counts = []
    for rank in range(2):
        lines = (tmp_path / f"{rank}.txt").read_text().splitlines()
        counts.append({name: int(number) for name, number in map(str.split, lines)})
    images = [f"images/im{i}.png" for i in range(9)]
    # Each process looks at its header once, as gaze lies where its size says; one of them reads it,
    # for its digest and to decode it.
    assert [min(count[name] for count in counts) for name in images] == [1] * 9
    assert all(max(count[name] for count in counts) > 1 for name in images)
    read = [sum(count[name] > 1 for name in images) for count in counts]
    assert sorted(read) == [4, 5]
    # Of the masks, the one that validation needs is digested once, and decoded once.
    masks = {name for count in counts for name in count if name.startswith("masks")}
    assert masks == {"masks/im8.png"}


def other_data(folder, out):
    """The second process sees a data set that somebody has changed."""
    config = config_of()
    seed = int(os.environ["RANK"])
    with parallel.joined():
        data = load_data(discover(folder), config)
        if seed:
            data = dataclasses.replace(data, train=data.train[:-1])
        with pytest.raises(DataError, match="process 1 of 2 has other settings or data than"):
            train(config, data, out)


def test_processes_with_different_data_do_not_train_together(data_folder, tmp_path):
    run_in(other_data, 2, data_folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def stubborn(folder, out):
    """The second process would never stop by itself; the first one has nothing better after 3."""
    if parallel.rank() == 1:
        Run.over = lambda run, step: step >= run.config.steps
    # Weights that hardly move: no validation is better than the first by more than nothing.
    changes = {"steps": 60, "patience": 2, "optimizer.lr": 1e-30}
    trained(folder, out, changes)


def test_the_first_process_says_when_a_run_is_over(data_folder, tmp_path):
    run_in(stubborn, 2, data_folder, tmp_path / "run")
    assert load_model(tmp_path / "run" / "last.safetensors").step == 9


def interrupted(folder, out):
    config = config_of()

    def stop(progress):
        if progress.step == 4 and parallel.is_first():
            os.kill(os.getpid(), signal.SIGTERM)

    result = train_sources(discover(folder), config, out, report=stop)
    assert result.step == 4
    assert result.stopped_by == signal.SIGTERM


def resumed(folder, out):
    # As on a second machine, which has the data set and not the run folder of the first.
    if parallel.rank() == 1:
        out = out.parent / "nowhere"
    result = train_sources(discover(folder), config_of(), out, resume=True)
    assert result.step == 6


def test_a_run_of_several_processes_is_resumed_where_only_the_first_has_it(data_folder, tmp_path):
    trained(data_folder, tmp_path / "one", {})
    run_in(interrupted, 2, data_folder, tmp_path / "run")
    run_in(resumed, 2, data_folder, tmp_path / "run")
    assert_same_run(tmp_path / "one", tmp_path / "run", atol=2e-6)
    assert not (tmp_path / "nowhere").exists()


def said(folder):
    """What all processes have printed on stderr, as lines; and on stdout."""
    errors = "".join(path.read_text() for path in sorted(folder.glob("err*")))
    return errors.splitlines(), [path.read_text() for path in sorted(folder.glob("out*"))]


def arguments_of(folder, out, *more):
    settings = [f"--set={name}={_toml(value)}" for name, value in (TINY | SGD).items()]
    return ["--data", str(folder), "--preset=tiny", "-o", str(out), "--quiet", *settings, *more]


def _toml(value):
    return str(value).lower() if isinstance(value, bool) else value


def test_the_first_process_alone_talks(data_folder, tmp_path):
    arguments = arguments_of(data_folder, tmp_path / "run", "--set=steps=2", "--json")
    started = start(command_in, 2, nothing, tmp_path, arguments)
    assert end(started) == [0, 0]
    errors, outputs = said(tmp_path)
    assert errors == []
    assert '"step": 2' in outputs[0]
    assert outputs[1] == ""


def break_an_image():
    """Let the second process find a damaged image: the file is whole when its header is read."""
    from gazetrack.errors import InputError
    from gradtrack_model.data import loading

    def damaged(image, *_):
        raise InputError("is damaged", path=image.file)

    if parallel.rank() == 1:
        loading.read_image = damaged


def kill(rank):
    """Let a process be killed in the middle of a run, as for lack of memory."""
    whole = Run.record

    def record(run, step, row):
        whole(run, step, row)
        if step == 3 and parallel.rank() == rank:
            os.kill(os.getpid(), signal.SIGKILL)

    Run.record = record


def kill_the_first():
    kill(0)


def kill_the_second():
    kill(1)


def fail_the_second():
    """Let the second process fail in the middle of a run, in a way that nobody has foreseen."""

    def record(run, step, row):
        if step == 3 and parallel.rank() == 1:
            raise RuntimeError("out of memory")

    Run.record = record


@pytest.mark.parametrize(
    ("fault", "codes", "message"),
    [
        (break_an_image, [1, 1], "is damaged [INPUT]"),
        (fail_the_second, [1, 1], "RuntimeError: out of memory"),
        (kill_the_first, [-signal.SIGKILL, 8], "process 1 of 2 has lost another one"),
        (kill_the_second, [8, -signal.SIGKILL], "process 0 of 2 has lost another one"),
    ],
)
def test_who_fails_ends_all_with_one_message(data_folder, tmp_path, fault, codes, message):
    arguments = arguments_of(data_folder, tmp_path / "run", "--set=steps=500")
    started = start(command_in, 2, fault, tmp_path, arguments)
    assert end(started) == codes
    errors, _ = said(tmp_path)
    assert len(errors) == 1, errors
    assert message in errors[0]


def not_finite():
    from gradtrack_model.training.learner import Learner

    whole = Learner.losses

    def losses(learner, images, maps):
        return whole(learner, images, maps) * (np.nan if parallel.rank() == 1 else 1)

    Learner.losses = losses


def test_a_loss_that_is_not_finite_is_said_once(data_folder, tmp_path):
    arguments = arguments_of(data_folder, tmp_path / "run", "--set=batch_size=6")
    started = start(command_in, 3, not_finite, tmp_path, arguments)
    assert end(started) == [6, 6, 6]
    errors, _ = said(tmp_path)
    assert len(errors) == 1, errors
    assert "the loss is not finite at step 1" in errors[0]
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_a_usage_error_is_said_once(data_folder, tmp_path):
    arguments = arguments_of(data_folder, tmp_path / "run", "--set=batch_size=3")
    assert end(start(command_in, 2, nothing, tmp_path, arguments)) == [2, 2]
    errors, _ = said(tmp_path)
    assert len(errors) == 1, errors
    assert "batch_size 3 on 2 processes" in errors[0]


@pytest.mark.slow
def test_two_machines_are_one_process(data_folder, tmp_path):
    """Two agents of torchrun that meet at an address, as on two machines (docs/how-to.md)."""
    trained(data_folder, tmp_path / "one", LITE)
    settings = [f"--set={name}={_toml(value)}" for name, value in LITE.items()]
    agent = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    # They meet at a store of ours, which has its port before anybody else can take it, and outlives
    # both: the one that ends first would take its own along.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    meet = ["--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{store.port}"]
    meet += ["--rdzv-conf=is_host=0", "--local-addr=127.0.0.1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    agents = []
    for number in range(2):
        # The second machine has the data set, and writes nothing.
        out = tmp_path / ("two" if number == 0 else "nowhere")
        program = str(Path(sys.executable).parent / "gradtrack-train")
        command = [*agent, *meet, program, *arguments_of(data_folder, out, *settings)]
        agents.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    ended = [agent.communicate(timeout=600)[1] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], ended
    assert_same_run(tmp_path / "one", tmp_path / "two", atol=2e-6)
    assert not (tmp_path / "nowhere").exists()
