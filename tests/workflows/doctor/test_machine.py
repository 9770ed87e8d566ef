"""Cores, memory, files and letters, also within containers and jobs of a queue."""

from __future__ import annotations

import math
import os
import resource
import sys

import pytest

from gazetrack.workflows.doctor import machine
from gazetrack.workflows.doctor.machine import check_machine, usable_cores, usable_memory

GIB = 2**30


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Write control groups: the lines of /proc/self/cgroup, and files below /sys/fs/cgroup."""
    monkeypatch.setattr(machine, "_GROUPS", tmp_path / "sys")
    monkeypatch.setattr(machine, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(48)), raising=False)

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "sys" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def by_name(name):
    return next(one for one in check_machine() if one.name == name)


def test_without_control_groups_it_is_what_the_process_is_bound_to(groups):
    assert usable_cores() == 48
    assert usable_memory() == math.inf


def test_the_quota_of_a_container(groups):
    groups("0::/\n", {"cpu.max": "150000 100000\n", "memory.max": f"{8 * GIB}\n"})
    assert usable_cores() == 1.5
    assert usable_memory() == 8 * GIB
    cores = by_name("cores")
    assert cores.state == "note"
    assert cores.what == "1.5 of 64 may be used by this process"
    assert cores.do == "give --jobs 1, not more"
    assert cores.facts == {"cores": 64, "usable_cores": 1.5}


def test_the_limit_of_an_outer_group_holds_too(groups):
    files = {
        "slurm/cpu.max": "max 100000\n",
        "slurm/memory.max": f"{16 * GIB}\n",
        "slurm/job/cpu.max": "400000 100000\n",
        "slurm/job/memory.max": "max\n",
        "slurm/other/memory.max": "1\n",
    }
    groups("0::/slurm/job\n", files)
    assert usable_cores() == 4
    assert usable_memory() == 16 * GIB


def test_control_groups_of_version_1(groups):
    files = {
        "cpu/job/cpu.cfs_quota_us": "200000\n",
        "cpu/job/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "50000\n",
        "memory/job/memory.limit_in_bytes": f"{4 * GIB}\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    groups("4:cpu,cpuacct:/job\n3:memory:/job\n1:name=systemd:/job\n", files)
    assert usable_cores() == 2
    assert usable_memory() == 4 * GIB


def test_too_little_memory_is_a_problem(groups):
    groups("0::/\n", {"memory.max": f"{GIB // 2}\n"})
    memory = by_name("memory")
    assert memory.state == "problem"
    assert memory.what.startswith("512.0 MiB of ")
    assert "--jobs 1" in memory.do


def test_enough_memory_is_none(groups):
    groups("0::/\n", {"memory.max": f"{4 * GIB}\n"})
    assert by_name("memory").state == "ok"


def test_limits_of_threads_are_told(monkeypatch):
    for name in machine._THREADS:
        monkeypatch.delenv(name, raising=False)
    assert by_name("threads").facts == {"limits": {}}
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert by_name("threads").what == "OMP_NUM_THREADS=2"
    monkeypatch.setenv("MKL_NUM_THREADS", "many")
    found = by_name("threads")
    assert found.state == "problem"
    assert found.do == "unset MKL_NUM_THREADS"


def test_few_open_files_are_a_problem(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (128, 4096))
    found = by_name("open files")
    assert (found.state, found.do) == ("problem", "ulimit -n 256")
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (128, 200))
    assert by_name("open files").do == "ulimit -n 200"
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 4096))
    assert by_name("open files").state == "ok"


def test_names_of_files_that_cannot_be_encoded_are_a_problem(monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    found = by_name("encoding")
    assert found.state == "problem"
    assert "PYTHONUTF8=1" in found.do


def test_output_of_fewer_letters_is_a_note(monkeypatch):
    class Narrow:
        encoding = "ISO-8859-1"

    monkeypatch.setattr(sys, "stdout", Narrow())
    found = by_name("encoding")
    assert found.state == "note"
    assert found.facts["standard_output"] == "iso-8859-1"
