"""Every help ends with examples, and each of them is a line that the programs take."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from gazetrack_cli.main import COMMANDS
from gazetrack_cli.programs import PROGRAMS, command_of

MOST_COLUMNS = 80  # of a terminal, as click fills its help
HELPS = [*(f"gazetrack {name}" for name in COMMANDS), *PROGRAMS]


def shown(help_of):
    """The lines of a help below `Examples:`; those that go on are one."""
    program, *words = help_of.split()
    done = CliRunner().invoke(command_of(program), [*words, "--help"], prog_name=program)
    assert done.exit_code == 0
    _text, found, block = done.output.partition("  Examples:\n")
    assert found, "give the command an epilog=examples(...)"
    assert max(map(len, block.splitlines())) <= MOST_COLUMNS
    return [line.strip() for line in block.replace("\\\n", " ").splitlines()]


def parsed(line):
    """Let the command that a line calls parse it, without running it; returns its name."""
    program, *words = shlex.split(line, comments=True)
    words = words[: words.index(">")] if ">" in words else words
    command, name = command_of(program), program
    if isinstance(command, click.Group):
        parent = click.Context(command, info_name=program)
        name, *words = words
        command = command.get_command(parent, name)
        assert command is not None, f"there is no {line}"
        name = f"{program} {name}"
    if not {"-h", "--help"} & set(words):
        command.make_context(name, words)
    return name


@pytest.mark.parametrize("help_of", HELPS)
def test_every_help_has_examples_that_can_be_typed(help_of):
    lines = [line for line in shown(help_of) if not line.startswith("#")]
    ours = [line for line in lines if line.split()[0] in PROGRAMS]
    called = {parsed(line) for line in ours}
    assert called
    if help_of in COMMANDS or help_of not in PROGRAMS:
        assert called == {help_of}
    others = set(lines) - set(ours)
    assert all(re.match(r"(npm pack|echo) ", line) for line in others), others


@pytest.mark.parametrize(
    "line", ["gazetrack convert --nonsense", "gazetrack nonsense x", "gradtrack-train --steps many"]
)
def test_a_line_that_is_none_is_noticed(line):
    with pytest.raises((click.UsageError, AssertionError)):
        parsed(line)
