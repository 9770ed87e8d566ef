"""World cameras: no field of view is guessed."""

from __future__ import annotations

import pytest

from gazetrack.tables.cameras import CAMERAS, field_of_view, is_fisheye


def test_a_field_of_view_may_depend_on_the_size_of_the_image():
    assert field_of_view("Pupil Core", 1920, 1080) == 155.0
    assert field_of_view("Pupil Core", 1280, 720) == 103.0
    assert field_of_view("Pupil Core", 1000, 1000) is None
    assert field_of_view("Neon", 1, 1) == 103.0


def test_of_an_unknown_camera_nothing_is_known_but_that_it_sees_widely():
    assert field_of_view("somebody's own", 1280, 720) is None
    assert is_fisheye("somebody's own")
    assert not is_fisheye("Tobii Pro Glasses 3")


@pytest.mark.parametrize("model", CAMERAS)
def test_every_camera_says_who_states_its_field_of_view(model):
    assert CAMERAS[model].source
