"""What a run computes, in words and as a value: its name, its parts, and whether two are the same.

A run is asked for by a method, and settings and stored maps can change what comes of it. What it is
called in reports and tables is therefore read off the configuration that it was trained with.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradtrack_model.presets import METHODS
from gradtrack_model.settings import load_config

if TYPE_CHECKING:
    from gradtrack_model.config import TrainConfig
    from gradtrack_model.network.classes import ClassConfig
    from gradtrack_model.network.losses import LossConfig
    from gradtrack_model.network.model import ModelConfig

# What changes nothing of the result, or at most its rounding.
_NO_MATTER = (
    "method",
    "seed",
    "device",
    "cache",
    "workers",
    "log_every",
    "tensorboard",
    "loggers",
)
# Truncations that keep the same fixations, in the same order, of a whole track.
_SAME_WHOLE_TRACK = ("tail", "head", "random", "none")
_OF_A_LEVEL = ("levels", "ratios", "by")
_WORDS = {True: "on", False: "off"}


@dataclass(frozen=True)
class Computed:
    """What a run with a configuration computes.

    Parameters
    ----------
    config : TrainConfig
        What the run was trained with; of stored maps, with how these were rendered.

    Examples
    --------
    >>> Computed(load_config("polyp")).name
    'gradtrack'
    >>> Computed(load_config(settings=["model.attention=false", "loss.track_weight=0"])).name
    'plain'
    >>> Computed(load_config(settings=["model.gates=true"])).name
    'gradtrack, changed: model.gates on'
    """

    config: TrainConfig

    @property
    def name(self) -> str:
        """The method that was asked for where it is that, else what it is.

        That is another method, or the one that was asked for with what was changed.
        """
        asked = self.config.method
        changes = self._changes(asked)
        if not changes:
            return asked
        for method in METHODS:
            if not self._changes(method):
                return method
        return f"{asked}, changed: {', '.join(changes)}"

    @property
    def parts(self) -> dict[str, str]:
        """``decoder``, ``levels``, ``loss``, ``label``, ``precision``, ``threshold``, in words."""
        return {
            "decoder": _decoder(self.config.model, self.config.classes),
            "levels": self._levels(),
            "loss": _loss(self.config.loss),
            "label": self._label(),
            "precision": _precision(self.config.precision),
            "threshold": f"foreground above {self.config.predict_threshold:g}",
        }

    @property
    def summary(self) -> str:
        """All parts in one line."""
        named = {"precision": f"{self.config.precision} precision"}
        return "; ".join(named.get(part, text) for part, text in self.parts.items())

    @property
    def line(self) -> str:
        """Name and parts in one line."""
        return f"{self.name}: {self.summary}"

    @property
    def essence(self) -> dict[str, Any]:
        """All settings that the result depends on: equal ones compute the same.

        The seed is left out, and so is whatever the other settings make ineffective.
        """
        plain = self.config.as_dict()
        essence = {key: value for key, value in plain.items() if key not in _NO_MATTER}
        essence["masks"] = self.config.method == "full"
        if essence["masks"]:
            # Masks are the labels: no map is rendered, and no CRF refines one.
            del essence["maps"], essence["crf_weight"]
            return essence
        maps, loss = dict(plain["maps"]), dict(plain["loss"])
        if not loss["track_weight"]:
            del loss["full_first"]
        if self._whole_track_alone():
            for key in (*_OF_A_LEVEL, "truncation"):
                del maps[key]
        return essence | {"maps": maps, "loss": loss}

    def _whole_track_alone(self) -> bool:
        """Whether the last level alone trains, and is of the whole track."""
        maps = self.config.maps
        whole = maps.ratios[-1] == 1 and maps.truncation in _SAME_WHOLE_TRACK
        return whole and (maps.levels == 1 or not self.config.loss.track_weight)

    def _changes(self, method: str) -> list[str]:
        """Return in words how it differs from a method in what the method is."""
        mine, theirs = self.traits(method), _of_method(method).traits(method)
        return [
            f"{key} {_value(mine[key])}"
            for key in {**theirs, **mine}
            if key in mine and mine[key] != theirs.get(key)
        ]

    def traits(self, method: str) -> dict[str, Any]:
        """Return what makes it a method or not, by the names of the settings.

        Parameters
        ----------
        method : str
            The method in question: some say more of labels and loss than others.
        """
        config = self.config
        model, loss, maps = config.model, config.loss, config.maps
        levels_train = loss.track_weight > 0
        traits: dict[str, Any] = {
            "masks": config.method == "full",
            "model.attention": model.attention,
            "model.gates": model.gates,
            "model.heads": model.heads,
            "model.networks": model.networks,
            "loss of the levels": levels_train,
            "consistency": loss.consistency_weight > 0,
        }
        if levels_train:
            # Which part of the track a level is of matters where levels are learned.
            traits |= {"loss.full_first": loss.full_first, "maps.truncation": maps.truncation}
        # Labels and loss are options of most methods, and belong to those that name them.
        stated = METHODS[method]
        if "kind" in stated.get("maps", {}):
            traits["maps.kind"] = maps.kind
        if "crf_weight" in stated:
            traits["crf_weight"] = config.crf_weight
        of_loss = stated.get("loss", {})
        if "dice_weight" in of_loss:
            traits["loss.dice_weight"] = loss.dice_weight
        if "consistency_weight" in of_loss:
            traits["loss.consistency_weight"] = loss.consistency_weight
            traits["loss.soft_labels"] = loss.soft_labels
            traits["loss.ignore_band"] = loss.ignore_band
        return traits

    def _levels(self) -> str:
        maps, loss = self.config.maps, self.config.loss
        if self.config.method == "full":
            return "no levels"
        if not loss.track_weight:
            return "the last level alone"
        order = ", the full track first" if loss.full_first else ""
        number = "1 level" if maps.levels == 1 else f"{maps.levels} levels"
        return f"{number} ({maps.truncation} by {maps.by}){order}"

    def _label(self) -> str:
        config, loss = self.config, self.config.loss
        if config.method == "full":
            return "masks"
        weight = config.crf_weight
        refined = f" refined by a CRF of weight {weight:g}" if weight else ""
        borders = " and ".join(f"{threshold:g}" for threshold in loss.thresholds)
        border = "soft" if loss.soft_labels else f"at {borders}"
        words = f"{config.maps.kind} maps{refined}, {border}"
        if loss.ignore_band:
            words += f", within {loss.ignore_band:g} of it ignored"
        if loss.bootstrap:
            words += f", {loss.bootstrap:g} of it the network's own"
        return words


@functools.cache
def _of_method(method: str) -> Computed:
    return Computed(load_config(overrides={"method": method}))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _WORDS[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _decoder(model: ModelConfig, classes: ClassConfig) -> str:
    words = ["Track Attention" if model.attention else "plain decoder"]
    if model.gates:
        words.append("attention gates on the skips")
    if model.networks > 1:
        words.append(f"{model.networks} networks")
    if model.heads > 1:
        words.append(f"{model.heads} heads")
    if classes.names:
        words.append(f"{classes.n} classes ({classes.heads}): {' and '.join(classes.names)}")
    return ", ".join(words)


def _loss(loss: LossConfig) -> str:
    terms = ["cross-entropy"]
    weighted = {
        "Dice": loss.dice_weight,
        "levels": loss.track_weight,
        "consistency": loss.consistency_weight,
    }
    for name, weight in weighted.items():
        if weight:
            terms.append(name if weight == 1 else f"{weight:g} x {name}")
    return " + ".join(terms)


def _precision(precision: str) -> str:
    return "auto: bf16 on a GPU, fp32 on a CPU" if precision == "auto" else precision
