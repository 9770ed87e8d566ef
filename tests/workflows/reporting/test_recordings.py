from pathlib import Path

import pytest

from gazetrack.errors import WorkerLost
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.inputs import Source
from gazetrack.workflows.privacy import Unnamed
from gazetrack.workflows.reporting.options import ReportOptions
from gazetrack.workflows.reporting.recordings import Input, is_fixations, lost, reported


def of(path, **facts):
    return Input(Source(path, path.stem, path), Unnamed(1, 2, (path,)), **facts)


def test_an_export_is_told_with_its_source_and_why_it_is_this_format(study):
    found = reported(of(study.exports[0]), ReportOptions(), 1000)
    assert found.outcome.status == "ok"
    assert len(found.outcome.sha256) == 64
    assert found.provenance["source"]["file"] == "reader-01.asc"
    assert found.provenance["fixation_source"] == "export"
    assert "EFIX" in found.outcome.summary["reason"]


def test_a_table_of_fixations_is_a_recording_without_samples(study, tables):
    path = tables / "reader-01.fixations.parquet"
    assert is_fixations(path)
    assert not is_fixations(study.exports[0])
    found = reported(of(path, is_table=True), ReportOptions(), 1000)
    (entry,) = found.entries
    assert entry.quality == {}
    assert entry.trials[0].is_image
    assert entry.trials[0].packed.n_points == 0
    assert entry.trials[0].packed.n_fixations > 3
    own = reported(of(study.exports[0]), ReportOptions(), 1000)
    assert found.provenance["made_of"] == own.outcome.sha256


def test_a_damaged_export_says_where(study):
    found = reported(of(study.exports[2]), ReportOptions(), 1000)
    assert found.entries == ()
    assert found.outcome.status == "failed"
    assert found.outcome.error.line


@pytest.mark.parametrize("number", [0, 2])
def test_without_names_nothing_names_a_file(study, number):
    dropped = ReportOptions(pseudonyms=Pseudonyms("drop"))
    found = reported(of(study.exports[number]), dropped, 1000)
    assert "reader" not in repr(found)
    assert found.outcome.file == "input 1 of 2"


def test_a_recording_that_kills_its_worker_is_a_failed_one():
    error = WorkerLost("its process was killed", hint="try again")
    assert lost(of(Path("a.asc")), error, ReportOptions()).outcome.file == "a.asc"
    dropped = ReportOptions(pseudonyms=Pseudonyms("drop"))
    assert "a.asc" not in str(lost(of(Path("a.asc")), error, dropped).outcome.error)
