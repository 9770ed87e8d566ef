"""Commands that are killed, stopped, or run twice at once, in processes forked off this one."""

from __future__ import annotations

import mmap
import os
import signal
import struct
import time

from tests.faults import Calls, as_left_by_the_dead, restore, tree

LONGEST_S = 300


def forked(work):
    """Do work() in a process of its own, whose exit code it returns; give its number."""
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        signal.alarm(LONGEST_S)  # nothing may hang
        code = work()
    finally:
        os._exit(code)


def ended(number):
    """Wait for a process, and return its exit code, below 0 for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def kill_loop(bench, n, rng):
    """Kill a command n times, whenever; yield whether a kill landed, and what is wrong after it."""
    restore(bench.before, bench.folder)
    start = time.monotonic()
    assert ended(forked(lambda: bench.run().code)) == 0
    longest = time.monotonic() - start
    for turn in range(n):
        restore(bench.before, bench.folder)
        number = forked(lambda: bench.run().code)
        time.sleep(rng.uniform(0, longest))
        os.kill(number, signal.SIGKILL)
        code = ended(number)
        wrong = list(bench.problems(tree(bench.folder), crashed=True))
        if turn % 10 == 0:
            mended = ended(forked(lambda: bench.run().code))
            wrong += [] if mended == 0 else [f"the next run: exit {mended}"]
            wrong += bench.problems(tree(bench.folder), done=True)
        yield code == -signal.SIGKILL, wrong


def two_at_once(bench):
    """Run a command twice at the same time; return what is wrong."""
    restore(bench.before, bench.folder)
    numbers = [forked(lambda: bench.run().code) for _ in range(2)]
    codes = [ended(number) for number in numbers]
    allowed = {0, 7, *bench.case.codes}
    wrong = [f"exit {code}" for code in codes if code not in allowed]
    wrong += [] if 0 in codes else [f"neither was done: {codes}"]
    return wrong + list(bench.problems(tree(bench.folder), done=True))


def signalled(bench, nth, number, *, twice=False):
    """Send a command a signal at its n-th call; return what is wrong."""
    from gazetrack_cli.signals import begin

    sent = mmap.mmap(-1, 8)  # shared with the process: beginning takes seconds on a busy machine

    def meet(n, _call, when):
        if when == "before" and (n == nth or (twice and n == nth + 1)):
            struct.pack_into("d", sent, 0, time.monotonic())
            os.kill(os.getpid(), number)

    def work():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begin()
        with Calls(bench.folder, meet):
            return bench.run().code

    restore(bench.before, bench.folder)
    code = ended(forked(work))
    took = time.monotonic() - struct.unpack("d", sent)[0]
    found = tree(bench.folder)
    wrong = [] if code in (128 + number, -number) else [f"exit {code}"]
    wrong += [f"took {took:.0f} s"] if took > 10 else []
    if twice:  # who is in a hurry leaves what the next run removes
        return wrong + list(bench.problems(as_left_by_the_dead(found), crashed=True))
    return wrong + list(bench.problems(found))


def planted_links(bench):
    """Put a link to somebody's file at the place of each output in turn; yield what is wrong."""
    victim = bench.folder.with_name("victim")
    outputs = [
        name for name, data in bench.after.items() if data and bench.before.get(name) != data
    ]
    for name in outputs:
        victim.write_bytes(b"precious")
        restore(bench.before, bench.folder)
        place = bench.folder / name
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(victim)
        code = bench.run().code
        if victim.read_bytes() != b"precious":
            yield f"{name}: a link was followed (exit {code})"
