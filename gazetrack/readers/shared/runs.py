"""Eye movements as runs of samples that a tracker or a tool labelled alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.readers.shared.steps import median_of_positive, steps_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]
    Columns = dict[str, npt.NDArray[Any]]


class RunParts:
    """Finds the runs of samples of one kind, part by part.

    The mean of a run is the difference of two sums over all samples so far: so it does not depend
    on where a part ends.
    """

    def __init__(self) -> None:
        self._n_samples = 0
        # The first sample of the run that goes on, and the last sample so far; no rows before the
        # first part.
        self._open: Columns = {}
        self._last: Columns = {}
        self._sums: Columns = {}  # of all samples so far, see `_sums_before`
        self._numbers: dict[str, int] = {}  # of the runs of each kind

    def take(
        self,
        kinds: npt.NDArray[np.object_],
        t: Floats,
        xy: tuple[Floats, Floats],
        begins: npt.NDArray[np.bool_] | None = None,
        beside: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> Columns:
        """Take the next samples, and return the runs that are over before the last of them.

        Parameters
        ----------
        kinds : ndarray of str, shape (n,)
            The kind of event each sample belongs to; empty for none.
        t : ndarray, shape (n,)
            Times of the samples in ms.
        xy : pair of ndarray, shape (n,)
            Positions in px, NaN where the gaze is lost.
        begins : ndarray of bool, shape (n,), optional
            Samples that begin a run though the one before is of the same kind.
        beside : mapping of str to ndarray, optional
            What else is wanted of the first and the last sample of each run; the same names in all
            parts.

        Returns
        -------
        dict of str to ndarray
            The columns of `movements`, without ``duration_ms``: ``span_ms`` is the time from the
            first to the last sample. Columns of `beside` have ``first_`` or ``last_`` before their
            names. Empty where no run is over.
        """
        if not t.size:
            return {}
        samples: Columns = {
            "row": np.arange(self._n_samples, self._n_samples + t.size),
            "kind": kinds,
            "t": np.asarray(t, np.float64),
            "x": np.asarray(xy[0], np.float64),
            "y": np.asarray(xy[1], np.float64),
            **(beside or {}),
        }
        self._n_samples += t.size
        before = {axis: self._sums_before(axis, samples[axis]) for axis in "xy"}
        is_first = np.r_[True, kinds[1:] != kinds[:-1]]
        n_before = 1 if self._last else 0
        if n_before:
            is_first[0] = kinds[0] != self._last["kind"][0]
        if begins is not None:
            is_first |= begins
        first = np.flatnonzero(is_first)
        # A run is over with the sample before the first one of the next run.
        over = first if n_before else first[1:]
        joined = _joined(self._last, samples)
        ends = {name: values[over - 1 + n_before] for name, values in joined.items()}
        starts = {name: values[first] for name, values in samples.items()}
        for axis in "xy":
            starts[f"sum_{axis}"], starts[f"n_{axis}"] = (sums[first] for sums in before[axis])
            ends[f"sum_{axis}"], ends[f"n_{axis}"] = (sums[over] for sums in before[axis])
            self._sums[f"sum_{axis}"], self._sums[f"n_{axis}"] = (
                sums[-1:] for sums in before[axis]
            )
        starts = _joined(self._open, starts)
        self._open = {name: values[-1:] for name, values in starts.items()}
        self._last = {name: values[-1:] for name, values in joined.items()}
        return self._runs({name: values[:-1] for name, values in starts.items()}, ends)

    def close(self) -> Columns:
        """Return the last run, which no sample follows; empty without samples."""
        if not self._last:
            return {}
        return self._runs(self._open, self._last | self._sums)

    def _sums_before(self, axis: str, values: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return the sum and the number of the known values before each sample, and of all."""
        is_known = np.isfinite(values)
        known = np.where(is_known, values, 0.0)
        if not self._sums:
            return np.r_[0, np.cumsum(known)], np.r_[0, np.cumsum(is_known)]
        sums = np.cumsum(np.r_[self._sums[f"sum_{axis}"], known])
        counts = np.cumsum(np.r_[self._sums[f"n_{axis}"], is_known])
        return sums, counts

    def _runs(self, starts: Columns, ends: Columns) -> Columns:
        """Return runs by what is known of their first and last samples."""
        kind = starts["kind"]
        is_saccade = kind == "saccade"
        kept = kind != ""
        runs: Columns = {
            "kind": kind,
            "onset_ms": starts["t"],
            "span_ms": np.maximum(ends["t"] - starts["t"], 0),
            "first": starts["row"],
            "last": ends["row"],
        }
        for axis in "xy":
            n_of_run = ends[f"n_{axis}"] - starts[f"n_{axis}"]
            sum_of_run = ends[f"sum_{axis}"] - starts[f"sum_{axis}"]
            means = np.where(n_of_run, sum_of_run / np.maximum(n_of_run, 1), np.nan)
            runs[f"{axis}_px"] = np.where(is_saccade, starts[axis], means)
            runs[f"end_{axis}_px"] = np.where(is_saccade, ends[axis], np.nan)
        for name in starts.keys() - {"row", "kind", "t", "x", "y"}:
            if name in self._last:
                runs[f"first_{name}"] = starts[name]
                runs[f"last_{name}"] = ends[name]
        runs = {name: column[kept] for name, column in runs.items()}
        runs["index"] = self._numbered(runs["kind"])
        return runs

    def _numbered(self, kind: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
        """Count from 1 within each kind, over all parts."""
        numbers = np.zeros(kind.size, np.int32)
        for name in set(kind):
            is_own = kind == name
            n_before = self._numbers.get(name, 0)
            n_own = int(np.count_nonzero(is_own))
            numbers[is_own] = np.arange(n_before + 1, n_before + n_own + 1)
            self._numbers[name] = n_before + n_own
        return numbers


def _joined(one: Columns, other: Columns) -> Columns:
    """Return rows behind others, which may be none."""
    if not one:
        return other
    return {name: np.concatenate([one[name], other[name]]) for name in other}


def movements(
    kinds: npt.NDArray[np.object_],
    t: Floats,
    x: Floats,
    y: Floats,
    begins: npt.NDArray[np.bool_] | None = None,
) -> Columns:
    """Return the runs of samples of one kind as columns of `schema.EVENTS`.

    Parameters
    ----------
    kinds : ndarray of str, shape (n,)
        The kind of event each sample belongs to; empty for none.
    t : ndarray, shape (n,)
        Times of the samples in ms.
    x, y : ndarray, shape (n,)
        Positions in px, NaN where the gaze is lost.
    begins : ndarray of bool, shape (n,), optional
        Samples that begin a run though the one before is of the same kind.

    Returns
    -------
    dict of str to ndarray
        One element per run: ``kind``, ``index``, ``onset_ms``, ``duration_ms`` (last - first + one
        ordinary step), ``x_px`` and ``y_px`` (the mean; for saccades the start, with the end beside
        it), and ``first`` and ``last``, the rows of the samples at either end.
    """
    found = RunParts()
    parts = [found.take(kinds, t, (x, y), begins), found.close()]
    parts = [part for part in parts if part]
    if not parts:
        # One sample makes the columns, which then have no rows.
        found.take(np.array([""], object), np.zeros(1), (np.zeros(1), np.zeros(1)))
        parts = [found.close()]
    runs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    # The last sample lasts until the next one.
    runs["duration_ms"] = runs.pop("span_ms") + usual_step(lambda: [t])
    return runs


def usual_step(times: Callable[[], Iterable[Floats]]) -> float:
    """Return the usual time between two samples, ms; 0 where no time goes forward.

    Parameters
    ----------
    times : callable
        Gives the times of the samples in parts, the same ones each time; see `median_of_positive`.
    """
    usual = median_of_positive(lambda: steps_within(times()))
    return 0.0 if np.isnan(usual) else usual
