"""What rendering would do: as much as it does, with nothing done."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, OutputError
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.store import MAP_FILE, read_maps
from gazetrack.workflows.render import RenderOptions, render_tables
from gazetrack.workflows.render_plan import plan_rendering
from tests.fixation_tables import write_fixations


@pytest.fixture
def tables(tmp_path):
    """Two people who look at p, and one of them at q, of which there is no image."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (80, 60)).save(tmp_path / "images" / "p.png")
    looks = {"recording": "one", "duration_ms": np.array([300.0, 10.0, 300.0])}
    one = tmp_path / "one.fixations.parquet"
    return [
        write_fixations(one, ["p.png", "p.png", "q.png"], **looks),
        write_fixations(tmp_path / "two.fixations.parquet", ["p.png"] * 2, recording="two"),
    ]


@pytest.mark.parametrize(
    ("more", "n_rows", "n_bytes"),
    [
        ({}, 2, 2 * 4 * 60 * 80),
        ({"pooled": True, "dtype": "float32"}, 1, 4 * 4 * 60 * 80),
        ({"size": (30, 40), "params": MapParams(levels=2)}, 2, 2 * 2 * 30 * 40),
    ],
)
def test_what_is_planned_is_what_is_done(tables, tmp_path, more, n_rows, n_bytes):
    options = RenderOptions(images=tmp_path / "images", out=tmp_path / "maps", **more)
    plan = plan_rendering(tables, options)
    assert not (tmp_path / "maps").exists()
    done = render_tables(tables, options)
    store = read_maps(tmp_path / "maps")
    assert (plan.n_rows, plan.n_images, plan.target) == (
        len(store),
        1,
        tmp_path / "maps" / MAP_FILE,
    )
    assert plan.n_rows == n_rows
    assert plan.n_bytes == sum(row.values.nbytes for row in store.rows()) == n_bytes
    told = [(one.status, one.rows_in, one.rows_out, one.dropped) for one in plan.outcomes]
    assert told == [(one.status, one.rows_in, one.rows_out, one.dropped) for one in done]
    assert [str(one.error) for one in plan.outcomes] == [str(one.error) for one in done]
    assert plan.outcomes[0].outputs == []


def test_what_could_not_be_is_told_as_it_would_be(tables, tmp_path):
    out = tmp_path / "maps"
    with pytest.raises(OutputError, match="more than 0 MB"):
        plan_rendering(tables, RenderOptions(out=out, max_total_bytes=1000))
    with pytest.raises(ConfigError, match="a CRF needs the images"):
        plan_rendering(tables, RenderOptions(out=out, crf=CRFParams()))
    assert not out.exists()


def test_without_a_table_there_is_nothing_to_render(tmp_path):
    (tmp_path / "bad.fixations.parquet").write_bytes(b"PAR1 and nothing more")
    plan = plan_rendering([tmp_path / "bad.fixations.parquet"], RenderOptions(out=tmp_path / "m"))
    assert (plan.n_rows, plan.n_bytes) == (0, 0)
    assert [one.status for one in plan.outcomes] == ["failed"]
