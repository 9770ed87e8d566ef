"""ioHub of PsychoPy: event reports, and the HDF5 file they are made of, in any of its units."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import Level, read_head
from gazetrack.readers.iohub import reports as iohub
from gazetrack.tables.screen import Screen

SCREEN = Screen(1600, 1000, 480.0, 300.0, 700.0)
TRUTH = np.array([(800.0, 500.0), (80.0, 900.0), (1234.5, 77.25), (1500.0, 20.0)])
CENTRED = {
    "pix": lambda x, y: (x - 800, 500 - y),
    "norm": lambda x, y: (x / 800 - 1, 1 - y / 500),
    "height": lambda x, y: ((x - 800) / 1000, (500 - y) / 1000),
    "cm": lambda x, y: ((x - 800) * 0.03, (500 - y) * 0.03),
    # PsychoPy: all degrees as long as the one in the centre.
    "deg": lambda x, y: tuple(v * 0.3 / (700 * np.tan(np.radians(1))) for v in (x - 800, 500 - y)),
}


def found(recording):
    return np.column_stack([recording.sample_table[name].to_numpy() for name in ("x_px", "y_px")])


def report(tmp_path, positions):
    path = tmp_path / "exp.BinocularEyeSampleEvent.txt"
    header = "event_id\tdevice_time\tlogged_time\ttime\t"
    header += "left_gaze_x\tleft_gaze_y\tright_gaze_x\tright_gaze_y\tstatus"
    rows = [
        f"{i}\t0\t0\t{5 + 0.004 * i}\t{x}\t{y}\t{x}\t{y}\t0" for i, (x, y) in enumerate(positions)
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("unit", CENTRED)
def test_reports_in_the_units_of_psychopy_are_counted_from_the_centre_with_y_up(unit, tmp_path):
    path = report(tmp_path, [CENTRED[unit](*position) for position in TRUTH])
    assert registry.detect(read_head(path)).name == "iohub"
    recording = gazetrack.read(path, columns={"unit": unit}, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert (recording.eyes, recording.sample_table["t_ms"].to_pylist()) == (
        "binocular",
        pytest.approx([0, 4, 8, 12]),
    )


def test_positions_beyond_other_units_are_pixels_and_said_so(tmp_path):
    path = report(tmp_path, [CENTRED["pix"](*position) for position in TRUTH])
    recording = gazetrack.read(path, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert any("taken as pixels" in note for note in recording.notes)
    with pytest.raises(ConfigError, match="need the size of the screen in pixels") as caught:
        gazetrack.read(path)
    assert "--screen" in caught.value.hint


@pytest.mark.parametrize("unit", ["norm", "height", "cm", "deg"])
def test_units_that_are_not_said_are_refused(unit, tmp_path):
    path = report(tmp_path, [CENTRED[unit](*position) for position in TRUTH])
    with pytest.raises(ParseError, match="does not say the unit") as caught:
        gazetrack.read(path, screen=SCREEN)
    assert "--columns unit=pix (or norm" in caught.value.hint


def test_a_second_recording_in_a_report_is_refused_with_its_line(tmp_path):
    path = report(tmp_path, [CENTRED["norm"](*position) for position in TRUTH])
    header, *rows = path.read_text().splitlines()
    late = [row.replace("\t5.", "\t9.").replace("\t5\t", "\t9\t") for row in rows]
    path.write_text("\n".join([header, *late, *rows]) + "\n")
    with pytest.raises(ParseError, match="a second recording") as caught:
        gazetrack.read(path, columns={"unit": "norm"})
    assert caught.value.line == 6


def test_a_report_of_one_eyes_columns_is_that_eyes_in_its_units(tmp_path):
    path = report(tmp_path, [CENTRED["norm"](*position) for position in TRUTH])
    path.write_text(path.read_text().replace("right_gaze", "right_raw"))
    recording = gazetrack.read(path, columns={"unit": "norm"}, screen=SCREEN)
    assert recording.eyes == "left"
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert np.isnan(recording.sample_table["right_x_px"].to_numpy()).all()
    path.write_text(path.read_text().replace("left_gaze", "left_raw"))
    with pytest.raises(ParseError, match="without positions"):
        gazetrack.read(path, "iohub", columns={"unit": "norm"}, screen=SCREEN)


# The HDF5 file

BOTH = [
    ("session_id", "u2"),
    ("time", "f8"),
    *(
        (f"{eye}_{name}", "f4")
        for eye in ("left", "right")
        for name in ("gaze_x", "gaze_y", "raw_x", "pupil_measure1")
    ),
    ("status", "u1"),
]
ONE = [
    ("session_id", "u2"),
    ("time", "f8"),
    ("gaze_x", "f4"),
    ("gaze_y", "f4"),
    ("pupil_measure1", "f4"),
    ("status", "u1"),
]


def binocular(rows):
    """The tracker's table of both eyes: session, seconds, x and y of either eye, status."""
    return np.array(
        [(s, t, lx, ly, 7, 3.1, rx, ry, 7, 0.0, st) for s, t, lx, ly, rx, ry, st in rows], BOTH
    )


def store(
    tmp_path, tables, messages=(), sessions=(), title="ioHub DataStore - Experiment Data File."
):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "exp.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["TITLE"] = np.bytes_(title)
        for name, rows in tables.items():
            file.create_dataset(f"data_collection/events/eyetracker/{name}", data=rows)
        kind = [("session_id", "u2"), ("time", "f8"), ("text", "S32")]
        file.create_dataset(
            "data_collection/events/experiment/MessageEvent", data=np.array(list(messages), kind)
        )
        kind = [("session_id", "u2"), ("code", "S16")]
        file.create_dataset(
            "data_collection/session_meta_data", data=np.array(list(sessions), kind)
        )
    return path


GAZE = [
    (1, 10 + 0.004 * i, *CENTRED["pix"](*p), *CENTRED["pix"](*p), 0) for i, p in enumerate(TRUTH)
]


def test_a_store_is_read_with_its_messages_in_units_of_pixels(tmp_path):
    path = store(
        tmp_path,
        {"BinocularEyeSampleEvent": binocular(GAZE)},
        [(1, 10.004, b"go"), (3, 1.0, b"elsewhere")],
    )
    assert registry.detect(read_head(path)).verdict.level == Level.CERTAIN
    recording = gazetrack.read(path, columns={"unit": "pix"}, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 4, 8, 12])
    assert recording.sample_table["left_pupil"].to_pylist() == pytest.approx([3.1] * 4)
    assert np.isnan(recording.sample_table["right_pupil"].to_numpy()).all()
    assert recording.event_table["text"].to_pylist() == ["go"]
    assert recording.event_table["onset_ms"].to_pylist() == pytest.approx([4])
    assert (recording.origin_ms, recording.rows_in) == (pytest.approx(10_000), 6)
    assert sum(recording.dropped.values()) == 1
    packed = tmp_path / "exp.hdf5.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    again = gazetrack.read(packed, columns={"unit": "pix"}, screen=SCREEN)
    np.testing.assert_array_equal(found(again), found(recording))


def test_a_table_of_messages_without_texts_is_passed_over(tmp_path):
    path = store(tmp_path, {"BinocularEyeSampleEvent": binocular(GAZE)}, [(1, 10.004, b"go")])
    name = "data_collection/events/experiment/MessageEvent"
    with pytest.importorskip("h5py").File(path, "a") as file:
        rows = file[name][:][["session_id", "time"]]
        del file[name]
        file.create_dataset(name, data=rows)
    recording = gazetrack.read(path, columns={"unit": "pix"}, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert recording.event_table.num_rows == 0


def test_lost_eyes_go_by_the_status(tmp_path):
    rows = [
        (1, 0.0, -300, 0, 100, 0, 0),
        (1, 0.1, -300, 0, 0, 0, 2),
        (1, 0.2, 0, 0, 100, 0, 20),
        (1, 0.3, 0, 0, 0, 0, 22),
    ]
    path = store(tmp_path, {"BinocularEyeSampleEvent": binocular(rows)})
    recording = gazetrack.read(path, columns={"unit": "pix"}, screen=SCREEN)
    np.testing.assert_allclose(recording.sample_table["x_px"].to_numpy(), [700, 500, 900, np.nan])


def test_sessions_are_recordings_by_their_codes(tmp_path):
    rows = GAZE + [(2, t + 50, *rest) for _, t, *rest in GAZE]
    tables = {"BinocularEyeSampleEvent": binocular(rows)}
    path = store(tmp_path, tables, sessions=[(1, b"first"), (2, b"second")])
    samples = gazetrack.read(path, screen=SCREEN).sample_table
    assert samples["recording"].to_pylist() == ["first"] * 4 + ["second"] * 4
    assert samples["t_ms"].to_pylist() == pytest.approx([0, 4, 8, 12] * 2)
    path = store(tmp_path, tables, sessions=[(1, b"same"), (2, b"same")])
    assert set(gazetrack.read(path, screen=SCREEN).sample_table["recording"].to_pylist()) == {
        "exp_1",
        "exp_2",
    }


def test_one_eye_and_a_second_table_are_said_in_whatever_units(tmp_path):
    one = np.array([(1, t, x, y, 900.0, 0) for _, t, x, y, *_ in GAZE], ONE)
    path = store(
        tmp_path,
        {"MonocularEyeSampleEvent": one, "EyeSampleEvent": one, "BinocularEyeSampleEvent": one[:0]},
    )
    recording = gazetrack.read(path, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert recording.eyes == "combined"
    assert any("EyeSampleEvent is there as well" in note for note in recording.notes)


def test_a_store_without_samples_and_another_hdf5_are_named(tmp_path):
    with pytest.raises(ParseError, match="without samples of an eye tracker"):
        gazetrack.read(store(tmp_path, {"BinocularEyeSampleEvent": binocular([])}))
    with pytest.raises(UnknownFormat, match="not ioHub's"):
        gazetrack.read(store(tmp_path, {}, title="another"))


def test_a_damaged_store_is_an_error_about_the_file(tmp_path):
    path = store(tmp_path, {"BinocularEyeSampleEvent": binocular(GAZE * 500)})
    whole = path.read_bytes()
    for cut in (3000, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:cut])
        with pytest.raises(ParseError, match="damaged HDF5"):
            gazetrack.read(path, "iohub", screen=SCREEN)


def test_more_rows_than_a_store_can_hold_are_refused(tmp_path):
    path = store(tmp_path, {"BinocularEyeSampleEvent": binocular(GAZE)})
    with pytest.importorskip("h5py").File(path, "a") as file:
        folder = file["data_collection/events/eyetracker"]
        del folder["BinocularEyeSampleEvent"]
        folder.create_dataset(
            "BinocularEyeSampleEvent", (10**9,), BOTH, chunks=(1000,)
        )  # none of them written
    with pytest.raises(ParseError, match="1000000000 rows declared"):
        gazetrack.read(path, screen=SCREEN)


def test_without_h5py_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = store(tmp_path, {"BinocularEyeSampleEvent": binocular(GAZE)})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ConfigError) as caught:
        gazetrack.read(path, screen=SCREEN)
    assert 'pip install "gazetrack[hdf5]"' in caught.value.hint
    assert iohub.sniff(read_head(path)).level == Level.CERTAIN


def test_a_report_without_positions_is_no_report(tmp_path):
    path = report(tmp_path, [(1, 2)])
    path.write_text(path.read_text().replace("_gaze_", "_raw_"))
    assert iohub.sniff(read_head(path)).level == Level.NO


def test_a_store_without_times_says_so(tmp_path):
    rows = np.array([(1, 10.0, 20.0, 3.0, 0)], [column for column in ONE if column[0] != "time"])
    with pytest.raises(ParseError, match="MonocularEyeSampleEvent without times") as caught:
        gazetrack.read(store(tmp_path, {"MonocularEyeSampleEvent": rows}))
    assert "current PsychoPy" in caught.value.hint


def test_samples_without_a_status_are_noted(tmp_path):
    path = report(tmp_path, [CENTRED["pix"](*position) for position in TRUTH])
    lines = path.read_text().splitlines()
    lines[2] = lines[2].removesuffix("0")
    path.write_text("\n".join(lines) + "\n")
    recording = gazetrack.read(path, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    note = "1 samples without a status: taken as those of eyes that are there"
    assert note in recording.notes
