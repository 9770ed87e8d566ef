"""Fixtures of the whole suite."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

try:
    from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
except ImportError:  # of Windows, which counts otherwise
    getrusage = None

QUICK_S = 3  # of a processor, its own processes included; what takes more is marked `slow`
# How long an example takes, and making one, tells how busy the machine is. And what is tried is the
# same at every run, so that a failure is of the change; `--hypothesis-profile fresh` tries others.
_QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **_QUIET)
settings.register_profile("fresh", derandomize=False, **_QUIET)
settings.load_profile("same")
DATA = Path(os.environ.get("GAZETRACK_DATA", Path(__file__).parents[2] / "shared" / "data"))


def _processor_s():
    """Seconds that this process has worked, and those that it has started and that have ended."""
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)] if getrusage else []
    return sum(each.ru_utime + each.ru_stime for each in used)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = _processor_s()
    try:
        return (yield)
    finally:
        if item.get_closest_marker("slow") is None:
            item.user_properties.append(("processor_s", _processor_s() - before))


def pytest_terminal_summary(terminalreporter):
    """Name tests that take long and are not marked; where kernels were compiled, it is counted."""
    long = {
        report.nodeid: seconds
        for report in terminalreporter.getreports("passed")
        for name, seconds in report.user_properties
        if name == "processor_s" and seconds > QUICK_S
    }
    if long:
        terminalreporter.section(f"more than {QUICK_S} s of a processor, and not marked slow")
    for nodeid, seconds in sorted(long.items(), key=lambda one: -one[1]):
        terminalreporter.line(f"{seconds:6.1f} s {nodeid}")


@pytest.fixture(scope="session")
def data_dir():
    if not DATA.is_dir():
        absent = f"the research data are not at {DATA}; set GAZETRACK_DATA to their folder"
        if os.environ.get("GAZETRACK_REQUIRE_DATA") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return DATA


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    # The modules of the tests are imported by now: where none needs torch, it is not loaded for
    # this.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk():
    """A sync is called, and may fail, but does not wait.

    What it does shows after a loss of power alone. Processes that tests start do wait.
    """

    def synced(file):
        os.fstat(file if isinstance(file, int) else file.fileno())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", synced)
        yield


@pytest.fixture
def interrupts_are_heeded():
    """What is started inherits it: where the tests run in the background, SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def data_folder(tmp_path):
    """A small data set with gaze."""
    from tests.synthetic import write_data

    return write_data(tmp_path / "data")


@pytest.fixture
def config():
    """The configuration of the smallest network."""
    from gradtrack_model.settings import load_config
    from tests.synthetic import TINY

    return load_config("tiny", overrides=TINY)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A small data set, and a run trained on it."""
    from gradtrack_model.data.loading import load_data
    from gradtrack_model.data.sources import discover
    from gradtrack_model.settings import load_config
    from gradtrack_model.training.loop import train
    from tests.synthetic import TINY, write_data

    folder = write_data(tmp_path_factory.mktemp("trained"))
    config = load_config("tiny", overrides=TINY)
    train(config, load_data(discover(folder), config), folder / "runs" / "gradtrack")
    return folder


@pytest.fixture(scope="session")
def _running_store():
    pytest.importorskip("s3fs", reason="the object store needs: pip install 'gazetrack[s3,test]'")
    pytest.importorskip("moto", reason="the object store needs: pip install 'gazetrack[s3,test]'")
    from tests.object_store import ObjectStore

    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture
def object_store(_running_store, monkeypatch):
    """An object store on this machine with an empty bucket; the environment leads to it."""
    from fsspec import filesystem

    for name, value in _running_store.environment.items():
        monkeypatch.setenv(name, value)
    filesystem("s3").clear_instance_cache()
    yield _running_store.emptied()
    filesystem("s3").clear_instance_cache()


@pytest.fixture
def memory_store():
    """A store in the memory of this process; gives the address of an empty folder."""
    pytest.importorskip("fsspec", reason="addresses need: pip install 'gazetrack[s3]'")
    from fsspec import filesystem

    store = filesystem("memory")
    store.rm("/", recursive=True) if store.ls("/") else None
    yield "memory://lab"
    store.rm("/", recursive=True) if store.ls("/") else None
