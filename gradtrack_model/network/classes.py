"""Several classes: how they are named, and what logits of several of them mean.

Logits have a channel for each class and none for the background, whose logit is 0 by definition:
with one class, softmax over 0 and z is the sigmoid of z, which is the binary case.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gazetrack.errors import ConfigError, quote
from gradtrack_model.limits import one_of

MOST_CLASSES = 64
# Names of classes name folders and columns.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ClassConfig:
    """What is segmented, where that is more than one thing.

    Parameters
    ----------
    names : tuple of str
        Names of the classes: of the first one, masks have the value 1, and so on; 0 is background.
        Empty where there is one thing to be found, and masks are black and white.
    heads : {"softmax", "independent"}
        ``softmax``: a pixel is of one class or background. ``independent``: each class is learned
        by itself, and classes may overlap; a label image then shows the most probable one.
    target : str
        What says which class a trial's gaze was looking for: ``trial``, ``stimulus``, ``recording``
        or ``participant``, whole or ``trial=REGEX`` for the pattern's first group; or a CSV file
        with such columns and ``target``. Stored maps say it themselves, also those of areas of
        interest (``gazetrack render --target aoi``).
    """

    names: tuple[str, ...] = ()
    heads: str = "softmax"
    target: str = "trial"

    def __post_init__(self) -> None:
        one_of("heads", self.heads, ("softmax", "independent"))
        if len(self.names) == 1 or len(self.names) > MOST_CLASSES:
            hint = f"give 2 to {MOST_CLASSES} names, or none where one thing is to be found"
            raise ConfigError(f"names are {len(self.names)}", hint=hint)
        for name in self.names:
            if not _NAME.fullmatch(name):
                hint = "up to 40 letters, digits, - and _: they name folders and columns"
                raise ConfigError(f"names has {quote(name)!r}", hint=hint)
        # Folders may not differ by case alone.
        if len({name.casefold() for name in self.names}) < len(self.names):
            raise ConfigError("names has a class twice", hint="name each class once")

    @property
    def n(self) -> int:
        """How many classes there are: 1 in the binary case, which has no names."""
        return max(len(self.names), 1)

    @property
    def exclusive(self) -> bool:
        """Whether a pixel is of one class at most."""
        return self.heads == "softmax"


def refuse_classes(classes: ClassConfig, what: str) -> None:
    """Refuse what is made for one class alone, rather than compute something of the first one.

    Parameters
    ----------
    classes : ClassConfig
        The classes of a network or data set.
    what : str
        What is asked for, in words for the user.

    Raises
    ------
    ConfigError
        There are several classes.
    """
    if classes.names:
        named = ", ".join(classes.names[:3]) + (", …" if classes.n > 3 else "")
        hint = "this is for one class so far: use data or a network without classes.names"
        raise ConfigError(f"{what} of {classes.n} classes ({named})", hint=hint)


def probabilities(logits: Tensor, *, exclusive: bool) -> Tensor:
    """Return how likely each pixel is of each class.

    Parameters
    ----------
    logits : Tensor, shape (..., K, h, w)
        A channel for each class.
    exclusive : bool
        Whether classes exclude each other: softmax over them and the background, whose logit is 0.
        Otherwise each has its sigmoid.

    Returns
    -------
    Tensor, shape (..., K, h, w)
        In [0, 1]; of exclusive classes, 1 less their sum is the background's.
    """
    if not exclusive:
        return torch.sigmoid(logits)
    return with_background(logits).softmax(-3).narrow(-3, 1, logits.shape[-3])


def label_image(logits: Tensor, threshold: float, *, exclusive: bool) -> Tensor:
    """Return the class of each pixel, counted from 1; 0 is background.

    Parameters
    ----------
    logits : Tensor, shape (..., K, h, w)
        A channel for each class.
    threshold : float
        What is more probable than this is foreground: of exclusive classes, all of them together;
        of others, the most probable one. The pixel then has the most probable class.
    exclusive : bool
        Whether classes exclude each other, as for `probabilities`.

    Returns
    -------
    Tensor of uint8, shape (..., h, w)
    """
    most, which = logits.max(-3)
    # Together, the odds of exclusive classes against the background are the sum of theirs.
    evidence = torch.logsumexp(logits, -3) if exclusive else most
    is_foreground = evidence > math.log(threshold / (1 - threshold))
    return torch.where(is_foreground, which + 1, torch.zeros_like(which)).to(torch.uint8)


def with_background(logits: Tensor) -> Tensor:
    """Return logits [..., K, h, w] with the background's, 0, before them: [..., K + 1, h, w]."""
    return functional.pad(logits, (0, 0, 0, 0, 1, 0))


def any_class(tracks: Tensor) -> Tensor:
    """Return the logit of the most likely class at each pixel, [B, 1, h, w] of [B, K, h, w].

    Attention looks through it: at whatever any class is.
    """
    return tracks if tracks.shape[1] == 1 else tracks.amax(1, keepdim=True)
