"""The page about a study in one file, made from the steps, the units and the options there are."""

from __future__ import annotations

import textwrap
import tomllib

from gazetrack.workflows.study.settings import OWN
from gazetrack.workflows.study.steps import STEPS
from gazetrack.workflows.study.units import KINDS
from gazetrack_cli.main import cli
from gazetrack_cli.study_defaults import SHARED, options_of, unit_of
from gazetrack_cli.study_jobs import commands_of
from tests.places import ROOT

MEANINGS = {
    "name": ("text", "What the study is called; by default as its folder."),
    "inputs": ("list of texts", "Exports and folders of them, patterns such as `raw/*.asc`, URLs."),
    "out": ("text", "Folder for all results; `results` by default."),
    "steps": ("list of texts", "Steps to take; by default those with a table, and `convert`."),
    "screen": (
        "text or table",
        """As `--screen` takes it; or `[study.screen]` with `pixels`, `width` and `height` (or
        `diagonal`), and `distance`, each length with its unit.""",
    ),
}


def prose(text):
    """The lines of a paragraph."""
    return textwrap.fill(
        " ".join(text.split()), 112, break_on_hyphens=False, break_long_words=False
    ).splitlines()


def code(text):
    """The text as code."""
    return f"`{text}`"


def meaning_of(key):
    """The row on a key of the study's own table."""
    kind, meaning = MEANINGS[key]
    return f"| `{key}` | {kind} | {' '.join(meaning.split())} |"


def example():
    """The example, which is TOML, as it stands."""
    text = (ROOT / "examples" / "study.toml").read_text("utf-8")
    tomllib.loads(text)
    return text.rstrip("\n")


def shared_keys(commands):
    """Rows on the keys of [study] that are options of several commands."""
    for key in SHARED:
        owners = [name for name, each in commands.items() if key in options_of(each)]
        texts = [options_of(commands[name])[key].help for name in owners]
        help_ = min(texts, key=len).split("  [default")[0].replace("|", "\\|")
        yield f"| `{key}` | {help_} |"


def keys_of(command):
    """The keys of a command's table, with the units of those that have one."""
    found = []
    for name, option in sorted(options_of(command).items()):
        unit = unit_of(option)
        found.append(f"`{name}`" + (f" ({unit})" if unit else ""))
    return ", ".join(found)


def study_page():
    """Return the page."""
    commands = commands_of(cli)
    steps = [name for name in STEPS if name in commands]
    lines = [
        "# A study in one file",
        "",
        *prose(
            """A study is a TOML file: what its exports are, the screen, the folder for results, and
            a table for each step with the options of its command. `gazetrack run` takes all steps,
            and what you do not type for a command alone can come from the file as well. No file is
            ever looked for that you did not ask for."""
        ),
        "",
        "```console",
        "gazetrack run study.toml                # all steps",
        "gazetrack run study.toml                # again: only what has changed since",
        "gazetrack run study.toml --dry-run      # what would be done, and why",
        "gazetrack run study.toml --only quality --jobs 4",
        "gazetrack quality --study               # one command, told by the gazetrack.toml above",
        "gazetrack quality --by window --study study.toml   # what is typed goes first",
        "```",
        "",
        *prose(
            """In Python, `gazetrack.run_study("study.toml")` does the same and returns what became
            of each step."""
        ),
        "",
        "The example in `examples/study.toml`, on a study that is simulated:",
        "",
        "```toml",
        example(),
        "```",
        "",
        "## Rules",
        "",
        *prose(
            """Keys are the options of the command line without `--`; `max-gap` and `max_gap` are
            the same. Each value is checked by the type of its option before anything is done: what
            cannot be is refused with file, line, table, key, and what is allowed; a mistyped key
            names the nearest one. An option that may be repeated takes a list, one of the form
            `KEY=VALUE` a table as well. Paths are seen from the folder of the file, and what is
            read has to be there, but for what a step before it makes: `maps = "results/refined"`
            under `[report]` lets the report wait for `refine`; without a word it shows the maps of
            `render`. A command line goes before the file, a command's table before `[study]`."""
        ),
        "",
        *prose(
            """Where an option has a unit, a number is in that unit, and a text may bring its own:
            `window = "0.2 s"`. A unit of something else is refused. There are:"""
        ),
        "",
        "| | units |",
        "|---|---|",
        *(f"| {kind} | {', '.join(map(code, units))} |" for kind, units in KINDS.items()),
        "",
        "## `[study]`",
        "",
        "| key | value | meaning |",
        "|---|---|---|",
        *(
            f"| `{key}` | {MEANINGS[key][0]} | {' '.join(MEANINGS[key][1].split())} |"
            for key in OWN
        ),
        "",
        "These options of several commands may be said here once, for all that have them:",
        "",
        "| key | meaning |",
        "|---|---|",
        *shared_keys(commands),
        "",
        "## Steps",
        "",
        *prose(
            f"""Steps are taken in this order. `{"[[measures]]"}`, with two brackets, may be there
            several times: results of the second are called `measures-2.parquet`, and so on."""
        ),
        "",
        "| step | takes | results in `out` |",
        "|---|---|---|",
        *(f"| `{name}` | {STEPS[name].takes} | `{STEPS[name].makes}` |" for name in steps),
        "",
        *prose(
            """`out/log` keeps what each step printed, and what is done: recording by recording in
            `recordings.jsonl`, step by step in `steps.jsonl`. A recording is done again when its
            files, the options or gazetrack have changed, or a table of it is gone; a step of whole
            folders (measures, maps) when a file that it reads, an option, or a result has. Bytes
            decide, not times. A run that was stopped, even by `kill -9`, leaves whole files; the
            next one says so and goes on. Two runs of one study at once are refused (code 7)."""
        ),
        "",
        *prose(
            """Steps of tables take those of the recordings that are in the study now. A table of an
            export that was removed or renamed, of another policy for names, or that somebody put
            there stays where it is; a note names it, and it is not used. An export that was
            converted before and that no reader recognises any more has failed. A recording that was
            done in part, such as without one image, counts as made and as failed. What steps made
            that are no longer in the file, or did with other options, stays in `out` and is not
            marked: give a new `out` where a study makes other things."""
        ),
        "",
        *prose(
            """Recordings that fail do not stop the others, nor the steps after them; a step is left
            out when the one that it needs made nothing. The exit code is 0 where all is done, 1
            where some recordings failed, else that of the first step that could do nothing."""
        ),
        "",
        "## Keys of each command",
        "",
        "What they mean: `gazetrack COMMAND --help`.",
        "",
        "| table | keys |",
        "|---|---|",
        *(
            f"| `[{name}]` | {keys_of(command)} |"
            for name, command in sorted(commands.items())
            if options_of(command)
        ),
        "",
        "This page is made from the commands: `python -m tests.pages`.",
    ]
    return "\n".join(lines) + "\n"
