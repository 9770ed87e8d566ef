"""What can be chosen for a conversion, and what goes together with what."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.ivt import IVT
from gazetrack.workflows.convert_options import ConvertOptions


def test_all_outputs_go_to_one_place_or_beside_their_inputs():
    assert ConvertOptions().place is None
    assert ConvertOptions(out="tables").place == "tables"
    assert ConvertOptions(dataset="study").place == "study"


@pytest.mark.parametrize("wrong", [{"out": "tables"}, {"detector": IVT()}])
def test_a_data_set_takes_no_files_of_their_own(wrong):
    with pytest.raises(ConfigError, match="data set"):
        ConvertOptions(dataset="study", **wrong)


def test_choices_about_the_export_are_checked_as_well():
    with pytest.raises(ConfigError, match="columns"):
        ConvertOptions(columns="x=GazeX")
