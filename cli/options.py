"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from gazetrack.storage.address import is_url, local_or_url, shown
from gazetrack.tables.eyes import DEFAULT_EYE, EYE_CHOICES

from . import completing
from .errors import debug_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["debug_option"]


class NamedPath(click.Path):
    """A path that is not empty.

    To Python an empty one is the working directory, which nobody named.

    Parameters
    ----------
    urls : bool
        Whether it may also be an address, such as ``s3://bucket/raw.tsv``, which stays a text.
    """

    def __init__(self, *, urls: bool = False) -> None:
        super().__init__(path_type=Path)
        self._takes_urls = urls

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            what = (
                "a name is empty: name a file or folder, "
                "or look whether a variable of the shell is unset"
            )
            self.fail(what, param, ctx)
        if not is_url(value):
            return super().convert(value, param, ctx)
        place = local_or_url(value)
        if isinstance(place, str) and not self._takes_urls:
            what = f"'{shown(value)}' is an address, and this takes files of this machine: "
            self.fail(f"{what}copy them here first", param, ctx)
        return place


FILE = NamedPath()
PLACE = NamedPath(urls=True)


class TablesFolder(NamedPath):
    """A folder for tables: a new one that is named like a table was meant to be a file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the folder, or its address."""
        folder: Path | str = super().convert(value, param, ctx)
        if isinstance(folder, str):
            return folder
        if folder.suffix.lower() in (".parquet", ".csv", ".tsv") and not folder.is_dir():
            parent = f"; for {folder.parent}, -o {folder.parent}" if folder.parent != Path() else ""
            what = f"'{folder}' is named like a file, but is the folder that tables are written to"
            self.fail(what + parent, param, ctx)
        return folder

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return that folders are completed, and no files."""
        return [CompletionItem(incomplete, type="dir")]


TABLES_FOLDER = TablesFolder(urls=True)

force_option = click.option(
    "--force",
    is_flag=True,
    help="Also replace what gazetrack did not write, and tables of another origin.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Say more: every note of the reader."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
report_option = click.option(
    "--report",
    type=FILE,
    metavar="FILE",
    help="Write one JSON object per input to FILE (JSON lines).",
)
errors_option = click.option(
    "--errors",
    type=FILE,
    metavar="FILE",
    help="Write one JSON object per failed input to FILE (JSON lines).",
)
format_option = click.option(
    "--format",
    "--layout",
    "format_name",
    metavar="NAME",
    shell_complete=completing.formats,
    help="Format of the export, or layout of a data set; found by content by default.",
)
columns_option = click.option(
    "--columns",
    metavar="OUR=THEIRS,…",
    help=(
        "Columns of a file no reader knows, such as x=GazeX[norm],y=GazeY,t=Time[s]; "
        "also unit=, origin=, y_axis=."
    ),
)
screen_option = click.option(
    "--screen",
    metavar="WxH[,SIZE[,DISTANCE]]",
    help=(
        "Screen in pixels, with size and distance in mm, cm or in: "
        "1920x1080,531x299mm,650mm or 1920x1080,24in,65cm."
    ),
)
fov_option = click.option(
    "--fov",
    type=click.FloatRange(0, 360, min_open=True, max_open=True),
    metavar="DEGREES",
    help=(
        "Width of the view in degrees: of a head-mounted tracker's world camera, or of the screen."
    ),
)
eye_option = click.option(
    "--eye",
    type=click.Choice(EYE_CHOICES),
    default=DEFAULT_EYE,
    show_default=True,
    help=(
        "Whose fixations, where each eye has its own: "
        "of the eye with more, of one, or both in a row each."
    ),
)
detector_settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the detector, such as min_duration_ms=80; may be repeated.",
)
prepare_option = click.option(
    "--prepare",
    "preparations",
    multiple=True,
    metavar="KEY=VALUE",
    help=(
        "What to do to the samples first, such as eye=strict, max_gap_ms=75 or smooth=median; "
        "may be repeated."
    ),
)
trial_by_option = click.option(
    "--trial-by",
    metavar="RULE",
    shell_complete=completing.among("stimulus", "message="),
    help="Where trials begin: stimulus, or message=REGEX; else as exported.",
)
salvage_option = click.option(
    "--salvage",
    is_flag=True,
    help="Of a file that is cut off, take the whole rows; it is refused by default.",
)
trust_gzip_option = click.option(
    "--trust-gzip",
    is_flag=True,
    help="Also unpack gzip that grows to more than 200 times its size, or to over 64 GiB.",
)

_EXPORT_OPTIONS = (
    format_option,
    columns_option,
    screen_option,
    fov_option,
    salvage_option,
    trust_gzip_option,
)


def export_options(command: F) -> F:
    """Add the options about how exports are read; `parsing.export_choices` takes their values."""
    for option in reversed(_EXPORT_OPTIONS):
        command = option(command)
    return command


def tables_among(paths: Sequence[Path], quiet: bool) -> tuple[Path, ...]:
    """Return fixation tables: those that are named, and of folders one a recording.

    Without any name, the folder is the working directory. What is left out is said on stderr.
    """
    from gazetrack.tables.finding import find_tables
    from gazetrack.tables.finding import tables_among as among

    found = among(paths) if paths else find_tables()
    if not quiet:
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
    return found.paths


# Of networks.
image_size = click.option(
    "--image-size",
    type=click.IntRange(32, 4096),
    metavar="PX",
    show_default="the network's",
    help="Images are resized to a square of this many pixels for the network.",
)
threshold = click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    show_default="the network's",
    help="Probability above which a pixel is foreground.",
)
