"""The commands as a user types them, process start and imports included.

Usage: python benchmarks/bench_commands.py [--rounds 3] [--images 900] [--json FILE]

What each is made of is timed apart: Python alone, the imports, and for maps the rendering without
any process. Kernels are compiled before (`gazetrack warm-up`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _timing import race, save, show, where_and_when

from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import build_tracks
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

FIXATIONS_AN_IMAGE = 27
SIZE = 224
_TOOL = str(Path(sys.executable).with_name("gazetrack"))


def fixations(n_images: int) -> pa.Table:
    """Return fixations on so many images of a colonoscopy's size."""
    rng = np.random.default_rng(7)
    n = n_images * FIXATIONS_AN_IMAGE
    image = np.repeat(np.arange(n_images), FIXATIONS_AN_IMAGE)
    place = np.tile(np.arange(FIXATIONS_AN_IMAGE), n_images)
    columns = {
        "recording": "bench",
        "stimulus": np.array([f"image-{number:04d}.png" for number in image], object),
        "index": (place + 1).astype(np.int32),
        "eye": "both",
        "onset_ms": 300.0 * np.arange(n),
        "duration_ms": rng.uniform(80.0, 290.0, n),
        "x_px": rng.uniform(0.0, 720.0, n),
        "y_px": rng.uniform(0.0, 576.0, n),
        "image_width_px": np.full(n, 720.0),
        "image_height_px": np.full(n, 576.0),
    }
    return conform(columns, FIXATIONS)


def write_csv(path: Path, table: pa.Table) -> None:
    """Write the fixations as the plain table that `gazetrack convert` reads."""
    names = {"stimulus": "image", "onset_ms": "onset_ms", "duration_ms": "duration_ms"}
    frame = table.select([*names, "x_px", "y_px"]).to_pandas()
    frame.rename(columns={"stimulus": "image", "x_px": "x", "y_px": "y"}).to_csv(path, index=False)


def run(*command: str) -> None:
    """Run a command to its end; its output is not shown.

    Python keeps what it has compiled of modules, as it does where a user has installed them.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "gazetrack-bench-modules")
    subprocess.run(command, check=True, capture_output=True, env=env)


def entries(folder: Path, n_images: int) -> dict[str, Callable[[], Any]]:
    """Return the commands and their parts, by what they do."""
    table = fixations(n_images)
    tables = folder / "tables"
    tables.mkdir()
    write_table(tables / "bench.fixations.parquet", table, {"source": {"file": "bench"}})
    write_csv(folder / "bench.csv", table)
    tracks = build_tracks(table)
    params = MapParams(levels=4)
    maps = ("render", "--levels", "4", "--size", str(SIZE), "--force", "-o", str(folder / "maps"))
    columns = "x=x,y=y,t=onset_ms,duration=duration_ms,stimulus=image,unit=px"
    convert = ("convert", str(folder / "bench.csv"), "--columns", columns, "--force")
    size = (SIZE, SIZE)
    return {
        "floor: python -c pass": partial(run, sys.executable, "-c", "pass"),
        "import gazetrack": partial(run, sys.executable, "-c", "import gazetrack"),
        "gazetrack --help": partial(run, _TOOL, "--help"),
        "import what convert needs": partial(
            run, sys.executable, "-c", "import gazetrack.workflows.convert"
        ),
        "convert a CSV": partial(run, _TOOL, *convert),
        "import what render needs": partial(
            run, sys.executable, "-c", "import gazetrack.workflows.render"
        ),
        "tracks of the table": partial(build_tracks, table),
        "maps of the tracks": lambda: [render_maps(track, params, size) for track in tracks],
        "render": partial(run, _TOOL, *maps, str(tables)),
        "render --jobs 2": partial(run, _TOOL, *maps, "--jobs", "2", str(tables)),
    }


def main() -> None:
    """Time all commands in turn, print, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=900)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    machine = where_and_when()
    with tempfile.TemporaryDirectory() as folder:
        seconds = race(entries(Path(folder), options.images), options.rounds)
    n_rows = options.images * FIXATIONS_AN_IMAGE
    show(f"Commands, {options.images} images, {n_rows:,} fixations", seconds, "render")
    facts = {"images": options.images, "rows": n_rows, "seconds": seconds}
    save(options.json, {**machine, **facts})


if __name__ == "__main__":
    main()
