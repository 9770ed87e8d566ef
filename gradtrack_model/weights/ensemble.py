"""Several networks that predict together, such as those of a cross-validation."""

from __future__ import annotations

import glob
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import CheckpointError, ConfigError, quote
from gazetrack.publish import sha256_of
from gradtrack_model.weights.checkpoint import Checkpoint, load_model, released

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What a cross-validation writes beside its runs, see `gradtrack_model.study.folds`.
FOLDS_FILE = "folds.json"
FOLDS_FORMAT = "gradtrack folds 1"
_PATTERN = "*?["


@dataclass(frozen=True)
class Ensemble:
    """Networks whose probabilities are averaged: one, or several that see images alike.

    Parameters
    ----------
    members : tuple of Checkpoint
        The networks, at least one, in the order that they were named in.

    Raises
    ------
    ConfigError
        There is none, or two do not read or resize images alike, or tell other classes apart.
    """

    members: tuple[Checkpoint, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ConfigError("an ensemble of no networks", hint="give at least one")
        first = self.members[0].config
        for one in self.members[1:]:
            for name in ("predicting_size", "window", "context"):
                mine, theirs = getattr(one.config, name), getattr(first, name)
                if mine != theirs:
                    what = f"{name} of {one.path.parent.name} is {mine}, of the first {theirs}"
                    raise ConfigError(what, hint="average networks that see images alike")
            self._refuse_other_classes(one)

    def _refuse_other_classes(self, one: Checkpoint) -> None:
        """Refuse a network whose channels are other classes than those of the first."""
        told = [
            f"{', '.join(classes.names)} ({classes.heads})" if classes.names else "one class"
            for classes in (one.config.classes, self.first.config.classes)
        ]
        if told[0] != told[1]:
            what = f"{one.path.parent.name} tells apart {told[0]}, the first {told[1]}"
            raise ConfigError(what, hint="average networks of the same classes, in one order")

    @property
    def exclusive(self) -> bool:
        """Whether there are several classes, and a pixel is of one of them at most."""
        classes = self.first.config.classes
        return bool(classes.names) and classes.exclusive

    @property
    def first(self) -> Checkpoint:
        """The network whose settings say how images are read."""
        return self.members[0]

    def threshold(self, given: float | None) -> float:
        """Return the probability above which a pixel is foreground.

        Parameters
        ----------
        given : float or None
            What the user asks for; None for that of the networks.

        Raises
        ------
        ConfigError
            None is given, and the networks were validated at different ones.
        """
        own = {one.config.predict_threshold for one in self.members}
        if given is None and len(own) > 1:
            shown = ", ".join(f"{value:g}" for value in sorted(own))
            what = f"the networks were validated at the thresholds {shown}"
            raise ConfigError(what, hint="give one with --threshold")
        return given or min(own)

    def digests(self) -> list[str]:
        """Return the SHA-256 of every network's weights file."""
        return [sha256_of(one.path) for one in self.members]


def as_ensemble(networks: Checkpoint | Ensemble | Sequence[Checkpoint]) -> Ensemble:
    """Return one or several networks as an ensemble; errors as in `Ensemble`."""
    if isinstance(networks, Ensemble):
        return networks
    return Ensemble((networks,) if isinstance(networks, Checkpoint) else tuple(networks))


def load_ensemble(
    weights: Iterable[str | Path], expect: Mapping[str, object] | None = None
) -> Ensemble:
    """Load the networks that predict together.

    Parameters
    ----------
    weights : iterable of path-like
        What `load_model` takes; a folder that a cross-validation has written, which stands for all
        its networks; or a pattern such as ``runs/cv/*``. What is named twice is loaded once.
    expect : mapping, optional
        Settings that all must have been trained with, see `load_model`.

    Returns
    -------
    Ensemble
        In the order in which they are named.

    Raises
    ------
    CheckpointError
        One cannot be loaded, or a pattern fits nothing.
    ConfigError
        Two do not see images alike.
    """
    named: dict[Path, Path] = {}
    for one in weights:
        for path in _members(Path(one)):
            named.setdefault(path.resolve(), path)
    return Ensemble(tuple(load_model(path, expect) for path in named.values()))


def _members(path: Path) -> list[Path]:
    """Return the networks that a path stands for."""
    if path.name == FOLDS_FILE:
        return _folds_in(path)
    if path.is_dir() and (path / FOLDS_FILE).exists():
        return _folds_in(path / FOLDS_FILE)
    is_pattern = any(character in str(path) for character in _PATTERN)
    if path.exists() or str(path) in released() or not is_pattern:
        return [path]
    fitting = [Path(found) for found in sorted(glob.glob(str(path)))]  # noqa: PTH207 - whole paths
    if not fitting:
        what = "fits no run"
        raise CheckpointError(what, path=path, hint="give run folders of gradtrack-train")
    return [member for one in fitting for member in _members(one)]


def _folds_in(path: Path) -> list[Path]:
    """Return the run folders of a cross-validation, of its file."""
    try:
        facts = json.loads(path.read_text("utf-8"))
        names = [str(fold["folder"]) for fold in facts["folds"]]
        is_ours = facts["format"] == FOLDS_FORMAT
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"is no cross-validation: {quote(error, 80)}"
        raise CheckpointError(what, path=path, hint="name its run folders") from error
    # A name from the file leads nowhere but beside it.
    if not is_ours or not names or any(Path(name).name != name for name in names):
        raise CheckpointError("is no cross-validation", path=path, hint="name its run folders")
    return [path.parent / name for name in names]
