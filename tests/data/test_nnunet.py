"""Data sets in nnU-Net's layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import ConfigError, OutputError
from gazetrack.images.folder import read_mask
from gazetrack.images.reference import ImageRef
from gazetrack_cli import train as cli
from gradtrack_model.data.labels import full_map, refined_maps
from gradtrack_model.data.loading import split_items
from gradtrack_model.data.nnunet import soft_label_of, write_nnunet
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from tests.synthetic import TINY, H, W

NAME = "Dataset511_Discs"


def pixels(path):
    with Image.open(path) as image:
        return image.mode, np.array(image)


def test_the_layout(data_folder, tmp_path):
    (data_folder / "test.txt").write_text("im0\n")
    Image.new("RGB", (W, H), (9, 9, 9)).save(data_folder / "images" / "silent.png")
    arguments = [
        "nnunet",
        "--data",
        str(data_folder),
        "-o",
        str(tmp_path),
        "--nnunet-name",
        NAME,
        "--json",
    ]
    done = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert done.return_value == 0, done.exception
    facts = json.loads(done.stdout)
    assert {k: facts[k] for k in ("train", "val", "test", "unlabelled")} == {
        "train": 4, "val": 1, "test": 1, "unlabelled": ["silent"]
    }  # fmt: skip
    raw = tmp_path / "nnUNet_raw" / NAME
    assert json.loads((raw / "dataset.json").read_text()) == {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {"background": 0, "target": 1},
        "numTraining": 5,
        "file_ending": ".png",
        "description": "labels of training images: gaze of fixation tables, kind density",
    }
    assert sorted(p.name for p in (raw / "imagesTr").iterdir()) == [
        f"im{i}_0000.png" for i in range(1, 6)
    ]
    assert sorted(p.name for p in (raw / "labelsTr").iterdir()) == [
        f"im{i}.png" for i in range(1, 6)
    ]
    assert [p.name for p in (raw / "imagesTs").iterdir()] == ["im0_0000.png"]
    splits = json.loads((tmp_path / "nnUNet_preprocessed" / NAME / "splits_final.json").read_text())
    assert splits == [{"train": ["im1", "im2", "im3", "im4"], "val": ["im5"]}]
    mode, image = pixels(raw / "imagesTr" / "im1_0000.png")
    assert (mode, np.array_equal(image, pixels(data_folder / "images" / "im1.png")[1])) == (
        "RGB",
        True,
    )
    truth = read_mask(ImageRef(data_folder / "masks" / "im5.png"))
    assert np.array_equal(pixels(raw / "labelsTr" / "im5.png")[1], truth)
    mode, label = pixels(raw / "labelsTr" / "im1.png")
    truth = read_mask(ImageRef(data_folder / "masks" / "im1.png"))
    assert (mode, set(np.unique(label))) == ("L", {0, 1})
    assert 2 * (truth & (label > 0)).sum() / (truth.sum() + label.sum()) > 0.6


def test_the_next_commands_are_told(data_folder, tmp_path):
    arguments = ["nnunet", "--data", str(data_folder), "-o", str(tmp_path / "a b")]
    done = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert f"nnUNet_raw='{tmp_path}/a b/nnUNet_raw' nnUNet_preprocessed='" in done.stdout
    assert "nnUNetv2_plan_and_preprocess -d 511 -c 2d; nnUNetv2_train 511 2d 0" in done.stdout
    assert (
        CliRunner().invoke(cli.command, [*arguments, "-q", "--force"], standalone_mode=False).stdout
        == ""
    )


def test_masks_for_full_supervision(data_folder, tmp_path):
    config = load_config("tiny", overrides=TINY | {"method": "full"})
    for i in range(6):
        image = Image.open(data_folder / "images" / f"im{i}.png").convert("L")
        image.save(data_folder / "images" / f"im{i}.png")
    facts = write_nnunet(discover(data_folder, need_gaze=False), config, tmp_path, NAME)
    assert (facts["train"], facts["val"]) == (5, 1)
    raw = tmp_path / "nnUNet_raw" / NAME
    assert json.loads((raw / "dataset.json").read_text())["channel_names"] == {"0": "gray"}
    assert pixels(raw / "imagesTr" / "im1_0000.png")[0] == "L"
    for i in range(6):
        truth = read_mask(ImageRef(data_folder / "masks" / f"im{i}.png"))
        assert np.array_equal(pixels(raw / "labelsTr" / f"im{i}.png")[1], truth)


def test_bad_names_and_what_is_there(data_folder, config, tmp_path):
    for name in ("Polyps", "Dataset1_x", "Dataset511_../x", "Dataset５１１_x"):
        with pytest.raises(ConfigError, match="Dataset511_Polyps"):
            write_nnunet(discover(data_folder), config, tmp_path, name)
    write_nnunet(discover(data_folder), config, tmp_path, NAME)
    with pytest.raises(OutputError, match="already there"):
        write_nnunet(discover(data_folder), config, tmp_path, NAME)
    assert write_nnunet(discover(data_folder), config, tmp_path, NAME, force=True)["train"] == 5


def test_labels_go_through_the_crf_that_the_settings_ask_for(data_folder):
    config = load_config("tiny", overrides=TINY | {"crf_weight": 3.0})
    item = next(one for one in split_items(discover(data_folder), config).items("train"))
    full = full_map(item.tracks, config.maps, (H, W))
    _, image = pixels(data_folder / "images" / f"{item.image_id}.png")
    label = soft_label_of(item, "train", config, None) >= 128
    np.testing.assert_array_equal(label, refined_maps(full[None], image, 3.0)[0] >= 0.5)
    assert (label != (full >= 0.5)).any()


def test_soft_labels_are_one_more_channel(data_folder, config, tmp_path):
    (data_folder / "test.txt").write_text("im0\n")
    facts = write_nnunet(discover(data_folder), config, tmp_path, NAME, soft=True)
    assert (facts["train"], facts["val"], facts["test"]) == (4, 1, 1)
    raw = tmp_path / "nnUNet_raw" / NAME
    about = json.loads((raw / "dataset.json").read_text())
    assert about["channel_names"] == {"0": "R", "1": "G", "2": "B", "3": "noNorm"}
    mode, stored = pixels(raw / "imagesTr" / "im1_0000.png")
    assert mode == "RGBA"
    # No colour is lost where the label, stored as opacity, is nothing.
    assert np.array_equal(stored[..., :3], pixels(data_folder / "images" / "im1.png")[1])
    item = next(
        one
        for one in split_items(discover(data_folder), config).items("train")
        if one.image_id == "im1"
    )
    soft = full_map(item.tracks, config.maps, (H, W))
    assert np.abs(stored[..., 3] / 255 - soft).max() <= 0.5 / 255 + 1e-6
    label = pixels(raw / "labelsTr" / "im1.png")[1]
    assert np.array_equal(label, stored[..., 3] >= 128)
    # The mask of a validation image is its soft label, too; an image to test has none.
    truth = read_mask(ImageRef(data_folder / "masks" / "im5.png"))
    beside = pixels(raw / "imagesTr" / "im5_0000.png")[1]
    assert np.array_equal(beside[..., 3], truth * 255)
    assert pixels(raw / "imagesTs" / "im0_0000.png")[0] == "RGB"


def test_soft_labels_of_gray_pictures_are_files_of_their_own(data_folder, config, tmp_path):
    for path in (data_folder / "images").iterdir():
        Image.open(path).convert("L").save(path)
    write_nnunet(discover(data_folder), config, tmp_path, NAME, soft=True)
    raw = tmp_path / "nnUNet_raw" / NAME
    about = json.loads((raw / "dataset.json").read_text())
    assert about["channel_names"] == {"0": "gray", "1": "noNorm"}
    assert pixels(raw / "imagesTr" / "im1_0000.png")[0] == "L"
    mode, soft = pixels(raw / "imagesTr" / "im1_0001.png")
    assert (mode, soft.shape) == ("L", (H, W))
    assert np.array_equal(pixels(raw / "labelsTr" / "im1.png")[1], soft >= 128)


def test_the_trainer_for_soft_labels_is_told(data_folder, tmp_path):
    arguments = ["nnunet", "--soft", "--data", str(data_folder), "-o", str(tmp_path)]
    done = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert "nnUNetv2_train 511 2d 0 -tr nnUNetTrainerGaze" in done.stdout
    folder = Path(done.stdout.split("nnUNet_extTrainer=")[1].split()[0])
    assert (folder / "nnunet_trainer_gaze.py").exists()


def test_soft_is_for_nnunet(data_folder, tmp_path):
    arguments = ["--soft", "--data", str(data_folder), "-o", str(tmp_path / "run")]
    done = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert isinstance(done.exception, ConfigError)
    assert "gradtrack-train nnunet" in str(done.exception)


def test_several_classes_are_refused(data_folder, tmp_path):
    config = load_config("tiny", overrides=TINY | {"classes.names": ("a", "b")})
    with pytest.raises(ConfigError, match=r"the export for nnU-Net of 2 classes \(a, b\)"):
        write_nnunet(discover(data_folder), config, tmp_path, NAME)
    assert not list(tmp_path.glob("nnUNet*"))
