"""Our commands as a user types them, and stored maps changed image by image."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    Levels = npt.NDArray[np.uint8]


def run(module: str, *arguments: object) -> None:
    """Run `gazetrack` (main) or one of the model's commands (train, predict, evaluate)."""
    code = f"from gazetrack_cli.{module} import main; main()"
    if module != "main":
        code = f"from gazetrack_cli.model_commands import {module}_main; {module}_main()"
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)


def read_gray(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Read a gray image at the size of a map."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L").resize(shape[::-1], Image.Resampling.BILINEAR))


def change_maps(source: Path, target: Path, change: Callable[[str, Levels], Levels]) -> None:
    """Write stored maps anew, each image's levels [L, H, W] as `change` makes them of its id and levels."""
    file = pq.ParquetFile(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with pq.ParquetWriter(part, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group).to_pylist():
                levels = np.frombuffer(row["maps"], np.uint8).reshape(row["levels"], row["height"], row["width"])
                row["maps"] = change(row["image_id"], levels.copy()).tobytes()
                writer.write_table(pa.Table.from_pylist([row], schema=file.schema_arrow))
    part.rename(target)


def labels_of_masks(source: Path, masks: Path, target: Path) -> None:
    """Write maps that are the masks at every level: full supervision."""
    files = {path.stem: path for path in masks.iterdir()}

    def masked(image_id: str, levels: Levels) -> Levels:
        levels[:] = np.where(read_gray(files[image_id], levels.shape[1:]) > 127, 255, 0)
        return levels

    change_maps(source, target, masked)
