"""Bad input: one line on stderr that says what to do, a non-zero code, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table

GOOD = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))


def assert_one_line(result, *words):
    lines = result.err.strip().splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("gazetrack: error: ")
    assert "Traceback" not in result.err
    assert len(lines[0]) < 340
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.tsv", None, ["missing.tsv", "no such file"]),
        ("empty.tsv", b"", ["empty.tsv", "is empty"]),
        (
            "junk.tsv",
            bytes(range(256)) * 40,
            ["junk.tsv", "is binary, not a text export (byte 0)", "UNKNOWN_FORMAT"],
        ),
        ("prose.txt", b"It was a dark and stormy night.\n" * 5, ["prose.txt", "UNKNOWN_FORMAT"]),
        ("other.tsv", b"name\tage\nx\t3\ny\t4\n", ["other.tsv", "UNKNOWN_FORMAT", "closest"]),
        ("header.csv", b"x,y,t\n", ["header.csv", "a header and no rows"]),
        ("ragged.csv", b"x,y,t\n1,2,0\n1,2,0,7\n", ["ragged.csv:3", "beyond the last column"]),
        ("text.csv", b"x,y,t\n1,2,0\n1,oops,4\n1,2,8\n", ["text.csv:3:2", "oops"]),
    ],
)
def test_convert(run, tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run(f"gazetrack convert {name}")
    assert result.code == 1
    assert_one_line(result, *words)
    assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else [name])


def test_a_tobii_export_without_gaze_columns(run, tmp_path):
    (tmp_path / "a.tsv").write_text("Recording timestamp [ms]\tParticipant name\n0\tP1\n4\tP1\n")
    result = run("gazetrack convert a.tsv")
    assert result.code == 1
    assert_one_line(result, "a.tsv", "tobii_pro", "without gaze points")


def test_a_bad_file_does_not_touch_its_neighbours(run, tmp_path):
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text("x,y,t\n1,2,3\n1,no,4\n")
    result = run("gazetrack convert bad.csv good.csv missing.csv --report report.jsonl")
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 2
    assert (tmp_path / "good.fixations.parquet").exists()
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [entry["status"] for entry in report] == ["failed", "ok", "failed"]
    assert (report[0]["line"], report[0]["column"], report[0]["code"]) == (3, 2, "PARSE")
    assert report[1]["rows_in"] == 200
    assert report[1]["outputs"][0]["path"] == "good.fixations.parquet"


def test_two_inputs_of_one_output_name_are_refused(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "a.txt").write_text(GOOD)
    result = run("gazetrack convert a.csv a.txt")
    assert result.code == 1
    assert_one_line(result, "a.txt", "a.csv")


def test_what_a_file_says_of_itself_is_shown_without_control_characters(run, tmp_path):
    numbers = pa.array([0.0, 4.0, 8.0])
    table = pa.table(
        {"t_ms": numbers, "x_px": numbers, "y_px": numbers, "trial": pa.array(["\a"] * 3)}
    )
    meta = {"tracker": "bell\a", "software": "\x9b2J", "notes": ["\a"]}
    path = tmp_path / "a\a.samples.parquet"
    pq.write_table(table.replace_schema_metadata({b"gazetrack": json.dumps(meta).encode()}), path)
    for command in ("info", "fixations --out out", "quality --by trial"):
        result = run(f"gazetrack {command} '{path.name}'")
        assert result.code == 0, result.err
        assert all(c.isprintable() for c in result.out.replace("\n", "")), result.out


def test_control_characters_in_names_are_escaped(run, tmp_path):
    name = "evil\x1b[31m\n.tsv"
    (tmp_path / name).write_bytes(b"junk")
    result = run(f"gazetrack convert '{name}'")
    assert_one_line(result)
    assert "\x1b" not in result.err


@pytest.mark.skipif(os.name != "posix", reason="FIFOs are POSIX")
def test_a_fifo_is_refused_and_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "pipe.tsv")
    assert_one_line(run("gazetrack convert pipe.tsv"), "not a regular file")


def test_unknown_format_and_option_values_are_usage_errors(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    assert run("gazetrack convert a.csv --format nonsense").code == 2
    assert run("gazetrack convert a.csv --screen wide").code == 2
    assert run("gazetrack convert").code == 2
    assert run("gazetrack frobnicate").code == 2
    assert run("gazetrack fixations a.csv --set speed=3").code == 2


def test_mistyped_formats_commands_and_columns_name_the_nearest(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    assert "did you mean 'tobii_pro'?" in run("gazetrack convert a.csv --format tobi_pro").err
    assert "Did you mean 'convert'?" in run("gazetrack covnert a.csv").err
    assert "Commands are bids, compact, compare" in run("gazetrack frobnicate").err
    (tmp_path / "b.csv").write_text("gaze_x,gaze_y,seconds\n1,2,3\n")
    result = run("gazetrack convert b.csv --columns x=gazex,y=gaze_y,t=seconds[s]")
    assert "did you mean 'gaze_x'?" in result.err


def write_fixations(path, stimuli, **columns):
    n = len(stimuli)
    values = {
        "stimulus": stimuli,
        "x_px": np.arange(n) + 5.0,
        "y_px": np.full(n, 8.0),
        "duration_ms": np.full(n, 300.0),
        "onset_ms": np.arange(n) * 400.0,
    }
    write_table(path, conform(values | columns, FIXATIONS), {})


def test_render_without_any_table(run):
    result = run("gazetrack render --levels 4")
    assert result.code == 2
    assert_one_line(result, "*.fixations.parquet", "gazetrack convert")


def test_render_without_image_sizes(run, tmp_path):
    write_fixations(tmp_path / "a.fixations.parquet", ["p.png"] * 3)
    result = run("gazetrack render --levels 4")
    assert result.code == 1
    assert_one_line(result, "a.fixations.parquet", "p.png", "--images")
    assert not (tmp_path / "maps").exists()


def test_render_names_and_counts_missing_images_and_does_the_rest(run, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "p.png")
    stimuli = ["p.png"] * 5 + ["q.png"] * 2 + ["r.png"]
    write_fixations(
        tmp_path / "a.fixations.parquet", stimuli, image_width_px=40, image_height_px=30
    )
    result = run("gazetrack render --report report.jsonl")
    assert result.code == 1
    assert_one_line(result, "2 of 3 stimuli", "q.png", "r.png")
    assert (tmp_path / "maps" / "maps.parquet").exists()
    entry = json.loads((tmp_path / "report.jsonl").read_text())
    assert entry["status"] == "partial"
    assert entry["dropped"]["no image"] == 3
    assert entry["rows_in"] == entry["rows_out"] + sum(entry["dropped"].values())


def test_render_finds_images_by_ignoring_case_and_names_the_nearest(run, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "polyp_12.png")
    table = tmp_path / "a.fixations.parquet"
    write_fixations(table, ["Polyp_12.PNG"] * 5, image_width_px=40, image_height_px=30)
    result = run("gazetrack render")
    assert result.code == 0
    assert (
        "1 images found by ignoring upper and lower case: first 'Polyp_12.PNG' is 'polyp_12'"
        in result.out
    )
    write_fixations(
        table, ["polyp_12.png", "polpy_12.png"] * 3, image_width_px=40, image_height_px=30
    )
    assert_one_line(
        run("gazetrack render"), "no image for 1 of 2 stimuli", "is 'polpy_12.png' 'polyp_12'?"
    )


def test_render_names_a_damaged_image_and_does_the_rest(run, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "p.png")
    (tmp_path / "images" / "q.png").write_bytes(b"damaged")
    (tmp_path / "images" / "unused.png").write_bytes(b"damaged")
    write_fixations(
        tmp_path / "a.fixations.parquet", ["p.png", "q.png"], image_width_px=40, image_height_px=30
    )
    result = run("gazetrack render")
    assert result.code == 1
    assert_one_line(result, "q.png", "cannot be read as an image")
    assert (tmp_path / "maps" / "maps.parquet").exists()


def test_render_refuses_absurd_sizes(run, tmp_path):
    write_fixations(
        tmp_path / "a.fixations.parquet", ["p.png"] * 3, image_width_px=40, image_height_px=30
    )
    for size in ("1000000", "0", "wide"):
        assert run(f"gazetrack render --size {size}").code == 2
    assert not (tmp_path / "maps").exists()


def test_an_output_folder_that_is_a_file(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "out").write_text("mine")
    result = run("gazetrack convert a.csv --out out")
    assert result.code == 3
    assert_one_line(result, "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_foreign_output_is_kept(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "a.fixations.parquet").write_text("mine")
    assert run("gazetrack convert a.csv").code == 3
    assert (tmp_path / "a.fixations.parquet").read_text() == "mine"
    assert run("gazetrack convert a.csv --force").code == 0


def test_debug_shows_the_traceback(run, tmp_path):
    from gazetrack.errors import InputError

    with pytest.raises(InputError):
        run(
            "gazetrack --debug info missing.tsv --json".replace(
                "info missing.tsv --json", "render nothing.parquet --images nowhere"
            )
        )


def image(path, size):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size).save(path)


def test_render_refuses_an_image_of_another_shape_and_does_the_rest(run, tmp_path):
    image(tmp_path / "images" / "p.png", (80, 60))
    image(tmp_path / "images" / "q.png", (40, 40))
    write_fixations(
        tmp_path / "a.fixations.parquet", ["p.png", "q.png"], image_width_px=40, image_height_px=30
    )
    result = run("gazetrack render --report r.jsonl")
    assert result.code == 4
    assert_one_line(result, "q.png", "40 x 30 in the table", "40 x 40 in the image")
    assert json.loads((tmp_path / "r.jsonl").read_text())["dropped"] == {
        "image of another shape": 1
    }
    assert (tmp_path / "maps" / "maps.parquet").exists()


@pytest.mark.parametrize("command", ["render", "plot --images images"])
def test_a_table_named_twice_is_refused(run, tmp_path, command):
    image(tmp_path / "images" / "p.png", (40, 30))
    write_fixations(
        tmp_path / "a.fixations.parquet", ["p.png"], image_width_px=40, image_height_px=30
    )
    program, *options = command.split(" ", 1)
    result = run(
        f"gazetrack {program} a.fixations.parquet ./a.fixations.parquet {' '.join(options)}"
    )
    assert result.code == 2
    assert_one_line(result, "named twice")


def test_pictures_of_one_name_do_not_replace_each_other(run, tmp_path):
    for name in ("a", "b"):
        write_fixations(
            tmp_path / f"{name}.fixations.parquet",
            ["p.png"] * 4,
            image_width_px=40,
            image_height_px=30,
        )
    assert run("gazetrack render --levels 1 --png").code == 0
    assert len(list((tmp_path / "maps" / "png").iterdir())) == 2


def test_two_stimuli_of_one_stem_are_refused(run, tmp_path):
    names = ["x/p.png", "y/p.png"]
    write_fixations(tmp_path / "a.fixations.parquet", names, image_width_px=40, image_height_px=30)
    assert_one_line(run("gazetrack render"), "a.fixations.parquet", "'x/p.png' and 'y/p.png'")


def test_a_plot_does_not_replace_its_image(run, tmp_path):
    image(tmp_path / "p.png", (40, 30))
    write_fixations(
        tmp_path / "a.fixations.parquet", ["p.png"] * 3, image_width_px=40, image_height_px=30
    )
    before = (tmp_path / "p.png").read_bytes()
    result = run("gazetrack plot --images . -o .")
    assert result.code == 3
    assert_one_line(result, "p.png", "would be written over the input")
    assert (tmp_path / "p.png").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "word"),
    [("--columns x=a,x=b", "'x' is there twice"), ("--screen 1920x1080,1.2.3x4mm", "is not like")],
)
def test_options_that_make_no_sense_are_usage_errors(run, tmp_path, option, word):
    (tmp_path / "a.csv").write_text(GOOD)
    result = run(f"gazetrack convert a.csv {option}")
    assert result.code == 2
    assert word in result.err


def test_a_report_is_checked_before_any_work(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "thesis.txt").write_text("years of work")
    for command in ("convert a.csv", "fixations a.csv"):
        for target, word in (("a.csv", "over the input"), ("thesis.txt", "no earlier report")):
            result = run(f"gazetrack {command} --report {target}")
            assert result.code == 3
            assert_one_line(result, target, word)
            assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "thesis.txt"]
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert run("gazetrack convert a.csv --report r.jsonl").code == 0
    assert run("gazetrack convert a.csv --report r.jsonl").code == 0


def test_a_report_tells_what_was_used_and_inferred(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    assert "note: t taken as ms" in run("gazetrack convert a.csv --report r.jsonl").out
    entry = json.loads((tmp_path / "r.jsonl").read_text())
    assert entry["rows_in"] == entry["rows_used"] + sum(entry["dropped"].values()) == 200
    assert any("taken as ms" in note for note in entry["notes"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_standard_output_is_named(tmp_path):
    code = "from gazetrack_cli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "formats"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "standard output cannot be written" in done.stderr


def test_a_report_never_replaces_a_table_of_the_same_call(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    result = run("gazetrack convert a.csv --report a.fixations.parquet")
    assert result.code == 3
    assert_one_line(result, "a.fixations.parquet", "no earlier report")
    assert pq.read_table(tmp_path / "a.fixations.parquet").num_rows > 0


def test_two_reports_in_one_file_are_refused_before_any_work(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    result = run("gazetrack convert a.csv --report r.jsonl --errors ./r.jsonl")
    assert result.code == 2
    assert "--report and --errors" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_report_says_how_much_gaze_was_lost(run, tmp_path):
    lost = "".join(f"nan,nan,{800 + i * 4}\n" for i in range(200))
    (tmp_path / "a.csv").write_text(GOOD + lost)
    assert run("gazetrack convert a.csv --report r.jsonl").code == 0
    assert json.loads((tmp_path / "r.jsonl").read_text())["loss"] == pytest.approx(0.5)


def test_a_report_holds_messages_whole(run, tmp_path):
    folder = tmp_path / ("a" * 200) / ("b" * 200)
    folder.mkdir(parents=True)
    (folder / "c.tsv").write_text("no table at all\n")
    result = run(f"gazetrack convert {folder}/c.tsv --report r.jsonl")
    message = json.loads((tmp_path / "r.jsonl").read_text())["message"]
    assert message.startswith(f"{folder}/c.tsv: ")
    assert "\u2026" not in message
    assert_one_line(result, "/c.tsv: ")
    assert message.partition("c.tsv: ")[2] in result.err  # on the console the path alone is shorter
