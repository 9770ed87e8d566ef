"""What is known of the public data sets, as facts for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.datasets.known import DATASETS
from gazetrack.errors import ConfigError, did_you_mean, quote
from gazetrack.readers.layouts.known import LAYOUTS

if TYPE_CHECKING:
    from gazetrack.datasets.dataset import DataSet
    from gazetrack.readers.layouts.layout import Layout

_SETTINGS = ("unit", "y_axis")


def names() -> list[str]:
    """Return the names of the public data sets that are known.

    Examples
    --------
    >>> "gazebase" in names()
    True
    """
    return list(DATASETS)


def find(name: str) -> DataSet:
    """Return the data set of a name, which may also be that of one of its layouts.

    Raises
    ------
    ConfigError
        None is called so.
    """
    if name in DATASETS:
        return DATASETS[name]
    for dataset in DATASETS.values():
        if name in dataset.layouts:
            return dataset
    what = f"no data set is called {quote(name, 40)!r}"
    hint = f"{did_you_mean(name, DATASETS)}see gazetrack dataset list"
    raise ConfigError(what, hint=hint)


def show(name: str) -> dict[str, Any]:
    """Return what is known of a public data set.

    Parameters
    ----------
    name : str
        A name of `names`, or a layout's.

    Returns
    -------
    dict
        Title, home, licence, citation; its files with address, MD5 and layouts; and of each layout
        columns, units, screen, rate, what stands for missing gaze, notes, and what is unsure: JSON
        values.

    Raises
    ------
    ConfigError
        None is called so.

    Examples
    --------
    >>> show("gazebase")["layouts"]["gazebase"]["rate_hz"]
    1000
    """
    dataset = find(name)
    return {
        "name": dataset.name,
        "title": dataset.title,
        "about": dataset.about,
        "home": dataset.home,
        "licence": dataset.terms,
        "citation": dataset.citation,
        "files": [
            {
                "name": file.name,
                "content": file.content,
                "url": file.url,
                "md5": file.md5 or None,
                "layouts": list(file.layouts),
            }
            for file in dataset.files
        ],
        "layouts": {layout: layout_facts(LAYOUTS[layout]) for layout in dataset.layouts},
    }


def layout_facts(layout: Layout) -> dict[str, Any]:
    """Return what is known of a layout, as JSON values; what is not is left out."""
    columns = {key: name for key, name in layout.columns.items() if key not in _SETTINGS}
    facts = {
        "title": layout.title,
        "read_by": layout.reader,
        "columns": columns,
        "positions": positions_in_words(layout) if columns else "",
        "missing": layout.missing,
        "rate_hz": layout.rate_hz,
        "screen": layout.screen.facts() if layout.screen else None,
        "tracker": layout.tracker,
        "recognised_by": list(layout.mark),
        "notes": list(layout.notes),
        "unsure": list(layout.unsure),
    }
    return {name: value for name, value in facts.items() if value}


def positions_in_words(layout: Layout) -> str:
    """Return the unit, origin and direction of a layout's positions, for the user."""
    unit = layout.columns.get("unit", "px")
    if unit == "deg":
        where = "from straight ahead" if layout.directions else "from the centre of the screen"
        return f"degrees {where}, y {layout.columns['y_axis']}wards"
    what = "fractions of the screen" if unit == "norm" else "pixels"
    return f"{what}, from the top left, y downwards"
