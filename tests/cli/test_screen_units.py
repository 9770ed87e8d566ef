"""--screen in any units of length, and --fov."""

from __future__ import annotations

import json

import click
import pytest

from gazetrack_cli.parsing import parse_screen


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("1920x1080", (None, None, None)),
        ("1920x1080px,531x299mm", (531, 299, None)),
        ("1920x1080,531x299mm,650mm", (531, 299, 650)),
        ("1920x1080,53.1x29.9cm,65cm", (531, 299, 650)),
        ("1920x1080, 531x299mm, 65 cm", (531, 299, 650)),
        ("1920x1080,20.9x11.8in,25in", (530.86, 299.72, 635)),
        ("1920x1080,24in,65cm", (531.3, 298.9, 650)),
        ('1920x1080,24",65cm', (531.3, 298.9, 650)),
        ("1280x1024,19in", (376.9, 301.5, None)),
    ],
)
def test_screens_in_units_of_length(text, lengths):
    screen = parse_screen(text)
    found = (screen.width_mm, screen.height_mm, screen.distance_mm)
    assert [value is None for value in found] == [value is None for value in lengths]
    assert [v for v in found if v is not None] == pytest.approx(
        [v for v in lengths if v is not None], abs=0.1
    )


@pytest.mark.parametrize(
    "text",
    [
        "1920",
        "1920x1080,650mm",
        "1920x1080,65cm",
        "1920x1080,531x299",
        "1920x1080,24in,65",
        "0.5x1,2x2mm",
    ],
)
def test_screens_whose_units_are_open_are_refused_with_two_examples(text):
    with pytest.raises(click.BadParameter, match="1920x1080,24in,65cm"):
        parse_screen(text)


def test_the_field_of_view_of_a_camera_is_an_option_of_every_command_that_reads(run, tmp_path):
    path = tmp_path / "gaze_data.csv"
    rows = [f"{0.008 * i},0.1,0.2,0.3,0.4,{0.5 + 0.1 * (i > 60)},0.5" for i in range(120)]
    path.write_text(
        "\n".join(["Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Vergence,Image_X,Image_Y", *rows]) + "\n"
    )
    refused = run("gazetrack convert gaze_data.csv")
    assert refused.code == 2
    assert (
        "the field of view of the AdHawk MindLink is not known - give its width, as in --fov 82"
        in refused.err
    )
    done = run("gazetrack convert gaze_data.csv --fov 80 --json")
    assert json.loads(done.out)["found"]["detector"]["px_per_deg"] == 1920 / 80
    assert run("gazetrack fixations gaze_data.csv --detector idt --fov 80").code == 0
    (facts,) = json.loads(run("gazetrack info gaze_data.csv --fov 80 --json").out)
    assert (facts["world_camera"], facts["screen"]["fov_deg"]) == ("AdHawk MindLink", 80)
    measured = json.loads(run("gazetrack quality gaze_data.csv --fov 80 --json").out)
    assert measured[0]["std_deg"] is not None
    measured = json.loads(run("gazetrack quality gaze_data.csv --json").out)
    assert measured[0]["std_deg"] is None
