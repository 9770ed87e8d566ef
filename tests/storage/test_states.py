"""What a store says of its objects, by which they are known to be the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gazetrack.errors import InputError
from gazetrack.storage import states
from gazetrack.storage.objects import send
from gazetrack.storage.states import States, state_of_object
from tests.object_store import BUCKET


@pytest.fixture(params=["memory", "s3"])
def folder(request):
    """An empty folder of each store."""
    if request.param == "memory":
        return request.getfixturevalue("memory_store")
    request.getfixturevalue("object_store")
    return f"s3://{BUCKET}"


@pytest.fixture
def put(tmp_path):
    def putting(url, data):
        (tmp_path / "here").write_bytes(data)
        send(tmp_path / "here", url)

    return putting


def test_an_object_is_the_same_until_it_is_another(folder, put):
    put(f"{folder}/s01/a.tsv", b"one")
    put(f"{folder}/s01/b.tsv", b"one")
    first = state_of_object(f"{folder}/s01/a.tsv")
    assert first["bytes"] == 3
    assert first["mark"].startswith("time:" if folder.startswith("memory") else "tag:")
    # Asked for one by one, or with all of its folder: the answer is the same.
    assert States().of(f"{folder}/s01/a.tsv") == first
    assert States().below(folder, "s01/a.tsv") == first
    put(f"{folder}/s01/a.tsv", b"two")
    assert state_of_object(f"{folder}/s01/a.tsv") != first
    assert States().of(f"{folder}/s01/a.tsv") == state_of_object(f"{folder}/s01/a.tsv")


def test_what_is_not_there_has_no_state(folder, put):
    put(f"{folder}/s01/a.tsv", b"one")
    assert state_of_object(f"{folder}/s01/none") is None
    assert state_of_object(f"{folder}/s01") is None
    assert States().of(f"{folder}/s01/none") is None
    assert States().of(f"{folder}/none/a.tsv") is None
    assert States().of(f"{folder}/s01") is None
    assert States().below(f"{folder}/none", "x/a.tsv") is None


def test_a_folder_is_asked_once_for_all_that_lies_in_it(object_store, put):
    for number in range(5):
        put(f"s3://{BUCKET}/in/{number}.tsv", b"x")
        put(f"s3://{BUCKET}/set/part={number}/a.parquet", b"x")
    object_store.faults.asked.clear()
    found = States()
    assert all(found.of(f"s3://{BUCKET}/in/{number}.tsv") for number in range(5))
    n_asked = len(object_store.faults.asked)
    assert n_asked <= 2
    assert all(found.below(f"s3://{BUCKET}/set", f"part={n}/a.parquet") for n in range(5))
    assert len(object_store.faults.asked) <= n_asked + 2


def test_a_store_that_refuses_is_told(object_store):
    object_store.faults.status, object_store.faults.times = 403, 99
    with pytest.raises(InputError, match="403"):
        States().of(f"s3://{BUCKET}/in/a.tsv")
    with pytest.raises(InputError, match="403"):
        state_of_object(f"s3://{BUCKET}/in/a.tsv")


@pytest.mark.parametrize(
    ("facts", "mark"),
    [
        ({"ETag": '"abc"', "LastModified": 5.0}, "tag:abc"),
        ({"etag": "0x8D", "last_modified": 5.0}, "tag:0x8D"),
        ({"mtime": datetime(2026, 1, 1, tzinfo=UTC)}, "time:1767225600.000000"),
        ({"created": 1767225600.0}, "time:1767225600.000000"),
        ({"updated": "2026-01-01T00:00:00Z"}, "time:2026-01-01T00:00:00Z"),
        ({"ETag": None, "size": 3}, ""),
    ],
)
def test_the_mark_is_a_digest_else_a_time_else_nothing(facts, mark):
    assert states._mark(facts) == mark
