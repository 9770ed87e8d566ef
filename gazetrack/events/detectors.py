"""The detectors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.events.auto import Auto
from gazetrack.events.engbert_kliegl import EngbertKliegl
from gazetrack.events.i2mc import I2MC
from gazetrack.events.idt import IDT
from gazetrack.events.ihmm import IHMM
from gazetrack.events.ivt import IVT, TobiiIVT
from gazetrack.events.nystrom_holmqvist import NystromHolmqvist

if TYPE_CHECKING:
    from gazetrack.events.base import Detector

_ALL = (Auto, IVT, TobiiIVT, IDT, EngbertKliegl, IHMM, I2MC, NystromHolmqvist)
DETECTORS: dict[str, type[Detector]] = {detector.name: detector for detector in _ALL}
DEFAULT = Auto.name
# No eye pursues as fast: behind a camera on a moving head, drift is what keeps the eye on its
# target.
BEHIND_CAMERA = Auto(pursuit_velocity_deg_s=1000.0)
