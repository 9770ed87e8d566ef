"""The one handler of everything that can go wrong in a command: one line on stderr, an exit code, no traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import NoReturn

import click

_FORESEEN = (OSError, MemoryError, RecursionError, UnicodeError, EOFError)
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)
_debug = False


def _remember(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    global _debug  # noqa: PLW0603 - the flag must outlive click's context, which an exception takes away
    _debug = _debug or value


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_remember,
    help="Show the traceback of an error.",
)


def say(program: str, error: object) -> None:
    """Print one error line."""
    text = " ".join(str(error).split())
    click.echo(f"{program}: error: {text}", err=True)


def run_command(command: click.Command, prog_name: str) -> NoReturn:
    """Run a command and exit the process: with the command's own code, or an error's, after one line about it.

    Parameters
    ----------
    command : click.Command
        It may return an int as its exit code.
    prog_name : str
        The name the user typed, as it stands before each error.
    """
    sys.exit(_exit_code(command, prog_name))


def _exit_code(command: click.Command, prog_name: str) -> int:
    try:
        result = command.main(prog_name=prog_name, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say(prog_name, "interrupted")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output went away; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        if _debug:
            raise
        return _report(error, prog_name)
    return result if isinstance(result, int) else 0


def _report(error: Exception, prog_name: str) -> int:
    from gazetrack.errors import GazetrackError, quote

    if isinstance(error, GazetrackError):
        say(prog_name, error)
        return error.exit_code
    # Every file goes through gazetrack.publish, whose errors are OutputErrors: what is left is our own printing.
    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python would complain again when it flushes at exit
        say(prog_name, f"standard output cannot be written: {quote(error.strerror)} - free its disk [OUTPUT]")
        return 3
    kind = "" if isinstance(error, _FORESEEN) else "internal error: "
    say(
        prog_name,
        f"{kind}{quote(type(error).__name__)}: {quote(error, 200)} - run again with --debug for details [INTERNAL]",
    )
    return 3 if isinstance(error, OSError) else 1
