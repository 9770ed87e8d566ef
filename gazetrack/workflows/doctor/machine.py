"""What this machine lets a process have: cores, threads, memory, open files, and letters.

Batch queues and containers give less than the machine has, through control groups of Linux
(https://docs.kernel.org/admin-guide/cgroup-v2.html, and v1 of
https://docs.kernel.org/admin-guide/cgroup-v1/): who starts a process a core of the machine there is
stopped for its memory, or waits for its turn.
"""

from __future__ import annotations

import locale
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.workflows.doctor.findings import Finding, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = "machine"
# What limits threads of the libraries that compute: OpenMP, OpenBLAS, MKL, numba, Arrow.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ARROW_NUM_THREADS",
)
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")
_LEAST_MEMORY = 2 * 2**30  # bytes; a worker takes up to one GiB, see docs/limits.md
_LEAST_FILES = 256


def check_machine() -> Iterator[Finding]:
    """Yield cores, threads, memory, open files and encodings, as they are for this process."""
    yield _cores()
    yield _threads()
    yield _memory()
    if (files := _open_files()) is not None:
        yield files
    yield _encodings()


def group_folders() -> list[Path]:
    """Return the folders of this process's control groups, the innermost first.

    A limit of an outer group holds, too. Empty where the system has no such groups.
    """
    try:
        lines = _OWN_GROUP.read_text("utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # In version 2 there is one tree and no name; in version 1 a tree for each controller.
        root = _GROUPS / controllers.split(",")[0]
        inside = Path(path.lstrip("/"))
        # In a container the root of the tree is the group itself, whatever its path is outside.
        folders += [root / part for part in (inside, *inside.parents)]
    return list(dict.fromkeys(folders))


def group_values(*names: str) -> Iterator[list[float]]:
    """Yield the numbers in files of each of this process's control groups.

    Groups that lack one of the files, or whose file says ``max``, which is no limit, are left out.

    Parameters
    ----------
    *names : str
        Names of the files, such as ``memory.max``; their numbers follow one another.
    """
    for folder in group_folders():
        try:
            texts = [(folder / name).read_text("utf-8").split() for name in names]
            yield [float(text) for each in texts for text in each]
        except (OSError, ValueError):
            continue


def usable_cores() -> float:
    """Return how many cores this process may use at once: those it is bound to, in its quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    times = [*group_values("cpu.max"), *group_values("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    # Version 1 says "no limit" by a negative number.
    quotas = [quota / period for quota, period in times if quota > 0]
    return min([bound or 1, *quotas])


def usable_memory() -> float:
    """Return how many bytes control groups leave this process; infinite where they do not say."""
    limits = [*group_values("memory.max"), *group_values("memory.limit_in_bytes")]
    # Version 1 says "no limit" by the largest whole pages of 63 bits.
    return min([most for (most,) in limits if most < 2**62], default=math.inf)


def _cores() -> Finding:
    there, usable = os.cpu_count() or 1, usable_cores()
    facts = {"cores": there, "usable_cores": usable}
    if usable >= there:
        return Finding(section=_SECTION, name="cores", what=f"{there}", facts=facts)
    what = f"{usable:g} of {there} may be used by this process"
    do = f"give --jobs {max(1, math.floor(usable))}, not more"
    return Finding(section=_SECTION, name="cores", what=what, state="note", do=do, facts=facts)


def _threads() -> Finding:
    limits = {name: os.environ[name] for name in _THREADS if name in os.environ}
    facts = {"limits": limits}
    wrong = [name for name, value in limits.items() if not (value.isdigit() and int(value) > 0)]
    said = ", ".join(f"{name}={value}" for name, value in limits.items())
    if wrong:
        what = f"{said}: {wrong[0]} is no number above 0"
        do = f"unset {wrong[0]}"
        return Finding(
            section=_SECTION, name="threads", what=what, state="problem", do=do, facts=facts
        )
    what = said or "as many as cores, for each library"
    return Finding(section=_SECTION, name="threads", what=what, facts=facts)


def _memory() -> Finding:
    """Return the memory of the machine and what a control group leaves of it."""
    there = _physical_memory()
    allowed = min(there, usable_memory())
    finite = {"bytes": there, "usable_bytes": allowed}
    facts = {name: int(value) for name, value in finite.items() if math.isfinite(value)}
    if not facts:
        what = "not known on this system"
        return Finding(section=_SECTION, name="memory", what=what)
    what = shown_bytes(allowed)
    if allowed < there and math.isfinite(there):
        what = f"{what} of {shown_bytes(there)} may be used by this process"
    if allowed < _LEAST_MEMORY:
        do = f"ask the queue or container for {shown_bytes(_LEAST_MEMORY)}, or give --jobs 1"
        return Finding(
            section=_SECTION, name="memory", what=what, state="problem", do=do, facts=facts
        )
    return Finding(section=_SECTION, name="memory", what=what, facts=facts)


def _physical_memory() -> float:
    """Return the bytes of memory that the machine has; infinite where nobody says."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # Windows
        return math.inf


def _open_files() -> Finding | None:
    """Return how many files may be open at once; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = allowed == resource.RLIM_INFINITY
    facts = {"open_files": None if unlimited else allowed}
    if unlimited or allowed >= _LEAST_FILES:
        what = "any number" if unlimited else f"{allowed:,}"
        return Finding(section=_SECTION, name="open files", what=what, facts=facts)
    what = f"{allowed:,} at once are few for folders of exports"
    can_raise = most == resource.RLIM_INFINITY or most >= _LEAST_FILES
    do = f"ulimit -n {_LEAST_FILES if can_raise else most}"
    return Finding(
        section=_SECTION, name="open files", what=what, state="problem", do=do, facts=facts
    )


def _encodings() -> Finding:
    """Return how names of files and printed text are encoded."""
    names = sys.getfilesystemencoding().lower()
    printed = str(getattr(sys.stdout, "encoding", None)).lower()
    facts = {
        "file_names": names,
        "standard_output": printed,
        "texts": locale.getencoding().lower(),
        "locale": os.environ.get("LC_ALL") or os.environ.get("LANG") or "",
    }
    what = f"names of files {names}, output {printed}"
    if names.replace("-", "") != "utf8":
        do = "set PYTHONUTF8=1, or LANG to a locale of UTF-8 such as C.UTF-8"
        what = f"{what}: names with other letters cannot be opened"
        return Finding(
            section=_SECTION, name="encoding", what=what, state="problem", do=do, facts=facts
        )
    if printed.replace("-", "") != "utf8":
        do = "PYTHONIOENCODING=utf-8 shows all letters, where the terminal can"
        what = f"{what}: other letters are printed as escapes"
        return Finding(
            section=_SECTION, name="encoding", what=what, state="note", do=do, facts=facts
        )
    return Finding(section=_SECTION, name="encoding", what=what, facts=facts)
