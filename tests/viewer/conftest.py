"""Images with gaze by two people, masks, stored maps, and a network that was trained on some."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest
from PIL import Image

import gazetrack
import gradtrack_model
from gazetrack.tables.store import read_fixations, write_table
from tests.synthetic import write_data

STRANGE = "im<b>5&"


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("looked"), n=4)
    table = read_fixations(folder / "g.fixations.parquet")[0]
    other = table
    for column in ("recording", "participant"):
        names = pa.array(["q"] * len(table), table.schema.field(column).type)
        other = other.set_column(table.schema.get_field_index(column), table.field(column), names)
    write_table(
        folder / "g.fixations.parquet", pa.concat_tables([table, other]), {"position": "image"}
    )
    # An image that nobody looked at, with a name that is no markup.
    Image.new("RGB", (70, 50), (90, 60, 50)).save(folder / "images" / f"{STRANGE}.png")
    (folder / "images" / "zz.png").write_bytes((folder / "images" / "im0.png").read_bytes()[:900])
    gazetrack.render(
        [folder / "g.fixations.parquet"], out=folder / "maps", params=gazetrack.MapParams(levels=3)
    )
    return folder


@pytest.fixture(scope="session")
def viewer(looked_at, run_folder):
    """A running viewer of all that."""
    found = gradtrack_model.view(
        looked_at / "images",
        run_folder / "runs" / "gradtrack",
        maps=looked_at / "maps",
        fixations=looked_at,
        masks=looked_at / "masks",
        port=0,
    )
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    yield found
    found.stop()
    thread.join(10)
    found.close()
