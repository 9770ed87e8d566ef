"""Open an export for its plain bytes: regular files alone, and gzip unpacked within limits."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from typing import IO, TYPE_CHECKING

from gazetrack.errors import InputError, ParseError

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from gazetrack.readers.reading import Reading

BLOCK_BYTES = 512 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_PLAIN_BYTES = 64 * 1024**3
# Exports shrink to a fifth or a twentieth; what shrinks to less than a two-hundredth was made to
# fill a disk.
MAX_GZIP_RATIO = 200
GZIP_RATIO_FROM_BYTES = 64 * 1024**2  # a table of so much text is read within 500 MB
_GZIP_MAGIC = b"\x1f\x8b"
# Without O_NONBLOCK, opening a FIFO that nobody writes to would never return. Windows has no such
# flag, and needs O_BINARY so that line ends stay as they are.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path, reading: Reading) -> IO[bytes]:
    """Open a regular file for reading its bytes; gzip is unpacked on the way.

    Parameters
    ----------
    path : pathlib.Path
        The file, plain or gzip, which its first two bytes tell.
    reading : Reading
        Whether gzip is unpacked without limits and read up to where it is cut off.

    Raises
    ------
    InputError
        The file is missing, a folder, not a regular file, or unreadable.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name and the folder") from None
    except OSError as error:
        what = f"cannot be opened: {error.strerror}"
        raise InputError(what, path=path, hint="check its permissions") from error

    # The open file is asked, not the path: another process may replace the path meanwhile.
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _not_regular(path, mode)

    file = io.BufferedReader(_PlainFile(path, descriptor))
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    if magic != _GZIP_MAGIC:
        return file
    return _GzipFile(path, file, reading)  # type: ignore[return-value]


class _PlainFile(io.FileIO):
    """A file whose disk may fail while it is read, which is an error about the file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        super().__init__(descriptor, "rb")
        self._path = path

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read bytes into a buffer, and return how many."""
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise self._unreadable(error) from error

    def readall(self) -> bytes:
        """Read all that is left."""
        try:
            return super().readall()
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> InputError:
        hint = "copy it from its disk or network drive once more"
        return InputError(f"cannot be read: {error.strerror}", path=self._path, hint=hint)


def _not_regular(path: Path, mode: int) -> InputError:
    if stat.S_ISDIR(mode):
        return InputError("is a folder", path=path, hint="name the files in it")
    hint = "copy its content into a file first"
    return InputError("is not a regular file", path=path, hint=hint)


class _GzipFile(gzip.GzipFile):
    """Gzip with the errors of this library and a limit on how much a small file may unpack to."""

    def __init__(self, path: Path, file: IO[bytes], reading: Reading) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._path = path
        self._file = file
        self._reading = reading
        self._n_plain = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` plain bytes."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        try:
            # `read1` gives one piece at a time, so that what comes before the place where a file
            # is cut off is not lost with the error.
            data = super().read1(size) if self._reading.salvage else super().read(size)
        except EOFError:
            if self._reading.salvage:
                self._reading.note("the gzip stream ends in the middle: read up to there")
                return b""
            hint = "copy or export the file again, or take its whole rows with --salvage"
            raise self._damaged("ends in the middle", hint) from None
        except (gzip.BadGzipFile, zlib.error, OSError) as error:
            # Which sum the file has in place of which helps nobody.
            reason = "its checksum does not fit" if "CRC" in str(error) else str(error)
            raise self._damaged(reason, "copy or export the file again") from error
        self._n_plain += len(data)
        if not self._reading.trust_gzip:
            self._check_size()
        return data

    def _check_size(self) -> None:
        # Compared with what was read of the packed file so far, not with its length: a bomb before
        # a long tail of nothing is found as soon.
        n_allowed = max(GZIP_RATIO_FROM_BYTES, MAX_GZIP_RATIO * self._file.tell())
        if self._n_plain > n_allowed:
            what = f"unpacks to more than {MAX_GZIP_RATIO} times its size"
        elif self._n_plain > MAX_PLAIN_BYTES:
            what = "unpacks to more than 64 GiB"
        else:
            return
        hint = "if you know where it comes from, add --trust-gzip, or unpack it yourself"
        raise ParseError(what, path=self._path, byte=self._n_plain, hint=hint)

    def close(self) -> None:
        """Close the stream and the file under it."""
        super().close()
        self._file.close()

    def _damaged(self, reason: str, hint: str) -> ParseError:
        what = f"damaged gzip: {reason}"
        return ParseError(what, path=self._path, byte=self._n_plain, hint=hint)
