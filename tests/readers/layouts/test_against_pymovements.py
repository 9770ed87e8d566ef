"""The layouts against pymovements' definitions of the same data sets, on the same made-up files."""

import warnings

import numpy as np
import pymovements
import pytest

import gazetrack
from gazetrack.readers.layouts.known import LAYOUTS
from tests.public_tables import TABLES

COMPARED = [table for table in TABLES if table.pymovements]


def theirs(table, path):
    definition = pymovements.DatasetLibrary.get(table.pymovements)
    gaze = next(each for each in definition.resources if each.content == "gaze")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = dict(gaze.load_kwargs or {})
        options.setdefault("time_column", "time" if table.layout in {"copco", "ggtg"} else None)
        found = pymovements.gaze.from_csv(path, experiment=definition.experiment, **options)
    return found, gaze.load_kwargs, definition.experiment


def ours_in_their_unit(recording, pairs, in_degrees):
    columns = []
    for x_name, y_name in pairs:
        x = recording.samples[x_name].to_numpy(float)
        y = recording.samples[y_name].to_numpy(float)
        if in_degrees:
            x, y = recording.screen.degrees(x, y)
            y = -y
        columns += [x, y]
    return np.stack(columns, axis=1)


def pairs_of(layout):
    """Our columns in the order in which pymovements lists the data set's."""
    keys = ("left_", "right_", "")
    names = [key for key in keys if f"{key}x" in layout.columns]
    return [(f"{key}x_px", f"{key}y_px") for key in names]


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.layout)
def test_positions_and_times_are_those_of_pymovements(table, tmp_path):
    path = tmp_path / table.file
    path.write_text(table.text, encoding="utf-8")
    recording = gazetrack.read(path, format=table.layout)
    found, options, _ = theirs(table, path)
    layout = LAYOUTS[table.layout]

    in_degrees = "position_columns" in options
    name = "position" if in_degrees else "pixel"
    expected = np.array(
        [[np.nan if v is None else v for v in row] for row in found.samples[name].to_list()]
    ).astype(float)
    if table.layout == "mcfw_gaze":  # fractions of the screen, which it lists as pixels
        expected *= [1920, 1080, 1920, 1080]
    ours = ours_in_their_unit(recording, pairs_of(layout), in_degrees)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-3)

    their_times = found.samples["time"].to_numpy().astype(float)
    if table.layout == "etdd70":  # microseconds, which it takes for milliseconds
        their_times = their_times / 1000
    if table.layout == "emtec":  # every second sample is half a millisecond later
        their_times = their_times + np.tile([0, 0.5], len(their_times) // 2)
    trials = recording.samples.trial.to_numpy()
    for trial in np.unique(trials.astype(str)):
        rows = trials.astype(str) == trial
        ours = recording.samples.t_ms.to_numpy()[rows]
        np.testing.assert_allclose(np.diff(ours), np.diff(their_times[rows]), atol=2e-3)


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.layout)
def test_screens_and_rates_are_those_of_pymovements_but_for_what_the_layout_says(table, tmp_path):
    layout = LAYOUTS[table.layout]
    experiment = pymovements.DatasetLibrary.get(table.pymovements).experiment
    assert layout.rate_hz == experiment.sampling_rate
    if layout.directions:
        return
    screen = experiment.screen
    size = (screen.width_px, screen.height_px)
    assert (layout.screen.width_px, layout.screen.height_px) == size
    mm = [
        None if cm is None else pytest.approx(10 * cm) for cm in (screen.width_cm, screen.height_cm)
    ]
    distance = screen.distance_cm
    if table.layout == "sb_sat":
        mm = [None, None]  # they contradict the tracker's own amplitudes
    if table.layout == "potec":
        distance = 61  # 65 cm are those to the camera
    if table.layout == "etdd70":
        distance = None  # 60 to 70 cm
    assert [layout.screen.width_mm, layout.screen.height_mm] == mm
    far = None if distance is None else pytest.approx(10 * distance)
    assert layout.screen.distance_mm == far
