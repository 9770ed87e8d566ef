"""gazetrack plot: which figure, of what, and where to."""

from __future__ import annotations

import pytest

from gazetrack.figures.kinds import FIGURES
from gazetrack.simulate.example import write_example
from tests.aoi_tables import own_json, rectangle


@pytest.fixture
def folder(run, tmp_path):
    write_example(tmp_path, n_images=4, size=(48, 64))
    assert run("gazetrack convert reader-1.asc").code == 0
    own_json(tmp_path / "aois.json", rectangle("box", 5, 5, 30, 30), stimulus="lesion-001.png")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("--what scanpath --limit 1", ["lesion-001.reader-1.1.png"]),
        ("--what heatmap --file-type svg", ["lesion-001.svg", "lesion-002.svg"]),
        ("--what scarf --aois aois.json", ["lesion-001.scarf.png"]),
        ("--what aois --aois aois.json", ["lesion-001.aois.png"]),
        ("--what transitions --aois aois.json", ["lesion-001.transitions.png"]),
        ("--what durations", ["reader-1.durations.png"]),
        ("reader-1.asc --what main-sequence", ["reader-1.main-sequence.png"]),
        ("reader-1.asc --what pupil --limit 1", ["reader-1.lesion-001.1.pupil.png"]),
        (
            "reader-1.asc --what time-series --seconds 1 --limit 1",
            ["reader-1.lesion-001.1.time-series.png"],
        ),
    ],
)
def test_every_figure_can_be_asked_for(run, folder, line, names):
    result = run(f"gazetrack plot {line}")
    assert result.code == 0, result.err
    assert sorted(path.name for path in (folder / "plots").iterdir()) == names
    pictures = "1 picture" if len(names) == 1 else f"{len(names)} pictures"
    assert f"wrote {pictures} to plots" in result.out


def test_the_help_names_every_figure(run):
    said = "".join(run("gazetrack plot --help").out.split())  # lines are broken at hyphens, too
    for name, text in FIGURES.items():
        assert "".join(f"{name}: {text}".split()) in said


def test_what_is_missing_is_said_in_one_line(run, folder):
    result = run("gazetrack plot --what scarf")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "scarf needs areas of interest - give --aois FILE" in result.err
    result = run("gazetrack plot --what time-series")
    assert result.code == 2
    assert "draws exports: name one" in result.err
    result = run("gazetrack plot --what scanpath -o all.png")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "2 figures for the one file" in result.err
    assert not (folder / "plots").exists()
    assert not (folder / "all.png").exists()


@pytest.mark.parametrize("line", ["--limit 0", "--limit -1", "-o z6.gif"])
def test_what_cannot_be_drawn_leaves_nothing(run, folder, line):
    result = run(f"gazetrack plot --what scanpath {line}")
    assert result.code == 2
    assert not (folder / "z6.gif").exists()
    assert not (folder / "plots").exists()


def test_names_that_the_font_lacks_are_no_warnings_when_quiet(run, folder, recwarn):
    own_json(folder / "aois.json", rectangle("\u75c5\u53d8", 5, 9, 30, 30), stimulus="lesion-001")
    assert run("gazetrack plot --what aois --aois aois.json -q").code == 0
    assert [str(one.message) for one in recwarn if "Glyph" in str(one.message)] == []
