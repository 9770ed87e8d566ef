"""What a training run is told: dataclasses, presets, TOML files and ``a.b=c`` settings."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.maps.parameters import MapParams, map_params
from gradtrack_model.methods import METHODS
from gradtrack_model.network.losses import LossConfig
from gradtrack_model.network.model import ModelConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BARE_POINT = re.compile(r"(?<![\w.\"'])(?=\.\d)")  # of .5, before which TOML wants a digit
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 32, 4096


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and its schedule.

    Parameters
    ----------
    name : {"adamw", "sgd"}
        ``sgd`` uses Nesterov momentum.
    lr : float
        Peak learning rate.
    schedule : {"cosine", "onecycle", "poly"}
        How it falls after the warm-up; ``onecycle`` rises over the first 30 % of the steps and has
        no warm-up.
    final_lr_share : float
        Share of `lr` at the end.
    encoder_lr_share : float
        Share of the learning rate that a pretrained encoder gets.
    frozen_blocks : int
        Blocks of a pretrained encoder, from the image on and with its stem, that are not trained:
        the first ones cost most of the time. ``lite`` has 16, ``lite1`` and ``lite2`` have 21;
        ``timm:`` and ``smp:`` encoders have 5, one for each halving of the size.
    warmup : int
        Steps of the warm-up.
    weight_decay : float
        Of weights of more than one dimension; norms, biases and alpha are not decayed.
    momentum : float
        Of ``sgd``.
    clip : float
        Gradient norm above which gradients are scaled down; 0 for none.
    """

    name: str = "adamw"
    lr: float = 1e-3
    schedule: str = "cosine"
    final_lr_share: float = 0.01
    encoder_lr_share: float = 0.3
    frozen_blocks: int = 0
    warmup: int = 50
    weight_decay: float = 0.01
    momentum: float = 0.99
    clip: float = 1.0


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training images; the geometric ones apply to gaze alike.

    Parameters
    ----------
    hflip, vflip : bool
        Flip, with probability one half.
    scale : float
        Zoom by a factor in [1 - scale, 1 + scale].
    rotate : float
        Rotate by an angle in [-rotate, rotate] degrees.
    translate : float
        Shift by a share of the image size in [-translate, translate] on both axes.
    brightness, contrast, saturation : float
        Multiply by a factor in [1 - v, 1 + v].
    gamma : float
        Raise to a power in [exp(-gamma), exp(gamma)].
    hue : float
        Turn colours by an angle in [-hue, hue] degrees.
    cutmix : float
        Probability that a box of the batch's next image, with its maps, replaces that part of an
        image.
    """

    hflip: bool = True
    vflip: bool = True
    scale: float = 0.2
    rotate: float = 30.0
    translate: float = 0.05
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    gamma: float = 0.0
    hue: float = 0.0
    cutmix: float = 0.0


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    method : str
        One of `gradtrack_model.methods.METHODS`; its settings come over the preset's and under all
        others.
    image_size : int
        Images are resized to a square of this many pixels.
    predict_scale : float
        Images are larger by this factor in validation and prediction. As zooming in training makes
        objects larger than they are, networks trained so see more on larger images (Touvron et al.
        2019).
    predict_threshold : float
        Probability above which a pixel is foreground in validation and prediction. Dice is best
        below .5 where a network is unsure (Lipton et al. 2014).
    window : tuple of float
        (center, width) of the gray values of DICOM, NRRD and NIfTI that become 0 to 255, in the
        file's units, such as Hounsfield units; without it, from the 0.5th to the 99.5th percentile
        of the file.
    batch_size : int
        Images a batch.
    steps : int
        Number of optimizer steps.
    accumulate : int
        Batches a step: their mean gradient is that of one batch as large as all.
    ema : float
        Decay of the moving average of the weights, such as .999; it is what is validated and saved.
        0 for none.
    seed : int
        Of initial weights, order and augmentation.
    device : {"auto", "cpu", "cuda"}
        ``auto`` is a GPU when there is one.
    precision : {"auto", "fp32", "bf16", "fp16"}
        ``auto`` is bfloat16 autocast on a GPU and float32 on a CPU; CPUs with AMX are faster with
        ``bf16``. ``fp16`` scales the loss.
    compile : bool
        Let ``torch.compile`` make network and loss faster; the first step then takes a minute.
    cuda_graphs : bool
        With `compile`, on a GPU: replay the compiled network as a CUDA graph, where small batches
        leave the GPU waiting for the next operation to be queued. Needs ``accumulate = 1``.
    patience : int
        Validations without a better one after which the run ends; 0 for none.
    workers : int
        Threads that prepare batches ahead, for a GPU: on two CPU cores they take more from the
        network than they give (`benchmarks/bench_step.py`). The result does not depend on it.
    cache : {"auto", "host", "device"}
        Where the training set lies, and batches are augmented and maps rendered: in memory, or
        beside the network, which differs by rounding. ``auto`` is the device when that is a GPU
        with four times the room.
    log_every : int
        Steps between rows of the log.
    val_every : int
        Steps between validations, each with a checkpoint.
    val_share : float
        Share of cases held out by the hash of their name when no validation images are named.
    tensorboard : bool
        Write TensorBoard events where TensorBoard is installed.
    model, maps, loss, optimizer, augment : dataclass
        The sections of a configuration file.
    """

    method: str = "gradtrack"
    image_size: int = 224
    predict_scale: float = 1.0
    predict_threshold: float = 0.5
    window: tuple[float, ...] = ()
    batch_size: int = 8
    steps: int = 1500
    accumulate: int = 1
    ema: float = 0.0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool = False
    cuda_graphs: bool = False
    patience: int = 0
    workers: int = 0
    cache: str = "auto"
    log_every: int = 10
    val_every: int = 100
    val_share: float = 0.1
    tensorboard: bool = True
    model: ModelConfig = field(default_factory=ModelConfig)
    maps: MapParams = field(default_factory=MapParams)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        _one_of("method", self.method, tuple(METHODS))
        if len(self.loss.thresholds) != self.model.heads:
            what = f"loss.thresholds has {len(self.loss.thresholds)} values, model.heads is {self.model.heads}"
            raise ConfigError(what, hint="give one threshold per head")
        if self.loss.consistency_weight > 0 and self.model.heads == 1:
            raise ConfigError("loss.consistency_weight with one head", hint="use model.heads=2")
        if self.cuda_graphs and not (self.compile and self.accumulate == 1):
            # A replayed graph writes its gradients where it wrote those of the batch before.
            raise ConfigError(
                "cuda_graphs without compile, or with accumulate",
                hint="use compile=true, accumulate=1",
            )
        for threshold in self.loss.thresholds:
            _within("loss.thresholds", threshold, 0, 1)
        if self.window and (len(self.window) != 2 or not 0 < self.window[1] < math.inf):
            raise ConfigError(
                f"window is {list(self.window)}", hint="give center and width, such as [40, 400]"
            )
        _one_of("device", self.device, ("auto", "cpu", "cuda"))
        _one_of("cache", self.cache, ("auto", "host", "device"))
        _one_of("precision", self.precision, ("auto", "fp32", "bf16", "fp16"))
        _one_of("optimizer.name", self.optimizer.name, ("adamw", "sgd"))
        _one_of("optimizer.schedule", self.optimizer.schedule, ("cosine", "onecycle", "poly"))
        _within("image_size", self.image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
        _within("predict_scale", self.predict_scale, 0.25, 4)
        _within("predict_threshold", self.predict_threshold, 0.001, 0.999)
        _within("image_size * predict_scale", self.predicting_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
        for name in ("batch_size", "steps", "accumulate", "log_every", "val_every"):
            _within(name, getattr(self, name), 1, 10**9)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("workers", self.workers, 0, 64)
        _within("patience", self.patience, 0, 10**9)
        _within("val_share", self.val_share, 0, 0.9)
        _within("ema", self.ema, 0, 0.99999)
        _within("optimizer.frozen_blocks", self.optimizer.frozen_blocks, 0, 10**9)
        _within("optimizer.lr", self.optimizer.lr, 0, 100)
        _within("loss.ignore_band", self.loss.ignore_band, 0, 0.5)
        _within("loss.bootstrap", self.loss.bootstrap, 0, 1)
        for name, high in (("gamma", 2), ("hue", 180), ("cutmix", 1)):
            _within(f"augment.{name}", getattr(self.augment, name), 0, high)
        for name in ("scale", "translate", "brightness", "contrast", "saturation"):
            _within(f"augment.{name}", getattr(self.augment, name), 0, 0.9)

    @property
    def predicting_size(self) -> int:
        """Pixels a side of the images in validation and prediction."""
        return round(self.image_size * self.predict_scale)

    def predicting(self) -> TrainConfig:
        """Return these settings with the image size of validation and prediction."""
        return dataclasses.replace(self, image_size=self.predicting_size, predict_scale=1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, which `config_from` takes back."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "tiny": {
        "image_size": 96,
        "steps": 300,
        "val_every": 50,
        "model": {"encoder": "basic", "widths": (8, 16, 32, 64, 64, 16)},
        "optimizer": {"lr": 3e-3, "warmup": 20},
    },
    # Endoscopy, where no side is up: what was best on Kvasir-SEG (docs/results.md). Track Attention
    # gained nothing.
    "polyp": {
        "image_size": 256,
        "predict_scale": 1.25,
        "predict_threshold": 0.35,
        "steps": 2000,
        "val_every": 250,
        "ema": 0.998,
        "model": {"attention": False},
        "maps": {"threshold": 0.17},
        "loss": {"track_weight": 0.0},
        "augment": {
            "scale": 0.4,
            "rotate": 180.0,
            "translate": 0.1,
            "brightness": 0.3,
            "contrast": 0.3,
            "saturation": 0.3,
            "gamma": 0.2,
            "hue": 8.0,
            "cutmix": 0.3,
        },
    },
    # The released recipe of GazeMedSeg; its loss has no Dice term.
    "gazemedseg": {
        "steps": 15000,
        "val_every": 1000,
        "model": {"encoder": "basic"},
        "loss": {"dice_weight": 0.0},
        "optimizer": {"name": "sgd", "lr": 1e-2, "weight_decay": 4e-4, "warmup": 0, "clip": 0.0},
        "augment": dict.fromkeys(
            ("scale", "rotate", "translate", "brightness", "contrast", "saturation"), 0.0
        ),
    },
}


def load_config(
    preset: str = "default",
    file: str | Path | None = None,
    settings: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Build a configuration; later sources win: preset, method, file, overrides, settings.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.
    file : path-like, optional
        A TOML file.
    settings : iterable of str
        ``a.b=c``, with c as in TOML; quotes may be left out.
    overrides : mapping, optional
        Dotted keys and values; None means not given.

    Returns
    -------
    TrainConfig

    Raises
    ------
    ConfigError
        An unknown key, a value of the wrong type or out of range, or a file that is no TOML.
    InputError
        The file cannot be read.
    """
    _one_of("preset", preset, tuple(PRESETS))
    layers = [_read_toml(Path(file))] if file is not None else []
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    layers += [
        _nested(key, value) for key, value in [*given.items(), *map(_parse_setting, settings)]
    ]
    method = next((layer["method"] for layer in reversed(layers) if "method" in layer), "gradtrack")
    _one_of("method", method, tuple(METHODS))
    values: dict[str, Any] = {}
    for layer in (PRESETS[preset], METHODS[method], *layers):
        _merge(values, layer)
    return config_from(values)


def config_from(values: Mapping[str, Any]) -> TrainConfig:
    """Build a configuration from nested plain values, as read from TOML or JSON.

    Raises
    ------
    ConfigError
        An unknown key, or a value of the wrong type or out of range.
    """
    config: TrainConfig = _build(TrainConfig, values, "")
    return config


def _build(kind: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(
            f"{prefix.rstrip('.')} is {quote(values)}", hint="it is a section with keys of its own"
        )
    hints = get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise ConfigError(
                f"unknown setting {quote(prefix + str(key))!r}", hint=f"known: {', '.join(hints)}"
            )
    arguments = {key: _convert(hints[key], value, prefix + key) for key, value in values.items()}
    try:
        # What a kind of map leaves to its own default is the toolkit's to say.
        return map_params(**arguments) if kind is MapParams else kind(**arguments)
    except ValueError as error:
        raise ConfigError(f"{prefix}{quote(error, 200)}", hint="change it") from error


def _convert(kind: Any, value: Any, key: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, f"{key}.")
    if get_origin(kind) is tuple:
        members = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(get_args(kind)[0], member, key) for member in members)
    if kind is float and (
        value in ("inf", math.inf) or (type(value) in (int, float) and math.isfinite(value))
    ):
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    raise ConfigError(
        f"{key} is {quote(value)!r}", hint=f"it takes a value of type {kind.__name__}"
    )


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Put `layer` over `into`; another encoder brings its own default widths."""
    for key, value in layer.items():
        if isinstance(value, dict):
            section = into.setdefault(key, {})
            if key == "model" and value.get("encoder", section.get("encoder")) != section.get(
                "encoder"
            ):
                section.pop("widths", None)
            if isinstance(section, dict):
                section.update(value)
                continue
        into[key] = value


def _nested(key: str, value: Any) -> dict[str, Any]:
    head, dot, tail = key.partition(".")
    return {head: {tail: value} if dot else value}


def _parse_setting(text: str) -> tuple[str, Any]:
    key, mark, value = (part.strip() for part in text.partition("="))
    if not mark or not key:
        raise ConfigError(f"setting {quote(text)!r}", hint="write it as optimizer.lr=0.001")
    try:
        return key, tomllib.loads(f"value = {_BARE_POINT.sub('0', value)}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check --config") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"is no TOML: {quote(error, 120)}", path=path, hint="see --config in the help"
        ) from error


def _one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"{key} is {quote(value)!r}", hint=f"use one of {', '.join(known)}")


def _within(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{key} is {value}", hint=f"use {low} to {high}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return "inf" if value == math.inf else value
