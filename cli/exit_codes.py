"""The exit codes of all commands, and the one rule for a call with several inputs.

    0        all is done
    1        some of several inputs failed; what could be done of the others is there
    2        usage
    3        an output cannot be written
    4        data do not fit
    5        no usable checkpoint
    6        the loss is not finite
    7        another run holds the folder
    8        a cluster cannot be reached, or nobody works on it any more
    130, 143 stopped by SIGINT or SIGTERM

Errors know their own code, see `gazetrack.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.errors import GazetrackError

DONE = 0
SOME_FAILED = 1
USAGE = 2
OUTPUT = 3
DATA = 4
_STOPPED = 128  # and the number of the signal, as shells have it


def of_inputs(errors: Sequence[GazetrackError], n_inputs: int) -> int:
    """Return the exit code of a call that took its inputs one by one.

    Parameters
    ----------
    errors : sequence of GazetrackError
        One for each input that failed, or was done in part.
    n_inputs : int
        Number of all inputs of the call.

    Returns
    -------
    int
        0 without errors; of a single input its error's own code; 1 where some of several failed.
    """
    if not errors:
        return DONE
    return errors[0].exit_code if n_inputs == 1 else SOME_FAILED


def of_signal(number: int) -> int:
    """Return the exit code of a command that a signal of this number stopped."""
    return _STOPPED + number
