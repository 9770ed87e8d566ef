"""Mutation score: of small errors put into a wing's modules, how many its tests notice.

    python benchmarks/mutation.py kernels [--modules cells text] [--tests PATH ...] [--every 1]
        [--first 0] [--seconds S] [--json FILE]

Each mutant (`_mutants.py`) is one changed operator, comparison, number, condition or call within a
function. The tests that reach its line are run, the quickest first, until one fails: it is killed.
One whose tests take four times as long as they did is killed, too. One that no test notices
survives, and is printed with its line. Those that were judged to change nothing that anybody could
see are in `benchmarks/mutation_equivalents.toml`, each with its reason, and count as neither.

Kernels run without compilation: a mutant is a function's code, changed in a fork of a process that
has imported everything. Hypothesis takes the same examples each time, and does not make them small.

``--every N`` takes each N-th mutant, to look at a large wing in a short time: the score is one of a
sample then, and the JSON says so. ``--first K`` takes another sample, beginning with the mutant K:
tests that were written for the survivors of one are honestly judged by another alone. With
``--seconds S``, a mutant that has survived the quickest tests of so long is given up as a survivor,
though a slower one might notice it: the score is at least what is said.

The JSON file keeps what it says of other modules, of whichever wing, and is written after each
module. Tests of real exports are left out, wherever the data are: everybody gets the same score.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import math
import os
import resource
import signal
import sys
import time
import tomllib
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from _mutants import Mutant, mutants
from _timing import save, where_and_when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

_ROOT = Path(__file__).resolve().parents[1]
_JUDGED = Path(__file__).with_name("mutation_equivalents.toml")
_PATIENCE = 2  # times what the tests of the line took while they were watched, twice their own
_AT_LEAST_S = 2
_FATES = ("killed", "took too long", "survived", "reached by no test", "equivalent")


@dataclass(frozen=True, kw_only=True)
class Wing:
    """What is mutated, and what is to notice it.

    Parameters
    ----------
    folder : str
        The folder of the modules, below the repository.
    tests : str
        The folder of its tests, below the repository.
    compiled : bool
        Whether kernels are compiled while the tests run.
    """

    folder: str
    tests: str
    compiled: bool = True


WINGS = {
    "kernels": Wing(folder="gazetrack/kernels", tests="tests/kernels", compiled=False),
    "events": Wing(folder="gazetrack/events", tests="tests/events"),
    "data_quality": Wing(folder="gazetrack/data_quality", tests="tests/data_quality"),
    "maps": Wing(folder="gazetrack/maps", tests="tests/maps"),
}


@dataclass
class Result:
    """What became of the mutants of one module."""

    fates: Counter[str] = field(default_factory=Counter)
    survivors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The share of killed ones, in percent, of those that are no equivalents."""
        killed = self.fates["killed"] + self.fates["took too long"]
        judged = killed + self.fates["survived"] + self.fates["reached by no test"]
        return 100 * killed / judged if judged else 100.0


class Runner:
    """A plugin of pytest that runs the collected tests once for each mutant, in forks of itself.

    Parameters
    ----------
    modules : dict
        The modules by their paths.
    sample : slice
        Which mutants of a module are taken.
    seconds : float
        How long the tests of one mutant may take together, as long as they took unchanged.
    keep : callable
        What is given a module's path and its result when all its mutants were judged.
    """

    def __init__(
        self,
        modules: dict[Path, ModuleType],
        sample: slice,
        seconds: float,
        keep: Callable[[str, Result], None],
    ) -> None:
        self._modules = modules
        self._sample = sample
        self._most_s = seconds
        self._keep = keep
        self._failed = False
        self._items: list[pytest.Item] = []
        self._seconds: list[float] = []
        self._of_line: dict[tuple[str, int], list[int]] = {}
        self._equivalents = _equivalents()

    @staticmethod
    def pytest_configure() -> None:
        """Let Hypothesis take the same examples each time, before tests are read."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            # On a busy machine a test is slow, and has noticed nothing for that.
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        self._failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests as they are, then against each mutant."""
        self._items = list(session.items)
        self._watch()
        self._control()
        for path, module in self._modules.items():
            name = path.relative_to(_ROOT).as_posix()
            result = Result()
            start = time.monotonic()
            source = path.read_text("utf-8")
            plant(module, Mutant(line=0, before="", after="", tree=ast.parse(source)))  # it can be
            for mutant in [*mutants(source)][self._sample]:
                self._judge(module, mutant, name, result)
            took = f"in {time.monotonic() - start:.0f} s"
            print(f"{result.score:6.1f} %  {name}  {dict(result.fates)} {took}", flush=True)
            self._keep(name, result)
        return True

    def _watch(self) -> None:
        """Run all tests and note which lines of the modules each of them runs."""
        from coverage import Coverage

        include = [str(path) for path in self._modules]
        for number, (item, following) in enumerate(_with_next(self._items)):
            cover = Coverage(data_file=None, include=include, config_file=False)
            for module in self._modules.values():
                _forget(module)
            start = time.process_time()
            with cover.collect():
                self._run(item, following)
            self._seconds.append(time.process_time() - start)
            with warnings.catch_warnings():  # that a test runs none of these lines is no matter
                warnings.simplefilter("ignore")
                data = cover.get_data()
            for file in data.measured_files():
                for line in data.lines(file) or ():
                    self._of_line.setdefault((file, line), []).append(number)
        if self._failed:
            sys.exit("the tests fail without a mutant: nothing can be said of any")

    def _control(self) -> None:
        """Make sure that nothing is noticed where nothing was changed: a fork is as its parent."""
        chosen = {number for found in self._of_line.values() for number in self._quickest(found)}
        if self._fate_of(chosen=sorted(chosen)) != "survived":
            sys.exit("the tests fail without a mutant, when they are run again")

    def _judge(self, module: ModuleType, mutant: Mutant, name: str, result: Result) -> None:
        lines = Path(module.__file__ or "").read_text("utf-8").splitlines()
        code = lines[mutant.line - 1].strip()
        said = {"code": code, "before": mutant.before, "after": mutant.after}
        if (name, *said.values()) in self._equivalents:
            result.fates["equivalent"] += 1
            return
        fate = self._fate(module, mutant)
        result.fates[fate] += 1
        if fate in ("survived", "reached by no test"):
            result.survivors.append({"line": mutant.line, **said, "fate": fate})
            print(
                f"  {fate}: {name}:{mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True
            )

    def _fate(self, module: ModuleType, mutant: Mutant) -> str:
        chosen = self._of_line.get((module.__file__ or "", mutant.line), [])
        if not chosen:
            return "reached by no test"
        return self._fate_of(lambda: plant(module, mutant), self._quickest(chosen))

    def _quickest(self, chosen: Sequence[int]) -> list[int]:
        """Return tests, the quickest first: as many as there is time for, one at least."""
        quickest_first = sorted(chosen, key=self._seconds.__getitem__)
        total = 0.0
        for n, number in enumerate(quickest_first):
            total += self._seconds[number]
            if n and total > self._most_s:
                return quickest_first[:n]
        return quickest_first

    def _fate_of(
        self, change: Callable[[], None] = lambda: None, chosen: Sequence[int] = ()
    ) -> str:
        """Run tests in a fork that makes a change first, and say how they ended."""
        limit = _AT_LEAST_S + _PATIENCE * sum(self._seconds[number] for number in chosen)
        child = os.fork()
        if child == 0:
            code = 2
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 1))
                _silence()
                change()
                code = int(self._is_noticed(chosen))
            except BaseException:  # noqa: BLE001 - whatever a mutant does, it is noticed
                code = 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            out_of_time = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
            return "took too long" if out_of_time else "killed"
        return "killed" if os.WEXITSTATUS(status) else "survived"

    def _is_noticed(self, chosen: Sequence[int]) -> bool:
        """Whether one of the tests fails."""
        for item, following in _with_next([self._items[number] for number in chosen]):
            self._run(item, following)
            if self._failed:
                return True
        return False

    @staticmethod
    def _run(item: pytest.Item, following: pytest.Item | None) -> None:
        """Run a test; what modules and the session share stays for the one that follows."""
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _with_next(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _silence() -> None:
    """Let a fork of ours print nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def plant(module: ModuleType, mutant: Mutant) -> None:
    """Give a module's functions and methods the code of the mutant.

    Whoever has imported a function has the mutant's, too: the function stays the one it is.

    Parameters
    ----------
    module : module
        The module, as it was imported.
    mutant : Mutant
        The error.

    Raises
    ------
    LookupError
        A function is below a decorator that hides it, or its name was given to another one:
        nothing could be said of its mutants.
    """
    code = compile(mutant.tree, module.__file__ or "", "exec")
    for names, changed in _functions(code, ()):
        function = _find(module, names)
        if function is None:
            raise LookupError(f"{module.__name__} has no function {'.'.join(names)}")
        if function.__name__ != names[-1]:  # its mutants would be put into the other one
            raise LookupError(f"{module.__name__} has {function.__name__} as {'.'.join(names)}")
        if len(function.__code__.co_freevars) == len(changed.co_freevars):
            function.__code__ = changed
    _forget(module)


def _forget(module: ModuleType) -> None:
    """Clear what a module's functions remember: a function that does would not be run again."""
    for found in vars(module).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()


def _functions(code: CodeType, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], CodeType]]:
    """Yield the code of each function of a module and of each method, with the names that lead."""
    for constant in code.co_consts:
        if not isinstance(constant, CodeType) or constant.co_name.startswith("<"):
            continue
        names = (*way, constant.co_name)
        if constant.co_flags & 1:  # CO_OPTIMIZED: a function's; that of a class is not
            yield names, constant
        else:
            yield from _functions(constant, names)


def _find(module: ModuleType, names: Sequence[str]) -> FunctionType | None:
    """Return the function of that name as it was written, below its decorators."""
    found: Any = module
    for name in names:
        found = vars(found).get(name)
        if found is None:
            return None
    # Of static methods, properties, compiled kernels, other decorators and cached properties.
    for below in ("__func__", "fget", "py_func", "__wrapped__", "func"):
        found = getattr(found, below, found)
    return found if isinstance(found, FunctionType) else None


def _equivalents() -> set[tuple[str, str, str, str]]:
    """Return the mutants that were judged to be no errors: module, line's text, before, after."""
    judged = tomllib.loads(_JUDGED.read_text("utf-8"))["equivalent"] if _JUDGED.exists() else []
    return {(one["module"], one["code"], one["before"], one["after"]) for one in judged}


def chosen(wing: Wing, names: Sequence[str]) -> list[Path]:
    """Return the modules of a wing that are measured.

    Parameters
    ----------
    wing : Wing
        Where they are.
    names : sequence of str
        Their names, without endings; none means all that are public.
    """
    paths = sorted((_ROOT / wing.folder).rglob("*.py"))
    return [
        path for path in paths if (path.stem in names if names else not path.stem.startswith("_"))
    ]


def measure(
    wing: Wing,
    names: Sequence[str],
    tests: Sequence[str],
    sample: slice,
    seconds: float,
    keep: Callable[[str, Result], None],
) -> None:
    """Tell what became of the mutants of each module of a wing.

    Parameters
    ----------
    wing : Wing
        What is mutated, and by what it is to be noticed.
    names : sequence of str
        The names of the modules, without their endings; none means all that are public.
    tests : sequence of str
        The files or folders of tests, below the repository; none means the wing's own.
    sample : slice
        Which mutants of each module are taken.
    seconds : float
        How long the tests of one mutant may take; infinity for as long as they do.
    keep : callable
        What is given a module's path and its result, module after module.
    """
    os.chdir(_ROOT)
    sys.path.insert(0, str(_ROOT))
    os.environ["GAZETRACK_DATA"] = os.devnull
    os.environ.pop("GAZETRACK_REQUIRE_DATA", None)
    if not wing.compiled:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    import pytest

    modules = {
        path: importlib.import_module(".".join(path.relative_to(_ROOT).with_suffix("").parts))
        for path in chosen(wing, names)
    }
    runner = Runner(modules, sample, seconds, keep)
    # Without what pytest prints, and the options of the project that are of it.
    options = ["-o", "addopts=", "--import-mode=importlib", "-p", "no:terminal"]
    options += ["-p", "no:cacheprovider", "-m", "not slow and not real_data"]
    code = pytest.main([*options, *(tests or (wing.tests,))], plugins=[runner])
    if code != pytest.ExitCode.OK:
        sys.exit(f"pytest ends with {code!r}: nothing can be said of any mutant")


class Report:
    """The results in a file: of the modules measured now, and what it says of others.

    Parameters
    ----------
    path : str or None
        The file, which need not exist; None keeps nothing.
    sample : slice
        Which mutants were taken.
    seconds : float
        How long the tests of one of them might take.
    """

    def __init__(self, path: str | None, sample: slice, seconds: float = math.inf) -> None:
        self._path = path
        self._sample = sample
        self._most_s = seconds
        self._where = where_and_when()
        known = json.loads(Path(path).read_text("utf-8")) if path and Path(path).exists() else {}
        self._modules: dict[str, dict[str, Any]] = known.get("modules", {})

    def keep(self, name: str, result: Result) -> None:
        """Write the file anew, with one more module or another result of it.

        Parameters
        ----------
        name : str
            The module's path, below the repository.
        result : Result
            What became of its mutants.
        """
        self._modules[name] = {
            "score": round(result.score, 1),
            "every": self._sample.step,
            "first": self._sample.start,
            **({} if math.isinf(self._most_s) else {"seconds": self._most_s}),
            "commit": self._where["commit"],
            **result.fates,
            "survivors": result.survivors,
        }
        wings = {wing: self.of(wing) for wing in WINGS}
        wings = {wing: whole for wing, whole in wings.items() if whole["modules"]}
        modules = dict(sorted(self._modules.items()))
        save(self._path, self._where | {"wings": wings, "modules": modules})

    def of(self, wing: str) -> dict[str, Any]:
        """Return a wing's modules, mutants and score; each mutant counts for those left out, too.

        Parameters
        ----------
        wing : str
            One of `WINGS`.
        """
        ours = [
            of
            for name, of in self._modules.items()
            if Path(name).is_relative_to(WINGS[wing].folder)
        ]
        weighed = Result()
        for of in ours:
            weighed.fates.update({fate: of["every"] * of.get(fate, 0) for fate in _FATES})
        judged = {fate: sum(of.get(fate, 0) for of in ours) for fate in _FATES}
        return {"score": round(weighed.score, 1), "modules": len(ours), **judged}


def main() -> None:
    """Measure one wing, print it and, where a path is given, save it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wing", choices=WINGS, help="whose modules get errors")
    parser.add_argument("--modules", nargs="*", default=(), help="only these; private ones, too")
    parser.add_argument("--tests", nargs="*", default=(), help="only these files or folders")
    parser.add_argument("--every", type=int, default=1, help="each N-th mutant only")
    parser.add_argument("--first", type=int, default=0, help="the first of them, from 0")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of tests a mutant at most")
    parser.add_argument("--json", help="a file for the result, which keeps other modules' results")
    options = parser.parse_args()
    sample = slice(options.first, None, options.every)
    report = Report(options.json, sample, options.seconds)
    wing = WINGS[options.wing]
    measure(wing, options.modules, options.tests, sample, options.seconds, report.keep)
    print(f"{options.wing}: {report.of(options.wing)}")


if __name__ == "__main__":
    main()
