"""Publishing: old or new, never damaged, nothing left behind; and names from data."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time
from contextlib import nullcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazetrack import publish as module
from gazetrack.errors import OutputError
from gazetrack.publish import (
    MAX_NAME_CHARS,
    file_stem,
    publish,
    publish_folder,
    put,
    refuse_input_folder,
    refuse_overwrite,
    safe_name,
    sha256_of,
    unique_names,
    write_bytes,
    write_json,
    write_text,
)
from tests import strategies


def test_a_file_appears_whole_with_its_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "a.bin"
    with publish(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]


def test_an_exception_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def fail():
        with publish(path) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


# How often each is called to write one file: the temporary file and two folders, its folder and
# itself, once.
CALLS = {"open": 2, "fsync": 2, "replace": 1}


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE]
)
@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_every_call_that_fails_is_reported_and_cleaned_up(tmp_path, monkeypatch, call, number):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    real = getattr(os, call)
    for nth in range(1, 4):
        calls = 0

        def fails_at_nth(*args, nth=nth, **kwargs):
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(number, os.strerror(number))
            return real(*args, **kwargs)

        monkeypatch.setattr(module.os, call, fails_at_nth)
        expected = (
            pytest.raises(OutputError, match=re.escape(str(path)))
            if nth <= CALLS[call]
            else nullcontext()
        )
        with expected:
            write_bytes(path, b"new")
        monkeypatch.undo()
        assert path.read_bytes() in (b"old", b"new")
        assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_the_order_is_write_sync_replace_sync_folder(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            module.os, name, lambda *a, real=real, name=name: (calls.append(name), real(*a))[1]
        )
    write_bytes(tmp_path / "a.bin", b"x")
    assert calls == ["fsync", "replace", "fsync"]


def test_a_full_disk_while_writing(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"

    def fail():
        with publish(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_dead_runs_left_is_removed_and_live_ones_kept(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    stale = tmp_path / f".a.bin.{int(dead.stdout)}.gtmp"
    live = tmp_path / f".b.bin.{os.getppid()}.gtmp"
    for path in (stale, live):
        path.write_bytes(b"half")
    write_bytes(tmp_path / "c.bin", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == [live.name, "c.bin"]


def test_what_an_earlier_process_of_our_own_number_left_is_removed(tmp_path):
    # In a container the first process has the same number on every start.
    if module._start_of(os.getpid()) is None:
        pytest.skip("the system does not tell when a process started")
    for left in (f".a.bin.{os.getpid()}.gtmp", f".a.bin.{os.getpid()}-1.gtmp"):
        (tmp_path / left).write_bytes(b"half")
    write_bytes(tmp_path / "a.bin", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_where_the_system_does_not_tell_the_start_the_number_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_start_of", lambda pid: None)
    live = tmp_path / f".b.bin.{os.getppid()}-7.gtmp"
    live.write_bytes(b"half")
    write_bytes(tmp_path / "a.bin", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == [live.name, "a.bin"]


def test_what_cannot_be_removed_does_not_stop_us(tmp_path):
    for left in (".a.bin.999999999.gtmp", f".a.bin.{'9' * 30}.gtmp"):
        (tmp_path / left).mkdir()
    write_bytes(tmp_path / "a.bin", b"x")
    assert (tmp_path / "a.bin").read_bytes() == b"x"


def test_what_another_machine_is_writing_stays_for_a_day(tmp_path):
    """Its processes have numbers of their own: a worker of a cluster may be at work."""
    nobody = 999999999
    at_work = tmp_path / f".a.bin.{nobody}-7@0123abcd.gtmp"
    left = tmp_path / f".b.bin.{nobody}-7@0123abcd.gtmp"
    ours = tmp_path / f".c.bin.{nobody}-7@{module._machine()}.gtmp"
    for path in (at_work, left, ours):
        path.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    write_bytes(tmp_path / "d.bin", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [at_work.name, "d.bin"]


def test_a_file_too_large_for_the_disk(tmp_path):
    write_bytes(tmp_path / "a.bin", b"old")
    code = """
import resource, sys
from gazetrack.errors import OutputError
from gazetrack.publish import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_bytes(sys.argv[1], bytes(1_000_000))
except OutputError as error:
    sys.exit(error.exit_code)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "a.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_link_is_replaced_and_never_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path = tmp_path / "a.bin"
    path.symlink_to(victim)
    write_bytes(path, b"x")
    assert victim.read_bytes() == b"precious"
    assert not path.is_symlink()


def test_a_planted_temporary_link_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    module._temporary_name(tmp_path / "a.bin").symlink_to(victim)
    with pytest.raises(OutputError):
        write_bytes(tmp_path / "a.bin", b"x")
    assert victim.read_bytes() == b"precious"


def test_a_folder_of_that_name_and_a_file_as_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    for path in (tmp_path / "folder", tmp_path / "file" / "a.bin"):
        with pytest.raises(OutputError):
            write_bytes(path, b"x")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX")
def test_no_device_or_pipe_is_replaced(tmp_path):
    """The superuser could take /dev/null from the whole machine."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OutputError, match="a device or a pipe"):
            write_bytes(tmp_path / name, b"x")
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_name_that_no_file_system_takes_is_an_error_of_the_output(tmp_path):
    with pytest.raises(OutputError, match="name too long"):
        refuse_overwrite(tmp_path / ("x" * 300), [tmp_path])


def test_others_may_read_what_the_umask_allows(tmp_path):
    write_bytes(tmp_path / "a.bin", b"x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o666 & ~umask


def test_text_json_and_hash(tmp_path):
    write_text(tmp_path / "a.txt", "ä\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\n".encode()
    write_json(tmp_path / "a.json", {"b": 1, "a": "ü"})
    assert (tmp_path / "a.json").read_text("utf-8") == '{\n  "b": 1,\n  "a": "ü"\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))
    assert sha256_of(tmp_path / "a.txt").startswith("ac6f010e")
    assert not (tmp_path / "b.json").exists()


@given(strategies.names())
@example("0\u20250")  # compatibility normal forms bring new dots
def test_safe_names_are_safe(text):
    name = safe_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)
    assert len(name) <= MAX_NAME_CHARS
    assert ".." not in name or ".." in text
    assert name.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert safe_name(name) == name


@given(st.lists(strategies.names(), max_size=30))
def test_different_names_stay_different_whatever_the_case(texts):
    names = unique_names(texts)
    assert set(names) == set(texts)
    assert len({name.lower() for name in names.values()}) == len(names)


def test_a_name_that_looks_like_our_digest_of_another():
    taken = unique_names(["a", "A"])["A"]
    names = unique_names(["a", taken, "A"])
    assert len({name.lower() for name in names.values()}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "../../x",
        "/etc/passwd",
        "-rf",
        ".hidden",
        "a\0b",
        "a\nb",
        "\u202etxt.exe",
        "",
        "x" * 300,
        "CON",
        "nul.txt",
    ],
)
def test_hostile_names(text):
    assert safe_name(text) != text
    assert "/" not in safe_name(text)


@pytest.mark.parametrize("text", ["case_12", "P01", "a.b-c", "image.jpg"])
def test_ordinary_names_stay_as_they_are(text):
    assert safe_name(text) == text


def test_an_output_that_is_an_input_is_refused_under_any_name(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    for name in ("a", "link", "hard"):
        with pytest.raises(OutputError, match="over the input"):
            refuse_overwrite(tmp_path / name, [tmp_path / "missing", tmp_path / "a"])
    refuse_overwrite(tmp_path / "b", [tmp_path / "a"])
    (tmp_path / "b").write_text("x")
    refuse_overwrite(tmp_path / "b", [tmp_path / "a"])


def test_a_signal_right_after_the_file_was_made_leaves_nothing(tmp_path, monkeypatch):
    make = os.open

    def made_and_interrupted(path, *arguments):
        descriptor = make(path, *arguments)
        if str(path).endswith(".gtmp"):
            os.close(descriptor)
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(os, "open", made_and_interrupted)
    with pytest.raises(KeyboardInterrupt), publish(tmp_path / "a.bin"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_of_the_same_output_leaves_the_first_ones_file(tmp_path):
    path = tmp_path / "a.bin"
    with publish(path) as first:
        first.write(b"first")
        with pytest.raises(OutputError, match="exists"), publish(path):
            pass
    assert path.read_bytes() == b"first"


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "new" / "set"
    with publish_folder(target) as folder:
        write_text(folder / "staged" / "a", "x")
        put(folder / "staged" / "a", folder / "b" / "a.txt")
        assert not target.exists()
    assert (target / "b" / "a.txt").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["set"]


def test_of_a_folder_that_fails_nothing_is_left(tmp_path):
    (tmp_path / "set").mkdir()

    def fail_half_way():
        with publish_folder(tmp_path / "set") as folder:
            write_text(folder / "a", "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert list(tmp_path.rglob("*")) == [tmp_path / "set"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    write_text(tmp_path / "set" / "mine", "mine")
    with pytest.raises(OutputError, match="not empty"), publish_folder(tmp_path / "set"):
        pytest.fail("not to be entered")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for taken, words in (("link", "is a link"), ("set/mine", "no folder")):
        with pytest.raises(OutputError, match=words), publish_folder(tmp_path / taken):
            pytest.fail("not to be entered")


def test_what_a_dead_run_left_of_a_folder_is_removed(tmp_path):
    left = tmp_path / ".set.999999999-1.gtmp"
    write_text(left / "a", "x")
    other = tmp_path / ".other.999999999-1.gtmp"
    other.mkdir()
    with publish_folder(tmp_path / "set"):
        assert not left.exists()
    assert other.exists()


def test_nothing_is_put_over_something(tmp_path):
    for name in ("a", "b"):
        write_text(tmp_path / name, name)
    with pytest.raises(OutputError, match="twice"):
        put(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "b"


def test_a_folder_may_take_the_place_of_another_as_a_whole(tmp_path):
    write_text(tmp_path / "set" / "old", "x")
    with publish_folder(tmp_path / "set", replace=True) as folder:
        write_text(folder / "new", "x")
        assert (tmp_path / "set" / "old").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "new"]


def test_a_folder_that_a_dead_run_put_aside_comes_back(tmp_path):
    aside = tmp_path / ".set.aside.999999999-1.gtmp"
    write_text(aside / "old", "x")
    with pytest.raises(OutputError, match="not empty"), publish_folder(tmp_path / "set"):
        pytest.fail("not to be entered")
    assert (tmp_path / "set" / "old").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="in one step on Linux alone")
def test_there_is_no_moment_without_the_older_folder_or_the_new(tmp_path, monkeypatch):
    write_text(tmp_path / "set" / "old", "x")
    seen = []
    for name in ("replace", "fsync"):
        real = getattr(os, name)

        def watched(*args, real=real):
            seen.append(os.listdir(tmp_path / "set"))  # noqa: PTH208 - fails where there is none
            return real(*args)

        monkeypatch.setattr(os, name, watched)
    with publish_folder(tmp_path / "set", replace=True) as folder:
        write_text(folder / "new", "x")
    assert ["old"] in seen
    assert seen[-1] == ["new"]
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "new"]


def test_the_disk_has_the_names_of_new_folders(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(module, "sync_folder", synced.append)
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"x")
    assert synced == [tmp_path / "a", tmp_path, tmp_path / "a" / "b"]


def test_a_system_that_exchanges_no_names_says_so(tmp_path, monkeypatch):
    def none_there(name, **_):
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", none_there)
    write_text(tmp_path / "set" / "old", "x")
    (tmp_path / "other").mkdir()
    assert not module.exchanged(tmp_path / "other", tmp_path / "set")
    with publish_folder(tmp_path / "set", replace=True) as folder:
        write_text(folder / "new", "x")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["new"]


def test_where_the_new_folder_cannot_be_put_the_older_one_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "exchanged", lambda *_: False)
    write_text(tmp_path / "set" / "old", "x")
    replaced = os.replace

    def full(source, target):
        if str(target).endswith("set") and ".aside." not in str(source):
            raise OSError(errno.ENOSPC, "No space left on device")
        replaced(source, target)

    def publish_another():
        with publish_folder(tmp_path / "set", replace=True):
            monkeypatch.setattr(os, "replace", full)

    with pytest.raises(OutputError, match="No space left"):
        publish_another()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "old"]


def test_a_name_of_the_user_that_cannot_be_shown_or_written_becomes_a_safe_one():
    for text in ("", " a", "a.", "-a", "a/b", "con", "a\u202eb", "ä" * 91):
        assert file_stem(text) == safe_name(text) != text
    assert file_stem("Größe 2") == "Größe 2"


def test_a_name_that_the_system_cannot_encode_stands_there_as_its_bytes(monkeypatch):
    def narrow(name):
        raise UnicodeEncodeError("ascii", name, 0, 1, "ordinal not in range(128)")

    monkeypatch.setattr(os, "fsencode", narrow)
    assert file_stem("ä") == os.fsdecode("ä".encode())


def test_a_folder_of_inputs_is_no_place_for_outputs(tmp_path):
    (tmp_path / "images").mkdir()
    refuse_input_folder([tmp_path / "new", tmp_path / "images"], [None, tmp_path / "gaze"])
    with pytest.raises(OutputError, match="is a folder of inputs") as caught:
        refuse_input_folder([tmp_path / "images"], [None, tmp_path / "images" / "." / ""])
    assert caught.value.path == tmp_path / "images"


def test_what_is_called_almost_as_our_temporary_folders_stays(tmp_path):
    (tmp_path / ".mine.gtmp").mkdir()
    with publish_folder(tmp_path / "mine"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.gtmp", "mine"]


def test_machines_without_proc_are_told_apart_by_their_names(monkeypatch):
    def absent(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", absent)
    here = module._machine.__wrapped__()
    monkeypatch.setattr(module.platform, "node", lambda: "another")
    assert here != module._machine.__wrapped__()


def test_a_temporary_file_that_has_just_become_an_output_is_left_alone(tmp_path):
    path = tmp_path / ".a.bin.7@00000000.gtmp"  # of another machine, and gone
    assert not module.is_left(path)


def test_a_process_of_another_user_is_alive(monkeypatch):
    def refused(pid, number):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refused)
    monkeypatch.setattr(module, "_start_of", lambda pid: "5")
    assert module._is_alive(1, "5")
    assert not module._is_alive(1, "4")  # its number was given to another one since


def test_nobody_tells_when_a_process_that_is_gone_began():
    assert module._start_of(2**30) is None
