"""How large the page of `gazetrack report` is, and how soon a browser paints it.

    python benchmarks/bench_report.py [--recordings 200] [--screenshot docs/report.jpg]

Two pages: `read`, of simulated exports that are read and measured (short ones: six trials of six
seconds), and `long`, of as many recordings of ten minutes in twenty trials, whose gaze is made in
memory, so that the page itself is measured at the most gaze that it holds. Needs Debian's chromium
and chromium-driver. The results, as JSON, go to `benchmarks/results/report.json`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import gazetrack
from gazetrack.simulate.study import write_study
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.reporting.entries import RecordingEntry, Reported, TrialEntry
from gazetrack.workflows.reporting.options import ReportOptions
from gazetrack.workflows.reporting.packing import on_grid, pack, points_for, step_for
from gazetrack.workflows.reporting.page import page_of
from gazetrack.workflows.reporting.pictures import MapPictures, Pictures

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import browser as browsers  # noqa: E402 - beside this folder

RESULTS = ROOT / "benchmarks" / "results" / "report.json"
MINUTES, TRIALS, RATE_HZ = 10, 20, 100
LOADS = 3
PAINT = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
LIMITS = gazetrack.Thresholds(max_loss_percent=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--screenshot", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.screenshot:
            screenshot(Path(folder), asked.screenshot.absolute())
            return
        found = {
            "recordings": asked.recordings,
            "read": of_exports(Path(folder), asked.recordings),
            "long": of_long(Path(folder), asked.recordings),
        }
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def of_exports(folder: Path, n: int) -> dict[str, float]:
    study = write_study(folder / "study", n_readers=n, n_images=6)
    page = folder / "read.html"
    begin = time.perf_counter()
    gazetrack.write_report(
        study.folder / "exports",
        page,
        jobs=2,
        images=study.folder / "images",
        thresholds=LIMITS,
    )
    seconds = time.perf_counter() - begin
    return {"seconds_to_make": round(seconds, 1), **seen(page)}


def of_long(folder: Path, n: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    step_ms = step_for(MINUTES * 60_000, points_for(n))
    found = [
        Reported(outcome=Outcome(f"r{k}.tsv"), entries=(long_entry(f"r{k}", rng, step_ms),))
        for k in range(n)
    ]
    page = folder / "long.html"
    begin = time.perf_counter()
    page.write_text(
        page_of(found, Pictures(), MapPictures(), ReportOptions(thresholds=LIMITS)), "utf-8"
    )
    seconds = time.perf_counter() - begin
    return {"seconds_to_fill_in": round(seconds, 1), **seen(page)}


def long_entry(name: str, rng: np.random.Generator, step_ms: float) -> RecordingEntry:
    trials = tuple(long_trial(name, place, rng, step_ms) for place in range(TRIALS))
    quality = {"loss": float(rng.random()), "rate_hz": float(RATE_HZ)}
    events = {"fixation": {"n": 1800.0, "median_ms": 240.0}}
    return RecordingEntry(
        name=name, participant="", eyes={"both": quality}, events=events, trials=trials
    )


def long_trial(name: str, place: int, rng: np.random.Generator, step_ms: float) -> TrialEntry:
    """A trial whose gaze rests, jumps and trembles as a screen-based tracker's does."""
    ms = MINUTES * 60_000 / TRIALS
    onset = np.cumsum(rng.uniform(150, 500, 90)) * ms / 30_000
    centre = rng.uniform(100, 1000, (2, 91))
    t = np.arange(0, ms, 1000 / RATE_HZ)
    x, y = centre[:, np.searchsorted(onset, t)] + rng.normal(0, 8, (2, len(t)))
    gaze = on_grid(t, x, y, step_ms)
    fixations = (onset, np.full(90, 240.0), *centre[:, :90])
    return TrialEntry(
        recording=name,
        participant="",
        trial=str(place),
        stimulus=f"image-{place}.png",
        onset_ms=place * ms,
        duration_ms=ms,
        quality={"loss": float(rng.random())},
        events={"fixation": {"n": 90.0, "median_ms": 240.0}},
        plane=(1920.0, 1080.0),
        is_image=False,
        placed=None,
        packed=pack(gaze, fixations, step_ms, 1920.0),
    )


def seen(page: Path) -> dict[str, float]:
    """The size of a page, and medians of how soon it is painted and its first scanpath drawn."""
    paints, ready = [], []
    for _ in range(LOADS):
        driver = browsers.start()
        begin = time.perf_counter()
        browsers.opened(driver, page)
        ready.append(time.perf_counter() - begin)
        paints.append(driver.execute_script(PAINT) / 1000)
        driver.quit()
    return {
        "megabytes": round(page.stat().st_size / 1e6, 2),
        "first_paint_s": round(statistics.median(paints), 2),
        "first_scanpath_s": round(statistics.median(ready), 2),
    }


def screenshot(folder: Path, out: Path) -> None:
    """Draw the page of a small study, for the documentation."""
    study = write_study(folder / "study", n_readers=6, n_images=6, size=(480, 640), seed=1)
    exports = Path("exports")
    os.chdir(study.folder)  # so that errors name files as a user's would
    (exports / "reader-07.asc").write_bytes(study.exports[0].read_bytes()[:3000])
    page = folder / "report.html"
    gazetrack.write_report(
        exports,
        page,
        errors="report",
        title="Lesions, six readers",
        images=study.folder / "images",
        screen=gazetrack.Screen(1280, 1024, 376, 301, 600),
        thresholds=LIMITS,
    )
    driver = browsers.start()
    driver.set_window_size(1280, 1900)
    hidden = {"hidden": True}
    driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", hidden)
    browsers.opened(driver, page)
    time.sleep(0.5)
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    driver.quit()
    picture.resize(
        (960, round(picture.height * 960 / picture.width)), Image.Resampling.LANCZOS
    ).save(out, quality=82, optimize=True)


if __name__ == "__main__":
    main()
