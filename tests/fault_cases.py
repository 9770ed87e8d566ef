"""The commands that write, each as a case of `tests.faults`."""

from __future__ import annotations

import contextlib
import functools
import json
import shlex
import shutil

from tests.faults import Case

SCREEN = "1280x1024,376x301mm,600mm"


def gaze(variant, *, pupil=False):
    """An export of three fixations, elsewhere in each variant."""
    columns = {
        "x": lambda i: [100, 400, 250][i // 70 % 3] + i % 2 + 20 * variant,
        "y": lambda i: 200 + i % (2 + variant),
        "t": lambda i: 4 * i,
        **({"pupil": lambda i: 3 + 0.1 * variant + 0.01 * (i % 7)} if pupil else {}),
    }
    rows = [",".join(str(value(i)) for value in columns.values()) for i in range(210)]
    return "\n".join([",".join(columns), *rows, ""])


def exports(*names, pupil=False):
    def prepare(folder, variant):
        for name in names:
            (folder / name).write_text(gaze(variant, pupil=pupil))

    return prepare


@functools.cache
def _study():
    """A simulated study with its tables and maps, made once; its files by name."""
    import tempfile
    from pathlib import Path

    from gazetrack.simulate.study import write_study
    from tests.faults import run, tree

    made = []
    for seed in (2, 3):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "tmp").mkdir()
            write_study(folder, n_readers=2, n_images=1, seed=seed)
            for line in (
                "gazetrack convert exports --samples -o tables -q",
                "gazetrack render tables --size 32 --levels 2 -q",
            ):
                done = run(line, folder)
                assert done.code == 0, done
            made.append({key: data for key, data in tree(folder).items() if key != "tmp"})
    return made


def parts_of(made, *parts):
    """Return what puts parts of a prepared folder into a case's."""

    def prepare(folder, variant):
        from tests.faults import restore

        contents = made()[variant]
        scratch = folder.with_name(f"{folder.name}.inputs")
        scratch.mkdir(exist_ok=True)
        restore(contents, scratch)
        for part in parts:
            source, target = scratch / part, folder / part
            if target.is_dir():
                shutil.rmtree(target)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        shutil.rmtree(scratch)

    return prepare


STUDY_FILE = """
[study]
inputs = ["a.csv"]
[convert]
force = true
"""


def study_run(folder, variant):
    exports("a.csv")(folder, variant)
    (folder / "gazetrack.toml").write_text(STUDY_FILE)


def data_set(folder, variant):
    """A data set of three recordings that nobody has compacted yet."""
    from tests.faults import run

    if (folder / "set").is_dir():
        shutil.rmtree(folder / "set")
    for name in "abc":
        (folder / f"{name}.csv").write_text(gaze(variant))
    done = run("gazetrack convert a.csv b.csv c.csv --dataset set", folder)
    assert done.code == 0, done


def whole_data_set(folder):
    """Yield whether rows were lost or came twice."""
    import pyarrow.dataset as ds

    rows = ds.dataset(folder / "set" / "fixations").to_table()
    if rows.num_rows != 9:
        yield f"{rows.num_rows} of 9 fixations are there"


def honest_report(folder):
    """Yield what a report says of outputs that are not so."""
    path = folder / "r.jsonl"
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        facts = json.loads(line)
        if facts["status"] != "ok" and not facts["message"]:
            yield f"{facts['file']}: no message"


@functools.cache
def _shop():
    """A server on this machine, for as long as this process."""
    from tests.dataset_server import Shop

    return Shop()


def published(folder, variant):
    """Let the server have the data set of a variant; what was published before has changed."""
    from tests.dataset_server import zipped

    archive = zipped({"a.csv": gaze(variant), "deeper/b.csv": gaze(variant)})
    _shop().publish("toy.zip", archive)
    _shop().publish("fix.csv", f"a,b\n{variant},2\n".encode())


@contextlib.contextmanager
def known():
    """Let the data set that the server has now be a public one, under the name of ``toy``."""
    from gazetrack.datasets.dataset import DataSet
    from gazetrack.datasets.known import DATASETS

    shop = _shop()
    files = [shop.publish(name, data) for name, data in shop.files.items()]
    about = dict.fromkeys(("title", "about", "home", "citation", "licence"), "made up")
    DATASETS["toy"] = DataSet(name="toy", files=tuple(files), **about)
    try:
        yield
    finally:
        del DATASETS["toy"]


TOOLKIT = (
    Case(
        name="convert",
        line="gazetrack convert a.csv -o tables --samples --report r.jsonl --force",
        prepare=exports("a.csv"),
        told=r"^r\.jsonl$",
        check=honest_report,
    ),
    Case(
        name="convert, two",
        line="gazetrack convert a.csv b.csv -o tables --report r.jsonl --force",
        prepare=exports("a.csv", "b.csv"),
        codes=(1, 3),
        told=r"^r\.jsonl$",
        check=honest_report,
    ),
    Case(name="fixations", line="gazetrack fixations a.csv -o t --force", prepare=exports("a.csv")),
    Case(name="events", line="gazetrack events a.csv -o t --force", prepare=exports("a.csv")),
    Case(
        name="pupil",
        line="gazetrack pupil a.csv -o p --force",
        prepare=exports("a.csv", pupil=True),
    ),
    Case(
        name="quality", line="gazetrack quality a.csv -o quality.parquet", prepare=exports("a.csv")
    ),
    Case(
        name="measures",
        line="gazetrack measures tables --masks masks -o m.parquet",
        prepare=parts_of(_study, "tables", "masks"),
    ),
    Case(
        name="render",
        line="gazetrack render tables --size 32 --levels 2 --png -o maps --force",
        prepare=parts_of(_study, "tables"),
    ),
    Case(
        name="refine",
        line="gazetrack refine maps -o refined --force",
        prepare=parts_of(_study, "maps", "images"),
        unfinished=r"\.maps\.parquet\.kept",
    ),
    Case(
        name="plot",
        line="gazetrack plot tables --what durations -o plots",
        prepare=parts_of(_study, "tables", "images"),
        codes=(1, 3),
    ),
    Case(
        name="report",
        line="gazetrack report exports -o page.html",
        prepare=parts_of(_study, "exports"),
    ),
    Case(
        name="bids",
        line=f"gazetrack bids a.csv -o set --force --screen {SCREEN}",
        prepare=exports("a.csv"),
    ),
    Case(
        name="compact",
        line="gazetrack compact set",
        prepare=data_set,
        unfinished=r"^\.set\.compacting",
        varying=r"merged-[0-9a-f]{16}",
        check=whole_data_set,
    ),
    Case(
        name="dataset get",
        line="gazetrack dataset get toy --dir sets",
        prepare=published,
        within=known,
        # What was fetched by then is gone on with, and what is whole of it taken.
        unfinished=r"^sets/toy/(archives|gaze)/[^/]*\.part$",
        codes=(1, 3),
    ),
    Case(
        name="run",
        line="gazetrack run gazetrack.toml",
        prepare=study_run,
        codes=(1, 3),
        told=r"results/log/",
    ),
)


@functools.cache
def _model_data():
    """Two data sets with a network and predictions each, made once; their files by name."""
    import tempfile
    from pathlib import Path

    import torch

    from gradtrack_model.network.model import build_network
    from gradtrack_model.settings import load_config
    from gradtrack_model.weights.checkpoint import save_checkpoint
    from tests.faults import tree
    from tests.synthetic import TINY, write_data

    config = load_config("tiny", overrides=TINY | {"image_size": 32, "model.widths": [8] * 6})
    made = []
    for n in (2, 3):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_data(folder, n)
            shutil.copytree(folder / "masks", folder / "predictions")
            (folder / "predictions" / "im0.png").write_bytes(
                (folder / "masks" / f"im{n - 1}.png").read_bytes()
            )
            torch.manual_seed(n)
            network = build_network(config.model)
            save_checkpoint(folder / "run", "best", network, config, step=n, metrics={})
            made.append(tree(folder))
    return made


def usable(name):
    """Return what yields why a network cannot be loaded, where one is or was."""

    def check(folder):
        from gazetrack.errors import CheckpointError
        from gradtrack_model.weights.checkpoint import load_model

        try:
            load_model(folder / name)
        except CheckpointError as error:
            yield f"no network can be loaded: {error}"

    return check


@functools.cache
def _to_calibrate():
    """The same networks with logits about 0, and masks that most of these agree with."""
    import tempfile
    from pathlib import Path

    import numpy as np
    import torch
    from PIL import Image

    import gradtrack_model
    from gradtrack_model.weights.checkpoint import load_model, save_checkpoint
    from tests.faults import restore, tree

    made = []
    for contents in _model_data():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            restore(contents, folder)
            found = load_model(folder / "run")
            images = sorted((folder / "images").iterdir())
            shares = gradtrack_model.predict(folder / "run", images)
            shares = np.stack([one.probability for one in shares]).astype(float)
            logits = np.log(shares / (1 - shares))
            middle, spread = float(np.median(logits)), float(logits.std())
            head = found.model.head
            with torch.no_grad():
                head.bias.sub_(middle).div_(spread)
                head.weight.div_(spread)
            save_checkpoint(folder / "run", "best", found.model, found.config, step=1, metrics={})
            is_wrong = np.random.default_rng(0).random(logits.shape) < 0.2
            for image, mask in zip(images, (logits > middle) ^ is_wrong, strict=True):
                drawn = Image.fromarray(mask.astype(np.uint8) * 255)
                drawn.save(folder / "masks" / image.name)
            made.append(tree(folder))
    return made


# The smallest network, for a step.
_SETTINGS = ("image_size=32", "val_every=1", "log_every=1", "batch_size=2", "tensorboard=false")
_OF_TRAINING = shlex.join(
    ["--preset", "tiny", "--steps", "1", "--levels", "2"]
    + [word for text in (*_SETTINGS, "model.widths=[8,8,8,8,8,8]") for word in ("--set", text)]
)
_STUDY = ("images", "masks", "g.fixations.parquet", "val.txt")


def compared(folder):
    """Yield why networks that a comparison tells of cannot be loaded."""
    for result in sorted(folder.glob("comparison/*/*/result.json")):
        yield from usable(result.parent.relative_to(folder) / "run")(folder)


MODEL = (
    Case(
        name="train",
        line=f"gradtrack-train {_OF_TRAINING} -o run --force",
        prepare=parts_of(_model_data, *_STUDY),
        told=r"^run/",  # its times differ; what is in them is looked at
        check=usable("run"),
    ),
    Case(
        name="gradtrack-compare",
        line=f"gradtrack-compare {_OF_TRAINING} --methods full --seeds 0 --force",
        prepare=parts_of(_model_data, *_STUDY),
        told=r"^comparison/",
        codes=(1, 3),
        check=compared,
    ),
    Case(
        name="calibrate",
        line="gradtrack-calibrate images masks --weights run --ids val.txt",
        prepare=parts_of(_to_calibrate, "images", "masks", "run", "val.txt"),
    ),
    Case(
        name="predict",
        line="gradtrack-predict images --weights run -o predicted --overlay --force",
        prepare=parts_of(_model_data, "images", "run"),
        codes=(1, 3),
        told=r"^predicted/network.json$",
    ),
    Case(
        name="evaluate",
        line="gradtrack-evaluate predictions masks -o evaluation",
        prepare=parts_of(_model_data, "predictions", "masks"),
    ),
    Case(
        name="export",
        line="gradtrack-export run -o exported",
        prepare=parts_of(_model_data, "run"),
        told=r"^exported/config.json$",  # of two networks, while one takes the other's place
        check=usable("exported"),
    ),
)

# The commands that change no file of a user's, or do so by others that are tried, and why.
LEFT_OUT = {
    "gazetrack compare": "prints",
    "gazetrack completion": "prints",
    "gazetrack demo": "runs other commands, on an example of its own",
    "gazetrack doctor": "prints",
    "gazetrack formats": "prints",
    "gazetrack info": "prints",
    "gazetrack models": "installs a package, or lists what is installed",
    "gazetrack scrub-check": "prints",
    "gazetrack warm-up": "compiles into the cache of numba, which is tried again by itself",
    "gradtrack-view": "answers a browser, and writes nothing",
}


def tried():
    """Return what the cases call: programs, and of gazetrack its commands."""
    words = [case.line.split() for case in (*TOOLKIT, *MODEL)]
    return {" ".join(line[:2]) if line[0] == "gazetrack" else line[0] for line in words}
