"""What a run needs, and what it will cost, before it begins.

`gradtrack_model.data.checks` looks at its data.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch

from gradtrack_model.data.device_batches import batch_maker
from gradtrack_model.network.model import build_network
from gradtrack_model.training.learner import Learner, pick_device
from gradtrack_model.training.optim import build_optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from gradtrack_model.config import OptimizerConfig, TrainConfig
    from gradtrack_model.data.batches import Batch
    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.network.model import ModelConfig

_PROBED_STEPS = 3


def check_machine(device: str, model: ModelConfig, optimizer: OptimizerConfig) -> None:
    """Refuse a run for which this machine lacks something, before any image is read.

    Parameters
    ----------
    device : str
        Where the run shall compute, as in `TrainConfig`.
    model : ModelConfig
        The network: its encoder, and the weights that this starts from, may need packages.
    optimizer : OptimizerConfig
        Says how many blocks of the encoder are frozen.

    Raises
    ------
    ConfigError
        The device is not there, the package of the encoder or of its weights is not installed, or
        the encoder has fewer blocks than are to be frozen.
    CheckpointError
        That package does not hold the weights that it should.
    """
    pick_device(device)
    # In memory, whatever the device is, and given back at once.
    network = build_network(model)
    if model.pretrained:
        for encoder in network.encoders:
            encoder.load_pretrained()
    build_optimizer(network, optimizer)  # which freezes blocks


def plan(config: TrainConfig, data: TrainingData) -> dict[str, Any]:
    """Take a few steps in memory and say what the whole run will take; nothing is written.

    Parameters
    ----------
    config : TrainConfig
        The settings of the run.
    data : TrainingData
        The images and gaze to learn from.

    Returns
    -------
    dict
        Plain JSON values: sizes of data and network, ``step_seconds`` (fastest step),
        ``expected_seconds`` of all steps without validation, ``memory_bytes`` (the peak on a GPU;
        on a CPU the data set, a step's batches, weights, gradients, moments, and the activations
        that the backward pass needs: what single operations take for a moment, and Python and
        PyTorch, some 400 MB, come on top), ``disk_bytes`` of ``best.*``, ``last.*`` and three
        states.
    """
    learner = Learner(config)
    on_gpu = learner.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(learner.device)
    samples = (*data.train, *data.val)
    make, _ = batch_maker(data.train, config, learner.device)
    # The fastest step is the one that nothing else on the machine has disturbed.
    seconds = math.inf
    parts: list[Batch] = []
    for step in range(_PROBED_STEPS):
        start = time.monotonic()
        first = step * config.accumulate
        parts = [make(first + i) for i in range(config.accumulate)]
        learner.advance(step + 1, parts)
        learner.rest()  # waits for a GPU
        seconds = min(seconds, time.monotonic() - start)
    parameters = list(learner.model.parameters())
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    weights_bytes = sum(tensor.nbytes for tensor in learner.model.state_dict().values())
    state_bytes = sum(tensor.nbytes for tensor in learner.tensors().values())
    if on_gpu:
        memory_bytes = torch.cuda.max_memory_allocated(learner.device)
    else:
        memory_bytes = state_bytes + sum(parameter.nbytes for parameter in trained)
        memory_bytes += sum(array.nbytes for sample in samples for array in sample.arrays())
        memory_bytes += sum(part.images.nbytes + part.maps.nbytes for part in parts)
        memory_bytes += _activation_bytes(learner, parts[0])
    images_in_all = config.steps * config.accumulate * config.batch_size
    return {
        "method": config.method,
        "device": str(learner.device),
        "training_images": len(data.train),
        "validation_images": len(data.val),
        "epochs": round(images_in_all / len(data.train), 1),
        "steps": config.steps,
        "validations": math.ceil(config.steps / config.val_every),
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trained_parameters": sum(parameter.numel() for parameter in trained),
        "step_seconds": round(seconds, 4),
        "expected_seconds": round(seconds * config.steps, 1),
        "memory_bytes": memory_bytes,
        "disk_bytes": 2 * weights_bytes + 3 * state_bytes,
    }


def _activation_bytes(learner: Learner, batch: Batch) -> int:
    """Return the bytes of all that a forward pass keeps for the backward pass, but for weights."""
    weights = {
        tensor.untyped_storage().data_ptr() for tensor in learner.model.state_dict().values()
    }
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            # Views of one storage, and a tensor that two operations keep, are there once.
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = learner.losses(batch.images, batch.maps)
    del losses  # which has kept them all alive: no address was used twice
    return sum(kept.values())
