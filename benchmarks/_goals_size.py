"""Goals of size: long exports, and inputs of absurd sizes (G14, G15, G16).

Long exports are written by `_growing` and converted by `bench_memory`, each in a process of its
own. Absurd ones are given to the commands, in a process of their own too, whose peak of resident
memory is looked at: it counts pages of files as well, so that it is no less than what the goal
means. An absurd input is refused cleanly where the command ends by itself with one of our exit
codes, says one line, and shows no traceback.
"""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import bench_memory
from _goals import Row, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _goals import Settings

# Text with marks and messages, tab-separated, comma-separated: three engines of reading.
LONG = ("eyelink_asc", "tobii_pro", "pupil_core")
LENGTHS_MB = (64.0, 2000.0)
MOST_MB = 500.0
MOST_SLOPE = 0.05
MOST_EXPONENT = 1.25
SAME_ROWS = 0.05
SECONDS_A_CASE = 300
DESCRIPTORS = 128
# Of the time, what long exports may take; absurd ones have the rest.
_LONG_SHARE = 0.7
_MIB = 1 << 20
# An image that says it is 100,000 x 100,000 pixels: a header is all there is of it.
_PNG_OF_10_GPX = bytes.fromhex("89504e470d0a1a0a0000000d49484452000186a0000186a008000000003cf3b8a7")


class Ended(NamedTuple):
    """How a command ended.

    Parameters
    ----------
    code : int
        Its exit code, negative where a signal ended it.
    said : str
        What it said, on both its outputs.
    peak_mb : float
        Peak of its resident memory.
    """

    code: int
    said: str
    peak_mb: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """An input of absurd size.

    Parameters
    ----------
    name : str
        What is absurd about it.
    arguments : sequence of str
        Of ``gazetrack``, in the folder of the case.
    code : int
        The exit code that is right.
    says : str
        What it has to say, beside an error where the code is not 0.
    descriptors : int or None
        How many files the process may have open.
    """

    name: str
    arguments: Sequence[str]
    code: int
    says: str = ""
    descriptors: int | None = None


def rows(settings: Settings) -> Iterator[Row]:
    """Measure long exports first, then absurd ones, until the time is over."""
    begun = time.monotonic()
    end = begun + settings.seconds
    with tempfile.TemporaryDirectory() as folder:
        until = begun + _LONG_SHARE * settings.seconds
        yield from of_long_exports(Path(folder), LENGTHS_MB, until=until)
    if time.monotonic() < end:
        with tempfile.TemporaryDirectory() as folder:
            yield of_absurd_sizes(
                absurd_cases(Path(folder)), Path(folder), settings.found, until=end
            )


def of_long_exports(
    folder: Path,
    lengths_mb: tuple[float, float],
    kinds: Sequence[str] = LONG,
    *,
    until: float = math.inf,
) -> Iterator[Row]:
    """Convert a short and a long export of each format, and yield the rows of memory and of time.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write them, one at a time.
    lengths_mb : (float, float)
        How long they are.
    kinds : sequence of str, optional
        Formats of `_growing`.
    until : float, optional
        No format but the first is begun that would not be done by then, s of `time.monotonic`.
    """
    peaks: list[float] = []
    slopes, exponents, uneven = [], [], []
    longest = 0.0
    for kind in kinds:
        begun = time.monotonic()
        if peaks and begun + longest > until:
            break
        short, long = bench_memory.series(
            kind, list(lengths_mb), "convert", folder=folder, known=[], until=math.inf
        )
        peaks.append(long["own_mb"] + long["interpreter_mb"])
        slopes.append((long["own_mb"] - short["own_mb"]) / (long["mb"] - short["mb"]))
        times = long["seconds"] / short["seconds"]
        exponents.append(math.log(times) / math.log(long["mb"] / short["mb"]))
        density = (long["rows"] / long["mb"]) / (short["rows"] / short["mb"])
        uneven.append(abs(density - 1.0))
        longest = max(longest, time.monotonic() - begun)
    tried = {"cases": len(peaks), "asked": len(kinds)}
    how = f"{', '.join(kinds[: len(peaks)])} of {lengths_mb[0]:.0f} and {lengths_mb[1]:.0f} MB, "
    how += "converted to fixations, samples and events; bench_memory.py"
    large = sum(
        peak >= MOST_MB or slope >= MOST_SLOPE for peak, slope in zip(peaks, slopes, strict=True)
    )
    yield Row(
        goal="G14",
        figure=f"at most {max(peaks):.0f} MB; {max(slopes):.3f}",
        met=verdict(large, **tried),
        how=f"memory that no file backs, interpreter included: {how}",
        failures=large,
        **tried,
    )
    slow = sum(
        exponent >= MOST_EXPONENT or off >= SAME_ROWS
        for exponent, off in zip(exponents, uneven, strict=True)
    )
    yield Row(
        goal="G15",
        figure=f"at most {max(exponents):.2f}; rows a MB alike within {max(uneven):.1%}",
        met=verdict(slow, **tried),
        how=how,
        failures=slow,
        **tried,
    )


def absurd_cases(
    folder: Path,
    *,
    line: int = 512 * _MIB,
    bomb: int = 4096 * _MIB,
    columns: int = 10**6,
    files: int = 1000,
) -> list[Case]:
    """Write the absurd inputs, and return what is to be done with each.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write them.
    line, bomb : int
        Bytes of the long line, and of what the bomb unpacks to.
    columns, files : int
        Of the wide table, and of the folder.
    """
    _repeated(folder / "line.csv", b"12.5,", line)
    with gzip.open(folder / "bomb.csv.gz", "wb", compresslevel=9) as packed:
        packed.write(b"t,x,y\n")
        block = b"0,0,0\n" * (_MIB // 6)
        for _ in range(0, bomb, len(block)):
            packed.write(block)
    wide = ",".join(f"c{i}" for i in range(columns))
    (folder / "wide.csv").write_text(f"t,x,y,{wide}\n" + "1," * (columns + 2) + "1\n")
    many = folder / "many"
    many.mkdir()
    for number in range(files):
        text = "".join(f"{4 * i},{500 + number % 7},400\n" for i in range(60))
        (many / f"p{number:04d}.csv").write_text(f"t,x,y\n{text}")
    screen = "MSG\t1 DISPLAY_COORDS 0 0 999999999 999999999\n"
    samples = "".join(f"{i}\t500.0\t400.0\t900.0\t...\n" for i in range(2, 400))
    head = "** CONVERTED FROM a.edf\n" + screen + "START\t1 \tLEFT\tSAMPLES\tEVENTS\n"
    head += "SAMPLES\tGAZE\tLEFT\tRATE\t1000.00\n"
    (folder / "screen.asc").write_text(head + samples + "END\t400 \tSAMPLES\tEVENTS\n")
    (folder / "gaze.csv").write_text(
        "t,x,y,stimulus\n" + "".join(f"{4 * i},500,400,a.png\n" for i in range(200))
    )
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_bytes(_PNG_OF_10_GPX)
    render = ["render", "gaze.fixations.parquet"]
    return [
        Case(name="a line without an end", arguments=["convert", "line.csv"], code=1),
        Case(name="a gzip bomb", arguments=["convert", "bomb.csv.gz"], code=1),
        Case(name="a million columns", arguments=["convert", "wide.csv"], code=1),
        Case(
            name="a thousand files, few descriptors",
            arguments=["convert", "many", "-o", "tables", "--quiet"],
            code=0,
            descriptors=DESCRIPTORS,
        ),
        Case(
            name="an absurd screen",
            arguments=["convert", "screen.asc"],
            code=0,
            says="geometry in the file is not usable",
        ),
        Case(name="(a table for what follows)", arguments=["convert", "gaze.csv"], code=0),
        Case(name="maps of 10^12 pixels", arguments=[*render, "--size", "1000000x1000000"], code=2),
        Case(name="maps of no pixel", arguments=[*render, "--size", "0x0"], code=2),
        Case(name="10^9 levels", arguments=[*render, "--levels", "1000000000"], code=2),
        Case(name="an endless blur", arguments=[*render, "--size", "64", "--blur", "inf"], code=2),
        Case(name="an image of 10^10 pixels", arguments=[*render, "--images", "images"], code=1),
    ]


def of_absurd_sizes(
    cases: Sequence[Case], folder: Path, found: list[str], *, until: float = math.inf
) -> Row:
    """Give the absurd inputs to the commands, and return the row of all of them.

    Parameters
    ----------
    cases : sequence of Case
        What to do, in this order.
    folder : pathlib.Path
        Where the inputs are, and the outputs may come.
    found : list of str
        Gets a line for each case that ended otherwise than it has to.
    until : float, optional
        When no other case is begun, s of `time.monotonic`.
    """
    peak_mb, clean, n = 0.0, 0, 0
    for case in cases:
        if time.monotonic() > until:
            break
        n += 1
        ended = _run(case, folder)
        peak_mb = max(peak_mb, ended.peak_mb)
        wrong = _wrong(case, ended)
        clean += not wrong
        found += [f"G16 {case.name}: {what}" for what in wrong]
    return Row(
        goal="G16",
        figure=f"{clean} of {n} as they have to; peak {peak_mb:.0f} MB",
        met=verdict(n - clean, n, len(cases)),  # too much memory is wrong as well
        how="each in a process of its own, pages of files counted: "
        + "; ".join(case.name for case in cases[:n]),
        cases=n,
        asked=len(cases),
        failures=n - clean,
    )


def _wrong(case: Case, ended: Ended) -> list[str]:
    """Return in words what is not as it has to be."""
    lines = [line for line in ended.said.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else "nothing"
    wrong = []
    if ended.code != case.code:
        wrong.append(f"exit code {ended.code}, not {case.code}; said: {last}")
    if "Traceback" in ended.said or "[INTERNAL]" in ended.said:
        wrong.append(f"a traceback, or an error of ours: {last}")
    if case.code and not any("error:" in line.lower() for line in lines):
        wrong.append(f"no message of an error; said: {last}")
    if case.says not in ended.said:
        wrong.append(f"not a word of {case.says!r}; said: {last}")
    if ended.peak_mb >= MOST_MB:
        wrong.append(f"peak {ended.peak_mb:.0f} MB")
    return wrong


def _run(case: Case, folder: Path) -> Ended:
    """Run a case, and wait for its end."""
    command = [sys.executable, "-m", "gazetrack", *case.arguments]
    if case.descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {case.descriptors}; exec "$@"', "sh", *command]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        late = time.monotonic() + SECONDS_A_CASE
        peak_mb = 0.0
        # What the system tells at the end would be that of this process, where it was larger as the
        # other one began.
        while process.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            if time.monotonic() > late:
                process.kill()
            time.sleep(0.01)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return Ended(process.returncode, text, peak_mb)


def _peak_mb(pid: int) -> float:
    """Return the peak of a process's resident memory so far; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    found = [line for line in lines if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def _repeated(path: Path, part: bytes, n_bytes: int) -> None:
    """Write a file that is one part again and again."""
    block = part * (_MIB // len(part))
    with path.open("wb") as file:
        for _ in range(0, n_bytes, len(block)):
            file.write(block)
