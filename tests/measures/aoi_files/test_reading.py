"""Files of areas of interest, told by their content."""

from __future__ import annotations

import pytest
from PIL import Image

from gazetrack.errors import ConfigError, GazetrackError, InputError
from gazetrack.measures.aoi_files.reading import read_aois
from tests.aoi_tables import own_json, rectangle


def test_a_folder_is_one_of_masks(tmp_path):
    Image.new("L", (5, 5), 255).save(tmp_path / "cat.png")
    assert read_aois(tmp_path, name="polyp").stimuli[0].names == ("polyp",)


def test_a_file_is_told_by_its_content(tmp_path):
    own_json(tmp_path / "areas.txt", rectangle())
    found = read_aois(str(tmp_path / "areas.txt"))
    assert found.stimuli[0].names == ("face",)
    assert found.source["file"] == "areas.txt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("hello", "holds no areas of interest"),
        ('{"a": 1}', "is JSON of no known kind"),
        ("{", "is no JSON"),
    ],
)
def test_what_holds_no_areas_is_told(tmp_path, text, message):
    (tmp_path / "a").write_text(text)
    with pytest.raises(GazetrackError, match=message) as caught:
        read_aois(tmp_path / "a")
    assert caught.value.path == tmp_path / "a"
    with pytest.raises(InputError, match="no such file"):
        read_aois(tmp_path / "none.json")


def test_a_file_names_its_areas_itself(tmp_path):
    own_json(tmp_path / "areas.json", rectangle())
    with pytest.raises(ConfigError, match="which names its areas itself"):
        read_aois(tmp_path / "areas.json", labels={1: "polyp"})
