"""Maps that a prompt model draws anew, with a made-up model whose answers are known."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.store import StoredMaps, map_writer, read_maps
from gazetrack.publish import sha256_of
from gazetrack.sam.network import PromptNetwork
from gazetrack.sam.parameters import PromptParams
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table
from gazetrack.workflows.engine.run import Engine
from gazetrack.workflows.prompting import PromptOptions
from gazetrack.workflows.refine import refine, refine_maps
from gazetrack.workflows.refining import mixed
from gazetrack.workflows.render import RenderOptions, render_tables
from tests.sam.tiny import write_pair

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SIZE = PromptParams(size=64)
CRF = CRFParams(position_px=8, iterations=2)


@pytest.fixture
def folder(tmp_path):
    """Maps of two people on p and one on q, the table beside them, images, and a prompt model."""
    write_pair(tmp_path / "toy")
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for name in "pq":
        pixels = rng.integers(90, 160, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    n = 8
    for person, images in (("ann", "pq"), ("bob", "p")):
        columns = {
            "recording": person,
            "stimulus": [f"{name}.png" for name in images for _ in range(n)],
            "onset_ms": np.arange(n * len(images)) * 400.0,
            "duration_ms": np.arange(n * len(images)) * 10.0 + 100,
            "x_px": np.tile(np.linspace(20, 44, n), len(images)),
            "y_px": np.tile(np.linspace(30, 18, n), len(images)) - (person == "bob") * 6,
            "image_width_px": 64,
            "image_height_px": 48,
        }
        write_table(tmp_path / f"{person}.fixations.parquet", conform(columns, FIXATIONS), {})
    render(tmp_path, "maps")
    return tmp_path


def tables(folder):
    return sorted(folder.glob("*.fixations.parquet"))


def render(folder, out, **choices):
    choices = {"params": MapParams(kind="density", levels=2), **choices}
    options = RenderOptions(images=folder / "images", out=folder / out, **choices)
    done = render_tables(tables(folder), options)
    assert all(outcome.error is None for outcome in done)


def asked(folder, **choices):
    return PromptOptions(model=folder / "toy", params=SIZE, **choices)


def meta_of(path):
    return json.loads(pq.read_schema(path / "maps.parquet").metadata[b"gazetrack"])


def last(folder, out):
    return [row.values[-1] for row in read_maps(folder / out).rows()]


def test_the_crf_comes_first_and_then_the_model(folder):
    refine_maps(folder / "maps", folder / "images", folder / "crf", CRF)
    at_once = refine_maps(
        folder / "maps", folder / "images", folder / "once", CRF, prompt=asked(folder)
    )
    later = refine_maps(folder / "crf", folder / "images", folder / "later", prompt=asked(folder))
    assert (at_once.rows_out, at_once.notes, later.notes) == (3, [], [])
    for before, one, two, crf in zip(
        *(read_maps(folder / name).rows() for name in ("maps", "once", "later", "crf")),
        strict=True,
    ):
        np.testing.assert_array_equal(one.values, two.values)
        np.testing.assert_array_equal(one.values[0], before.values[0])
        # The model says 4 + .5 within the box of what is above .5, and so less without.
        rows, columns = np.nonzero(crf.values[-1] >= 128)
        y, x = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
        assert one.values[-1][y, x] > 245
        assert one.values[-1][0, 0] < 10
        assert (one.n_fixations, one.recording) == (before.n_fixations, before.recording)
    # Both name the maps that all began with, which a trainer compares with those of the folder.
    rendered = {"file": "maps.parquet", "sha256": sha256_of(folder / "maps" / "maps.parquet")}
    assert meta_of(folder / "once")["maps"] == meta_of(folder / "later")["maps"] == rendered
    after = {"file": "maps.parquet", "sha256": sha256_of(folder / "crf" / "maps.parquet")}
    assert meta_of(folder / "later")["refined_from"] == after
    assert meta_of(folder / "once")["crf"] == meta_of(folder / "later")["crf"]


def test_the_maps_say_what_drew_them(folder):
    refine_maps(folder / "maps", folder / "images", folder / "new", prompt=asked(folder))
    assert meta_of(folder / "new")["prompted"] == {
        "model": "toy",
        "encoder_sha256": sha256_of(folder / "toy" / "encoder.onnx"),
        "decoder_sha256": sha256_of(folder / "toy" / "decoder.onnx"),
        "learned_from": "masks of its makers' choice",
        "params": SIZE.as_dict(),
        "prompts": ["box and longest fixations", "box and map"],
        "fixations": [{"file": one.name, "sha256": sha256_of(one)} for one in tables(folder)],
    }


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_who_draws(folder):
    written = []
    for who in ({}, {"jobs": 3}, {"engine": Engine(jobs=2)}):
        out = folder / f"out{len(written)}"
        outcome = refine_maps(
            folder / "maps", folder / "images", out, CRF, prompt=asked(folder), **who
        )
        assert [path.name for path in out.iterdir()] == ["maps.parquet"]
        told = (outcome.rows_out, outcome.notes, outcome.summary)
        written.append(((out / "maps.parquet").read_bytes(), told))
    assert written[0] == written[1] == written[2]


def test_without_a_crf_maps_are_prompted_as_they_are(folder):
    prompt = asked(folder, crf=False)
    refine_maps(folder / "maps", folder / "images", folder / "new", prompt=prompt)
    assert meta_of(folder / "new")["crf"] is None
    refine_maps(folder / "maps", folder / "images", folder / "crf", CRF, prompt=asked(folder))
    pairs = zip(last(folder, "new"), last(folder, "crf"), strict=True)
    assert not all(np.array_equal(a, b) for a, b in pairs)


@pytest.fixture
def prompts(monkeypatch):
    """Labels of every prompt that is answered from here on."""
    labels = []
    decode = PromptNetwork.decode

    def listening(self, embedding, points, given, mask=None):
        labels.append(list(given))
        return decode(self, embedding, points, given, mask)

    monkeypatch.setattr(PromptNetwork, "decode", listening)
    return labels


def test_fixations_are_those_that_the_maps_were_made_from(folder, prompts):
    (folder / "elsewhere").mkdir()
    moved = [shutil.move(path, folder / "elsewhere" / path.name) for path in tables(folder)]
    outcome = refine_maps(folder / "maps", folder / "images", folder / "new", prompt=asked(folder))
    assert prompts == [[1, 2, 3], [2, 3]] * 3
    (note,) = outcome.notes
    assert note.startswith("no fixations are prompts: ann.fixations.parquet, which the maps were")
    assert note.endswith("is not beside the maps; give them by --fixations")
    assert meta_of(folder / "new")["prompted"]["prompts"] == [
        "box and deepest point",
        "box and map",
    ]
    prompts.clear()
    given = asked(folder, fixations=(folder / "elsewhere",))
    outcome = refine_maps(folder / "maps", folder / "images", folder / "more", prompt=given)
    assert outcome.notes == []
    assert prompts[0] == [1, 1, 1, 1, 1, 2, 3]
    assert prompts[1] == [2, 3]
    assert not np.array_equal(last(folder, "new")[0], last(folder, "more")[0])
    # Beside the maps, but no longer what they were made from.
    for path in moved:
        shutil.copy(path, folder)
    shutil.copy(folder / "ann.fixations.parquet", folder / "bob.fixations.parquet")
    outcome = refine_maps(folder / "maps", folder / "images", folder / "old", prompt=asked(folder))
    assert "bob.fixations.parquet" in outcome.notes[0]
    assert "was changed since" in outcome.notes[0]


def test_other_fixations_than_those_of_the_maps_are_refused(folder):
    table = pq.read_table(folder / "ann.fixations.parquet")
    (folder / "other").mkdir()
    pq.write_table(table.slice(0, 13), folder / "other" / "ann.fixations.parquet")
    prompt = asked(folder, fixations=(folder / "other",))
    with pytest.raises(DataError, match=r"from 7 fixations on 'q\.png', and the tables have 4"):
        refine_maps(folder / "maps", folder / "images", folder / "new", prompt=prompt)
    names = ["no.png"] * table.num_rows
    columns = {name: table[name] for name in table.column_names} | {"stimulus": names}
    write_table(folder / "other" / "ann.fixations.parquet", conform(columns, FIXATIONS), {})
    with pytest.raises(DataError, match="are of no image that"):
        refine_maps(folder / "maps", folder / "images", folder / "new", prompt=prompt)
    assert not (folder / "new").exists()


def test_maps_without_fixations_in_the_tables_are_counted(folder, prompts):
    prompt = asked(folder, fixations=(folder / "ann.fixations.parquet",))
    outcome = refine_maps(folder / "maps", folder / "images", folder / "new", prompt=prompt)
    assert outcome.notes == [
        "1 of 3 maps have no fixation in the tables: their deepest points stand for them"
    ]
    assert prompts.count([1, 2, 3]) == 1


def test_pooled_maps_have_the_fixations_of_everybody(folder, prompts):
    render(folder, "pooled", pooled=True)
    params = PromptParams(size=64, points=20)
    prompt = PromptOptions(model=folder / "toy", params=params, crf=False)
    outcome = refine_maps(folder / "pooled", folder / "images", folder / "new", prompt=prompt)
    assert (outcome.rows_out, outcome.notes) == (2, [])
    # Of p there are seven of each of the two, of which some lie outside the map's part.
    assert prompts[0].count(1) > 7


def test_of_maps_that_mark_nothing_the_model_is_not_asked(folder, prompts):
    store = read_maps(folder / "maps")
    rows = list(store.rows())
    with map_writer(folder / "maps" / "maps.parquet", store.meta) as write:
        for number, row in enumerate(rows):
            low = np.full_like(row.values, 127) if number == 1 else row.values
            write(StoredMaps(**{**vars(row), "values": low}))
    prompt = asked(folder, crf=False)
    outcome = refine_maps(folder / "maps", folder / "images", folder / "new", prompt=prompt)
    assert outcome.rows_out == 3
    (note,) = outcome.notes
    assert note.startswith("1 maps have nothing above .5")
    assert (last(folder, "new")[1] == 127).all()
    assert len(prompts) == 4


def test_networks_that_never_saw_the_image_are_mixed_in(folder):
    (folder / "seen").mkdir()
    rng = np.random.default_rng(1)
    seen = {name: rng.integers(0, 256, (48, 64), np.uint8) for name in "pq"}
    for name, values in seen.items():
        Image.fromarray(values).save(folder / "seen" / f"{name}.png")
    prompt, images = asked(folder), folder / "images"
    refine_maps(folder / "maps", images, folder / "alone", prompt=prompt)
    refine_maps(folder / "maps", images, folder / "both", prompt=prompt, seen=folder / "seen")
    assert meta_of(folder / "both")["probabilities_share"] == 0.35
    rows = zip(*(read_maps(folder / name).rows() for name in ("alone", "both")), strict=True)
    for alone, both in rows:
        probability = seen[alone.stimulus[0]]
        a, b = (np.clip(one / 255, 0.03, 0.97) for one in (alone.values[-1], probability))
        logit = 0.65 * np.log(a / (1 - a)) + 0.35 * np.log(b / (1 - b))
        np.testing.assert_allclose(both.values[-1], 255 / (1 + np.exp(-logit)), atol=0.51)
        own = alone.values[-1]
        np.testing.assert_array_equal(both.values[-1], mixed(own, own, probability, 0.35))
    # Networks that learned from the drawn maps are mixed in without drawing them again.
    refine_maps(folder / "alone", images, folder / "later", seen=folder / "seen")
    for both, later in zip(
        *(read_maps(folder / name).rows() for name in ("both", "later")), strict=True
    ):
        np.testing.assert_array_equal(both.values, later.values)
    first, second = meta_of(folder / "both"), meta_of(folder / "later")
    assert second.pop("refined_from")["sha256"] == sha256_of(folder / "alone" / "maps.parquet")
    assert first == second
    with pytest.raises(ConfigError, match="was drawn by a prompt model already"):
        refine_maps(folder / "later", images, folder / "x", seen=folder / "seen")


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_an_interrupted_run_goes_on_where_it_was(folder, monkeypatch, fails_at):
    images = folder / "images"
    refine_maps(folder / "maps", images, folder / "whole", CRF, prompt=asked(folder))
    encoded, calls, encode = [], [], PromptNetwork.encode
    from gazetrack.workflows import drawing

    def failing(*arguments):
        calls.append(1)
        if len(calls) == fails_at:
            raise KeyboardInterrupt
        return draw(*arguments)

    def counting(*arguments):
        encoded.append(1)
        return encode(*arguments)

    draw = drawing.prompted
    monkeypatch.setattr(drawing, "prompted", failing)
    monkeypatch.setattr(PromptNetwork, "encode", counting)
    with pytest.raises(KeyboardInterrupt):
        refine_maps(folder / "maps", images, folder / "cut", CRF, prompt=asked(folder))
    assert not (folder / "cut" / "maps.parquet").exists()
    refine_maps(folder / "maps", images, folder / "cut", CRF, prompt=asked(folder))
    assert len(calls) == 3 + 1  # the one that was cut short is done again, no other
    assert len(encoded) == 2  # two people looked at p: it is encoded once, and q once
    assert [path.name for path in (folder / "cut").iterdir()] == ["maps.parquet"]
    whole = (folder / "whole" / "maps.parquet").read_bytes()
    assert (folder / "cut" / "maps.parquet").read_bytes() == whole


def test_the_number_of_threads_changes_no_byte(folder):
    for jobs in (1, 3):
        out = folder / f"jobs{jobs}"
        refine_maps(folder / "maps", folder / "images", out, prompt=asked(folder), jobs=jobs)
    one, three = ((folder / f"jobs{n}" / "maps.parquet").read_bytes() for n in (1, 3))
    assert one == three


def test_maps_without_an_image_are_named_and_the_rest_is_written(folder):
    (folder / "images" / "q.png").unlink()
    outcome = refine_maps(folder / "maps", folder / "images", folder / "new", prompt=asked(folder))
    assert (outcome.status, outcome.rows_out, outcome.dropped) == ("partial", 2, {"no image": 1})
    with pytest.raises(InputError, match="no image for 1 of 2 maps"):
        refine(folder / "maps", folder / "images", folder / "new", prompt=asked(folder))


def test_what_cannot_be_is_refused_before_anything_is_written(folder):
    images, prompt = folder / "images", asked(folder)
    refine_maps(folder / "maps", images, folder / "crf", CRF)
    refine_maps(folder / "maps", images, folder / "drawn", prompt=prompt)
    refusals = [
        ("crf", {"prompt": prompt, "params": CRF}, "went through a CRF already: a prompt model"),
        ("crf", {}, "went through a CRF already"),
        ("drawn", {"prompt": prompt}, "was drawn by a prompt model already"),
        ("drawn", {}, "was drawn by a prompt model already"),
        ("maps", {"prompt": asked(folder, crf=False), "params": CRF}, "and no CRF"),
        ("maps", {"prompt": PromptOptions(model="mobilsam")}, "did you mean 'mobilesam'"),
        ("maps", {"prompt": PromptOptions(model=folder / "toy")}, "on a canvas of 64 pixels"),
        ("maps", {"prompt": prompt, "jobs": 0}, "0 jobs"),
    ]
    for maps, choices, says in refusals:
        with pytest.raises(ConfigError, match=says):
            refine_maps(folder / maps, images, folder / "new", **choices)
    assert not (folder / "new").exists()
