"""gazetrack dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing
from . import options as opt
from .examples import examples
from .printing import print_json
from .progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazetrack.datasets.getting import Got

_MIB = 2**20


@click.command(
    "dataset",
    short_help="List public data sets, describe one, or fetch it.",
    epilog=examples(
        """
        gazetrack dataset
        gazetrack dataset show gazebase
        gazetrack dataset get pymovements_toy --dir data
        gazetrack dataset get gazebase --subset '*_TEX.csv' --dry-run
        gazetrack dataset get sb_sat --only fixations
        """
    ),
)
@click.argument("action", type=click.Choice(["list", "show", "get"]), default="list")
@click.argument("name", required=False, shell_complete=completing.datasets)
@click.option(
    "--dir",
    "directory",
    type=opt.FILE,
    metavar="DIR",
    help="Folder that gets a folder for it; $GAZETRACK_DATASETS or the user's cache by default.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="WHAT",
    help="Fetch gaze, or fixations, or a file by its name, alone.",
)
@click.option(
    "--subset",
    multiple=True,
    metavar="PATTERN",
    help="Unpack the files that fit alone, such as '*_TEX.csv' or 'Round_1/*'; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and do nothing.")
@opt.json_option
@opt.quiet_option
@opt.debug_option
def command(
    action: str,
    name: str | None,
    directory: Path | None,
    only: tuple[str, ...],
    subset: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """List public data sets of gaze, describe one, or fetch it, check it and unpack it.

    Licence and citation are shown before anything is fetched: they are its makers', and hold for
    whoever uses the data. A call that was cut off is made once more, and goes on. Tables are then
    read as any export; where a header could be anybody's, with --layout, as `show` says.
    """
    from gazetrack.datasets import get, show

    if action == "list":
        _list(name, as_json)
        return
    if name is None:
        raise click.UsageError(f"say which: gazetrack dataset {action} NAME")
    facts = show(name)
    if action == "show":
        print_json(facts) if as_json else _show(facts)
        return
    says = not (as_json or quiet)
    if says:
        _show_terms(facts)
    bar = _mebibytes(progress_bar(f"fetching {name}, MiB", not says))
    got = get(name, directory, only=only, subset=subset, dry_run=dry_run, progress=bar)
    if as_json:
        print_json(_as_json(got, facts))
    elif says:
        _show_got(got, dry_run)


def _list(name: str | None, as_json: bool) -> None:
    from gazetrack.datasets import names, show

    if name is not None:
        raise click.UsageError("a list of data sets takes no name; see gazetrack dataset show NAME")
    known = [show(each) for each in names()]
    if as_json:
        print_json(known)
        return
    width = max(len(found["name"]) for found in known)
    for found in known:
        contents = ", ".join(dict.fromkeys(file["content"] for file in found["files"]))
        click.echo(f"{found['name']:{width}}  {found['title']}: {contents}")
        click.echo(f"{'':{width}}  {found['about']}")


def _show_terms(facts: Mapping[str, Any]) -> None:
    """Print whose data these are, and on which terms."""
    click.echo(f"{facts['title']}: {facts['about']}")
    click.echo(f"  licence   {facts['licence']}")
    click.echo(f"  cite      {facts['citation']}")
    click.echo(f"  home      {facts['home']}")


def _show(facts: Mapping[str, Any]) -> None:
    _show_terms(facts)
    for file in facts["files"]:
        unchecked = "no published digest: packed anew each time"
        check = f"MD5 {file['md5']}" if file["md5"] else unchecked
        click.echo(f"  {file['content']:9} {file['name']} ({check})")
        click.echo(f"            {file['url']}")
    for name, layout in facts["layouts"].items():
        click.echo(f"layout {name}: {layout['title']}")
        for key, text in _lines(layout):
            click.echo(f"  {key:10} {text}")


def _lines(layout: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of a layout, one a line."""
    lines: list[tuple[str, str]] = []
    if "read_by" in layout:
        lines.append(("read by", f"the reader {layout['read_by']}"))
    if "columns" in layout:
        lines.append(("columns", ", ".join(f"{k}={v}" for k, v in layout["columns"].items())))
        lines.append(("positions", layout["positions"]))
        lines.append(("missing", layout["missing"]))
    if "rate_hz" in layout:
        lines.append(("rate", f"{layout['rate_hz']:g} Hz"))
    if "screen" in layout:
        lines.append(("screen", _screen(layout["screen"])))
    if "tracker" in layout:
        lines.append(("tracker", layout["tracker"]))
    known = layout.get("recognised_by")
    how = f"by its columns {', '.join(known)}" if known else "name it with --layout"
    lines.append(("recognised", "by its reader" if "read_by" in layout else how))
    lines += [("note", note) for note in layout.get("notes", ())]
    lines += [("unsure", text) for text in layout.get("unsure", ())]
    return lines


def _screen(screen: Mapping[str, Any]) -> str:
    text = f"{screen['width_px']} x {screen['height_px']} px"
    if screen["width_mm"]:
        text += f", {screen['width_mm'] / 10:g} x {screen['height_mm'] / 10:g} cm"
    if screen["distance_mm"]:
        text += f", {screen['distance_mm'] / 10:g} cm away"
    return text


def _mebibytes(bar: Any) -> Any:
    """Return a callback that tells the bar of progress in MiB; without a total it stays silent."""

    def step(done: int, total: int) -> None:
        if total:
            bar(done // _MIB, max(total // _MIB, 1))

    return step


def _show_got(got: Got, dry_run: bool) -> None:
    from gazetrack.errors import quote

    for planned in got.planned:
        state = "is there" if planned.is_there else "would be fetched" if dry_run else "fetched"
        part = f", {planned.n_bytes:,} bytes of it are there" if planned.n_bytes else ""
        rest = part if dry_run and not planned.is_there else ""
        click.echo(f"{quote(planned.path, 4096)}: {state}{rest}")
        if dry_run and not planned.is_there:
            click.echo(f"  from {planned.file.url}")
    if dry_run:
        return
    others = f", {got.n_others:,} others were not asked for" if got.n_others else ""
    click.echo(f"{len(got.tables):,} files in {quote(got.folder, 4096)}{others}")
    layouts = dict.fromkeys(name for planned in got.planned for name in planned.file.layouts)
    click.echo(f"  read them with: gazetrack convert FILES --layout {' or '.join(layouts)}")


def _as_json(got: Got, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **facts,
        "folder": str(got.folder),
        "fetched": [
            {"path": str(one.path), "was_there": one.is_there, "bytes": one.n_bytes}
            for one in got.planned
        ],
        "tables": [str(path) for path in got.tables],
        "not_asked_for": got.n_others,
    }
