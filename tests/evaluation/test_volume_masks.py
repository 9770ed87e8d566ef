from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import OutputError
from gazetrack.images.folder import read_mask
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slices_of
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.evaluation.volume_masks import VolumeMasks
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import picture
from tests.volume_files import write_dicom, write_nifti, write_nrrd

SURE = np.zeros(())  # probabilities, which these volumes do not hold


def test_volumes_are_predicted_in_their_own_format(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    shown = (
        np.stack([picture(30 + 5 * k, 30, 12)[0][..., 0] for k in range(3)], -1)
        .transpose(1, 0, 2)
        .astype(np.int16)
    )
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "a.nii.gz", shown)
    write_nrrd(tmp_path / "in" / "b.nrrd", shown)
    write_dicom(tmp_path / "in" / "c.dcm", shown.transpose(2, 1, 0).copy())
    (tmp_path / "in" / "d.nii.gz").write_bytes(b"no volume")
    done = list(
        predict_folder(tmp_path / "in", checkpoint, tmp_path / "out", PredictOptions(batch_size=2))
    )
    assert [p.error is None for p in done] == [True] * 9 + [False]
    assert "d.nii.gz: cannot be read" in str(done[-1].error)
    assert sorted(p.name for p in (tmp_path / "out" / "volumes").iterdir()) == [
        "a.nii.gz",
        "b.nrrd",
    ]
    assert done[2].outputs == (
        tmp_path / "out" / "a_3.png",
        tmp_path / "out" / "volumes" / "a.nii.gz",
    )
    for name in ("a", "b"):
        file = next((tmp_path / "out" / "volumes").glob(f"{name}.*"))
        for image in slices_of(file):
            alone = ImageRef(tmp_path / "out" / f"{name}_{image.slice}.png")
            assert np.array_equal(read_mask(image), read_mask(alone))
    chosen = PredictOptions(ids=("a_1", "b_1", "b_2", "b_3"))
    list(predict_folder(tmp_path / "in", checkpoint, tmp_path / "some", chosen))
    assert sorted(p.name for p in (tmp_path / "some" / "volumes").iterdir()) == ["b.nrrd"]


def test_a_volume_is_written_with_its_last_slice(tmp_path):
    file = tmp_path / "a.nii.gz"
    write_nifti(file, np.zeros((6, 5, 3), np.int16))
    slices = slices_of(file)
    volumes = VolumeMasks(slices, tmp_path / "out")
    masks = [np.zeros(read_mask(one).shape, bool) for one in slices]
    masks[1][2, 3] = True
    # In another order than theirs: a volume is complete when all are there.
    assert volumes.add(slices[2], masks[2], SURE) == []
    assert volumes.add(slices[0], masks[0], SURE) == []
    assert not (tmp_path / "out").exists()
    assert volumes.add(slices[1], masks[1], SURE) == [tmp_path / "out" / "a.nii.gz"]
    for one, mask in zip(slices_of(tmp_path / "out" / "a.nii.gz"), masks, strict=True):
        assert np.array_equal(read_mask(one), mask)


def test_a_volume_of_which_a_slice_is_not_wanted_is_not_written(tmp_path):
    file = tmp_path / "a.nii.gz"
    write_nifti(file, np.zeros((6, 5, 2), np.int16))
    first, _ = slices_of(file)
    volumes = VolumeMasks([first], tmp_path / "out")
    assert volumes.add(first, np.zeros(read_mask(first).shape, bool), SURE) == []
    assert not (tmp_path / "out").exists()


def test_volumes_are_not_written_among_the_images(run_folder, tmp_path):
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    (tmp_path / "volumes").mkdir()
    write_nifti(tmp_path / "volumes" / "a.nii.gz", np.zeros((6, 5, 2), np.int16))
    chosen = PredictOptions(ids=("a_1",))
    with pytest.raises(OutputError, match="folder of inputs"):
        list(predict_folder(tmp_path / "volumes", checkpoint, tmp_path, chosen))
