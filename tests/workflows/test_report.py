import re

import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.simulate.study import write_study
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.report import find_inputs
from gazetrack.workflows.reporting.options import ReportOptions


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), n_readers=2, n_images=1, seed=2)


def names(page):
    return re.findall(r'<a href="#r\d+"><bdi>(.*?)</bdi>', page.read_text("utf-8"))


def test_the_page_does_not_depend_on_who_works(study, tmp_path):
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page, jobs in zip(pages, (1, 2), strict=True):
        report = gazetrack.write_report(study.exports, page, jobs=jobs)
        assert (report.n_recordings, report.n_trials) == (2, 2)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_bad_input_is_a_row_and_an_error(study, tmp_path):
    bad = tmp_path / "bad.asc"
    bad.write_bytes(study.exports[0].read_bytes()[:3000])
    page = tmp_path / "r.html"
    with pytest.raises(gazetrack.GazetrackError, match=r"bad\.asc"):
        gazetrack.write_report([study.exports[0], bad], page)
    assert names(page) == ["reader-01", "bad.asc"]


def test_a_folder_without_a_readable_export_writes_nothing(study, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    page = tmp_path / "r.html"
    with pytest.raises(InputError, match="a folder without files"):
        gazetrack.write_report(folder, page)
    (folder / "notes.txt").write_text("nothing here\n")
    with pytest.raises(InputError, match="none of the 1 files is an export"):
        gazetrack.write_report(folder, page)
    (folder / "bad.asc").write_bytes(study.exports[0].read_bytes()[:3000])
    with pytest.raises(InputError, match=r"none of the 1 inputs can be read.*bad\.asc"):
        gazetrack.write_report(folder, page)
    assert not page.exists()


def test_images_that_are_missing_are_counted_and_leave_the_rest(study, tmp_path):
    (tmp_path / "images").mkdir()
    page = tmp_path / "r.html"
    report = gazetrack.write_report(study.exports, page, images=tmp_path / "images")
    assert report.n_missing_images == 1
    assert "lesion-001.png" in page.read_text("utf-8")
    with pytest.raises(InputError, match="no such folder"):
        gazetrack.write_report(study.exports, tmp_path / "s.html", images=tmp_path / "none")
    assert not (tmp_path / "s.html").exists()


def test_a_table_beside_its_export_is_not_reported_twice(study, tmp_path):
    for export in study.exports:
        (tmp_path / export.name).write_bytes(export.read_bytes())
    gazetrack.convert(tmp_path)
    report = gazetrack.write_report(tmp_path, tmp_path / "r.html")
    assert report.n_recordings == 2
    notes = [note for outcome in report.outcomes for note in outcome.notes]
    assert sum("is in the report itself" in note for note in notes) == 2
    (tmp_path / "tables").mkdir()
    for table in tmp_path.glob("*.parquet"):
        table.rename(tmp_path / "tables" / table.name)
    alone = gazetrack.write_report(tmp_path / "tables", tmp_path / "t.html")
    assert alone.n_recordings == 2
    assert names(tmp_path / "t.html") == ["reader-01", "reader-02"]


def test_a_page_among_the_exports_is_written_again_and_is_none_of_them(study, tmp_path):
    (tmp_path / "anna.asc").write_bytes(study.exports[0].read_bytes())
    page = tmp_path / "report.html"
    gazetrack.write_report(tmp_path, page)
    first = page.read_bytes()
    report = gazetrack.write_report(tmp_path, page)
    assert page.read_bytes() == first
    assert [outcome.status for outcome in report.outcomes] == ["ok"]


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_without_names_the_page_holds_none(study, tmp_path, policy):
    bad = tmp_path / "reader-09.asc"
    bad.write_bytes(study.exports[0].read_bytes()[:3000])
    hidden = Pseudonyms(policy, b"k" * 32 if policy == "hash" else b"")
    page = tmp_path / "r.html"
    paths = [*study.exports, bad]
    report = gazetrack.write_report(paths, page, errors="report", pseudonyms=hidden)
    assert report.n_recordings == 2
    text = page.read_text("utf-8")
    assert "reader-0" not in text
    assert str(study.folder) not in text
    assert "input 3 of 3" in text
    assert "lesion-001.png" in text


def test_what_is_no_report_is_not_replaced(study, tmp_path):
    page = tmp_path / "r.html"
    page.write_text("mine")
    with pytest.raises(OutputError, match="no earlier report"):
        gazetrack.write_report(study.exports, page)
    assert page.read_text() == "mine"
    gazetrack.write_report(study.exports, page, force=True)
    gazetrack.write_report(study.exports, page)
    with pytest.raises(OutputError, match="over the input"):
        gazetrack.write_report(study.exports, study.exports[0], force=True)
    with pytest.raises(OutputError, match="is a folder"):
        gazetrack.write_report(study.exports, tmp_path)


def test_what_cannot_be_is_refused_before_anything_is_read(study, tmp_path):
    page = tmp_path / "r.html"
    with pytest.raises(ConfigError, match="errors="):
        gazetrack.write_report(study.exports[:1], page, errors="ignore")
    assert not page.exists()
    assert [one.is_table for one in find_inputs(study.exports, ReportOptions())] == [False, False]
