"""A data set onto this machine."""

import dataclasses
import json
from pathlib import Path

import pytest

import gazetrack
from gazetrack.datasets import facts, get
from gazetrack.datasets.getting import datasets_folder
from gazetrack.errors import ConfigError, InputError
from tests.dataset_server import toy


def test_it_is_fetched_checked_unpacked_and_read(shop, tmp_path):
    got = get("toy", tmp_path, only=["gaze"], subset=["*_TEX.csv"])
    assert got.folder == tmp_path / "toy"
    assert [path.name for path in got.tables] == ["S_1001_S1_TEX.csv", "S_1002_S1_TEX.csv"]
    assert got.n_others == 2
    recordings = [gazetrack.read(path) for path in got.tables]
    assert [recording.participants for recording in recordings] == [
        {"S_1001_S1_TEX": "001"},
        {"S_1002_S1_TEX": "002"},
    ]
    assert [name for name, _ in shop.asked] == ["toy.zip"]
    terms = json.loads((got.folder / "DATASET.json").read_text())
    assert terms["licence"] == "CC0"
    assert len(terms["files"][0]["sha256"]) == 64
    assert terms["files"][1]["sha256"] is None


def test_what_is_there_is_not_fetched_again_and_more_may_be_unpacked(shop, tmp_path):
    get("toy", tmp_path, subset=["*_FXS.csv", "fix.csv"])
    n_asked = len(shop.asked)
    got = get("toy", tmp_path)
    assert len(shop.asked) == n_asked == 2
    assert all(planned.is_there for planned in got.planned)
    assert len(got.tables) == 5


def test_a_dry_run_does_nothing(shop, tmp_path):
    got = get("toy", tmp_path, dry_run=True)
    assert shop.asked == []
    assert list(tmp_path.iterdir()) == []
    assert [(planned.path.name, planned.is_there) for planned in got.planned] == [
        ("toy.zip", False),
        ("fix.csv", False),
    ]
    assert got.tables == ()


def test_a_dry_run_tells_what_is_there_in_part_or_damaged(shop, tmp_path):
    folder = tmp_path / "toy"
    (folder / "archives").mkdir(parents=True)
    (folder / "fixations").mkdir()
    (folder / "archives" / "toy.zip.part").write_bytes(b"123")
    (folder / "fixations" / "fix.csv").write_bytes(b"other")
    archive, table = get("toy", tmp_path, dry_run=True).planned
    assert (archive.is_there, archive.n_bytes) == (False, 3)
    assert not table.is_there


def test_a_call_that_was_cut_off_is_made_once_more(shop, tmp_path):
    shop.breaks_after = 200
    with pytest.raises(InputError):
        get("toy", tmp_path)
    assert not (tmp_path / "toy" / "gaze").exists()
    shop.breaks_after = None
    assert len(get("toy", tmp_path).tables) == 5


@pytest.mark.parametrize(
    ("only", "words"), [(["gase"], "did you mean 'gaze'"), (["pupils"], "there is gaze, fixations")]
)
def test_contents_that_it_does_not_have(shop, tmp_path, only, words):
    with pytest.raises(ConfigError, match=words):
        get("toy", tmp_path, only=only)


def test_contents_that_another_has(shop, tmp_path, monkeypatch):
    whole = toy(shop)
    gaze_alone = dataclasses.replace(whole, files=whole.files[:1])
    monkeypatch.setattr(facts, "DATASETS", {"toy": gaze_alone})
    with pytest.raises(ConfigError, match="there is gaze"):
        get("toy", tmp_path, only=["fixations"])


def test_a_pattern_that_no_file_fits(shop, tmp_path):
    with pytest.raises(InputError, match=r"\*\.pdf"):
        get("toy", tmp_path, only=["gaze"], subset=["*.pdf"])


def test_data_sets_go_where_the_variable_says_else_into_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GAZETRACK_DATASETS", str(tmp_path))
    assert datasets_folder() == tmp_path
    monkeypatch.delenv("GAZETRACK_DATASETS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr("sys.platform", "linux")
    assert datasets_folder() == tmp_path / "caches" / "gazetrack" / "datasets"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(ConfigError, match="GAZETRACK_DATASETS"):
        datasets_folder()


def test_a_single_text_is_one_pattern_and_one_content(shop, tmp_path):
    got = gazetrack.datasets.get("toy", tmp_path, only="gaze", subset="*_TEX.csv")
    assert [path.name for path in got.tables] == ["S_1001_S1_TEX.csv", "S_1002_S1_TEX.csv"]
    assert [name for name, _ in shop.asked] == ["toy.zip"]
