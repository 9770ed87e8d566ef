"""Which figures are drawn of which inputs, and what they are called."""

from __future__ import annotations

import pandas as pd
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, InputError
from gazetrack.simulate.example import write_example
from gazetrack.workflows.drawings import (
    Drawing,
    DrawingOptions,
    Pictures,
    drawings_of,
    suffixed,
)
from tests.aoi_tables import own_json, rectangle
from tests.fixation_tables import write_fixations


def drawn(what, paths, **options):
    chosen = DrawingOptions(**options)
    return drawings_of(what, paths, Pictures(chosen), chosen)


@pytest.fixture
def tables(tmp_path):
    one = write_fixations(tmp_path / "one.fixations.parquet", ["p.png", "q.png"], recording="one")
    two = write_fixations(tmp_path / "two.fixations.parquet", ["p.png"], recording="two")
    return [one, two]


def test_a_heat_map_is_of_all_who_looked_at_an_image(tables):
    first, second = drawn("heatmap", tables)
    assert (first.name, second.name) == ("p", "q")
    assert "2 recordings" in first.draw().axes[0].get_title()
    assert "recording one" in second.draw().axes[0].get_title()


def test_images_of_one_name_and_several_sizes_have_maps_of_their_own(tables, tmp_path):
    other = write_fixations(
        tmp_path / "x.fixations.parquet", ["p.png"], recording="x", image_width_px=90
    )
    names = [drawing.name for drawing in drawn("heatmap", [*tables, other])]
    assert names == ["p.80x60", "q", "p.90x60"]


def test_tables_of_one_name_have_names_of_their_own(tables, tmp_path):
    (tmp_path / "other").mkdir()
    twin = write_fixations(tmp_path / "other" / "one.fixations.parquet", ["p.png"])
    names = [drawing.name for drawing in drawn("durations", [tables[0], twin])]
    assert names == ["one.durations", "one.2.durations"]


def test_time_series_have_the_seconds_asked_for_and_the_events_of_the_export(tmp_path):
    export = write_example(tmp_path, n_images=4, size=(48, 64)).exports[0]
    first = drawn("time-series", [export], seconds=1.5)[0].draw()
    upper, lower = first.axes
    t = upper.lines[0].get_xdata()
    assert t[-1] - t[0] == pytest.approx(1.5, abs=0.01)
    said = {text.get_text() for text in lower.get_legend().get_texts()}
    assert {"fixation", "saccade"} <= said
    assert first.get_suptitle() == "reader-1 · lesion-001.png · 1 · first 1.5 s"


def test_a_table_of_events_goes_before_those_of_the_export(tmp_path):
    export = write_example(tmp_path, n_images=4, size=(48, 64)).exports[0]
    table = tmp_path / "x.events.parquet"
    pd.DataFrame(
        {
            "kind": ["saccade"] * 4,
            "amplitude_deg": [1.0, 2, 4, 8],
            "peak_velocity_deg_s": [60.0, 90, 140, 210],
        }
    ).to_parquet(table)
    (of_table,) = drawn("main-sequence", [table])
    (given,) = drawn("main-sequence", [export], events=table)
    (own,) = drawn("main-sequence", [export])
    counts = [len(one.draw().axes[0].collections[0].get_offsets()) for one in (of_table, given)]
    assert counts == [4, 4]
    assert len(own.draw().axes[0].collections[0].get_offsets()) > 10
    assert [one.name for one in (of_table, own)] == ["x.main-sequence", "reader-1.main-sequence"]


def test_an_export_without_samples_has_no_time_series(tmp_path):
    table = write_fixations(tmp_path / "a.fixations.parquet", ["p.png"])
    with pytest.raises(InputError, match=r"give the export, or its \*\.samples\.parquet"):
        drawn("time-series", [table])


def test_pictures_are_found_by_the_name_of_the_stimulus(tables, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (80, 60), (9, 9, 9)).save(tmp_path / "images" / "q.png")
    (only,) = drawn("scanpath", tables, images=tmp_path / "images")
    assert only.name == "q.one"
    assert only.draw().axes[0].images[0].get_array().max() == 9
    pictures = Pictures(DrawingOptions(images=tmp_path / "images"))
    assert pictures.files == [tmp_path / "images" / "q.png"]
    assert pictures.sizes() == {"q": (80, 60)}


def test_where_figures_go(tmp_path):
    two = [Drawing(name, lambda: None) for name in "ab"]
    assert suffixed(two, tmp_path, "pdf") == [tmp_path / "a.pdf", tmp_path / "b.pdf"]
    assert suffixed(two[:1], tmp_path / "x.SVG", "png") == [tmp_path / "x.SVG"]
    (tmp_path / "folder.png").mkdir()
    assert suffixed(two[:1], tmp_path / "folder.png", "png") == [tmp_path / "folder.png" / "a.png"]
    with pytest.raises(ConfigError, match="2 figures for the one file"):
        suffixed(two, tmp_path / "x.svg", "png")


def test_figures_of_areas_are_one_for_each_stimulus_that_has_any(tables, tmp_path):
    areas = own_json(tmp_path / "aois.json", rectangle("face", 0, 0, 20, 20), stimulus="p.png")
    for what, count in (("aois", 2), ("scarf", 2), ("transitions", 0)):
        drawings = drawn(what, tables, aois=areas)
        assert [one.name for one in drawings] == ([f"p.{what}"] if count else [])
        for one in drawings:
            one.draw()
    with pytest.raises(ConfigError, match="scarf needs areas of interest - give --aois FILE"):
        drawn("scarf", tables)
    (first, *_) = drawn("scanpath", tables, aois=areas)
    assert "face" in {text.get_text() for text in first.draw().axes[0].texts}


def test_the_pupil_of_each_trial_of_an_export_or_of_its_table(tmp_path):
    export = write_example(tmp_path, n_images=4, size=(48, 64)).exports[0]
    made = gazetrack.pupil(gazetrack.read(export)).samples
    made.to_parquet(tmp_path / "x.pupil.parquet")
    for path in (export, tmp_path / "x.pupil.parquet"):
        drawings = drawn("pupil", [path], seconds=2)
        assert [one.name for one in drawings] == [
            "reader-1.lesion-001.1.pupil",
            "reader-1.lesion-002.2.pupil",
        ]
        t = drawings[1].draw().axes[0].lines[0].get_xdata()
        assert t[-1] - t[0] == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("what", ["aois", "scarf", "transitions", "heatmap"])
def test_images_that_differ_in_their_suffix_alone_have_figures_of_their_own(what, tmp_path):
    names = ["cat.png", "cat.png", "cat.jpg", "cat.jpg"]
    places = [10.0, 50.0, 10.0, 50.0]
    table = write_fixations(tmp_path / "one.fixations.parquet", names, x_px=places)
    areas = [rectangle("left", 0, 0, 40, 60), rectangle("right", 40, 0, 40, 60)]
    aois = own_json(tmp_path / "aois.json", *areas, stimulus="cat")
    drawings = drawn(what, [table], aois=aois)
    assert len({drawing.name for drawing in drawings}) == 2
    titles = [drawing.draw().axes[0].get_title() for drawing in drawings]
    assert ["cat.png" in titles[0], "cat.jpg" in titles[1]] == [True, True]


def test_a_number_behind_a_name_is_not_that_of_another_table(tmp_path):
    paths = []
    for folder, name in (("a", "x"), ("a", "x.2"), ("b", "x")):
        (tmp_path / folder).mkdir(exist_ok=True)
        file = tmp_path / folder / f"{name}.fixations.parquet"
        paths.append(write_fixations(file, ["p.png"]))
    names = [drawing.name for drawing in drawn("durations", paths)]
    assert names == ["x.durations", "x.2.durations", "x.3.durations"]
