"""What the Tab key offers: asked of click, and of real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from gazetrack.readers import registry
from gazetrack_cli import completing
from gazetrack_cli.completion import SHELLS
from gazetrack_cli.programs import PROGRAMS, command_of, completes


def offered(line):
    """What follows a line whose last word is begun, as (kind, text)."""
    program, *words, begun = line.split(" ")
    asked = ShellComplete(command_of(program), {}, program, completes(program))
    return [(item.type, item.value) for item in asked.get_completions(words, begun)]


def names(line):
    return [value for kind, value in offered(line) if kind == "plain"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gazetrack con", ["convert"]),
        ("gazetrack convert --format tobii_p", ["tobii_pro"]),
        ("gazetrack fixations --detector eng", ["engbert_kliegl"]),
        ("gazetrack render --kind den", ["density"]),
        ("gazetrack render --preset pol", ["polyp"]),
        ("gazetrack render --placement f", ["fit"]),
        ("gazetrack convert --trial-by m", ["message="]),
        ("gazetrack measures --scanpaths multimatch,mu", []),
        ("gazetrack measures --scanpaths multimatch,dt", ["multimatch,dtw"]),
        ("gazetrack refine --prompt-model mob", ["mobilesam"]),
        ("gazetrack models add mo", ["mobilesam"]),
        ("gazetrack completion z", ["zsh"]),
        ("gazetrack run study.toml --only qu", ["quality"]),
        ("gradtrack-train --method gazem", ["gazemedseg"]),
        ("gradtrack-train --encoder dino", ["dinov2"]),
        ("gradtrack-train --preset ti", ["tiny"]),
        ("gradtrack-predict --weights kv", ["kvasir-lite"]),
        ("gradtrack-export kv", ["kvasir-lite"]),
        ("gradtrack-compare --methods full,heat", ["full,heatmap"]),
        ("gradtrack-compare --reference pl", ["plain"]),
    ],
)
def test_names_are_offered(line, expected):
    found = names(line)
    assert found[: len(expected)] == expected
    assert expected or not found


def test_all_formats_and_methods_are_offered():
    from gazetrack.measures.scanpaths import METHODS
    from gazetrack.readers.layouts.known import LAYOUTS

    for option in ("--format", "--layout"):
        assert names(f"gazetrack info {option} ") == [*registry.names(), *LAYOUTS]
    assert (*METHODS, "all") == completing.SCANPATH_METHODS


def test_all_encoders_are_offered():
    from gradtrack_model.network.model import ModelConfig

    stated = re.search(r"encoder : \{(.*?)\}", ModelConfig.__doc__).group(1)
    known = [name.strip(' "').removesuffix("NAME") for name in stated.split(",")]
    assert sorted(completing.ENCODERS) == sorted(known)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("gazetrack convert raw", "file"),
        ("gazetrack convert -o ta", "dir"),
        ("gazetrack refine --prompt-model ./net", "file"),
        ("gazetrack convert --cluster slurm", "file"),
        ("gazetrack convert raw.tsv --study st", "file"),
        ("gradtrack-predict --weights runs", "file"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(line, kind):
    assert offered(line) == [(kind, line.split()[-1])]


@pytest.mark.parametrize(
    "line", ["gazetrack ", "gazetrack convert --format ", "gradtrack-train --method g"]
)
def test_the_answer_is_quick_for_nothing_heavy_is_imported(line):
    program = line.split()[0]
    code = f"""
import sys
from click.shell_completion import ShellComplete
from gazetrack_cli.programs import command_of
*words, begun = {line!r}.split(" ")[1:]
asked = ShellComplete(command_of({program!r}), {{}}, {program!r}, "X")
print(len(asked.get_completions(words, begun)))
heavy = ("numba", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "torch")
print(*[name for name in heavy if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, loaded = done.stdout.split("\n")[:2]
    assert int(count) > 0
    assert loaded == ""


def test_every_program_is_completed_in_every_shell(run):
    for shell in SHELLS:
        script = run(f"gazetrack completion {shell}").out
        for program in PROGRAMS:
            assert f"{completes(program)}={shell}_complete" in script
        without_blank = 0 if shell == "fish" else len(PROGRAMS)
        assert script.count("== *= ]]") == without_blank


def test_another_shell_is_refused_with_those_that_are_known(run):
    result = run("gazetrack completion tcsh")
    assert result.code == 2
    for shell in SHELLS:
        assert shell in result.err


def test_completion_says_nothing_of_a_torch_that_is_not_there(monkeypatch, capfd):
    from gazetrack_cli import model_commands

    monkeypatch.setattr(model_commands, "find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "argv", ["gradtrack-train"])
    monkeypatch.setenv(completes("gradtrack-train"), "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "gradtrack-train --method gazem")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        model_commands.train_main()
    assert capfd.readouterr() == ("plain,gazemedseg\n", "")


# ---- real shells ----

# What is typed, and the line that it becomes.
TYPED = {
    "gazetrack conv": "gazetrack convert",
    "gazetrack convert ra": "gazetrack convert raw data.tsv",
    "gazetrack convert -o ta": "gazetrack convert -o tables",
    "gazetrack convert --format tobii_p": "gazetrack convert --format tobii_pro",
    "gazetrack fixations --detector eng": "gazetrack fixations --detector engbert_kliegl",
    "gazetrack render --kind den": "gazetrack render --kind density",
    "gazetrack convert --trial-by mess": "gazetrack convert --trial-by message=|",
    "gradtrack-train --preset ti": "gradtrack-train --preset tiny",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with files to complete, our programs, and the scripts of each shell."""
    place = tmp_path_factory.mktemp("shells")
    (place / "raw data.tsv").touch()
    (place / "tables").mkdir()
    (place / "table.csv").touch()
    (place / "bin").mkdir()
    for program in PROGRAMS:
        function = program.rpartition("-")[2]
        code = f"from gazetrack_cli.start import {function}; {function}()"
        path = place / "bin" / program
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -c "{code}" "$@"\n')
        path.chmod(0o755)
    for shell in SHELLS:
        command = [place / "bin" / "gazetrack", "completion", shell]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        (place / f"script.{shell}").write_text(done.stdout)
    return place


def environment(place):
    path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
    return {"PATH": path, "HOME": str(place), "TERM": "dumb", "PS1": "$ ", **kept}


def needs(shell):
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed: its completion is NOT tested here")
    return path


def become(place, command, begin):
    """Type each line and Tab into an interactive shell; {line: what it became}."""
    pexpect = pytest.importorskip("pexpect")
    shell = pexpect.spawn(
        command[0],
        command[1:],
        cwd=str(place),
        env=environment(place),
        encoding="utf-8",
        dimensions=(50, 200),
        timeout=600,
    )
    found = {}
    try:
        shell.sendline(f"{begin}; echo @be''gun@")
        shell.expect("@begun@")
        for line in TYPED:
            # Ctrl-A goes to the start of what it became: there it is made a text that is printed.
            # The bar shows whether a blank was put behind it.
            bar = "'|'" if line.endswith(" mess") else ""
            shell.send(f"{line}\t{bar}\x01echo @''@ \x05\n")
            shell.expect(r"\r\n@@ ([^\r\n]*)")
            # The slash of a folder goes where a blank follows, in zsh.
            found[line] = shell.match.group(1).rstrip(" /")
    finally:
        shell.close(force=True)
    return found


def test_bash(place):
    bash = needs("bash")
    version = subprocess.run(
        [bash, "-c", "echo ${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if tuple(map(int, version.split("."))) < (4, 4):
        pytest.skip(f"bash {version.strip()} is too old: its completion is NOT tested here")
    command = [bash, "--norc", "--noprofile", "-i"]
    assert become(place, command, ". ./script.bash") == TYPED


def test_zsh(place):
    command = [needs("zsh"), "-f", "-i"]
    begin = "autoload -Uz compinit && compinit -u -D && . ./script.zsh"
    assert become(place, command, begin) == TYPED


def test_fish(place):
    fish = needs("fish")
    asked = "".join(f"; echo '@@ {line}'; complete -C '{line}'" for line in TYPED)
    done = subprocess.run(
        [fish, "--no-config", "-c", f"source script.fish{asked}"],
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    found = {}
    for block in re.split("^@@ ", done.stdout, flags=re.MULTILINE)[1:]:
        line, first = block.splitlines()[:2]
        found[line] = f"{line.rpartition(' ')[0]} {first.partition(chr(9))[0].rstrip('/')}"
    assert found == {line: became.rstrip("|") for line, became in TYPED.items()}
