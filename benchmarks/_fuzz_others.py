"""What reads files that other people made, beside the readers of exports: targets of `fuzz.py`.

Each names the function of `_fuzz_calls` that reads a file, the modules whose branches guide the
search, and the files that it begins with, which are made here or lie in tests/golden.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.readers import registry
from tests.places import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Callable

_OLD = GOLDEN / "compat" / "0.1.0"
# What every reader shares.
_ENGINE = (
    *("gazetrack.readers.base", "gazetrack.readers.head", "gazetrack.readers.opening"),
    *("gazetrack.readers.reading", "gazetrack.readers.text", "gazetrack.readers.shared"),
    *("gazetrack.tables", "gazetrack.kernels"),
)

_IMAGES = ("gazetrack.images",)

# Readers, and other code that parses files, that are not searched, and why.
LEFT_OUT = {
    "eyelink_edf": "SR Research's own closed library parses it; no file of it is ours to commit",
    "training states": "ours alone, and refused by their SHA-256 before anything is parsed",
    "weights of other models": "fetched by a SHA-256 that is written in the code",
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that parses files.

    Parameters
    ----------
    name : str
        The name of the file that holds the input: its suffix may say what it is.
    modules : tuple of str
        The modules and packages that it is made of.
    seeds : callable
        Gives the files to begin with.
    """

    name: str
    modules: tuple[str, ...]
    seeds: Callable[[], list[bytes]]


def reader_modules(name: str) -> tuple[str, ...]:
    """Return the modules that a reader is made of: its own, or its package, and the engine."""
    module = registry.BUILTIN[name]
    package = module.rpartition(".")[0]
    return (module if package == "gazetrack.readers" else package, *_ENGINE)


def _goldens() -> list[bytes]:
    return [path.read_bytes() for path in sorted(GOLDEN.glob("*/*/input*"))]


def _stores() -> list[bytes]:
    """Return files as ioHub writes them, of both eyes and of one."""
    import h5py  # light, but not everywhere
    import numpy as np

    sides = [f"{eye}_{name}" for eye in ("left", "right") for name in ("gaze_x", "gaze_y")]
    one = ["gaze_x", "gaze_y", "pupil_measure1"]
    found = []
    for table, columns in (("BinocularEyeSampleEvent", sides), ("MonocularEyeSampleEvent", one)):
        numbers = [(name, "f4") for name in columns]
        kind = [("session_id", "u2"), ("time", "f8"), *numbers, ("status", "u1")]
        rows = [(1, 10 + 0.004 * row, *[3.0 * row] * len(columns), 0) for row in range(4)]
        said = [("session_id", "u2"), ("time", "f8"), ("text", "S32")]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.hdf5")
            with h5py.File(path, "w") as file:
                file.attrs["TITLE"] = np.bytes_("ioHub DataStore - Experiment Data File.")
                events = file.create_group("data_collection/events")
                events.create_dataset(f"eyetracker/{table}", data=np.array(rows, kind))
                messages = np.array([(1, 10.004, b"go")], said)
                events.create_dataset("experiment/MessageEvent", data=messages)
                sessions = np.array([(1, b"a")], [("session_id", "u2"), ("code", "S16")])
                file.create_dataset("data_collection/session_meta_data", data=sessions)
            found.append(path.read_bytes())
    return found


_SQUARE = [[0, 0], [30, 0], [30, 30], [0, 30], [0, 0]]
_HOLE = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]
_POLYGON = {"type": "Polygon", "coordinates": [_SQUARE, _HOLE]}
_MANY = {"type": "MultiPolygon", "coordinates": [[_SQUARE], [_HOLE]]}
_FEATURES = [
    {"type": "Feature", "geometry": _POLYGON, "properties": {"name": "ring"}},
    {"type": "Feature", "geometry": _MANY, "properties": {"label": "two", "onset_ms": 5}},
]
_LABELME = {
    "version": "5.5.0",
    "flags": {},
    "shapes": [
        {"label": "face", "points": [[30, 40], [10, 20]], "shape_type": "rectangle"},
        {"label": "eye", "points": [[50, 50], [53, 54]], "shape_type": "circle"},
        {"label": "paw", "points": [[0, 0], [10, 0], [10, 10]], "shape_type": "polygon"},
    ],
    "imagePath": "cat.jpg",
    "imageHeight": 80,
    "imageWidth": 100,
    "imageData": None,
}
_OWN = {
    "format": "gazetrack-aois",
    "version": 1,
    "unit": "px",
    "space": "image",
    "stimuli": [
        {
            "stimulus": "cat.png",
            "image_width_px": 640,
            "image_height_px": 480,
            "aois": [
                {"name": "mouse", "shape": "rectangle", "onset_ms": 0, "offset_ms": 800}
                | {"x_px": 500, "y_px": 400, "width_px": 60, "height_px": 40},
                {"name": "eye", "shape": "ellipse", "x_px": 250, "y_px": 100, "rotation_deg": 10}
                | {"radius_x_px": 30, "radius_y_px": 18},
                {"name": "paw", "shape": "polygon", "points_px": [[0, 0], [9, 0], [9, 9]]},
            ],
        }
    ],
}
_CVAT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
    '<image id="0" name="set/cat.png" width="100" height="80">'
    '<box label="turned" xtl="10" ytl="20" xbr="30" ybr="50" rotation="90.0"/>'
    '<ellipse label="eye" cx="50" cy="40" rx="5" ry="3"/>'
    '<polygon label="paw" points="0,0;10,0;10,10.5"/>'
    '<tag label="outdoors"/></image></annotations>'
)
_AOI_TABLE = (
    "stimulus,aoi,shape,x_px,y_px,width_px,height_px,radius_x_px,radius_y_px,points_px,"
    "onset_ms,offset_ms,image_width_px,image_height_px\n"
    "cat.png,face,,1,2,3.5,4,,,,,,64,48\ncat.png,eye,ellipse,10,10,,,3,2,,,,,\n"
    'cat.png,"body, all",polygon,,,,,,,"1,2 30,4 5,60",,,64,48\n'
    "dog.png,ball,rectangle,0,0,9,9,,,,0,100,,\n"
)
_IAS = (
    "RECTANGLE\t1\t51\t23\t146\t62\tBuck did\nELLIPSE 2 100 200 140 220 eye\n"
    "FREEHAND 3 10,20 30,20 30, 60 the path\nRECTANGLE 4 300 0 310 9\n"
)


def _areas() -> list[bytes]:
    collection = {"type": "FeatureCollection", "features": _FEATURES}
    texts = [
        json.dumps(_OWN),
        json.dumps(collection),
        json.dumps(_LABELME),
        _CVAT,
        _AOI_TABLE,
        _IAS,
    ]
    return [text.encode() for text in texts]


_STUDY = b"""[study]
inputs = ["raw"]
out = "results"
[events]
detector = "ivt"
[convert]
recursive = true
[[measures]]
of = ["dwell"]
"""
_SETTINGS = b"""seed = 3
image_size = 224
[model]
encoder = "basic"
"""
_RULES = rb"""[match]
file = 'S(?P<subject>\d+)_(?P<task>[a-z]+)'
recording = ['day(?P<session>\d)']
[labels.subject]
"Anna" = "01"
[dataset]
Name = "Looking"
Authors = ["A. Author"]
[task.look]
TaskDescription = "Look."
[hed]
"""
_SIDECAR = {
    "SamplingFrequency": 500,
    "StartTime": 0,
    "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
    "RecordedEye": "left",
    "SampleCoordinateUnits": "pixel",
    "SampleCoordinateSystem": "gaze-on-screen",
    "ScreenResolution": [1280, 1024],
    "ScreenSize": [0.386, 0.29],
    "ScreenDistance": 0.6,
    "timestamp": {"Units": "ms", "Origin": "System startup"},
    "x_coordinate": {"Units": "pixel"},
    "y_coordinate": {"Units": "pixel"},
    "StimulusPresentation": {"ScreenResolution": [1280, 1024], "ScreenSize": [0.386, 0.29]},
}


def _packed() -> list[bytes]:
    """Return packed files of each kind that scrub-check looks into."""
    import bz2
    import gzip
    import io
    import lzma
    import tarfile
    import zipfile

    text = b"participant\tx\nanna\t1\n" * 3
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.tsv", text)
        archive.writestr("c.gz", gzip.compress(text))
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        member = tarfile.TarInfo("b.tsv")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    one_row = (_OLD / "raw.fixations.parquet").read_bytes()
    plain = [zipped.getvalue(), tarred.getvalue(), one_row]
    return [*plain, gzip.compress(text), bz2.compress(text), lzma.compress(text)]


def _zips() -> list[bytes]:
    return _packed()[:1]


def _volumes(suffix: str) -> Callable[[], list[bytes]]:
    """Return what gives small volumes, or pictures, of a kind."""

    def made() -> list[bytes]:
        import numpy as np
        from PIL import Image

        from tests.volume_files import write_dicom, write_nifti, write_nrrd

        voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"a{suffix}")
            if suffix == ".dcm":
                write_dicom(path, voxels)
            elif suffix == ".nrrd":
                write_nrrd(path, voxels)
            elif suffix == ".nii":
                write_nifti(path, voxels)
            else:
                Image.fromarray(voxels[0].astype(np.uint8)).save(path)
            return [path.read_bytes()]

    return made


def _old(*names: str) -> Callable[[], list[bytes]]:
    return lambda: [(_OLD / name).read_bytes() for name in names]


def _texts(*texts: bytes) -> Callable[[], list[bytes]]:
    return lambda: list(texts)


OTHERS = {
    "detection": Target(name="input.txt", modules=("gazetrack.readers",), seeds=_goldens),
    "iohub_hdf5": Target(name="a.hdf5", modules=reader_modules("iohub"), seeds=_stores),
    "bids_sidecar": Target(
        name="sub-01_task-look_physio.json",
        modules=reader_modules("bids"),
        seeds=_texts(json.dumps(_SIDECAR).encode()),
    ),
    "bids_events": Target(
        name="sub-01_task-look_events.tsv",
        modules=reader_modules("bids"),
        seeds=_texts(
            b"onset\tduration\ttrial\tstimulus\n0.004\t0.008\t1\ta.png\n0.012\tn/a\t2\tn/a\n"
        ),
    ),
    "bids_physioevents": Target(
        name="sub-01_task-look_physioevents.tsv",
        modules=reader_modules("bids"),
        seeds=_texts(b'1004\t8\tfixation\t0\tn/a\n1010\tn/a\tn/a\tn/a\tsay "hi"\n'),
    ),
    "adhawk_settings": Target(
        name="meta_data.json",
        modules=reader_modules("adhawk"),
        seeds=_texts(b'{"camera_config": {"deg_to_px": [10.0, 20.5]}}'),
    ),
    "areas": Target(
        name="aois.json",
        modules=(
            *("gazetrack.measures.aoi_files", "gazetrack.measures.aois"),
            "gazetrack.measures.shapes",
        ),
        seeds=_areas,
    ),
    "fixation_table": Target(
        name="a.fixations.parquet",
        modules=("gazetrack.tables",),
        seeds=_old("raw.fixations.parquet"),
    ),
    "maps": Target(
        name="maps.parquet", modules=("gazetrack.maps.store",), seeds=_old("maps.parquet")
    ),
    "study": Target(
        name="study.toml", modules=("gazetrack.workflows.study.file",), seeds=_texts(_STUDY)
    ),
    "bids_rules": Target(
        name="rules.toml", modules=("gazetrack.workflows.bids.rules",), seeds=_texts(_RULES)
    ),
    "participants": Target(
        name="participants.tsv",
        modules=("gazetrack.workflows.bids.participants",),
        seeds=_texts(b"participant_id\tage\tsex\nsub-01\t34\tF\nsub-02\tn/a\tM\n"),
    ),
    "queue": Target(
        name="queue.toml",
        modules=("gazetrack.workflows.engine.queues",),
        seeds=_texts(b'[slurm]\njobs = 4\ncores = 8\nmemory = "32GB"\nwalltime = "01:00:00"\n'),
    ),
    "dicom": Target(name="a.dcm", modules=_IMAGES, seeds=_volumes(".dcm")),
    "nifti": Target(name="a.nii", modules=_IMAGES, seeds=_volumes(".nii")),
    "nrrd": Target(name="a.nrrd", modules=_IMAGES, seeds=_volumes(".nrrd")),
    "picture": Target(name="a.png", modules=_IMAGES, seeds=_volumes(".png")),
    "packed": Target(
        name="a.bin", modules=("gazetrack.workflows.scrubbing.contents",), seeds=_packed
    ),
    "data_set": Target(name="a.zip", modules=("gazetrack.datasets.unpacking",), seeds=_zips),
    "checkpoint": Target(
        name="best.json",
        modules=("gradtrack_model.weights.checkpoint", "gradtrack_model.settings"),
        seeds=_old("best.json"),
    ),
    "weights": Target(
        name="best.safetensors",
        modules=("gradtrack_model.weights.checkpoint",),
        seeds=_old("best.safetensors"),
    ),
    "train_settings": Target(
        name="train.toml", modules=("gradtrack_model.settings",), seeds=_texts(_SETTINGS)
    ),
    "split": Target(
        name="splits.json",
        modules=("gradtrack_model.data.splits",),
        seeds=_texts(
            b'{"format": "gradtrack splits 1", "images": {"a": {"split": "train", "case": "a", '
            b'"image": "0f", "mask": null}}}'
        ),
    ),
}
