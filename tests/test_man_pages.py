"""There is a man page of every command, with what its help says, and roff takes it."""

from __future__ import annotations

import re
import shutil
import subprocess

import click
import pytest

from gazetrack.version import __version__
from gazetrack_cli.main import COMMANDS
from gazetrack_cli.programs import PROGRAMS, command_of
from tests.man_pages import escaped, write_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pages(tmp_path_factory.mktemp("man"))


def rendered(page):
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed: man pages are NOT rendered here")
    command = [groff, "-man", "-Tutf8", "-Kutf8", "-ww", "-P-c", "-P-b", "-P-u", "-rLL=200n", page]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_every_command_has_a_page(folder):
    names = {f"{name}.1" for name in PROGRAMS} | {f"gazetrack-{name}.1" for name in COMMANDS}
    assert {path.name for path in folder.iterdir()} == names
    for path in folder.iterdir():
        assert f'"{__version__}"' in path.read_text("utf-8").splitlines()[0]


def test_roff_takes_every_page_without_a_warning(folder):
    for page in sorted(folder.iterdir()):
        assert rendered(page)


@pytest.mark.parametrize("program", ["gradtrack-train", "gradtrack-compare"])
def test_a_page_has_what_the_help_has(folder, program):
    command = command_of(program)
    text = rendered(folder / f"{program}.1")
    words = " ".join(text.split())
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in text
            assert " ".join(option.help.split())[:40] in words
    for line in command.epilog.splitlines()[2:]:
        assert line.strip() in text, line


def test_what_roff_would_take_for_its_own_stays_text(tmp_path):
    text = ".so /etc/passwd\n'quoted' \\d+\n. ~/.bashrc"
    page = tmp_path / "page.1"
    page.write_text(f".TH A 1\n.SH NAME\na \\- b\n.SH TEXT\n.nf\n{escaped(text)}\n.fi\n", "utf-8")
    shown = re.split(r"TEXT\n", rendered(page))[1]
    assert [line.strip() for line in shown.splitlines()[:3]] == text.splitlines()


def test_the_group_names_its_commands(folder):
    text = rendered(folder / "gazetrack.1")
    for name, summary in COMMANDS.items():
        assert f"gazetrack-{name}(1)" in text
        assert summary in text
