"""BatchNorm that normalises by the batch of all processes.

Each of several processes sees a part of the batch. Were it to normalise by that part, N processes
would take another step than one process on the whole batch, and each would keep running statistics
of its own. On a GPU PyTorch has `torch.nn.SyncBatchNorm` for that; on a CPU it has none, and
`SharedBatchNorm2d` is it: two small messages for each layer and step, one each way.

Frozen statistics would need no messages, but train another network: the encoder `lite` learns
better with the statistics of its own images than with those of ImageNet.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from gazetrack.errors import ConfigError

# Of timm: a BatchNorm that drops and activates what it has normalised.
_WITH_ACTIVATION = "BatchNormAct2d"


def has_batch_norm(model: nn.Module) -> bool:
    """Whether a part of the network normalises by the batch in training."""
    return any(_is_batch_norm(module) and module.training for module in model.modules())


def share_statistics(model: nn.Module) -> None:
    """Let every BatchNorm of a network normalise by the batch of all processes.

    Parameters
    ----------
    model : nn.Module
        The network, on its device. Names and values of its weights stay what they are, and whoever
        holds them holds them afterwards.

    Raises
    ------
    ConfigError
        A BatchNorm is of a kind that is not known here.
    """
    for name, module in list(model.named_modules()):
        if not _is_batch_norm(module):
            continue
        plain = type(module) is nn.BatchNorm2d
        if plain and module.weight.is_cuda:
            parent, _, own = name.rpartition(".")
            synced = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call] # in torch
            setattr(model.get_submodule(parent), own, synced)
        elif plain:
            module.__class__ = SharedBatchNorm2d
        elif type(module).__name__ == _WITH_ACTIVATION:
            kind = type(module)
            module.__class__ = type(f"Shared{kind.__name__}", (_SharedWithActivation, kind), {})
        else:
            what = f"{type(module).__name__}, the normalisation at {name}, in several processes"
            raise ConfigError(what, hint="train in one process, or with another encoder")


def refuse_the_compiler(model: nn.Module) -> None:
    """Refuse a network for `torch.compile` in which processes send messages of ours.

    The compiler ends its program at each message, and has been seen to fail with what comes after
    it. PyTorch's own `torch.nn.SyncBatchNorm` is not concerned.

    Parameters
    ----------
    model : nn.Module
        The network, after its statistics have been made those of all processes.

    Raises
    ------
    ConfigError
        A BatchNorm of the network is one of this module.
    """
    if any(isinstance(part, SharedBatchNorm2d | _SharedWithActivation) for part in model.modules()):
        what = "compile with the BatchNorm of this encoder in several processes"
        hint = "use compile=false, or one process"
        raise ConfigError(what, hint=hint)


def _is_batch_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001 - the parent of all


class SharedBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm over the batches of all processes; alone, and in evaluation, it is PyTorch's."""

    @torch.compiler.disable  # type: ignore[untyped-decorator] # in torch
    def forward(self, x: Tensor) -> Tensor:
        """Normalise the features [B, C, h, w] of this process."""
        if not (self.training and distributed.is_initialized()):
            return super().forward(x)
        return normalised_together(self, x)


class _SharedWithActivation(nn.BatchNorm2d):
    """The same for the BatchNorm of timm that drops and activates what it has normalised."""

    drop: nn.Module
    act: nn.Module

    @torch.compiler.disable  # type: ignore[untyped-decorator] # in torch
    def forward(self, x: Tensor) -> Tensor:
        """Normalise, drop and activate the features [B, C, h, w] of this process."""
        if not (self.training and distributed.is_initialized()):
            return super().forward(x)
        activated: Tensor = self.act(self.drop(normalised_together(self, x)))
        return activated


def normalised_together(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalise by the batch of all processes, and move the running statistics.

    Parameters
    ----------
    norm : nn.BatchNorm2d
        Its weight, bias and running statistics.
    x : Tensor, shape (B, C, h, w)
        The features of this process.
    """
    out, mean, variance = _Normalise.apply(x, norm.weight, norm.bias, norm.eps)  # type: ignore[no-untyped-call] # in torch
    if norm.running_mean is not None and norm.running_var is not None:
        with torch.no_grad():
            assert norm.num_batches_tracked is not None  # noqa: S101 - kept with the two others
            norm.num_batches_tracked.add_(1)
            count = float(norm.num_batches_tracked)
            share = 1 / count if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean, share)
            norm.running_var.lerp_(variance, share)
    normalised: Tensor = out
    return normalised


class _Normalise(torch.autograd.Function):
    """Normalisation by the mean and variance of each channel over all processes.

    Ioffe & Szegedy 2015. The gradient of the sum of all processes' losses, as averaging gradients
    afterwards takes it.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return normalised x [B, C, h, w], means [C], and variances [C] with n - 1 for n."""
        # The kernel of BatchNorm itself: `torch.var_mean` takes 30 times as long, channels last.
        # It answers in the precision of what it would update, which a momentum of 0 leaves alone.
        unused = torch.zeros_like(weight)
        mean, variance = torch.ops.aten.batch_norm_update_stats(x, unused, unused, 0.0)
        count = mean.new_tensor([x.numel() / x.shape[1]])
        own = torch.cat([mean, variance, count])
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, own)
        # Means first, and then squares of distances from them: a difference of large sums would
        # lose what is between them (Chan et al. 1979).
        table = torch.stack(parts).double()
        n = x.shape[1]
        means, variances, counts = table[:, :n], table[:, n:-1], table[:, -1:]
        total = counts.sum()
        mean_of_all = (counts * means).sum(0) / total
        spread = variances + (means - mean_of_all) ** 2
        variance_of_all = (counts * spread).sum(0) / total
        mean = mean_of_all.float()
        variance = variance_of_all.float()
        ctx.save_for_backward(x, weight, mean, variance, total)
        ctx.eps = eps
        out = functional.batch_norm(x, mean, variance, weight=weight, bias=bias, eps=eps)
        unbiased = (variance_of_all * total / (total - 1)).float()
        ctx.mark_non_differentiable(mean, unbiased)
        return out, mean, unbiased

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, _mean: Tensor, _variance: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients of the features, the weight and the bias of this process."""
        x, weight, mean, variance, total = ctx.saved_tensors
        inverse = torch.rsqrt(variance + ctx.eps)
        # As if these were all images, with the sums of gradient and of gradient x normalised.
        of_x, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradient,
            x,
            weight,
            running_mean=None,
            running_var=None,
            save_mean=mean,
            save_invstd=inverse,
            train=True,
            eps=ctx.eps,
            output_mask=[True, True, True],
        )
        own = torch.cat([by_bias, by_weight])
        of_all = own.clone()
        distributed.all_reduce(of_all)
        # The gradient is weight / std (gradient - its mean - normalised x mean of the product):
        # what is left is that of the two means, of all images in place of these, which is a factor
        # and a constant for each channel of the normalised features.
        count = x.numel() / x.shape[1]
        excess = (own.double() / count - of_all.double() / total).float()
        constant, factor = (weight * inverse * part for part in excess.chunk(2))
        of_x += functional.batch_norm(x, mean, variance, weight=factor, bias=constant, eps=ctx.eps)
        return of_x, by_weight, by_bias, None
