"""What can be drawn, by name."""

from __future__ import annotations

from gazetrack.figures import kinds


def test_every_figure_is_of_one_thing_and_described():
    groups = (
        kinds.OF_TRACKS,
        kinds.OF_IMAGES,
        kinds.OF_AREAS,
        kinds.OF_TABLES,
        kinds.OF_RECORDINGS,
    )
    assert sum(map(len, groups)) == len(kinds.FIGURES)
    assert kinds.DEFAULT_FIGURE in kinds.FIGURES
    for name, text in kinds.FIGURES.items():
        assert name == name.lower()
        assert len(text.split()) >= 4, name
