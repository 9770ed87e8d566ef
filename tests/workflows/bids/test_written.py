"""The record of what was written: nothing that others added or changed is replaced."""

from __future__ import annotations

import pytest

from gazetrack.errors import OutputError
from gazetrack.workflows.bids.written import RECORD, refuse_changed, write_record


@pytest.fixture
def dataset(tmp_path):
    root = tmp_path / "set"
    (root / "sub-1").mkdir(parents=True)
    (root / "README.md").write_text("ours")
    (root / "sub-1" / "a.tsv").write_text("1\n")
    write_record(root, {})
    return root


def test_what_is_as_it_was_written_may_be_replaced(dataset, tmp_path):
    refuse_changed(dataset)
    (dataset / ".DS_Store").write_text("x")
    (dataset / "sub-1" / "a.tsv").unlink()
    refuse_changed(dataset)
    refuse_changed(tmp_path / "not there")
    (tmp_path / "empty").mkdir()
    refuse_changed(tmp_path / "empty")


@pytest.mark.parametrize("place", ["README.md", "sub-1/a.tsv"])
def test_a_file_that_was_changed_is_named(place, dataset):
    (dataset / place).write_text("mine")
    with pytest.raises(OutputError, match=f"changed since gazetrack has written it: {place}"):
        refuse_changed(dataset)


@pytest.mark.parametrize("place", [".bidsignore", "sub-1/b.tsv", "code/run.py"])
def test_a_file_that_was_added_is_named(place, dataset):
    (dataset / place).parent.mkdir(exist_ok=True)
    (dataset / place).write_text("mine")
    with pytest.raises(OutputError, match=f"more than gazetrack has written, such as {place}"):
        refuse_changed(dataset)


def test_a_link_in_place_of_a_file_or_a_folder_is_a_change(dataset, tmp_path):
    (dataset / "linked").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="more than gazetrack has written, such as linked"):
        refuse_changed(dataset)
    (dataset / "linked").unlink()
    (dataset / "README.md").rename(tmp_path / "README.md")
    (dataset / "README.md").symlink_to(tmp_path / "README.md")
    with pytest.raises(OutputError, match="changed since"):
        refuse_changed(dataset)


@pytest.mark.parametrize("text", [None, "", "[]", '{"sha256": 3}', "[" * 99_999])
def test_without_a_record_nothing_is_known_to_be_ours(text, dataset):
    (dataset / RECORD).unlink()
    if text is not None:
        (dataset / RECORD).write_text(text)
    with pytest.raises(OutputError, match="no data set that gazetrack has written"):
        refuse_changed(dataset)
