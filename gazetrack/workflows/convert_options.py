"""What a user may choose when exports are converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gazetrack.errors import ConfigError
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.read import InputChoices, InputOptions

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation
    from gazetrack.tables.recording import Recording


class Made(NamedTuple):
    """The tables that are made of a recording.

    Parameters
    ----------
    ending : str
        How the name of the file ends whose rows are counted, such as ``.fixations.parquet``.
    tables : dict of str to pyarrow.Table
        All tables, by the endings of their names.
    facts : dict
        How they were made, as JSON values; ``notes`` among them are for the user.
    """

    ending: str
    tables: dict[str, pa.Table]
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(InputOptions):
    """What a user may choose when converting, besides what `InputOptions` says of the exports.

    Parameters
    ----------
    detector : Detector or None
        Detect fixations even when the export has its own.
    preparation : Preparation or None
        What to do to the samples before fixations are detected.
    out : path-like or None
        Folder for the outputs, or its address, such as ``s3://bucket/tables``; beside each input
        by default.
    dataset : path-like or None
        Folder or address of a data set of Parquet, to which the tables are added in place of
        files of their own, see `gazetrack.tables.partitions`.
    samples, events : bool
        Also write ``*.samples.parquet`` and ``*.events.parquet``.
    force : bool
        Also replace files that gazetrack did not write, and tables of another origin.
    eye : {"auto", "left", "right", "both"}
        Whose gaze and fixations, see `selection.select_eye` and `selection.one_eye`.
    trial_by : str or None
        Where trials begin: ``stimulus`` or ``message=REGEX``, see `selection.split_trials`.
    pseudonyms : Pseudonyms
        How participants are named in what is written.
    """

    detector: Detector | None = None
    preparation: Preparation | None = None
    out: str | Path | None = None
    dataset: str | Path | None = None
    samples: bool = False
    events: bool = False
    force: bool = False
    eye: str = "auto"
    trial_by: str | None = None
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.out is not None:
            what = "the tables go into a data set, or into a folder of files, not both"
            raise ConfigError(what, hint="leave out one of the two")
        if self.dataset is not None and self.detector is not None:
            what = "a data set holds the fixations of gazetrack convert"
            raise ConfigError(what, hint="leave out the detector or the data set")

    @property
    def place(self) -> str | Path | None:
        """The one folder of all outputs; None for beside each input."""
        return self.out if self.dataset is None else self.dataset

    @property
    def kind(self) -> str:
        """Which of the tables of a recording these are; empty for those of `convert`."""
        if self.dataset is not None:
            return "dataset"
        return "" if self.detector is None else self.detector.name

    @property
    def wants_own_fixations(self) -> bool:
        """Whether the export's own fixations are taken, where there are any."""
        return self.detector is None

    def made(self, recording: Recording) -> Made:
        """Return the tables of a recording: its fixations, and what else was asked for."""
        from gazetrack.events.fixations import fixation_table
        from gazetrack.tables.store import SUFFIX

        fixations, facts = fixation_table(recording, self.detector, self.preparation, self.eye)
        # Fixations that were asked for lie beside those that `convert` takes, so that both can be
        # compared.
        ending = SUFFIX if self.detector is None else f".{facts['detector']['name']}{SUFFIX}"
        tables = {ending: fixations}
        if self.samples and recording.sample_table is not None:
            tables[".samples.parquet"] = recording.sample_table
        if self.events:
            tables[".events.parquet"] = recording.event_table
        return Made(ending, tables, facts | {"fixations": fixations.num_rows})


class ConvertChoices(InputChoices, total=False):
    """The fields of `ConvertOptions` as keyword arguments."""

    detector: Detector | None
    preparation: Preparation | None
    out: str | Path | None
    dataset: str | Path | None
    samples: bool
    events: bool
    force: bool
    eye: str
    trial_by: str | None
    pseudonyms: Pseudonyms
