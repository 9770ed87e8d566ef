"""How a prompt model is asked, for whoever only has to name it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gazetrack.errors import ConfigError

MIN_SIZE = 64
# Of the model in the logits of a prediction, beside the network's own. On Kvasir-SEG's validation
# images half of each is no worse than the network, be it weak or strong, which the model alone is
# (docs/results.md).
PREDICTION_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class PromptParams:
    """How a prompt model is asked. The defaults were chosen on Kvasir-SEG's validation images.

    Parameters
    ----------
    size : int
        Longest side of the image in pixels, in the corner of the model's canvas. Of 1024, what
        these models were made for, small and soft objects come out worse than of 384 to 512.
    least_share : float
        Parts of the map that have less than this share of the largest one's area are left out.
    points : int
        At most so many fixations, the longest, are prompts of the part they lie in; 0 for none,
        and for no other point either.
    sharpness : float
        The mask prompt is this many times the logit of the map.
    """

    size: int = 512
    least_share: float = 0.2
    points: int = 5
    sharpness: float = 2.0

    def __post_init__(self) -> None:
        if self.size < MIN_SIZE:
            raise ConfigError(f"prompt size {self.size}", hint="use 384 to 512 pixels")
        if not 0 <= self.least_share <= 1:
            raise ConfigError(f"least share {self.least_share}", hint="use 0 to 1")
        if self.points < 0:
            raise ConfigError(f"{self.points} points", hint="use 0 or more")
        if not self.sharpness > 0:
            raise ConfigError(f"sharpness {self.sharpness}", hint="use a positive number")

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return asdict(self)
