# This is about the very calls of `os`, which ruff would have as those of pathlib.
# ruff: noqa: PTH109, PTH112, PTH113, PTH115, PTH118, PTH119, PTH120
"""Faults at every call that changes a file: each in turn fails, tears, or is the last of all.

The layer is Python's own: what `os` and `open` are asked to change below one folder is counted, and
the n-th call goes wrong. All our outputs pass there, those of Arrow and Pillow too, as they write
to files that `gazetrack.publish` opened; `unseen_calls` proves it against the system's own list.
A crash is not acted: what is on the disk at that moment is what a kill would have left.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
REFUSED = (*FULL, errno.EROFS)
# What the system may answer to each call that changes a file.
ANSWERS = {
    "open": (*REFUSED, errno.EMFILE),
    "open folder": (errno.EIO, errno.EMFILE),  # to be synced, or emptied
    "write": FULL,
    "fsync": FULL,
    "close": FULL,
    "mkdir": REFUSED,
    "replace": REFUSED,
    "rename": REFUSED,
    "link": REFUSED,
    "symlink": REFUSED,
    "truncate": FULL,
    "ftruncate": FULL,
    "posix_fallocate": FULL,
    "unlink": (errno.EIO, errno.EROFS),
    "remove": (errno.EIO, errno.EROFS),
    "rmdir": (errno.EIO, errno.EROFS),
}
_REMOVING = ("unlink", "remove", "rmdir")
_NO_ROOM_NEEDED = (*_REMOVING, "open folder")
_OF_TWO = ("replace", "rename", "link", "symlink")
_OF_DESCRIPTOR = {
    "fsync": "fsync",
    "fdatasync": "fsync",
    "ftruncate": "ftruncate",
    "posix_fallocate": "posix_fallocate",
}
_OF_PATH = ("mkdir", *_REMOVING, *_OF_TWO, "truncate")
_LEFT = re.compile(r"\.gtmp(/|$)")
_OWN_NUMBER = re.compile(r"\.\d+(?:-\d+)?(@[0-9a-f]{8})?\.gtmp$")


@dataclass(frozen=True)
class Call:
    """A call that changes a file, or the folder it is in; `path` is as seen from the folder."""

    name: str
    path: str


@dataclass(frozen=True)
class Fault:
    """What goes wrong: call number `nth` answers `number`.

    when: before anything happened, torn (half of a write is done), or after all was done.
    lasting: every later call that takes room fails as well, as on a full disk."""

    nth: int
    number: int
    when: str = "before"
    lasting: bool = False


class Calls:
    """The calls that change files below a folder, counted; `meet` is told of each of them."""

    def __init__(self, folder, meet=lambda n, call, when: None):
        self.folder = os.path.realpath(folder)
        self.made = []
        self.elsewhere = set()
        self._meet = meet
        self._lock = threading.RLock()

    def __enter__(self):
        self._restore = contextlib.ExitStack()
        for name in _OF_PATH:
            self._put(os, name, self._of_path(name, getattr(os, name)))
        for name, called in _OF_DESCRIPTOR.items():
            self._put(os, name, self._of_descriptor(called, getattr(os, name)))
        self._put(os, "open", self._os_open(os.open))
        self._put(os, "write", self._os_write(os.write))
        self._put(os, "sendfile", self._of_descriptor("write", os.sendfile))
        opened = self._open(io.open)
        for module in (builtins, io, tempfile._io):
            self._put(module, "open", opened)
        return self

    def __exit__(self, *error):
        self._restore.close()

    def _put(self, module, name, value):
        self._restore.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, value)

    def within(self, path, dir_fd=None):
        """Return a path as seen from the folder, or None for one elsewhere."""
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}").removesuffix(" (deleted)")
        path = os.fsdecode(path)
        if dir_fd is not None:
            path = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path)
        whole = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if whole == self.folder:
            return "."
        if whole.startswith(self.folder + os.sep):
            return whole[len(self.folder) + 1 :]
        self.elsewhere.add(whole)
        return None

    def around(self, name, path, work, torn=None, undo=None):
        """Do `work` as the next call; `torn` does half of it, `undo` is for an error after it."""
        if path is None:
            return work()
        with self._lock:
            n = len(self.made)
            call = Call(name, path)
            self.made.append(call)
        self._meet(n, call, "before")
        if torn is not None:
            torn()
            self._meet(n, call, "torn")
        result = work()
        try:
            self._meet(n, call, "after")
        except OSError:
            if undo is not None:
                undo(result)
            raise
        return result

    def _of_path(self, name, real):
        def wrapped(path, *more, **named):
            changed = more[0] if name in _OF_TWO else path
            dir_fd = named.get("dst_dir_fd", named.get("dir_fd"))
            return self.around(
                name, self.within(changed, dir_fd), lambda: real(path, *more, **named)
            )

        return wrapped

    def _of_descriptor(self, name, real):
        def wrapped(descriptor, *more, **named):
            path = self.within(descriptor)
            return self.around(name, path, lambda: real(descriptor, *more, **named))

        return wrapped

    def _os_open(self, real):
        def wrapped(path, flags, mode=0o777, *, dir_fd=None):
            # Of a folder that is opened to be synced, too: descriptors run out there as well.
            changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            to_sync = not changes and dir_fd is None and os.path.isdir(path)
            inside = self.within(path, dir_fd) if changes or to_sync else None
            name = "open folder" if to_sync else "open"
            return self.around(
                name, inside, lambda: real(path, flags, mode, dir_fd=dir_fd), undo=os.close
            )

        return wrapped

    def _os_write(self, real):
        def wrapped(descriptor, data):
            regular = os.path.isfile(f"/proc/self/fd/{descriptor}")
            path = self.within(descriptor) if regular else None
            half = memoryview(data)[: len(data) // 2]
            rest = memoryview(data)[len(data) // 2 :]
            if path is None:
                return real(descriptor, data)
            self.around(
                "write", path, lambda: real(descriptor, rest), lambda: real(descriptor, half)
            )
            return len(data)

        return wrapped

    def _open(self, real):
        def wrapped(
            file,
            mode="r",
            buffering=-1,
            encoding=None,
            errors=None,
            newline=None,
            closefd=True,
            opener=None,
        ):
            inside = self.within(file) if set(mode) & set("wax+") else None
            if inside is None:
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            how = mode.replace("b", "").replace("t", "")

            def made():
                return _File(self, inside, file, how, closefd, opener)

            by_descriptor = isinstance(file, int) or opener is not None
            raw = made() if by_descriptor else self.around("open", inside, made)
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffered
            return io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)

        return wrapped


class _File(io.FileIO):
    """A file of the folder: its writes and its closing are calls."""

    def __init__(self, calls, inside, file, mode, closefd, opener):
        super().__init__(file, mode, closefd, opener)
        self._calls = calls
        self._inside = inside

    def write(self, data):
        data = memoryview(data).cast("B")
        half = len(data) // 2
        self._calls.around(
            "write",
            self._inside,
            lambda: self._all(data[half:]),
            lambda: self._all(data[:half]),
        )
        return len(data)

    def _all(self, data):
        while data:
            data = data[super().write(data) :]

    def close(self):
        if self.closed:
            return
        super().close()
        self._calls.around("close", self._inside, lambda: None)


def failing(fault):
    """Return the `meet` of a fault, and the list of calls that it has hit."""
    hit = []

    def meet(n, call, when):
        again = fault.lasting and n > fault.nth and call.name not in _NO_ROOM_NEEDED
        if (n == fault.nth and when == fault.when) or (again and when == "before"):
            hit.append(call)
            raise OSError(fault.number, os.strerror(fault.number))

    return meet, hit


def faults_of(calls):
    """Yield every fault of every call of a run."""
    for n, call in enumerate(calls):
        for number in ANSWERS[call.name]:
            yield Fault(n, number)
        if call.name == "write":
            yield Fault(n, errno.ENOSPC, "torn")
        if call.name in ("fsync", "replace", "close", "open", "open folder"):
            yield Fault(n, errno.EIO, "after")
        if call.name not in _NO_ROOM_NEEDED:
            yield Fault(n, errno.ENOSPC, lasting=True)


def tree(folder):
    """Return the bytes of every file below a folder, by its path; a folder has none, a link its
    target."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = b"-> " + os.fsencode(os.readlink(path))
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def restore(contents, folder):
    """Make a folder hold exactly these files; the folder itself stays, as somebody may be in it."""
    for path in Path(folder).iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, data in contents.items():
        path = Path(folder) / name
        if data is None:
            path.mkdir(parents=True, exist_ok=True)
        elif data.startswith(b"-> "):
            path.symlink_to(os.fsdecode(data[3:]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def as_left_by_the_dead(contents):
    """Return a snapshot whose temporary files are those of a process that is no more."""
    return {
        "/".join(_OWN_NUMBER.sub(r".999999999-1\1.gtmp", part) for part in name.split("/")): data
        for name, data in contents.items()
    }


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str


def run(line, folder):
    """Run a command in this process, in a folder, as a user would."""
    import shlex

    from gazetrack_cli import errors
    from gazetrack_cli.programs import command_of

    program, *arguments = shlex.split(line)
    command = command_of(program)
    out, err = io.StringIO(), io.StringIO()
    before = os.getcwd(), sys.argv, tempfile.tempdir, errors._throw_output_away
    os.chdir(folder)
    sys.argv = [program, *arguments]
    tempfile.tempdir = str(Path(folder) / "tmp")
    errors._debug = False
    errors._throw_output_away = lambda: None  # the output of the tests is not to be lost
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = errors._exit_code(command, program)
    finally:
        os.chdir(before[0])
        sys.argv, tempfile.tempdir, errors._throw_output_away = before[1:]
    return Result(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command, run once on some inputs and then, with its outputs there, on others.

    prepare(folder, 0 or 1) writes the inputs. told: files that say how a run went, which `check`
    looks at. unfinished: what a run that was cut short keeps for the next one, by design. varying:
    what differs from run to run in contents and names, and is no result. codes: those of a fault
    of the output side. check(folder) yields what cannot be used, beyond being old or new, file by
    file. within: gives what is there while the command runs, such as a server's data set."""

    name: str
    line: str
    prepare: object
    told: str = r"(?!)"
    unfinished: str = r"(?!)"
    varying: str = r"(?!)"
    codes: tuple = (3,)
    check: object = None
    within: object = contextlib.nullcontext


@dataclass
class Bench:
    """A case in its folder: how it is before, what a run without faults makes of it."""

    case: Case
    folder: Path
    before: dict = field(init=False)
    after: dict = field(init=False)
    calls: list = field(init=False)

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").mkdir()
        self.case.prepare(self.folder, 0)
        first = self.run()
        assert first.code == 0, (self.case.name, first)
        self.case.prepare(self.folder, 1)
        self.before = tree(self.folder)
        self.run()  # whatever is kept for the life of a process is made by now
        restore(self.before, self.folder)
        with Calls(self.folder) as calls:
            done = self.run()
        assert done.code == 0, (self.case.name, done)
        self.calls = calls.made
        self.elsewhere = calls.elsewhere
        self.after = tree(self.folder)
        assert self._plain(self.after) != self._plain(self.before), "it changes nothing"

    def run(self):
        with self.case.within():
            return run(self.case.line, self.folder)

    def _plain(self, contents):
        varying = self.case.varying
        return {
            re.sub(varying, "", name): data and re.sub(varying.encode(), b"", data)
            for name, data in contents.items()
        }

    def problems(self, found, *, done=False, crashed=False):
        """Say what is wrong with the files that are there.

        done: the command said so, so that all have to be the new ones. crashed: what is being
        written may lie there."""
        before, after, found = map(self._plain, (self.before, self.after, found))
        for name in sorted({*before, *after, *found}):
            if _LEFT.search(name):
                if name in found and not crashed:
                    yield f"{name}: left behind"
                continue
            right = (after.get(name, ""),) if done else (before.get(name, ""), after.get(name, ""))
            if found.get(name, "") in right or re.search(self.case.told, name):
                continue
            if not done and re.search(self.case.unfinished, name):
                continue
            is_there = "lost" if name not in found else "neither the old one nor the new"
            yield f"{name}: {is_there}"
        if self.case.check is not None and not crashed:
            yield from self.case.check(self.folder)

    def try_fault(self, fault):
        """Run with a fault; return what is wrong, and whether it came to it."""
        restore(self.before, self.folder)
        meet, hit = failing(fault)
        try:
            with Calls(self.folder, meet):
                result = self.run()
        except BaseException as error:  # noqa: BLE001 - whatever comes out is a finding
            return [f"{type(error).__name__}: {error}"], bool(hit)
        found = tree(self.folder)
        if hit and hit[0].name in _NO_ROOM_NEEDED:  # what could not be removed stays, and no more
            stays = re.compile(f"{_LEFT.pattern}|{self.case.unfinished}")
            found = {name: data for name, data in found.items() if not stays.search(name)}
        wrong = list(self.problems(found, done=result.code == 0))
        if hit and result.code != 0:
            wrong += self._wrong_words(result)
        if not hit and result.code != 0:
            wrong.append(f"exit {result.code} without a fault: {result.err}")
        return wrong, bool(hit)

    def _wrong_words(self, result):
        if result.code not in self.case.codes:
            yield f"exit {result.code}: {result.err}"
        lines = result.err.strip().splitlines()
        if not any(" error: " in line for line in lines):
            yield f"no error is told: {result.err!r}"
        for word in ("Traceback", "internal error", "INTERNAL", "standard output"):
            if word in result.err:
                yield f"{word} in {result.err!r}"

    def crashes(self):
        """Yield what every crash would leave: the number of the call, when, and the files."""
        left = []

        def meet(n, call, when):
            left.append((n, when, tree(self.folder)))

        restore(self.before, self.folder)
        with Calls(self.folder, meet):
            self.run()
        for n, when, found in left:
            yield n, when, as_left_by_the_dead(found)

    def try_crash(self, found, *, again):
        """Say what is wrong after a crash, and with a run after it where that is asked for."""
        wrong = list(self.problems(found, crashed=True))
        if again or self.case.check is not None:
            restore(found, self.folder)
        if self.case.check is not None:
            wrong += self.case.check(self.folder)
        if again:
            result = self.run()
            if result.code != 0:
                wrong.append(f"the next run: exit {result.code}: {result.err}")
            wrong += [f"after the next run, {text}" for text in self._after_next()]
        return wrong

    def _after_next(self):
        return self.problems(tree(self.folder), done=True)

    def unsynced(self):
        """Say which outputs appear without their bytes, or their name, being on the disk."""
        synced, waiting = set(), {}
        for call in self.calls:
            if call.name == "fsync":
                synced.add(call.path)
                waiting.pop(call.path, None)
            elif call.name == "write":
                synced.discard(call.path)
            elif call.name == "mkdir" and call.path in self.before:  # it was there
                continue
            elif call.name in ("replace", "rename", "link", "mkdir"):
                above = os.path.dirname(call.path) or "."
                waiting[above] = call.path
                yield from self._unsynced_source(call, synced)
        for path in waiting.values():
            if path in self.after:
                yield f"{path}: its folder is not synced"

    def _unsynced_source(self, call, synced):
        name = os.path.basename(call.path)
        above = os.path.dirname(call.path)
        written = {c.path for c in self.calls if c.name == "write"}
        source = re.compile(re.escape(os.path.join(above, f".{name}.")) + r"[^/]*\.gtmp$")
        for path in written:
            if source.match(path) and path not in synced:
                yield f"{call.path}: its bytes are not synced"


def spread(things, n):
    """Return n of them, evenly spread."""
    things = list(things)
    return things[:: max(1, -(-len(things) // n))]


# What the system calls are that Python's of `Calls` end in.
_SYSTEM = {
    "mkdir": "mkdir",
    "mkdirat": "mkdir",
    "rename": "replace",
    "renameat": "replace",
    "renameat2": "replace",
    "link": "link",
    "linkat": "link",
    "unlink": "unlink",
    "unlinkat": "unlink",
    "rmdir": "rmdir",
    "symlink": "symlink",
    "symlinkat": "symlink",
    "fsync": "fsync",
    "fdatasync": "fsync",
    "ftruncate": "ftruncate",
    "write": "write",
    "pwrite64": "write",
    "writev": "write",
    "openat": "open",
}
_LINE = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)")


def seen_by_the_system(bench):
    """Count what the system sees a command change in its folder, by the names of `Calls`.

    The command runs once more, in a process of its own, under strace."""
    restore(bench.before, bench.folder)
    code = "import sys; from tests.faults import run; sys.exit(run(sys.argv[1], sys.argv[2]).code)"
    log = bench.folder.with_suffix(".strace")
    watched = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={','.join(_SYSTEM)}", "-o", str(log)]
    command = [*watched, sys.executable, "-c", code, bench.case.line, str(bench.folder)]
    above = Path(__file__).parents[1]
    subprocess.run(command, check=True, cwd=above, stdout=subprocess.DEVNULL)
    found = {}
    for line in log.read_text("utf-8", "replace").splitlines():
        match = _LINE.match(line)
        if match is None or int(match[3]) < 0:
            continue
        name = _SYSTEM[match[1]]
        if match[1] == "unlinkat" and "AT_REMOVEDIR" in match[2]:
            name = "rmdir"
        # Relative names are seen from the folder, which is where the command works.
        is_relative = re.match(r"\"[^/]", match[2]) or re.match(
            r"AT_FDCWD<[^>]*>, \"[^/]", match[2]
        )
        if str(bench.folder) not in match[2] and not is_relative:
            continue
        if name == "open" and "O_CREAT" not in match[2]:
            continue
        found[name] = found.get(name, 0) + 1
    return found
