"""The look that all figures share."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gazetrack.figures import style
from gazetrack.maps.track import Track
from tests.places import ROOT

# Colour maps in which equal steps do not look equal.
UNEVEN = ("jet", "rainbow", "hsv", "gist_rainbow", "nipy_spectral", "gist_ncar", "hot", "prism")
EVEN = ("viridis", "magma", "gray", "cividis", "inferno", "plasma")


def sources():
    for folder in ("gazetrack", "gradtrack_model", "cli", "examples", "benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def colour_maps(path):
    """The names of colour maps that a file asks for: as cmap=…, and from colormaps[…]."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "cmap":
            if isinstance(node.value, ast.Constant):
                yield node.value.value
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "colormaps":
            yield ast.literal_eval(node.slice)


def test_no_colour_map_but_even_ones():
    found = {name for path in sources() for name in colour_maps(path)}
    assert {"viridis", "magma", "gray"} <= found
    assert found <= set(EVEN)
    unwanted = re.compile(rf"[\"'.]({'|'.join(UNEVEN)})(_r)?[\"')]")
    assert not [path for path in sources() if unwanted.search(path.read_text("utf-8"))]


def test_no_figure_is_known_to_pyplot():
    assert not [
        path
        for path in sources()
        if "pyplot" in path.read_text("utf-8")
        and (
            "import matplotlib.pyplot" in path.read_text("utf-8")
            or "from matplotlib import pyplot" in path.read_text("utf-8")
        )
    ]


def simulated(rgb, kind):
    """A colour as seen with a full deficiency: Viénot, Brettel and Mollon (1999), linear RGB."""
    linear = np.array(rgb) ** 2.2
    matrices = {
        "protan": [(0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)],
        "deutan": [(0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)],
    }
    return np.clip(np.array(matrices[kind]) @ linear, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_colours_are_told_apart_without_red_or_green(kind):
    seen = [simulated(to_rgb(colour), kind) for colour in style.COLOURS]
    apart = [np.abs(a - b).max() for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 0.09
    red, green = simulated((0.9, 0.1, 0.1), "deutan"), simulated((0.52, 0.52, 0.0), "deutan")
    assert np.abs(red - green).max() < 0.09  # so that the check can fail


def test_names_get_colours_of_their_own_however_many_they_are():
    assert style.colours_of("abc") == {"a": style.BLUE, "b": style.ORANGE, "c": style.GREEN}
    many = style.colours_of([str(number) for number in range(30)])
    assert len(set(many.values())) == 30
    assert style.colours_of([]) == {}


def test_names_from_data_are_no_mathematics_and_not_long():
    figure = Figure()
    axis = figure.subplots()
    axis.set_title(style.shown("$\\frac{a$ and $b"))
    figure.canvas.draw()
    assert style.shown("a\nb\x1b") == "a\\nb\\x1b"
    assert len(style.shown("x" * 500)) == 40


def test_the_heading_says_what_is_known_and_nothing_else():
    nothing = np.empty(0)
    track = Track("one", "", "a.png", nothing, nothing, nothing, 8.0, 6.0, "anna", "left")
    assert style.heading(track) == "a.png · recording one · participant anna · eye left"


def test_parts_of_a_figure():
    figure = style.new_figure(3, 2)
    axis = figure.subplots()
    style.plain(axis)
    style.say_nothing_there(axis, "no gaze")
    (line,) = axis.plot([0, 1], label="line")
    style.legend_below(axis, [line])
    figure.canvas.draw()
    assert figure.get_size_inches().tolist() == [3, 2]
    assert [text.get_text() for text in axis.texts] == ["no gaze"]
    assert not axis.spines["top"].get_visible()
    box = axis.get_legend().get_window_extent()
    assert box.y1 <= axis.get_window_extent().y0
    assert len(style.halo(3)) == 1
