"""Time courses with their clusters."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.figures.time_course import plot_time_course
from tests.figure_cases import cluster_test


def test_lines_are_the_means_and_clusters_are_shaded_with_their_p():
    test = cluster_test()
    figure = plot_time_course(test, title="lesion")
    upper, lower = figure.axes
    middle = (test.bins["bin_start_ms"] + test.bins["bin_end_ms"]) / 2000
    for line, name in zip(upper.lines, ("first", "second"), strict=True):
        np.testing.assert_allclose(line.get_xdata(), middle)
        np.testing.assert_allclose(line.get_ydata(), test.bins[name])
    said = [text.get_text() for text in upper.get_legend().get_texts()]
    assert said == ["expert, n = 6", "novice, n = 6"]
    found = test.clusters[test.clusters["p"] < 0.05]
    texts = [text.get_text() for text in upper.texts if text.get_text()]
    assert texts == [f"p = {p:.3f}" for p in found["p"]]
    assert 0 < len(found) < len(test.clusters)
    spans = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in upper.patches)
    wanted = (test.clusters[["start_ms", "end_ms"]].to_numpy() / 1000).tolist()
    np.testing.assert_allclose(spans, sorted(wanted))
    np.testing.assert_allclose(lower.lines[0].get_ydata(), test.bins["t"])
    assert "lesion" in upper.get_title()
    assert "permutations" in upper.get_title()
    assert lower.get_xlabel() == "time from the start of the trial (s)"


def test_what_is_no_test_is_refused():
    with pytest.raises(ConfigError, match=r"gazetrack\.cluster_permutation"):
        plot_time_course(cluster_test().bins)


def test_a_bin_in_which_nobody_varies_leaves_room_for_the_t_of_the_others():
    test = cluster_test()
    test.bins.loc[3, "t"] = 1e7
    lower = plot_time_course(test).axes[1]
    others = test.bins["t"].drop(3).abs().max()
    assert others < lower.get_ylim()[1] < 3 * max(others, test.bins["threshold"].max())
