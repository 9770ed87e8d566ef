"""Proportions of looks over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.looks import LOOKS
from gazetrack.measures.time_courses import (
    TimeCourseOptions,
    orthogonal_polynomials,
    time_courses,
)
from tests.looks import looks

KEY = ("r", "p", "1", "a.png", 400.0)


def table(*rows, key=KEY):
    return pd.DataFrame([(*key, *row) for row in rows], columns=LOOKS)


# In the lesion from 20 to 120 ms, elsewhere to 200, in both at once to 300; the fold is there.
ONE = table(
    ("lesion", 0, 20.0, 120.0),
    (OUTSIDE, 1, 120.0, 200.0),
    ("lesion", 2, 220.0, 300.0),
    ("fold", 2, 220.0, 300.0),
)


def course(looks, aoi="lesion", **options):
    found = time_courses(looks, TimeCourseOptions(bin_ms=100, **options))
    return found[found["aoi"] == aoi]


def test_time_in_the_area_over_time_fixated():
    found = course(ONE)
    assert found["look_ms"].tolist() == [80, 20, 80, 0]
    assert found["of_ms"].tolist() == [80, 100, 80, 0]
    np.testing.assert_array_equal(found["proportion"], [1, 0.2, 1, np.nan])
    assert found["bin_start_ms"].tolist() == [0, 100, 200, 300]
    assert found["denominator"].unique().tolist() == ["fixations"]


def test_other_denominators():
    assert course(ONE, of="trial")["of_ms"].tolist() == [100] * 4
    np.testing.assert_allclose(course(ONE, of="trial")["proportion"], [0.8, 0.2, 0.8, 0])
    assert course(ONE, of="areas")["of_ms"].tolist() == [80, 20, 80, 0]
    np.testing.assert_array_equal(course(ONE, of="areas")["proportion"], [1, 1, 1, np.nan])


def test_areas_that_overlap_count_for_each_and_once_in_the_denominator():
    both = time_courses(ONE, TimeCourseOptions(bin_ms=100))
    third = both[both["bin"] == 2].set_index("aoi")
    assert third["proportion"].to_dict() == {"lesion": 1.0, "fold": 1.0}
    assert third["of_ms"].tolist() == [80, 80]


def test_an_area_that_nobody_looked_at_is_there_with_zeros_and_outside_is_no_area():
    found = time_courses(
        pd.concat([ONE, table(("nose", -1, np.nan, np.nan))]), TimeCourseOptions(bin_ms=100)
    )
    assert found["aoi"].unique().tolist() == ["lesion", "fold", "nose"]
    nose = found[found["aoi"] == "nose"]
    assert nose["look_ms"].tolist() == [0] * 4
    np.testing.assert_array_equal(nose["proportion"], [0, 0, 0, np.nan])


def test_a_trial_without_gaze_has_rows_and_no_proportions():
    nobody = table(("lesion", -1, np.nan, np.nan), key=("r", "p", "2", "a.png", 250.0))
    found = time_courses(pd.concat([ONE, nobody]), TimeCourseOptions(bin_ms=100, of="trial"))
    second = found[found["trial"] == "2"]
    assert second["of_ms"].tolist() == [100, 100, 50, 0]
    assert second["look_ms"].sum() == 0


def test_start_and_end_say_which_bins_there_are():
    found = course(ONE, start_ms=-100, end_ms=250)
    assert found["bin_start_ms"].tolist() == [-100, 0, 100]
    assert found["look_ms"].tolist() == [0, 80, 20]
    assert course(ONE, start_ms=1000).empty


def test_columns_of_whole_trials_stay_and_others_are_refused():
    found = time_courses(looks(), TimeCourseOptions(bin_ms=500))
    assert found.groupby("participant")["group"].nunique().eq(1).all()
    assert set(found["group"]) == {"expert", "novice"}
    with pytest.raises(SchemaError, match="'side' differs within a trial"):
        time_courses(looks().assign(side=lambda table: table.index % 2))


def slow(looks, aoi, first, last):
    """Milliseconds of looks in a bin, moment by moment of 1 ms."""
    return sum(
        sum(begin <= moment < end for moment in range(first, last))
        for begin, end in looks.loc[looks["aoi"] == aoi, ["begin_ms", "end_ms"]].to_numpy()
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_bins_hold_what_counting_moments_gives(data):
    rows, t = [], 0
    for number in range(data.draw(st.integers(1, 8))):
        t += data.draw(st.integers(0, 40))
        lasts = data.draw(st.integers(1, 90))
        rows.append((data.draw(st.sampled_from(["lesion", OUTSIDE])), number, t, t + lasts))
        t += lasts
    drawn = table(("lesion", -1, np.nan, np.nan), *rows, key=("r", "p", "", "", float(t)))
    width = data.draw(st.integers(7, 60))
    found = time_courses(drawn, TimeCourseOptions(bin_ms=width))
    for row in found.itertuples():
        first, last = int(row.bin_start_ms), int(row.bin_end_ms)
        assert row.look_ms == pytest.approx(slow(drawn, "lesion", first, last))
        outside = slow(drawn, OUTSIDE, first, last)
        assert row.of_ms == pytest.approx(row.look_ms + outside)
    in_all = (
        drawn.loc[drawn["aoi"] == "lesion", "end_ms"]
        - drawn.loc[drawn["aoi"] == "lesion", "begin_ms"]
    )
    assert found["look_ms"].sum() == pytest.approx(in_all.sum())


def test_polynomials_are_those_of_r():
    # poly(1:5, 3) of R 4.5.
    wanted = [
        [-0.6324555, -0.3162278, 0.0, 0.3162278, 0.6324555],
        [0.5345225, -0.2672612, -0.5345225, -0.2672612, 0.5345225],
        [-0.3162278, 0.6324555, 0.0, -0.6324555, 0.3162278],
    ]
    np.testing.assert_allclose(orthogonal_polynomials(5, 3), wanted, atol=1e-7)
    found = course(ONE, polynomials=2)
    np.testing.assert_allclose(found["ot1"], orthogonal_polynomials(4, 2)[0])
    assert orthogonal_polynomials(0, 0).shape == (0, 0)
    with pytest.raises(ConfigError, match="degree 4 through 4 bins"):
        course(ONE, polynomials=4)


def test_what_cannot_be_is_refused_in_words():
    with pytest.raises(SchemaError, match="no column aoi"):
        time_courses(ONE.drop(columns="aoi"))
    with pytest.raises(ConfigError, match="did you mean 'fixations'"):
        TimeCourseOptions(of="fixation")
    with pytest.raises(ConfigError, match="bins of 0 ms"):
        TimeCourseOptions(bin_ms=0)
    with pytest.raises(ConfigError, match="from 0 to 10 ms there is no bin"):
        TimeCourseOptions(end_ms=10)
    with pytest.raises(ConfigError, match="at most 100,000"):
        time_courses(ONE, TimeCourseOptions(bin_ms=0.001))
    assert time_courses(ONE.head(0)).empty


@pytest.mark.parametrize(
    "wrong",
    [{"start_ms": np.nan}, {"start_ms": np.inf}, {"end_ms": np.inf}, {"polynomials": -1}],
)
def test_numbers_that_cannot_be_are_refused_before_any_work(wrong):
    with pytest.raises(ConfigError, match=r" - (give|leave|use)"):
        TimeCourseOptions(**wrong)
