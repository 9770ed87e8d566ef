"""Publishing: the one way every output of every command reaches the disk.

A file is written under a temporary name in its own folder, synced, and then put in place by
`os.replace`, and the folder is synced: whoever looks sees the old file or the new one, whole. What
a dead run left behind is removed by the next one. Names that come from data pass `safe_name` first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import time
import unicodedata
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gazetrack.errors import OutputError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NAME_CHARS = 100
_TEMPORARY = re.compile(
    r"\.(?P<name>.+)\.(?P<pid>\d+)(?:-(?P<start>\d+))?(?:@(?P<machine>[0-9a-f]{8}))?\.gtmp"
)
_ELSEWHERE_SECONDS = 24 * 3600  # nobody writes one file for so long
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE
)  # reserved on Windows
_ASIDE = ".aside"  # the end of the name of a folder while another takes its place
_SEPARATORS = re.compile(r'[/\\:*?"<>|]')
_JOINERS = "\u200c\u200d"  # words of several scripts are written with them
# Of the 255 of a name, our endings and the name of the temporary file beside it take the rest.
_MAX_STEM_BYTES = 180
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
        `text` itself when it consists of ``A-Z a-z 0-9 . _ -``, starts with neither ``.`` nor
        ``-``, names no device and has at most 100 characters; otherwise an ASCII rendering of it
        followed by eight hexadecimal digits of its hash, so that different names stay different.
    """
    if _ALLOWED.fullmatch(text) and not text.endswith(".") and not _DEVICE.fullmatch(text):
        return text
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"\.{2,}", "_", re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_text)).strip("._-")
    # A device name keeps its meaning in front of a dot, whatever follows.
    slug = slug.replace(".", "_") if _DEVICE.fullmatch(slug) else slug
    return f"{slug[: MAX_NAME_CHARS - 9] or 'unnamed'}-{digest_of(text)}"


def file_stem(text: str) -> str:
    """Return the name of a user's own file as the beginning of an output's.

    Parameters
    ----------
    text : str
        The stem of an input, or of a folder.

    Returns
    -------
    str
        `text` itself, with spaces and letters of any script, where every system can write it as a
        name and show it: no separators, no control characters or marks that turn the direction of
        text, no dash, dot or space in front, no dot or space behind, no device, at most 180 bytes.
        Otherwise what `safe_name` makes of it.
    """
    shown = all(char.isprintable() or char in _JOINERS for char in text)
    plain = (
        shown
        and not _SEPARATORS.search(text)
        and text.strip(" .") == text
        and not text.startswith("-")
    )
    if (
        plain
        and text
        and not _DEVICE.fullmatch(text)
        and len(text.encode("utf-8", "surrogatepass")) <= _MAX_STEM_BYTES
    ):
        return _on_this_system(text)
    return safe_name(text)


def _on_this_system(name: str) -> str:
    """Return a name as Python writes its UTF-8 to the disk.

    Where the system's own encoding is narrower, its bytes stand for themselves.
    """
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode("utf-8"))
    return name


def unique_names(texts: Iterable[str]) -> dict[str, str]:
    """Map each distinct text to its own safe name, also where file systems ignore case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in texts:
        if text in names:
            continue
        name = own = safe_name(text)
        salt = ""
        while name.lower() in taken:
            name = f"{own[: MAX_NAME_CHARS - 9]}-{digest_of(text + salt)}"
            salt += "\0"  # data may hold a name that looks like our digest of another one
        names[text] = name
        taken.add(name.lower())
    return names


def digest_of(text: str) -> str:
    """Return eight hexadecimal digits that tell texts apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def refuse_overwrite(
    output: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Refuse an output that is one of the inputs, under whatever name.

    To be called before any work starts.

    Raises
    ------
    OutputError
        It is.
    """
    output = Path(output)
    with output_errors(output):
        if not output.exists():
            return
    for path in map(Path, inputs):
        if path.exists() and output.samefile(path):
            what = f"would be written over the input {path}"
            raise OutputError(what, path=output, hint="choose another place with --out")


def refuse_input_folder(
    outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str | os.PathLike[str] | None]
) -> None:
    """Refuse to write among the inputs; to be called before any work starts.

    The next call would take the masks in a folder of images for images, two of one name, and could
    read neither.

    Parameters
    ----------
    outputs : iterable of path-like
        Folders to be written to.
    inputs : iterable of path-like or None
        Folders that inputs are looked for in.

    Raises
    ------
    OutputError
        One is the other, under whatever name.
    """
    taken = [Path(folder) for folder in inputs if folder is not None]
    for output in map(Path, outputs):
        if any(folder.exists() and output.exists() and output.samefile(folder) for folder in taken):
            what = "is a folder of inputs: what is written there would be taken for one of them"
            raise OutputError(what, path=output, hint="choose another folder with --out")


@contextlib.contextmanager
def publish(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary binary file that becomes `path` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        The output file. Missing parent folders are made.
    private : bool
        Whether nobody but the owner may read it, from its first byte on.

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
    with output_errors(path):
        _prepare_folder(path.parent)
        if path.is_dir():
            raise OutputError(
                "is a folder, not a file", path=path, hint="choose another output name"
            )
        if path.exists() and not path.is_file():
            # Where we may, putting a file there would take /dev/null from the whole machine.
            what = "is a device or a pipe, and no file"
            raise OutputError(what, path=path, hint="choose another output name")
        temporary = _temporary_name(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    ours = True
    try:
        # The file is made inside this block, since a signal may come before the line after its
        # making.
        try:
            descriptor = os.open(temporary, flags, 0o600 if private else 0o666)
        except FileExistsError:  # another thread writes the same output
            ours = False
            raise
        with os.fdopen(descriptor, "wb") as file:
            yield file
            with output_errors(path):
                file.flush()
                os.fsync(file.fileno())
        with output_errors(path):
            os.replace(temporary, path)  # noqa: PTH105 - the call whose semantics this module is about
            sync_folder(path.parent)
    except BaseException as error:
        if ours:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108 - same
        if isinstance(error, OSError) and error.errno is not None:
            raise _as_output_error(error, path) from error
        raise


@contextlib.contextmanager
def publish_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder that becomes the new folder `path` when the block ends well.

    Parameters
    ----------
    path : path-like
        The output folder, which must not be there yet, or be empty. Missing parents are made.
    replace : bool
        Whether it may hold something, which the new folder then takes the place of as a whole.

    Yields
    ------
    pathlib.Path
        Publish files in here. After an exception nothing of it remains.

    Raises
    ------
    OutputError
        There is a file of that name or a folder with something in it, or it cannot be written.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `..` is taken out, links stay
    aside = path.with_name(temporary_name(f"{path.name}{_ASIDE}"))
    with output_errors(path):
        _prepare_folder(path.parent)
        _mend_left_folders(path)
        _refuse_filled(path, replace=replace)
        temporary = _temporary_name(path)
        temporary.mkdir()
    try:
        yield temporary
        with output_errors(path):
            _refuse_filled(path, replace=replace)
            # Where two folders can change places in one step, there is no moment without any.
            if not (path.is_dir() and exchanged(temporary, path)):
                if path.is_dir():
                    # Until the next line is done, the older is found by whoever publishes next.
                    os.replace(path, aside)  # noqa: PTH105 - as in publish
                os.replace(temporary, path)  # noqa: PTH105 - as in publish
            sync_folder(path.parent)
        for older in (temporary, aside):
            shutil.rmtree(older, ignore_errors=True)
    except BaseException:
        if aside.exists() and not path.exists():
            os.replace(aside, path)  # noqa: PTH105 - as in publish
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def exchanged(new: Path, live: Path) -> bool:
    """Exchange two folders in one step where the system can; tell whether it did.

    Parameters
    ----------
    new, live : pathlib.Path
        Two folders of one file system.
    """
    import ctypes

    at_working_folder, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(new), os.fsencode(live)
    done = rename(at_working_folder, names[0], at_working_folder, names[1], exchange)
    return bool(done == 0)


def _refuse_filled(path: Path, *, replace: bool) -> None:
    """Refuse a place for a new folder that is taken: a file, a link, or a folder not empty."""
    if path.is_symlink():
        hint = "name the folder itself, or choose a new one"
        raise OutputError("is a link, whose place a folder would take", path=path, hint=hint)
    if path.exists() and not path.is_dir():
        raise OutputError("is there and is no folder", path=path, hint="choose a new folder")
    if not replace and path.is_dir() and any(path.iterdir()):
        hint = "choose a new folder with --out, or empty this one"
        raise OutputError("is a folder that is not empty", path=path, hint=hint)


def _mend_left_folders(path: Path) -> None:
    """Remove what a run that is no longer alive has left, and put back what it has put aside."""
    for left in sorted(path.parent.glob(".*.gtmp")):
        match = _TEMPORARY.fullmatch(left.name)
        if match is None or left.is_symlink() or not is_left(left):
            continue
        if match["name"] == f"{path.name}{_ASIDE}" and not path.exists():
            os.replace(left, path)  # noqa: PTH105 - as in publish
        elif match["name"] in (path.name, f"{path.name}{_ASIDE}"):
            shutil.rmtree(left, ignore_errors=True)


def put(file: Path, target: Path) -> None:
    """Give a file that was published in a folder in the making its name and place there.

    Parameters
    ----------
    file : pathlib.Path
        The file, in a folder of `publish_folder`.
    target : pathlib.Path
        Its place in the same folder, where nothing is yet; missing parents are made.

    Raises
    ------
    OutputError
        Something is there, or it cannot be moved.
    """
    with output_errors(target):
        _make(target.parent)
        if target.exists():
            raise OutputError("would be written twice", path=target, hint="give it another name")
        os.replace(file, target)  # noqa: PTH105 - as in publish
        sync_folder(target.parent)


def write_bytes(path: str | os.PathLike[str], data: bytes, *, private: bool = False) -> None:
    """Publish `data` as the file `path`."""
    with publish(path, private=private) as file:
        file.write(data)


def write_text(path: str | os.PathLike[str], text: str, *, private: bool = False) -> None:
    """Publish `text` as UTF-8 with line feeds."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), private=private)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Publish `value` as readable JSON (keys in the order given; NaN is refused, it is no JSON)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def temporary_name(name: str) -> str:
    """Return what is called so while this process works on it; see `is_left`."""
    start = _start_of(os.getpid())
    process = f"{os.getpid()}{'' if start is None else f'-{start}'}"
    return f".{name}.{process}@{_machine()}.gtmp"


def is_left(path: Path) -> bool:
    """Tell whether a file or folder has a `temporary_name` of a process that works no more."""
    match = _TEMPORARY.fullmatch(path.name)
    return match is not None and not _is_at_work(path, match)


def _temporary_name(path: Path) -> Path:
    return path.with_name(temporary_name(path.name))


@cache
def _machine() -> str:
    """Return what tells this machine from others that share the folder, and containers apart."""
    try:
        numbers_of = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no file, but a name
    except OSError:
        numbers_of = ""
    return digest_of(f"{platform.node()} {numbers_of}")


def _make(folder: Path) -> None:
    """Make a folder with those above it; the disk has their names when it returns."""
    missing = list(takewhile(lambda above: not above.exists(), (folder, *folder.parents)))
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def _prepare_folder(folder: Path) -> None:
    """Make the folder, and remove what runs that are no longer alive have left in it."""
    _make(folder)
    with os.scandir(folder) as entries:
        left = [
            (entry.path, match) for entry in entries if (match := _TEMPORARY.fullmatch(entry.name))
        ]
    for path, match in left:
        if not _is_at_work(Path(path), match):
            with contextlib.suppress(
                OSError
            ):  # another user's, in a shared folder: no reason to write nothing
                os.unlink(path)  # noqa: PTH108 - see publish


def _is_at_work(path: Path, match: re.Match[str]) -> bool:
    """Whether a temporary file may still become an output.

    Numbers of processes say nothing on another machine that shares the folder, such as a worker of
    a cluster: there the age of the file has to do.
    """
    if match["machine"] in (None, _machine()):
        return _is_alive(int(match["pid"]), match["start"])
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:  # it has just become one
        return True
    return age < _ELSEWHERE_SECONDS


def _is_alive(pid: int, start: str | None) -> bool:
    """Whether the process that began a temporary file still runs.

    Its number alone may have been given to another process since.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    now = _start_of(pid)
    if start is None:
        return now is None or pid != os.getpid()
    return now is None or now == start


def _start_of(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None where nobody tells."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return status.rpartition(")")[2].split()[19]


def sync_folder(folder: Path) -> None:
    """Let the disk have the names that a folder holds, so that a power cut takes none of them."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn what the system answers inside the block into an `OutputError` about `path`."""
    try:
        yield
    except OSError as error:
        raise _as_output_error(error, path) from error


def _as_output_error(error: OSError, path: Path) -> OutputError:
    reason = quote(error.strerror or str(error))
    return OutputError(
        f"cannot be written: {reason}",
        path=path,
        hint="check the folder, its permissions and its free space",
    )
