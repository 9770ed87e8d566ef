"""A long table of samples is read in parts, to what it is at once."""

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.text import cells
from gazetrack.tables import spill

COLUMNS = {"t": "t", "x": "x", "y": "y", "participant": "who", "recording": "session"}


def write(path, rows=400, back_at=None):
    rng = np.random.default_rng(3)
    lines = ["t,x,y,who,session,image\n"]
    for n in range(rows):
        who = "pq"[n // 60 % 2]
        t = 4 * n + 0.1 if n != back_at else 0.0
        x = "" if n % 17 == 0 else f"{rng.uniform(0, 900):.2f}"
        lines.append(f"{t:.1f},{x},{rng.uniform(0, 900):.2f},{who},s1,i{n // 50}.png\n")
    path.write_text("".join(lines))
    return path


def short(monkeypatch):
    monkeypatch.setattr(cells, "PART_ROWS", 16)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 300)
    monkeypatch.setattr(spill, "SPILL_ROWS", 40)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 20)


@pytest.mark.parametrize("more", [{}, {"stimulus": "image"}])
def test_parts_make_the_same_recording(tmp_path, monkeypatch, more):
    path = write(tmp_path / "raw.csv")
    whole = gazetrack.read(path, columns=COLUMNS | more)
    short(monkeypatch)
    parts = gazetrack.read(path, columns=COLUMNS | more)
    assert parts.sample_table["t_ms"].num_chunks > 5
    assert parts.samples.equals(whole.samples)
    assert parts.facts() == whole.facts()
    assert dict(parts.participants) == {"p_s1": "p", "q_s1": "q"} == dict(whole.participants)
    assert parts.samples.groupby("recording", observed=True)["t_ms"].first().tolist() == [0, 0]


def test_a_step_back_between_parts_is_refused_at_its_line(tmp_path, monkeypatch):
    short(monkeypatch)
    path = write(tmp_path / "raw.csv", back_at=333)
    with pytest.raises(ParseError, match="steps back") as caught:
        gazetrack.read(path, columns={"t": "t", "x": "x", "y": "y"})
    assert caught.value.line == 335
