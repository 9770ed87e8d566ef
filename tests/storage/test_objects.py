"""Objects: listed, fetched and sent whole, and what is said where a store refuses."""

from __future__ import annotations

import errno
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module

import pytest

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.storage import objects
from gazetrack.storage.objects import (
    check_shared,
    fetch,
    fetch_beginning,
    listed,
    names_in,
    opened,
    send,
    size_of,
)
from tests.object_store import BUCKET

LAB = f"s3://{BUCKET}"


def put(url, data):
    with objects._told(url, OutputError):
        store, key = objects._open(url)
        store.pipe_file(key, data)


@pytest.fixture(params=["memory", "s3"])
def folder(request):
    """An empty folder of each store."""
    if request.param == "memory":
        return request.getfixturevalue("memory_store")
    request.getfixturevalue("object_store")
    return LAB


def test_a_folder_lists_its_objects_in_order_and_below_it_when_asked(folder):
    for name in ("b.tsv", "a.tsv", "below/c.tsv"):
        put(f"{folder}/s01/{name}", b"x")
    two = [f"{folder}/s01/a.tsv", f"{folder}/s01/b.tsv"]
    assert listed(f"{folder}/s01", recursive=False) == (two, True)
    assert listed(f"{folder}/s01/", recursive=True) == ([*two, f"{folder}/s01/below/c.tsv"], True)
    assert listed(f"{folder}/*/b.*", recursive=False) == ([f"{folder}/s01/b.tsv"], True)
    assert listed(f"{folder}/s01/a.tsv", recursive=False) == (two[:1], False)
    assert listed(f"{folder}/none", recursive=False) == ([f"{folder}/none"], False)
    assert names_in(f"{folder}/s01") == ["a.tsv", "b.tsv", "below"]
    assert names_in(f"{folder}/none") == []


def test_what_is_sent_is_fetched_again(folder, tmp_path):
    (tmp_path / "here").write_bytes(b"0123456789")
    send(tmp_path / "here", f"{folder}/new/there")
    fetch(f"{folder}/new/there", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"0123456789"
    assert size_of(f"{folder}/new/there") == 10
    assert size_of(f"{folder}/new/nothing") is None
    fetch_beginning(f"{folder}/new/there", tmp_path / "part", 4)
    assert (tmp_path / "part").read_bytes() == b"0123"
    fetch_beginning(f"{folder}/new/there", tmp_path / "all", 99)
    assert (tmp_path / "all").read_bytes() == b"0123456789"
    with opened(f"{folder}/new/there") as file:
        file.seek(-2, 2)
        assert file.read() == b"89"


def test_an_empty_object_is_fetched(folder, tmp_path):
    put(f"{folder}/empty", b"")
    fetch(f"{folder}/empty", tmp_path / "a")
    fetch_beginning(f"{folder}/empty", tmp_path / "b", 10)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b""


def test_what_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"no such object or bucket \(404\)") as caught:
        fetch(f"{folder}/none.tsv", tmp_path / "a")
    assert str(caught.value.path) == f"{folder}/none.tsv"
    put(f"{folder}/s01/a.tsv", b"x")
    with pytest.raises(InputError, match="is a folder"):
        fetch(f"{folder}/s01", tmp_path / "a")


def test_a_bucket_that_is_not_there_is_named(object_store, tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"s3://no-such-lab/a: no such object or bucket \(404\)"):
        send(tmp_path / "a", "s3://no-such-lab/a")


def test_a_refusal_names_the_address_the_status_and_what_to_do(object_store, tmp_path):
    object_store.put("raw.tsv", b"x")
    object_store.faults.status, object_store.faults.times = 403, 99
    with pytest.raises(InputError) as caught:
        fetch(f"{LAB}/raw.tsv", tmp_path / "a")
    assert str(caught.value) == (
        f"{LAB}/raw.tsv: may not be read: the store refuses (403) - "
        "check the credentials and what they are allowed to do [INPUT]"
    )
    (tmp_path / "b").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"may not be written: the store refuses \(403\)"):
        send(tmp_path / "b", f"{LAB}/b")
    object_store.faults.times = 0
    assert object_store.names() == ["raw.tsv"]


def test_a_store_that_is_busy_for_a_moment_is_asked_again(object_store, tmp_path):
    object_store.put("raw.tsv", b"data")
    object_store.faults.status, object_store.faults.times = 503, 2
    fetch(f"{LAB}/raw.tsv", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"data"
    assert object_store.faults.times == 0


def test_a_store_that_stays_busy_is_named_and_leaves_what_was_there(object_store, tmp_path):
    object_store.put("out", b"old")
    (tmp_path / "a").write_bytes(b"new")
    object_store.faults.status, object_store.faults.times = 503, 99
    object_store.faults.method = "PUT"
    with pytest.raises(OutputError) as caught:
        send(tmp_path / "a", f"{LAB}/out")
    assert "cannot be written: the store is busy or broken (503)" in str(caught.value)
    assert "run the same command again later" in str(caught.value)
    assert object_store.faults.times < 98, "it was not asked again"
    object_store.faults.times = 0
    assert object_store.get("out") == b"old"


def test_a_large_object_comes_whole_or_not_at_all(object_store, tmp_path, monkeypatch):
    """Of an upload in several parts, one that fails leaves nothing that anybody sees."""
    import s3fs.core

    monkeypatch.setattr(s3fs.core, "calculate_chunksize", lambda *_, **__: 5 * 2**20)
    (tmp_path / "a").write_bytes(bytes(12 * 2**20))
    object_store.faults.status, object_store.faults.times = 503, 99
    object_store.faults.method, object_store.faults.path = "PUT", "large"
    with pytest.raises(OutputError, match="503"):
        send(tmp_path / "a", f"{LAB}/large")
    object_store.faults.times = 0
    assert object_store.names() == []
    assert not object_store.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads")
    send(tmp_path / "a", f"{LAB}/large")
    assert size_of(f"{LAB}/large") == 12 * 2**20


def test_elsewhere_what_is_sent_gets_its_name_at_the_end(memory_store, tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "_WHOLE_OR_ABSENT", ())
    put(f"{memory_store}/out", b"old")
    (tmp_path / "a").write_bytes(b"new")
    store, key = objects._open(f"{memory_store}/out")

    def breaks(*_args):
        raise OSError(errno.ECONNRESET, "reset")

    monkeypatch.setattr(type(store), "mv", breaks)
    with pytest.raises(OutputError, match="cannot be written: ConnectionResetError"):
        send(tmp_path / "a", f"{memory_store}/out")
    assert store.cat_file(key) == b"old"
    assert names_in(memory_store) == ["out"]
    monkeypatch.undo()
    monkeypatch.setattr(objects, "_WHOLE_OR_ABSENT", ())
    send(tmp_path / "a", f"{memory_store}/out")
    assert store.cat_file(key) == b"new"
    assert names_in(memory_store) == ["out"]


def test_a_copy_that_came_short_is_refused(memory_store, tmp_path, monkeypatch):
    put(f"{memory_store}/a", b"0123456789")
    store, _ = objects._open(f"{memory_store}/a")
    monkeypatch.setattr(type(store), "get_file", lambda *args: (tmp_path / "a").write_bytes(b"01"))
    with pytest.raises(InputError, match="came incomplete: 2 of 10 bytes"):
        fetch(f"{memory_store}/a", tmp_path / "a")


def test_a_full_disk_is_told_as_one_of_this_machine(memory_store, tmp_path, monkeypatch):
    put(f"{memory_store}/a", b"0123456789")
    store, _ = objects._open(f"{memory_store}/a")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(store), "get_file", full)
    with pytest.raises(OutputError, match="no room for a copy on this machine") as caught:
        fetch(f"{memory_store}/a", tmp_path / "a")
    assert "TMPDIR" in caught.value.hint
    assert caught.value.exit_code == 3


def test_no_secret_of_an_address_is_in_an_error(monkeypatch, tmp_path):
    pytest.importorskip("fsspec")
    url = "https://ann:hidden@127.0.0.1:9/raw.tsv?sig=token"

    def says_all(_url):
        raise OSError(f"cannot get {url}")

    monkeypatch.setattr(objects, "_open", says_all)
    with pytest.raises(InputError) as caught:
        fetch(url, tmp_path / "a")
    assert "hidden" not in caught.value.whole()
    assert "token" not in caught.value.whole()
    assert "https://127.0.0.1:9/raw.tsv" in caught.value.whole()


def test_a_store_nobody_knows_and_one_that_is_not_installed_are_told(monkeypatch, tmp_path):
    pytest.importorskip("fsspec")
    with pytest.raises(ConfigError, match="no store is known by nonsense://"):
        fetch("nonsense://a/b", tmp_path / "a")
    registry = import_module("fsspec.registry")
    entry = {"class": "not_installed.At.All", "err": "install it"}
    monkeypatch.setitem(registry.known_implementations, "gs", entry)
    with pytest.raises(ConfigError) as caught:
        fetch("gs://a/b", tmp_path / "a")
    assert caught.value.hint == "pip install 'gazetrack[gs]'"


def test_memory_is_of_one_process():
    check_shared(["s3://a", ""])
    with pytest.raises(ConfigError, match="one process"):
        check_shared(["s3://a", "memory://a"])


@pytest.fixture
def web(tmp_path):
    """A web server with a file in it, which answers 404 and 403 as servers do."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            status = {"/raw.csv": 200, "/locked.csv": 403}.get(path, 404)
            self.send_response(status)
            self.send_header("Content-Length", "5" if status == 200 else "0")
            self.end_headers()
            if status == 200 and self.command == "GET":
                self.wfile.write(b"x,y,t")

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_web_server_is_read_and_its_answers_are_told(web, tmp_path):
    pytest.importorskip("aiohttp", reason="web addresses need: pip install 'gazetrack[s3]'")
    fetch(f"{web}/raw.csv?token=hidden", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x,y,t"
    with pytest.raises(InputError, match=r"no such object or bucket \(404\)"):
        fetch(f"{web}/none.csv", tmp_path / "b")
    with pytest.raises(InputError, match=r"the store refuses \(403\)") as caught:
        fetch(f"{web}/locked.csv?token=hidden", tmp_path / "b")
    assert "hidden" not in caught.value.whole()
    with pytest.raises(OutputError, match="is on a web server"):
        send(tmp_path / "a", f"{web}/out")


def test_a_server_that_cannot_be_reached_is_no_missing_object(tmp_path):
    pytest.importorskip("aiohttp", reason="web addresses need: pip install 'gazetrack[s3]'")
    with pytest.raises(InputError, match="cannot be read: ClientConnector") as caught:
        fetch("http://127.0.0.1:9/raw.csv?token=hidden", tmp_path / "a")
    assert "404" not in str(caught.value)
    assert "hidden" not in caught.value.whole()
