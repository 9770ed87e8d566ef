"""Names of areas in the rows of exports of SMI, Gazepoint, iMotions and Tobii Studio."""

from __future__ import annotations

import pytest

import gazetrack
from gazetrack.errors import InputError, ParseError
from gazetrack.measures.aoi_files.named_hits import aoi_hits_of, is_named
from gazetrack.readers.head import read_head


def write(path, header, *rows, mark="\t", above=()):
    lines = [*above, mark.join(header.split(",")), *(mark.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def looks_in(path, tmp_path, eye="auto"):
    """Fixations and dwell of each area, from the table that the export itself becomes."""
    out = tmp_path / f"tables-{eye}"
    (done,) = gazetrack.convert_files([path], gazetrack.ConvertOptions(out=out, eye=eye))
    assert done.status == "ok"
    found = gazetrack.measure_aois(out, aoi_hits_of(path))
    return {
        (row.stimulus, row.aoi): (row.fixations, row.dwell_ms)
        for row in found.itertuples()
        if row.fixations
    }


GAZEPOINT = (
    "MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/03/05 09:10:11.500),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,AOI"
)


def gazepoint_rows(medium, name, aois, at=0.0):
    """Two fixations of four rows on a medium; `aois` names the areas of the second one's rows."""
    for n in range(8):
        t = at + 0.02 * n
        of_first = n < 4
        begin = at if of_first else at + 0.08
        area = "" if of_first else aois[n - 4]
        place = 0.25 if of_first else 0.75
        number = 1 if of_first else 2
        fixation = place, place, begin, f"{t - begin:.3f}", number, 1, area
        yield medium, name, n, f"{t:.3f}", *fixation


def test_gazepoint_names_an_area_in_each_row_of_a_showing(tmp_path):
    rows = [
        *gazepoint_rows(0, "scan_a", ["", "lung", "lung", ""]),
        *gazepoint_rows(1, "scan_b", ["heart"] * 4),
        *gazepoint_rows(0, "scan_a", [""] * 4),
    ]
    path = write(tmp_path / "p1.csv", GAZEPOINT, *rows, mark=",")
    assert is_named(read_head(path))
    found = aoi_hits_of(path)
    assert found.hits == {
        "1": {1: frozenset(), 2: {"lung"}},
        "2": {1: frozenset(), 2: {"heart"}},
        "3": {1: frozenset(), 2: frozenset()},
    }
    assert found.source["format"] == "gazepoint-hits"
    looks = looks_in(path, tmp_path)
    assert {key: n for key, (n, _) in looks.items()} == {
        ("scan_a", "lung"): 1,
        ("scan_b", "heart"): 1,
    }
    assert looks["scan_b", "heart"][1] == pytest.approx(60)


BEGAZE_EVENTS = (
    "Trial,Stimulus,Participant,Category,Eye L/R,Index,Event Start Trial Time [ms],"
    "Event End Trial Time [ms],Event Duration [ms],Fixation Position X [px],"
    "Fixation Position Y [px],AOI Name"
)


def test_begaze_names_an_area_in_each_event(tmp_path):
    def row(trial, stimulus, kind, eye, index, begin, aoi):
        place = (100, 100) if kind == "Fixation" else ("-", "-")
        return trial, stimulus, "P1", kind, eye, index, begin, begin + 200, 200, *place, aoi

    path = write(
        tmp_path / "events.txt",
        BEGAZE_EVENTS,
        row("Trial001", "a.png", "Fixation", "Left", 1, 0, "face"),
        row("Trial001", "a.png", "Fixation", "Right", 1, 0, "-"),
        row("Trial001", "a.png", "Saccade", "Left", 1, 200, "face"),
        row("Trial001", "a.png", "Fixation", "Left", 2, 400, "-"),
        row("Trial002", "a.png", "Fixation", "Left", 1, 0, "hand"),
        mark=",",
    )
    found = aoi_hits_of(path)
    assert found.by_trial
    assert found.hits["P1"]["Trial001", 1, "left"] == {"face"}
    assert found.hits["P1"]["Trial001", 1, "right"] == frozenset()
    assert looks_in(path, tmp_path) == {("a.png", "face"): (1, 200), ("a.png", "hand"): (1, 200)}


BEGAZE_SAMPLES = (
    "RecordingTime [ms],Trial,Stimulus,Participant,Category Right,Category Left,Index Right,"
    "Index Left,Point of Regard Right X [px],Point of Regard Right Y [px],"
    "Point of Regard Left X [px],Point of Regard Left Y [px],AOI Name Right,AOI Name Left"
)


def test_begaze_names_an_area_of_each_eye_in_each_sample(tmp_path):
    rows = []
    for n in range(12):
        kind = "Saccade" if n in (5, 6) else "Visual Intake"
        index = 1 if n <= 6 else 2
        left = "face" if n in (2, 6) else "-"
        right = "hand" if n == 9 else "-"
        place = (100 + 300 * (n > 5), 100)
        of_eyes = kind, kind, index, index, *place, *place, right, left
        rows.append((f"{4.0 * n:.1f}", "Trial001", "a.png", "P1", *of_eyes))
    path = write(tmp_path / "samples.txt", BEGAZE_SAMPLES, *rows, mark=",")
    found = aoi_hits_of(path)
    assert found.hits["P1"] == {
        ("Trial001", 1, "left"): {"face"},
        ("Trial001", 2, "left"): frozenset(),
        ("Trial001", 1, "right"): frozenset(),
        ("Trial001", 2, "right"): {"hand"},
    }
    # A table holds one eye's fixations, and the areas are those of that eye.
    for eye, area in (("left", "face"), ("right", "hand")):
        looks = looks_in(path, tmp_path, eye)
        assert {key: n for key, (n, _) in looks.items()} == {("a.png", area): 1}


IMOTIONS = (
    "StudyName,Name,StimulusName,EventSource,Timestamp,MediaTime,GazeLeftx,GazeLefty,"
    "GazeRightx,GazeRighty,PupilLeft,PupilRight,ValidityLeft,ValidityRight,GazeAOI,"
    "FixationSeq,FixationX,FixationY,FixationStart,FixationDuration,FixationAOI"
)


def imotions_rows(aois, stimulus="b.png", first=1, at=0):
    for n, aoi in enumerate(aois):
        seq = first + n // 2
        of_fixation = seq, 400, 301, at + 32 * (n // 2), 30, aoi
        t = at + 16 * n
        yield (
            *("S", "P", stimulus, "ET", f"20200131_1000{t // 1000:02}{t % 1000:03}", t),
            *(400, 300, 402, 302, 3.5, 3.25, 0, 0, "", *of_fixation),
        )


def test_imotions_names_an_area_in_each_row_of_a_fixation(tmp_path):
    rows = imotions_rows(["", "logo", "", "", "logo", "text"])
    path = write(tmp_path / "p.txt", IMOTIONS, *rows, above=["#Study : S"])
    found = aoi_hits_of(path)
    assert found.hits == {"p": {1: {"logo"}, 2: frozenset(), 3: {"logo", "text"}}}
    assert looks_in(path, tmp_path) == {("b.png", "logo"): (2, 60), ("b.png", "text"): (1, 30)}


def test_numbers_that_begin_again_on_another_stimulus_are_refused(tmp_path):
    rows = [*imotions_rows(["a"] * 4), *imotions_rows(["a"] * 4, "c.png", at=200)]
    path = write(tmp_path / "p.txt", IMOTIONS, *rows)
    with pytest.raises(ParseError, match="fixation 1 is on 'b' and 'c'"):
        aoi_hits_of(path)


STUDIO = (
    "Timestamp,Number,GazePointXLeft,GazePointYLeft,PupilLeft,ValidityLeft,GazePointXRight,"
    "GazePointYRight,PupilRight,ValidityRight,FixationIndex,GazePointX,GazePointY,"
    "StimuliName,MappedFixationPointX,MappedFixationPointY,FixationDuration,AoiIds,AoiNames"
)


def test_tobii_studio_names_several_areas_in_a_row(tmp_path):
    rows = [
        *[(n * 17, n, 300, 400, 3, 0, 310, 410, 3, 0, 1, 305, 405, "a.jpg") for n in range(3)],
        *[(n * 17, n, 600, 400, 3, 0, 610, 410, 3, 0, 2, 605, 405, "a.jpg") for n in range(3, 6)],
        (102, 6, 600, 400, 3, 0, 610, 410, 3, 0, "", 605, 405, "a.jpg"),
    ]
    areas = ["", "menu", "menu", "", "menu; page", "", "page"]
    rows = [
        (*row, row[11], row[12], 51 if row[10] else "", "", area)
        for row, area in zip(rows, areas, strict=True)
    ]
    above = ["Recording name:\tRec 07", "Recording resolution:\t1280 x 1024", ""]
    path = write(tmp_path / "p-All-Data.tsv", STUDIO, *rows, above=above)
    found = aoi_hits_of(path)
    assert found.hits == {"Rec 07": {1: {"menu"}, 2: {"menu", "page"}}}
    looks = looks_in(path, tmp_path)
    assert {key: n for key, (n, _) in looks.items()} == {("a.jpg", "menu"): 2, ("a.jpg", "page"): 1}


def test_exports_that_name_none(tmp_path):
    path = write(tmp_path / "a.csv", "a,b", (1, 2), mark=",")
    assert not is_named(read_head(path))
    with pytest.raises(InputError, match="no column with names of areas"):
        aoi_hits_of(path)
    rows = gazepoint_rows(0, "scan_a", [""] * 4)
    path = write(tmp_path / "b.csv", GAZEPOINT, *rows, mark=",")
    with pytest.raises(InputError, match="names no area of interest") as caught:
        aoi_hits_of(path)
    assert "Gazepoint Analysis" in caught.value.hint


@pytest.mark.real_data
def test_a_real_export_that_names_areas_between_fixations_alone(data_dir):
    path = data_dir / "exports" / "tobii_studio" / "emdat_P63-All-Data.tsv"
    assert is_named(read_head(path))
    with pytest.raises(InputError, match="in any row of a fixation"):
        aoi_hits_of(path)
