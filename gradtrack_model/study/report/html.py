"""Pages of HTML from templates.

A page refers to nothing outside but, in a comparison, to the reports of its runs beside it; text
from data is escaped.
"""

from __future__ import annotations

import base64
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError
from gazetrack.publish import write_text
from gradtrack_model.evaluation.metrics import EMPTY_DISTANCE_POLICY, EMPTY_POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping

# The file's name in the folder of a run.
REPORT = "report.html"
POLICY = (
    f"Empty masks: Dice, IoU, precision and recall are {EMPTY_POLICY}; "
    f"distances {EMPTY_DISTANCE_POLICY}."
)


def installed() -> bool:
    """Whether Jinja2, which the reports need, is installed."""
    return find_spec("jinja2") is not None


def require_jinja2() -> None:
    """Raise ConfigError where Jinja2 is not installed."""
    if not installed():
        what = "Jinja2 is not installed, reports need it"
        raise ConfigError(what, hint='pip install "gazetrack[report]"')


def write_page(path: Path, template: str, page: Mapping[str, Any]) -> Path:
    """Fill a template and publish the page.

    Parameters
    ----------
    path : pathlib.Path
        The file that the page is written to.
    template : str
        The name of a file in the folder ``templates`` beside this one.
    page : mapping
        Every name that the template mentions; a missing one is an error.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    ConfigError
        Jinja2 is not installed.
    OutputError
        The page cannot be written.
    """
    require_jinja2()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    write_text(path, environment.get_template(template).render(page))
    return path


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a URI that holds them; `kind` is their media type, such as ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
