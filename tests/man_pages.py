"""Man pages of every command, from its help: `make man` writes them to man/man1.

click-man lays them out. It knows no examples, no commands that are imported when they are called,
and nothing of roff's own characters: those are given to it here.
"""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path

import click
from click_man.man import ManPage

from gazetrack.version import __version__
from gazetrack_cli.programs import PROGRAMS, command_of

SECTION = 1  # of the manual: commands of users


def escaped(text):
    """Text in which roff finds no request and no escape of its own."""
    plain = text.replace("\\", r"\e").replace("\b", "")
    return re.sub(r"^(?=[.'])", r"\&", plain, flags=re.MULTILINE)


def page_of(context):
    """The man page of one command, in roff."""
    command = context.command
    page = ManPage(context.command_path)
    page.version = __version__
    page.short_help = escaped(command.get_short_help_str(200)).rstrip(".")
    page.synopsis = escaped(" ".join(command.collect_usage_pieces(context)))
    page.description = escaped(cleandoc(command.help))
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    records = [one.get_help_record(context) for one in options]
    page.options = [tuple(map(escaped, record)) for record in records if record]
    if isinstance(command, click.Group):
        page.commands = [
            (name, escaped(command.get_command(context, name).get_short_help_str(200)))
            for name in command.list_commands(context)
        ]
    examples = escaped(cleandoc(command.epilog.partition("Examples:\n")[2])).replace("-", r"\-")
    return f"{page}.SH EXAMPLES\n.nf\n{examples}\n.fi\n"


def pages():
    """{name of the file: text} of all programs and their commands."""
    found = {}
    for program in PROGRAMS:
        command = command_of(program)
        context = click.Context(command, info_name=program, **command.context_settings)
        contexts = [context]
        if isinstance(context.command, click.Group):
            for name in context.command.list_commands(context):
                command = context.command.get_command(context, name)
                contexts.append(click.Context(command, info_name=name, parent=context))
        for one in contexts:
            name = one.command_path.replace(" ", "-")
            found[f"{name}.{SECTION}"] = page_of(one)
    return found


def write_pages(folder):
    """Write the pages where `man -M FOLDER` looks for them; returns the folder they are in."""
    below = Path(folder) / f"man{SECTION}"
    below.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (below / name).write_text(text, "utf-8")
    return below


if __name__ == "__main__":
    write_pages(sys.argv[1])
