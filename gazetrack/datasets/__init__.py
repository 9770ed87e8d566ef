"""Public data sets by name: what is known of them, and how they are fetched, checked and unpacked.

``get``, ``show`` and ``names`` are the public functions of this wing.
"""

from gazetrack.datasets.facts import names, show
from gazetrack.datasets.getting import get

__all__ = ["get", "names", "show"]
