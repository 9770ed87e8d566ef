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


@pytest.mark.slow
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


def test_a_file_is_reported_once_whatever_way_leads_to_it(study, tmp_path):
    folder = study.exports[0].parent
    ways = [study.exports[0], folder / ".." / folder.name / study.exports[0].name, folder]
    report = gazetrack.write_report(ways, tmp_path / "r.html")
    assert report.n_recordings == 2
    gazetrack.convert(study.exports[0], out=tmp_path / "tables")
    table = tmp_path / "tables" / "reader-01.fixations.parquet"
    again = tmp_path / "tables" / ".." / "tables" / table.name
    assert gazetrack.write_report([table, again], tmp_path / "t.html").n_recordings == 1


def test_samples_beside_their_export_are_not_reported_twice(study, tmp_path):
    gazetrack.convert(study.exports[0], out=tmp_path, samples=True)
    samples = tmp_path / "reader-01.samples.parquet"
    page = tmp_path / "r.html"
    report = gazetrack.write_report([samples, study.exports[0]], page)
    assert report.n_recordings == 1
    assert report.outcomes[0].status == "skipped"
    assert "Recordings that are in the report already (1)" in page.read_text("utf-8")
    fixations = tmp_path / "reader-01.fixations.parquet"
    assert gazetrack.write_report([samples, fixations], page).n_recordings == 1


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_files_of_the_same_bytes_are_said(study, tmp_path, policy):
    for name in ("anna.asc", "berta.asc"):
        (tmp_path / name).write_bytes(study.exports[0].read_bytes())
    page = tmp_path / "r.html"
    report = gazetrack.write_report(tmp_path, page, pseudonyms=Pseudonyms(policy))
    assert report.n_recordings == 1
    (note,) = report.outcomes[1].notes
    meant = {"keep": "anna.asc", "drop": "input 1 of 2"}[policy]
    assert note.endswith(f"the same bytes as {report.outcomes[0].file}")
    assert meant in note
    assert "the same bytes as" in page.read_text("utf-8")


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


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_maps_of_no_trial_say_what_fits_a_page_without_names(study, tmp_path, policy):
    hidden = Pseudonyms(policy, b"k" * 32 if policy == "hash" else b"")
    told = {}
    for name, choices in (("named", {}), ("hidden", {"pseudonyms": hidden})):
        folder = tmp_path / name
        gazetrack.convert(study.exports, out=folder, **choices)
        images = study.folder / "images"
        gazetrack.render(sorted(folder.glob("*.parquet")), images, folder / "maps", size=(24, 32))
        page = tmp_path / f"{name}.html"
        gazetrack.write_report(study.exports, page, maps=folder / "maps", pseudonyms=hidden)
        told[name] = page.read_text("utf-8")
    assert "converted with the same --participant and --key as this page" in told["named"]
    assert "Maps that are of no trial here" not in told["hidden"]


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
