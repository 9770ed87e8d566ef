"""What is known of a data set, for people and programs."""

import json

import pytest

from gazetrack.datasets import names, show
from gazetrack.datasets.facts import find
from gazetrack.errors import ConfigError


@pytest.mark.parametrize("name", names())
def test_what_is_known_are_json_values(name):
    facts = json.loads(json.dumps(show(name), allow_nan=False))
    assert facts["name"] == name
    assert facts["layouts"]
    for layout in facts["layouts"].values():
        assert ("columns" in layout) != ("read_by" in layout)


def test_columns_units_screen_and_rate_are_said():
    layout = show("gazebase")["layouts"]["gazebase"]
    assert layout["columns"] == {"t": "n[ms]", "left_x": "x", "left_y": "y", "pupil": "dP"}
    assert layout["positions"] == "degrees from the centre of the screen, y upwards"
    assert layout["screen"]["distance_mm"] == 550
    assert layout["rate_hz"] == 1000
    assert "headset" not in layout["positions"]
    assert "straight ahead" in show("gazebase_vr")["layouts"]["gazebase_vr"]["positions"]
    assert "fractions" in show("mcfw_gaze")["layouts"]["mcfw_gaze"]["positions"]


def test_a_layout_leads_to_its_data_set():
    assert find("copco_fixations").name == "copco"


def test_a_name_with_a_slip_gets_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'gazebase'"):
        show("gazebaze")
