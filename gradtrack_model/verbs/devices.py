"""What the trainer has to compute on, as PyTorch sees it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import quote
from gazetrack.workflows.doctor.findings import Finding, shown_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = "devices"
_DRIVERS = Path("/proc/driver/nvidia/gpus")  # a folder for each GPU, where its driver is loaded


def check_devices() -> Iterator[Finding]:
    """Yield PyTorch and the GPUs that it can use.

    PyTorch is imported only where it is installed.
    """
    if find_spec("torch") is None:
        what = "PyTorch is not installed: gradtrack-train and its like do not run"
        do = 'pip install "gazetrack[model]"'
        yield Finding(section=_SECTION, name="PyTorch", what=what, state="note", do=do)
        return
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - whatever an import raises is what was found
        what = f"cannot be imported: {type(error).__name__}: {quote(error, 160)}"
        do = "install a build of PyTorch for this system: https://pytorch.org/get-started/locally"
        yield Finding(section=_SECTION, name="PyTorch", what=what, state="problem", do=do)
        return
    built_for = torch.version.cuda
    threads = torch.get_num_threads()
    what = f"{torch.__version__}, {threads} threads"
    facts = {"version": str(torch.__version__), "threads": threads, "cuda": built_for}
    yield Finding(section=_SECTION, name="PyTorch", what=what, facts=facts)
    yield from _gpus(built_for)


def _gpus(built_for: str | None) -> Iterator[Finding]:
    """Yield each GPU, or that there is none and whether one should be."""
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            free, total = torch.cuda.mem_get_info(number)
            what = f"{about.name}, {shown_bytes(free)} of {shown_bytes(total)} free"
            facts = {"name": about.name, "bytes": total, "free_bytes": free}
            yield Finding(section=_SECTION, name=f"GPU {number}", what=what, facts=facts)
        return
    seen = len(list(_DRIVERS.iterdir())) if _DRIVERS.is_dir() else 0
    if not seen:
        what = "none: networks are trained on the CPU"
        yield Finding(section=_SECTION, name="GPU", what=what, facts={"installed": 0})
        return
    if built_for is None:
        what = f"{seen} of NVIDIA, and this PyTorch is built for CPUs alone"
        do = "install a build with CUDA: https://pytorch.org/get-started/locally"
    else:
        what = f"{seen} of NVIDIA, and PyTorch for CUDA {built_for} can use none of them"
        do = "look whether CUDA_VISIBLE_DEVICES hides them, or whether the driver is too old for it"
    facts = {"installed": seen}
    yield Finding(section=_SECTION, name="GPU", what=what, state="problem", do=do, facts=facts)
