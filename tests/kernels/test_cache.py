"""Compiled kernels are kept in the user's own folder, and read from nowhere else."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled"
)

# Calls one kernel, and says how often its code was found and how often it was compiled.
CALL = """
import numpy as np
from gazetrack.kernels.logistic import logistic
values = np.zeros(3, np.float32)
logistic(values, np.float32(1), np.float32(0))
assert (values == .5).all()
print(sum(logistic.stats.cache_hits.values()), sum(logistic.stats.cache_misses.values()))
"""
# A pickle that makes a folder when it is read.
BOMB = """
import pathlib, pickle, sys
class Foreign:
    def __reduce__(self):
        return pathlib.Path.mkdir, (pathlib.Path(sys.argv[1]), 0o777, False, True)
sys.stdout.buffer.write(pickle.dumps(Foreign()))
"""
FOUND, COMPILED = [1, 0], [0, 1]


def call(folder, umask=0o022, **env):
    """Call a kernel in a new process; return [times found, times compiled]."""
    before = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    env = before | {"XDG_CACHE_HOME": str(folder)} | env
    options = {"capture_output": True, "text": True, "umask": umask}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CALL], env=env, cwd=folder, check=False, **options
    )
    assert done.stderr == ""
    return [int(n) for n in done.stdout.split()]


def files(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.suffix in (".nbi", ".nbc"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder of caches after one call, under a mask that lets the group write."""
    folder = tmp_path_factory.mktemp("caches")
    assert call(folder, umask=0o002) == COMPILED
    return folder


@pytest.fixture
def caches(compiled, tmp_path):
    """A copy of `compiled`."""
    shutil.copytree(compiled, tmp_path / "caches")
    return tmp_path / "caches"


def test_what_one_process_compiled_the_next_one_finds(caches):
    assert call(caches, umask=0o002) == FOUND
    assert len(files(caches)) == 2
    for path in files(caches):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_numbas_own_variable_moves_it(tmp_path):
    chosen = tmp_path / "chosen"
    assert call(tmp_path, NUMBA_CACHE_DIR=str(chosen)) == COMPILED
    assert files(chosen) == files(tmp_path) != []


@pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX")
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("how", ["writable by the group", "another owner", "a link"])
def test_a_file_that_another_may_have_written_is_not_read(caches, tmp_path, kind, how):
    path = next(path for path in files(caches) if path.suffix == f".{kind}")
    ran = tmp_path / "ran"
    bomb = subprocess.run(
        [sys.executable, "-c", BOMB, str(ran)], capture_output=True, check=True
    ).stdout
    path.write_bytes(bomb)
    if how == "another owner":
        if os.geteuid() != 0:
            pytest.skip("only the administrator gives files away")
        os.chown(path, 12345, -1)
    elif how == "a link":
        path.rename(tmp_path / "target")
        path.symlink_to(tmp_path / "target")
    else:
        path.chmod(0o660)
    assert call(caches) == COMPILED
    assert not ran.exists(), "a file of somebody else was read"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_folder_that_others_may_enter_and_write_is_not_used(caches):
    files(caches)[0].parent.chmod(0o777)
    assert call(caches) == COMPILED


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_damaged_files_cost_a_compilation_and_nothing_else(caches, kind):
    for path in files(caches):
        if path.suffix == f".{kind}":
            path.write_bytes(path.read_bytes()[:-9])
    assert call(caches) == COMPILED
    assert call(caches) == FOUND


def test_no_folder_to_be_had_costs_a_compilation_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert call(tmp_path, XDG_CACHE_HOME=str(tmp_path / "file")) == COMPILED
    assert files(tmp_path) == []


# Calls a kernel that takes the largest value of an array, and then compiles what does, too.
FOUND_ALONE = """
import sys
import numpy as np
from gazetrack.kernels.distance import suffix_distance
import numba
floats = np.zeros(2, np.float32)
out = np.empty((1, 3, 4), np.float32)
joined, firsts = np.zeros(2, np.bool_), np.zeros(1, np.int64)
suffix_distance(floats, floats, floats, joined, firsts, False, np.inf, out)
found = sum(suffix_distance.stats.cache_hits.values())
print(found, *(name in sys.modules for name in ("scipy.linalg", "numba.np.arraymath")))
largest = numba.njit(lambda values: values.max())
assert largest(out) == np.float32(3.5**2 + 2.5**2) ** np.float32(0.5), out
"""


@pytest.mark.slow
def test_found_code_brings_in_nothing_that_only_a_compilation_needs(tmp_path):
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = []
    for _ in range(2):
        run = [sys.executable, "-P", "-c", FOUND_ALONE]
        done.append(subprocess.run(run, env=env, capture_output=True, text=True, check=False))
    assert [each.stderr for each in done] == ["", ""]
    assert [each.stdout.split() for each in done] == [
        ["0", "True", "True"],
        ["1", "False", "False"],
    ]
