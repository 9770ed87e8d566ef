"""What is written anew for the compiler is what PyTorch computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradtrack_model.network.blocks import GroupNorm, double


def of_both(one, other, x):
    """Return values and gradients of two functions at x."""
    torch.manual_seed(1)
    found = []
    for function in (one, other):
        at = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        value = function(at)
        torch.manual_seed(2)
        (gradient,) = torch.autograd.grad((value * torch.randn_like(value)).sum(), at)
        found.append((value, gradient))
    return found


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (3.0, 0.1), (-20.0, 5.0), (1.0, 0.0)])
def test_group_norm(mean, spread):
    torch.manual_seed(0)
    norm = GroupNorm(4, 16)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (mean + spread * torch.randn(3, 16, 9, 7)).contiguous(memory_format=torch.channels_last)
    (value, gradient), (wanted, slope) = of_both(norm._for_the_compiler, norm, x)
    torch.testing.assert_close(value, wanted, atol=1e-3 if spread < 1 else 1e-5, rtol=1e-4)
    if spread:
        torch.testing.assert_close(gradient, slope, atol=1e-2 * slope.abs().max().item(), rtol=0)
    assert value.is_contiguous(memory_format=torch.channels_last)


def test_group_norm_keeps_half_precision():
    x = torch.randn(2, 8, 5, 5).bfloat16()
    assert GroupNorm(4, 8)._for_the_compiler(x).dtype == torch.bfloat16


def test_group_norm_is_pytorchs_by_name_and_without_a_compiler():
    norm = GroupNorm(4, 16)
    assert norm.state_dict().keys() == nn.GroupNorm(4, 16).state_dict().keys()
    x = torch.randn(2, 16, 6, 6)
    assert torch.equal(norm(x), functional.group_norm(x, 4, norm.weight, norm.bias))


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 6), (8, 2)])
def test_twice_the_size(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size)
    (value, gradient), (wanted, slope) = of_both(
        double,
        lambda y: functional.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False),
        x,
    )
    torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(gradient, slope)
