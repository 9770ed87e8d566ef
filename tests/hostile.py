"""Networks, states and maps that somebody made to harm whoever loads them; each from its number.

Where a file has a digest beside it, the digest fits: who can write the one can write the other.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HUGE = (2**31, 2**40, 2**63 - 1, 2**64 - 1, 10**30)
NOT_NUMBERS = (-1, "9" * 5000, None, True, [], {}, 1.5, float("nan"), float("inf"), "{0.__class__}")


class Canary:
    """What makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@dataclass(frozen=True)
class Hostile:
    """A file or two: `kind` is network, state or maps, and `load` opens it as a command does."""

    number: int
    kind: str
    what: str
    files: dict

    def write(self, folder):
        for name, data in self.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def load(self, folder):
        return {"network": _network, "state": _state, "maps": _maps}[self.kind](Path(folder))


def _network(folder):
    from gradtrack_model.weights.checkpoint import load_model

    return load_model(folder)


def _state(folder):
    from gradtrack_model.training.resume import States

    return States(folder).newest()


def _maps(folder):
    from gazetrack.maps.store import read_maps

    store = read_maps(folder)
    for _ in store.rows():
        pass
    for name in store.ids:
        store.load(name)


@dataclass(frozen=True)
class Whole:
    """The files that are made hostile: a network, a state and maps as we write them."""

    network: dict
    state: dict
    maps: bytes


def whole_files(folder):
    """Make a small network, a state and maps, and return their bytes."""
    import torch

    from gazetrack.maps.store import map_writer
    from gradtrack_model.network.model import build_network
    from gradtrack_model.settings import load_config
    from gradtrack_model.training.resume import States
    from gradtrack_model.weights.checkpoint import save_checkpoint
    from tests.synthetic import TINY

    config = load_config("tiny", overrides=TINY | {"model.widths": [8] * 6})
    network = build_network(config.model)
    save_checkpoint(folder / "run", "best", network, config, step=1, metrics={})
    facts = {
        "config": config.as_dict(),
        "data": "0",
        "scaler": {},
        "best_step": 0,
        "best": {},
        "rows": [],
        "seconds": 1.0,
    }
    States(folder).save(1, {"model.a": torch.zeros(3, 4)}, facts)
    with map_writer(folder / "maps.parquet", {"kind": "density"}) as write:
        for name in ("a.png", "b.png"):
            values = np.arange(2 * 8 * 8, dtype=np.uint8).reshape(2, 8, 8)
            write(_stored(name, values))
    return Whole(
        network={path.name: path.read_bytes() for path in (folder / "run").iterdir()},
        state={f"states/{path.name}": path.read_bytes() for path in (folder / "states").iterdir()},
        maps=(folder / "maps.parquet").read_bytes(),
    )


def _stored(name, values):
    from gazetrack.maps.store import StoredMaps

    return StoredMaps(
        stimulus=name, recording="r", participant="p", trial="1", n_fixations=3, values=values
    )


def cases(whole, n, seed, canary):
    """Yield n hostile files."""
    makers = (_weights, _json, _maps_bytes, _maps_table)
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        make = makers[number % len(makers)]
        kind, what, files = make(rng, whole, canary, number // len(makers))
        yield Hostile(number, kind, what, files)


def _pair(rng, whole):
    """Return a network or a state: kind, files, and the names of weights and JSON."""
    kind = str(rng.choice(["network", "state"]))
    files = dict(getattr(whole, kind))
    weights = next(name for name in files if name.endswith(".safetensors"))
    return kind, files, weights, weights.replace(".safetensors", ".json")


def _signed(files, weights, facts, data):
    told = json.loads(files[facts]) | {"sha256": hashlib.sha256(data).hexdigest()}
    return files | {weights: data, facts: json.dumps(told).encode()}


def _weights(rng, whole, canary, turn):
    """Weights that are no weights, with a digest that fits."""
    kind, files, weights, facts = _pair(rng, whole)
    data = files[weights]
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    names = [name for name in header if name != "__metadata__"]
    name = str(rng.choice(names))
    ways = {
        "pickle": lambda: pickle.dumps(Canary(canary)),
        "pickle in a zip": lambda: _zip({"archive/data.pkl": pickle.dumps(Canary(canary))}),
        "bomb in a zip": _zip_bomb,
        "length of the header": lambda: struct.pack("<Q", HUGE[rng.integers(4)]) + data[8:],
        "header is no JSON": lambda: struct.pack("<Q", 64) + rng.bytes(4096),
        "deep header": lambda: _with_header(b"[" * 200_000, b""),
        "shape": lambda: _changed(header, data, length, name, shape=_shape(rng)),
        "offsets": lambda: _changed(header, data, length, name, data_offsets=_offsets(rng)),
        "type": lambda: _changed(header, data, length, name, dtype=rng.choice(["F99", "", "O"])),
        "metadata": lambda: _metadata(header, data, length, rng),
        "a value that is not finite": lambda: data[:-4] + struct.pack("<f", float("nan")),
        "cut": lambda: data[: int(rng.integers(len(data)))],
        "flipped": lambda: _flipped(data, rng),
        "longer": lambda: data + rng.bytes(1000),
        "many tensors": _many_tensors,
    }
    what = list(ways)[turn % len(ways)]
    return kind, what, _signed(files, weights, facts, ways[what]())


@functools.cache
def _zip_bomb():
    return _zip({"archive/data.pkl": bytes(50_000_000)})


@functools.cache
def _map_bomb(whole_maps):
    """A row of 300 MB in a few kB."""
    table = pq.read_table(io.BytesIO(whole_maps)).slice(0, 1)
    at = table.column_names.index("maps")
    field = table.schema.field("maps")
    table = table.set_column(at, field, pa.array([bytes(300_000_000)], field.type))
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _with_header(header, rest):
    return struct.pack("<Q", len(header)) + header + rest


def _shape(rng):
    sizes = (*HUGE, *NOT_NUMBERS[:4], 0)
    return [sizes[rng.integers(len(sizes))] for _ in range(rng.integers(1, 5))]


def _offsets(rng):
    sizes = (*HUGE, -1, 0, 7)
    return [sizes[rng.integers(len(sizes))] for _ in range(rng.integers(1, 4))]


def _changed(header, data, length, name, **changes):
    text = json.dumps(header | {name: header[name] | changes}, default=str).encode()
    return _with_header(text, data[8 + length :])


def _metadata(header, data, length, rng):
    strange = [{"facts": "[" * 100_000}, {"facts": "{"}, {"facts": 5}, [], {"facts": "[1]"}, {}]
    text = json.dumps(header | {"__metadata__": strange[rng.integers(len(strange))]}).encode()
    return _with_header(text, data[8 + length :])


def _flipped(data, rng):
    data = bytearray(data)
    for place in rng.integers(len(data), size=4):
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _many_tensors():
    header = {
        f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)
    }
    return _with_header(json.dumps(header).encode(), b"")


def _json(rng, whole, canary, turn):
    """A JSON file that asks for what nobody can give."""
    kind, files, _, facts = _pair(rng, whole)
    told = json.loads(files[facts])
    value = (*HUGE, *NOT_NUMBERS)[rng.integers(len(HUGE) + len(NOT_NUMBERS))]
    places = _places(told)
    place = places[rng.integers(len(places))]
    ways = {
        f"{'.'.join(map(str, place))} = {str(value)[:30]}": lambda: json.dumps(
            _put(told, place, value)
        ),
        "deep": lambda: "[" * 100_000,
        "long number": lambda: '{"format": ' + "9" * 6000 + "}",
        "long": lambda: json.dumps(told | {"more": "x" * 2_000_000}),
        "many keys": lambda: json.dumps(told | {f"k{i}": i for i in range(200_000)}),
        "not finite": lambda: json.dumps(told | {"step": float("inf")}),
        "no text": lambda: "\x00" * 400,
        "another beside it": lambda: json.dumps(told | {"next": told | {"config": 5}}),
    }
    what = list(ways)[turn % len(ways) if turn % 3 == 0 else 0]
    return kind, what, files | {facts: ways[what]().encode("utf-8", "surrogatepass")}


def _places(value, path=()):
    if not isinstance(value, dict):
        if isinstance(value, list):
            return [path, *(p for i, v in enumerate(value) for p in _places(v, (*path, i)))]
        return [path]
    return [(*path,), *(p for key, v in value.items() for p in _places(v, (*path, key)))]


def _put(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


def _maps_bytes(rng, whole, canary, turn):
    """Maps whose bytes were damaged."""
    data = whole.maps
    ways = {
        "flipped": lambda: _flipped(data, rng),
        "cut": lambda: data[: int(rng.integers(len(data)))],
        "footer": lambda: data[:-8] + struct.pack("<I", int(rng.integers(2**32))) + b"PAR1",
        "pickle": lambda: pickle.dumps(Canary(canary)),
        "middle": lambda: data[:4] + rng.bytes(len(data) - 8) + data[-4:],
        "in the footer": lambda: data[: -len(data) // 4] + _flipped(data[-len(data) // 4 :], rng),
    }
    what = list(ways)[turn % len(ways)]
    return "maps", what, {"maps.parquet": ways[what]()}


def _maps_table(rng, whole, canary, turn):
    """Maps that are well written and say what cannot be."""
    table = pq.read_table(io.BytesIO(whole.maps))
    fields = {name: table[name].to_pylist() for name in table.column_names}
    schema = table.schema
    ways = {
        "levels": {"levels": [2**31 - 1, 2]},
        "height and width": {"height": [2**31 - 1, 8], "width": [2**31 - 1, 8]},
        "below nothing": {"levels": [-2, 2], "height": [-8, 8]},
        "nothing": {"levels": [0, 2], "maps": [b"", fields["maps"][1]]},
        "short": {"maps": [b"1", fields["maps"][1]]},
        "id": {"image_id": ["../../x\x1b[2J\n", "{0.__class__}"]},
        "long id": {"image_id": ["x" * 3_000_000, "b"]},
    }
    if turn % 13 == 12:
        return "maps", "bomb", {"maps.parquet": _map_bomb(whole.maps)}
    what = [*ways, "metadata", "no columns", "other types", "a null"][turn % (len(ways) + 4)]
    if what in ways:
        changed = pa.table({**fields, **ways[what]}, schema=schema)
    elif what == "metadata":
        strange = [b"[" * 100_000, b"{", b'{"kind": 5}', b"9" * 6000, b"\xff", b'{"levels": 1e999}']
        key = next(iter(schema.metadata))
        changed = table.replace_schema_metadata({key: strange[rng.integers(len(strange))]})
    elif what == "no columns":
        changed = table.select([name for name in table.column_names if rng.random() < 0.5])
    elif what == "other types":
        changed = table.set_column(
            int(rng.integers(table.num_columns)), "maps", pa.array([[1], [2]])
        )
    else:
        name = str(rng.choice(table.column_names))
        at = table.column_names.index(name)
        empty = pa.array([None, fields[name][1]], schema.field(name).type)
        changed = table.set_column(at, pa.field(name, empty.type), empty)
    buffer = io.BytesIO()
    pq.write_table(changed, buffer, row_group_size=1, compression="zstd")
    return "maps", what, {"maps.parquet": buffer.getvalue()}


# A row of maps may have 512 MB (`gazetrack.maps.store`); unpacking holds it a few times.
MOST_BYTES = 1280 * 1024**2


def judge(case, folder, canary):
    """Load a hostile file; return what is wrong.

    Code that ran, an error that is not ours, or more memory than `MOST_BYTES`."""
    from gazetrack.errors import GazetrackError

    case.write(folder)
    before = _peak_bytes(anew=True)
    try:
        case.load(folder)
    except GazetrackError as error:
        text = str(error)
        wrong = [] if len(text) < 1500 and "\x1b" not in text else [f"says {text[:200]!r}"]
    except BaseException as error:  # noqa: BLE001 - whatever comes out is a finding
        wrong = [f"{type(error).__name__}: {error}"[:300]]
    else:
        wrong = []
    grown = _peak_bytes() - before
    if grown > MOST_BYTES:
        wrong.append(f"took {grown // 1024**2} MB")
    if Path(canary).exists():
        wrong.append("code has run")
    return wrong


def _peak_bytes(*, anew=False):
    """Return the most memory that this process had; anew: from now on."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
