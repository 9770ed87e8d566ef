"""The page about reliability, made from the goals and from the figures of the last release."""

from __future__ import annotations

import json
import sys
import textwrap

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import robustness

FIGURES = ROOT / "benchmarks" / "results" / "robustness.json"
HEAD = """# Reliability: what is promised, and what was measured

For those who decide whether this program may read a hospital's recordings: what can go wrong with files of other
people, what happens then, and how often it did when it was tried. The figures below are measured, not estimated, by
programs that come with the source; what was not measured says so.

## What is promised

- **Nothing is lost.** A file is written beside its place, flushed to the disk and put there as a whole; one that was
  there before stays until then. A power cut, a full disk or `kill -9` leaves the old file or the new one.
- **Nothing is silent.** Of every row of an export it is known whether it was used, and if not, why: `--report FILE`
  holds the counts for each file, with the SHA-256 of what was read and of what was written. Damage that would change a
  number is refused, counted or noted. An error names the file, the place in it and what to do, in one line, with a
  code that stays; [exit codes](commands.md) say the kind of it.
- **Nothing is executed.** Exports, tables, maps and checkpoints are data: there is no pickle in any format, no code is
  taken from a file, and no name in a file becomes a path before it is made harmless. Nothing is sent anywhere: the
  program opens no connection but to buckets and data sets that you name.
- **Nothing grows without limit.** What a file declares is held against [limits](limits.md) before it is unpacked, and
  long exports are read in pieces.
- **Names are yours.** `--participant hash` or `drop` takes names of people out of tables, files, messages and reports;
  [privacy](privacy.md) says what remains. What comes out is pseudonymised, not anonymous.

## What was measured

"""
TAIL = """
Goals are numbered as in `benchmarks/_goals.py`. A floor is what a release needs; "missed" is written where it is not
reached. Exports are damaged from a seed, so that everybody gets the same ones: bits, bytes and words, cells, rows and
columns, line ends and encodings, gzip, two recordings in one file, clocks that stand still or start again. Of real
recordings of other laboratories the figures alone are published, never the files.

- A *hard failure* is a traceback, a crash, a hang, more than 400 MB for one small file, or a table that breaks its own
  rules.
- Damage is *silent* when numbers differ from those of the undamaged export and nothing that was said differs. Of the
  class *error* is what makes another recording of it (rows in another order, a clock that stands still, a header that
  is not its own, words where numbers belong); of the class *notice* what trackers write as well (cells without a value,
  rows that are short, a row twice).
- A value changed into another one that is as good cannot be seen by anybody. Keep the exports, and compare the SHA-256
  in the report with that of the file as it left the laboratory.

## Measure it yourself

```console
python benchmarks/robustness.py --seed 7 --minutes 20
python benchmarks/fuzz.py eyelink_asc --inputs 1000000
```

Take a seed of your own: the programs print what failed, with the number of the damaged file, and `--keep DIR` keeps it.
Give a folder of your exports with `--data`, which looks for files below `DIR/exports`; they are read and not changed.

## What is not promised

- That a damaged export can be rescued. It is refused, or what is whole of it is taken, which the report says.
- Protection from whoever may write to your account: other packages of the same Python, or its start-up files.
- EyeLink EDF files are opened by SR Research's own library, which is not ours to harden: where files come from others,
  convert them with `edf2asc` on a machine that may fail.
- A judgement about data protection. Gaze can identify people; pseudonyms are no anonymity.
"""


def reliability_page(figures=FIGURES):
    """The page, with the figures of a JSON file that `benchmarks/robustness.py` wrote."""
    found = json.loads(figures.read_text("utf-8"))
    lines = [HEAD + _stamp(found), "", "| | what | floor | measured | |", "|---|---|---|---|---|"]
    for row in robustness.by_goal(found["rows"]):
        met = {True: "met", False: "**missed**", None: ""}[row["met"]]
        where = f" ({row['commit']}, {row['date']})" if "commit" in row else ""
        cells = (row["goal"], row["what"], row["floor"], row["figure"] + where, met)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n" + TAIL


def _stamp(found):
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    words = (
        f"Written on {found['date']} with {versions}; {found['system']}. Behind each figure stand the "
        "commit and the date of its own measurement."
    )
    return textwrap.fill(words, 120, break_on_hyphens=False)
