"""What file systems and environments may do to a command: each case in a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass, field

GAZE = "x,y,t\n" + "".join(
    f"{[100, 400, 250][i // 70 % 3] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(210)
)
PROGRAM = [sys.executable, "-P", "-c", "from gazetrack_cli.start import gazetrack; gazetrack()"]
PLANTED = "import pathlib\npathlib.Path('ran').mkdir(exist_ok=True)\n"
TABLE = "a.fixations.parquet"


@dataclass(frozen=True, kw_only=True)
class Surrounding:
    """A case: convert `arguments`, after prepare(folder), with an exit code of `codes`.

    made: the table that is there afterwards; None for none. told: words of its one error."""

    codes: tuple = (0,)
    arguments: tuple = ("a.csv", "-o", "out")
    made: str | None = f"out/{TABLE}"
    prepare: object = lambda folder: None
    env: dict = field(default_factory=dict)
    options: object = dict
    child: object = None
    told: str = ""


def limited(kind, most):
    return lambda: resource.setrlimit(kind, (most, most))


def closed(*numbers):
    return lambda: [os.close(number) for number in numbers]


def full(name):
    return lambda: {name: os.open("/dev/full", os.O_WRONLY)}


def planted(name, text=PLANTED):
    def prepare(folder):
        (folder / name).write_text(text)

    return prepare


def link(name, target):
    return lambda folder: (folder / name).symlink_to(target)


def refused(told="", **more):
    """Return a case whose output side is at fault."""
    return Surrounding(**{"codes": (3,), "made": None, "told": told} | more)


def unread(name, prepare=lambda folder: None, told=""):
    """Return a case whose input cannot be read."""
    arguments = (name, "-o", "out")
    return Surrounding(codes=(1, 2), arguments=arguments, prepare=prepare, made=None, told=told)


def _both_links(folder):
    (folder / "b.csv").symlink_to("c.csv")
    (folder / "c.csv").symlink_to("b.csv")


def _victim(folder):
    (folder / "victim").write_text("precious")
    (folder / "out").mkdir()
    (folder / "out" / TABLE).symlink_to("../victim")


def _named(name):
    """Return what gives the export another name."""
    return lambda folder: os.rename(folder / "a.csv", os.fsencode(folder) + b"/" + name)  # noqa: PTH104 - in bytes


def _two_cases(folder):
    for name in ("A.csv", "a.CSV"):
        (folder / name).write_text(GAZE)


def _device(folder):
    (folder / "out").mkdir()
    os.mkfifo(folder / "out" / TABLE)


ALL = (".", "-o", "out")
SURROUNDINGS = {
    "as it should be": Surrounding(),
    "the output folder is a file": refused(prepare=planted("out", "mine")),
    "the output folder is below a file": refused(arguments=("a.csv", "-o", "a.csv/out")),
    "the output folder is in /proc": refused(arguments=("a.csv", "-o", "/proc/out")),
    "the output folder is in /sys": refused(arguments=("a.csv", "-o", "/sys/out")),
    "the output folder is a link to nowhere": refused(prepare=link("out", "nowhere/at/all")),
    "the output folder is a link to itself": refused(prepare=link("out", "out")),
    "the output folder is a link to a folder": Surrounding(
        prepare=lambda folder: ((folder / "there").mkdir(), (folder / "out").symlink_to("there"))
    ),
    "the output is a folder": refused(prepare=lambda f: (f / "out" / TABLE).mkdir(parents=True)),
    "the output is a link to another's file": Surrounding(
        prepare=_victim, arguments=("a.csv", "-o", "out", "--force")
    ),
    "the output is a pipe": refused(prepare=_device, arguments=("a.csv", "-o", "out", "--force")),
    "the report is a device": Surrounding(
        codes=(3,), made=None, arguments=("a.csv", "-o", "out", "--report", "/dev/full")
    ),
    "the name of the output is too long": refused(arguments=("a.csv", "-o", "x" * 300)),
    "no room for a byte": refused("out", child=limited(resource.RLIMIT_FSIZE, 0)),
    "room for a thousand bytes": refused("out", child=limited(resource.RLIMIT_FSIZE, 1000)),
    "few descriptors": Surrounding(child=limited(resource.RLIMIT_NOFILE, 32)),
    "no core, no locked memory": Surrounding(child=limited(resource.RLIMIT_MEMLOCK, 0)),
    "no home": Surrounding(env={"HOME": None}),
    "a home that is not there": Surrounding(env={"HOME": "/nowhere", "XDG_CACHE_HOME": None}),
    "a cache that cannot be": Surrounding(env={"XDG_CACHE_HOME": "/proc/nothing"}),
    "the cache of numba is a file": Surrounding(env={"NUMBA_CACHE_DIR": "/dev/null"}),
    "the cache of numba cannot be": Surrounding(env={"NUMBA_CACHE_DIR": "/proc/nothing"}),
    "the language is C": Surrounding(env={"LANG": "C", "LC_ALL": "C"}),
    "the encoding is ASCII": Surrounding(
        env={"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ),
    "a language that is not there": Surrounding(env={"LC_ALL": "xx_YY.UTF-8"}),
    "another time zone": Surrounding(env={"TZ": "Nowhere/Nothing"}),
    "no temporary folder": Surrounding(env={"TMPDIR": "/nowhere"}),
    "an empty path": Surrounding(env={"PATH": ""}),
    "numpy.py beside the exports": Surrounding(prepare=planted("numpy.py")),
    "click.py beside the exports": Surrounding(prepare=planted("click.py")),
    "sitecustomize.py beside the exports": Surrounding(prepare=planted("sitecustomize.py")),
    "gazetrack_cli.py beside the exports": Surrounding(prepare=planted("gazetrack_cli.py")),
    "the export is a pipe": unread("b.csv", lambda folder: os.mkfifo(folder / "b.csv")),
    "the export is a device": unread("/dev/zero"),
    "the export is a link to a device": unread("b.csv", link("b.csv", "/dev/zero")),
    "the export is a link to nowhere": unread("b.csv", link("b.csv", "nowhere")),
    "the export is a link to itself": unread("b.csv", _both_links),
    "the export is a folder": unread("b.csv", lambda folder: (folder / "b.csv").mkdir()),
    "the export is empty": unread("b.csv", planted("b.csv", "")),
    "the export is not there": unread("b.csv"),
    "the export is in /proc": unread("/proc/self/mem"),
    "standard output is closed": Surrounding(child=closed(1), codes=(3,)),
    "standard output is full": Surrounding(options=full("stdout"), codes=(3,)),
    "standard error is closed": Surrounding(child=closed(2)),
    "standard error is full": Surrounding(options=full("stderr")),
    "standard input is closed": Surrounding(child=closed(0)),
    "all streams are closed": Surrounding(child=closed(0, 1, 2), codes=(3,)),
    "nobody may read what is made": Surrounding(child=lambda: os.umask(0o777)),
    "a line feed in the name": Surrounding(
        prepare=_named(b"a\nb.csv"), arguments=ALL, made="out/*.fixations.parquet"
    ),
    "an escape sequence in the name": Surrounding(
        prepare=_named(b"\x1b[2Ja.csv"), arguments=ALL, made="out/*.fixations.parquet"
    ),
    "a name that is no text": Surrounding(
        prepare=_named(b"caf\xe9.csv"), arguments=ALL, made="out/*.fixations.parquet"
    ),
    "a name of 255 bytes": Surrounding(
        prepare=_named(b"x" * 251 + b".csv"), arguments=ALL, made="out/*.fixations.parquet"
    ),
    "names that differ in case": Surrounding(
        prepare=_two_cases, arguments=ALL, made="out/*.fixations.parquet", codes=(0, 1)
    ),
}


def surrounded(name, above):
    """Run a case in a folder of its own below `above`; return what is wrong."""
    case = SURROUNDINGS[name]
    folder = above / name.replace("/", " ")
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(GAZE)
    case.prepare(folder)
    env = {key: value for key, value in (os.environ | case.env).items() if value is not None}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | case.options()
    command = [*PROGRAM, "convert", *case.arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        check=False,
        timeout=600,
        stdin=subprocess.DEVNULL,
        preexec_fn=case.child,
        **options,
    )
    return list(_wrong(case, folder, done))


def _wrong(case, folder, done):
    err = (done.stderr or b"").decode("utf-8", "replace")
    if done.returncode not in case.codes:
        yield f"exit {done.returncode}: {err[-300:]}"
    if "Traceback" in err or "internal error" in err or "INTERNAL" in err or "\x1b" in err:
        yield f"says {err[-300:]!r}"
    if done.returncode and not err and done.stderr is not None and not case.child:
        yield "no error is told"
    if case.told not in err:
        yield f"{case.told!r} is not told: {err[-200:]!r}"
    made = [path for path in folder.glob("**/*.parquet") if path.is_file()]
    if case.made is None and made:
        yield f"made {made}"
    if case.made is not None and not list(folder.glob(case.made)):
        yield f"{case.made} is not there"
    if list(folder.glob("**/.*.gtmp")):
        yield "something is left behind"
    if (folder / "ran").exists():
        yield "code from the working folder has run"
    victim = folder / "victim"
    if victim.exists() and victim.read_text() != "precious":
        yield "a link was followed"
