"""Publishing: the one way every output of every command reaches the disk.

A file is written under a temporary name in its own folder, synced, and then put in place by `os.replace`, and
the folder is synced: whoever looks sees the old file or the new one, whole. What a dead run left behind is removed
by the next one. Names that come from data pass `safe_name` first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gazetrack.errors import OutputError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NAME_CHARS = 100
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)\.gtmp")
_ALLOWED = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{MAX_NAME_CHARS - 1}}}")


def safe_name(text: str) -> str:
    """Turn a name from data into a file name that is safe on every system.

    Parameters
    ----------
    text : str
        A participant, stimulus or recording name as it stood in the export.

    Returns
    -------
    str
        `text` itself when it consists of ``A-Z a-z 0-9 . _ -``, starts with neither ``.`` nor ``-`` and has at most 100
        characters; otherwise an ASCII rendering of it followed by eight hexadecimal digits of its hash, so that
        different names stay different.
    """
    if _ALLOWED.fullmatch(text) and not text.endswith("."):
        return text
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_text).strip("._-")[: MAX_NAME_CHARS - 9] or "unnamed"
    return f"{slug}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def unique_names(texts: Iterable[str]) -> dict[str, str]:
    """Map each distinct text to its own safe name, also where file systems ignore case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in texts:
        if text in names:
            continue
        name = safe_name(text)
        if name.lower() in taken:
            name = (
                f"{name[: MAX_NAME_CHARS - 9]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
            )
        names[text] = name
        taken.add(name.lower())
    return names


@contextlib.contextmanager
def publish(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a temporary binary file that becomes `path` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        The output file. Missing parent folders are made.

    Yields
    ------
    binary file
        Write here. After an exception nothing of it remains, and an older `path` is untouched.

    Raises
    ------
    OutputError
        The folder or file cannot be written (read-only, full, a folder of that name).
    """
    path = Path(path)
    with _output_errors(path):
        _prepare_folder(path.parent)
        if path.is_dir():
            raise OutputError("is a folder, not a file", path=path, hint="choose another output name")
        temporary = _temporary_name(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            with _output_errors(path):
                file.flush()
                os.fsync(file.fileno())
        with _output_errors(path):
            os.replace(temporary, path)  # noqa: PTH105 - the call whose semantics this module is about
            _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - same
        if isinstance(error, OSError) and error.errno is not None:
            raise _as_output_error(error, path) from error
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Publish `data` as the file `path`."""
    with publish(path) as file:
        file.write(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Publish `text` as UTF-8 with line feeds."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Publish `value` as readable JSON (keys in the order given; NaN is refused, it is no JSON)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.gtmp")


def _prepare_folder(folder: Path) -> None:
    """Make the folder, and remove what runs that are no longer alive have left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(folder):
        match = _TEMPORARY.fullmatch(entry.name)
        if match is None or _is_alive(int(match["pid"])):
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(entry.path)  # noqa: PTH108 - see publish


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _as_output_error(error, path) from error


def _as_output_error(error: OSError, path: Path) -> OutputError:
    reason = quote(error.strerror or str(error))
    return OutputError(
        f"cannot be written: {reason}", path=path, hint="check the folder, its permissions and its free space"
    )
