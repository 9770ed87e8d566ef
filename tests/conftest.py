"""Fixtures of the whole suite."""

import os
import sys
from pathlib import Path

import pytest

DATA = Path(os.environ.get("GAZETRACK_DATA", Path(__file__).parents[2] / "shared" / "data"))


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
