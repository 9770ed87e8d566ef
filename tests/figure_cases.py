"""The figures of the gallery: small made-up data whose numbers come from formulas, no generator.

`python -m tests.figure_cases` draws the gallery of `docs/figures.md`, and the pictures without
texts that `tests/figures/test_baselines.py` compares with.
"""

from __future__ import annotations

import io
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.testing.decorators import remove_ticks_and_titles
from matplotlib.text import Text
from PIL import Image

from gazetrack.figures.durations import plot_durations
from gazetrack.figures.heatmap import plot_heatmap
from gazetrack.figures.main_sequence import plot_main_sequence
from gazetrack.figures.saving import figure_bytes
from gazetrack.figures.scanpath import plot_scanpath
from gazetrack.figures.time_series import plot_time_series
from gazetrack.figures.track_maps import plot_track
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import Track
from tests.places import ROOT

BASELINES = ROOT / "tests" / "figures" / "baselines"
GALLERY = ROOT / "docs" / "figures"
BASELINE_DPI = 45
GALLERY_DPI = 75
GALLERY_COLOURS = 96

GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, are spread evenly: no generator is needed


def spread(n, seed=0.0):
    """n numbers in [0, 1), spread evenly and in no order."""
    return np.modf(seed + GOLDEN * np.arange(1, n + 1))[0]


def picture(height=150, width=200):
    """An image with a bright ellipse, and the mask of this."""
    down, across = np.mgrid[:height, :width]
    mask = ((across - 120) / 45) ** 2 + ((down - 80) / 32) ** 2 < 1
    shade = 70 + 40 * np.sin(across / 17) * np.cos(down / 23)
    image = np.stack([shade + 70 * mask, shade + 25 * mask, shade], axis=-1)
    return image.astype(np.uint8), mask


def track(n=18, seed=0.0, recording="reader-1", participant="anna"):
    """A scanpath that scans the image, and then dwells on the ellipse."""
    turn = 2 * np.pi * spread(n, seed)
    out = np.sqrt(spread(n, seed + 0.37))
    x = 120 + 42 * out * np.cos(turn)
    y = 80 + 30 * out * np.sin(turn)
    first = np.arange(n) < 5
    x[first] = 15 + 170 * spread(n, seed + 0.2)[first]
    y[first] = 12 + 120 * spread(n, seed + 0.7)[first]
    duration = 120 + 500 * spread(n, seed + 0.11) ** 2
    return Track(recording, "3", "lesion-001.png", x, y, duration, 200.0, 150.0, participant)


OUTLINES = {
    "lesion": np.array([(75.0, 48), (165, 48), (165, 112), (75, 112)]),
    "fold": np.array([(10.0, 20), (60, 14), (48, 60)]),
}


def gaze(n=1500, step_ms=4.0):
    """Samples of gaze that stays and jumps, with a blink; and its events."""
    t = step_ms * np.arange(n)
    number = (t // 400).astype(int)
    places = track(int(number.max()) + 1)
    ramp = np.clip((t % 400) / 40, 0, 1)
    before = np.maximum(number - 1, 0)
    x = places.x[before] + ramp * (places.x[number] - places.x[before])
    y = places.y[before] + ramp * (places.y[number] - places.y[before])
    wobble = np.sin(t / 9)
    lost = (t > 2600) & (t < 2760)
    x, y = (np.where(lost, np.nan, 5 * v + wobble) for v in (x, y))
    samples = pd.DataFrame({"t_ms": t, "x_px": x, "y_px": y})
    starts = 400.0 * np.arange(number.max() + 1)
    fixations = pd.DataFrame({"kind": "fixation", "onset_ms": starts + 40, "duration_ms": 360.0})
    saccades = pd.DataFrame({"kind": "saccade", "onset_ms": starts[1:], "duration_ms": 40.0})
    blink = pd.DataFrame({"kind": ["blink"], "onset_ms": [2600.0], "duration_ms": [160.0]})
    return samples, pd.concat([fixations, saccades, blink], ignore_index=True)


def saccades(n=240):
    """Saccades about the main sequence of healthy eyes."""
    amplitude = 0.25 * 120 ** spread(n)
    noise = np.exp(0.5 * (spread(n, 0.31) - 0.5))
    kind = np.where(amplitude < 1, "microsaccade", "saccade")
    velocity = 60 * amplitude**0.6 * noise
    return pd.DataFrame({"kind": kind, "amplitude_deg": amplitude, "peak_velocity_deg_s": velocity})


def durations(n=600):
    """Fixations of two groups, one of which looks longer."""
    group = np.where(np.arange(n) % 3 == 0, "expert", "novice")
    middle = np.where(group == "expert", 330.0, 260.0)
    return pd.DataFrame({"duration_ms": middle * 4 ** (spread(n) - 0.5), "group": group})


def maps():
    return plot_track(track(), picture()[0], render_maps(track()), picture()[1])


def scanpath():
    return plot_scanpath(track(), picture()[0], outlines=OUTLINES)


def heatmap():
    tracks = [track(seed=0.1 * number, recording=f"reader-{number}") for number in range(4)]
    return plot_heatmap(tracks, picture()[0])


def time_series():
    return plot_time_series(*gaze(), title="reader-1")


CASES = {
    "maps": maps,
    "scanpath": scanpath,
    "heatmap": heatmap,
    "time-series": time_series,
    "main-sequence": lambda: plot_main_sequence(saccades(), title="reader-1"),
    "durations": lambda: plot_durations(durations(), by="group"),
}


def without_texts(figure):
    """Take all texts away: how letters are drawn differs between versions of FreeType."""
    remove_ticks_and_titles(figure)
    for text in figure.findobj(Text):
        text.set_visible(False)
    return figure


def baseline_bytes(figure):
    """A figure without texts as a small PNG."""
    buffer = io.BytesIO()
    without_texts(figure).savefig(
        buffer, format="png", dpi=BASELINE_DPI, metadata={"Software": None}
    )
    return buffer.getvalue()


def write(names):
    """Draw the gallery and the baselines of these figures, of all when none is named."""
    BASELINES.mkdir(exist_ok=True)
    GALLERY.mkdir(exist_ok=True)
    with mpl.rc_context(mpl.rcParamsDefault | {"backend": mpl.rcParams["backend"]}):
        for name in names or CASES:
            (BASELINES / f"{name}.png").write_bytes(baseline_bytes(CASES[name]()))
            figure = CASES[name]()
            with Image.open(io.BytesIO(figure_bytes(figure, ".png", dpi=GALLERY_DPI))) as drawn:
                few = drawn.convert("RGB").quantize(GALLERY_COLOURS)
            few.save(GALLERY / f"{name}.png", optimize=True)


if __name__ == "__main__":
    write(sys.argv[1:])
