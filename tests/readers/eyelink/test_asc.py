import gzip

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Level, ReadOptions, read_head
from gazetrack.readers.eyelink import asc as eyelink_asc
from gazetrack.readers.reading import CUT_OFF
from gazetrack.tables.geometry import with_geometry
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen
from tests.contracts import _check_equal
from tests.places import GOLDEN

EXPORT = GOLDEN / "eyelink_asc"
HEADER = (
    "START\t100 \tLEFT\tSAMPLES\tEVENTS\n"
    "SAMPLES\tGAZE\tLEFT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2\n"
)
SAMPLE = "{}\t  10.0\t  20.0\t  900.0\t...\n"


def write(tmp_path, text, name="a.asc"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path, **more):
    return eyelink_asc.read(read_head(path), ReadOptions(), **more)


def refused(tmp_path, text):
    with pytest.raises(ParseError) as caught:
        read(write(tmp_path, text))
    return caught.value


@pytest.mark.parametrize("step", [61, pytest.param(7, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", ["mono_inputs", "remote_href", "no_header"])
def test_where_the_blocks_end_does_not_matter(case, step, tmp_path):
    source = (EXPORT / case / "input.asc").read_bytes()
    for data in (source, source.replace(b"\r\r\n", b"\n").replace(b"\n", b"\r")):
        path = write(tmp_path, data)
        whole = read(path)
        for size in range(1, len(data) + 1, 1 + step // 10 if len(data) < 400 else step):
            _check_equal(read(path, block_bytes=size), whole)


def test_utf16_reads_as_utf8(tmp_path):
    text = HEADER + SAMPLE.format(100) + "MSG\t101 Größe\n"
    wide, narrow = (
        read(write(tmp_path, text.encode("utf-16"), "b.asc")),
        read(write(tmp_path, text, "b.asc")),
    )
    _check_equal(wide, narrow)
    assert narrow.event_table["text"].to_pylist() == ["Größe"]


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("DISPLAY_COORDS 0 0 1023 767", (1024, 768)),
        ("DISPLAY_COORDS = 0 0 1919 1079", (1920, 1080)),
        ("GAZE_COORDS 0.00 0.00 1920.00 1080.00", (1920, 1080)),
        ("GAZE_COORDS 0.00 0.00 1679.00 1049.00", (1680, 1050)),
        ("DISPLAY_COORDS 0 0 999999999 999999999", None),
        ("DISPLAY_COORDS 0 0 wide 767", None),
        ("DISPLAY_COORDS", None),
    ],
)
def test_screen(message, size, tmp_path):
    recording = read(write(tmp_path, f"MSG\t90 {message}\n" + HEADER + SAMPLE.format(100)))
    assert recording.screen == (size and Screen(*size))
    assert bool(recording.notes) == (size is None)


def test_images_have_places_when_the_message_says_so(tmp_path):
    messages = [
        "DISPLAY_COORDS 0 0 799 599",
        "TRIALID 1",
        "!V IMGLOAD FILL c:\\pics\\a.png",
        "!V IMGLOAD TOP_LEFT pics/b.png 10 20 300 200",
        "!V IMGLOAD TOP_LEFT c.png 10 20",
    ]
    text = (
        "".join(f"MSG\t{90 + i} {message}\n" for i, message in enumerate(messages))
        + HEADER
        + SAMPLE.format(100)
    )
    recording = read(write(tmp_path, text))
    assert recording.placements == {
        "a.png": Placement(0, 0, 800, 600, 800, 600),
        "b.png": Placement(10, 20, 300, 200, 300, 200),
    }
    assert recording.sample_table["stimulus"].to_pylist() == ["c.png"]


def test_image_at_two_places_has_none(tmp_path):
    text = (
        "MSG\t1 !V IMGLOAD TOP_LEFT a.png 0 0 10 10\nMSG\t2 !V IMGLOAD TOP_LEFT a.png 5 0 10 10\n"
    )
    recording = read(write(tmp_path, text + HEADER + SAMPLE.format(100)))
    assert not recording.placements
    assert "several places" in recording.notes[0]


def test_event_belongs_to_the_trial_of_its_onset(tmp_path):
    text = "MSG\t99 TRIALID one\n" + HEADER + SAMPLE.format(100)
    text += (
        "MSG\t110 TRIALID two\nEFIX L   100\t112\t14\t  10.0\t  20.0\t    900\n"
        + SAMPLE.format(112)
    )
    recording = read(write(tmp_path, text))
    rows = {row["kind"]: row for row in recording.event_table.to_pylist()}
    assert (rows["fixation"]["trial"], rows["fixation"]["duration_ms"]) == ("one", 14.0)
    assert recording.sample_table["trial"].to_pylist() == ["one", "two"]


def test_eyes_may_change_between_blocks(tmp_path):
    text = (
        HEADER
        + SAMPLE.format(100)
        + "END\t102\n"
        + HEADER.replace("LEFT", "RIGHT")
        + SAMPLE.format(200)
    )
    recording = read(write(tmp_path, text))
    np.testing.assert_array_equal(recording.sample_table["left_x_px"], np.float32([10, np.nan]))
    np.testing.assert_array_equal(recording.sample_table["right_x_px"], np.float32([np.nan, 10]))
    assert recording.eyes == "binocular"


def test_2000_hz_in_whole_milliseconds(tmp_path):
    text = HEADER.replace(" 500", "2000") + "".join(SAMPLE.format(t) for t in (100, 100, 101, 101))
    recording = read(write(tmp_path, text))
    assert recording.sample_table["t_ms"].to_pylist() == [0.0, 0.5, 1.0, 1.5]
    assert "2000 Hz" in recording.notes[0]


def test_any_word_may_stand_for_a_missing_value(tmp_path):
    recording = read(write(tmp_path, HEADER + "100\tlost\tlost\t0.0\t...\n"))
    assert np.isnan(recording.sample_table["x_px"].to_pylist()[0])


def test_events_alone_are_enough(tmp_path):
    recording = read(write(tmp_path, "EFIX R   100\t112\t14\t  10.0\t  20.0\t    900\n"))
    assert recording.sample_table is None
    assert recording.event_table["duration_ms"].to_pylist() == [14.0]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEADER + SAMPLE.format(100) + "102\t 10.0\n", 4, "a sample without time and 3 values"),
        (HEADER + SAMPLE.format(100) + "10x\t 1 2 3 ...\n", 4, "a sample without time"),
        (HEADER + "EFIX L 100\n", 3, "EFIX line with 3 fields"),
        (HEADER + "EFIX X 100 112 14 1 2 3\n", 3, "EFIX of no eye"),
        (HEADER + "MSG soon hello\n", 3, "MSG line without a time"),
        (HEADER.replace("GAZE", "PUPIL"), 2, "those of the pupil in the camera's image"),
        (HEADER + HEADER.replace("GAZE", "HREF"), 4, "HREF in some blocks and pixels in others"),
        (HEADER + SAMPLE.format(100) + "1\0\n", 4, "a NUL byte"),
        (HEADER + SAMPLE.format(100) + "M" * (1024 * 1024 + 1) + "\n", 4, "a line of more than"),
        (HEADER + SAMPLE.format(100) + "M" * (3 * 1024 * 1024), 4, "a line of more than"),
        (HEADER, None, "no samples and no events"),
    ],
)
def test_damage_is_named_with_its_line(text, line, what, tmp_path):
    error = refused(tmp_path, text)
    assert error.line == line
    assert what in str(error)


def test_truncated_gzip(tmp_path):
    packed = gzip.compress(
        (HEADER + "".join(SAMPLE.format(t * 7919) for t in range(100, 20000))).encode()
    )
    with pytest.raises(ParseError, match="ends in the middle"):
        read(write(tmp_path, packed[: len(packed) // 2], "a.asc.gz"))


def test_nothing_of_the_header_is_kept_but_model_and_version(tmp_path):
    text = (EXPORT / "mono_inputs" / "input.asc").read_text()
    recording = read(write(tmp_path, text))
    assert (recording.tracker, recording.software) == ("EYELINK II CL v6.12", "edfapi 4.2.1")
    assert recording.start_ns is None


def test_sniff_says_no_to_other_text(tmp_path):
    assert eyelink_asc.sniff(read_head(write(tmp_path, "x,y,t\n1,2,3\n"))) == NO
    assert eyelink_asc.sniff(read_head(write(tmp_path, SAMPLE.format(1) * 3))).level == Level.LIKELY


BLOCK = (
    HEADER
    + "".join(SAMPLE.format(t) for t in (100, 102, 104))
    + "END\t106 \tSAMPLES\tEVENTS\tRES\t 30 30\n"
)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (BLOCK + BLOCK.replace("START\t100", "START\t90"), 7, "START 90 after START 100"),
        (f"** CONVERTED FROM a.edf\n{BLOCK}** CONVERTED FROM b.edf\n{BLOCK}", 8, "a second header"),
        (
            SAMPLE.format(90_000) + SAMPLE.format(90_002) + SAMPLE.format(10),
            3,
            "a sample at 10 after one at 90002",
        ),
    ],
)
def test_two_recordings_in_one_file_are_refused(text, line, what, tmp_path):
    error = refused(tmp_path, text)
    assert error.line == line
    assert what in str(error)


def test_a_little_disorder_is_noted_and_read(tmp_path):
    recording = gazetrack.read(
        write(tmp_path, HEADER + "".join(SAMPLE.format(t) for t in (100, 104, 102, 106)))
    )
    assert recording.sample_table.num_rows == 4
    assert "the clock steps back 1 times, by 2 ms at most" in recording.notes


def eye_line(t, x, pupil):
    return f"{t}\t  {x}\t  20.0\t  {pupil}\t...\n"


def test_positions_stay_where_every_pupil_is_0(tmp_path):
    text = (
        HEADER
        + "".join(eye_line(100 + 2 * i, 10.0 + i, "0.0") for i in range(50))
        + "200\t   .\t   .\t    0.0\t...\n"
    )
    recording = read(write(tmp_path, text))
    np.testing.assert_array_equal(
        recording.sample_table["left_x_px"], [*np.arange(10, 60, dtype=np.float32), np.nan]
    )
    np.testing.assert_array_equal(
        recording.sample_table["x_px"], recording.sample_table["left_x_px"]
    )
    assert np.isnan(recording.sample_table["left_pupil"]).all()
    assert recording.loss == pytest.approx(1 / 51)
    assert any("every pupil size is 0" in note for note in recording.notes)


@pytest.mark.parametrize("block_bytes", [40, 1 << 20])
def test_pupil_0_is_a_lost_eye_where_other_samples_have_pupils(tmp_path, block_bytes):
    pupils = ["0.0", "0.0", "900.0", "0.0"]
    text = HEADER + "".join(eye_line(100 + 2 * i, 10.0, pupil) for i, pupil in enumerate(pupils))
    recording = read(write(tmp_path, text), block_bytes=block_bytes)
    for name in ("left_x_px", "left_y_px", "x_px", "y_px", "left_pupil"):
        assert np.isnan(recording.sample_table[name]).tolist() == [True, True, False, True], name
    assert not recording.notes


def test_two_eyes_without_pupils(tmp_path):
    header = HEADER.replace("LEFT", "LEFT\tRIGHT")
    text = (
        header
        + "100\t 10.0\t 20.0\t 0.0\t 30.0\t 40.0\t 0.0\t.....\n"
        + "102\t . \t .\t 0.0\t 30.0\t 40.0\t 0.0\t.....\n"
    )
    recording = read(write(tmp_path, text))
    assert recording.sample_table["x_px"].to_pylist() == [20.0, 30.0]


def test_values_that_are_no_numbers_are_counted_with_the_first_line(tmp_path):
    text = (
        HEADER
        + SAMPLE.format(100)
        + "102\t  10,5\t  20,5\t  900.0\t...\n"
        + "104\t  .\t  .\t  0.0\t...\n"
    )
    recording = read(write(tmp_path, text))
    assert recording.notes == (
        "2 values of samples are no numbers, the first '10,5' in line 4: missing",
    )
    assert recording.loss == pytest.approx(2 / 3)


def test_decimal_commas_throughout_are_refused(tmp_path):
    text = HEADER + "100\t  10,5\t  20,5\t  900,0\t...\n102\t  ,\t  ,\t  0,0\t...\n"
    error = refused(tmp_path, text)
    assert (error.line, error.what) == (3, "numbers with a decimal comma: '10,5'")


def test_artefact_events_are_left_out_and_counted(tmp_path):
    text = (
        HEADER
        + SAMPLE.format(100)
        + "EBLINK L 112 100 14\nEFIX L   100\t112\t14\t  10.0\t  20.0\t    900\n"
    )
    text += (
        "EBLINK R 0 110 14\nESACC L 4294967295 120 14 1 2 3 4 5 6\nEFIX L 110 4294967295 14 1 2 3\n"
    )
    text += "ESACC L 113 111 14 1 2 3 4 5 6\n"
    recording = read(write(tmp_path, text))
    assert recording.event_table["kind"].to_pylist() == ["fixation"]
    assert recording.dropped == {
        "event that ends before it starts": 2,
        "event of unknown time": 2,
    } | {"event that starts before the recording": 1}
    assert recording.rows_in == 1 + 1 + 5


def test_rates_of_blocks_are_kept_where_they_change(tmp_path):
    later = HEADER.replace("START\t100", "START\t200").replace(" 500", "2000")
    samples = "".join(SAMPLE.format(t) for t in (200, 200, 201, 201))
    fixations = "EFIX L   {}\t{}\t14\t  10.0\t  20.0\t    900\n"
    text = (
        HEADER + SAMPLE.format(100) + SAMPLE.format(102) + fixations.format(100, 102) + "END\t104\n"
    )
    recording = read(write(tmp_path, text + later + samples + fixations.format(200, 201)))
    assert (recording.rate_hz, recording.rates_hz) == (None, ((0.0, 500.0), (100.0, 2000.0)))
    assert recording.sample_table["t_ms"].to_pylist() == [0.0, 2.0, 100.0, 100.5, 101.0, 101.5]
    assert recording.event_table["duration_ms"].to_pylist() == [4.0, 1.5]
    one = read(write(tmp_path, text, "b.asc"))
    assert (one.rate_hz, one.rates_hz) == (500.0, ())


@pytest.mark.parametrize(
    ("line", "measure"), [("PUPIL\tAREA\n", "area"), ("PUPIL\tDIAMETER\n", "diameter"), ("", "")]
)
def test_what_pupil_sizes_measure_is_told(line, measure, tmp_path):
    assert read(write(tmp_path, HEADER + line + SAMPLE.format(100))).pupil_measure == measure


def angle_between(one, other):
    """The angle between two HREF positions, degrees, by the formula of the EyeLink 1000 manual."""
    (x1, y1), (x2, y2), f2 = one, other, 15000.0**2
    lengths = np.sqrt((f2 + x1**2 + y1**2) * (f2 + x2**2 + y2**2))
    return np.degrees(np.arccos((f2 + x1 * x2 + y1 * y2) / lengths))


def angle_seen(screen, one, other):
    """The same for two positions on the plane of our tables, from its size and distance alone."""
    rays = [
        np.array([x - screen.width_px / 2, y - screen.height_px / 2, screen.distance_mm])
        for x, y in (one, other)
    ]
    assert screen.width_mm == screen.width_px  # so that the third coordinate is in pixels, too
    return np.degrees(np.arccos(rays[0] @ rays[1] / np.prod([np.linalg.norm(ray) for ray in rays])))


HREF = [(0, 0), (-3000, 1200), (5359, -3060), (9000, 9000)]


def href_lines(events=True, samples=True):
    lines = (
        [f"{100 + 2 * i}\t{x}\t{y}\t900.0\t...\n" for i, (x, y) in enumerate(HREF)]
        if samples
        else []
    )
    numbers = "\t".join(str(value) for point in (HREF[1], HREF[2]) for value in point)
    lines += [
        f"ESACC L 100\t104\t6\t{numbers}\t10.00\t400\n",
        "EFIX L 102\t104\t4\t-3000\t1200\t900\n",
    ]
    return "".join(lines if events else lines[:-2])


def test_href_becomes_degrees(tmp_path):
    header = "MSG\t90 DISPLAY_COORDS 0 0 1023 767\n" + HEADER.replace("GAZE", "HREF")
    header += "EVENTS\tHREF\tLEFT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2\n"
    recording = read(write(tmp_path, header + href_lines()))
    points = np.column_stack(
        [recording.sample_table[name].to_numpy().astype(float) for name in ("x_px", "y_px")]
    )
    for i, j in ((0, 1), (1, 2), (2, 3)):
        assert angle_seen(recording.screen, points[i], points[j]) == pytest.approx(
            angle_between(HREF[i], HREF[j]), 1e-4
        )
    rows = {row["kind"]: row for row in recording.event_table.to_pylist()}
    assert [rows["fixation"][name] for name in ("x_px", "y_px")] == pytest.approx(points[1])
    saccade = rows["saccade"]
    ends = (saccade["x_px"], saccade["y_px"]), (saccade["end_x_px"], saccade["end_y_px"])
    assert angle_seen(recording.screen, *ends) == pytest.approx(
        angle_between(HREF[1], HREF[2]), 1e-4
    )
    assert (recording.directions, recording.placements) == (True, {})
    assert any(
        "directions of the eye (HREF), not places on the screen" in note for note in recording.notes
    )


def test_a_screen_of_the_users_does_not_change_directions(tmp_path):
    recording = read(write(tmp_path, HEADER.replace("GAZE", "HREF") + href_lines(events=False)))
    given = with_geometry(recording, Screen(1920, 1080, 531.0, 299.0, 650.0))
    assert given.screen == recording.screen
    assert "--screen and --fov are not used" in given.notes[-1]


def test_events_in_href_alone_become_degrees(tmp_path):
    header = "EVENTS\tHREF\tLEFT\tRATE\t 500.00\n"
    recording = read(write(tmp_path, header + href_lines(samples=False)))
    assert recording.directions
    row = next(row for row in recording.event_table.to_pylist() if row["kind"] == "fixation")
    assert (row["x_px"], row["y_px"]) == pytest.approx((2000 - 200, 2000 + 80))


def test_events_in_pixels_win_over_samples_in_href(tmp_path):
    header = "MSG\t90 DISPLAY_COORDS 0 0 1023 767\n" + HEADER.replace("GAZE", "HREF")
    recording = read(
        write(tmp_path, header + href_lines(events=False) + "EFIX L 102\t104\t4\t500\t400\t900\n")
    )
    assert recording.sample_table is None
    assert recording.dropped == {"sample in HREF beside events in px": 4}
    assert (recording.directions, recording.screen.width_px) == (False, 1024)
    fixation = next(row for row in recording.event_table.to_pylist() if row["kind"] == "fixation")
    assert (fixation["x_px"], fixation["y_px"]) == (500, 400)
    assert recording.rows_in == 4 + recording.event_table.num_rows


@pytest.mark.real_data
def test_the_angle_between_the_ends_of_a_saccade_is_the_trackers_own_amplitude(data_dir, tmp_path):
    """Where events are in HREF, the amplitude that the tracker wrote is the angle that we see."""
    export = data_dir / "exports" / "eyelink_asc" / "sp_tool_eyelink_data_example.asc"
    events = [
        line
        for line in export.read_text(errors="replace").splitlines(True)
        if not line[:1].isdigit()
    ]
    recording = read(write(tmp_path, "".join(events)))
    saccades = [row for row in recording.event_table.to_pylist() if row["kind"] == "saccade"]
    ends = [((row["x_px"], row["y_px"]), (row["end_x_px"], row["end_y_px"])) for row in saccades]
    seen = np.array([angle_seen(recording.screen, *pair) for pair in ends])
    stated = np.array([row["amplitude_deg"] for row in saccades])
    known = np.isfinite(seen)
    assert known.sum() > 60
    assert np.abs(seen - stated)[known].max() < 0.011  # it is written with two decimals


def test_times_before_an_event_from_which_a_tool_counts_are_read(tmp_path):
    text = HEADER.replace("START\t100", "START\t-4") + "".join(
        SAMPLE.format(t) for t in (-4, -2, 0, 2)
    )
    recording = read(write(tmp_path, text + "EFIX L -4 2 8 10.0 20.0 900\n"))
    assert recording.origin_ms == -4
    assert recording.sample_table["t_ms"].to_pylist() == [0, 2, 4, 6]
    assert recording.event_table["onset_ms"].to_pylist() == [0]
    assert (recording.rows_in, recording.dropped) == (5, {})


@pytest.mark.parametrize(
    ("started", "sampled", "what"),
    [
        ("LEFT", "RIGHT", "SAMPLES of RIGHT after START with LEFT"),
        ("LEFT", "LEFT\tRIGHT", "SAMPLES of LEFT and RIGHT after START with LEFT"),
        (
            "LEFT\tRIGHT",
            "RIGHT",
            "samples of the right eye alone, but eye movements of the left one",
        ),
    ],
)
def test_a_samples_line_that_names_another_eye_is_refused(started, sampled, what, tmp_path):
    header = HEADER.replace("\tLEFT\tSAMPLES", f"\t{started}\tSAMPLES").replace(
        "GAZE\tLEFT", f"GAZE\t{sampled}"
    )
    error = refused(
        tmp_path,
        header + SAMPLE.format(100) + SAMPLE.format(102) + "EFIX L 100 102 4 10.0 20.0 900\n",
    )
    assert error.line == 2
    assert what in str(error)


def test_blanks_of_other_scripts_are_blanks(tmp_path):
    text = HEADER + SAMPLE.format(100) + "\u00a0\n"
    text += "EFIX L\u00a0100\u00a0112\u00a014\u00a010.0\u00a020.0\u00a0900\n"
    recording = read(write(tmp_path, text))
    (fixation,) = recording.event_table.to_pylist()
    found = tuple(fixation[name] for name in ("kind", "eye", "onset_ms", "x_px", "pupil"))
    assert found == ("fixation", "left", 0.0, 10.0, 900.0)
    assert recording.dropped == {}


def test_pupils_that_are_measured_in_two_ways_are_told(tmp_path):
    text = HEADER + "PUPIL\tAREA\n" + SAMPLE.format(100) + "END\t102\n"
    text += HEADER.replace("100", "200") + "PUPIL\tDIAMETER\n" + SAMPLE.format(200)
    recording = read(write(tmp_path, text))
    assert "pupil sizes are areas in some blocks and diameters in others" in recording.notes


@pytest.mark.parametrize("rate", ["RATE\t 0", "RATE\t 20000", "RATE\tfast", ""])
def test_a_rate_that_cannot_be_is_none(rate, tmp_path):
    recording = read(write(tmp_path, HEADER.replace("RATE\t 500.00", rate) + SAMPLE.format(100)))
    assert recording.rate_hz is None
    said = "a sampling rate in the header is not usable: ignored" in recording.notes
    assert said == bool(rate)


DIRECTIONS = "EVENTS\tHREF\tLEFT\tRATE\t 500.00\n"
SACCADE = "ESACC L {} {} 6 -900 1 1200 3 4.5 200\n"


def places(recording):
    events = recording.event_table.to_pandas()
    return events[["x_px", "y_px", "end_x_px", "end_y_px"]].to_numpy()


def test_a_saccade_in_directions_is_where_the_samples_in_pixels_are(tmp_path):
    text = HEADER + DIRECTIONS
    text += "".join(eye_line(100 + 2 * i, 10.0 + i, "900.0") for i in range(4))
    # The second one is behind the last sample: nobody knows where.
    recording = read(write(tmp_path, text + SACCADE.format(102, 106) + SACCADE.format(300, 304)))
    nowhere = [np.nan] * 4
    np.testing.assert_array_equal(places(recording), [[11, 20, 13, 20], nowhere])
    assert recording.event_table["amplitude_deg"].to_pylist() == [4.5, 4.5]
    assert any("2 events have positions in HREF" in note for note in recording.notes)


def test_samples_in_no_order_do_not_tell_where_events_are(tmp_path):
    text = HEADER + DIRECTIONS + "".join(SAMPLE.format(t) for t in (100, 104, 102, 106))
    recording = read(write(tmp_path, text + SACCADE.format(100, 106)))
    assert np.isnan(places(recording)).all()


def test_directions_among_pixels_without_samples_have_no_place(tmp_path):
    fixation = "EFIX L   {}\t{}\t14\t  10.0\t  20.0\t    900\n"
    text = HEADER + fixation.format(100, 112) + DIRECTIONS + fixation.format(120, 132)
    recording = read(write(tmp_path, text))
    assert recording.sample_table is None
    np.testing.assert_array_equal(recording.event_table["x_px"], np.float32([10, np.nan]))


def test_the_first_screen_counts(tmp_path):
    messages = "MSG\t90 DISPLAY_COORDS 0 0 1023 767\nMSG\t91 DISPLAY_COORDS 0 0 799 599\n"
    recording = read(write(tmp_path, messages + HEADER + SAMPLE.format(100)))
    assert recording.screen == Screen(1024, 768)


def test_the_name_of_an_image_ends_before_its_numbers(tmp_path):
    load = "MSG\t90 !V IMGLOAD CENTER my old image.png 400 300 200\n"
    recording = read(write(tmp_path, load + HEADER + SAMPLE.format(100)))
    assert recording.sample_table["stimulus"].to_pylist() == ["my old image.png"]
    assert recording.placements == {}  # three numbers are no place and size


def test_the_header_of_edf2asc_is_enough_to_know_it(tmp_path):
    text = "** CONVERTED FROM a.edf using edfapi 4.2.1 Linux\n** DATE: unknown\n" + HEADER
    verdict = eyelink_asc.sniff(read_head(write(tmp_path, text)))
    assert (verdict.level, verdict.reason) == (Level.CERTAIN, "header of edf2asc")


def test_a_last_line_without_its_end_is_used_and_said_or_left_out_and_counted(tmp_path):
    rows = "".join(map(SAMPLE.format, (100, 102, 104)))
    path = write(tmp_path, HEADER + rows.rstrip("\n"))
    used = gazetrack.read(path)
    assert used.sample_table["t_ms"].to_pylist() == [0, 2, 4]
    assert not used.dropped
    (note,) = used.notes
    assert note.startswith("the last line has no line end: the file may be cut off there")
    salvaged = gazetrack.read(path, salvage=True)
    assert salvaged.sample_table["t_ms"].to_pylist() == [0, 2]
    assert salvaged.dropped == {CUT_OFF: 1}
    assert not salvaged.notes


@pytest.mark.parametrize("salvage", [False, True])
def test_blanks_behind_the_last_line_end_are_nothing(tmp_path, salvage):
    path = write(tmp_path, HEADER + SAMPLE.format(100) + "  ")
    found = gazetrack.read(path, salvage=salvage)
    assert found.sample_table["t_ms"].to_pylist() == [0]
    assert (found.dropped, found.notes) == ({}, ())
