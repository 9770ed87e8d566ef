"""Where compiled kernels are kept between runs: a folder of the user's own.

numba's files are pickles: reading one runs whatever it holds. So they lie in a folder that only the
user may enter, whatever the working directory and the place of the package are, and each is opened
only when it is the user's own and nobody else may write to it. Where there is no such folder,
kernels are compiled anew in every run.
"""

# numba's cache is untyped.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba.core import environment
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    _CacheLocator,
)
from numba.core.runtime.nrt import rtsys

from gazetrack.caches import user_caches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KERNELS = Path(__file__).parent
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def keep_compiled(dispatcher: Any) -> None:
    """Let a compiled function be read from, and written to, the user's own folder."""
    if cache_folder() is not None:
        dispatcher._cache = _PrivateCache(dispatcher.py_func)  # noqa: SLF001 - as its enable_caching() does


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None where no private one can be had.

    It is made where it is missing. ``NUMBA_CACHE_DIR`` moves it, as it moves numba's own.
    """
    # One folder per installation, so that the files of an earlier version are replaced and never
    # pile up.
    installation = hashlib.sha256(os.fsencode(_KERNELS)).hexdigest()[:16]
    try:
        folder = _base() / installation
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if is_private(folder) and os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):  # no home, a full disk, a file in the way
        return None


def _base() -> Path:
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        user = str(os.getuid()) if hasattr(os, "getuid") else "user"
        return Path(chosen).absolute() / f"gazetrack-{user}"
    return user_caches() / "gazetrack" / "kernels"


def is_private(path: str | os.PathLike[str]) -> bool:
    """Whether a file or folder is the user's own, no link, and nobody else may write to it."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(status.st_mode):
        return False
    # Windows has neither owners nor modes here; a user's profile is private there.
    return os.name != "posix" or (
        status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE
    )


@functools.cache
def _sources() -> str:
    """Return a digest of all kernels.

    One may hold the inlined code of another: the digest changes with any of their files.
    """
    digest = hashlib.sha256()
    for path in sorted(_KERNELS.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _OwnFolder(_CacheLocator):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return _sources()

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _OwnFolder:  # noqa: ARG003 - numba's contract
        return cls(py_func)


class _OwnImplementation(CompileResultCacheImpl):
    _locator_classes: list[Any] = [_OwnFolder]  # noqa: RUF012 - the attribute is numba's


def _environment(module: str, constants: list[Any], name: str) -> Any:
    """Return what compiled code of a module keeps of Python: its constants, and its globals.

    numba imports the module for its globals. Code of its own, such as that of a minimum, would so
    bring in SciPy, which takes longer than most commands; globals are for code in object mode
    alone, of which there is none among the kernels.
    """
    known = environment.lookup_environment(name)
    if known is not None:
        return known
    is_idle = module.startswith("numba.") and module not in sys.modules
    variables = {"__name__": module} if is_idle else vars(importlib.import_module(module))
    rebuilt = environment.Environment(variables)
    rebuilt.consts[:] = constants
    rebuilt.env_name = name
    environment.Environment._memo[name] = rebuilt  # noqa: SLF001 - as numba does, for others of that name
    return rebuilt


@contextlib.contextmanager
def _own_environments() -> Iterator[None]:
    """Let what is read inside the block have environments of `_environment`.

    numba reads under a lock of its own, so that no other thread meets this.
    """
    numbas = environment._rebuild_env  # noqa: SLF001 - what is read asks for it by this name
    environment._rebuild_env = _environment  # noqa: SLF001
    try:
        yield
    finally:
        environment._rebuild_env = numbas  # noqa: SLF001


class _PrivateFile(IndexDataCacheFile):
    """numba's two kinds of files, read only where they are private."""

    def _load_index(self) -> dict[Any, Any]:
        try:
            index: dict[Any, Any] = super()._load_index() if is_private(self._index_path) else {}
        except Exception:  # noqa: BLE001 - a damaged index is an empty one, whatever reading it raises
            return {}
        return index

    def _load_data(self, name: str) -> Any:
        if not is_private(self._data_path(name)):
            raise PermissionError(name)
        with _own_environments():
            return super()._load_data(name)

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[Any]:
        with super()._open_for_write(filepath) as file:
            if (
                os.name == "posix"
            ):  # under a umask of 002, the default of many systems, the group could write
                os.fchmod(file.fileno(), 0o600)
            yield file


class _PrivateCache(FunctionCache):
    _impl_class = _OwnImplementation

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        self._cache_file = _PrivateFile(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            # As numba's own method, but for a refresh of the context: that loads all that is known
            # of every type and function, which takes longer than most commands and which only a
            # compilation needs, and asks for itself. What runs without it is the allocator.
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                found = self._load_overload(sig, target_context)
        except Exception:  # noqa: BLE001 - damaged code costs a compilation, whatever reading it raises
            return None
        # Two processes that write at the same moment may leave one's code under the other's types.
        wanted = tuple(getattr(sig, "args", sig))
        return found if found is not None and tuple(found.signature.args) == wanted else None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full disk is no reason not to read an export
            super().save_overload(sig, data)
