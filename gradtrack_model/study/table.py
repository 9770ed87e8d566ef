"""The table of a study: a line per method, with its spread over seeds, its interval over images, and a paired test."""

from __future__ import annotations

import csv
import io
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.publish import write_bytes, write_json, write_text
from gradtrack_model.evaluation.statistics import bootstrap, paired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.study.jobs import Result

    Scores = Mapping[str, Mapping[str, float]]

Line = dict[str, Any]
_EMPTY = {"difference": None, "interval": (None, None), "p": None}


def summarise(results: Iterable[Result], reference: str, way: str = "plain") -> list[Line]:
    """Return the lines of the table, one per method in the order of its first result; failed results are left out.

    Parameters
    ----------
    results : iterable of Result
        Of `study.run_jobs`.
    reference : str
        The method that the others are compared with, image by image, after the mean over seeds.
    way : str
        Of `study.WAYS`.

    Returns
    -------
    list of dict
        ``method``, ``seeds``, ``dice`` (mean over seeds and images), ``per_seed``, ``sd_seeds``
        (None of one seed), ``interval`` (95 % bootstrap over images), ``iou``, ``hd95_px``,
        ``images``, ``from`` (None, or ``reference`` and what `statistics.paired` returns), ``steps``
        and ``seconds`` (means over seeds).
    """
    rows: dict[str, list[Result]] = {}
    for result in results:
        if way in result.scores:
            rows.setdefault(result.job.name, []).append(result)
    means = {
        name: per_image([result.scores[way] for result in found]) for name, found in rows.items()
    }
    return [_line(name, found, means, reference, way) for name, found in rows.items()]


def _line(
    name: str,
    results: Sequence[Result],
    means: Mapping[str, dict[str, float]],
    reference: str,
    way: str,
) -> Line:
    mine, theirs = means[name], means.get(reference, {})
    seeds = [statistics.fmean(per_image([result.scores[way]]).values()) for result in results]
    both = sorted(set(mine) & set(theirs)) if name != reference else []
    return {
        "method": name,
        "seeds": [result.job.seed for result in results],
        "images": len(mine),
        "dice": statistics.fmean(mine.values()),
        "per_seed": seeds,
        "sd_seeds": statistics.stdev(seeds) if len(seeds) > 1 else None,
        "interval": bootstrap([mine[i] for i in sorted(mine)]),
        **{
            key: _mean([result.scores[way] for result in results], key)
            for key in ("iou", "hd95_px")
        },
        "from": {"reference": reference, **paired([mine[i] - theirs[i] for i in both])}
        if both
        else None,
        **{
            key: statistics.fmean(float(result.facts[key]) for result in results)
            for key in ("steps", "seconds")
        },
    }


def per_image(runs: Sequence[Scores], measure: str = "dice") -> dict[str, float]:
    """Return the mean over runs of each image that all of them have."""
    ids = set.intersection(*(set(run) for run in runs))
    return {i: statistics.fmean(run[i][measure] for run in runs) for i in sorted(ids)}


def _mean(runs: Sequence[Scores], measure: str) -> float:
    return statistics.fmean(per_image(runs, measure).values())


def cells(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table as text."""
    references = [line["from"]["reference"] for line in lines if line["from"]]
    versus = f"from {references[0]} (95 %, Wilcoxon p)" if references else "from the reference"
    header = [
        "method",
        "seeds",
        "Dice",
        "95 % over images",
        "IoU",
        "HD95 px",
        versus,
        "steps",
        "time",
    ]
    return header, [_texts(line) for line in lines]


def _texts(line: Line) -> list[str]:
    spread = "" if line["sd_seeds"] is None else f" ± {line['sd_seeds']:.3f}"
    low, high = line["interval"]
    beside = ""
    if found := line["from"]:
        beside = "{:+.3f} [{:+.3f}, {:+.3f}], p = {:.2g}".format(
            found["difference"], *found["interval"], found["p"]
        )
    minutes, seconds = divmod(round(line["seconds"]), 60)
    figures = [
        f"{line['dice']:.3f}{spread}",
        f"{low:.3f} to {high:.3f}",
        f"{line['iou']:.3f}",
        f"{line['hd95_px']:.1f}",
    ]
    return [
        line["method"],
        str(len(line["seeds"])),
        *figures,
        beside,
        f"{line['steps']:.0f}",
        f"{minutes}:{seconds:02d}",
    ]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def write_table(out: Path, name: str, lines: Sequence[Line], about: Mapping[str, Any]) -> bytes:
    """Write ``<name>.md``, ``.csv``, ``.json`` and ``.png`` to `out`, and return the picture.

    Parameters
    ----------
    out : pathlib.Path
        The folder of the study.
    name : str
        Of the files.
    lines : sequence of dict
        Of `summarise`.
    about : mapping
        What else the JSON shall say, beside ``methods``.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    write_text(out / f"{name}.md", markdown(*cells(lines)))
    write_text(out / f"{name}.csv", _csv(lines))
    write_json(out / f"{name}.json", {**about, "methods": list(lines)})
    picture = draw(lines)
    write_bytes(out / f"{name}.png", picture)
    return picture


def _csv(lines: Sequence[Line]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    plain = ("images", "dice", "sd_seeds", "iou", "hd95_px", "steps", "seconds")
    ends = ("low", "high")
    names = ["method", "seeds", *plain, *(f"dice_{end}" for end in ends)]
    writer.writerow(
        [*names, "reference", "difference", "p", *(f"difference_{end}" for end in ends)]
    )
    for line in lines:
        beside = line["from"] or {"reference": None, **_EMPTY}
        own = [
            line["method"],
            " ".join(map(str, line["seeds"])),
            *(line[key] for key in plain),
            *line["interval"],
        ]
        writer.writerow(
            [*own, *(beside[key] for key in ("reference", "difference", "p")), *beside["interval"]]
        )
    return text.getvalue()


def draw(lines: Sequence[Line], label: str = "Dice on the validation images") -> bytes:
    """Return a PNG: a point per seed, and a line for the 95 % interval over images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.4 * len(lines) + 1.2), layout="constrained")
    axes = figure.subplots()
    for at, line in enumerate(reversed(lines)):
        axes.plot(line["interval"], [at, at], color="0.6")
        axes.plot(line["per_seed"], [at] * len(line["per_seed"]), "o", color="C0")
    axes.set_yticks(np.arange(len(lines)), [line["method"] for line in reversed(lines)])
    axes.set_xlabel(f"{label}; points: seeds, lines: 95 % over images")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120)
    return data.getvalue()
