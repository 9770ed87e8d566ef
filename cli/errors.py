"""The one handler of everything that can go wrong in a command.

What the user sees is one line on stderr and an exit code, and no traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from . import exit_codes
from .progress import ended_bars
from .signals import Stopped, begin

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORESEEN = (OSError, MemoryError, RecursionError, UnicodeError, EOFError)
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
_debug = False

STUDY = "gazetrack-study"  # in click's `meta`: the study file that a command is told by


def _remember(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    # The flag must outlive click's context, which an exception takes away.
    global _debug  # noqa: PLW0603
    _debug = _debug or value


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_remember,
    help="Show the traceback of an error.",
)


def say(program: str, error: object, kind: str = "error") -> None:
    """Print one line on stderr.

    Where that is full or closed, nobody can be told, and the work goes on.
    """
    text = " ".join(str(error).split())
    with contextlib.suppress(OSError):
        click.echo(f"{program}: {kind}: {text}", err=True)


class Printing:
    """What a command prints about work that goes on whether anybody reads it or not.

    Parameters
    ----------
    program : str
        The name the user typed.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._error: OSError | None = None

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Print inside the block; from the first failure on, everything printed is thrown away."""
        try:
            yield
            sys.stdout.flush()
        except OSError as error:
            if error.filename is not None or error.errno not in (errno.EPIPE, *_UNWRITABLE):
                raise
            self._error = error
            _throw_output_away()

    def end(self) -> int:
        """Say once what went wrong with printing, and return the exit code it asks for.

        0 where the reader went away (`| head`): that was its choice, and the work is done.
        """
        if self._error is None:
            return exit_codes.DONE
        if self._error.errno == errno.EPIPE:
            what = "standard output was closed before all was printed"
            say(
                self._program,
                f"{what}; the work is done, as its files and --report show",
                "warning",
            )
            return exit_codes.DONE
        state = "the work is done, but not all of it was printed - "
        say(self._program, _unprintable(self._error, state))
        return exit_codes.OUTPUT


def _unprintable(error: OSError, state: str = "") -> str:
    from gazetrack.errors import quote

    reason = quote(error.strerror)
    what = f"standard output cannot be written: {reason}"
    return f"{what}: {state}give it a file or a disk with room [OUTPUT]"


def _throw_output_away() -> None:
    # Python would complain again when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def run_command(command: click.Command, prog_name: str) -> NoReturn:
    """Run a command and exit the process.

    The exit code is the command's own, or that of an error, about which one line is printed.

    Parameters
    ----------
    command : click.Command
        It may return an int as its exit code.
    prog_name : str
        The name the user typed, as it stands before each error.
    """
    begin()
    sys.exit(_exit_code(command, prog_name))


def _exit_code(command: click.Command, prog_name: str) -> int:
    output = sys.stdout
    try:
        with ended_bars():
            result = command.main(prog_name=prog_name, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        _name_study(error, prog_name)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say(prog_name, "interrupted")
        return exit_codes.of_signal(signal.SIGINT)
    except Stopped as stopped:
        interrupted = stopped.code == exit_codes.of_signal(signal.SIGINT)
        say(prog_name, "interrupted" if interrupted else "stopped by SIGTERM")
        return int(stopped.code or 0)
    except SystemExit:
        if sys.stdout is output:  # not click's answer to a reader of our output who went away
            raise
        _throw_output_away()
        return exit_codes.DONE
    except Exception as error:
        if _debug:
            raise
        return _report(error, prog_name)
    return result if isinstance(result, int) else 0


def _name_study(error: click.ClickException, prog_name: str) -> None:
    """Say of a wrong value that it may come from a study file, and not from what was typed."""
    context = getattr(error, "ctx", None)
    study = context.meta.get(STUDY) if context is not None else None
    if study is not None:
        say(prog_name, f"what was not typed is from {study}", "note")


def _report(error: Exception, prog_name: str) -> int:
    from gazetrack.errors import GazetrackError, quote

    if isinstance(error, GazetrackError):
        if not error.said:
            say(prog_name, error)
        return error.exit_code
    # Every file goes through gazetrack.publish, whose errors are OutputErrors: what is left is our
    # own printing.
    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        _throw_output_away()
        say(prog_name, _unprintable(error))
        return exit_codes.OUTPUT
    kind = "" if isinstance(error, _FORESEEN) else "internal error: "
    what = f"{kind}{quote(type(error).__name__)}: {quote(error, 200)}"
    say(prog_name, f"{what} - run again with --debug for details [INTERNAL]")
    return exit_codes.OUTPUT if isinstance(error, OSError) else exit_codes.SOME_FAILED
