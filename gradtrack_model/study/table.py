"""The table of a study: a line per method.

It has the spread over seeds, the interval over images, and a paired test against one method.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.publish import write_bytes, write_json, write_text
from gradtrack_model.computed import Computed
from gradtrack_model.evaluation.statistics import bootstrap, paired
from gradtrack_model.presets import METHODS
from gradtrack_model.settings import config_from
from gradtrack_model.study import surface_columns
from gradtrack_model.study.surface_columns import COLUMNS, known_means

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.study.jobs import Result

    Scores = Mapping[str, Mapping[str, float]]

Line = dict[str, Any]
_FIGURES = ("images", "dice", "sd_seeds", "iou", "hd95_px", "steps", "seconds")
_WHAT = ("computed", "what", "learned_from")
_OWN_COLUMNS = ("method", "seeds", *_FIGURES, "dice_low", "dice_high", "drawn_by", "ended_early")
_COMPARED_COLUMNS = ("reference", "difference", "p", "difference_low", "difference_high")


def summarise(results: Iterable[Result], reference: str, way: str = "plain") -> list[Line]:
    """Return the lines of the table, one per method in the order of its first result.

    Parameters
    ----------
    results : iterable of Result
        Of `gradtrack_model.study.runner.run_jobs`; failed ones are left out.
    reference : str
        The method that the others are compared with, image by image, after the mean over seeds.
    way : str
        Which predictions count, one of `gradtrack_model.study.jobs.WAYS`.

    Returns
    -------
    list of dict
        ``method``, ``seeds``, ``dice`` (mean over seeds and images), ``per_seed``, ``sd_seeds``
        (None of one seed), ``ended_early`` (how many runs were given up), ``drawn_by`` (the prompt
        model that drew the labels, and the masks that it learned from; empty for none),
        ``interval`` (95 % bootstrap over images), ``iou``,
        ``hd95_px``, ``surfaces`` (what `gradtrack_model.study.surface_columns` knows of surfaces
        and volumes), ``images``, ``from`` (None, or ``reference`` and what
        `gradtrack_model.evaluation.statistics.paired` returns), ``steps`` and ``seconds`` (means
        over seeds), and of what was computed ``computed`` (its name), ``what`` and
        ``learned_from`` (in words).
    """
    rows: dict[str, list[Result]] = {}
    for result in results:
        if way in result.scores:
            rows.setdefault(result.job.name, []).append(result)
    # Dice of each image, by method: the mean over the seeds.
    means = {}
    for name, found in rows.items():
        means[name] = per_image([result.scores[way] for result in found])
    lines = []
    for name, found in rows.items():
        line = _line(found, means[name], way)
        line["from"] = None
        if name != reference and reference in means:
            line["from"] = _beside(means[name], means[reference], reference)
        lines.append(line)
    return lines


def _line(results: Sequence[Result], dice: Mapping[str, float], way: str) -> Line:
    """Return a method's line but for what it is compared with; `dice` is that of each image."""
    runs = [result.scores[way] for result in results]
    per_seed = [_mean([run], "dice") for run in runs]
    return {
        "method": results[0].job.name,
        "ended_early": sum(bool(result.facts.get("given_up")) for result in results),
        # Results of earlier versions do not say so: no prompt model drew labels then.
        "drawn_by": str(results[0].facts.get("drawn_by", "")),
        "seeds": [result.job.seed for result in results],
        "images": len(dice),
        "dice": statistics.fmean(dice.values()),
        "per_seed": per_seed,
        "sd_seeds": statistics.stdev(per_seed) if len(per_seed) > 1 else None,
        # In the order of the ids: the bootstrap's interval depends on the order.
        "interval": bootstrap([dice[image] for image in sorted(dice)]),
        "iou": _mean(runs, "iou"),
        "hd95_px": _mean(runs, "hd95_px"),
        "surfaces": known_means(results, way),
        "steps": statistics.fmean(float(result.facts["steps"]) for result in results),
        "seconds": statistics.fmean(float(result.facts["seconds"]) for result in results),
        **_what(results[0].facts),
    }


def _what(facts: Mapping[str, Any]) -> Line:
    """Return what a run has computed, whatever its method is called."""
    config = config_from(facts["config"])
    # What "auto" was, and where labels came from, results of older versions do not say.
    config = dataclasses.replace(config, precision=facts.get("precision", config.precision))
    computed = Computed(config)
    return {
        "computed": computed.name,
        "what": computed.summary,
        "learned_from": facts.get("learned_from", "not recorded"),
    }


def _beside(mine: Mapping[str, float], theirs: Mapping[str, float], reference: str) -> Line | None:
    """Return the paired comparison with the reference on the images that both have."""
    common = sorted(set(mine) & set(theirs))
    if not common:
        return None
    return {"reference": reference, **paired([mine[image] - theirs[image] for image in common])}


def per_image(runs: Sequence[Scores], measure: str = "dice") -> dict[str, float]:
    """Return the mean over runs of each image that all of them have, by image id."""
    common = set.intersection(*(set(run) for run in runs))
    return {
        image: statistics.fmean(run[image][measure] for run in runs) for image in sorted(common)
    }


def _mean(runs: Sequence[Scores], measure: str) -> float:
    return statistics.fmean(per_image(runs, measure).values())


def cells(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table as text."""
    references = [line["from"]["reference"] for line in lines if line["from"]]
    versus = f"from {references[0]} (95 %, Wilcoxon p)" if references else "from the reference"
    surfaces = surface_columns.header(lines)
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
        *surface_columns.titles(surfaces),
        "what was computed",
    ]
    return header, [_texts(line, surfaces) for line in lines]


def _texts(line: Line, surfaces: Sequence[str]) -> list[str]:
    """Return a line's cells, in the order of the header of `cells`."""
    spread = "" if line["sd_seeds"] is None else f" ± {line['sd_seeds']:.3f}"
    low, high = line["interval"]
    beside = ""
    if line["from"]:
        found = line["from"]
        least, most = found["interval"]
        beside = f"{found['difference']:+.3f} [{least:+.3f}, {most:+.3f}], p = {found['p']:.2g}"
    # Labels that a prompt model drew are not free of masks: such a row stands apart by its name.
    drawn = f", labels drawn by {line['drawn_by']}" if line["drawn_by"] else ""
    early = ""
    if line["ended_early"]:
        # Such a run may have become better: its row is not that of a whole training.
        early = f", {line['ended_early']} of {len(line['seeds'])} runs ended early"
    minutes, seconds = divmod(round(line["seconds"]), 60)
    return [
        row_name(line) + drawn + early,
        str(len(line["seeds"])),
        f"{line['dice']:.3f}{spread}",
        f"{low:.3f} to {high:.3f}",
        f"{line['iou']:.3f}",
        f"{line['hd95_px']:.1f}",
        beside,
        f"{line['steps']:.0f}",
        f"{minutes}:{seconds:02d}",
        *surface_columns.texts(line, surfaces),
        f"{line['computed']}: {line['what']}; learned from {line['learned_from']}",
    ]


def row_name(line: Line) -> str:
    """Return what a row is called: a method is not called what it has not computed."""
    method, computed = line["method"], line["computed"]
    if method in METHODS and computed != method:
        return f"{computed} (asked for: {method})"
    return str(method)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; a bar within a cell ends none."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for row in rows:
        texts = [cell.replace("|", r"\|") for cell in row]
        lines.append(f"| {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def write_table(out: Path, name: str, lines: Sequence[Line], about: Mapping[str, Any]) -> bytes:
    """Write ``<name>.md``, ``.csv``, ``.json`` and ``.png`` to `out`, and return the picture.

    Parameters
    ----------
    out : pathlib.Path
        The folder of the study, which receives the files.
    name : str
        The stem of the four files.
    lines : sequence of dict
        The lines of the table, of `summarise`.
    about : mapping
        What else the JSON shall say, beside ``methods``.

    Returns
    -------
    bytes
        The PNG that was written.

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
    surfaces = [name for name in COLUMNS if any(name in line["surfaces"] for line in lines)]
    counted = [f"{name}{of}" for name in surfaces for of in ("", "_n", "_n_empty")]
    writer.writerow([*_OWN_COLUMNS, *_COMPARED_COLUMNS, *_WHAT, *counted])
    for line in lines:
        own = [line["method"], " ".join(map(str, line["seeds"]))]
        own += [line[key] for key in _FIGURES]
        own += [*line["interval"], line["drawn_by"], line["ended_early"]]
        compared = [""] * len(_COMPARED_COLUMNS)
        if line["from"]:
            found = line["from"]
            compared = [found["reference"], found["difference"], found["p"], *found["interval"]]
        what = [line[key] for key in _WHAT]
        known = [line["surfaces"].get(name, {}) for name in surfaces]
        figures = [each.get(of, "") for each in known for of in ("mean", "n", "n_empty")]
        writer.writerow([*own, *compared, *what, *figures])
    return text.getvalue()


def draw(lines: Sequence[Line], label: str = "Dice on the validation images") -> bytes:
    """Return a PNG: a point per seed, and a line for the 95 % interval over images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.4 * len(lines) + 1.2), layout="constrained")
    axes = figure.subplots()
    for at, line in enumerate(reversed(lines)):
        axes.plot(line["interval"], [at, at], color="0.6")
        axes.plot(line["per_seed"], [at] * len(line["per_seed"]), "o", color="C0")
    axes.set_yticks(np.arange(len(lines)), [row_name(line) for line in reversed(lines)])
    axes.set_xlabel(f"{label}; points: seeds, lines: 95 % over images")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120)
    return data.getvalue()
