"""Commands on addresses: which take them, what they print, and their exit codes."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from tests.object_store import BUCKET

LAB = f"s3://{BUCKET}"
GAZE = "x,y,t\n" + "".join(f"{100 + i % 2},{200 + 50 * (i // 70)},{i * 4}\n" for i in range(210))


def test_convert_takes_an_address_and_says_where_the_table_is(run, object_store, tmp_path):
    object_store.put("s01/raw.csv", GAZE)
    done = run(f"gazetrack convert {LAB}/s01/raw.csv --report report.jsonl")
    assert done.code == 0, done.err
    assert f"{LAB}/s01/raw.csv: generic" in done.out
    assert f"wrote {LAB}/s01/raw.fixations.parquet (3 rows)" in done.out
    assert "s01/raw.fixations.parquet" in object_store.names()
    (line,) = (tmp_path / "report.jsonl").read_text().splitlines()
    assert json.loads(line)["file"] == f"{LAB}/s01/raw.csv"
    assert run(f"gazetrack convert {LAB}/s01 -o {LAB}/tables").code == 0
    assert "tables/raw.fixations.parquet" in object_store.names()


def test_fixations_quality_and_info_take_addresses(run, object_store):
    object_store.put("raw.csv", GAZE)
    assert run(f"gazetrack fixations {LAB}/raw.csv --detector ivt").code == 0
    assert "raw.ivt.fixations.parquet" in object_store.names()
    done = run(f"gazetrack quality {LAB}/raw.csv -o {LAB}/out/quality.csv")
    assert done.code == 0, done.err
    assert f"wrote {LAB}/out/quality.csv (1 rows)" in done.out
    assert object_store.get("out/quality.csv").startswith(b"recording,")
    object_store.put("out/quality.csv", b"mine")
    done = run(f"gazetrack quality {LAB}/raw.csv -o {LAB}/out/quality.csv")
    assert done.code == 3
    assert f"{LAB}/out/quality.csv: exists and is no such table" in done.err
    assert object_store.get("out/quality.csv") == b"mine"
    done = run(f"gazetrack info {LAB}/raw.csv")
    assert f"{LAB}/raw.csv: generic" in done.out
    done = run(f"gazetrack info '{LAB}/*.parquet'")
    assert f"{LAB}/raw.ivt.fixations.parquet: gazetrack_fixations" in done.out


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ((403, ""), 1, "the store refuses (403) - check the credentials"),
        ((503, "GET"), 1, "busy or broken (503), also when asked again - run the same command"),
        ((403, "PUT"), 3, "may not be written: the store refuses (403)"),
        ((503, "PUT"), 3, "cannot be written: the store is busy or broken (503)"),
    ],
)
def test_a_store_that_fails_is_one_line_and_an_exit_code(run, object_store, fault, code, said):
    object_store.put("raw.csv", GAZE)
    faults = object_store.faults
    (faults.status, faults.method), faults.times = fault, 999
    done = run(f"gazetrack convert {LAB}/raw.csv")
    faults.times = 0
    assert done.code == code
    assert done.err.count("\n") == 1
    assert said in done.err
    assert object_store.names() == ["raw.csv"]


@pytest.mark.parametrize(
    "line",
    [
        "gazetrack compare {url} {url}",
        "gazetrack plot {url}",
        "gazetrack refine {url}",
        "gazetrack convert raw.csv --report {url}",
        "gradtrack-evaluate {url} masks",
    ],
)
def test_what_takes_files_of_this_machine_alone_says_so(run, line):
    done = run(line.format(url="s3://key:secret@bucket/raw.parquet"))
    assert done.code == 2
    assert "'s3://bucket/raw.parquet' is an address" in done.err
    assert "copy them here first" in done.err
    assert "secret" not in done.err


def test_an_address_of_this_machine_is_its_path(run, tmp_path):
    (tmp_path / "raw.csv").write_text(GAZE)
    assert run(f"gazetrack convert {(tmp_path / 'raw.csv').as_uri()}").code == 0
    assert (tmp_path / "raw.fixations.parquet").is_file()
    table = (tmp_path / "raw.fixations.parquet").as_uri()
    assert run(f"gazetrack compare {table} {table}").code == 0


def test_render_takes_tables_from_a_store_and_puts_maps_there(run, object_store):
    header, *lines = GAZE.split()
    rows = [f"{header},stimulus", *(f"{line},a" for line in lines)]
    object_store.put("raw.csv", "\n".join(rows))
    assert run(f"gazetrack convert {LAB}/raw.csv --screen 640x480").code == 0
    picture = io.BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "PNG")
    object_store.put("images/a.png", picture.getvalue())
    where = f"--images {LAB}/images -o {LAB}/maps"
    done = run(f"gazetrack render {LAB} {where} --placement stretch")
    assert done.code == 0, done.err
    assert f"{LAB}/raw.fixations.parquet: 3 of 3 fixations rendered" in done.out
    assert f"wrote {LAB}/maps/maps.parquet (1 tracks)" in done.out
    assert "maps/maps.parquet" in object_store.names()
