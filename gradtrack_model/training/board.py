"""TensorBoard's file: what is logged, for people who look on.

A log that cannot be written never ends a run.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Board:
    """An event file of TensorBoard.

    It is written in the thread of its caller, and not in one of its own as TensorBoard's
    SummaryWriter does: errors come up here and nowhere else.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the file; nothing is written where TensorBoard is not installed.

    Attributes
    ----------
    failed : str
        Why nothing is written any more, for the user; empty as long as all is well.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: Any = None
        self.failed = ""
        try:
            from tensorboard.compat import tf
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError:
            return
        self._event = event_pb2.Event
        self._summary = summary_pb2.Summary
        # TensorBoard looks for files with this beginning; host and process keep runs apart.
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
        try:
            tf.io.gfile.makedirs(str(folder))
            self._writer = RecordWriter(tf.io.gfile.GFile(str(folder / name), "wb"))
            self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))
        except Exception as error:  # noqa: BLE001 - see _give_up
            self._give_up(error)

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """Add the values of a step."""
        if self._writer is None:
            return
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in row.items()]
        try:
            summary = self._summary(value=values)
            self._write(self._event(wall_time=time.time(), step=step, summary=summary))
        except Exception as error:  # noqa: BLE001 - see _give_up
            self._give_up(error)

    def close(self, _ended: str = "") -> None:
        """Close the file, which does not say how a run ended."""
        if self._writer is None:
            return
        try:
            self._writer.close()
        except Exception as error:  # noqa: BLE001 - see _give_up
            self._give_up(error)

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def _give_up(self, error: Exception) -> None:
        """Write nothing more, and say why.

        A full disk raises an OSError here; TensorFlow, where it is installed, has its own errors.
        """
        self._writer = None
        reason = error.strerror if isinstance(error, OSError) else None
        if not reason:
            reason = f"{type(error).__name__}: {error}"
        what = f"TensorBoard's file cannot be written ({quote(reason, 80)})"
        self.failed = f"{what}: the run goes on without it"
