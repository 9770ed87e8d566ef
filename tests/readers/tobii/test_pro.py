import numpy as np
import pytest

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers import registry
from gazetrack.readers.base import NO, Level, ReadOptions, read_head
from gazetrack.readers.tobii import pro as tobii_pro
from gazetrack.readers.tobii.columns import SCREEN_MM
from gazetrack.readers.tobii.events import _Rows
from gazetrack.readers.tobii.units import Positions
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen

HEADER = (
    "Recording timestamp\tRecording name\tGaze point X\tGaze point Y\t"
    "Eye movement type\tEye movement type index"
)


def read(tmp_path, header, rows):
    path = tmp_path / "a.tsv"
    path.write_text(
        "\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8"
    )
    return tobii_pro.read(read_head(path), ReadOptions())


@pytest.mark.parametrize(
    ("unit", "step", "times"),
    [
        ("", 17, [0, 17]),
        ("", 16667, [0, 16.667]),
        (" [ms]", 1000, [0, 1000]),
        (" [μs]", 17, [0, 0.017]),
        (" [s]", 0.017, [0, 17]),
    ],
)
def test_time_units(unit, step, times, tmp_path):
    header = HEADER.replace("timestamp", f"timestamp{unit}")
    recording = read(tmp_path, header, [(0, "r", 1, 2, "", ""), (step, "r", 1, 2, "", "")])
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx(times)
    assert bool(recording.notes) == (unit != " [ms]")


@pytest.mark.parametrize("by_name", [True, False])
def test_raw_filter_has_no_fixations(by_name, tmp_path):
    header = HEADER + ("\tRecording Fixation filter name" if by_name else "")
    rows = [
        (17 * i, "r", 1, 2, "Fixation", i + 1, *(["Raw"] if by_name else [])) for i in range(12)
    ]
    recording = read(tmp_path, header, rows)
    assert recording.event_table.num_rows == 0
    assert "filter Raw" in recording.notes[-1]


def test_durations_and_positions_come_from_samples_when_not_exported(tmp_path):
    rows = [(10 * i, "r", i, 2 * i, "Fixation", 1) for i in range(3)]
    (event,) = read(tmp_path, HEADER, rows).event_table.to_pylist()
    assert (event["onset_ms"], event["duration_ms"], event["x_px"], event["y_px"]) == (0, 30, 1, 2)


@pytest.mark.parametrize("missing", ["X", "Y"])
def test_a_fixation_without_one_of_its_coordinates_is_noted(missing, tmp_path):
    header = HEADER + "\tFixation point X\tFixation point Y"
    stated = ("", 7) if missing == "X" else (9, "")
    rows = [(10 * i, "r", i, 2 * i, "Fixation", 1, *stated) for i in range(3)]
    recording = read(tmp_path, header, rows)
    (event,) = recording.event_table.to_pylist()
    assert (event["x_px"], event["y_px"]) == ((1, 7) if missing == "X" else (9, 2))
    assert "1 fixations without a position: mean of their samples" in recording.notes


def test_numbers_of_events_may_restart_in_each_recording(tmp_path):
    rows = [(10 * i, name, 5, 5, "Fixation", 1) for name in "ab" for i in range(3)]
    events = read(tmp_path, HEADER, rows).event_table.to_pylist()
    assert [(event["recording"], event["index"]) for event in events] == [("a", 1), ("b", 1)]


def test_events_without_numbers_are_runs_of_one_type(tmp_path):
    header = HEADER.rsplit("\t", 1)[0]
    kinds = ["Fixation", "Fixation", "Saccade", "Fixation"]
    events = read(
        tmp_path, header, [(10 * i, "a", 5, 5, kind) for i, kind in enumerate(kinds)]
    ).event_table.to_pylist()
    assert [(event["kind"], event["index"]) for event in events] == [
        ("fixation", 1),
        ("saccade", 1),
        ("fixation", 2),
    ]


def test_metrics_exports_are_not_this_format(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("Recording\tParticipant\tTOI\tTotal_duration_of_fixations\nR\tP\tT\t5\n")
    assert tobii_pro.sniff(read_head(path)) == NO
    with pytest.raises(ParseError, match="Recording timestamp"):
        tobii_pro.read(read_head(path), ReadOptions())


def test_without_rows_of_the_eye_tracker(tmp_path):
    with pytest.raises(ParseError, match="no rows of the eye tracker"):
        read(tmp_path, HEADER + "\tSensor", [(0, "r", "", "", "", "", "Mouse")])


def test_one_missing_number_does_not_merge_fixations(tmp_path):
    rows = [(10 * i, "r", 100 * (i // 3), 5, "Fixation", 1 + i // 3) for i in range(9)]
    rows[4] = (*rows[4][:5], "")
    recording = read(tmp_path, HEADER, rows)
    assert [event["index"] for event in recording.event_table.to_pylist()] == [1, 2, 3]
    assert [event["onset_ms"] for event in recording.event_table.to_pylist()] == [0, 30, 60]
    assert any("1 samples without an eye movement index" in note for note in recording.notes)


def test_a_movement_without_any_number_stays_one_of_its_own(tmp_path):
    kinds = [
        ("Fixation", 1),
        ("Fixation", 1),
        ("Saccade", 1),
        ("Fixation", ""),
        ("Fixation", ""),
        ("Saccade", 2),
    ]
    recording = read(tmp_path, HEADER, [(10 * i, "r", 5, 5, *kind) for i, kind in enumerate(kinds)])
    found = [
        (event["kind"], event["onset_ms"], event["index"])
        for event in recording.event_table.to_pylist()
    ]
    assert found == [
        ("fixation", 0, 1),
        ("saccade", 20, 1),
        ("fixation", 30, 2),
        ("saccade", 50, 2),
    ]


DURATIONS = HEADER + "\tGaze event duration"


def test_a_fixation_cut_by_the_start_of_an_excerpt_begins_before_it(tmp_path):
    rows = [(10 * i, "r", 5, 5, "Fixation", 7, 90) for i in range(3)]
    rows += [(10 * i, "r", 5, 5, "Saccade", 3, 20) for i in (3, 4)]
    rows += [(10 * i, "r", 5, 5, "Fixation", 8, 30) for i in (5, 6, 7)]
    recording = read(tmp_path, DURATIONS, rows)
    found = [
        (event["onset_ms"], event["duration_ms"]) for event in recording.event_table.to_pylist()
    ]
    assert found == [(-60, 90), (30, 20), (50, 30)]
    assert "begin before their first sample" in recording.notes[-1]


def test_a_duration_that_cannot_be_true_gives_way_to_the_samples(tmp_path):
    rows = [
        (10 * i, "r", 5, 5, "Fixation", 1 + i // 2, 900 if i // 2 == 1 else 20) for i in range(6)
    ]
    recording = read(tmp_path, DURATIONS, rows)
    found = [
        (event["onset_ms"], event["duration_ms"]) for event in recording.event_table.to_pylist()
    ]
    assert found == [(0, 20), (20, 20), (40, 20)]
    assert "last as long as their samples" in recording.notes[-1]


def test_minus_one_is_missing(tmp_path):
    header = (
        HEADER
        + "\tGaze event duration\tPupil left\tPupil right\tFixation point x\tFixation point y"
    )
    rows = [
        (0, "r", -1, -1, "Fixation", 1, -1, "-1.00", 4, -1, -1),
        (10, "r", -1, 20, "Fixation", 1, -1, 3, "-1.00", -1, -1),
    ]
    recording = read(tmp_path, header, rows)
    nan = float("nan")
    assert recording.sample_table["x_px"].to_pylist() == pytest.approx(
        [nan, -1], nan_ok=True
    )  # alone, beside the screen
    assert recording.sample_table["left_pupil"].to_pylist() == pytest.approx([nan, 3], nan_ok=True)
    assert recording.sample_table["right_pupil"].to_pylist() == pytest.approx([4, nan], nan_ok=True)
    (event,) = recording.event_table.to_pylist()
    assert [event[name] for name in ("duration_ms", "x_px", "y_px", "pupil")] == [20, -1, 20, 3.5]


RNG = np.random.default_rng(3)
# Points on a screen of 1600 x 900 pixels, and on an image of 400 x 300, shown there twice as large
# at (200, 100).
POINTS = RNG.uniform((200, 100), (1000, 700), (8, 3, 2))
NAMES = ("Gaze point {} {}", "Gaze point left {} {}", "Gaze point right {} {}")
SHOWN = {
    "Presented Media name": "a.png",
    "Presented Media width [px]": 800,
    "Presented Media height [px]": 600,
}
PLACE = {"Presented Media position X [DACS px]": 200, "Presented Media position Y [DACS px]": 100}
OWN = {"Original Media width [px]": 400, "Original Media height [px]": 300}
RESOLUTION = {"Recording resolution width [px]": 1600, "Recording resolution height [px]": 900}
IN_UNIT = {
    "[DACS px]": lambda xy: xy,
    "[DACS norm]": lambda xy: xy / (1600, 900),
    "(DACSnorm)": lambda xy: xy / (1600, 900),
    "[MCS norm]": lambda xy: (xy - (200, 100)) / (800, 600),
    "(MCSnorm)": lambda xy: (xy - (200, 100)) / (800, 600),
    "[MCS px]": lambda xy: (xy - (200, 100)) / 2,
}


def in_unit(tmp_path, unit, *facts, extra=None):
    """Read the points in a unit, as all eyes and the fixation, with facts in every row."""
    facts = {name: value for part in facts for name, value in part.items()}
    names = [name.format(axis, unit) for name in (*NAMES, "Fixation point {} {}") for axis in "XY"]
    header = "\t".join(["Recording timestamp [ms]", "Eye movement type", *names, *facts])
    rows = []
    for i, eyes in enumerate(POINTS):
        values = IN_UNIT.get(unit, IN_UNIT["[DACS px]"])(np.vstack([eyes, POINTS[0, :1]]))
        rows.append(
            (10 * i, "Fixation", *(f"{value:.9f}" for value in values.ravel()), *facts.values())
        )
    return read(tmp_path, header, rows)


@pytest.mark.parametrize("unit", IN_UNIT)
def test_positions_in_any_unit_become_pixels_of_the_screen(unit, tmp_path):
    recording = in_unit(tmp_path, unit, SHOWN, PLACE, OWN, RESOLUTION)
    for name, eye in (("", 0), ("left_", 1), ("right_", 2)):
        for axis in (0, 1):
            got = recording.sample_table[f"{name}{'xy'[axis]}_px"].to_numpy()
            np.testing.assert_allclose(got, POINTS[:, eye, axis], rtol=1e-5)
    (fixation,) = recording.event_table.to_pylist()
    assert (fixation["x_px"], fixation["y_px"]) == pytest.approx(tuple(POINTS[0, 0]), rel=1e-5)
    assert recording.placements == {"a.png": Placement(200, 100, 800, 600, 400, 300)}
    assert recording.loss == 0
    assert any("moved to where it lay" in note for note in recording.notes) == ("MCS" in unit)


@pytest.mark.parametrize("unit", ["[MCS norm]", "[MCS px]"])
def test_positions_on_a_medium_without_a_place_stay_on_the_medium(unit, tmp_path):
    recording = in_unit(tmp_path, unit, SHOWN, OWN, RESOLUTION)
    x, y = (recording.sample_table[f"{axis}_px"].to_numpy().astype(float) for axis in "xy")
    on_image = recording.placements["a.png"].to_image(x, y)
    np.testing.assert_allclose(
        np.column_stack(on_image), (POINTS[:, 0] - (200, 100)) / 2, rtol=1e-4
    )
    assert recording.screen is None  # they are no pixels of the screen
    said = "positions count from the corner of the medium shown: "
    said += "the export does not say where that lay"
    assert said in recording.notes


def test_pixels_of_a_scene_video_are_on_the_video(tmp_path):
    video = {"Recording media width [px]": 1920, "Recording media height [px]": 1080}
    recording = in_unit(tmp_path, "[MCS px]", video)
    assert (recording.screen.width_px, recording.screen.height_px) == (1920, 1080)
    assert recording.world_camera == "Tobii Pro Glasses"
    np.testing.assert_allclose(
        recording.sample_table["x_px"].to_numpy(), (POINTS[:, 0, 0] - 200) / 2, rtol=1e-5
    )


def test_fractions_of_a_screen_without_size_are_of_a_nominal_one(tmp_path):
    recording = in_unit(tmp_path, "[DACS norm]")
    assert (recording.fractions_of, recording.screen.width_px) == ("screen", 1920)
    true = recording.with_screen(Screen(1600, 900))
    np.testing.assert_allclose(true.sample_table["x_px"].to_numpy(), POINTS[:, 0, 0], rtol=1e-5)


@pytest.mark.parametrize(
    ("unit", "facts", "words"),
    [
        (
            "[DACS mm]",
            RESOLUTION,
            r"mm on a screen whose size in mm is not stated: Gaze point X \[DACS mm\]",
        ),
        (
            "[MCS norm]",
            RESOLUTION,
            r"fractions of a medium whose size is not stated: Gaze point X \[MCS norm\]",
        ),
        ("[furlongs]", RESOLUTION, r"unit that cannot be read: Gaze point X \[furlongs\]"),
    ],
)
def test_units_that_cannot_become_pixels_are_refused_by_name(unit, facts, words, tmp_path):
    with pytest.raises(ParseError, match=words) as caught:
        in_unit(tmp_path, unit, facts)
    assert caught.value.line == 1
    assert registry.detect(read_head(tmp_path / "a.tsv")).name == "tobii_pro"


def test_millimetres_become_pixels_of_the_screen_that_the_user_states(tmp_path):
    with pytest.raises(ParseError):
        in_unit(tmp_path, "[DACS mm]", RESOLUTION)
    mm = POINTS[:, 0] * (400 / 1600, 240 / 900)
    names = "Recording timestamp [ms]\tGaze point X [DACS mm]\tGaze point Y [DACS mm]\n"
    rows = "".join(f"{10 * i}\t{x:.6f}\t{y:.6f}\n" for i, (x, y) in enumerate(mm))
    (tmp_path / "a.tsv").write_text(names + rows)
    options = ReadOptions(screen=Screen(1600, 900, 400.0, 240.0))
    samples = tobii_pro.read(read_head(tmp_path / "a.tsv"), options).sample_table
    np.testing.assert_allclose(samples["x_px"].to_numpy(), POINTS[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(samples["y_px"].to_numpy(), POINTS[:, 0, 1], rtol=1e-5)


@pytest.mark.real_data
def test_millimetres_of_a_real_export_are_its_own_pixels(data_dir, tmp_path):
    """Pro Lab wrote the same gaze in both units; only that in mm is left for the reader to see."""
    export = data_dir / "exports" / "tobii_pro_lab" / "cemgr_I-VT-normal_Data_export_short.tsv"
    rows = [line.split("\t") for line in export.read_text("utf-8-sig").splitlines()]
    of_eye = {f"{side} {axis}" for side in ("left", "right") for axis in "XY"}
    kept = [
        at
        for at, name in enumerate(rows[0])
        if not name.startswith("Gaze point")
        or name in {f"Gaze point {eye} [DACS mm]" for eye in of_eye}
    ]
    (tmp_path / "mm.tsv").write_text(
        "\n".join("\t".join(row[at] for at in kept) for row in rows) + "\n", "utf-8"
    )
    own = tobii_pro.read(read_head(export), ReadOptions()).sample_table
    screen = Screen(1920, 1080, 528.0, 297.0)  # 24 inches, as the quotient of the two says
    ours = tobii_pro.read(read_head(tmp_path / "mm.tsv"), ReadOptions(screen=screen)).sample_table
    for name in ("left_x_px", "left_y_px", "right_x_px", "right_y_px"):
        difference = np.abs(own[name].to_numpy() - ours[name].to_numpy())
        assert np.isfinite(difference).sum() > 4000
        assert (
            np.nanmax(difference) < 1.2
        )  # pixels are whole there, millimetres have one or two decimals


def test_pixels_of_the_screen_win_over_other_units(tmp_path):
    header = (
        HEADER + "\tGaze point X [MCS norm]\tGaze point Y [MCS norm]\tFixation point X [MCS norm]"
    )
    recording = read(
        tmp_path, header, [(10 * i, "r", 500, 400, "Fixation", 1, 0.1, 0.1, 0.1) for i in range(3)]
    )
    assert recording.sample_table["x_px"].to_pylist() == [500] * 3
    assert recording.event_table["x_px"].to_pylist() == [500]


def test_gaze_on_a_medium_whose_size_a_row_lacks_is_counted(tmp_path):
    names = (
        "Gaze point X [MCS norm]",
        "Gaze point Y [MCS norm]",
        "Presented Media width",
        "Presented Media height",
    )
    header = "\t".join(("Recording timestamp [ms]", *names))
    recording = read(
        tmp_path, header, [(0, 0.5, 0.5, 800, 600), (10, 0.5, 0.5, "", ""), (20, "", "", "", "")]
    )
    assert recording.sample_table["x_px"].to_pylist() == pytest.approx(
        [400, np.nan, np.nan], nan_ok=True
    )
    assert (
        "1 samples on a medium without size or place: their positions are missing"
        in recording.notes
    )


def test_a_clock_that_begins_again_begins_another_recording(tmp_path):
    header = HEADER + "\tEvent\tSensor"
    once = [
        (0, "r", "", "", "", "", "RecordingStart", ""),
        *((10 * i, "r", 5, 5, "Fixation", 1, "", "Eye Tracker") for i in range(4)),
    ]
    other = [(10 * i, "r_2", 5, 5, "Fixation", 1, "", "Eye Tracker") for i in range(4)]
    recording = read(tmp_path, header, [*once, *once, *other, *once])
    fixations = recording.event_table.to_pandas().query("kind == 'fixation'")
    assert fixations["recording"].tolist() == ["r", "r_2_", "r_2", "r_3"]
    assert fixations["onset_ms"].tolist() == [0.0] * 4
    messages = recording.event_table.to_pandas().query("kind == 'message'")
    assert messages["recording"].tolist() == ["r", "r_2_", "r_3"]
    assert (
        "the clock begins again 2 times: what follows is a recording of its own each time"
        in recording.notes
    )


@pytest.mark.parametrize(
    ("times", "line", "what"),
    [
        ([0, 1000, 2000, 3000, 4000, 2500, 3500], 7, "a second recording begins here"),
        ([0, 100, 50, 150, 60, 160, 70, 170], 4, "rows in no order: 3 of 7"),
        ([80, 70, 60, 50, 40], 3, "the clock runs backwards: 4 of 4"),
    ],
)
def test_times_that_step_back_elsewhere_are_refused_at_their_line(times, line, what, tmp_path):
    with pytest.raises(ParseError, match=what) as caught:
        read(
            tmp_path,
            HEADER.replace("timestamp", "timestamp [ms]"),
            [(t, "r", 5, 5, "", "") for t in times],
        )
    assert caught.value.line == line


def test_no_fixation_is_lost_where_their_index_starts_again(tmp_path):
    # Fixations 1, 2, 3 and again 1, 2, 3; and 1 for each of two media.
    numbers = [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3]
    rows = [(100 * i, "r", 10 * n, 5, "Fixation", n) for i, n in enumerate(numbers)]
    recording = read(tmp_path, HEADER, rows)
    events = recording.event_table.to_pandas()
    assert events["onset_ms"].tolist() == [0, 200, 400, 600, 800, 1000]
    assert events["x_px"].tolist() == [10, 20, 30, 10, 20, 30]
    assert events["index"].tolist() == [1, 2, 3, 4, 5, 6]
    assert (
        "the eye movement index starts again 1 times: movements are numbered anew"
        in recording.notes
    )
    header = HEADER + "\tEye movement event duration\tPresented Media name"
    rows = [
        (100 * i, "r", i, 5, "Fixation", 1, 200, "a.png" if i < 2 else "b.png") for i in range(4)
    ]
    assert read(tmp_path, header, rows).event_table["onset_ms"].to_pylist() == [0, 200]


def test_a_fixation_that_goes_on_after_a_gap_is_one(tmp_path):
    header = HEADER + "\tEye movement event duration"
    kinds = ["Fixation"] * 3 + ["EyesNotFound"] * 2 + ["Fixation"] * 3
    rows = [
        (10 * i, "r", 5, 5, kind, 1, 80 if kind == "Fixation" else 20)
        for i, kind in enumerate(kinds)
    ]
    events = read(tmp_path, header, rows).event_table.to_pandas().query("kind == 'fixation'")
    assert events["duration_ms"].tolist() == [80]


def test_an_export_without_gaze_points_is_called_one(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("Recording timestamp\tRecording name\tMouse position X\n0\tr\t1\n")
    verdict = tobii_pro.sniff(read_head(path))
    assert (verdict.level, verdict.reason) == (
        Level.NO,
        "a Tobii Pro Lab export without gaze points",
    )


def test_an_export_of_gaze_in_an_unknown_unit_is_one_and_its_column_the_reason(tmp_path):
    path = tmp_path / "a.tsv"
    names = ("Recording timestamp", "Gaze point X [furlongs]", "Gaze point Y [furlongs]")
    path.write_text("\t".join(names) + "\n0\t1\t1\n")
    verdict = tobii_pro.sniff(read_head(path))
    assert (verdict.level, verdict.reason) == (
        Level.CERTAIN,
        "columns Recording timestamp and Gaze point X [furlongs]",
    )


def sized(tmp_path, *sizes):
    header = f"{HEADER}\tRecording resolution width\tRecording resolution height"
    rows = [(10 * i, "r", 1, 2, "", "", *size) for i, size in enumerate(sizes)]
    return read(tmp_path, header, rows)


def test_several_screens_or_one_that_cannot_be_are_none(tmp_path):
    assert sized(tmp_path, (1600, 900), (1600, 900)).screen == Screen(1600, 900)
    several = sized(tmp_path, (1600, 900), (800, 600))
    assert several.screen is None
    assert "recordings with different screens: none is stated" in several.notes
    huge = sized(tmp_path, (10**9, 10**9))
    assert huge.screen is None
    assert "the recording resolution is not usable: ignored" in huge.notes


def test_an_image_at_two_places_has_none(tmp_path):
    facts = {**SHOWN, **PLACE, **OWN}
    header = f"{HEADER}\t" + "\t".join(facts)
    there = tuple(facts.values())
    elsewhere = tuple((facts | {"Presented Media position X [DACS px]": 0}).values())
    other = tuple((facts | {"Presented Media name": "b.png"}).values())
    rows = [(10 * i, "r", 1, 2, "", "", *of) for i, of in enumerate((there, elsewhere, other))]
    recording = read(tmp_path, header, rows)
    assert list(recording.placements) == ["b.png"]
    assert "1 images were shown at several places: not mapped to image pixels" in recording.notes


def test_a_movement_of_a_single_sample_has_no_step_to_last_for(tmp_path):
    recording = read(tmp_path, HEADER, [(5, "r", 1, 2, "Fixation", 1), (20, "r", 3, 4, "", "")])
    assert recording.sample_table.num_rows == 2
    (event,) = recording.event_table.to_pylist()
    assert (event["onset_ms"], event["duration_ms"], event["x_px"]) == (5, 0, 1)


def test_millimetres_need_a_screen_of_known_size():
    positions = Positions(SCREEN_MM, {}, Screen(1600, 900))
    with pytest.raises(ConfigError, match="a screen without its size in mm"):
        positions._px_per_mm("x")
    wide = Positions(SCREEN_MM, {}, Screen(1600, 900, 400.0))
    assert (wide._px_per_mm("x"), wide._px_per_mm("y")) == (4, 4)
    both = Positions(SCREEN_MM, {}, Screen(1600, 900, 400.0, 300.0))
    assert both._px_per_mm("y") == 3


def test_rows_that_nobody_added_are_none():
    rows = _Rows()
    assert not rows
    assert rows.frame().empty


MOVES = [("Fixation", 8, 1), ("Saccade", 2, 1), ("Fixation", 10, 2), ("Saccade", 3, 2)]
STATED = HEADER + "\tEye movement event duration"


def moves(*, duration=1.0, index=None, spelt=str, back_ms=0, back_at=0, parts=MOVES):
    """Return rows each 10 ms of the movements; the clock steps back before one of them."""
    rows = []
    for kind, n, number in parts:
        for _ in range(n):
            t = 10 * len(rows) - (back_ms if len(rows) >= back_at else 0)
            length = n * 10 * duration
            rows.append((t, "r", 5 * n, 5, spelt(kind), index or number, length))
    return rows


def fixations(recording):
    events = recording.event_table.to_pylist()
    return [
        (event["onset_ms"], event["duration_ms"]) for event in events if event["kind"] == "fixation"
    ]


@pytest.mark.parametrize("header", [HEADER, STATED])
@pytest.mark.parametrize("back_ms", [15, 45, 300])
def test_a_movement_ends_where_the_clock_steps_back(header, back_ms, tmp_path):
    n_columns = header.count("\t") + 1
    parts = [("Fixation", 60, 1), ("Saccade", 2, 1), ("Fixation", 10, 2)]
    rows = [row[:n_columns] for row in moves(back_ms=back_ms, back_at=50, parts=parts)]
    recording = read(tmp_path, header, rows)
    expected = [(0, 500), (500 - back_ms, 100), (620 - back_ms, 100)]
    assert fixations(recording) == expected
    assert any("the clock steps back within eye movements 1 times" in n for n in recording.notes)
    numbers = [e["index"] for e in recording.event_table.to_pylist() if e["kind"] == "fixation"]
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize(
    ("unit", "duration"),
    [("", 1), (" [ms]", 1), (" [μs]", 1000), (" [µs]", 1000), (" [us]", 1000), (" [s]", 0.001)],
)
def test_durations_are_in_the_unit_of_their_column(unit, duration, tmp_path):
    recording = read(tmp_path, STATED + unit, moves(duration=duration))
    assert fixations(recording) == [
        pytest.approx((0, 80), abs=1e-3),
        pytest.approx((100, 100), abs=1e-3),
    ]
    assert not any("without a duration" in note for note in recording.notes)


def test_durations_in_a_unit_that_is_none_give_way_to_the_samples(tmp_path):
    recording = read(tmp_path, STATED + " [min]", moves(duration=9))
    assert fixations(recording) == [(0, 80), (100, 100)]
    assert "4 eye movements without a duration" in " ".join(recording.notes)


def test_a_number_that_comes_again_behind_another_movement_is_another_one(tmp_path):
    recording = read(tmp_path, STATED, moves(index=1))
    assert fixations(recording) == [(0, 80), (100, 100)]
    assert "starts again 2 times" in " ".join(recording.notes)


def test_a_movement_goes_on_behind_samples_that_are_no_movement(tmp_path):
    rows = moves(parts=[("Fixation", 8, 1)])
    rows[3] = (*rows[3][:4], "EyesNotFound", 1, 10)
    rows[5] = (*rows[5][:4], "Unclassified", 1, 10)
    assert fixations(read(tmp_path, STATED, rows)) == [(0, 80)]


@pytest.mark.parametrize("spelt", [str.lower, str.upper])
def test_kinds_of_movements_are_known_in_any_case(spelt, tmp_path):
    assert fixations(read(tmp_path, STATED, moves(spelt=spelt))) == [(0, 80), (100, 100)]


def test_kinds_of_movements_that_are_not_known_are_named(tmp_path):
    words = {"Fixation": "Fixierung", "Saccade": "Saccade"}
    recording = read(tmp_path, STATED, moves(spelt=words.get))
    assert fixations(recording) == []
    assert "18 samples of an eye movement type that is not known, 'Fixierung'" in " ".join(
        recording.notes
    )
