"""In which precision a network computes, in training, in validation and in prediction alike."""

from __future__ import annotations

import contextlib

import torch


def precision_on(precision: str, device: torch.device) -> str:
    """Return which precision one of `ValidationConfig` is on a device: what ``auto`` is there."""
    if precision == "auto":
        return "bf16" if device.type == "cuda" else "fp32"
    return precision


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context that computes in a precision, as in `ValidationConfig`, on a device."""
    precision = precision_on(precision, device)
    if precision == "fp32":
        return contextlib.nullcontext()
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype)
