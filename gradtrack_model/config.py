"""What a training run is told: sections of settings, each of which validates itself.

A function takes the section that it depends on, and no more: `DataConfig` says what is read,
`BatchConfig` what a training batch is made of, `ValidationConfig` how the network is validated.
`TrainConfig` is all of these at once, with the settings of the run itself, and so can be given
wherever one of them is asked for. Network, loss, optimizer, maps and augmentation have sections of
their own inside.

Presets and methods are in `gradtrack_model.presets`; `gradtrack_model.settings` builds a
`TrainConfig` of them, of TOML files and of single settings.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Self

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.targets import check_rule
from gradtrack_model.limits import ANY, one_of, within
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.network.losses import LossConfig
from gradtrack_model.network.model import ModelConfig
from gradtrack_model.presets import METHODS

# Pixels a side: below the first, an encoder's last features would be less than a pixel.
MIN_IMAGE_SIZE = 32
MAX_IMAGE_SIZE = 4096
# Slices on either side: more than a network's first convolution could tell apart.
MAX_CONTEXT = 16


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """The optimizer and its schedule.

    Parameters
    ----------
    name : {"adamw", "sgd"}
        Which optimizer trains; ``sgd`` uses Nesterov momentum.
    lr : float
        Peak of the learning rate.
    schedule : {"cosine", "onecycle", "poly"}
        How the learning rate falls after the warm-up; ``onecycle`` rises over the first 30 % of the
        steps and has no warm-up.
    final_lr_share : float
        Share of `lr` that is left at the last step.
    encoder_lr_share : float
        Share of the learning rate that a pretrained encoder gets.
    frozen_blocks : int
        Blocks of a pretrained encoder, from the image on and with its stem, that are not trained:
        the first ones cost most of the time. ``lite`` has 16, ``lite1`` and ``lite2`` have 21,
        ``dinov2`` has 12; ``timm:`` and ``smp:`` encoders have 5, one for each halving of the size.
    warmup : int
        Steps in which the learning rate rises to its peak.
    weight_decay : float
        Decay of weights of more than one dimension; norms, biases and alpha are not decayed.
    momentum : float
        Momentum of ``sgd``; ``adamw`` has its own.
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

    def __post_init__(self) -> None:
        one_of("name", self.name, ("adamw", "sgd"))
        one_of("schedule", self.schedule, ("cosine", "onecycle", "poly"))
        within("lr", self.lr, 0, 100)
        # How many an encoder has, it says itself when it freezes them.
        within("frozen_blocks", self.frozen_blocks, 0, ANY)


@dataclass(frozen=True, kw_only=True)
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
        Probability that a box of the step's next image, with its maps, replaces that part of an
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

    def __post_init__(self) -> None:
        within("gamma", self.gamma, 0, 2)
        within("hue", self.hue, 0, 180)
        within("cutmix", self.cutmix, 0, 1)
        for name in ("scale", "translate", "brightness", "contrast", "saturation"):
            within(name, getattr(self, name), 0, 0.9)


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """What goes through the network at a time, in training and in validation.

    Parameters
    ----------
    image_size : int
        Images are resized to a square of this many pixels.
    predict_scale : float
        Images are larger by this factor in validation and prediction. As zooming in training makes
        objects larger than they are, networks trained so see more on larger images (Touvron et al.
        2019).
    batch_size : int
        Number of images in a batch.
    context : int
        Slices of its volume before a slice, and as many after it, that the network sees beside it,
        as further channels ("2.5-D"); what is learned and predicted is of the slice in the middle.
        Beyond the ends of a volume its first or last slice stands again. 0 for images that are
        seen alone; above it, every image has to be a slice of an NRRD, NIfTI or DICOM file.
    maps : MapParams
        How tracks are rendered; stored maps are taken as they are.
    classes : ClassConfig
        What is told apart, where that is more than foreground and background.
    """

    image_size: int = 224
    predict_scale: float = 1.0
    batch_size: int = 8
    context: int = 0
    maps: MapParams = field(default_factory=MapParams)
    classes: ClassConfig = field(default_factory=ClassConfig)

    def __post_init__(self) -> None:
        within("image_size", self.image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
        within("predict_scale", self.predict_scale, 0.25, 4)
        within("image_size * predict_scale", self.predicting_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
        within("batch_size", self.batch_size, 1, ANY)
        try:
            check_rule(self.classes.target)
        except ConfigError as error:
            raise ConfigError(f"classes.{error.what}", hint=error.hint) from error
        within("context", self.context, 0, MAX_CONTEXT)

    @property
    def predicting_size(self) -> int:
        """Pixels a side of the images in validation and prediction."""
        return round(self.image_size * self.predict_scale)

    def predicting(self) -> Self:
        """Return these settings with the image size of validation and prediction."""
        return dataclasses.replace(self, image_size=self.predicting_size, predict_scale=1.0)


@dataclass(frozen=True, kw_only=True)
class DataConfig(InputConfig):
    """What is read of a data set.

    Parameters
    ----------
    method : str
        One of `gradtrack_model.presets.METHODS`; its settings come over the preset's and under all
        others. ``full`` learns from masks in place of gaze.
    window : tuple of float
        (center, width) of the gray values of DICOM, NRRD and NIfTI that become 0 to 255, in the
        file's units, such as Hounsfield units; without it, from the 0.5th to the 99.5th percentile
        of the file.
    crf_weight : float
        Weight of a dense CRF that pulls the last level of maps rendered from fixation tables to the
        edges of the image, once and at the size of training, before they train; 0 for none. Stored
        maps are taken as they are.
    val_share : float
        Share of cases held out by the hash of their name when no validation images are named.
    """

    method: str = "gradtrack"
    window: tuple[float, ...] = ()
    crf_weight: float = 0.0
    val_share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("method", self.method, METHODS)
        within("val_share", self.val_share, 0, 0.9)
        within("crf_weight", self.crf_weight, 0, ANY)
        if not self.window:
            return
        if len(self.window) != 2 or not 0 < self.window[1] < math.inf:
            hint = "give center and width, such as [40, 400]"
            raise ConfigError(f"window is {list(self.window)}", hint=hint)


@dataclass(frozen=True, kw_only=True)
class BatchConfig(InputConfig):
    """What a training batch is made of, and where.

    Parameters
    ----------
    seed : int
        Seed of initial weights, order and augmentation.
    accumulate : int
        Batches a step: their mean gradient is that of one batch as large as all, but for an encoder
        with BatchNorm (`lite`, most of other packages), which normalises each batch by itself, and
        `ignore_band` and several classes, whose pixels count by batch.
    workers : int
        Threads that prepare batches ahead, for a GPU: on two CPU cores they take more from the
        network than they give (`benchmarks/bench_step.py`). The result does not depend on it.
    cache : {"auto", "host", "device"}
        Where the training set lies, and batches are augmented and maps rendered: in memory, or
        beside the network, which differs by rounding. ``auto`` is the device when that is a GPU
        whose free memory is at least four times the size of the training set.
    augment : AugmentConfig
        Random changes of the images.
    """

    seed: int = 0
    accumulate: int = 1
    workers: int = 0
    cache: str = "auto"
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        within("seed", self.seed, 0, 2**63 - 1)
        within("accumulate", self.accumulate, 1, ANY)
        within("workers", self.workers, 0, 64)
        one_of("cache", self.cache, ("auto", "host", "device"))


@dataclass(frozen=True, kw_only=True)
class ValidationConfig(InputConfig):
    """How the network is validated.

    Parameters
    ----------
    predict_threshold : float
        Probability above which a pixel is foreground in validation and prediction. Dice is best
        below .5 where a network is unsure (Lipton et al. 2014).
    precision : {"auto", "fp32", "bf16", "fp16"}
        ``auto`` is bfloat16 autocast on a GPU and float32 on a CPU; CPUs with AMX are faster with
        ``bf16``. ``fp16`` scales the loss.
    loss : LossConfig
        The loss, which is also that of training.
    """

    predict_threshold: float = 0.5
    precision: str = "auto"
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        within("predict_threshold", self.predict_threshold, 0.001, 0.999)
        one_of("precision", self.precision, ("auto", "fp32", "bf16", "fp16"))


@dataclass(frozen=True, kw_only=True)
class TrainConfig(DataConfig, BatchConfig, ValidationConfig):
    """A training run: all sections, and the settings of the run itself.

    Parameters
    ----------
    steps : int
        Number of steps of the optimizer in all.
    ema : float
        Decay of the moving average of the weights, such as .999; it is what is validated and saved.
        0 for none.
    device : {"auto", "cpu", "cuda"}
        ``auto`` is a GPU when there is one.
    compile : bool
        Let ``torch.compile`` make network and loss faster; the first step then takes a minute.
    cuda_graphs : bool
        With `compile`, on a GPU: replay the compiled network as a CUDA graph, where small batches
        leave the GPU waiting for the next operation to be queued. Needs ``accumulate = 1``.
    patience : int
        Validations without a better one after which the run ends; 0 for none.
    log_every : int
        Steps between rows of the log.
    val_every : int
        Steps between validations, each with a checkpoint.
    tensorboard : bool
        Write TensorBoard events where TensorBoard is installed.
    loggers : tuple of str
        Where else a run is logged, ``mlflow``, ``wandb`` or both: settings and numbers, nothing of
        the data. Their own environment variables, such as ``MLFLOW_TRACKING_URI`` and
        ``WANDB_MODE=offline``, say where that is.
    model : ModelConfig
        The network that is built and trained.
    optimizer : OptimizerConfig
        The optimizer and its schedule.
    """

    steps: int = 1500
    ema: float = 0.0
    device: str = "auto"
    compile: bool = False
    cuda_graphs: bool = False
    patience: int = 0
    log_every: int = 10
    val_every: int = 100
    tensorboard: bool = True
    loggers: tuple[str, ...] = ()
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("steps", "log_every", "val_every"):
            within(name, getattr(self, name), 1, ANY)
        within("ema", self.ema, 0, 0.99999)
        one_of("device", self.device, ("auto", "cpu", "cuda"))
        within("patience", self.patience, 0, ANY)
        for logger in self.loggers:
            one_of("loggers", logger, ("mlflow", "wandb"))
        if self.cuda_graphs and not (self.compile and self.accumulate == 1):
            # A replayed graph writes its gradients where it wrote those of the batch before.
            what = "cuda_graphs without compile, or with accumulate"
            raise ConfigError(what, hint="use compile=true, accumulate=1")
        self._check_context()
        self._check_heads()
        self._check_classes()

    def _check_classes(self) -> None:
        """Give the network its number of classes, and refuse what is made for one class alone."""
        n = self.classes.n
        if self.model.classes not in (1, n):
            what = f"model.classes is {self.model.classes}, classes.names has {n}"
            raise ConfigError(what, hint="leave model.classes out")
        if not self.classes.names:
            return
        object.__setattr__(self, "model", dataclasses.replace(self.model, classes=n))
        of_softmax = {
            "loss.soft_labels": self.loss.soft_labels,
            "loss.bootstrap": self.loss.bootstrap,
        }
        binary = {"crf_weight": self.crf_weight, **(of_softmax if self.classes.exclusive else {})}
        for name, value in binary.items():
            if value:
                where = "classes" if name == "crf_weight" else "classes.heads=softmax"
                raise ConfigError(f"{name} with {where}", hint=f"leave {name} out")

    def _check_context(self) -> None:
        """Refuse neighbouring slices that a frozen convolution could not tell apart."""
        if self.context and self.optimizer.frozen_blocks:
            what = "optimizer.frozen_blocks with context: the first convolution has to learn"
            raise ConfigError(what, hint="use optimizer.frozen_blocks=0, or context=0")

    def _check_heads(self) -> None:
        """Refuse a loss that is not made for the network's number of segmentations."""
        thresholds = len(self.loss.thresholds)
        heads, networks = self.model.heads, self.model.networks
        if thresholds != heads * networks:
            what = f"loss.thresholds has {thresholds} values, model.heads is {heads}"
            if networks > 1:
                what += f" of each of {networks} networks"
            raise ConfigError(what, hint="give one threshold per head")
        if self.loss.consistency_weight > 0 and heads * networks == 1:
            hint = "use model.networks=2, or model.heads=2"
            raise ConfigError("loss.consistency_weight with one head", hint=hint)
        if self.loss.track_weight > 0 and networks > 1:
            what = (
                f"loss.track_weight with {networks} networks, which predict no track map together"
            )
            raise ConfigError(what, hint="use loss.track_weight=0, or model.networks=1")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, which `gradtrack_model.settings.config_from` takes back."""
        plain = {name: _plain(value) for name, value in dataclasses.asdict(self).items()}
        sections = {name: value for name, value in plain.items() if isinstance(value, dict)}
        # The run's own settings first, as TOML wants them, too.
        return {name: value for name, value in plain.items() if name not in sections} | sections


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it: lists for tuples, and a word for infinity."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return "inf" if value == math.inf else value
