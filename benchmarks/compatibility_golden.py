"""Write small made-up files of every kind that later versions must read, and what they must give.

Usage: python benchmarks/compatibility_golden.py FOLDER

It is called once for a version that changes a file's layout, by the code of that version, for the
folder tests/golden/compat/VERSION. What was written by an older version is never written again.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import gazetrack
from gazetrack.maps.store import read_maps
from gazetrack.tables.store import read_table
from gradtrack_model.network.model import build_network
from gradtrack_model.settings import load_config
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint

_SETTINGS = ["image_size=32", "device=cpu", "model.encoder=basic", "model.widths=[8,8,8,8,8,8]"]


def digest_of(array: np.ndarray) -> str:
    """Return SHA-256 of an array's bytes, shape and type."""
    whole = np.ascontiguousarray(array)
    about = f"{whole.dtype.str} {whole.shape}".encode()
    return hashlib.sha256(about + whole.tobytes()).hexdigest()


def values_of_table(path: Path) -> dict[str, object]:
    """Return what a table holds, column by column, as digests of its values."""
    table, meta = read_table(path)
    columns = {}
    for name in table.column_names:
        values = table[name].to_pylist()
        columns[name] = hashlib.sha256(json.dumps(values, default=repr).encode()).hexdigest()[:16]
    kept = ("reader", "rate_hz", "screen", "schema_version", "eyes", "time_origin")
    return {"rows": table.num_rows, "columns": columns, "meta": {n: meta.get(n) for n in kept}}


def values_of_maps(path: Path) -> dict[str, object]:
    """Return the maps of a store, as digests."""
    return {maps.stimulus: digest_of(maps.values) for maps in read_maps(path).rows()}


def output_of(path: Path) -> list[float]:
    """Return what a network gives for a fixed picture, at a few places."""
    network = load_model(path).model.eval()
    picture = torch.linspace(-1.0, 1.0, 3 * 32 * 32).reshape(1, 3, 32, 32)
    with torch.inference_mode():
        logits = network(picture).logits
    flat = logits.flatten()[::97]
    return [round(float(value), 4) for value in flat[:8]]


def write(folder: Path) -> None:
    """Write all files, and ``values.json`` with what they give."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        example = gazetrack.write_example(work, n_images=2, size=(24, 32))
        gazetrack.convert(example.exports[1], out=work / "tables", samples=True, events=True)
        (fixations,) = (work / "tables").glob("*.fixations.parquet")
        gazetrack.render([fixations], out=work / "maps", images=work / "images")
        for made in [*(work / "tables").iterdir(), work / "maps" / "maps.parquet"]:
            (folder / made.name.replace(fixations.name.split(".")[0], "raw")).write_bytes(
                made.read_bytes()
            )
    torch.manual_seed(0)
    config = load_config("tiny", settings=_SETTINGS)
    network = build_network(config.model)
    save_checkpoint(folder, "best", network, config, step=3, metrics={"val_dice": 0.5}, half=True)
    tables = sorted(path.name for path in folder.glob("raw.*.parquet"))
    values = {
        "tables": {name: values_of_table(folder / name) for name in tables},
        "maps": values_of_maps(folder / "maps.parquet"),
        "network": output_of(folder / "best.safetensors"),
    }
    (folder / "values.json").write_text(json.dumps(values, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
