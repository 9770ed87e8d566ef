"""Which gaze trains: maps that fit the tables, tables, or masks; and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import ConfigError, DataError
from gazetrack.maps import crf
from gazetrack.maps.parameters import CRFParams, map_params
from gazetrack.maps.store import map_writer, read_maps
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import read_fixations, write_table
from gazetrack.workflows.refine import refine_maps
from gazetrack.workflows.render import RenderOptions, render_tables
from gradtrack_model.data.checks import check
from gradtrack_model.data.gaze import choose_gaze
from gradtrack_model.data.labels import mean_maps
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.nnunet import write_nnunet
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.jobs import Job
from gradtrack_model.study.runner import run_jobs
from gradtrack_model.training.loop import train
from tests.synthetic import TINY, write_gaze

# TINY asks for tubes, for itself: here nothing is asked for but what a test names.
OPEN = {name: value for name, value in TINY.items() if not name.startswith("maps.")}


def rendered(folder, kind="hull", params=None, **more):
    """Render the table of a folder into its maps, as `gazetrack render` does."""
    options = RenderOptions(
        params=params or map_params(kind=kind),
        images=folder / "images",
        out=folder / "maps",
        **more,
    )
    (outcome,) = render_tables([folder / "g.fixations.parquet"], options)
    assert outcome.status == "ok", outcome.error
    return folder / "maps" / "maps.parquet"


def chosen(folder, settings=(), method="gradtrack", **parts):
    config = load_config("tiny", settings=settings, overrides=OPEN | {"method": method})
    typed = tuple(setting.partition("=")[0].removeprefix("maps.") for setting in settings)
    return choose_gaze(discover(folder, map_settings=typed, **parts), config)


def looked_at(folder, shift=0.0):
    """Write another table: one fixation is somewhere else, or all images have other gaze."""
    places = [(20.0 + shift + i, 20.0 + 4 * (i % 3)) for i in range(9)]
    write_gaze(folder / "g.fixations.parquet", {f"im{i}.png": places for i in range(6)})


def test_tables_alone_train(data_folder):
    gaze = chosen(data_folder)
    assert (gaze.source, gaze.kind, gaze.maps) == ("fixations", "density", None)
    assert gaze.line == (
        "trains on g.fixations.parquet, rendered as density maps: no maps are beside them"
    )


def test_maps_that_fit_the_tables_train(data_folder):
    path = rendered(data_folder, crf=CRFParams(iterations=1))
    gaze = chosen(data_folder)
    assert (gaze.source, gaze.kind, gaze.crf_weight, gaze.maps) == ("maps", "hull", 3, path)
    assert gaze.fixations == ()
    assert "(kind hull, refined by a CRF): they fit g.fixations.parquet" in gaze.line
    sources = discover(data_folder)
    data = load_data(sources, load_config("tiny", overrides=OPEN))
    sample = data.train[0]
    stored = torch.from_numpy(read_maps(path).load(sample.image_id).copy()).float()
    shrunk = torch.nn.functional.interpolate(stored[None], size=(64, 64), mode="area")[0]
    assert sample.tracks == ()
    assert torch.equal(sample.maps, shrunk.round().to(torch.uint8))


@pytest.mark.parametrize("kept", ["its name", "another name"])
def test_maps_of_other_tables_are_refused_with_the_ways_out(data_folder, kept):
    rendered(data_folder)
    looked_at(data_folder)
    table = data_folder / "g.fixations.parquet"
    if kept == "another name":
        table = table.rename(data_folder / "new.fixations.parquet")
    with pytest.raises(DataError) as caught:
        chosen(data_folder)
    assert caught.value.path == data_folder / "maps" / "maps.parquet"
    assert table.name in caught.value.what
    assert "g.fixations.parquet" in caught.value.what
    assert "render them again" in caught.value.hint
    ways = re.search(r"--maps (\S+) or --fixations (\S+)", caught.value.hint)
    assert ways, caught.value.hint
    by_maps = chosen(data_folder, maps=data_folder / "maps")
    assert (by_maps.source, by_maps.kind) == ("maps", "hull")
    by_table = chosen(data_folder, fixations=[data_folder])
    assert (by_table.source, by_table.fixations) == ("fixations", (table,))
    if kept == "its name":
        rendered(data_folder, kind="tube")
        assert chosen(data_folder).kind == "tube"


def test_a_table_that_came_later_is_no_part_of_the_maps(data_folder):
    rendered(data_folder)
    write_gaze(data_folder / "later.fixations.parquet", {"im0.png": [(9.0, 9.0)] * 4})
    later = data_folder / "later.fixations.parquet"
    relabelled(later)
    with pytest.raises(DataError, match=r"was not made from later\.fixations\.parquet"):
        chosen(data_folder)


def relabelled(path):
    """Give a table's recording another name, so that it is nobody's twin."""
    table, meta = read_fixations(path)
    frame = table.to_pandas()
    frame["recording"] = frame["recording"].astype(str) + "2"
    write_table(path, conform({name: list(frame[name]) for name in frame}, FIXATIONS), meta)


def test_maps_that_do_not_say_what_they_are_of_do_not_fit(data_folder):
    rows = list(read_maps(rendered(data_folder)).rows())
    with map_writer(data_folder / "maps" / "maps.parquet", {}) as write:
        for row in rows:
            write(row)
    with pytest.raises(DataError, match=r"does not say .* g\.fixations\.parquet"):
        chosen(data_folder)
    gaze = chosen(data_folder, maps=data_folder / "maps")
    assert (gaze.kind, gaze.params) == ("unknown", None)


def test_maps_alone_train(data_folder):
    rendered(data_folder)
    (data_folder / "g.fixations.parquet").unlink()
    gaze = chosen(data_folder)
    assert (gaze.source, gaze.kind) == ("maps", "hull")
    assert gaze.why == "there are no fixation tables beside them"


def test_methods_and_settings_with_maps_of_their_own_render_them(data_folder):
    rendered(data_folder)
    heatmaps = chosen(data_folder, method="heatmap")
    assert (heatmaps.source, heatmaps.kind) == ("fixations", "heatmap")
    assert "ask for kind heatmap" in heatmaps.why
    assert "have hull" in heatmaps.why
    assert chosen(data_folder, ["maps.levels=2"]).source == "fixations"
    assert chosen(data_folder, ["maps.kind=hull", "maps.levels=4"]).source == "maps"
    (data_folder / "g.fixations.parquet").unlink()
    with pytest.raises(DataError, match="ask for kind heatmap"):
        chosen(data_folder, method="heatmap")
    assert chosen(data_folder, method="heatmap", maps=data_folder / "maps").kind == "hull"


def test_a_placement_is_that_of_the_maps_or_renders_anew(data_folder):
    rendered(data_folder, placement="fit")
    assert chosen(data_folder, placement="fit").source == "maps"
    assert chosen(data_folder).source == "maps"
    asked = chosen(data_folder, placement="stretch")
    assert (asked.source, asked.fixations) == (
        "fixations",
        (data_folder / "g.fixations.parquet",),
    )
    assert "ask for placement stretch" in asked.why


def test_refined_maps_come_before_those_they_are_made_from(data_folder):
    path = rendered(data_folder)
    weak = CRFParams(iterations=1)
    refine_maps(path, data_folder / "images", data_folder / "refined", weak)
    gaze = chosen(data_folder)
    assert (gaze.maps, gaze.crf_weight) == (data_folder / "refined" / "maps.parquet", weak.weight)
    rendered(data_folder, kind="tube")
    with pytest.raises(DataError, match="was made from other maps than") as caught:
        chosen(data_folder)
    assert "refine them again" in caught.value.hint
    assert chosen(data_folder, maps=path).kind == "tube"


def test_one_source_is_given_and_not_two(data_folder):
    path = rendered(data_folder)
    table = data_folder / "g.fixations.parquet"
    with pytest.raises(ConfigError, match="--fixations and --maps"):
        discover(data_folder, fixations=[table], maps=path)
    assert chosen(data_folder, fixations=[table]).why == "given as such"
    assert chosen(data_folder, maps=path).why == "given as such"


def test_full_supervision_asks_for_no_gaze(data_folder):
    rendered(data_folder)
    looked_at(data_folder)
    gaze = chosen(data_folder, method="full", need_gaze=False)
    assert (gaze.source, gaze.recorded, gaze.store()) == ("masks", "masks", None)


def test_a_run_records_the_maps_that_trained(data_folder):
    rendered(data_folder, crf=CRFParams(iterations=1))
    config = load_config("tiny", overrides=OPEN)
    run = data_folder / "run"
    train(config, load_data(discover(data_folder), config), run)
    recorded = json.loads((run / "best.json").read_text("utf-8"))
    assert recorded["config"]["maps"]["kind"] == "hull"
    assert recorded["metrics"]["trained_on"] == "gaze of stored maps, kind hull, refined by a CRF"
    assert "g.fixations" not in (run / "best.json").read_text("utf-8")
    assert (run / "log.txt").read_text("utf-8").startswith("trains on the maps of ")


def test_checks_and_nnunet_look_at_the_maps_that_train(data_folder, tmp_path):
    path = rendered(data_folder)
    store = read_maps(path)
    rows = [dataclasses.replace(row, values=row.values // 3) for row in store.rows()]
    with map_writer(path, store.meta) as write:
        for row in rows:
            write(row)
    config = load_config("tiny", overrides=OPEN)
    whats = {finding.what for finding in check(discover(data_folder), config)}
    assert whats == {"empty label: no pixel of its last map reaches one half"}
    rendered(data_folder)
    written = write_nnunet(discover(data_folder), config, tmp_path, "Dataset511_Hulls")
    description = json.loads((tmp_path / "nnUNet_raw/Dataset511_Hulls/dataset.json").read_text())
    assert description["description"].endswith("gaze of stored maps, kind hull")
    assert written["train"] == 5


def test_each_row_of_a_comparison_records_its_own_maps(data_folder, tmp_path):
    rendered(data_folder)
    sources = discover(data_folder)
    configs = [
        load_config("tiny", overrides=OPEN | {"steps": 2, "val_every": 2, "method": method})
        for method in ("gradtrack", "heatmap")
    ]
    jobs = [Job(config.method, 0, config, sources) for config in configs]
    kinds = {r.job.name: r.facts["config"]["maps"]["kind"] for r in run_jobs(jobs, tmp_path)}
    assert kinds == {"gradtrack": "hull", "heatmap": "heatmap"}
    again = [result.again for result in run_jobs(jobs, tmp_path)]
    assert again == [True, True]


def test_stored_maps_are_moved_like_their_image(data_folder):
    rendered(data_folder)
    data = load_data(discover(data_folder), load_config("tiny", overrides=OPEN))
    label = data.train[0].maps[-1].numpy()
    assert label.shape == (64, 64)
    assert np.unique(label).size > 2


def test_given_maps_and_a_given_setting_that_differ_are_refused(data_folder):
    path = rendered(data_folder)
    with pytest.raises(DataError, match=r"ask for kind density.*have hull.*leave out the setting"):
        chosen(data_folder, settings=["maps.kind=density"], maps=path)
    assert chosen(data_folder, settings=["maps.kind=hull"], maps=path).kind == "hull"
    # A method is not a setting: its own kind of maps gives way to maps that are given.
    assert chosen(data_folder, method="heatmap", maps=path).kind == "hull"


def test_labels_of_gazemedseg_go_through_its_crf(data_folder):
    method = {"method": "gazemedseg"}
    gaze = chosen(data_folder, **method)
    assert gaze.what.endswith(", rendered as gazemedseg maps, refined by a CRF of weight 1")
    assert gaze.recorded == "gaze of fixation tables, kind gazemedseg, refined by a CRF"
    rendered(data_folder, params=map_params("gazemedseg"))
    assert "ask for crf_weight 1.0" in chosen(data_folder, **method).why
    config = load_config("tiny", overrides=OPEN | method | {"image_size": 80})
    sample = load_data(discover(data_folder), config).train[0]
    every = load_config("tiny", overrides=OPEN | {"image_size": 80, "maps.drop_first": 0})
    table = [data_folder / "g.fixations.parquet"]
    tracks = load_data(discover(data_folder, fixations=table), every).train[0].tracks
    heat = mean_maps(tracks, config.maps, (80, 80))
    pixels = sample.pixels.permute(1, 2, 0).numpy().copy()
    # The image has 80 x 64 pixels.
    params = CRFParams(weight=1).resized(80 / math.sqrt(80 * 64))
    expected = np.rint(crf.refine(heat, pixels, params) * 255)
    assert sample.tracks == ()
    np.testing.assert_array_equal(sample.maps.numpy(), expected)
    assert np.abs(expected - heat * 255).mean() > 3


def test_a_run_on_stored_maps_says_their_crf(data_folder):
    rendered(data_folder, crf=CRFParams(iterations=1, weight=2.5))
    config = load_config("tiny", overrides=OPEN)
    assert chosen(data_folder).trained(config).crf_weight == 2.5
    table = [data_folder / "g.fixations.parquet"]
    assert chosen(data_folder, fixations=table).trained(config) == config
    asked = chosen(data_folder, ["crf_weight=3"])
    assert (asked.source, asked.crf_weight) == ("fixations", 3.0)
    with pytest.raises(DataError, match=r"ask for crf_weight 3\.0"):
        chosen(data_folder, ["crf_weight=3"], maps=data_folder / "maps")


def test_labels_that_a_prompt_model_drew_are_said_not_to_be_free_of_masks(data_folder):
    store = read_maps(rendered(data_folder))
    drawn = {"model": "mobilesam", "learned_from": "masks of natural images"}
    meta = {**store.meta, "prompted": drawn}
    with map_writer(data_folder / "drawn" / "maps.parquet", meta) as write:
        for row in store.rows():
            write(row)
    gaze = chosen(data_folder, maps=data_folder / "drawn")
    says = "drawn by mobilesam (learned from masks of natural images)"
    assert says in gaze.line
    assert gaze.recorded.endswith(says)


def test_predictions_that_were_mixed_into_maps_are_said(data_folder):
    store = read_maps(rendered(data_folder))
    meta = {**store.meta, "probabilities_share": 0.35}
    with map_writer(data_folder / "mixed" / "maps.parquet", meta) as write:
        for row in store.rows():
            write(row)
    gaze = chosen(data_folder, maps=data_folder / "mixed")
    assert gaze.drawn_by == ""
    assert gaze.recorded.endswith(", mixed with predictions of networks")
    assert "mixed with predictions of networks" in gaze.line
    assert "mixed" not in chosen(data_folder, maps=store.path).recorded


def classes_by_image(folder):
    """Render a table whose images are of one target each, beside label images."""
    rows = [f"im{i}.png,{('polyp', 'ulcer', 'tool')[i % 3]}" for i in range(6)]
    (folder / "t.csv").write_text("\n".join(["stimulus,target", *rows]), "utf-8")
    (folder / "train.txt").write_text("im0\nim1\nim2\nim3\n", "utf-8")
    for mask in (folder / "masks").iterdir():
        labels = np.asarray(Image.open(mask).convert("L")) // 255
        Image.fromarray(labels).save(mask)
    return rendered(folder, target=str(folder / "t.csv"))


def test_a_class_without_maps_is_found_by_the_check_and_maps_of_no_class_are_counted(data_folder):
    sources = discover(data_folder, maps=classes_by_image(data_folder))

    def of(*names):
        return load_config("tiny", overrides=OPEN | {"classes.names": names, "method": "gradtrack"})

    def found(*names):
        whole = check(sources, of(*names))
        return [(f.what, f.fatal) for f in whole if "maps.parquet" in f.image_id]

    left_out = "2 maps are of no class and left out: 2 of tool"
    assert found("polyp", "ulcer", "tool") == []
    assert found("polyp", "ulcer") == [(left_out, False)]
    assert left_out in load_data(sources, of("polyp", "ulcer")).notes
    with pytest.raises(DataError, match="no training image has gaze of class vessel") as stopped:
        load_data(sources, of("polyp", "ulcer", "vessel"))
    assert found("polyp", "ulcer", "vessel") == [(left_out, False), (stopped.value.what, True)]


def test_a_class_without_fixations_is_found_by_the_check(data_folder):
    classes_by_image(data_folder)
    shutil.rmtree(data_folder / "maps")
    sources = discover(data_folder)
    asked = {"names": ("polyp", "vessel"), "target": str(data_folder / "t.csv")}
    settings = {f"classes.{name}": value for name, value in asked.items()}
    config = load_config("tiny", overrides=OPEN | settings | {"method": "gradtrack"})
    with pytest.raises(DataError, match="no training image has gaze of class vessel") as stopped:
        load_data(sources, config)
    assert [f.what for f in check(sources, config) if f.fatal] == [stopped.value.what]


def test_maps_of_one_target_train_as_those_of_one_thing(data_folder):
    rows = [f"im{i}.png,polyp" for i in range(6)]
    (data_folder / "t.csv").write_text("\n".join(["stimulus,target", *rows]), "utf-8")
    maps = rendered(data_folder, target=str(data_folder / "t.csv"))
    config = load_config("tiny", overrides=OPEN | {"method": "gradtrack"})
    data = load_data(discover(data_folder, maps=maps), config)
    assert ", all of polyp)" in data.gaze.line
    assert len(data.train)
    assert all(sample.maps is not None and sample.maps.max() > 0 for sample in data.train)
