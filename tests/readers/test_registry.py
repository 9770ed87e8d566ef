"""Which reader a file is given to: by name, of other packages, and where two would take it."""

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from gazetrack.errors import AmbiguousFormat, ConfigError
from gazetrack.readers import arff, registry
from gazetrack.readers.base import Level, Verdict, read_head


def test_readers_of_other_packages_are_loaded_by_their_name(monkeypatch):
    points = {
        "stars": EntryPoint("stars", "gazetrack.readers.arff", registry.ENTRY_POINT_GROUP),
        "moons": EntryPoint("moons", "no_such_package", registry.ENTRY_POINT_GROUP),
    }

    def entry_points(group, name=None):
        assert group == registry.ENTRY_POINT_GROUP
        return [point for point in points.values() if name in (None, point.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(registry, "names", lambda: ("arff", *points))
    get = registry.get.__wrapped__  # what it finds here is not to be kept for other tests
    assert get("stars") is arff
    with pytest.raises(ConfigError, match="reader 'moons' cannot be imported") as caught:
        get("moons")
    assert caught.value.hint == "install what it needs"
    with pytest.raises(
        ConfigError, match=r"no format is called 'suns'.*known are arff, stars, moons"
    ):
        get("suns")


def test_a_file_that_two_readers_would_take_is_given_to_neither(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("***\n1 2 3\n")
    likely = SimpleNamespace(sniff=lambda head: Verdict(Level.LIKELY, "stars"))
    unlikely = SimpleNamespace(sniff=lambda head: Verdict(Level.NO))
    readers = {"first": likely, "second": unlikely, "third": likely}
    monkeypatch.setattr(registry, "names", lambda: list(readers))
    monkeypatch.setattr(registry, "get", readers.get)
    with pytest.raises(AmbiguousFormat, match=r"a\.txt: could be first or third") as caught:
        registry.detect(read_head(path))
    assert caught.value.hint == "choose one with --format first"
