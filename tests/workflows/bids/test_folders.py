"""Folders that are named: one name in two of them, and what lies below them."""

from __future__ import annotations

from pathlib import Path

import pytest

import gazetrack
from gazetrack.errors import DataError, InputError
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.bids.assembly import Staged
from gazetrack.workflows.bids.folders import (
    asked_for,
    named_folders,
    not_looked_into,
    notes_on_folders,
    refuse_two_inputs,
)
from tests.bids_sets import SCREEN, write_samples


def one(folder, file, n):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file}.samples.parquet"
    return write_samples(path, n=n)


@pytest.fixture
def sites(tmp_path):
    """Exports of a P1 in two folders, each of other bytes."""
    return [
        one(tmp_path / site / "in", "P1", n).parent for site, n in (("berlin", 10), ("lyon", 12))
    ]


def written(paths, out, **choices):
    files = [file for folder in paths for file in folder.glob("*.parquet")]
    return gazetrack.write_bids(files, out, screen=SCREEN, derivatives=False, **choices)


def subjects(out):
    return sorted(path.name for path in out.glob("sub-*"))


@pytest.mark.parametrize("policy", ["keep", "hash"])
def test_one_name_in_two_folders_is_refused_until_somebody_says_who_it_is(sites, tmp_path, policy):
    out, rules = tmp_path / "set", tmp_path / "rules.toml"
    key = b"k" * 32 if policy == "hash" else b""
    choices = {"pseudonyms": Pseudonyms(policy, key), "rules": rules}
    own = "recording = '(?P<subject>P1)'\n"
    rules.write_text(f"[match]\n{own}")
    with pytest.raises(DataError, match=r"is also in another folder: .*two people: .*one person:"):
        written(sites, out, **choices)
    assert not out.exists()
    rules.write_text(
        "[match]\nfile = '(?P<subject>(berlin|lyon)/in/P1)'\n"
        '[labels.subject]\n"berlin/in/P1" = "B1"\n"lyon/in/P1" = "L1"\n'
    )
    written(sites, tmp_path / "two", **choices)
    assert len(subjects(tmp_path / "two")) == 2
    rules.write_text(f"[match]\n{own}file = '(?P<session>berlin|lyon)/in'\n")
    written(sites, tmp_path / "days", **choices)
    assert len(list((tmp_path / "days").glob("sub-*/ses-*"))) == 2
    assert len(subjects(tmp_path / "days")) == 1
    rules.write_text(f'[match]\n{own}[labels.subject]\n"P1" = "01"\n')
    first, *_ = written(sites, tmp_path / "one", **choices)
    assert len(subjects(tmp_path / "one")) == 1
    assert any("is in 2 of the folders that were named: one person" in one for one in first.notes)
    # The label of what was found in one folder's path is that of a name in the other folder, too.
    rules.write_text(
        "[match]\nfile = 'berlin/in/(?P<subject>P1)'\nrecording = '(?P<subject>P1)'\n"
        '[labels.subject]\n"P1" = "01"\n'
    )
    first, *_ = written(sites, tmp_path / "either", **choices)
    assert any("is in 2 of the folders that were named: one person" in one for one in first.notes)


def test_one_name_below_one_folder_is_one_person_with_a_note():
    def staged(lies_in, **more):
        found = {"subject": "P1"}
        return Staged(lies_in, lies_in, "", "", found, "P1", asked="in", lies_in=lies_in, **more)

    pair = [staged("in/a"), staged("in/b")]
    refuse_two_inputs(pair)
    (note,) = notes_on_folders(pair)
    assert note.startswith("sub-P1 is in 2 folders, taken as one person; two people: ")
    assert notes_on_folders([staged("in/a"), staged("in/a")]) == []
    assert notes_on_folders([staged(name, is_given=True) for name in ("in/a", "in/b")]) == []


def test_a_folder_of_folders_says_that_it_was_not_looked_into(sites, tmp_path):
    written(sites[:1], tmp_path / "set")
    with pytest.raises(InputError, match=r"add --recursive: 1 folders below .* not looked into"):
        gazetrack.write_bids(tmp_path / "set", tmp_path / "again")
    files = list(sites[0].glob("*.parquet"))
    first, *_ = gazetrack.write_bids(
        [*files, tmp_path / "set"], tmp_path / "both", screen=SCREEN, derivatives=False
    )
    assert "1 folders below those that were named were not looked into" in first.notes[0]


def test_the_folder_that_was_named_is_the_deepest_that_holds_a_file(tmp_path):
    (tmp_path / "a" / "b" / ".hidden").mkdir(parents=True)
    (tmp_path / "a" / "c").mkdir()
    folders = named_folders([tmp_path / "a", tmp_path / "a" / "b", tmp_path / "x.csv"])
    assert asked_for(tmp_path / "a" / "b" / "e.csv", folders) == str(tmp_path / "a" / "b")
    assert asked_for(tmp_path / "a" / "c" / "e.csv", folders) == str(tmp_path / "a")
    assert asked_for(Path("elsewhere/e.csv"), folders) == "elsewhere"
    assert not_looked_into(folders, []) == 2
    found = Staged("f", "f", "f", "", {}, "", asked=str(tmp_path / "a"))
    assert not_looked_into(folders, [found]) == 0
