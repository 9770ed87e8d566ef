"""Pupil sizes made ready for analysis, of one recording at hand or of many files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, refuse_other_type
from gazetrack.measures.pupil import PupilOptions, are_millimetres
from gazetrack.measures.pupil_tables import pupil_tables
from gazetrack.tables.recording import ATTRS_KEY, Recording
from gazetrack.tables.selection import split_trials
from gazetrack.workflows.convert_options import ConvertOptions, Made

if TYPE_CHECKING:
    import pandas as pd

    from gazetrack.measures.pupil_tables import PupilTables

ENDING = ".pupil.parquet"
TRIALS_ENDING = ".pupil-trials.parquet"


@dataclass(frozen=True, kw_only=True)
class PupilFilesOptions(ConvertOptions):
    """What a user may choose about the pupil of exports, besides what `ConvertOptions` says.

    Parameters
    ----------
    steps : PupilOptions
        What is done to pupil sizes, and how.

    Raises
    ------
    ConfigError
        A choice that is about other tables.
    """

    steps: PupilOptions = field(default_factory=PupilOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        asked = (self.samples, self.events, self.dataset, self.detector, self.preparation)
        if any(asked):
            what = "the pupil is written to files of its own, alone"
            hint = "leave out samples, events, dataset, detector and preparation"
            raise ConfigError(what, hint=hint)

    @property
    def kind(self) -> str:
        """Which of the tables of a recording these are."""
        return "pupil"

    @property
    def wants_own_fixations(self) -> bool:
        """Whether the export's own fixations are taken: they say nothing of the pupil."""
        return False

    def made(self, recording: Recording) -> Made:
        """Return the tables of a recording's pupil, and what there is to say of them."""
        made = pupil_tables(recording, self.steps, self.eye)
        tables = {ENDING: made.samples, TRIALS_ENDING: made.trials}
        facts = {"pupil": _facts(made, self.steps), "notes": list(made.notes)}
        return Made(ENDING, tables, facts | {"shown": {"trials": made.trials.num_rows}})


@dataclass(frozen=True)
class Pupil:
    """The pupil of a recording.

    Parameters
    ----------
    samples : pandas.DataFrame
        A row per sample and eye: the size as exported, and after all steps.
    trials : pandas.DataFrame
        A row per trial, stimulus and eye: what was taken out, baseline, mean and peak.
    counts : dict of str to dict
        By eye, how many samples each step has taken out, and how many were filled.
    """

    samples: pd.DataFrame
    trials: pd.DataFrame
    counts: dict[str, dict[str, int]]

    def __repr__(self) -> str:
        kept = ", ".join(
            f"{eye} {100 * (1 - sum(_removed(counts)) / max(counts['samples'], 1)):.1f} % used"
            for eye, counts in self.counts.items()
        )
        return f"<Pupil: {len(self.samples):,} rows, {len(self.trials):,} trials, {kept}>"


def pupil(
    recording: Recording,
    options: PupilOptions | None = None,
    *,
    eye: str = "auto",
    trial_by: str | None = None,
) -> Pupil:
    """Make the pupil sizes of a recording ready for analysis.

    Parameters
    ----------
    recording : Recording
        A recording with samples, as `read` gives it.
    options : PupilOptions, optional
        What is done to pupil sizes; the guideline of Kret & Sjak-Shie (2019) by default, without
        a baseline.
    eye : {"auto", "left", "right", "both"}
        One eye alone; or, by default and for ``both``, each eye that has sizes and the mean.
    trial_by : str, optional
        Where trials begin: ``stimulus`` or ``message=REGEX``; as exported by default.

    Returns
    -------
    Pupil
        Data frames of samples and of trials. ``samples.attrs["gazetrack"]`` holds every option and
        what each step has taken out.

    Raises
    ------
    DataError
        The export has no samples, or no pupil sizes.

    Examples
    --------
    >>> options = gazetrack.PupilOptions(baseline="subtractive")  # doctest: +SKIP
    >>> found = gazetrack.pupil(gazetrack.read("raw.asc"), options)  # doctest: +SKIP
    >>> found.trials[["trial", "eye", "peak_change_pupil", "peak_ms"]]  # doctest: +SKIP
    """
    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    chosen = options or PupilOptions()
    made = pupil_tables(split_trials(recording, trial_by), chosen, eye)
    notes = [*recording.notes, *made.notes]
    known = recording.facts() | {"pupil": _facts(made, chosen), "notes": notes}
    samples: pd.DataFrame = made.samples.to_pandas()
    trials: pd.DataFrame = made.trials.to_pandas()
    for frame in (samples, trials):
        frame.attrs[ATTRS_KEY] = known
    return Pupil(samples, trials, made.counts)


def _facts(made: PupilTables, options: PupilOptions) -> dict[str, Any]:
    """Return how the pupil was made ready, as JSON values."""
    raw = made.samples["raw_pupil"].to_numpy().astype(float)
    unit = "mm" if are_millimetres(raw, options.unit) else "arbitrary"
    return {"options": options.facts(), "unit": unit, "counts": made.counts}


def _removed(counts: dict[str, int]) -> list[int]:
    return [n for name, n in counts.items() if name not in ("samples", "filled")]
