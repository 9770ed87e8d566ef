"""A warm machine compiles nothing more: every kernel that is called from outside is there."""

import os

import pytest

from gazetrack.events.detectors import DETECTORS
from gazetrack.maps.parameters import KINDS
from gazetrack.workflows import warm_up as _warm_up
from gazetrack.workflows.warm_up import kernel_cache, warm_up

# Called where a file has more rows than the example, and by another kernel.
NOT_CALLED = {"cells.recode", "clusters.two_means"}

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled"
)


@pytest.fixture(scope="module")
def steps():
    return list(warm_up())


def test_every_detector_and_kind_of_map_is_a_step(steps):
    names = {step.name for step in steps}
    assert {f"detect with {name}" for name in DETECTORS} <= names
    assert {f"render {kind}" for kind in KINDS} <= names
    assert all(step.seconds > 0 for step in steps)


@pytest.mark.usefixtures("steps")
def test_every_kernel_is_called():
    """Those with an underscore are compiled into others."""
    calls = _warm_up._calls()
    public = {name for name in calls if not any(part[0] == "_" for part in name.split("."))}
    assert len(public) > 25
    assert {name for name in public if not sum(calls[name])} <= NOT_CALLED


@pytest.mark.usefixtures("steps")
def test_the_second_time_nothing_is_compiled():
    again = list(warm_up())
    assert [step.compiled for step in again] == [()] * len(again)


def test_the_folder_of_kernels_is_the_cache():
    folder = kernel_cache()
    assert folder is None or folder.is_dir()
