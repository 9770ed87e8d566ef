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

from gazetrack.figures.aois import plot_aois
from gazetrack.figures.durations import plot_durations
from gazetrack.figures.heatmap import plot_heatmap
from gazetrack.figures.main_sequence import plot_main_sequence
from gazetrack.figures.pupil import plot_pupil
from gazetrack.figures.saving import figure_bytes
from gazetrack.figures.scanpath import plot_scanpath
from gazetrack.figures.scarf import plot_scarf
from gazetrack.figures.time_course import plot_time_course
from gazetrack.figures.time_series import plot_time_series
from gazetrack.figures.track_maps import plot_track
from gazetrack.figures.transitions import plot_transitions
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import Track
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.cluster_permutation import ClusterOptions, cluster_permutation
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle
from gazetrack.measures.time_courses import TimeCourseOptions, time_courses
from gazetrack.workflows.measures import measure_aois
from tests.places import ROOT

BASELINES = ROOT / "tests" / "figures" / "baselines"
GALLERY = ROOT / "docs" / "figures"
BASELINE_DPI = 45
GALLERY_DPI = 70

GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, are spread evenly: no generator is needed


def spread(n, seed=0.0):
    """n numbers in [0, 1), spread evenly and in no order."""
    return np.modf(seed + GOLDEN * np.arange(1, n + 1))[0]


def picture(height=150, width=200):
    """An image with a bright ellipse, and the mask of this."""
    down, across = np.mgrid[:height, :width]
    mask = ((across - 120) / 45) ** 2 + ((down - 80) / 32) ** 2 < 1
    # Few shades, so that the pictures of figures are small files.
    shade = 70 + 16 * np.round(2 * np.sin(across / 17) * np.cos(down / 23))
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


SHAPES = {
    "lesion": Ellipse(x_px=120, y_px=80, radius_x_px=45, radius_y_px=32),
    "fold": Polygon(points_px=((10.0, 20.0), (60.0, 14.0), (48.0, 60.0))),
    "corner": Rectangle(x_px=150, y_px=8, width_px=40, height_px=24),
}
AREAS = tuple(Aoi(name=name, parts=(Part(shape=shape),)) for name, shape in SHAPES.items())
ON_LESION = StimulusAois(stimulus="lesion-001.png", size=(200, 150), aois=AREAS)
AOIS = AoiSet(stimuli=(ON_LESION,))


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
    return plot_scanpath(track(), picture()[0], aois=AOIS)


def heatmap():
    tracks = [track(seed=0.1 * number, recording=f"reader-{number}") for number in range(4)]
    return plot_heatmap(tracks, picture()[0])


def time_series():
    return plot_time_series(*gaze(), title="reader-1")


def pupil_samples(n=1500, step_ms=4.0):
    """A pupil that opens slowly, with a blink that was filled and a longer loss that was not."""
    t = step_ms * np.arange(n)
    true = 1000 + 120 * np.sin(t / 1500) + 6 * np.sin(t / 37)
    blink, loss = (t >= 1400) & (t < 1560), (t >= 3800) & (t < 4700)
    beside = ((t >= 1360) & (t < 1600)) & ~blink
    raw = np.where(blink | loss, np.nan, np.where(beside, 0.7 * true, true))
    made = np.where(loss, np.nan, 1000 + 120 * np.sin(t / 1500))
    reason = np.where(loss | blink, "missing", np.where(beside, "padding", ""))
    columns = {"eye": "right", "t_ms": t, "raw_pupil": raw, "pupil": made}
    return pd.DataFrame({**columns, "removed_by": reason, "is_filled": blink | beside})


def cluster_test():
    """The test of `tests.looks`: experts and novices, the proportions of looks at the lesion."""
    from tests.looks import looks

    courses = time_courses(looks(), TimeCourseOptions(bin_ms=100))
    options = ClusterOptions(n_permutations=500)
    return cluster_permutation(courses, "group", "lesion", options=options)


def transitions():
    """Transitions between the areas of `tests.looks`."""
    from tests.looks import looks

    one = looks().drop_duplicates(["recording", "trial", "fixation"])
    one = one.assign(to_aoi=one.groupby(["recording", "trial"])["aoi"].shift(-1))
    pairs = one.dropna(subset="to_aoi").rename(columns={"aoi": "from_aoi"})
    return pairs.groupby(["from_aoi", "to_aoi"]).size().reset_index(name="transitions")


def fixations():
    """Four scanpaths as a table of fixations."""
    tables = []
    for number in range(4):
        one = track(seed=0.1 * number)
        onset = np.cumsum(np.append(0, one.duration_ms[:-1] + 40))
        columns = {"x_px": one.x, "y_px": one.y, "duration_ms": one.duration_ms, "onset_ms": onset}
        names = {"recording": f"reader-{number}", "trial": "1", "stimulus": "lesion-001.png"}
        sizes = {"image_width_px": 200.0, "image_height_px": 150.0}
        tables.append(pd.DataFrame(columns).assign(**names, **sizes))
    return pd.concat(tables, ignore_index=True)


def aois():
    return plot_aois(measure_aois(fixations(), AOIS), AOIS, picture()[0])


def scarf():
    from tests.looks import looks

    return plot_scarf(looks(8, 1), title="a.png")


CASES = {
    "maps": maps,
    "scanpath": scanpath,
    "heatmap": heatmap,
    "time-series": time_series,
    "main-sequence": lambda: plot_main_sequence(saccades(), title="reader-1"),
    "durations": lambda: plot_durations(durations(), by="group"),
    "aois": aois,
    "pupil": lambda: plot_pupil(pupil_samples(), title="reader-1"),
    "scarf": scarf,
    "transitions": lambda: plot_transitions(transitions(), title="a.png"),
    "time-course": lambda: plot_time_course(cluster_test(), title="lesion"),
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
                drawn.convert("RGB").save(GALLERY / f"{name}.png", optimize=True)


if __name__ == "__main__":
    write(sys.argv[1:])
