"""Splits by case, their manifest, and what may not overlap."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.publish import sha256_of
from gazetrack_cli import train as cli
from gradtrack_model.data.checks import check
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.data.splits import overlaps, recorded, refuse_overlaps
from gradtrack_model.settings import load_config
from gradtrack_model.training.loop import train
from tests.synthetic import TINY, H, W, picture, write_gaze
from tests.volume_files import write_nifti, write_nrrd


@pytest.fixture
def cases(tmp_path):
    """Four cases of three slices each, as pictures."""
    folder, points = tmp_path / "cases", {}
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for case in range(4):
        for number in range(3):
            name, (cx, cy) = f"case{case}_slice{number}", (20 + 9 * case, 20 + 5 * number)
            image, mask = picture(cx, cy, 12)
            Image.fromarray(image).save(folder / "images" / f"{name}.png")
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
            points[f"{name}.png"] = [
                (2.0, 2.0),
                *((cx + 5 * np.cos(a), cy + 5 * np.sin(a)) for a in range(6)),
            ]
    write_gaze(folder / "g.fixations.parquet", points)
    return folder


def config_of(**more):
    return load_config("tiny", overrides=TINY | more)


def case_of(image_id):
    return image_id.split("_")[0]


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8])
def test_no_case_falls_into_two_splits(cases, share):
    data = load_data(discover(cases, case=r"(case\d+)_"), config_of(val_share=share))
    train_cases, val_cases = (
        {case_of(s.image_id) for s in samples} for samples in (data.train, data.val)
    )
    assert len(train_cases | val_cases) == 4
    assert train_cases
    assert val_cases
    assert not train_cases & val_cases
    assert any("by the hash of their case" in note for note in data.notes)
    assert {facts["case"] for facts in data.splits.values()} == {f"case{i}" for i in range(4)}


@pytest.mark.parametrize(
    ("case", "match"), [("(", "no regular expression"), (r"patient\d", "does not match 12 image")]
)
def test_bad_cases_are_refused(cases, case, match):
    with pytest.raises(ConfigError, match=match):
        load_data(discover(cases, case=case), config_of())


def test_a_case_in_two_splits_is_refused(cases):
    (cases / "val.txt").write_text("case1_slice0\n")
    sources = discover(cases, case=r"(case\d+)_")
    with pytest.raises(
        DataError,
        match=r"'case1_slice1' is in train and is of the case of 'case1_slice0'.*and 1 more",
    ):
        load_data(sources, config_of())
    found = [finding for finding in check(sources, config_of()) if finding.fatal]
    assert [finding.image_id for finding in found] == ["case1_slice1", "case1_slice2"]
    allowed = dataclasses.replace(sources, allow_overlap=True)
    assert len(load_data(allowed, config_of()).val) == 1
    assert not any(finding.fatal for finding in check(allowed, config_of()))
    assert (
        len(load_data(discover(cases), config_of()).val) == 1
    )  # without cases they are images of their own


def test_one_image_under_two_names_is_named(data_folder, config):
    shutil.copy(data_folder / "images" / "im5.png", data_folder / "images" / "twin.png")
    with pytest.raises(
        DataError, match="'twin' is in train and is the same file as 'im5', which is in val"
    ):
        load_data(discover(data_folder), config)
    shutil.copy(data_folder / "images" / "im0.png", data_folder / "images" / "twin.png")
    assert (
        "1 images are there under two names: im0 = twin"
        in load_data(discover(data_folder), config).notes
    )


def test_test_images_are_not_trained_on(data_folder, config):
    (data_folder / "test.txt").write_text("im0\n")
    data = load_data(discover(data_folder), config)
    assert (
        data.splits["im0"]["split"],
        "im0" in {s.image_id for s in (*data.train, *data.val)},
    ) == ("test", False)
    shutil.copy(data_folder / "images" / "im0.png", data_folder / "images" / "im1.png")
    with pytest.raises(
        DataError, match="'im1' is in train and is the same file as 'im0', which is in test"
    ):
        load_data(discover(data_folder), config)


def test_the_manifest_brings_the_splits_back(cases, tmp_path):
    config = config_of(val_share=0.5, steps=1, val_every=1)
    data = load_data(discover(cases, case=r"(case\d+)_"), config)
    train(config, data, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "splits.json").read_text())["images"]
    assert manifest == data.splits
    facts = manifest["case0_slice1"]
    assert facts["image"] == sha256_of(cases / "images" / "case0_slice1.png")
    used = sha256_of(cases / "masks" / "case0_slice1.png") if facts["split"] == "val" else None
    assert (facts["case"], facts["mask"]) == ("case0", used)
    again = load_data(
        discover(cases, split=tmp_path / "run" / "splits.json"), config_of(val_share=0.1)
    )
    assert again.sha256() == data.sha256()
    assert again.splits == data.splits
    with pytest.raises(ConfigError, match="--split and other splits"):
        discover(cases, split=tmp_path / "x", val_ids=tmp_path / "y")


def test_a_changed_data_set_is_refused_with_names(data_folder, config, tmp_path):
    run = tmp_path / "run"
    train(config, load_data(discover(data_folder), config), run)
    sources = discover(data_folder, split=run / "splits.json")
    Image.new("RGB", (W, H)).save(data_folder / "images" / "new.png")
    Image.new("L", (W, H)).save(
        data_folder / "masks" / "im0.png"
    )  # of a training image: not opened, not compared
    data = load_data(sources, config)
    assert any(
        "1 images are not in splits.json and are left out: new" in note for note in data.notes
    )
    Image.new("RGB", (W, H)).save(data_folder / "images" / "im1.png")
    with pytest.raises(
        DataError, match=r"1 images of splits\.json are changed: im1 - .*--allow-changes"
    ):
        load_data(sources, config)
    (data_folder / "images" / "im1.png").unlink()
    with pytest.raises(DataError, match=r"1 images of splits\.json are missing: im1"):
        load_data(sources, config)
    allowed = load_data(dataclasses.replace(sources, allow_changes=True), config)
    assert sorted(s.image_id for s in allowed.train) == ["im0", "im2", "im3", "im4"]
    (data_folder / "masks" / "im5.png").unlink()
    (data_folder / "images" / "im1.png").write_bytes(
        (data_folder / "images" / "im2.png").read_bytes()
    )
    with pytest.raises(DataError, match=r"2 images .* changed: im1, im5"):
        load_data(sources, config)


def test_weak_training_never_opens_masks_of_training_images(data_folder, config):
    for i in range(5):
        (data_folder / "masks" / f"im{i}.png").write_bytes(b"no image")
    before = load_data(discover(data_folder), config)
    assert {facts["mask"] for i, facts in before.splits.items() if i != "im5"} == {None}
    assert before.splits["im5"]["mask"] is not None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "gradtrack splits 1", "images": {"a": 3}}',
        '{"images": {}, "format": 2}',
    ],
)
def test_what_is_no_manifest(tmp_path, content):
    (tmp_path / "splits.json").write_text(content)
    with pytest.raises(InputError, match="no split manifest"):
        recorded([], tmp_path / "splits.json", False)
    with pytest.raises(InputError, match="no such file"):
        recorded([], tmp_path / "gone.json", False)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abc", min_size=1),
        st.tuples(st.sampled_from(["train", "val", "test"]), st.integers(0, 5)),
    )
)
def test_overlaps_are_found_if_and_only_if_there_are_some(tmp_path_factory, drawn):
    manifest = {
        i: {"split": s, "case": f"c{n}", "image": i, "mask": None} for i, (s, n) in drawn.items()
    }
    splits = {}
    for split, number in drawn.values():
        splits.setdefault(number, set()).add(split)
    assert bool(overlaps(manifest)) == any(len(of_case) > 1 for of_case in splits.values())
    if overlaps(manifest):
        with pytest.raises(DataError):
            refuse_overlaps(manifest, tmp_path_factory.getbasetemp())


def test_volumes_are_cases(tmp_path):
    """Images as NIfTI, masks as NRRD: a slice is an image, a file a case; the command trains."""
    points, affine = {}, np.diag([-1, -1, 3, 1.0])
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for case in range(4):
        drawn = [picture(25 + 6 * case, 20 + 4 * k, 11) for k in range(3)]
        images, masks = (np.stack([pair[i] for pair in drawn], -1) for i in (0, 1))
        write_nifti(
            tmp_path / "images" / f"p{case}.nii.gz",
            images[:, :, 0].transpose(1, 0, 2).astype(np.int16),
            affine,
        )
        write_nrrd(
            tmp_path / "masks" / f"p{case}.nrrd",
            masks.transpose(1, 0, 2).astype(np.int16) * 2,
            **{"space origin": "(0,0,0)"},
        )
        for k in range(3):
            ring = [(25 + 6 * case + 6 * np.cos(a), 20 + 4 * k + 6 * np.sin(a)) for a in range(6)]
            points[f"p{case}_{k + 1}.png"] = [(2.0, 2.0), *ring]
    write_gaze(tmp_path / "g.fixations.parquet", points)
    arguments = [
        "--data",
        str(tmp_path),
        "--preset",
        "tiny",
        "--steps",
        "2",
        "--image-size",
        "64",
        "-q",
    ]
    done = CliRunner().invoke(
        cli.command, [*arguments, "--set", "val_share=0.5"], standalone_mode=False
    )
    assert (done.exception, done.return_value) == (None, 0), done.output
    manifest = json.loads((tmp_path / "runs" / "gradtrack" / "splits.json").read_text())["images"]
    assert len(manifest) == 12
    assert {facts["case"] for facts in manifest.values()} == {f"p{i}" for i in range(4)}
    assert manifest["p1_2"]["image"] == sha256_of(tmp_path / "images" / "p1.nii.gz") + "/2"
    assert manifest["p1_1"]["split"] == manifest["p1_2"]["split"]
    held_out = [
        s for s in load_data(discover(tmp_path), config_of(val_share=0.5)).val if s.mask is not None
    ]
    assert held_out
    assert all(
        s.mask.shape == (H, W) and s.mask[int(s.tracks[0].y[1]), int(s.tracks[0].x[1])]
        for s in held_out
    )
