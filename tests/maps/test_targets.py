"""What trials were looking for: read off names, and out of tables."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.maps.targets import check_rule, target_rule, with_targets
from gazetrack.maps.track import Track


def track(trial="1", stimulus="a.png", recording="r1", participant="p1"):
    one = np.ones(1)
    return Track(recording, trial, stimulus, one, one, 100 * one, 8, 8, participant)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("trial", "find polyp"),
        ("trial=find (.+)", "polyp"),
        ("trial=p.l", "pol"),
        ("trial=search (.+)", ""),
        ("stimulus=^([a-z]+)_", "gut"),
        ("recording", "r1"),
        ("participant=^p(.)", "1"),
    ],
)
def test_rules_read_a_column(rule, expected):
    assert target_rule(rule)(track("find polyp", "gut_7.png")) == expected


def test_a_second_showing_has_the_target_of_the_first():
    assert target_rule("trial")(track("polyp#2")) == "polyp"
    assert target_rule("trial=(.+)")(track("polyp#2")) == "polyp"


def test_rules_that_are_none_are_refused():
    for rule in ("task", "trial=", "trial=(", "targets.txt", ""):
        with pytest.raises(ConfigError, match="target"):
            check_rule(rule)
    check_rule("not-there.csv")  # which is opened later


def test_a_table_says_it_by_all_of_its_columns(tmp_path):
    path = tmp_path / "tasks.csv"
    path.write_text("recording,trial,target\nr1,1,polyp\nr1,2,ulcer\nr2,1,ulcer\n", "utf-8")
    tracks = [track("1"), track("2"), track("1", recording="r2"), track("3"), track("2#2")]
    told = with_targets(tracks, str(path))
    assert [one.target for one in told] == ["polyp", "ulcer", "ulcer", "", "ulcer"]
    assert [one.target for one in tracks] == [""] * 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trial\n1\n", "no table of targets"),
        ("target\npolyp\n", "no table of targets"),
        ("trial,target\n1,polyp\n1,ulcer\n", "two targets"),
    ],
)
def test_tables_that_do_not_say_it_are_refused(tmp_path, text, said):
    path = tmp_path / "tasks.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        target_rule(str(path))
    with pytest.raises(InputError, match="no such file"):
        target_rule(str(tmp_path / "absent.csv"))
