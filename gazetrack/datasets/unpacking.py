"""Archives of data sets, unpacked file by file: each is there whole, or not at all.

What is inside comes from others: no name leads out of the folder, no link is made, no file takes
the place of another one, and nothing unpacks to a thousand times its size.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from fnmatch import fnmatchcase
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

from gazetrack.errors import InputError, quote
from gazetrack.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BLOCK_BYTES = 1024**2
_MAX_RATIO = 1000
_RATIO_MATTERS_BYTES = 100 * 2**20
_MAX_NESTED = 3  # archives within archives
_MAX_FILES = 1_000_000
# A name that is not in the encoding that its flag says ends with UnicodeDecodeError.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
    UnicodeDecodeError,
)
_OF_A_SYSTEM = {"__MACOSX", ".DS_Store", "Thumbs.db"}


class Unpacked(NamedTuple):
    """What came out of an archive: the files that were asked for, and how many others it has."""

    files: list[Path]
    n_others: int


def unpack(archive: Path, folder: Path, patterns: Sequence[str] = ()) -> Unpacked:
    """Unpack an archive, and the archives within it into folders of their names.

    Parameters
    ----------
    archive : pathlib.Path
        A zip file, as it was fetched.
    folder : pathlib.Path
        Where its files go; those that are there with the same bytes (by their CRC-32, which the
        archive knows) stay as they are, and others of their names are unpacked again.
    patterns : sequence of str
        Which files, as in a shell, by their names or their paths in the archive; all by default.

    Raises
    ------
    InputError
        The archive is damaged, a name in it leads out of the folder or is the place of two files,
        or a file that is there cannot be read.
    OutputError
        A file cannot be written.
    """
    places = _Places(archive)
    files: list[Path] = []
    n_others = 0
    try:
        with archive.open("rb") as file:
            for name, opened in _members(file, PurePosixPath(), archive, 0):
                if len(files) + n_others >= _MAX_FILES:
                    raise InputError(f"more than {_MAX_FILES:,} files", path=archive)
                if not _is_asked_for(name, patterns):
                    n_others += 1
                    continue
                if not places.take(name, opened.member):
                    continue
                target = folder.joinpath(*name.parts)
                if not _is_there(target, opened.member):
                    with opened() as inside, publish(target) as output:
                        _copy(inside, output)
                files.append(target)
    except _DAMAGED as error:
        what = f"is a damaged archive: {quote(error, 80)}"
        raise InputError(what, path=archive, hint="remove it, and fetch it again") from error
    return Unpacked(files, n_others)


class _Places:
    """Where the files of an archive go, so that none takes the place of another."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._files: dict[PurePosixPath, tuple[int, int]] = {}
        self._folders: set[PurePosixPath] = set()

    def take(self, name: PurePosixPath, member: zipfile.ZipInfo) -> bool:
        """Tell whether a file is the first of its name; the same one may be there twice.

        Raises
        ------
        InputError
            Another file has that name, or one is where the other has a folder.
        """
        contents = (member.file_size, member.CRC)
        is_first = name not in self._files
        if self._files.setdefault(name, contents) != contents:
            self._refuse(f"holds two files called {quote(str(name), 60)!r}")
        folders = set(name.parents)
        if name in self._folders or not folders.isdisjoint(self._files):
            self._refuse(f"holds a file and a folder at {quote(str(name), 60)!r}")
        self._folders |= folders
        return is_first

    def _refuse(self, what: str) -> NoReturn:
        hint = "unpack it yourself; tell those who publish it"
        raise InputError(what, path=self._archive, hint=hint)


def _is_there(target: Path, member: zipfile.ZipInfo) -> bool:
    """Tell whether a file of an archive lies unpacked already, byte for byte."""
    if not (target.is_file() and target.stat().st_size == member.file_size):
        return False
    checksum = 0
    try:
        with target.open("rb") as file:
            while data := file.read(_BLOCK_BYTES):
                checksum = zlib.crc32(data, checksum)
    except OSError as error:
        what = f"cannot be read: {quote(error.strerror or str(error))}"
        raise InputError(what, path=target, hint="remove it, or make it readable") from error
    return checksum == member.CRC


def _copy(inside: IO[bytes], output: IO[bytes]) -> None:
    """Copy a file of an archive; what cannot be unpacked makes it a damaged one."""
    while True:
        try:
            data = inside.read(_BLOCK_BYTES)
        except (OSError, LZMAError) as error:  # bzip2 calls its own errors those of the system
            raise zipfile.BadZipFile(str(error)) from error
        if not data:
            return
        output.write(data)


def _is_asked_for(name: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Tell whether a file of an archive fits a pattern, by its path or its name."""
    texts = (str(name), name.name)
    return not patterns or any(fnmatchcase(text, one) for one in patterns for text in texts)


def _members(
    file: IO[bytes], inside: PurePosixPath, archive: Path, depth: int
) -> Iterator[tuple[PurePosixPath, _Opener]]:
    """Yield the path and the opener of each file in an archive, nested ones included."""
    with zipfile.ZipFile(file) as packed:
        for member in packed.infolist():
            name = _safe(member, archive)
            if member.is_dir() or _OF_A_SYSTEM & set(name.parts):
                continue
            _refuse_bomb(member, archive)
            opener = _Opener(packed, member)
            if name.suffix.lower() != ".zip" or depth == _MAX_NESTED:
                yield inside / name, opener
                continue
            # To read an archive one goes back and forth in it: it is unpacked for that.
            with tempfile.TemporaryFile() as copy:
                with opener() as nested:
                    _copy(nested, copy)
                copy.seek(0)
                yield from _members(copy, inside / name.with_suffix(""), archive, depth + 1)


class _Opener(NamedTuple):
    """Opens a file of an archive for reading its bytes."""

    packed: zipfile.ZipFile
    member: zipfile.ZipInfo

    def __call__(self) -> IO[bytes]:
        try:
            return self.packed.open(self.member)
        except OSError as error:  # it is said to begin before the archive does
            raise zipfile.BadZipFile(str(error)) from error


def _safe(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    """Return the path of a file of an archive, which stays within it.

    Raises
    ------
    InputError
        It does not.
    """
    path = PurePosixPath(member.filename)
    is_plain = all(
        part.isprintable() and part not in ("", ".", "..") and not set(part) & set('\\:*?"<>|')
        for part in path.parts
    )
    if path.is_absolute() or not path.parts or not is_plain:
        what = f"holds a file whose name leads elsewhere: {quote(member.filename, 60)!r}"
        raise InputError(what, path=archive, hint="do not unpack it; tell those who publish it")
    return path


def _refuse_bomb(member: zipfile.ZipInfo, archive: Path) -> None:
    limit = max(_RATIO_MATTERS_BYTES, _MAX_RATIO * member.compress_size)
    if member.file_size > limit:
        what = f"{quote(member.filename, 60)!r} unpacks to more than {_MAX_RATIO} times its size"
        raise InputError(what, path=archive, hint="no table of gaze does: the archive is hostile")
