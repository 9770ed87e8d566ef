"""What a user may choose about a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.read import InputChoices, InputOptions
from gazetrack.workflows.reporting.thresholds import Thresholds

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation


@dataclass(frozen=True, kw_only=True)
class ReportOptions(InputOptions):
    """What a user may choose about a report, besides what `InputOptions` says of the exports.

    Parameters
    ----------
    title : str
        The title of the page; empty for one that counts the recordings.
    thresholds : Thresholds
        What quality is judged by.
    images : path-like or None
        Folder of the images that were looked at, which are shown behind the gaze.
    placement : str or None
        Where images lay whose exports do not say: ``centre``, ``fit``, ``stretch`` or
        ``X,Y,WIDTH,HEIGHT``.
    maps : path-like or None
        ``maps.parquet`` of ``gazetrack render``, or its folder.
    detector : Detector or None
        Detect fixations even when the export has its own.
    preparation : Preparation or None
        What to do to the samples before fixations are detected.
    eye : {"auto", "left", "right", "both"}
        Whose gaze and fixations, see `selection.select_eye`.
    trial_by : str or None
        Where trials begin: ``stimulus`` or ``message=REGEX``.
    pseudonyms : Pseudonyms
        How participants are named in the page.
    """

    title: str = ""
    thresholds: Thresholds = field(default_factory=Thresholds)
    images: str | Path | None = None
    placement: str | None = None
    maps: str | Path | None = None
    detector: Detector | None = None
    preparation: Preparation | None = None
    eye: str = "auto"
    trial_by: str | None = None
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)


class ReportChoices(InputChoices, total=False):
    """The fields of `ReportOptions` as keyword arguments."""

    title: str
    thresholds: Thresholds
    images: str | Path | None
    placement: str | None
    maps: str | Path | None
    detector: Detector | None
    preparation: Preparation | None
    eye: str
    trial_by: str | None
    pseudonyms: Pseudonyms
