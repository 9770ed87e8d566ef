import gzip
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import InputError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.bids import eyetrack as bids
from gazetrack.tables.screen import Screen
from tests.parts import grown, same_in_parts

NAME = "sub-01_task-look_run-01_recording-eye1"
COLUMNS = ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
ROWS = "".join(f"{1000 + 4 * i}\t{400 + i}\t300\t{900 + i}\n" for i in range(6))
FACTS = {
    "PhysioType": "eyetrack",
    "Columns": COLUMNS,
    "SamplingFrequency": 250,
    "RecordedEye": "right",
    "SampleCoordinateSystem": "gaze-on-screen",
    "timestamp": {"Units": "ms"},
    "x_coordinate": {"Units": "pixel"},
    "y_coordinate": {"Units": "pixel"},
}
SCREEN = {
    "StimulusPresentation": {
        "ScreenResolution": [1000, 800],
        "ScreenSize": [0.5, 0.4],
        "ScreenDistance": 0.6,
    }
}


def recording_in(root, facts=FACTS, rows=ROWS, **files):
    """Write a table in a data set, and other files by their place, as in ``beh/x.json``."""
    folder = root / "sub-01" / "beh"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text("{}")
    path = folder / f"{NAME}_physio.tsv.gz"
    path.write_bytes(gzip.compress(rows.encode()))
    if facts is not None:
        (folder / f"{NAME}_physio.json").write_text(json.dumps(facts))
    for name, content in files.items():
        (root / name).write_text(json.dumps(content))
    return path


def read(path):
    head = read_head(path)
    assert registry.detect(head).name == "bids"
    return bids.read(head, ReadOptions())


def test_a_table_without_header_is_read_by_its_sidecar(tmp_path):
    recording = read(recording_in(tmp_path))
    assert recording.sample_table["t_ms"].to_pylist() == [0, 4, 8, 12, 16, 20]
    assert (
        recording.sample_table["right_x_px"].to_pylist()
        == recording.sample_table["x_px"].to_pylist()
    )
    assert recording.sample_table["right_pupil"].to_pylist()[0] == 900
    assert (recording.eyes, recording.rate_hz, recording.origin_ms, recording.notes) == (
        "right",
        250,
        1000,
        (),
    )


def test_the_subject_of_the_name_is_the_participant(tmp_path):
    path = recording_in(tmp_path)
    recording = read(path)
    assert recording.participants == {f"{NAME}_physio": "01"}
    (path.parent / "gaze_physio.json").write_text(json.dumps(FACTS))
    assert read(path.rename(path.with_name("gaze_physio.tsv.gz"))).participants == {}


def test_sidecars_are_inherited_and_the_nearest_wins(tmp_path):
    above = FACTS | {"RecordedEye": "left", "Manufacturer": "Maker"}
    path = recording_in(tmp_path, {"RecordedEye": "right"}, **{"task-look_physio.json": above})
    (tmp_path / "task-look_events.json").write_text(json.dumps(SCREEN))
    (tmp_path / "task-other_physio.json").write_text(json.dumps({"SamplingFrequency": 1}))
    recording = read(path)
    assert (recording.eyes, recording.tracker, recording.rate_hz) == ("right", "Maker", 250)
    assert (recording.screen.width_px, recording.screen.width_mm, recording.screen.distance_mm) == (
        1000,
        500,
        600,
    )


def test_sidecars_above_the_data_set_are_not_of_it(tmp_path):
    (tmp_path / "physio.json").write_text(json.dumps(FACTS))
    with pytest.raises(ParseError, match="without its sidecar"):
        bids.read(read_head(recording_in(tmp_path / "set", None)), ReadOptions())


def test_a_missing_sidecar_is_asked_for_by_name(tmp_path):
    path = recording_in(tmp_path, None)
    # Told by its name to be of an eye: nobody else reads it, in a folder neither.
    assert registry.detect(read_head(path)).verdict.level == Level.LIKELY
    words = rf"without its sidecar {NAME}_physio\.json - put it beside the table"
    with pytest.raises(ParseError, match=words):
        bids.read(read_head(path), ReadOptions())
    other = path.rename(path.with_name("sub-01_task-look_physio.tsv.gz"))
    words = r"without its sidecar sub-01_task-look_physio\.json - put the sidecar beside it"
    with pytest.raises(UnknownFormat, match=words):
        registry.detect(read_head(other))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (COLUMNS[:3], "lists 3 columns, the table has 4"),
        (["cardiac", "a", "b", "c"], "another recording than gaze"),
    ],
)
def test_a_sidecar_that_does_not_fit_is_named(columns, words, tmp_path):
    path = recording_in(tmp_path, FACTS | {"Columns": columns})
    assert words in bids.sniff(read_head(path)).reason
    with pytest.raises(ParseError, match=words):
        bids.read(read_head(path), ReadOptions())


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"Columns": 1, "Columns": 2}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"]
)
def test_a_damaged_sidecar_is_an_error_of_its_own_file(text, tmp_path):
    path = recording_in(tmp_path)
    sidecar = path.with_name(f"{NAME}_physio.json")
    sidecar.write_text(text)
    assert bids.sniff(read_head(path)).level == Level.NO
    with pytest.raises(ParseError) as caught:
        bids.read(read_head(path), ReadOptions())
    assert caught.value.path.name == sidecar.name


def test_events_of_the_tracker_stand_beside(tmp_path):
    path = recording_in(tmp_path)
    events = (
        "1004\t8\tfixation\t0\tn/a\n"
        "1012\t4\tsaccade\t1\tn/a\n"
        "1002\tn/a\tn/a\tn/a\timage on\n"
        "n/a\t1\tblink\t1\tn/a\n"
    )
    path.with_name(f"{NAME}_physioevents.tsv.gz").write_bytes(gzip.compress(events.encode()))
    facts = {
        "Columns": ["onset", "duration", "trial_type", "blink", "message"],
        "OnsetSource": "timestamp",
    }
    (tmp_path / "task-look_physioevents.json").write_text(json.dumps(facts))
    recording = read(path)
    assert recording.event_table["kind"].to_pylist() == ["fixation", "saccade", "message"]
    assert recording.event_table["onset_ms"].to_pylist() == [4, 12, 2]
    assert recording.event_table["duration_ms"].to_pylist() == [8, 4, 0]
    assert recording.event_table["eye"].to_pylist() == ["right", "right", ""]
    assert recording.event_table["text"].to_pylist() == ["", "", "image on"]
    # The samples at 4 and 8 ms: intervals are half open.
    assert recording.event_table["x_px"].to_pylist() == pytest.approx(
        [401.5, float("nan"), float("nan")], nan_ok=True
    )
    assert "1 events without onset or duration: left out" in recording.notes
    (tmp_path / "task-look_physioevents.json").write_text(
        json.dumps(facts | {"OnsetSource": "n/a"})
    )
    with pytest.raises(
        ParseError,
        match=r"3 of 3 events lie outside the recording: the first at 1\.004e\+06 ms of 20 ms",
    ) as caught:
        read(path)
    assert caught.value.path.name == f"{NAME}_physioevents.tsv.gz"
    (tmp_path / "task-look_physioevents.json").unlink()
    assert "no sidecar with its columns: no events" in read(path).notes[0]
    with pytest.raises(UnknownFormat, match="holds no gaze: it is the events of a BIDS recording"):
        registry.detect(read_head(path.with_name(f"{NAME}_physioevents.tsv.gz")))


def with_events(root, rows, **facts):
    """Write a recording of 20 ms with events, whose sidecar says these facts."""
    path = recording_in(root)
    path.with_name(f"{NAME}_physioevents.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    columns = {"Columns": ["onset", "duration", "trial_type"]}
    (root / "task-look_physioevents.json").write_text(json.dumps(columns | facts))
    return path


@pytest.mark.parametrize(
    ("onset", "facts"),
    [
        ("1.004", {"OnsetSource": "timestamp", "onset": {"Units": "s"}}),
        ("1004", {"OnsetSource": "timestamp", "onset": {"Units": "ms"}}),
        ("1004", {"OnsetSource": "timestamp"}),
        ("4", {"onset": {"Units": "ms"}}),
        ("4000", {"onset": {"Units": "us"}}),
        ("0.004", {"onset": {"Units": "s"}}),
        ("0.004", {}),
    ],
)
def test_onsets_are_in_the_unit_that_is_stated(onset, facts, tmp_path):
    path = with_events(tmp_path, f"{onset}\t8\tfixation\n", duration={"Units": "ms"}, **facts)
    (event,) = read(path).event_table.to_pylist()
    assert (event["onset_ms"], event["duration_ms"]) == (pytest.approx(4), 8)
    assert event["x_px"] == 401.5


def test_a_unit_of_onsets_that_is_none_is_refused(tmp_path):
    with pytest.raises(ParseError, match="onset in the unit 'fortnight'"):
        read(with_events(tmp_path, "4\t8\tfixation\n", onset={"Units": "fortnight"}))


def test_single_events_outside_the_recording_are_left_out(tmp_path):
    rows = "4\t8\tfixation\n12\t4\tsaccade\n90000\t8\tfixation\n"
    rows += "-5000\t0\tn/a\n-5000\t1\tblink\n16\t1\tblink\n"
    recording = read(with_events(tmp_path, rows, onset={"Units": "ms"}))
    assert recording.event_table["onset_ms"].to_pylist() == [
        4,
        12,
        -5000,
        16,
    ]  # a message may come before the gaze
    assert "2 events outside the recording: left out" in recording.notes


@pytest.mark.parametrize(
    ("size", "distance", "screen", "words"),
    [
        ([0.5, 0.4], 0.6, (500, 400, 600), []),
        (
            [50, 40],
            60,
            (500, 400, 600),
            ["ScreenSize 50 x 40 taken as cm", "ScreenDistance 60 taken as cm"],
        ),
        ([531, 299], 0.6, (531, 299, 600), ["ScreenSize 531 x 299 taken as mm"]),
        (
            [200, 112.5],
            None,
            (None, None, None),
            ["ScreenSize 200 x 112.5 is no length of a screen"],
        ),
    ],
)
def test_sizes_of_screens_that_are_not_in_metres_are_noticed(
    size, distance, screen, words, tmp_path
):
    shown = {"ScreenResolution": [1000, 800], "ScreenSize": size, "ScreenDistance": distance}
    recording = read(recording_in(tmp_path, FACTS | {"StimulusPresentation": shown}))
    found = recording.screen
    assert (found.width_mm, found.height_mm, found.distance_mm) == screen
    assert [note for note in recording.notes if any(map(note.startswith, words))] == list(
        recording.notes
    )
    assert len(recording.notes) == len(words)


def test_the_pupil_of_a_cyclopean_eye_is_no_eyes(tmp_path):
    recording = read(recording_in(tmp_path, FACTS | {"RecordedEye": "cyclopean"}))
    assert np.isnan(recording.sample_table["left_pupil"]).all()
    assert np.isnan(recording.sample_table["right_pupil"]).all()
    assert recording.notes == ("the pupil size of the cyclopean eye is no eye's own: left out",)


def test_marks_of_missing_gaze_that_converters_copy_are_missing(tmp_path):
    rows = "1000\t-1\t-1\t0\n1004\t-1\t300\t-1\n1008\t400\t300\t900\n"
    recording = read(recording_in(tmp_path, rows=rows))
    assert recording.sample_table["x_px"].to_pylist() == pytest.approx(
        [float("nan"), -1, 400], nan_ok=True
    )
    assert recording.sample_table["right_pupil"].to_pylist() == pytest.approx(
        [float("nan")] * 2 + [900], nan_ok=True
    )
    assert recording.notes == ("1 positions at (-1, -1): taken as missing",)


def test_placeholders_are_empty(tmp_path):
    path = recording_in(tmp_path)
    path.with_name(f"{NAME}_physioevents.tsv.gz").write_bytes(gzip.compress(b""))
    assert read(path).notes == ("the physioevents file beside it is empty: no events",)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match="is empty"):
        read_head(path)


def with_units(time=None, position=None, **others):
    columns = {
        "timestamp": {"Units": time},
        "x_coordinate": {"Units": position},
        "y_coordinate": {"Units": position},
    }
    return FACTS | {key: about for key, about in columns.items() if about["Units"]} | others


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (with_units(time="fortnight"), "timestamp in the unit 'fortnight'"),
        (with_units(position="cm"), "positions in 'cm'"),
        (
            FACTS
            | {
                "StimulusPresentation": {
                    "ScreenResolution": [10, 10],
                    "ScreenOrigin": ["center", "center"],
                }
            },
            "origin",
        ),
    ],
)
def test_units_that_cannot_be_read_are_refused(facts, words, tmp_path):
    with pytest.raises(ParseError, match=words):
        read(recording_in(tmp_path, facts))


def test_the_unit_of_time_follows_from_the_sampling_rate(tmp_path):
    facts = FACTS | {"timestamp": {}}
    seconds = ROWS.replace("10", "1.0")  # 1000, 1004, … ms are 1.000, 1.004, … s
    recording = read(recording_in(tmp_path, facts, seconds))
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 4, 8, 12, 16, 20])
    assert recording.notes == ("time unit inferred from the sampling rate: s",)


def test_fractions_and_an_origin_at_the_bottom(tmp_path):
    rows = "0\t0.25\t0.25\tn/a\n4\t0.5\tn/a\tn/a\n"
    facts = with_units(position="normalized")
    recording = read(recording_in(tmp_path, facts, rows))
    assert (recording.fractions_of, recording.sample_table["x_px"].to_pylist()) == (
        "screen",
        [480, 960],
    )
    shown = SCREEN["StimulusPresentation"] | {"ScreenOrigin": ["bottom", "left"]}
    recording = read(recording_in(tmp_path, facts | {"StimulusPresentation": shown}, rows))
    assert recording.sample_table["y_px"].to_pylist() == pytest.approx(
        [600, float("nan")], nan_ok=True
    )
    assert (recording.fractions_of, recording.screen.height_px) == ("", 800)


def test_gaze_that_is_not_on_a_screen_is_said(tmp_path):
    recording = read(recording_in(tmp_path, FACTS | {"SampleCoordinateSystem": "gaze-in-world"}))
    assert recording.notes == ("positions are gaze-in-world, not on a screen",)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_written_is_read_back(data):
    n, start, step = (
        data.draw(st.integers(2, 12)),
        data.draw(st.integers(0, 10**6)),
        data.draw(st.integers(2, 20)),
    )
    t = start + step * np.arange(n, dtype=float)
    position = st.integers(0, 2_000_000).map(lambda value: value / 1000)
    x, y = (np.array(data.draw(st.lists(position, min_size=n, max_size=n))) for _ in range(2))
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    unit, size = data.draw(st.sampled_from((("s", 1000), ("ms", 1), ("us", 1e-3))))
    # BIDS has the time, x and y first, in this order; columns of others may follow.
    columns = (
        COLUMNS[:3]
        + data.draw(st.permutations(("pupil_size", "fx", "note")))[: data.draw(st.integers(0, 3))]
    )
    cells = [
        {"timestamp": f"{time / size:.6f}", "x_coordinate": f"{a:.3f}", "y_coordinate": f"{b:.3f}"}
        if ok
        else {"timestamp": f"{time / size:.6f}"}
        for time, a, b, ok in zip(t, x, y, seen, strict=True)
    ]
    end = data.draw(st.sampled_from(("\n", "\r\n")))
    rows = "".join("\t".join(row.get(name, "n/a") for name in columns) + end for row in cells)
    eye = data.draw(st.sampled_from(("left", "right", "cyclopean")))
    facts = with_units(
        unit, data.draw(st.sampled_from(("pixel", "px", None))), Columns=columns, RecordedEye=eye
    )
    everywhere = ("sub-01/beh/" + NAME, "sub-01/sub-01", "task-look", "task-look_recording-eye1")
    place = data.draw(st.sampled_from(everywhere))
    with tempfile.TemporaryDirectory() as folder:
        path = recording_in(Path(folder), None, rows, **{f"{place}_physio.json": facts})
        if data.draw(st.booleans()):
            plain = path.with_suffix("")
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            path = plain
        recording = read(path)
    np.testing.assert_allclose(recording.sample_table["t_ms"].to_numpy(), t - t[0], atol=1e-3)
    for name, values in (("x_px", x), ("y_px", y)):
        np.testing.assert_allclose(
            recording.sample_table[name].to_numpy(), np.where(seen, values, np.nan), rtol=1e-6
        )
    assert recording.eyes == {"cyclopean": "combined"}.get(eye, eye)
    assert not recording.dropped


def test_a_placeholder_says_what_it_is(tmp_path):
    path = tmp_path / "sub-01_task-read_recording-eye1_physio.tsv.gz"
    path.touch()
    with pytest.raises(
        InputError, match="is empty: a placeholder, as in the BIDS examples"
    ) as caught:
        read_head(path)
    assert caught.value.hint == "fetch the data themselves"


@pytest.mark.real_data
def test_real_sidecars_describe_a_table(exports, tmp_path):
    # The tables of the example are empty placeholders: with rows of ours, all that its sidecars say
    # is found.
    shutil.copytree(
        exports / "bids_eyetrack" / "bids_examples",
        tmp_path / "set",
        copy_function=copied,
    )
    name = "sub-01_task-FreeView_run-01_recording-eye1"
    folder = tmp_path / "set" / "eyetracking_binocular" / "sub-01" / "beh"
    folder.chmod(0o755)  # the data are read-only
    for suffix in ("physio", "physioevents"):
        with pytest.raises(InputError, match="is empty"):
            read_head(folder / f"{name}_{suffix}.tsv.gz")
    (folder / f"{name}_physio.tsv.gz").write_bytes(
        gzip.compress(b"5000\t1\t2\t3\n5001\t3\t2\t3\n5002\tn/a\tn/a\t0\n")
    )
    (folder / f"{name}_physioevents.tsv.gz").write_bytes(
        gzip.compress(b"5000\t2\tfixation\t0\tn/a\n")
    )
    head = read_head(folder / f"{name}_physio.tsv.gz")
    assert registry.detect(head).name == "bids"
    recording = bids.read(head, ReadOptions())
    assert (recording.eyes, recording.rate_hz, recording.origin_ms) == ("left", 1000, 5000)
    assert recording.screen == Screen(1919, 1079, 696, 391, 600)
    assert recording.event_table["x_px"].to_pylist() == [2]
    assert recording.tracker.startswith("SR-Research EYELINK II")


def copied(source, target):
    return shutil.copyfile(source, target)  # without its mode


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("bids", tmp_path / "sub-1_eyetrack.tsv"), monkeypatch)
    assert len(found.samples) > 200


OWN = [
    "onset",
    "duration",
    "trial_type",
    "eye",
    "trial",
    "stimulus",
    "index",
    "x_coordinate",
    "pupil_size",
]
OWN_FACTS = {"Columns": OWN, "onset": {"Units": "ms"}, "duration": {"Units": "ms"}}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("second", "index"), [("8", [7, 8]), ("n/a", [1, 2])])
def test_own_columns_of_events_are_read_back(second, index, header, tmp_path):
    rows = "4\t8\tfixation\tleft\t1\ta.png\t7\t500.5\t33\n"
    rows += f"12\t4\tfixation\tmiddle\t1\tn/a\t{second}\tn/a\tn/a\n"
    facts = OWN_FACTS
    if header:  # as before BIDS 1.11
        rows = "\t".join(OWN) + "\n" + rows
        facts = facts | {"Columns": None}
    events = read(with_events(tmp_path, rows, **facts)).event_table.to_pandas()
    assert events["eye"].tolist() == ["left", ""]
    assert events["stimulus"].tolist() == ["a.png", ""]
    assert events["index"].tolist() == index
    np.testing.assert_array_equal(events["x_px"], np.float32([500.5, np.nan]))
    np.testing.assert_array_equal(events["pupil"], np.float32([33, np.nan]))


def test_fixations_have_no_place_where_the_times_step_back(tmp_path):
    path = with_events(tmp_path, "4\t8\tfixation\n", onset={"Units": "ms"})
    lines = ROWS.splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    recording = read(path)
    assert np.isnan(recording.event_table["x_px"].to_pylist()).all()
    assert "times step back: fixations have no position" in recording.notes


def test_events_without_fixations_need_no_place(tmp_path):
    recording = read(with_events(tmp_path, "4\t8\tblink\n", onset={"Units": "ms"}))
    assert recording.event_table["kind"].to_pylist() == ["blink"]
    assert not any("mean of their samples" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (4, "time unit inferred from the sampling rate: ms"),
        (400, "time taken as ms: no sidecar gives its unit"),
    ],
)
def test_a_unit_of_time_that_fits_no_rate_is_ms(step, words, tmp_path):
    rows = "".join(f"{1000 + step * i}\t400\t300\t900\n" for i in range(6))
    recording = read(recording_in(tmp_path, FACTS | {"timestamp": {}}, rows))
    assert recording.sample_table["t_ms"].to_pylist() == [step * i for i in range(6)]
    assert words in recording.notes


def test_marks_of_loss_are_places_where_missing_gaze_is_written_otherwise(tmp_path):
    rows = "".join(f"{1000 + 4 * i}\t-1\t-1\t900\n" for i in range(6))
    stated = read(recording_in(tmp_path, FACTS | {"MissingGaze": "n/a"}, rows))
    assert stated.sample_table["x_px"].to_pylist() == [-1] * 6
    assert np.isnan(read(recording_in(tmp_path, FACTS, rows)).sample_table["x_px"]).all()


def test_short_rows_of_events_are_told(tmp_path):
    path = with_events(tmp_path, "4\t8\tfixation\n12\t4\n16\t4\tblink\n", onset={"Units": "ms"})
    recording = read(path)
    assert recording.event_table["kind"].to_pylist() == ["fixation", "message", "blink"]
    (note,) = (note for note in recording.notes if "of the physioevents file beside it" in note)
    assert note.startswith("1 rows of the physioevents file beside it shorter than the header")
