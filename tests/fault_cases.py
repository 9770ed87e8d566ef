"""The commands that write, each as a case of `tests.faults`."""

from __future__ import annotations

import functools
import json
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


MODEL = (
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
