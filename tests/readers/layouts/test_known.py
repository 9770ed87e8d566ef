"""All layouts: each says what it needs to, and none claims another's table."""

import pytest

from gazetrack.readers import registry
from gazetrack.readers.generic.columns import KEYS, ms_per
from gazetrack.readers.layouts.known import LAYOUTS
from gazetrack.readers.shared.positions import UNITS
from gazetrack.readers.text.header import Header
from tests.public_tables import BY_LAYOUT


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_a_layout_names_columns_or_a_reader(layout):
    assert bool(layout.columns) != bool(layout.reader)
    if layout.reader:
        assert layout.reader in registry.BUILTIN
        assert layout.notes
        return
    assert set(layout.columns) <= {*KEYS, "unit", "y_axis"}
    assert layout.columns.get("unit", "px") in UNITS
    unit = layout.columns["t"].partition("[")[2].rstrip("]")
    assert ms_per(unit)
    assert layout.missing
    is_of_samples = "duration" not in layout.columns
    assert is_of_samples == (layout.rate_hz is not None)
    # Degrees mean a place on a screen alone with its lengths.
    if layout.columns.get("unit") == "deg" and not layout.directions:
        assert layout.screen.px_per_deg is not None


def test_names_are_those_of_no_reader():
    assert not set(LAYOUTS) & set(registry.names())


def test_each_layout_with_columns_has_a_made_up_table():
    assert set(BY_LAYOUT) == {name for name, layout in LAYOUTS.items() if layout.columns}


def test_no_two_layouts_claim_the_same_header():
    for layout in LAYOUTS.values():
        if layout.mark:
            header = Header(names=layout.mark, lines=1, delimiter=",", quoted=False)
            claimed = [known.name for known in LAYOUTS.values() if known.fits(header)]
            assert claimed == [layout.name]


@pytest.mark.parametrize(
    ("name", "stem", "participant"),
    [
        ("gazebase", "S_1001_S1_FXS", "001"),
        ("gazebase", "S_9335_S2_VD1", "335"),
        ("gazebase_vr", "S_3407_S2_5_RAN", "407"),
        ("judo1000", "12_3", "12"),
        ("hbn", "NDARAA112233_Fractals", "NDARAA112233"),
        ("potec", "reader77_b0_raw_data", "77"),
        ("gaze_on_faces", "gaze_sub10_trial2", "10"),
        ("gazebase", "renamed", ""),
        ("mcfw_gaze", "news", ""),
    ],
)
def test_who_was_recorded_is_told_by_the_name_of_the_file(name, stem, participant):
    assert LAYOUTS[name].participant_of(stem) == participant
