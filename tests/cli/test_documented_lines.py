"""Every block of the documentation is run, or stands here with the reason why not.

Each block begins in a folder of its own, which has what the pages speak of: exports, images, masks,
tables, maps, a network; a page that tells a story is run as a whole. Where a block shows what is
printed (its commands begin with `$ `), that is compared; `...` stands for what is left out. The
README and docs/python.md are run by `tests/test_docs.py`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib

import numpy as np
import pytest

import gazetrack
import gradtrack_model
from tests.dicom_files import write_series
from tests.places import ROOT
from tests.test_docs import PROGRAMS

# Lines that are not run, by what they begin with or hold, and why. That their commands and options
# exist is looked at all the same, for every line: `tests/test_docs.py`.
NOT_RUN = {
    r"^(pip|make|npm|torchrun|python|echo|docker|conda|rattler-build|Rscript|man|cd|"
    r"bids-validator-deno|nnUNetv2_\w+) ": "another program",
    r"s3://|gs://|az://|https://": "a server; tests/storage has one of its own",
    r"--cluster": "a cluster; tests/workflows/engine has one of its own",
    r"mobilesam": "weights that are not ours to hand out; tests/sam and tests/cli/test_models.py",
    r"^gazetrack completion \w+ >": "a file in the home of who reads; tests/cli/test_completion.py",
    r"^gazetrack demo": "a minute and a half; tests/cli/test_demo.py",
    r"TASK|by-area|\.asc reader-2\.asc": "two classes; tests/verbs/test_several_classes.py",
    r"^gazetrack doctor": "what it says is of this machine; tests/cli/test_doctor.py",
    r"^gazetrack warm-up": "it compiles everything; tests/cli/test_warm_up.py",
    r"^gazetrack run|--study": "a study of its own; tests/cli/test_run.py",
    r"S_1001_S1_TEX|reader0_b0|data/gazebase": "public data, not ours; tests/readers/layouts",
    r"^gazetrack dataset get": "gigabytes from the network; tests/cli/test_datasets.py",
    r"^gradtrack-train(?! check| nnunet)": "a minute to hours; tests/cli/test_demo.py",
    r"--weights runs/volumes": "needs it trained; tests/verbs/test_volumes.py",
    r"--slice-sigma": "of volumes; tests/workflows/test_render_slices.py",
    r"images --weights runs/gradtrack|--ids val.txt -o": "needs it trained; tests/cli/test_demo.py",
    r"runs/folds|--ids test\.txt": "a network for each fold; tests/weights/test_ensemble.py",
    r"^gradtrack-calibrate": "a trained network; tests/verbs/test_calibrate.py",
    r"^gradtrack-view": "a server that waits; tests/viewer, in a browser",
    r"^gradtrack-compare": "four networks; tests/cli/test_model_commands.py",
    r"^gradtrack-export|polyps\.onnx": "a slow import; tests/weights/test_export.py",
    r"kvasir_fixation|maps/maps\.parquet --t|val-images|val\.txt$": (
        "gaze on Kvasir-SEG; benchmarks/kvasir.py"
    ),
}
# In one process: that others give the same bytes is what tests/workflows look at.
JOBS = re.compile(r"--jobs \d+")
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
AS_A_WHOLE = ("getting-started.md", "how-to.md")
ELSEWHERE = ("python.md",)  # by tests/test_docs.py
# Not run here: pictures made of letters, and R, which tests/interop/test_r.py runs.
SHOWN = ("text", "r")


def blocks():
    """(page, [(language, block), …]) for each test: a block, or all of a page."""
    for page in sorted((ROOT / "docs").glob("*.md")):
        found = BLOCKS.findall(page.read_text("utf-8"))
        if page.name in ELSEWHERE:
            continue
        if page.name in AS_A_WHOLE:
            yield pytest.param(page.name, found, id=page.name)
            continue
        for number, block in enumerate(found, 1):
            yield pytest.param(page.name, [block], id=f"{page.name}-{number}")


def lines_of(block):
    """(command, what is printed or None where the block does not say) of a block."""
    block = block.replace("\\\n", " ")
    if not any(line.startswith("$ ") for line in block.splitlines()):
        for line in block.splitlines():
            if line.strip() and not line.startswith("#"):
                yield line, None
        return
    for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = piece.partition("\n")
        yield command, printed


def why_not(command):
    """The reason why a line is not run, or None."""
    return next((reason for words, reason in NOT_RUN.items() if re.search(words, command)), None)


PREDICTED = {
    "predictions": gradtrack_model.PredictOptions(),
    "seen": gradtrack_model.PredictOptions(probabilities=True),
}


def pattern_of(printed):
    """Match what a block shows: anything for `...`, whole lines for a line of it."""
    pieces = re.split(r"(^\.\.\.\n|\.\.\.)", printed.strip("\n") + "\n", flags=re.MULTILINE)
    meant = {"...\n": r"(?:[^\n]*\n)*?", "...": r"[^\n]*"}
    return "".join(meant.get(piece, re.escape(piece)) for piece in pieces)


def furnish(folder):
    """Fill a folder with all that the pages speak of."""
    example = gazetrack.write_example(folder, n_images=4, size=(48, 64))
    example.exports[0].rename(folder / "raw.asc")
    example.exports[1].rename(folder / "raw.tsv")
    (folder / "exports").mkdir()
    shutil.copy(folder / "raw.asc", folder / "exports" / "expert.asc")
    another = gazetrack.write_example(folder / "another", n_images=4, size=(48, 64), seed=1)
    another.exports[0].rename(folder / "exports" / "novice.asc")
    shutil.rmtree(another.folder)
    for copy in ("new-images", "polyps"):
        shutil.copytree(folder / "images", folder / copy)
    write_series(folder / "series", np.zeros((3, 48, 64), np.int16))
    # A glance every 400 ms, to places that are 4 % of the screen apart.
    glances = [(i // 100, 0.001 * (i % 3)) for i in range(1500)]
    tables = {"a": ("GX,GY,Time", 250), "b": ("gx,gy,time", 250), "c": ("x,y,t", 0.25)}
    for name, (header, samples_a_unit) in tables.items():
        rows = [
            f"{0.2 + 0.04 * glance + noise:.4f},{0.3 + 0.1 * (glance % 3) - noise:.4f},"
            f"{i / samples_a_unit}"
            for i, (glance, noise) in enumerate(glances)
        ]
        (folder / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "raw.csv").write_text("\n".join(["x,y,t", *(f"{i},{i},{4 * i}" for i in range(800))]))
    (folder / "names.txt").write_text("Nobody Else\n")
    area = {"name": "lesion", "shape": "rectangle", "x_px": 10, "y_px": 10}
    area |= {"width_px": 30, "height_px": 20}
    everywhere = {"stimulus": "*", "image_width_px": 64, "image_height_px": 48, "aois": [area]}
    areas = {"format": "gazetrack-aois", "version": 1, "unit": "px", "space": "image"}
    (folder / "aois.json").write_text(json.dumps(areas | {"stimuli": [everywhere]}))
    gazetrack.convert([folder / "raw.tsv"], out=folder)
    gazetrack.convert([folder / "exports"], out=folder / "tables")
    gazetrack.render(
        [folder / "raw.fixations.parquet"], out=folder / "maps", images=folder / "images"
    )
    settings = {"steps": 2, "image_size": 64, "val_every": 2, "tensorboard": False}
    trained = gradtrack_model.train(
        folder, "tiny", settings=settings, out=folder / "runs" / "gradtrack", force=True
    )
    shutil.copytree(trained.folder, folder / "runs" / "others")
    network = gradtrack_model.load_model(trained.folder)
    for name, options in PREDICTED.items():
        out = folder / name
        list(gradtrack_model.predict_folder(folder / "images", network, out, options))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """Return the folder that each block begins with a copy of."""
    folder = tmp_path_factory.mktemp("furnished")
    furnish(folder)
    return folder


@pytest.fixture
def begun(furnished, tmp_path, monkeypatch):
    """Go to a new folder, as a page expects it: `begun(page, text)`."""

    def begin(page, text):
        here = tmp_path / "here"
        if page == "getting-started.md":
            gazetrack.write_example(here)
        else:
            shutil.copytree(furnished, here)
        if page == "saliency.md":  # maps of the stimuli of these tables
            gazetrack.render([here / "tables"], out=here / "maps", images=here / "images")
        if (
            re.search("compact dataset|dataset/fix", text) and "--dataset" not in text
        ):  # an earlier block made it
            gazetrack.convert([here / "exports"], dataset=here / "dataset")
        if "one.fixations.parquet" in text:  # elsewhere it would be a second table of the recording
            shutil.copy(here / "raw.fixations.parquet", here / "one.fixations.parquet")
        monkeypatch.chdir(here)

    return begin


@pytest.mark.parametrize(("page", "found"), list(blocks()))
def test_the_blocks_run(page, found, begun, run):
    begun(page, "".join(block for _, block in found))
    for language, block in found:
        if language == "console":
            for command, printed in lines_of(block):
                if why_not(command) is None:
                    check_line(command, printed, run)
        elif language == "python" and why_not(block) is None:
            exec(compile(block, page, "exec"), {})
        elif language == "python":
            compile(block, page, "exec")
        elif language == "toml":
            assert tomllib.loads(block)
        elif language == "json":
            assert json.loads(block)
        else:
            assert language in SHOWN, f"say how a block of {language} is tested"


def check_line(command, printed, run):
    """Run a line, and compare what it prints where the page shows that."""
    words = shlex.split(JOBS.sub("--jobs 1", command), comments=True)
    assert words[0] in PROGRAMS, f"say in NOT_RUN why this is not run: {command}"
    result = run(shlex.join(words))
    assert result.code == 0, f"{command}\n{result.err}"
    if printed is not None:
        told = result.out + result.err
        assert re.fullmatch(pattern_of(printed), told), (
            f"$ {command}\nprints\n{told}\nthe page shows\n{printed}"
        )


def test_a_session_that_prints_something_else_is_noticed():
    printed = "a.tsv: tobii (certain)\n...\n  wrote a (5 rows)\nloss 0.5 ...\n"
    told = "a.tsv: tobii (certain)\n  more\n  lines\n  wrote a (5 rows)\nloss 0.5 %\n"
    assert re.fullmatch(pattern_of(printed), told)
    assert re.fullmatch(pattern_of(printed), told.replace("  more\n  lines\n", ""))
    for change in (("5 rows", "6 rows"), ("tobii", "smi"), ("loss", "gain"), ("%\n", "%\nmore\n")):
        assert not re.fullmatch(pattern_of(printed), told.replace(*change)), change


def test_what_is_not_run_is_still_in_the_pages():
    lines = [
        line
        for page in (ROOT / "docs").glob("*.md")
        for language, block in BLOCKS.findall(page.read_text("utf-8"))
        if language == "console"
        for line, _ in lines_of(block)
    ]
    unused = [words for words in NOT_RUN if not any(re.search(words, line) for line in lines)]
    assert unused == []
    named = re.findall(r"(?:tests|benchmarks)/[\w/.]*\w", " ".join(NOT_RUN.values()))
    assert [place for place in named if not (ROOT / place).exists()] == []
    assert sum(why_not(line) is None for line in lines) > len(lines) / 3
