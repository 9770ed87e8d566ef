import numpy as np
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.pupil import cloud as pupil_cloud
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen
from tests.contracts import check_reader

COMPANIONS = [
    ("recording id,blink id,start timestamp [ns],end timestamp [ns]\nr,1,5,6", "blinks"),
    ("recording id,timestamp [ns],name,type\nr,5,recording.begin,recording", "events"),
    ("section id,recording id,timestamp [ns]\ns,r,5", "timestamps of camera frames"),
    ("section id,timestamp [ns],tl x [px]\ns,5,7", "positions of a surface"),
    ('{\n"android_device_id": "x", "duration": 5}', "settings"),
]


def head_of(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text + "\n", encoding="utf-8")
    return read_head(path)


@pytest.mark.parametrize(("text", "what"), COMPANIONS, ids=[what for _, what in COMPANIONS])
def test_companions_are_refused_by_name(text, what, tmp_path):
    head = head_of(tmp_path, text)
    with pytest.raises(UnknownFormat, match=f"{what} .*give gaze.csv"):
        registry.detect(head)
    with pytest.raises(ParseError, match=rf"holds no gaze: it is {what} .*\[NO_GAZE\]"):
        pupil_cloud.read(head, ReadOptions())


def test_nanoseconds_stay_exact(tmp_path):
    head = head_of(
        tmp_path,
        "timestamp [ns],gaze x [px],gaze y [px]\n1700000000000000001,1,2\n1700000000000000003,1,2",
    )
    recording = pupil_cloud.read(head, ReadOptions())
    assert recording.start_ns == 1700000000000000001
    assert recording.sample_table["t_ms"].to_pylist() == [0, 2e-6]


def test_rounded_timestamps_are_refused(tmp_path):
    head = head_of(tmp_path, "timestamp [ns],gaze x [px],gaze y [px]\n1.70E+18,1,2")
    with pytest.raises(ParseError, match="no whole number"):
        pupil_cloud.read(head, ReadOptions())


def test_a_damaged_cell_has_its_place(tmp_path):
    head = head_of(tmp_path, "timestamp [ns],gaze x [px],gaze y [px]\n5,1,2\nsoon,1,2")
    with pytest.raises(ParseError, match="soon") as caught:
        pupil_cloud.read(head, ReadOptions())
    assert (caught.value.line, caught.value.column) == (3, 1)


def written(folder, name, header, *rows):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


MAPPED = (
    "section id,recording id,timestamp [ns],gaze detected {},"
    "gaze position {} x [{}],gaze position {} y [{}]"
)
MAPPED += ",fixation id,blink id"


def test_gaze_of_the_marker_mapper_is_gaze_on_its_surface(tmp_path):
    header = MAPPED.format("on surface", "on surface", "normalized", "on surface", "normalized")
    rows = [
        f"s,r,{10**18 + i * 5_000_000},True,{x},{y},{n},"
        for i, (x, y, n) in enumerate(
            [(0.25, 0.5, 1), (0.25, 0.5, 1), (1.5, 0.5, ""), ("", "", "")]
        )
    ]
    path = written(tmp_path / "MARKER-MAPPER_Poster_csv", "gaze.csv", header, *rows)
    recording = gazetrack.read(path)
    np.testing.assert_allclose(recording.sample_table["x_px"], [320, 320, 1920, np.nan])
    np.testing.assert_allclose(recording.sample_table["y_px"], [360, 360, 360, np.nan])
    assert set(recording.sample_table["stimulus"].to_pylist()) == {"Poster"}
    assert recording.event_table["kind"].to_pylist() == ["fixation"]
    assert (recording.fractions_of, recording.world_camera) == ("surface", "")
    given = gazetrack.read(path, screen=Screen(1000, 500))
    assert given.placements == {"Poster": Placement(0, 0, 1000, 500, 1000, 500)}
    assert given.event_table["y_px"].to_pylist() == pytest.approx([250])


def test_fixations_of_the_marker_mapper(tmp_path):
    header = (
        "section id,recording id,fixation id,start timestamp [ns],end timestamp [ns],duration [ms]"
    )
    header += ",fixation detected on surface,fixation x [normalized],fixation y [normalized]"
    rows = [
        f"s,r,1,{10**18},{10**18 + 120_000_000},120,True,0.5,0.25",
        f"s,r,2,{10**18 + 200_000_000},{10**18},90,,,",
    ]
    recording = gazetrack.read(
        written(tmp_path / "m", "fixations.csv", header, *rows), screen=Screen(1000, 800)
    )
    fixations = recording.fixation_table.select(["x_px", "y_px", "duration_ms"]).to_pylist()
    assert [pytest.approx(list(row.values())) for row in fixations] == [[500, 200, 120]]
    assert (recording.rows_in, recording.dropped) == (2, {"no position": 1})
    assert recording.fixation_table["stimulus"].to_pylist() == ["surface"]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("kind", ["gaze", "fixations"])
def test_the_reference_image_is_the_stimulus(kind, beside, tmp_path):
    where = "in reference image"
    if kind == "gaze":
        header = MAPPED.format(where, where, "px", where, "px")
        rows = [f"s,r,{10**18},True,300.5,200,,", f"s,r,{10**18 + 5_000_000},True,310.5,200,,"]
    else:
        header = "section id,recording id,fixation id,start timestamp [ns],end timestamp [ns],"
        header += "duration [ms]"
        header += f",fixation detected {where},fixation x [px],fixation y [px]"
        rows = [
            f"s,r,1,{10**18},{10**18},120,True,300.5,200",
            f"s,r,2,{10**18 + 200_000_000},{10**18},90,True,310.5,200",
        ]
    path = written(tmp_path / "REFERENCE-IMAGE-MAPPER_Room_csv", f"{kind}.csv", header, *rows)
    if beside:
        Image.new("RGB", (640, 480)).save(path.with_name("reference_image.jpeg"))
    recording = gazetrack.read(path)
    table = recording.sample_table if kind == "gaze" else recording.fixation_table
    assert table["x_px"].to_pylist() == [300.5, 310.5]
    name = "reference_image.jpeg" if beside else "reference_image"
    assert set(table["stimulus"].to_pylist()) == {name}
    assert recording.placements == ({name: Placement(0, 0, 640, 480, 640, 480)} if beside else {})
    assert (recording.world_camera, any("reference image" in note for note in recording.notes)) == (
        "",
        True,
    )


@pytest.mark.real_data
@pytest.mark.parametrize(
    "folder", ["glassesvalidator_invisible", "eyedentify3d_invisible_trampoline_01"]
)
def test_real_samples_are_as_counted(folder, exports, truth):
    file = f"pupil_cloud/{folder}/gaze.csv"
    recording, want = check_reader(pupil_cloud, exports / file), truth[file]
    kinds = recording.event_table["kind"].to_pylist()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert kinds.count("fixation") == want["n_fixations"]
    assert kinds.count("blink") == truth[f"pupil_cloud/{folder}/blinks.csv"]["n_events"]
    assert recording.start_ns == want["t0_ns"]
    assert (
        recording.start_ns + round(recording.sample_table["t_ms"][-1].as_py() * 1e6)
        == want["t1_ns"]
    )


@pytest.mark.real_data
def test_real_fixations_are_those_of_the_samples(exports, truth):
    file = "pupil_cloud/glassesvalidator_invisible/fixations.csv"
    recording, want = check_reader(pupil_cloud, exports / file), truth[file]
    t = recording.origin_ms + recording.fixation_table["onset_ms"].to_numpy()
    durations = recording.fixation_table["duration_ms"].to_numpy()
    assert durations.size == want["n_fixations"]
    assert durations.mean() == pytest.approx(want["mean_fix_dur_ms"], abs=1e-3)
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    events = check_reader(
        pupil_cloud, exports / file.replace("fixations", "gaze")
    ).event_table.to_pandas()
    events = events[events["kind"] == "fixation"]
    assert events["onset_ms"].tolist() == recording.fixation_table["onset_ms"].to_pylist()
    # The fixation table has whole milliseconds; its last fixation ends after the last sample of the
    # gaze file.
    assert events["duration_ms"].to_numpy()[:-1] == pytest.approx(durations[:-1], abs=1.0)


@pytest.mark.real_data
def test_real_companions_are_refused_by_name(exports, truth):
    kinds = ("blinks", "events", "world_timestamps", "meta")
    files = [
        file
        for file, facts in truth.items()
        if facts["format"] in {f"pupil_cloud_{kind}" for kind in kinds}
    ]
    assert files
    for file in files:
        with pytest.raises(
            UnknownFormat, match=r"holds no gaze: it is .* of a Pupil Cloud recording"
        ):
            registry.detect(read_head(exports / file))
