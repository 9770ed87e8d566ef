"""The steps of a study as calls of our own commands, told their options by the study file.

What a command prints goes into a file of the study's notes: a study shows all steps in one display.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.errors import ConfigError, GazetrackError, InputError, did_you_mean, quote
from gazetrack.publish import write_text
from gazetrack.storage.address import is_url
from gazetrack.tables.finding import choose_tables
from gazetrack.workflows.study.file import read_study
from gazetrack.workflows.study.present import Present
from gazetrack.workflows.study.reads import files_of_exports
from gazetrack.workflows.study.run import Done, Job
from gazetrack.workflows.study.steps import STEPS, TABLES

from .progress import told_to
from .reports import collecting
from .study_defaults import Defaults, Study, options_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gazetrack.workflows.study.run import Progress

# How the results are the same: who works on them, and what may be replaced.
_NO_PARAMETERS = ("cluster", "force", "jobs", "quiet", "retries")


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands that a study file may have tables for, by their names.

    Parameters
    ----------
    group : click.Group
        All commands; those that take ``--study`` are meant.
    """
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {
        name: command
        for name, command in found.items()
        if command is not None and any(each.name == "study" for each in command.params)
    }


def load_study(path: str | Path, group: click.Group) -> Study:
    """Read a study file, and check all it says.

    Parameters
    ----------
    path : path-like
        The TOML file of the study.
    group : click.Group
        All commands, whose options it may say.

    Raises
    ------
    GazetrackError
        The file cannot be read, or says what cannot be; the error says where.
    """
    return Study(read_study(path), commands_of(group))


def jobs_of(
    study: Study, only: Sequence[str] | None = None, n_jobs: int | None = None
) -> list[Job]:
    """Return the steps of a study, ready to be taken.

    Parameters
    ----------
    study : Study
        The study file with its commands.
    only : sequence of str, optional
        Names of the steps to take; all those of the study by default.
    n_jobs : int, optional
        How many processes work at once, in place of what the study says.

    Raises
    ------
    ConfigError
        The study takes no such step, or a step has nothing to work on.
    """
    steps = study.settings.steps
    for name in only or ():
        if name not in steps:
            hint = f"{did_you_mean(name, steps)}it takes {', '.join(steps)}"
            what = f"{quote(name, 40)!r} is no step of the study"
            raise ConfigError(what, path=study.file.path, hint=hint)
    calls = [(name, number) for name in steps for number in _numbers(study, name)]
    givers = [_called(*call) for call in calls if STEPS[call[0]].makes == TABLES]
    present = Present(study.settings.out / TABLES, givers)
    found: list[Job] = []
    for call in calls:
        if only and call[0] not in only:
            continue
        job = _job(study, *call, n_jobs, present)
        told = study.defaults(*call)
        after = tuple(one.name for one in found if _is_needed(one, call[0], told))
        found.append(replace(job, after=after))
    return found


def _numbers(study: Study, name: str) -> range:
    return range(max(len(study.file.each(name)), 1))


def _called(name: str, number: int) -> str:
    counted = number + 1
    return name if number == 0 else f"{name} {counted}"


def _job(study: Study, name: str, number: int, n_jobs: int | None, present: Present) -> Job:
    command = study.commands[name]
    told = study.defaults(name, number)
    if STEPS[name].takes == "exports" and not study.settings.inputs:
        keys = ["study"] if "study" in study.file.tables else []
        hint = 'write inputs = ["exports"] into [study]: files, folders or patterns'
        raise study.file.error(keys, f"[study] names no exports, and {name} needs them", hint=hint)
    names = {parameter.name for parameter in command.params}
    if n_jobs is not None and "jobs" in names:
        told.values["jobs"] = n_jobs
    where = str(told.values.get("dataset") or told.values.get("out") or study.settings.out)
    takes = present if STEPS[name].takes == "tables" else None
    goes_on = {"manifest", "is_dry_run"} <= names
    values = {key: value for key, value in told.values.items() if key not in _NO_PARAMETERS}
    return Job(
        name=_called(name, number),
        work=partial(_carry_out, study, (name, number), told, takes),
        where=Path(where),
        plan=partial(_planned, study, name, number, told) if goes_on else None,
        reads=tuple(dict.fromkeys([*told.reads, *_beside_exports(study, name, told)])),
        parameters={key: _text(study, value) for key, value in sorted(values.items())},
        unnoted=_unnoted(told, where, STEPS[name].takes),
        gives=present if STEPS[name].makes == TABLES else None,
        takes=takes,
    )


def _is_needed(job: Job, name: str, told: Defaults) -> bool:
    """Tell whether a step is in vain without another, by its kind or by what it names."""
    named = {place for path in told.made for place in (path, *path.parents)}
    return job.name in STEPS[name].after or job.where in named


def _beside_exports(study: Study, name: str, told: Defaults) -> list[Path]:
    """Return all files that a step reads of exports, also those beside the ones that are named."""
    if STEPS[name].takes != "exports" or "manifest" in told.values:
        return []
    inputs = [place for place in study.settings.inputs if isinstance(place, Path)]
    return files_of_exports(inputs, recursive=bool(told.values.get("recursive")))


def _unnoted(told: Defaults, where: str, takes: str) -> str:
    """Return why nothing is to be noted of a step that does not note its recordings itself."""
    if told.elsewhere or is_url(where):
        return "what lies elsewhere may have changed"
    if takes == "exports" and told.values.get("participant", "keep") != "keep":
        return "names of exports are not kept"
    return ""


def _text(study: Study, value: Any) -> str:
    """Return a value as a text that is the same wherever the study is called from, or lies."""
    folder = str(study.file.folder)
    text = repr(value)
    return text if folder == "." else text.replace(f"{folder}/", "")


def _carry_out(
    study: Study,
    call: tuple[str, int],
    told: Defaults,
    present: Present | None,
    progress: Progress,
) -> Done:
    """Call a command, and return what it has done; what it prints is kept in the notes."""
    name, number = call
    printed = io.StringIO()
    values = told.at_hand()
    if present is not None:
        values |= _tables(study.commands[name], present, printed)
    left: list[int] = []

    def tell(done: int, total: int) -> None:
        left[:] = [total]
        progress(done, total)

    options = options_of(study.commands[name])
    try:
        with told_to(tell), collecting() as counts:
            code = _call(study, name, number, values, printed)
    except GazetrackError as error:
        raise _in_words_of_a_study(error, name, options) from None
    finally:
        log = study.notes / f"{name}{f'-{number + 1}' if number else ''}.txt"
        write_text(log, printed.getvalue())
    return Done(
        recordings=counts.recordings,
        skipped=counts.skipped,
        partial=counts.partial,
        left=left[0] if left else None,
        errors=tuple(_in_words_of_a_study(error, name, options) for error in counts.errors),
        exit_code=code,
        outputs=tuple(map(Path, counts.outputs)),
    )


def _in_words_of_a_study(
    error: GazetrackError, name: str, options: Collection[str]
) -> GazetrackError:
    """Return an error whose hint names keys of the study file, where it named what is typed."""

    def key(match: re.Match[str]) -> str:
        option = match.group(1)
        return f"{option} in [{name}]" if option in options else match.group()

    if error.hint:
        error.hint = re.sub(r"--([a-z][a-z-]*)", key, error.hint)
    return error


def _tables(command: click.Command, present: Present, printed: io.StringIO) -> dict[str, Any]:
    """Return what a command is told of the tables it takes: those of present recordings alone."""
    tables = present.tables()
    if not tables and present.notes():
        hint = "convert exports of the study first: gazetrack run takes all steps"
        raise InputError("no table in it is of the study as it is", path=present.folder, hint=hint)
    if not tables:  # the command says so itself
        return {}
    found = choose_tables(tables)
    printed.writelines(f"note: {note}\n" for note in found.notes)
    first = next(each for each in command.params if isinstance(each, click.Argument))
    return {str(first.name): [str(path) for path in found.paths]}


def _planned(study: Study, name: str, number: int, told: Defaults) -> tuple[int, int]:
    """Return how many recordings a command would do, and of how many; nothing is written."""
    with collecting() as counts:
        _call(study, name, number, told.values | {"is_dry_run": True}, io.StringIO())
    return counts.planned, counts.recordings or 0


def _call(
    study: Study, name: str, number: int, values: dict[str, Any], printed: io.StringIO
) -> int:
    """Call a command with its defaults alone, and return its exit code."""
    command = study.commands[name]
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = command.main([], f"gazetrack {name}", standalone_mode=False, default_map=values)
    except click.UsageError as error:
        raise _about(study, name, number, error.format_message()) from error
    except ConfigError as error:
        if error.path is not None:
            raise
        raise _about(study, name, number, error.what, error.hint) from error
    return code if isinstance(code, int) else 0


def _about(study: Study, name: str, number: int, what: str, hint: str | None = None) -> ConfigError:
    """Return an error of a command as one about its table in the study file."""
    keys: list[str | int] = [name, *([number] if number else [])]
    return study.file.error(keys, f"[{name}] {what}", hint=hint or f"see gazetrack {name} --help")
