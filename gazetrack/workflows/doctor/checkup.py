"""Everything that is looked at, in the order in which one depends on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.workflows.doctor.machine import check_machine
from gazetrack.workflows.doctor.packages import check_packages, check_readers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazetrack.workflows.doctor.findings import Finding


def checkup() -> Iterator[Finding]:
    """Look at packages, folders and machine.

    Nothing is changed, and nothing leaves the machine.

    Yields
    ------
    Finding
        Each as soon as it is known; those of a section follow one another.
    """
    yield from check_packages()
    yield from check_readers()
    try:
        # It needs numba, which may be what is broken; that was said before.
        from gazetrack.workflows.doctor.folders import check_folders
    except ImportError:
        yield from check_machine()
        return
    yield from check_folders()
    yield from check_machine()
