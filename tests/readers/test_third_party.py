"""A reader of somebody else's, installed beside the library."""

import os
import subprocess
import sys
from pathlib import Path

READER = """
from gazetrack.readers.base import Format, Level, Verdict
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

FORMAT = Format(
    name="stars",
    title="Star gazer",
    suffixes=(".stars",),
    provides="samples",
    units="ms, px",
    lost="nothing",
    source="",
)

def sniff(head):
    if head.text.startswith("***"):
        return Verdict(Level.CERTAIN, "first line of stars")
    return Verdict(Level.NO)

def read(head, options):
    rows = [tuple(map(float, line.split())) for line in head.lines[1:]]
    t, x, y = zip(*rows)
    columns = {"recording": head.stem, "t_ms": list(t), "x_px": list(x), "y_px": list(y)}
    return Recording(
        name=head.stem,
        format="stars",
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        rows_in=len(rows),
    )
"""


def test_a_reader_is_found_by_its_entry_point(tmp_path):
    site = tmp_path / "site"
    (site / "star_gazer-1.0.dist-info").mkdir(parents=True)
    (site / "star_gazer.py").write_text(READER)
    (site / "star_gazer-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: star-gazer\nVersion: 1.0\n"
    )
    (site / "star_gazer-1.0.dist-info" / "entry_points.txt").write_text(
        "[gazetrack.readers]\nstars = star_gazer\n"
    )
    rows = "".join(f"{20 * i} {100 + i % 2} 200\n" for i in range(50))
    (tmp_path / "night.txt").write_text(f"***\n{rows}")
    code = "from gazetrack_cli.main import main; main()"
    paths = os.pathsep.join([str(site), str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    for command, words in (
        (["info", "night.txt"], "stars (certain: first line of stars)"),
        (["formats"], "stars"),
        (["convert", "night.txt"], "1 rows"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
