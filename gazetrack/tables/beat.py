"""The beat of a clock that jitters: the rate at which its samples come, however unevenly each does.

A sample that comes late makes one step longer and the next one shorter, so steps say little where
jitter is a good part of them: those of a gap and those of late samples look the same. All samples
together still keep time. Their times are looked at as a train of pulses, whose power spectrum has
a line at the rate: jitter lowers it, and neither moves nor widens it; samples that are lost, or
there twice, add noise to all frequencies alike (Bartlett 1963, "The spectral analysis of point
processes", Journal of the Royal Statistical Society B 25).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.tables.whole_ms import is_whole, jittery_step

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RIGHT = 0.01  # of a rate: nothing is said of less
LEAST_SAMPLES = 100  # that a line can be found among
# Of an ordinary step: how far jitter may move one, and from where on samples are missing.
_FAR = 0.25
_NOT_TWO = 1.75
_JITTERY = 0.05  # share of such steps, from which on jitter matters
_BLOCK = 4096  # samples of one spectrum
_MOST_BLOCKS = 16
_BINS = 8  # of a step
_PADDING = 2  # times as long as the block: the line lies on three frequencies at least
_LONGEST_GAP = 32.0  # steps, which longer ones are taken as: they say nothing of the beat
# What is looked at around the rate that steps say, which jitter makes too high rather than too low.
_LOWEST, _HIGHEST = 0.6, 1.25
# The power of a line; noise has 1 on average, and of few spectra now and then much more.
_LEAST_POWER = 4.0
_LEAST_OF_ONE = 12.0
_MEDIAN_OF_NOISE = float(np.log(2.0))  # by its mean, of one spectrum
_WIDTH = 4  # frequencies of a block without padding: farther away is no line
_AROUND = 4  # widths, within which nothing else is as strong
_ALONE = 0.6
_HALF_KHZ = 500.0
_AWAY = 8  # frequencies of a block, from those that whole milliseconds make
_PASSES = 10


def jittered_rate(known: Floats, rate_hz: float, *, in_pairs: bool) -> tuple[float, float]:
    """Return the rate that a clock has which jitters too much for its steps to tell it.

    Parameters
    ----------
    known : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0.
    rate_hz : float
        What the steps say the rate is, in Hz.
    in_pairs : bool
        Whether they are long and short in turn, by jitter or as those of two eyes.

    Returns
    -------
    tuple of (float, float)
        The rate, and another one that it may as well be, in Hz; both are the same where it is
        plain, and what the steps say where they are right to a hundredth.
    """
    forward = known[known > 0]
    plain = rate_hz, rate_hz
    if len(known) < LEAST_SAMPLES or not (in_pairs or jitters(forward)):
        return plain
    if jittery_step(forward) in (1.0, 2.0) and not in_pairs:
        return plain  # whole milliseconds jitter by themselves
    beat = beat_of(known, rate_hz, in_pairs=in_pairs)
    if beat is not None:
        return plain if abs(beat - rate_hz) <= RIGHT * rate_hz else (beat, beat)
    middle = middle_rate(forward)
    if abs(middle - rate_hz) <= RIGHT * rate_hz:
        return plain
    return (rate_hz, middle) if in_pairs else (middle, rate_hz)


def jitters(steps: Floats) -> bool:
    """Return whether jitter moves more than a few steps by more than a quarter of the usual one.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, all of them more than 0; one at least.
    """
    usual = float(np.median(steps))
    moved = (steps < _NOT_TWO * usual) & (np.abs(steps - usual) > _FAR * usual)
    return float(np.mean(moved)) > _JITTERY


def middle_rate(steps: Floats) -> float:
    """Return the rate of the steps between half and one and a half times their own mean, in Hz.

    What jitter makes longer and what it makes shorter is cut alike.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, all of them more than 0; one at least.
    """
    usual = float(np.median(steps))
    for _ in range(_PASSES):
        usual = float(np.mean(steps[(steps > 0.5 * usual) & (steps < 1.5 * usual)]))
    return 1000.0 / usual


def beat_of(
    steps: Floats, near_hz: float, *, in_pairs: bool, above_noise: bool = False
) -> float | None:
    """Return the rate at which samples come by the line of their spectrum, None without any line.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0.
    near_hz : float
        About where the line is: the rate that the steps say.
    in_pairs : bool
        Whether steps are long and short in turn. Then they may be those of two eyes, and the line
        may be at half the rate.
    above_noise : bool
        Whether a line counts that is strong for the noise around it alone, as that of a regular
        clock is which whole milliseconds all but hide.
    """
    if len(steps) < LEAST_SAMPLES:
        return None
    power, apart_hz, n_blocks, n_samples = _spectrum(steps, 1000.0 / near_hz)
    least = _LEAST_POWER + _LEAST_OF_ONE / n_blocks
    lowest, highest = _LOWEST * near_hz, _HIGHEST * near_hz
    if is_whole(steps):
        # Whole milliseconds repeat all lines, mirrored at every 500 Hz.
        mirror = _HALF_KHZ * float(np.floor(near_hz / _HALF_KHZ))
        away = _AWAY * near_hz / n_samples
        lowest, highest = max(lowest, mirror + away), min(highest, mirror + _HALF_KHZ - away)
    if above_noise:
        around = power[int(lowest / apart_hz) : int(highest / apart_hz)]
        least *= min(1.0, float(np.median(around)) / _MEDIAN_OF_NOISE) if around.size else 1.0
    lines = [(*_line(power, lowest / apart_hz, highest / apart_hz), 1.0)]
    if in_pairs:
        half = 0.5 * near_hz
        lines.append((*_line(power, _LOWEST * half / apart_hz, half / apart_hz), 2.0))
    strength, place, times = max(lines)
    return times * place * apart_hz if strength >= least else None


def _spectrum(steps: Floats, step_ms: float) -> tuple[Floats, float, int, int]:
    """Return the mean power of blocks of samples, relative to that of as many at random.

    Returns
    -------
    tuple
        Power by frequency; how many Hz these are apart; of how many blocks, and how long they are.
    """
    t = np.concatenate([[0.0], np.cumsum(np.minimum(steps, _LONGEST_GAP * step_ms))])
    several = len(t) >= 2 * _BLOCK
    n_samples = _BLOCK if several else len(t)
    n_blocks = min(len(t) // _BLOCK, _MOST_BLOCKS) if several else 1
    bin_ms = step_ms / _BINS
    size = 1 << int(np.ceil(np.log2(_PADDING * n_samples * _BINS)))
    power = np.zeros(size // 2 + 1)
    for block in range(n_blocks):
        own = t[block * n_samples : (block + 1) * n_samples]
        places = np.floor((own - own[0]) / bin_ms)
        places = places[places < size].astype(np.int64)
        pulses = np.bincount(places, minlength=size).astype(np.float64)
        # Without their mean, which all low frequencies have a part of.
        pulses[: places[-1] + 1] -= pulses[: places[-1] + 1].mean()
        power += np.abs(np.fft.rfft(pulses)) ** 2 / len(places)
    return power / n_blocks, 1000.0 / (bin_ms * size), n_blocks, n_samples


def _line(power: Floats, lowest: float, highest: float) -> tuple[float, float]:
    """Return the power and the place of the one line between two places; both are 0 without any.

    A hump is no line: the rate itself changes, and there is not one.
    """
    first = int(np.ceil(lowest))
    at = first + int(np.argmax(power[first : max(int(highest), first + 1)]))
    if at <= first or at >= int(highest) - 1:
        return 0.0, 0.0
    width = _WIDTH * _PADDING
    far = _AROUND * width
    beside = np.concatenate(
        [power[max(at - far, 0) : max(at - width, 0)], power[at + width : at + far]]
    )
    if beside.max(initial=0.0) > _ALONE * power[at]:
        return 0.0, 0.0
    # The top of the parabola through the three strongest.
    before, here, after = power[at - 1 : at + 2].tolist()
    bend = before - 2.0 * here + after
    return here, at + (0.5 * (before - after) / bend if bend else 0.0)
