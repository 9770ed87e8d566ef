"""What a study says of itself, and what it must not say."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.workflows.study.file import read_study
from gazetrack.workflows.study.settings import settings_of

COMMANDS = ("convert", "info", "measures", "quality", "render")


@pytest.fixture
def settings(tmp_path):
    """What a study of a text says."""
    (tmp_path / "exports").mkdir()
    for name in ("a.tsv", "b.tsv", "c.asc"):
        (tmp_path / "exports" / name).touch()

    def read(text):
        (tmp_path / "study.toml").write_text(text, "utf-8")
        return settings_of(read_study(tmp_path / "study.toml"), COMMANDS)

    return read


def test_a_study_may_say_nothing(settings, tmp_path):
    found = settings("")
    assert (found.name, found.inputs, found.screen) == (tmp_path.name, (), None)
    assert (found.out, found.steps) == (tmp_path / "results", ("convert",))


def test_exports_are_named_from_the_folder_of_the_file(settings, tmp_path):
    exports = tmp_path / "exports"
    assert settings('[study]\ninputs = "exports"').inputs == (exports,)
    found = settings('[study]\ninputs = ["exports/c.asc", "exports/*.tsv", "s3://lab/raw"]')
    assert found.inputs == (exports / "c.asc", exports / "a.tsv", exports / "b.tsv", "s3://lab/raw")
    assert settings(f'[study]\ninputs = ["{exports}"]').inputs == (exports,)
    found = settings(f'[study]\ninputs = ["{exports}/*.asc", "**/b.*"]')
    assert found.inputs == (exports / "c.asc", exports / "b.tsv")


SCREEN = '[study.screen]\npixels = "1920x1080"\n'


@pytest.mark.parametrize(
    ("text", "screen"),
    [
        ('[study]\nscreen = "1920x1080,24in"', "1920x1080,24in"),
        (SCREEN, "1920x1080"),
        ("[study.screen]\npixels = [1920, 1080]", "1920x1080"),
        (SCREEN + 'width = "53.1 cm"\nheight = "299 mm"', "1920x1080,531x299mm"),
        (
            SCREEN + 'width = "53.1 cm"\nheight = "299 mm"\ndistance = "0.65 m"',
            "1920x1080,531x299mm,650mm",
        ),
        (SCREEN + 'diagonal = "24 in"\ndistance = "65 cm"', "1920x1080,24in,650mm"),
    ],
)
def test_a_screen_may_be_said_in_lengths_with_units(settings, text, screen):
    from gazetrack_cli.parsing import parse_screen

    found = settings(text).screen
    assert found == screen
    assert parse_screen(found).width_px == 1920


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[convrt]", 1, "neither [study] nor a command - did you mean 'convert'?"),
        ("[[study]]", 1, "write [study], once"),
        ("study = 3", 1, "study is no table"),
        ("[study]\nname = 3", 2, "[study] name = 3 is no text"),
        ('[study]\nout = ""', 2, "[study] out =  is no text"),
        ('[study]\n\nout = "s3://lab/x"', 3, "[study] out is an address"),
        ('[study]\nout = "exports/a.tsv"', 2, "[study] out: exports/a.tsv is a file"),
        (
            "[study]\ninputs = [3]",
            2,
            '[study] inputs is no list of texts - write it as inputs = ["',
        ),
        ('[study]\nout = "a\\u0000b"', 2, "[study] out = a\\x00b is no text"),
        ('[study]\ninputs = ["a\\u0000b*"]', 2, "there is no a\\x00b*"),
        ('[study]\ninputs = ["exprots"]', 2, "[study] inputs: there is no exprots"),
        ('[study]\ninputs = ["exports/*.xyz"]', 2, "there is no exports/*.xyz"),
        ('[study]\nsteps = ["qualty"]', 2, "'qualty' is no step - did you mean 'quality'?"),
        ('[study]\nsteps = ["measures"]', 2, "there is no table [measures]"),
        ('[study]\nsteps = ["events"]', 2, "'events' is no step"),
        ("[study]\nscreen = 3", 2, "[study] screen is no text and no table"),
        (SCREEN + 'widht = "53 cm"', 3, "[study.screen] has a key 'widht' - did you mean 'width'?"),
        (SCREEN + 'width = "53 kg"', 3, "'kg' is no unit of length: use mm, cm, m or in"),
        (SCREEN + "width = 53", 3, "[study.screen] width = 53 is no length"),
        (SCREEN + 'width = "-53 cm"', 3, "is no length"),
        (SCREEN + 'width = "53 cm"', 1, "says width alone - give width and height"),
        (SCREEN + 'distance = "65 cm"', 1, "says distance alone"),
        ("[study.screen]\npixels = [1, 2, 3]", 2, "is no size of a screen"),
        ('[study.screen]\nwidth = "53 cm"', 1, "pixels = None is no size of a screen"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(settings, text, line, said):
    with pytest.raises(ConfigError) as refused:
        settings(text)
    assert refused.value.line == line
    assert said in refused.value.whole()
