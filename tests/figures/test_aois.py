"""Areas of interest in the colour of their dwell."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.aois import plot_aois
from gazetrack.figures.style import AMOUNT_MAP
from gazetrack.workflows.measures import measure_aois
from tests.figure_cases import AOIS, fixations, picture

MEASURES = measure_aois(fixations(), AOIS)
SHARE = "dwell_share_of_fixation_time"


def test_the_colour_is_the_mean_share_and_the_text_says_it():
    axis = plot_aois(MEASURES, AOIS, picture()[0]).axes[0]
    shares = 100 * MEASURES.groupby("aoi", observed=True)[SHARE].mean()
    filled = axis.patches[::2]
    for area, patch in zip(("lesion", "fold", "corner"), filled, strict=True):
        wanted = AMOUNT_MAP(shares[area] / shares.max())
        np.testing.assert_allclose(patch.get_facecolor()[:3], wanted[:3])
    texts = [text.get_text() for text in axis.texts]
    assert texts[0] == f"lesion: {shares['lesion']:.1f} %, 4 of 4 trials"
    assert axis.get_title() == "lesion-001.png · 4 trials of 4 recordings"
    assert axis.figure.axes[1].get_ylabel() == "mean share of the fixation time (%)"


def test_without_an_image_the_ground_is_as_large_as_what_they_were_drawn_on():
    axis = plot_aois(MEASURES, AOIS).axes[0]
    assert axis.get_xlim() == (0, 200)
    assert axis.get_ylim() == (150, 0)


def test_nobody_looked():
    nobody = MEASURES.assign(**{SHARE: np.nan, "fixations": 0})
    texts = [text.get_text() for text in plot_aois(nobody, AOIS).axes[0].texts]
    assert texts[0] == "lesion: nobody looked, 0 of 4 trials"


def test_what_cannot_be_drawn_is_refused_in_words():
    with pytest.raises(ConfigError, match="'lesion-002' among 1 stimuli"):
        plot_aois(MEASURES, AOIS, stimulus="lesion-002")
    with pytest.raises(SchemaError, match="no column fixations"):
        plot_aois(MEASURES.drop(columns="fixations"), AOIS)
    with pytest.raises(ConfigError, match="did you mean 'fixation_share'"):
        plot_aois(MEASURES, AOIS, share="fixation_shares")
    renamed = MEASURES.assign(stimulus="lesion-01.png")
    with pytest.raises(ConfigError, match="no areas of interest - did you mean 'lesion-001'"):
        plot_aois(renamed, AOIS)
