"""The detectors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.events.auto import Auto
from gazetrack.events.ivt import IVT

if TYPE_CHECKING:
    from gazetrack.events.base import Detector

DETECTORS: dict[str, type[Detector]] = {detector.name: detector for detector in (Auto, IVT)}
DEFAULT = Auto.name
