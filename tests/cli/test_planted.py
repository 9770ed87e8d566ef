"""None of 200 names, codes, addresses and dates is left by any command, of any format."""

from __future__ import annotations

import json
import shutil
import unicodedata

import pandas as pd
import pyarrow.parquet as pq
import pytest

from gazetrack.workflows.scrubbing.check import scrub_check
from tests.planted import plant, tokens

# Those that hold names in most places; all others as well in the slow tests.
TOLD = (
    "adhawk begaze eyelink_asc generic imotions smi tobii_pro tobii_studio viewpoint webgazer xdf"
)
FORMATS = pytest.mark.parametrize(
    "formats", [tuple(TOLD.split()), pytest.param((), marks=pytest.mark.slow)], ids=("few", "all")
)
FEW = "in/tobii_pro in/eyelink_asc in/viewpoint in/begaze --recursive --participant hash"
STUDY = """
[study]
inputs = ["in/tobii_pro", "in/smi"]
recursive = true
out = "out/study"
participant = "hash"
[study.screen]
pixels = "1280x1024"
[convert]
samples = true
[quality]
[render]
levels = 2
[report]
"""


@pytest.fixture
def here(formats, tmp_path):
    """Return a folder with exports of formats, full of names."""
    list(plant(tmp_path / "in", formats=formats))
    (tmp_path / "tokens.txt").write_text("\n".join(tokens()) + "\n", "utf-8")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def keep_what_it_says(run, tmp_path):
    """Run a command line, and put what it prints to the other outputs."""

    def call(line):
        result = run(line)
        number = len(list((tmp_path / "out").glob("said-*")))
        (tmp_path / "out" / f"said-{number}.txt").write_text(f"{result.out}{result.err}", "utf-8")
        assert "internal error" not in result.err, result.err
        return result

    return call


def found(folder):
    """Return which tokens are left, as scrub-check finds them."""
    report = scrub_check(folder / "out", folder / "tokens.txt")
    assert report.errors == []
    return report.findings


def seen(folder):
    """Return which tokens a plain search finds: what scrub-check does not find, this one may."""
    texts = []
    for path in sorted(path for path in (folder / "out").rglob("*") if path.is_file()):
        texts += [str(path.relative_to(folder)), path.read_bytes().decode("utf-8", "replace")]
        if path.suffix == ".parquet":
            texts += [pd.read_parquet(path).to_csv(), str(pq.read_schema(path).metadata)]
    whole = unicodedata.normalize("NFC", "\n".join(texts)).lower()
    return {token for token in tokens() if token.lower() in whole}


@FORMATS
def test_no_token_is_left_by_convert(here, formats, keep_what_it_says):
    call = keep_what_it_says
    how = "--participant hash"  # and drop, of names in data as well, below
    notes = "--report out/r.jsonl --errors out/e.jsonl --manifest out/m.jsonl -o out/tables"
    converted = call(f"gazetrack convert in --recursive {how} --samples --events -v {notes}")
    assert converted.code == 1  # some are damaged
    lines = [json.loads(line) for line in (here / "out" / "r.jsonl").read_text().splitlines()]
    # One format of the few, and some of all, need an option: they come below.
    n_read = len({line["format"] for line in lines if line["status"] == "ok"})
    assert n_read >= (len(formats) - 2 if formats else 20)
    assert sum(line["status"] == "failed" for line in lines) >= (5 if formats else 20)
    columns = "participant=who,t=start[s],duration=length[s],x=x,y=y"
    call(f"gazetrack convert in/generic --recursive {how} --columns {columns} -o out/generic")
    call(f"gazetrack convert in/adhawk --recursive {how} --fov 82 -o out/adhawk")
    call(f"gazetrack convert in/tobii_pro --recursive {how} --dataset out/dataset")
    assert found(here) == []
    assert seen(here) == set()


@FORMATS
def test_no_token_is_left_by_commands_that_read_exports(here, formats, keep_what_it_says):
    call = keep_what_it_says
    for command in ("fixations", "events", "pupil"):
        notes = f"--report out/{command}.jsonl --manifest out/{command}-done.jsonl -v"
        call(f"gazetrack {command} {FEW} {notes} -o out/{command}")
        assert list((here / "out" / command).glob("*.parquet"))
    measured = call(f"gazetrack quality {FEW} -o out/quality.parquet")
    assert measured.code == (0 if formats else 1)  # of all, one is damaged where it is looked at
    assert len(pd.read_parquet(here / "out" / "quality.parquet")) >= 5
    call(f"gazetrack report {FEW} -o out/page.html")
    assert (here / "out" / "page.html").exists()
    bids = "in/eyelink_asc in/smi --recursive --participant hash --screen 1280x1024"
    call(f"gazetrack bids {bids} -o out/bids")
    assert found(here) == []
    assert seen(here) == set()


@FORMATS
def test_no_token_is_left_by_commands_that_read_tables(here, keep_what_it_says):
    call = keep_what_it_says
    call(f"gazetrack convert {FEW} --samples -o out/tables")
    area = {"name": "a", "shape": "rectangle", "x_px": 0, "y_px": 0, "width_px": 9, "height_px": 9}
    everywhere = {"stimulus": "*", "aois": [area]}
    aois = {"format": "gazetrack-aois", "version": 1, "unit": "px", "space": "screen"}
    (here / "aois.json").write_text(json.dumps(aois | {"stimuli": [everywhere]}))
    tables = "out/tables"
    assert call(f"gazetrack measures {tables} --aois aois.json -o out/looks.csv").code == 0
    call(f"gazetrack measures {tables} --scanpaths dtw -o out/paths.parquet")
    # Some tables have fixations too short to be drawn: they are told of, and the others are done.
    assert call(f"gazetrack render {tables} --levels 2 -o out/maps").code in (0, 1)
    assert call(f"gazetrack plot {tables} --limit 2 -o out/plots").code in (0, 1)
    assert call(f"gazetrack plot {tables} --what durations --limit 1 -o out/d.pdf").code == 0
    assert call(f"gazetrack plot {tables} --what heatmap --limit 1 -o out/heat.svg").code in (0, 1)
    call(f"gazetrack quality {tables} -o out/quality.csv")
    call(f"gazetrack report {tables} --maps out/maps -o out/page.html")
    assert found(here) == []
    assert seen(here) == set()


@FORMATS
def test_no_token_is_left_by_a_study(here, keep_what_it_says):
    (here / "study.toml").write_text(STUDY)
    assert keep_what_it_says("gazetrack run study.toml").code in (0, 1)
    assert list((here / "out" / "study").rglob("maps.parquet"))
    assert list((here / "out" / "study").rglob("quality*"))
    assert found(here) == []
    assert seen(here) == set()


@FORMATS
def test_without_a_policy_they_are_there_to_be_found(here, formats, keep_what_it_says):
    call = keep_what_it_says
    call(
        "gazetrack convert in --recursive --samples --events -v --report out/r.jsonl -o out/tables"
    )
    n_found, n_seen = len({one.line for one in found(here)}), len(seen(here))
    assert n_seen >= (20 if formats else 40)
    assert n_found >= n_seen


@FORMATS
def test_names_in_data_go_where_that_is_asked_for(run, tmp_path, formats):
    (tmp_path / "tokens.txt").write_text("\n".join(tokens()), "utf-8")
    list(plant(tmp_path / "in", formats=formats, damaged=False, in_data=True))
    line = "gazetrack convert in --recursive --participant drop --samples --events"
    line += " --report out/r.jsonl"
    run(f"{line} -o out/tables")
    assert found(tmp_path)  # stimuli, trials and messages are data
    shutil.rmtree(tmp_path / "out")
    run(f"{line} --stimulus hash --messages drop -o out/tables")
    assert found(tmp_path) == []
    assert seen(tmp_path) == set()


def test_stimuli_and_messages_go_with_participants(run, tmp_path):
    (tmp_path / "a.csv").write_text("x,y,t\n1,2,0\n")
    result = run("gazetrack convert a.csv --stimulus hash")
    assert result.code == 2
    assert "go with --participant hash or drop" in result.err
    assert not (tmp_path / "gazetrack.key").exists()
