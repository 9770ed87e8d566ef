"""What is done with each input of a target: the calls that `_fuzz_target.py` makes.

Each takes the path of the input and what is to be made of it, and gives True when the input was
read. An error of ours is what a damaged input is to give; anything else is a failure.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions
from gazetrack.readers.head import read_head
from gazetrack.tables.plausible import checked
from gazetrack.tables.screen import Screen
from tests.contracts import check_recording
from tests.places import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_DEEPEST = 100
_MOST_SLICES = 4
_N_AXES = 3


def _hold(holds: bool, what: str) -> None:
    """Fail where what was read is against its rules."""
    if not holds:
        raise AssertionError(what)


def reader(name: str, columns: dict[str, str]) -> Callable[[Path], None]:
    """Return the call of a reader, with what a user would say of the columns."""
    found = registry.get(name)
    needs_screen = name == "iohub"
    options = ReadOptions(
        columns=columns, screen=Screen(width_px=1920, height_px=1080) if needs_screen else None
    )

    def call(path: Path) -> None:
        head = read_head(path)
        recording = checked(head.reading.applied(found.read(head, options)))
        check_recording(recording, found.FORMAT.name, head.stem)

    return call


def iohub_hdf5() -> Callable[[Path], None]:
    """The store of ioHub, whose unit a user has to say."""
    return reader("iohub", {"unit": "pix"})


def _beside(name: str, files: dict[str, bytes], read: str) -> Callable[[Path], None]:
    """Return the call of a reader on a whole file that the input lies beside.

    Parameters
    ----------
    name : str
        The name of the reader.
    files : dict of str to bytes
        What else is in the folder, by name.
    read : str
        The name of the one that is read.
    """
    call = reader(name, {})

    def with_files(path: Path) -> None:
        for beside, content in files.items():
            if not path.with_name(beside).exists():
                path.with_name(beside).write_bytes(content)
        call(path.with_name(read))

    return with_files


_GAZE = b"".join(b"%d\t%d\t300\t9\n" % (1000 + 4 * row, 400 + row) for row in range(6))
_TABLE = "sub-01_task-look_physio.tsv"
_FACTS = {
    "PhysioType": "eyetrack",
    "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
    "SamplingFrequency": 250,
    "RecordedEye": "right",
    "SampleCoordinateSystem": "gaze-on-screen",
    "timestamp": {"Units": "ms"},
    "x_coordinate": {"Units": "pixel"},
    "y_coordinate": {"Units": "pixel"},
}
_EVENT_FACTS = {
    "Columns": ["onset", "duration", "trial_type", "blink", "message"],
    "ForeignIndexColumn": "timestamp",
}
_BIDS = {"dataset_description.json": b"{}", _TABLE: _GAZE}
_BIDS_WITH_FACTS = {**_BIDS, "task-look_physio.json": json.dumps(_FACTS).encode()}


def bids_sidecar() -> Callable[[Path], None]:
    """The reader of BIDS tables, whose sidecar is the input."""
    return _beside("bids", _BIDS, _TABLE)


def bids_events() -> Callable[[Path], None]:
    """The reader of BIDS tables, beside a table of what was shown."""
    return _beside("bids", _BIDS_WITH_FACTS, _TABLE)


def bids_physioevents() -> Callable[[Path], None]:
    """The reader of BIDS tables, beside a table of the tracker's events."""
    facts = {"task-look_physioevents.json": json.dumps(_EVENT_FACTS).encode()}
    return _beside("bids", {**_BIDS_WITH_FACTS, **facts}, _TABLE)


def adhawk_settings() -> Callable[[Path], None]:
    """The reader of AdHawk's exports, beside settings of the camera."""
    (export,) = sorted((GOLDEN / "adhawk").glob("*/input.csv"))[:1]
    return _beside("adhawk", {"gaze.csv": export.read_bytes()}, "gaze.csv")


def detection() -> Callable[[Path], None]:
    """All readers' first look, and the decision between them."""
    return lambda path: registry.detect(read_head(path)) and None


def areas() -> Callable[[Path], None]:
    """Areas of interest of any kind of file."""
    from gazetrack.measures.aoi_files.reading import read_aois

    def call(path: Path) -> None:
        for stimulus in read_aois(path).stimuli:
            _hold(len(set(stimulus.names)) == len(stimulus.aois), "a name twice")
            _hold(all(aoi.area_px2 > 0 for aoi in stimulus.aois), "an area of nothing")

    return call


def fixation_table() -> Callable[[Path], None]:
    """A table of fixations, anybody's."""
    from gazetrack.tables.schema import FIXATIONS
    from gazetrack.tables.store import read_fixations

    def call(path: Path) -> None:
        table, _ = read_fixations(path)
        _hold(table.schema.equals(FIXATIONS), "another schema")
        table.validate(full=True)

    return call


def maps() -> Callable[[Path], None]:
    """A file of track maps, all of its rows."""
    from gazetrack.maps.store import read_maps

    def call(path: Path) -> None:
        store = read_maps(path)
        for row in store.rows():
            _hold(row.values.ndim == 3, "no maps of levels")

    return call


def study() -> Callable[[Path], None]:
    """The file of a study."""
    from gazetrack.workflows.study.file import read_study

    return lambda path: read_study(path) and None


def bids_rules() -> Callable[[Path], None]:
    """Rules of names for a BIDS data set."""
    from gazetrack.workflows.bids.rules import read_rules

    return lambda path: read_rules(path) and None


def participants() -> Callable[[Path], None]:
    """A table of participants."""
    from gazetrack.workflows.bids.participants import read_participants

    return lambda path: read_participants(path, lambda _name: "") and None


def queue() -> Callable[[Path], None]:
    """What is said of a cluster's queue."""
    from gazetrack.workflows.engine.queues import read_queue

    return lambda path: read_queue(path) and None


def picture() -> Callable[[Path], None]:
    """A picture, decoded whole."""
    from gazetrack.images.folder import image_size, read_image
    from gazetrack.images.reference import ImageRef

    def call(path: Path) -> None:
        width, height = image_size(ImageRef(path))
        _hold(read_image(ImageRef(path), "RGB").shape == (height, width, 3), "another size")

    return call


def dicom() -> Callable[[Path], None]:
    """All slices of a volume file, and how far apart they are."""
    from gazetrack.images.slices import read_slice, slices_of, spacing_of

    def call(path: Path) -> None:
        for image in slices_of(path)[:_MOST_SLICES]:
            _hold(len(spacing_of(image)) == _N_AXES, "no spacing of three axes")
            _hold(read_slice(image).dtype == "uint8", "no image of 8 bits")

    return call


nifti = nrrd = dicom


def packed() -> Callable[[Path], None]:
    """All that is packed in a file, as scrub-check looks through it."""
    from gazetrack.workflows.scrubbing.contents import NotSearched, pieces_of

    def call(path: Path) -> None:
        try:
            for piece in pieces_of(path):
                _hold(len(piece.where) < _DEEPEST, "packed without end")
        except NotSearched:
            pass

    return call


def data_set() -> Callable[[Path], None]:
    """An archive of a data set, unpacked."""
    from gazetrack.datasets.unpacking import unpack

    def call(path: Path) -> None:
        folder = path.with_name("unpacked")
        try:
            unpack(path, folder)
            outside = {found.name for found in path.parent.iterdir()} - {path.name, folder.name}
            _hold(not outside, f"outside of the folder: {outside}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return call


def checkpoint() -> Callable[[Path], None]:
    """The facts of a network, beside its weights."""
    from gradtrack_model.weights.checkpoint import load_model

    weights = GOLDEN / "compat" / "0.1.0" / "best.safetensors"

    def call(path: Path) -> None:
        beside = path.with_suffix(".safetensors")
        if not beside.exists():
            shutil.copy(weights, beside)
        load_model(beside)

    return call


def weights() -> Callable[[Path], None]:
    """The weights of a network, whose SHA-256 somebody who changed them would change as well."""
    from gradtrack_model.weights.checkpoint import load_model

    facts = json.loads((GOLDEN / "compat" / "0.1.0" / "best.json").read_text("utf-8"))

    def call(path: Path) -> None:
        facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(facts))
        load_model(path)

    return call


def train_settings() -> Callable[[Path], None]:
    """Settings of a training."""
    from gradtrack_model.settings import load_config

    return lambda path: load_config(file=path) and None


def split() -> Callable[[Path], None]:
    """Which image is in which split."""
    from gradtrack_model.data.splits import read_manifest

    return lambda path: read_manifest(path) and None
