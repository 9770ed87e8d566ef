"""The detectors by name.

A new detector is one file and one line here. Their modules load kernels, so each is imported when
its detector is first asked for: the names alone cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazetrack.events.base import Detector

DEFAULT = "auto"
# name: (module of this folder, class)
_HOMES = {
    "auto": ("auto", "Auto"),
    "ivt": ("ivt", "IVT"),
    "ivt_tobii": ("ivt", "TobiiIVT"),
    "idt": ("idt", "IDT"),
    "engbert_kliegl": ("engbert_kliegl", "EngbertKliegl"),
    "ihmm": ("ihmm", "IHMM"),
    "i2mc": ("i2mc", "I2MC"),
    "nystrom_holmqvist": ("nystrom_holmqvist", "NystromHolmqvist"),
}


class _Detectors(Mapping[str, "type[Detector]"]):
    """The detectors' classes by name; looking one up imports its module."""

    def __getitem__(self, name: str) -> type[Detector]:
        module, kind = _HOMES[name]
        found: type[Detector] = getattr(import_module(f"gazetrack.events.{module}"), kind)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


DETECTORS: Mapping[str, type[Detector]] = _Detectors()
