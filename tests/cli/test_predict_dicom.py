"""`gradtrack-predict --dicom-seg`, as a user types it."""

from __future__ import annotations

import json

import highdicom
import numpy as np
import pytest
from click.testing import CliRunner

from gazetrack.errors import OutputError
from gazetrack_cli import predict
from tests.dicom_files import write_series


def run(*arguments):
    return CliRunner().invoke(predict.command, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "mr", np.zeros((3, 40, 48), np.int16))
    return tmp_path / "mr"


def test_the_object_is_listed_with_what_completed_it(series, tmp_path):
    coded = ("--dicom-seg", "fractional", "--segment-label", "thing")
    coded += ("--segment-code", "123037004,SCT,Anatomical Structure;10200004,SCT,Liver")
    out = tmp_path / "out"
    done = run(series, "--weights", "kvasir-lite", *coded, "-o", out, "--json")
    assert done.exit_code == 0
    listed = [path for image in json.loads(done.stdout) for path in image["outputs"]]
    assert str(out / "dicom-seg" / "mr.dcm") in listed
    described = highdicom.seg.segread(out / "dicom-seg" / "mr.dcm").get_segment_description(1)
    assert described.segment_label == "thing"
    assert described.segmented_property_category.meaning == "Anatomical Structure"
    assert described.segmented_property_type.meaning == "Liver"


def test_labels_of_nothing_are_a_question_of_usage(series, tmp_path):
    done = run(series, "--weights", "kvasir-lite", "--segment-label", "x", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "are about --dicom-seg: give it, too" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_object_is_not_written_over_another_s_or_among_the_images(series, tmp_path):
    asked = ("--weights", "kvasir-lite", "--dicom-seg", "binary")
    theirs = tmp_path / "out" / "dicom-seg" / "mr.dcm"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"drawn")
    with pytest.raises(OutputError, match="not made by gradtrack-predict"):
        run(series, *asked, "-o", tmp_path / "out")
    assert theirs.read_bytes() == b"drawn"
    assert not list(theirs.parents[1].glob("*.png"))
    run(series, *asked, "-o", tmp_path / "out", "--force")
    # Without one asked for, the older does not stay beside masks that may be others.
    run(series, "--weights", "kvasir-lite", "-o", tmp_path / "out")
    assert not theirs.exists()
    among = series.rename(tmp_path / "dicom-seg")
    with pytest.raises(OutputError, match="folder of inputs"):
        run(among, *asked, "-o", tmp_path)
    assert len(list(among.iterdir())) == 3
