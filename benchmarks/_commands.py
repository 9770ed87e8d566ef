"""Our commands as a user types them, and stored maps changed image by image."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy.typing as npt

    Levels = npt.NDArray[np.uint8]


def add_study_options(parser: argparse.ArgumentParser, out: str, rows: Collection[str]) -> None:
    """Add what all studies of methods are told."""

    def chosen(text: str) -> list[str]:
        if unknown := [row for row in text.split(";") if row not in rows]:
            raise argparse.ArgumentTypeError(f"no rows called {', '.join(unknown)}")
        return text.split(";")

    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument(
        "--rows", type=chosen, help=f"separated by semicolons; of {'; '.join(rows)}"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument(
        "--preset",
        default="default",
        help="of gradtrack-train; gazemedseg: the network from scratch",
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        help="of gradtrack-train, such as compile=true",
    )
    parser.add_argument("--quick", action="store_true")


def command_of(module: str, *arguments: object) -> list[str]:
    """Return the words that start `gazetrack` (main) or one of the model's commands (train, …)."""
    code = f"from gazetrack_cli.{module} import main; main()"
    if module != "main":
        code = f"from gazetrack_cli.model_commands import {module}_main; {module}_main()"
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(module: str, *arguments: object) -> None:
    """Run `gazetrack` (main) or one of the model's commands (train, predict, evaluate)."""
    subprocess.run(command_of(module, *arguments), check=True)


def read_gray(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Read a gray image at the size of a map."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L").resize(shape[::-1], Image.Resampling.BILINEAR))


def change_maps(source: Path, target: Path, change: Callable[[str, Levels], Levels]) -> None:
    """Write stored maps anew, as `change` makes them of each image's id and levels.

    Levels are [L, H, W].
    """
    file = pq.ParquetFile(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with pq.ParquetWriter(part, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group).to_pylist():
                levels = np.frombuffer(row["maps"], np.uint8).reshape(
                    row["levels"], row["height"], row["width"]
                )
                row["maps"] = change(row["image_id"], levels.copy()).tobytes()
                writer.write_table(pa.Table.from_pylist([row], schema=file.schema_arrow))
    part.rename(target)
