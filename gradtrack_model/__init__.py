"""GradTrack: gaze-track-based weakly supervised segmentation, in PyTorch.

The public names are listed in ``__init__.pyi``, for people and type checkers alike, and load on
first use: ``import gradtrack_model`` itself loads no PyTorch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
