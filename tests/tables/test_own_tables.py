"""gazetrack info of the tables that gazetrack writes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import gazetrack
from gazetrack.errors import InputError
from gazetrack.maps.parameters import MapParams
from gazetrack.tables.own_tables import describe_table, kind_of_table
from gazetrack.tables.pupils import PUPIL
from gazetrack.tables.schema import conform
from gazetrack.tables.store import write_table
from gazetrack_cli.main import cli
from tests.fixation_tables import write_fixations
from tests.pupil_files import write_core

FIXATIONS = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0), (1050.0, 250, 500.0, 350.0))
HEADER = "IMAGE," + ",".join(
    f"CURRENT_FIX_{n}" for n in ("INDEX", "X", "Y", "DURATION", "PUPIL", "START")
)


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)), standalone_mode=False)


def info(*arguments):
    return {
        facts["file"].rsplit("/", 1)[-1]: facts
        for facts in json.loads(run("info", "--json", *arguments).output)
    }


@pytest.fixture
def tables(tmp_path):
    """A folder with fixations, samples and events of a recording, a quality report, and maps.

    The maps are of another recording.
    """
    write_core(tmp_path / "s01", FIXATIONS)
    out = tmp_path / "tables"
    run("convert", tmp_path / "s01", "--samples", "--events", "-o", out, "-q")
    run("fixations", tmp_path / "s01" / "gaze_positions.csv", "--detector", "idt", "-o", out, "-q")
    run("quality", tmp_path / "s01", "-o", out / "q.parquet")
    (tmp_path / "shown").mkdir()
    Image.new("RGB", (80, 60)).save(tmp_path / "shown" / "p.png")
    rows = [
        f"p.jpg,{i + 1},{0.2 + 0.1 * (i % 5)},0.5,{200 + i},1,{i * 310},60,80\n" for i in range(8)
    ]
    (tmp_path / "seen.csv").write_text(f"{HEADER},IMAGE_HEIGHT,IMAGE_WIDTH\n{''.join(rows)}")
    run("convert", tmp_path / "seen.csv", "-q")
    run("render", tmp_path / "seen.fixations.parquet", "--levels", "3", "-o", out, "-q")
    return out


def test_a_table_of_fixations_says_whose_they_are_and_where_from(tables):
    facts = info(tables / "s01.fixations.parquet")["s01.fixations.parquet"]
    frame = pd.read_parquet(tables / "s01.fixations.parquet")
    assert (facts["format"], facts["reason"]) == ("gazetrack_fixations", "a table of fixations")
    assert facts["recordings"] == ["s01"]
    assert facts["fixations"] == facts["rows"] == len(frame) == 3
    assert (
        facts["dwell_s"] == pytest.approx(frame["duration_ms"].sum() / 1e3) == pytest.approx(0.95)
    )
    assert facts["median_ms"] == 300
    assert (facts["origin"], facts["detector"]) == ("the export's own fixations", None)
    assert (facts["made_of"], facts["reader"]) == ("gaze_positions.csv", "pupil_core")
    assert facts["eyes"] == {"both": 3}
    assert facts["on_images"] == 0
    detected = info(tables / "s01.idt.fixations.parquet")["s01.idt.fixations.parquet"]
    assert (detected["origin"], detected["detector"]["name"]) == (
        "fixations detected by idt",
        "idt",
    )


def test_all_tables_of_a_folder_are_described(tables):
    found = info(tables)
    assert {name: facts["format"] for name, facts in found.items()} == {
        "maps.parquet": "gazetrack_maps",
        "q.parquet": "gazetrack_quality",
        "s01.events.parquet": "gazetrack_events",
        "s01.fixations.parquet": "gazetrack_fixations",
        "s01.idt.fixations.parquet": "gazetrack_fixations",
    }
    maps = found["maps.parquet"]
    assert (maps["maps"], maps["images"], maps["sizes"]) == (1, 1, {"3 levels of 60x80": 1})
    assert maps["made_of"] == ["seen.fixations.parquet"]
    assert maps["observers"]["pooled"] is False
    assert maps["observers"]["recordings"] == 1
    assert maps["kind"] == maps["params"]["kind"]
    assert found["s01.events.parquet"]["events"] == {"fixation": 3}
    assert found["q.parquet"]["settings"] == {"by": "recording", "window_ms": 200.0}
    samples = info(tables / "s01.samples.parquet")["s01.samples.parquet"]
    assert (samples["format"], samples["recordings"]) == ("gazetrack_samples", ["s01"])


def test_exports_and_tables_of_one_folder_are_both_described(tables):
    study = tables.parent / "s01"
    run("convert", study, "-q")
    assert list(info(study)) == ["gaze_positions.csv", "gaze_positions.fixations.parquet"]
    result = run("info", study)
    assert result.return_value == 0
    assert "a table of fixations" in result.output
    assert "origin: the export's own fixations" in result.output


def test_a_damaged_table_and_anothers_are_said_to_be_so(tables):
    whole = (tables / "q.parquet").read_bytes()
    (tables / "q.parquet").write_bytes(whole[: len(whole) // 2])
    pd.DataFrame({"a": [1]}).to_parquet(tables / "a.parquet")
    for name, words in (("q", "damaged"), ("a", "Parquet table without")):
        result = run("info", tables / f"{name}.parquet")
        assert result.return_value == 1
        assert words in result.output


def test_other_files_are_none_of_our_tables(tmp_path):
    assert kind_of_table(tmp_path / "raw.tsv") == ""
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    assert kind_of_table(tmp_path / "broken.parquet") == ""
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "others.parquet")
    with pytest.raises(InputError, match="is none of our tables"):
        describe_table(tmp_path / "others.parquet")


def test_a_table_whose_rows_are_damaged_is_told(tables):
    path = tables / "s01.fixations.parquet"
    data = path.read_bytes()
    # The schema is at the end: it is read, and then the first column is not.
    path.write_bytes(data[:4] + bytes(200) + data[204:])
    with pytest.raises(InputError, match="damaged Parquet file"):
        describe_table(path)


def test_fixations_of_others_say_what_they_hold(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"onset_ms": [0.0], "duration_ms": [250.0], "x_px": [1.0], "y_px": [2.0]}
    pd.DataFrame({"stimulus": ["a.png"], **columns}).to_parquet(path)
    facts = describe_table(path)
    assert (facts["fixations"], facts["dwell_s"], facts["origin"]) == (1, 0.25, "not stated")
    assert facts["eyes"] == {}
    assert "on_images" not in facts


def test_a_table_of_pupils_says_what_was_counted(tmp_path):
    path = tmp_path / "a.pupil.parquet"
    table = conform({"recording": ["r"], "eye": ["left"]}, PUPIL)
    write_table(path, table, {"pupil": {"counts": {"blinks": 2}}})
    facts = describe_table(path)
    assert facts["format"] == "gazetrack_pupil"
    assert facts["pupil"] == {"blinks": 2}
    assert facts["eyes"] == {"left": 1}


def test_of_maps_of_targets_their_targets_and_where_those_are_from_are_told(tmp_path):
    table = write_fixations(
        tmp_path / "g.fixations.parquet",
        ["p.png"] * 2,
        x_px=np.array([10.0, 70.0]),
        y_px=np.array([10.0, 30.0]),
    )
    left = "stimulus,aoi,x_px,y_px,width_px,height_px\np.png,polyp,0,0,30,60\n"
    (tmp_path / "aois.csv").write_text(left + "p.png,tool,50,0,30,60\n", "utf-8")
    aois = gazetrack.read_aois(tmp_path / "aois.csv")
    all_of_them = MapParams(drop_first=0)
    gazetrack.render(table, out=tmp_path / "maps", target="aoi", aois=aois, params=all_of_them)
    facts = describe_table(tmp_path / "maps" / "maps.parquet")
    assert facts["targets"] == {"polyp": 1, "tool": 1}
    assert facts["target_rule"] == "aoi"
    assert facts["target_areas"]["file"] == "aois.csv"
    shown = run("info", tmp_path / "maps").output
    assert "targets: polyp 1, tool 1" in shown
    assert "target rule: aoi" in shown
    assert "aois.csv" in shown
