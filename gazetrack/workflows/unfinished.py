"""Results that take long, kept beside an output that is not complete yet.

The next run goes on where one was cut short. A result is found by a digest of all that it depends
on, so that no other parameters, image or gaze can get into it.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import shutil
import zipfile
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.publish import write_bytes
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

# What a file that is missing or was cut short may raise.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


class Kept:
    """What is kept for one output.

    Parameters
    ----------
    target : pathlib.Path
        The output; results lie in the hidden folder ``.<name>.kept`` beside it.
    """

    def __init__(self, target: Path) -> None:
        self.folder = target.with_name(f".{target.name}.kept")

    @staticmethod
    def key(values: npt.NDArray[np.generic], *facts: object) -> str:
        """Return the digest of an array and of facts, by their `repr`."""
        digest = hashlib.sha256(repr((__version__, values.dtype.str, values.shape, facts)).encode())
        digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()

    def get(self, key: str) -> npt.NDArray[Any] | None:
        """Return a result, or None where it is not there or not whole."""
        try:
            data = io.BytesIO((self.folder / f"{key}.npz").read_bytes())
            with np.load(data, allow_pickle=False) as file:
                values: npt.NDArray[Any] = file["values"]
        except _DAMAGED:
            return None
        return values

    def put(self, key: str, values: npt.NDArray[Any]) -> None:
        """Keep a result; errors as in `gazetrack.publish.publish`."""
        data = io.BytesIO()
        np.savez_compressed(data, values=values)
        write_bytes(self.folder / f"{key}.npz", data.getvalue())

    @contextmanager
    def marked(self) -> Iterator[Path]:
        """Have a file in the folder that no other folder has, by which it is known to others.

        Yields
        ------
        pathlib.Path
            The file. It is gone after the block, with the folder where nothing is kept in it.

        Raises
        ------
        OutputError
            The folder cannot be written to.
        """
        path = self.folder / "mark"
        write_bytes(path, secrets.token_bytes(16))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # there are results in it
                self.folder.rmdir()

    def clear(self) -> None:
        """Forget all: the output is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
