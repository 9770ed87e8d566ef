"""Running the commands as a user would, without the cost of a new process."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from importlib import import_module

import pytest

from gazetrack_cli import errors

# Where a program is not called as its module: the toolkit has a `compare` of its own.
PROGRAMS = {"gradtrack-compare": "compare_methods"}


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """Run a command line in the test's own folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(line: str) -> Result:
        program, *arguments = shlex.split(line)
        module, name = (
            ("main", "cli")
            if program == "gazetrack"
            else (PROGRAMS.get(program, program.removeprefix("gradtrack-")), "command")
        )
        command = getattr(import_module(f"gazetrack_cli.{module}"), name)
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        monkeypatch.setattr(errors, "_debug", False)
        capfd.readouterr()
        code = errors._exit_code(command, program)
        return Result(code, *capfd.readouterr())

    return call
