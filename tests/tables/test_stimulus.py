"""Names of stimuli and images."""

from __future__ import annotations

import pytest

from gazetrack.tables.stimulus import stem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shown/case.12.jpg", "case.12"),
        ("shown\\case.12.PNG", "case.12"),
        ("case.12", "case.12"),
        ("volume.nii.gz", "volume"),
        ("", ""),
    ],
)
def test_folder_and_image_suffix_go_and_dots_in_the_name_stay(name, expected):
    assert stem(name) == expected
