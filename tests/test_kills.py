"""Commands that are killed, stopped, and run twice at once: a few of many."""

from __future__ import annotations

import signal
import sys

import numpy as np
import pytest

from tests.fault_cases import TOOLKIT
from tests.faults import Bench
from tests.kills import kill_loop, planted_links, signalled, two_at_once

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="names of descriptors are Linux's"
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    (case,) = (case for case in TOOLKIT if case.name == "convert")
    return Bench(case, tmp_path_factory.mktemp("kills") / "work")


def test_kills_damage_nothing(bench):
    rng = np.random.default_rng(0)
    found = list(kill_loop(bench, 6, rng))
    # On a busy machine the first one, which is not killed, may take many times as long as the rest.
    while not any(landed for landed, _ in found) and len(found) < 60:
        found += kill_loop(bench, 6, rng)
    assert [wrong for _, wrong in found if wrong] == []
    assert sum(landed for landed, _ in found) > 0


def test_two_at_once_leave_whole_files(bench):
    assert two_at_once(bench) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("twice", [False, True])
def test_a_signal_at_a_call_ends_it_with_its_code_and_nothing_left(bench, number, twice):
    assert signalled(bench, len(bench.calls) // 2, number, twice=twice) == []


def test_no_planted_link_is_followed(bench):
    assert list(planted_links(bench)) == []
