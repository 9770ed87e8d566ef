"""One recording made into its tables, all of them or none, and what its outcome says by then."""

from __future__ import annotations

import hashlib

import pytest

from gazetrack.errors import ConfigError, OutputError, ParseError
from gazetrack.workflows.convert_options import ConvertOptions
from gazetrack.workflows.converting import make_tables
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.outcome import Outcome

ROWS = "x,y,t\n" + "".join(f"{100 + i % 2},200,{4 * i}\n" for i in range(70))


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text(ROWS)
    return path


def made(export, outcome, **choices):
    (source,) = find_sources([export])
    make_tables(source, ConvertOptions(**choices), outcome)


def test_the_outcome_is_filled_and_lists_what_was_written(export):
    outcome = Outcome(str(export))
    made(export, outcome, samples=True)
    written = {path.name: path.read_bytes() for path in export.parent.glob("*.parquet")}
    assert sorted(written) == ["raw.fixations.parquet", "raw.samples.parquet"]
    assert [one["sha256"] for one in outcome.outputs] == [
        hashlib.sha256(written[name]).hexdigest() for name in sorted(written)
    ]
    assert (outcome.format, outcome.rows_in, outcome.rows_out) == ("generic", 70, 1)
    assert outcome.summary["fixations"] == 1


def test_the_parts_of_a_data_set_lie_below_it(export, tmp_path):
    outcome = Outcome(str(export))
    (source,) = find_sources([export], out=tmp_path / "study")
    make_tables(source, ConvertOptions(dataset=tmp_path / "study"), outcome)
    (part,) = (tmp_path / "study").rglob("*.parquet")
    assert outcome.outputs[0]["path"] == str(part)
    assert part.relative_to(tmp_path / "study").parts[0] == "fixations"


def test_an_export_that_cannot_be_read_has_its_digest_all_the_same(export):
    export.write_text("x,y,t\nno,row,usable\n")
    outcome = Outcome(str(export))
    with pytest.raises(ParseError):
        made(export, outcome)
    assert outcome.sha256 == hashlib.sha256(export.read_bytes()).hexdigest()
    assert outcome.outputs == []


def test_what_goes_wrong_names_the_recording(export):
    with pytest.raises(ConfigError) as caught:
        made(export, Outcome(str(export)), trial_by="the moon")
    assert caught.value.path == export


def test_a_table_of_somebody_else_keeps_all_from_being_written(export):
    (export.parent / "raw.samples.parquet").write_bytes(b"of somebody else")
    outcome = Outcome(str(export))
    with pytest.raises(OutputError):
        made(export, outcome, samples=True)
    assert outcome.outputs == []
    assert not (export.parent / "raw.fixations.parquet").exists()
