"""Turn eye-tracker exports into fixation tables and gaze track maps.

The public names are listed in ``__init__.pyi``, for people and type checkers alike, and load on
first use: ``import gazetrack`` itself loads nothing heavy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
