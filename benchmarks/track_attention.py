"""Track Attention put to the test, where the paper has it and where it might gain.

    python benchmarks/track_attention.py --data DATA --maps MAPS [--sam MAPS] [--tables DIR]
    [--out DIR] [--rows 'A;B'] [--networks basic lite] [--seeds 3] [--steps 1500] [--processes 6]
    [--together 8] [--time-limit SECONDS] [--device auto] [--smoke] [--measure]

DATA holds images/, masks/, fit.txt and val.txt. MAPS of --maps are density maps refined by the CRF,
with four levels; the last level of those of --sam is a label refined by SAM. --tables are fixation
tables, for negatives. The rows:

- the paper's: Track Attention from scratch, and deep supervision alone, beside the plain decoder
- on SAM's labels, with levels by how sure the label is in place of levels by share of the track;
  trained only where the precision of each level is above .85
- tracks on the skip connections, detached, in place of the features
- pixels ignored, level by level, where an averaged teacher is far from the label
- more weight around fixations that looked for the target; trained only where these are off it

All rows of a network and seed see the same batches and start from the same weights. Masks of
training images measure, and train in the row that says so alone. A job whose files are there is not
done again. Written are DIR/jobs/NETWORK/ROW/SEED.json and .csv (Dice of each image in val.txt, at
its own size, with the last weights), results.json and results.md: means over seeds, bootstrap
intervals over images, paired differences from the plain decoder on the same labels.

Stopped while it trains, what is done of each row and network stays: called again, it goes on, and
with nothing left it writes the table alone. On an H200,
four rows and three seeds of one network took 95 to 123 s in three processes.

--measure: only measure labels and fixations. --smoke: a few steps of every row on few images; on a
GPU beside the same steps without recording.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from _attention_jobs import (
    NETWORKS,
    ROWS,
    SMOKE_IMAGES,
    Plan,
    Unit,
    do_smoke,
    do_unit,
    prepare,
    settings_of,
    start_process,
)
from _attention_labels import (
    NEEDED_OFF_TARGET,
    NEEDED_PRECISION,
    SCAN,
    find_sources,
    measure,
    samples_at,
)

from gradtrack_model.evaluation.statistics import bootstrap, paired
from gradtrack_model.study.table import markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from _attention_labels import Sources
    from _attention_training import Row

# What each row is compared with.
PLAIN = {"gaze": "plain", "sam": "SAM: plain", "masks": "masks: plain"}


def units_of(plan: Plan, rows: list[str], options: argparse.Namespace) -> list[Unit]:
    """Return what is left to be done, the first rows with all networks and seeds first."""
    units = []
    for start in range(0, len(rows), options.together):
        some = rows[start : start + options.together]
        for network in options.networks:
            for seed in range(options.seeds):
                left = tuple(row for row in some if not is_done(plan, network, seed, row))
                if left:
                    units.append(Unit(network=network, seed=seed, rows=left))
    return units


def is_done(plan: Plan, network: str, seed: int, row: str) -> bool:
    """Whether a job's result is there; the program ends where it is that of other settings."""
    file = plan.file(network, seed, row)
    if not file.exists():
        return False
    made_with = json.loads(file.read_text())["settings"]
    if made_with != json.loads(json.dumps(settings_of(plan.config(network, seed, ROWS[row]), row))):
        sys.exit(f"{file} was made with other settings; give another --out")
    return True


def admitted(rows: list[str], measured: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the rows whose labels are what they are tested for, and why others are left out."""
    refused = {}
    for name in rows:
        row = ROWS[name]
        if why := _why_not(row, measured):
            refused[name] = why
    return [row for row in rows if row not in refused], refused


def _why_not(row: Row, measured: dict[str, Any]) -> str:
    if row.labels == "sam":
        if "sam, levels by confidence" not in measured:
            return "no labels are given by --sam"
        precision = measured["sam, levels by confidence"]["precision"]
        if min(precision) <= NEEDED_PRECISION:
            return f"the precision of its levels, {precision}, is not above {NEEDED_PRECISION}"
    if row.negatives:
        if "scan" not in measured:
            return "no fixations are given by --tables"
        off = measured["scan"][SCAN]["off_target"]
        # Without a fixation that looks for the target, this is not a number.
        if not off > NEEDED_OFF_TARGET:
            return f"{off} of the fixations are off the target, not above {NEEDED_OFF_TARGET}"
    return ""


def scores_of(plan: Plan, network: str, row: str, seeds: int) -> dict[int, dict[str, float]]:
    """Return the Dice of each image by seed, of those jobs that are done."""
    found = {}
    for seed in range(seeds):
        file = plan.file(network, seed, row)
        if file.exists():
            with file.with_suffix(".csv").open(newline="") as scores:
                found[seed] = {
                    line["image_id"]: float(line["dice"]) for line in csv.DictReader(scores)
                }
    return found


def summarise(plan: Plan, network: str, row: str, seeds: int) -> dict[str, Any] | None:
    """Describe a row on a network; None where no job of it is done."""
    own = scores_of(plan, network, row, seeds)
    if not own:
        return None
    per_seed = [statistics.fmean(scores.values()) for scores in own.values()]
    facts = {
        "network": network,
        "row": row,
        "seeds": sorted(own),
        "dice": statistics.fmean(per_seed),
        "sd_of_seeds": statistics.stdev(per_seed) if len(per_seed) > 1 else None,
        "interval": bootstrap(mean_of(list(own.values()))),
    }
    plain = PLAIN[ROWS[row].labels]
    beside = scores_of(plan, network, plain, seeds)
    both = sorted(set(own) & set(beside))
    if row != plain and both:
        ours = mean_of([own[seed] for seed in both])
        theirs = mean_of([beside[seed] for seed in both])
        of_seeds = [
            statistics.fmean(own[seed].values()) - statistics.fmean(beside[seed].values())
            for seed in both
        ]
        compared = paired(np.subtract(ours, theirs))
        facts["beside"] = {"row": plain, **compared, "of_seeds": of_seeds}
    return facts


def mean_of(scores: list[dict[str, float]]) -> list[float]:
    """Return the mean over seeds of each image, in the order of their names."""
    return [statistics.fmean(of_seed[name] for of_seed in scores) for name in sorted(scores[0])]


def made_on(out: Path) -> list[str]:
    """Return the devices and versions of PyTorch that trained what is done."""
    jobs = [json.loads(file.read_text()) for file in sorted(out.glob("jobs/*/*/*.json"))]
    return sorted({f"{job['device']}, PyTorch {job['torch']}" for job in jobs})


def write_results(plan: Plan, facts: dict[str, Any], options: argparse.Namespace) -> str:
    """Write results.json and results.md, and return the table."""
    lines = [
        line
        for network in options.networks
        for row in ROWS
        if (line := summarise(plan, network, row, options.seeds))
    ]
    names = ["Network", "Row", "Seeds", "Dice", "95 % of images", "Beside plain", "Of each seed"]
    shown = []
    for line in lines:
        low, high = line["interval"]
        dice = f"{line['dice']:.3f}"
        if line["sd_of_seeds"] is not None:
            dice += f" ± {line['sd_of_seeds']:.3f}"
        difference = of_seeds = ""
        if beside := line.get("beside"):
            ends = ", ".join(f"{end:+.3f}" for end in beside["interval"])
            difference = f"{beside['difference']:+.3f} [{ends}]"
            of_seeds = " ".join(f"{value:+.3f}" for value in beside["of_seeds"])
        of_images = f"{low:.3f} to {high:.3f}"
        where = [line["network"], line["row"], str(len(line["seeds"]))]
        shown.append([*where, dice, of_images, difference, of_seeds])
    table = markdown(names, shown)
    (plan.out / "results.json").write_text(json.dumps({**facts, "rows": lines}, indent=2) + "\n")
    (plan.out / "results.md").write_text(table)
    return table


def in_processes(
    work: Callable[[Plan, Unit], dict[str, Any]], plan: Plan, units: list[Unit], processes: int
) -> dict[str, list[str]]:
    """Do units in processes of their own, tell of each, and return what was not run or failed."""
    start = time.perf_counter()
    problems: dict[str, list[str]] = {"not_run": [], "failed": []}
    # A process that was forked could not use the GPU.
    context = multiprocessing.get_context("spawn")
    threads = max((os.cpu_count() or 1) // processes, 1)
    workers = min(processes, max(len(units), 1))
    with ProcessPoolExecutor(workers, context, start_process, (threads,)) as pool:
        futures = {pool.submit(work, plan, unit): unit for unit in units}
        for future in as_completed(futures):
            unit = futures[future]
            name = f"{unit.network}, seed {unit.seed}: {'; '.join(unit.rows)}"
            if error := future.exception():
                problems["failed"].append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
                print(f"FAILED {problems['failed'][-1]}", flush=True)
                continue
            result = future.result()
            if result["rows"] is None:
                problems["not_run"].append(name)
                continue
            print(f"{unit.network}, seed {unit.seed}, at {time.perf_counter() - start:.0f} s")
            for key, value in result.items():
                print(f"  {key}: {_short(value)}", flush=True)
    return problems


def _short(value: Any) -> str:
    """Return facts in a line, numbers with four digits."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(member)}" for name, member in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("--sam", type=Path)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--out", type=Path, default=Path("track-attention"))
    parser.add_argument("--rows", help=f"separated by semicolons; of {'; '.join(ROWS)}")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument(
        "--together", type=int, default=8, help="rows that a process trains at once"
    )
    parser.add_argument("--time-limit", type=float, default=float("inf"), help="in seconds")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--eager", action="store_true", help="record no steps on a GPU")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args()
    options.chosen = options.rows.split(";") if options.rows else list(ROWS)
    if unknown := [row for row in options.chosen if row not in ROWS]:
        parser.error(f"no rows called {', '.join(unknown)}")
    return options


def measured_labels(sources: Sources, options: argparse.Namespace) -> dict[str, Any]:
    """Return what labels and fixations are worth, measured where that was not done yet."""
    file = options.out / "labels.json"
    inputs = [str(path) for path in (options.maps, options.sam, options.tables)]
    if file.exists():
        known = json.loads(file.read_text())
        if known["inputs"] == inputs:
            return known["measured"]
    measured = measure(sources, os.cpu_count() or 1)
    file.write_text(json.dumps({"inputs": inputs, "measured": measured}, indent=2) + "\n")
    return measured


def main() -> None:
    """Do what is left of the study, and print its table."""
    options = read_options()
    began = time.time()
    # Images are read in threads, which would each start as many again.
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    sources = find_sources(options)
    if options.smoke:
        sources = sources._replace(fit=sources.fit[:SMOKE_IMAGES], val=sources.val[:4])
    measured = measure(sources, os.cpu_count() or 1) if options.smoke else None
    measured = measured or measured_labels(sources, options)
    for name, facts in measured.items():
        print(f"{name}: {json.dumps(facts)}", flush=True)
    if options.measure:
        return
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            out=options.out,
            prepared=Path(folder),
            settings=tuple(options.settings),
            steps=options.steps,
            device=options.device,
            deadline=began + options.time_limit,
            record=not options.eager,
        )
        rows, refused = admitted(options.chosen, measured)
        if options.smoke:
            # All rows of a network at once, whatever their labels are worth on a few images.
            given = [row for row in options.chosen if "given" not in refused.get(row, "")]
            units = [Unit(network=name, seed=0, rows=tuple(given)) for name in options.networks]
        else:
            units = units_of(plan, rows, options)
        for network in dict.fromkeys(unit.network for unit in units):
            size = plan.size(network)
            if not (plan.prepared / f"ids-{size}.json").exists():
                prepare(samples_at(sources, size, os.cpu_count() or 1), plan.prepared, size)
        print(f"data read at {time.time() - began:.0f} s", flush=True)
        work = do_smoke if options.smoke else do_unit
        problems = in_processes(work, plan, units, options.processes)
    facts = {"steps": options.steps, "settings": options.settings, "labels": measured}
    facts |= {"refused": refused, **problems, "made_on": made_on(options.out)}
    if not options.smoke:
        print(write_results(plan, facts, options), end="")
    for what in ("refused", "not_run", "failed"):
        if facts[what]:
            print(f"{what}: {json.dumps(facts[what], indent=2)}")
    print(f"{time.time() - began:.0f} s")
    sys.exit(1 if problems["failed"] or problems["not_run"] else 0)


if __name__ == "__main__":
    main()
