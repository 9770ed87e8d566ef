"""In which precision a network computes, as its configuration and the device say."""

from __future__ import annotations

import pytest
import torch

from gradtrack_model.network.precision import autocast, precision_on

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("auto", torch.float32), ("fp32", torch.float32), ("bf16", torch.bfloat16)],
)
def test_precisions_on_a_cpu(precision, dtype):
    layer = torch.nn.Linear(2, 2)
    with autocast(precision, CPU):
        assert layer(torch.ones(1, 2)).dtype == dtype


def test_auto_is_the_precision_of_the_device():
    assert precision_on("auto", torch.device("cpu")) == "fp32"
    assert precision_on("auto", torch.device("cuda")) == "bf16"
    assert precision_on("fp16", torch.device("cuda")) == "fp16"
