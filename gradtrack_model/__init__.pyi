# The public names and where they live; see `gazetrack/__init__.pyi`.

from .weights.checkpoint import Checkpoint, load_model

__all__ = ["Checkpoint", "load_model"]
