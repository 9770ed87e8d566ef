"""How the columns and the screen of an export are given in Python."""

from __future__ import annotations

import pytest

import gazetrack
from gazetrack.errors import ConfigError


@pytest.fixture
def table(tmp_path):
    rows = [f"{i * 4},{0.3 + i % 2 / 1000},{0.4 + i % 2 / 1000}" for i in range(200)]
    path = tmp_path / "mine.csv"
    path.write_text("when,across,down\n" + "\n".join(rows) + "\n")
    return path


def test_columns_and_screen_are_given_as_python_has_them(table):
    columns = {"x": "across[norm]", "y": "down[norm]", "t": "when[ms]"}
    screen = gazetrack.Screen(1000, 500, 500, 250, 600)
    recording = gazetrack.read(table, columns=columns, screen=screen)
    assert recording.samples["x_px"].tolist()[:2] == pytest.approx([300, 301])
    assert recording.samples["t_ms"].tolist()[:2] == [0, 4]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"columns": "x=across[norm],y=down[norm]"}, "columns is of type str - give a mapping"),
        ({"screen": "1000x500"}, r"screen is of type str - give a gazetrack\.Screen"),
    ],
)
def test_how_the_command_writes_them_is_refused_in_words(table, choice, words):
    for call in (gazetrack.read, gazetrack.info, gazetrack.convert, gazetrack.quality):
        with pytest.raises(ConfigError, match=words):
            call(table, **choice)


def test_no_columns_are_none_as_well(tmp_path):
    rows = "".join(f"{100 + i % 3},200,{4 * i}\n" for i in range(50))
    (tmp_path / "a.csv").write_text("x,y,t\n" + rows)
    recording = gazetrack.read(tmp_path / "a.csv", columns=None)
    assert recording.samples.equals(gazetrack.read(tmp_path / "a.csv").samples)
