"""An evaluation says which network it evaluates, where all masks are of one."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from gazetrack.errors import OutputError
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.made_by import NETWORK_FILE, network_of
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.evaluation.uncertainty import read_uncertainty
from gradtrack_model.weights.checkpoint import load_model
from tests.volume_files import write_nifti


@pytest.fixture
def predicted(run_folder, tmp_path):
    """The data set, its network, and a folder of predictions of two of its images."""
    network = load_model(run_folder / "runs" / "gradtrack")
    predict(run_folder, network, tmp_path / "p", ids=("im4", "im5"))
    return run_folder, network, tmp_path / "p"


def predict(folder, network, out, **options):
    for _ in predict_folder(folder / "images", network, out, PredictOptions(**options)):
        pass


def summary_of(folder, predictions, out):
    evaluate_folder(predictions, folder / "masks", out)
    return json.loads((out / "summary.json").read_text())


def test_a_summary_says_what_made_the_masks(predicted, tmp_path):
    folder, network, out = predicted
    said = summary_of(folder, out, tmp_path / "e")["network"]
    assert said["method"] == "gradtrack"
    assert said["decoder"] == "Track Attention"
    assert said["levels"] == "4 levels (tail by count)"
    assert said["loss"] == "cross-entropy + Dice + levels"
    assert said["precision"] == "fp32"
    assert said["threshold"] == "foreground above 0.5"
    assert said["trained_on"].startswith("gaze of fixation tables, kind ")
    assert said["step"] == network.step
    assert said["refined_by"] is None
    assert "images" not in said


def test_masks_of_somebody_else_are_not_the_network_s(predicted, tmp_path):
    folder, _, out = predicted
    shutil.copy(folder / "masks" / "im1.png", out / "im1.png")
    assert summary_of(folder, out, tmp_path / "e")["network"] is None
    (out / "im1.png").unlink()
    (out / NETWORK_FILE).write_text("[]")
    assert summary_of(folder, out, tmp_path / "e")["network"] is None
    (out / NETWORK_FILE).write_text('{"images": [1]}')
    assert summary_of(folder, out, tmp_path / "e")["network"] is None


def test_more_images_of_the_same_network_are_added(predicted):
    folder, network, out = predicted
    predict(folder, network, out, ids=("im1",))
    assert network_of(out, ["im1", "im4", "im5"])["method"] == "gradtrack"


def test_another_use_of_the_network_is_another_maker(predicted):
    folder, network, out = predicted
    predict(folder, network, out, ids=("im4",), threshold=0.3)
    assert network_of(out, ["im4"])["threshold"] == "foreground above 0.3"
    assert network_of(out, ["im4", "im5"]) is None


def test_masks_that_are_being_replaced_are_of_nobody_yet(predicted):
    folder, network, out = predicted
    options = PredictOptions(ids=("im4", "im5"), batch_size=1, threshold=0.3)
    begun = predict_folder(folder / "images", network, out, options)
    next(begun)
    begun.close()
    assert network_of(out, ["im4"]) is None
    assert network_of(out, ["im5"]) is None


def test_masks_that_a_person_drew_are_replaced_by_force_alone(predicted):
    folder, network, out = predicted
    drawn = (folder / "masks" / "im1.png").read_bytes()
    (out / "im1.png").write_bytes(drawn)
    with pytest.raises(OutputError, match="was not made by gradtrack-predict") as error:
        predict(folder, network, out)
    assert "--force" in error.value.hint
    assert (out / "im1.png").read_bytes() == drawn
    assert network_of(out, ["im4", "im5"]) is not None  # nothing was begun
    predict(folder, network, out, force=True)
    assert network_of(out, ["im1", "im4", "im5"])["method"] == "gradtrack"


def test_an_overlay_of_somebody_else_is_not_replaced_either(predicted):
    folder, network, out = predicted
    (out / "overlays").mkdir()
    (out / "overlays" / "im1.png").write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"im1\.png"):
        predict(folder, network, out, ids=("im1",), overlay=True)
    predict(folder, network, out, ids=("im1",))
    assert (out / "overlays" / "im1.png").read_bytes() == b"theirs"


def test_what_a_call_left_that_was_cut_short_is_ours_to_replace(run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    out = tmp_path / "p"
    begun = predict_folder(run_folder / "images", network, out, PredictOptions(batch_size=1))
    next(begun)
    begun.close()
    (left,) = out.glob("*.png")
    predict(run_folder, network, out)
    assert network_of(out, [left.stem])["method"] == "gradtrack"


def test_masks_of_another_network_of_ours_are_ours_to_replace(predicted):
    folder, network, out = predicted
    predict(folder, network, out, ids=("im4",), threshold=0.3)
    assert network_of(out, ["im5"]) is None
    predict(folder, network, out, ids=("im5",), threshold=0.3)
    assert network_of(out, ["im4", "im5"])["threshold"] == "foreground above 0.3"
    record = json.loads((out / NETWORK_FILE).read_text())
    assert "begun" not in record


def test_a_damaged_note_of_what_was_begun_is_none(predicted):
    folder, network, out = predicted
    record = json.loads((out / NETWORK_FILE).read_text())
    (out / NETWORK_FILE).write_text(json.dumps({**record, "images": [], "begun": 7}))
    with pytest.raises(OutputError, match="like 1 others"):
        predict(folder, network, out)


def test_a_volume_that_a_person_drew_is_not_replaced(run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    (tmp_path / "images").mkdir()
    write_nifti(tmp_path / "images" / "a.nii.gz", np.zeros((30, 30, 2), np.int16))
    drawn = tmp_path / "p" / "volumes" / "a.nii.gz"
    drawn.parent.mkdir(parents=True)
    drawn.write_bytes(b"drawn")
    with pytest.raises(OutputError, match="not made by gradtrack-predict"):
        predict(tmp_path, network, tmp_path / "p")
    assert drawn.read_bytes() == b"drawn"
    predict(tmp_path, network, tmp_path / "p", force=True)
    assert drawn.read_bytes() != b"drawn"
    predict(tmp_path, network, tmp_path / "p")  # what is ours may be made anew
    assert drawn.exists()
    # Of another threshold, and of one slice alone: the volume would be of two makers.
    predict(tmp_path, network, tmp_path / "p", threshold=0.3, ids=("a_1",))
    assert not drawn.exists()


def test_what_was_written_beside_older_masks_does_not_stay(predicted, tmp_path):
    folder, network, out = predicted
    predict(folder, network, out, ids=("im4", "im5"), probabilities=True, overlay=True, tta=True)
    (out / "probabilities" / "mine.png").write_bytes(b"mine")
    predict(folder, network, out, ids=("im4",))
    left = sorted(path.relative_to(out).as_posix() for path in out.glob("*/*.png"))
    assert left == ["overlays/im5.png", "probabilities/im5.png", "probabilities/mine.png"]
    predict(folder, network, out, ids=("im5",))
    assert "calibration" not in summary_of(folder, out, tmp_path / "e")


def test_predictions_are_found_by_the_ids_of_their_images(run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    ids = ["patient 7", "größe_1", "a(1)", "case_1", "Case_1", "plain"]
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for image_id in ids:
            shutil.copy(run_folder / kind / "im1.png", tmp_path / kind / f"{image_id}.png")
    predict(tmp_path, network, tmp_path / "p", tta=True, uncertainty=True, probabilities=True)
    result = evaluate_folder(tmp_path / "p", tmp_path / "masks", None)
    assert result.complete
    assert sorted(one.image_id for one in result.scores) == sorted(ids)
    assert result.network["method"] == "gradtrack"
    assert result.referral["n"] == result.calibration["images"] == len(ids)
    assert set(read_uncertainty(tmp_path / "p")) == set(ids)


def test_masks_that_bear_the_name_of_the_prediction_are_still_found(run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    shutil.copy(run_folder / "images" / "im1.png", tmp_path / "images" / "patient 7.png")
    predict(tmp_path, network, tmp_path / "p")
    (name,) = (path.name for path in (tmp_path / "p").glob("*.png"))
    shutil.copy(run_folder / "masks" / "im1.png", tmp_path / "masks" / name)
    assert evaluate_folder(tmp_path / "p", tmp_path / "masks", None).complete


@pytest.mark.parametrize("damaged", [{"ids": [1]}, {"put_together": {"../x": ["im4"]}}])
def test_a_damaged_record_removes_and_renames_nothing(predicted, damaged):
    folder, network, out = predicted
    record = json.loads((out / NETWORK_FILE).read_text())
    (out / NETWORK_FILE).write_text(json.dumps({**record, **damaged}))
    (out.parent / "x").write_bytes(b"x")
    predict(folder, network, out, ids=("im4",))
    assert (out.parent / "x").exists()
    assert evaluate_folder(out, folder / "masks", None).network["method"] == "gradtrack"
