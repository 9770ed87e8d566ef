"""Targets of an accuracy measurement, and the files that list them."""

from __future__ import annotations

import math

import pytest

from gazetrack.data_quality.targets import Target, read_targets
from gazetrack.errors import ConfigError, InputError, ParseError


def test_a_target_lasts_all_of_the_time_unless_told_otherwise():
    always = Target("t", 1, 2)
    assert (always.onset_ms, always.end_ms) == (-math.inf, math.inf)
    assert Target("t", 1, 2, onset_ms=500).end_ms == math.inf
    assert Target("t", 1, 2, onset_ms=500, duration_ms=250).end_ms == 750


@pytest.mark.parametrize(
    "facts",
    [
        {"x_px": math.nan},
        {"y_px": math.inf},
        {"onset_ms": math.nan},
        {"duration_ms": 0.0},
        {"duration_ms": -5.0},
        {"duration_ms": math.nan},
    ],
)
def test_a_target_without_a_place_or_a_time_is_refused(facts):
    with pytest.raises(ConfigError, match="target corner at") as caught:
        Target(**({"name": "corner", "x_px": 1.0, "y_px": 2.0} | facts))
    assert "positive duration" in caught.value.hint


def test_targets_from_a_file(tmp_path):
    path = tmp_path / "targets.csv"
    path.write_text("name,x_px,y_px,onset_ms\nleft,10,20,\nright,30,40,500\n")
    assert read_targets(path) == [Target("left", 10, 20), Target("right", 30, 40, 500)]
    for text, line in (
        ("x_px,y\n1,2\n", 1),
        ("x_px,y_px\n1,2\n\n1,up\n", 4),
        ("x_px,y_px\n1,\n", 2),
        ("", 1),
        ("x_px,y_px\n", 1),
        ("x_px,y_px\n1,2,3\n", 2),
        ("x_px,y_px,onset_ms\n1,2\n", 2),
        ("x_px,y_px,onset_ms\n1,2,nan\n", 2),
    ):
        path.write_text(text)
        with pytest.raises(ParseError) as error:
            read_targets(path)
        assert error.value.line == line
    path.write_text("x_px,y_px,duration_ms\n1,2,-5\n")
    with pytest.raises(ParseError, match="positive duration"):
        read_targets(path)
    with pytest.raises(InputError):
        read_targets(tmp_path / "none.csv")
    path.write_text('x_px,y_px\n"1,2\n')
    with pytest.raises(InputError, match="CSV"):
        read_targets(path)


def test_columns_are_in_any_order_and_targets_without_a_name_are_numbered(tmp_path):
    path = tmp_path / "targets.csv"
    # A mark of byte order, as spreadsheets write it, and a name that is not ASCII.
    text = "trial,y_px,x_px,duration_ms,name,stimulus\n2,20,10,100,,\n,40,30,,oben ü,a.png\n"
    path.write_text(text, "utf-8-sig")
    assert read_targets(path) == [
        Target("1", 10, 20, duration_ms=100, trial="2"),
        Target("oben ü", 30, 40, stimulus="a.png"),
    ]
    path.write_bytes("name,x_px,y_px\nü,1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match="table of targets"):
        read_targets(path)


def test_a_target_may_flash_up_and_a_table_may_have_all_columns(tmp_path):
    assert Target("t", 1, 2, onset_ms=500, duration_ms=0.5).end_ms == 500.5
    path = tmp_path / "targets.csv"
    path.write_text("name,x_px,y_px,onset_ms,duration_ms,trial,stimulus\na,1,2,3,4,5,6\n")
    assert read_targets(path) == [Target("a", 1, 2, 3, 4, "5", "6")]
