"""Maps refined on their images, when they are rendered and afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.store import read_maps
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table
from gazetrack.workflows.refine import plan_refining, refine_maps
from gazetrack.workflows.render import RenderOptions, render_tables
from tests.volume_files import write_nrrd

CRF = CRFParams(position_px=8, iterations=2)


@pytest.fixture
def table(tmp_path):
    """Gaze on the two slices of a volume, which differ: its files lie in tmp_path/images."""
    pytest.importorskip("nrrd")
    block = np.zeros((40, 30, 2), np.int16)
    block[15:30, 10:20, 0] = 200
    block[5:20, 5:15, 1] = 90
    (tmp_path / "images").mkdir()
    write_nrrd(tmp_path / "images" / "case.nrrd", block)
    n = 6
    columns = {
        "stimulus": ["case_1", "case_2"] * 3,
        "onset_ms": np.arange(n) * 400.0,
        "duration_ms": np.full(n, 300.0),
        "x_px": np.array([20.0, 12.0, 24.0, 10.0, 18.0, 16.0]),
        "y_px": np.array([15.0, 10.0, 12.0, 8.0, 17.0, 12.0]),
        "image_width_px": 40,
        "image_height_px": 30,
    }
    path = tmp_path / "reader.fixations.parquet"
    write_table(path, conform(columns, FIXATIONS), {})
    return path


def test_slices_of_a_volume_are_refined_each_on_its_own(table, tmp_path):
    images = tmp_path / "images"
    params = MapParams(kind="density", levels=1)
    plain = RenderOptions(params=params, images=images, out=tmp_path / "plain")
    at_once = RenderOptions(params=params, images=images, out=tmp_path / "crf", crf=CRF)
    for options in (plain, at_once):
        (outcome,) = render_tables([table], options)
        assert outcome.error is None
    later = refine_maps(tmp_path / "plain", images, tmp_path / "refined", CRF)
    assert later.error is None
    stores = [read_maps(tmp_path / name) for name in ("plain", "crf", "refined")]
    assert sorted(stores[0].ids) == ["case_1", "case_2"]
    for image_id in stores[0].ids:
        before, once, twice = (store.load(image_id).astype(int) for store in stores)
        assert np.abs(once - before).max() > 20
        # The second way begins with maps that were rounded to 8 bits.
        assert np.abs(once - twice).max() <= 5


def test_what_would_be_refined_is_what_is(table, tmp_path):
    images = tmp_path / "images"
    options = RenderOptions(params=MapParams(kind="density"), images=images, out=tmp_path / "maps")
    render_tables([table], options)
    everything = sorted(tmp_path.rglob("*"))
    plan = plan_refining(tmp_path / "maps", images, tmp_path / "new", CRF)
    assert sorted(tmp_path.rglob("*")) == everything
    done = refine_maps(tmp_path / "maps", images, tmp_path / "new", CRF)
    assert (plan.rows_in, plan.rows_out, plan.outputs) == (done.rows_in, done.rows_out, [])
    with pytest.raises(ConfigError, match="went through a CRF already"):
        plan_refining(tmp_path / "new", images, tmp_path / "newer", CRF)


def test_maps_without_an_image_are_counted_before_and_after(table, tmp_path):
    options = RenderOptions(params=MapParams(kind="density"), out=tmp_path / "maps")
    render_tables([table], options)
    (tmp_path / "some").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "some" / "case_2.png")
    arguments = (tmp_path / "maps", tmp_path / "some", tmp_path / "new", CRF)
    told = [
        (outcome.rows_out, outcome.dropped, outcome.status, str(outcome.error))
        for outcome in (plan_refining(*arguments), refine_maps(*arguments))
    ]
    assert told[0] == told[1]
    assert told[0][:3] == (3, {"no image": 3}, "partial")
