"""nnU-Net v2 itself takes our data set and trainer: planned, trained and predicted with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gradtrack_model.data.nnunet import write_nnunet
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from tests.synthetic import TINY, H, W

pytest.importorskip("nnunetv2", reason="nnunetv2 is not installed: pip install 'gazetrack[nnunet]'")
FOLDER = Path(__file__).parents[2] / "gradtrack_model" / "nnunet"
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def trainer_module():
    sys.path.insert(0, str(FOLDER))
    try:
        import nnunet_trainer_gaze

        yield nnunet_trainer_gaze
    finally:
        sys.path.remove(str(FOLDER))


def composed(trainer, **changes):
    """nnU-Net's augmentation for a patch of 32 pixels with three scales, with ours."""
    told = {
        "patch_size": (32, 32),
        "rotation_for_DA": (0.0, 0.0),
        "deep_supervision_scales": [[1.0, 1.0], [0.5, 0.5], [0.25, 0.25]],
        "mirror_axes": (0, 1),
        "do_dummy_2d_data_aug": False,
        "use_mask_for_norm": [False] * 4,
    }
    return trainer.get_training_transforms(**{**told, **changes})


def test_what_changes_brightness_leaves_the_map_alone_and_what_moves_moves_both(trainer_module):
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import (
        DownsampleSegForDSTransform,
    )

    transforms = trainer_module.with_map_as_target(
        ComposeTransforms(
            [
                GaussianNoiseTransform(noise_variance=(0.1, 0.1), p_per_channel=1),
                MirrorTransform(allowed_axes=(0, 1)),
                DownsampleSegForDSTransform(ds_scales=[1.0, 0.5]),
            ]
        )
    )
    ramp = torch.arange(32 * 32.0).reshape(32, 32) / 1023
    ways = [ramp, ramp.flip(0), ramp.flip(1), ramp.flip(0, 1)]
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what nnU-Net draws from
        image = torch.stack([ramp, ramp, ramp, ramp * 255])
        label = torch.zeros(1, 32, 32, dtype=torch.int16)
        made = transforms(image=image, segmentation=label)
        soft, half = made["segmentation"]
        (way,) = (i for i, one in enumerate(ways) if torch.allclose(one, soft[0], atol=1e-6))
        seen.add(way)
        noise = made["image"] - ways[way]
        assert made["image"].shape == (3, 32, 32)
        assert 0.05 < float(noise.std()) < 0.2
        assert half.shape == (1, 16, 16)
        assert torch.allclose(half, torch.nn.functional.avg_pool2d(soft[None], 2)[0])
    assert len(seen) == 4  # all ways of mirroring


def test_of_nnunets_own_augmentation_all_that_changes_values_is_kept_from_the_map(trainer_module):
    plain = composed(trainer_module.nnUNetTrainer)
    ours = composed(trainer_module.nnUNetTrainerGaze)
    wrapped = [one for one in ours.transforms if type(one).__name__ == "_OnImageAlone"]
    # Noise, blur, brightness, contrast, resolution, and gamma twice.
    assert len(wrapped) == 7
    assert len(ours.transforms) == len(plain.transforms)
    for seed in range(30):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what nnU-Net draws from
        made = ours(
            image=torch.full((4, 32, 32), 102.0), segmentation=torch.zeros(1, 32, 32).short()
        )
        sizes = [tuple(one.shape) for one in made["segmentation"]]
        assert sizes == [(1, 32, 32), (1, 16, 16), (1, 8, 8)]
        inside = made["segmentation"][0][0, 8:24, 8:24]
        # Turned or scaled, a map of one value keeps it.
        assert torch.allclose(inside, torch.full((16, 16), 0.4), atol=1e-5)


def test_without_deep_supervision_the_target_is_one_map(trainer_module):
    transforms = composed(trainer_module.nnUNetTrainerGaze, deep_supervision_scales=None)
    image = torch.full((4, 32, 32), 51.0)
    made = transforms(image=image, segmentation=torch.zeros(1, 32, 32, dtype=torch.int16))
    assert made["segmentation"].shape == (1, 32, 32)
    assert float(made["segmentation"].max()) == pytest.approx(0.2)


def test_the_loss_is_smallest_where_the_prediction_is_the_soft_target(trainer_module):
    loss = trainer_module.SoftCrossEntropyAndDice(batch_dice=False)
    target = torch.full((2, 1, 8, 8), 0.3)

    def at(probability: float) -> float:
        odds = torch.logit(torch.tensor(probability))
        logits = torch.stack([torch.zeros(2, 8, 8), odds.expand(2, 8, 8)], 1)
        return float(loss(logits, target))

    losses = {share: at(share) for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.9)}
    assert min(losses, key=losses.__getitem__) == 0.3
    # The binary entropy of .3, and a Dice loss of nothing.
    entropy = -(0.3 * np.log(0.3) + 0.7 * np.log(0.7))
    assert losses[0.3] == pytest.approx(entropy, abs=1e-5)


def test_hard_labels_are_soft_ones_of_0_and_1(trainer_module):
    loss = trainer_module.SoftCrossEntropyAndDice(batch_dice=True)
    labels = torch.randint(0, 2, (2, 1, 8, 8), dtype=torch.int16)
    logits = torch.randn(2, 2, 8, 8)
    assert torch.equal(loss(logits, labels), loss(logits, labels.float()))


def nnunet(program: str, *arguments: str, root: Path, workers: int = 0) -> str:
    environment = {
        **os.environ,
        "nnUNet_raw": str(root / "nnUNet_raw"),
        "nnUNet_preprocessed": str(root / "nnUNet_preprocessed"),
        "nnUNet_results": str(root / "results"),
        "nnUNet_extTrainer": str(FOLDER),
        "nnUNet_n_proc_DA": str(workers),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    words = [sys.executable, "-c", STUBS + program, *arguments]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, cwd=root, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


# nnU-Net imports torchvision for networks that are not ours; a build for another PyTorch than the
# one that is here, such as that of a processor, cannot declare these operators.
STUBS = """
import torch
try:
    import torchvision
except (ImportError, RuntimeError):
    for name in ("nms", "qnms"):
        given = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define(f"torchvision::{name}", given)
"""
PLAN = """
from nnunetv2.experiment_planning.plan_and_preprocess_api import (
    extract_fingerprints, plan_experiments, preprocess,
)
if __name__ == "__main__":
    extract_fingerprints([501], check_dataset_integrity=True, num_processes=1)
    plan_experiments([501])
    preprocess([501], configurations=["2d"], num_processes=[1])
"""
# Two steps, and a validation, of a network small enough for a processor.
TRAIN = """
import json, os, torch
from pathlib import Path
from nnunetv2.run.run_training import get_trainer_from_args
torch.set_num_threads(1)
if __name__ == "__main__":
    plans = Path(os.environ["nnUNet_preprocessed"], "Dataset501_madeup", "nnUNetPlans.json")
    told = json.loads(plans.read_text())
    told["configurations"]["2d"]["batch_size"] = 2
    plans.write_text(json.dumps(told))
    trainer = get_trainer_from_args(
        "501", "2d", 0, "nnUNetTrainerGaze", "nnUNetPlans", device=torch.device("cpu")
    )
    trainer.num_epochs, trainer.num_iterations_per_epoch = 1, 2
    trainer.num_val_iterations_per_epoch = 1
    trainer.run_training()
    trainer.perform_actual_validation()
    print("LOSSES", trainer.logger.get_value("train_losses", None))
"""
PREDICT = """
import sys, torch
from pathlib import Path
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
torch.set_num_threads(1)
if __name__ == "__main__":
    model, images, out = sys.argv[1:]
    Path(out).mkdir()
    predictor = nnUNetPredictor(device=torch.device("cpu"), perform_everything_on_device=False)
    predictor.initialize_from_trained_model_folder(model, (0,), "checkpoint_final.pth")
    predictor.predict_from_files_sequential(images, out)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_nnunet_plans_trains_and_predicts(data_folder, tmp_path, mode):
    (data_folder / "test.txt").write_text("im0\n")
    for path in (data_folder / "images").iterdir():
        Image.open(path).convert(mode).save(path)
    config = load_config("tiny", overrides=TINY)
    write_nnunet(discover(data_folder), config, tmp_path, "Dataset501_madeup", soft=True)
    raw = tmp_path / "nnUNet_raw" / "Dataset501_madeup"
    nnunet(PLAN, root=tmp_path, workers=1)
    said = nnunet(TRAIN, root=tmp_path)
    assert "nnUNetTrainerGaze" in said
    model = tmp_path / "results" / "Dataset501_madeup" / "nnUNetTrainerGaze__nnUNetPlans__2d"
    state = torch.load(model / "fold_0" / "checkpoint_final.pth", weights_only=False)
    first = next(iter(state["network_weights"].values()))
    assert first.shape[1] == (3 if mode == "RGB" else 1)  # the network knows images alone
    summary = json.loads((model / "fold_0" / "validation" / "summary.json").read_text())
    assert summary["metric_per_case"]
    out = tmp_path / "predicted"
    nnunet(PREDICT, str(model), str(raw / "imagesTs"), str(out), root=tmp_path)
    with Image.open(out / "im0.png") as predicted:
        assert predicted.size == (W, H)


def test_a_data_set_without_maps_is_refused(trainer_module):
    trainer = object.__new__(trainer_module.nnUNetTrainerGaze)
    trainer.dataset_json = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {"background": 0, "target": 1},
    }
    with pytest.raises(RuntimeError, match="gradtrack-train nnunet --soft"):
        trainer.initialize()
