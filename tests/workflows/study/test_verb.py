"""A study from Python."""

from __future__ import annotations

import pytest

import gazetrack
from gazetrack.errors import ConfigError, ParseError, UnknownFormat

GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))


@pytest.fixture
def study(tmp_path):
    (tmp_path / "exports").mkdir()
    for name in "ab":
        (tmp_path / "exports" / f"{name}.csv").write_text(GAZE)
    path = tmp_path / "study.toml"
    path.write_text('[study]\ninputs = ["exports"]\n[quality]\n')
    return path


def test_steps_are_taken_and_told_and_nothing_is_printed(study, capfd):
    told = []
    results = gazetrack.run_study(study, progress=lambda *at: told.append(at))
    assert [(each.step, each.recordings, each.made) for each in results] == [
        ("convert", 2, 2),
        ("quality", 2, 2),
    ]
    assert ("convert", 0, 2) in told
    assert ("quality", 2, 2) in told
    assert capfd.readouterr() == ("", "")
    assert results[1].where == study.parent / "results" / "quality.parquet"
    again = gazetrack.run_study(study, only=["quality"], jobs=2)
    assert [(each.step, each.made, each.kept) for each in again] == [("quality", 0, 2)]


def test_errors_are_raised_when_all_is_done_or_reported(study):
    (study.parent / "exports" / "c.csv").write_text("x,y,t\n" + "1,2,oh no\n" * 3)
    with pytest.raises((ParseError, UnknownFormat), match=r"c\.csv"):
        gazetrack.run_study(study)
    convert, quality = gazetrack.run_study(study, errors="report")
    assert (convert.made, convert.kept, convert.failed, convert.exit_code) == (0, 2, 1, 1)
    assert len(convert.errors) == 1
    assert (study.parent / "results" / "quality.parquet").exists()
    assert quality.kept == 2


def test_what_cannot_be_is_refused_before_anything_is_done(study):
    with pytest.raises(ConfigError, match="use raise or report"):
        gazetrack.run_study(study, errors="ignore")
    with pytest.raises(ConfigError, match="'render' is no step of the study - it takes convert, q"):
        gazetrack.run_study(study, only=["render"])
    assert not (study.parent / "results").exists()
