"""What a shell offers to complete where the value of an option is a name.

Choices, files and folders complete by their types. These are callbacks for what has no type: they
import nothing heavy, for they run at every press of the key.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

PLACEMENTS = ("centre", "fit", "stretch")
# Those of `gazetrack.measures.scanpaths.METHODS`, which takes a second to import.
SCANPATH_METHODS = (
    "multimatch",
    "scanmatch",
    "levenshtein",
    "dtw",
    "frechet",
    "hausdorff",
    "mannan",
    "eyenalysis",
    "tde",
    "cross_recurrence",
    "all",
)
ENCODERS = ("lite", "lite1", "lite2", "dinov2", "basic", "timm:", "smp:")
_FILES = "file"


def among(*names: str, files: bool = False) -> Completer:
    """Return a completer of names.

    Parameters
    ----------
    *names : str
        What can be typed, each a whole word.
    files : bool
        Whether files are completed, too, where no name begins as what was typed.
    """
    return _completer(lambda: names, files=files)


def _completer(names: Callable[[], Iterable[str]], *, files: bool = False) -> Completer:
    def complete(
        _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names() if name.startswith(incomplete)]
        # In bash a file takes the place of the names before it, so it goes alone.
        return found or [CompletionItem(incomplete, type=_FILES)] * files

    return complete


def list_of(names: Callable[[], Iterable[str]]) -> Completer:
    """Return a completer of names with commas between them; none is offered twice.

    Parameters
    ----------
    names : callable
        Returns what can be typed; called when a shell asks.
    """

    def complete(
        _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",")
        typed = before.split(",")
        fitting = [name for name in names() if name.startswith(begun) and name not in typed]
        return [CompletionItem(f"{before}{comma}{name}") for name in fitting]

    return complete


def _formats() -> Iterable[str]:
    from gazetrack.readers.layouts.known import LAYOUTS
    from gazetrack.readers.registry import names

    return (*names(), *LAYOUTS)


def _train_methods() -> Iterable[str]:
    from gradtrack_model.presets import METHODS

    return METHODS


def _datasets() -> Iterable[str]:
    from gazetrack.datasets import names

    return names()


def _prompt_models() -> Iterable[str]:
    from gazetrack.sam.models import KNOWN

    return KNOWN


def _networks() -> Iterable[str]:
    import gradtrack_model

    released = Path(gradtrack_model.__file__).parent / "weights"
    return sorted(path.stem for path in released.glob("*.safetensors"))


def _steps() -> Iterable[str]:
    from gazetrack.workflows.study.steps import STEPS

    return STEPS


files = among(files=True)
formats = _completer(_formats)
placements = among(*PLACEMENTS)
datasets = _completer(_datasets)
steps = _completer(_steps)
prompt_models = _completer(_prompt_models, files=True)
networks = _completer(_networks, files=True)
scanpath_methods = list_of(lambda: SCANPATH_METHODS)
train_method = _completer(_train_methods)
train_methods = list_of(_train_methods)
