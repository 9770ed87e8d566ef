"""gazetrack dataset: what is known, on which terms, and how it gets here."""

import json

import pytest

from gazetrack.datasets import facts
from tests.dataset_server import Shop, toy


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    opened = Shop()
    monkeypatch.setattr(facts, "DATASETS", {"toy": toy(opened)})
    yield opened
    opened.close()


def test_the_list_names_all(run):
    result = run("gazetrack dataset")
    assert result.code == 0
    for words in ("gazebase", "JuDo1000", "Copenhagen Corpus", "fixations"):
        assert words in result.out
    listed = json.loads(run("gazetrack dataset list --json").out)
    assert {"gazebase", "hbn", "potec"} <= {found["name"] for found in listed}


def test_what_is_known_of_one_is_shown(run):
    result = run("gazetrack dataset show hbn")
    assert result.code == 0
    for words in ("t=time[120Hz]", "120 Hz", "800 x 600 px, 33.8 x 27 cm", "--layout", "unsure"):
        assert words in result.out
    assert json.loads(run("gazetrack dataset show hbn --json").out)["name"] == "hbn"
    assert "eyelink_report" in run("gazetrack dataset show provo").out


def test_terms_come_before_anything_is_fetched(run, shop):
    shop.files.clear()
    result = run("gazetrack dataset get toy --dir data")
    assert result.code == 1
    assert "licence   CC0" in result.out
    assert "cite      Nobody (2026)" in result.out
    assert "404" in result.err
    assert result.err.count("\n") == 1


def test_it_is_fetched_and_said_how_to_read_it(run, shop, tmp_path):
    result = run("gazetrack dataset get toy --dir data --only gaze --subset *_TEX.csv")
    assert result.code == 0
    assert "2 files in data/toy, 2 others were not asked for" in result.out
    assert "--layout gazebase" in result.out
    assert len(list((tmp_path / "data").rglob("*_TEX.csv"))) == 2
    again = json.loads(run("gazetrack dataset get toy --dir data --json").out)
    assert again["fetched"][0]["was_there"]
    assert len(again["tables"]) == 5


def test_quiet_says_nothing_and_the_terms_lie_beside_the_files(run, shop, tmp_path):
    result = run("gazetrack dataset get toy --dir data --quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert json.loads((tmp_path / "data" / "toy" / "DATASET.json").read_text())["licence"] == "CC0"


def test_a_dry_run_writes_nothing(run, shop, tmp_path):
    result = run("gazetrack dataset get toy --dir data --dry-run")
    assert result.code == 0
    assert "data/toy/archives/toy.zip: would be fetched" in result.out
    assert shop.url("toy.zip") in result.out
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(run, shop, tmp_path):
    (tmp_path / "data").write_text("a file")
    result = run("gazetrack dataset get toy --dir data")
    assert result.code == 3
    assert "data" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("gazetrack dataset show", 2, "NAME"),
        ("gazetrack dataset list gazebase", 2, "show NAME"),
        ("gazetrack dataset show gazebaze", 2, "did you mean 'gazebase'"),
        ("gazetrack dataset get nonsense", 2, "gazetrack dataset list"),
        ("gazetrack dataset get copco --only gase", 2, "did you mean 'gaze'"),
    ],
)
def test_what_cannot_be_asked(run, line, code, words):
    result = run(line)
    assert (result.code, words in result.err) == (code, True)
