"""Variants of Track Attention, and many small networks in training side by side.

A small network leaves a GPU waiting for the next operation. Networks of one size and seed learn
from the same batches, so they are trained in step: each batch is made once, and each network's step
is recorded as a CUDA graph and replayed on a stream of its own. On a CPU the same steps are taken
one after the other.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from _attention_labels import CHANNELS
from torch import Tensor, nn
from torch.nn import functional

from gradtrack_model.network.blocks import resize
from gradtrack_model.network.losses import dice_loss, level_of_stage, weighted_bce
from gradtrack_model.network.model import Output, TrackUNet
from gradtrack_model.training.learner import build_model
from gradtrack_model.training.optim import build_optimizer, lr_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.batches import Batch
    from gradtrack_model.network.losses import LossConfig

# Of the averaged teacher, a mean over about the last hundred steps.
TEACHER_DECAY = 0.99
# It is asked after this share of the steps: before, it knows nothing.
TEACHER_STARTS = 1 / 3
# The farthest that a label may be from what the teacher sees; what is farther off is ignored.
MOST_DISAGREEMENT = 0.7
# Pixels around fixations that looked for the target count as this many more.
NEGATIVE_WEIGHT = 4.0
# Steps that are taken one operation at a time, before one is recorded: the first ones choose
# convolutions and make the optimizer's state.
_BEFORE_RECORDING = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the study: what a network learns from, and how.

    Parameters
    ----------
    labels : {"gaze", "sam", "masks"}
        The maps in a batch whose last level is the label, as in `_attention_labels.CHANNELS`.
    attention : bool
        Whether Track Attention refines the features of each stage.
    skips : bool
        Whether the track of the deeper stage, detached, refines the skip connection instead: the
        segmentation then cannot shape the tracks, nor the tracks see the skip.
    tracks : bool
        Whether each stage is supervised by its level.
    same_level : bool
        Whether the label itself is every stage's level, as a control.
    teacher : bool
        Whether pixels are ignored whose labels are far from what an averaged network sees.
    negatives : bool
        Whether pixels count more around fixations that looked for the target.
    """

    labels: str
    attention: bool = False
    skips: bool = False
    tracks: bool = False
    same_level: bool = False
    teacher: bool = False
    negatives: bool = False


class SkipTracks(TrackUNet):
    """A U-Net whose skip connections are refined by the deeper stage's track, detached.

    With S the skip and a' the deeper stage's track: S' = S + conv1(S * sigmoid(up(a'))), where this
    conv1 starts at 0, so that training starts as the plain U-Net.
    """

    def __init__(self, plain: TrackUNet) -> None:
        nn.Module.__init__(self)
        self.config = plain.config
        self.encoder = plain.encoder
        self.stages = plain.stages
        self.attention = plain.attention
        self.head = plain.head
        # The deepest skip has no track from below.
        refined = list(reversed(plain.encoder.channels[:-1]))[1:]
        self.refine = nn.ModuleList(nn.Conv2d(channels, channels, 1) for channels in refined)
        for layer in self.refine:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor) -> Output:
        """Segment images [B, 3, H, W]."""
        *skips, x = self.encoder(image)
        tracks: list[Tensor] = []
        for k, (stage, predict) in enumerate(zip(self.stages, self.attention, strict=True)):
            skip = skips[-1 - k]
            if tracks:
                seen = torch.sigmoid(resize(tracks[-1].detach(), skip))
                skip = skip + self.refine[k - 1](skip * seen)
            x = stage(x, skip)
            x, track = predict(x, None)
            tracks.append(track)
        heads = self.head(x)
        return Output(resize(heads, image), tracks, heads, (x,), self.head.bias)


def build_variant(row: Row, config: TrainConfig) -> TrackUNet:
    """Build the network of a row; what the networks of a seed share starts alike in all of them."""
    model = build_model(
        dataclasses.replace(config, model=dataclasses.replace(config.model, attention=False))
    )
    if row.skips:
        # After the build, as the plain network's weights are drawn.
        return SkipTracks(model).to(memory_format=torch.channels_last)
    if row.attention:
        attending = build_model(config)
        plain = model.state_dict()
        attending.load_state_dict(plain, strict=False)
        return attending
    return model


class Doubt(NamedTuple):
    """What an averaged network sees in a batch.

    Parameters
    ----------
    seen : Output
        What it predicts.
    trust : Tensor, scalar
        1 where it is asked, else 0.
    """

    seen: Output
    trust: Tensor

    def agrees(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return 0 where the teacher's logits are trusted and far from the target, else 1."""
        probability = torch.sigmoid(resize(logits, target))
        far = (probability - target).abs() > MOST_DISAGREEMENT
        return 1 - self.trust * far.to(target.dtype)


def loss_of(
    output: Output, maps: Tensor, row: Row, config: LossConfig, doubt: Doubt | None = None
) -> Tensor:
    """Return the loss of a batch: that of the package, but for pixels that weigh more or nothing.

    Parameters
    ----------
    output : Output
        What the network predicts.
    maps : Tensor of float32, shape (B, 10, S, S)
        All labels, in [0, 1], in the order of `_attention_labels.CHANNELS`.
    row : Row
        Which labels are learned, and how.
    config : LossConfig
        Weights of its terms.
    doubt : Doubt, optional
        What the averaged network predicts, and whether that counts.
    """
    levels = maps[:, CHANNELS[row.labels]]
    label = (levels[:, -1:] >= 0.5).to(levels.dtype)
    weight = torch.ones_like(label)
    if row.negatives:
        weight = weight + NEGATIVE_WEIGHT * maps[:, CHANNELS["negatives"]]
    segmented = weight
    if doubt is not None:
        segmented = weight * doubt.agrees(doubt.seen.logits, label)
    logits = resize(output.heads, label)
    loss = weighted_bce(logits, label, segmented)
    loss = loss + config.dice_weight * dice_loss(logits, label, segmented.clamp(max=1))
    if not row.tracks:
        return loss
    for stage, track in enumerate(output.tracks):
        last = levels.shape[1] - 1
        level = last if row.same_level else level_of_stage(stage, len(output.tracks), last + 1)
        size = track.shape[-2:]
        # A slice: the index of a list would be copied from memory, which no graph records.
        target = functional.interpolate(levels[:, level : level + 1], size=size, mode="area")
        of_stage = functional.interpolate(weight, size=size, mode="area")
        if doubt is not None:
            of_stage = of_stage * doubt.agrees(doubt.seen.tracks[stage], target)
        loss = loss + config.track_weight * weighted_bce(track, target, of_stage)
    return loss


class Trainee:
    """A network of the study in training.

    All that changes from step to step is in tensors on the device, which a recorded step reads
    again each time it is replayed.

    Parameters
    ----------
    row : Row
        What it learns from, and how.
    config : TrainConfig
        Network, optimizer, steps and seed.
    device : torch.device
        Where it is trained.
    """

    def __init__(self, row: Row, config: TrainConfig, device: torch.device) -> None:
        self.row, self.config, self.device = row, config, device
        self.model = build_variant(row, config).to(device)
        self.optimizer = build_optimizer(self.model, config.optimizer)
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        for group in self.optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"], device=device)
        self.teacher: TrackUNet | None = None
        if row.teacher:
            self.teacher = copy.deepcopy(self.model).eval().requires_grad_(False)
        self._averages, self._current = self._averaged()
        self._average_into = torch.optim.swa_utils.get_ema_multi_avg_fn(TEACHER_DECAY)
        self._trust = torch.zeros((), device=device)
        self.loss = torch.zeros((), device=device)
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._graph: Any = None

    def _averaged(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return what the teacher averages, its own tensors and the network's."""
        if self.teacher is None:
            return [], []
        network = self.model.state_dict()
        pairs = [
            (average, network[name])
            for name, average in self.teacher.state_dict().items()
            if average.is_floating_point()
        ]
        return [average for average, _ in pairs], [value for _, value in pairs]

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Queue what is in a ``with`` block on the network's own stream, after the batch."""
        if self.stream is None:
            yield
            return
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            yield

    def set_step(self, step: int) -> None:
        """Set what depends on the step, counted from 1."""
        share = lr_share(step, self.config.steps, self.config.optimizer)
        for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
            group["lr"].fill_(peak * share)
        if self.teacher is not None:
            self._trust.fill_(float(step > TEACHER_STARTS * self.config.steps))

    def take(self, images: Tensor, maps: Tensor) -> None:
        """Take a step, one operation at a time."""
        doubt = None
        if self.teacher is not None:
            with torch.no_grad():
                doubt = Doubt(self.teacher(images), self._trust)
        loss = loss_of(self.model(images), maps, self.row, self.config.loss, doubt)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optimizer.clip)
        self.optimizer.step()
        with torch.no_grad():
            self.loss.copy_(loss.detach())
            if self._averages:
                self._average_into(self._averages, self._current, 0)

    def advance(self, step: int, images: Tensor, maps: Tensor, record: bool) -> None:
        """Take the step `step`, counted from 1, on tensors that are the same ones at every step."""
        self.set_step(step)
        if not record or step <= _BEFORE_RECORDING:
            self.take(images, maps)
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            for group in self.optimizer.param_groups:
                group["capturable"] = True
            # Those of a recorded step are in its own memory.
            self.optimizer.zero_grad(set_to_none=True)
            with torch.cuda.graph(self._graph, stream=self.stream):
                self.take(images, maps)
        self._graph.replay()


class Together:
    """Networks that are trained on the same batches, side by side on a GPU.

    Parameters
    ----------
    trainees : sequence of Trainee
        All on one device.
    batch_of : callable
        Returns the batch of a step counted from 0, on that device.
    record : bool
        Whether their steps are recorded as CUDA graphs.
    """

    def __init__(
        self, trainees: Sequence[Trainee], batch_of: Callable[[int], Batch], *, record: bool
    ) -> None:
        self.trainees, self.batch_of, self.record = trainees, batch_of, record
        first = batch_of(0)
        # Recorded steps read their batch from here.
        self._images = torch.empty_like(first.images)
        self._maps = torch.empty_like(first.maps)

    def train(self, steps: range) -> list[list[float]]:
        """Take steps, counted from 1, and return the losses of each network, step by step."""
        losses = torch.zeros(len(steps), len(self.trainees), device=self._images.device)
        for place, step in enumerate(steps):
            # Made while the networks are at the last step.
            batch = self.batch_of(step - 1)
            self._wait_for_all()
            self._images.copy_(batch.images)
            self._maps.copy_(batch.maps)
            for number, trainee in enumerate(self.trainees):
                with trainee.turn():
                    trainee.advance(step, self._images, self._maps, self.record)
                    losses[place, number].copy_(trainee.loss)
        self._wait_for_all()
        of_each: list[list[float]] = losses.T.tolist()
        return of_each

    def _wait_for_all(self) -> None:
        """Let what is queued next wait until all networks have taken their step."""
        for trainee in self.trainees:
            if trainee.stream is not None:
                torch.cuda.current_stream().wait_stream(trainee.stream)
