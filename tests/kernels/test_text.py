"""The kernels of text against their oracles.

They are _parse_number, parse_samples, settle_samples and place_samples.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels.text import (
    _parse_number,
    parse_samples,
    place_samples,
    settle_samples,
)
from tests import oracles

pytestmark = pytest.mark.kernel

digits = st.text("0123456789", max_size=7)
decimals = st.builds(
    lambda sign, a, point, b: sign + a + point + b,
    st.sampled_from(["", "-", "+"]),
    digits,
    st.sampled_from(["", "."]),
    digits,
)
tokens = st.one_of(
    decimals,
    st.sampled_from(
        [
            *(".", "...", ".C.C.", "MAR", "1e5", "1_0", "--1", "nan", "inf", "0x1", "1.2.3"),
            *("M............", "MANCFTBLRTBLR", ".NC..........", "M" + "." * 16, "M.I.........."),
        ]
    ),
)
blanks = st.sampled_from(["\t", " ", "\t   ", " \t"])
others = st.sampled_from(
    [
        "",
        "MSG\t12 hello",
        "EFIX L 1 2 3",
        "   0.5  7",
        "** a",
        "- 5 1 2 3",
        "-.5 1 2 3",
        "-",
        "\t1 2",
    ]
)
samples = st.builds(
    lambda t, rest: t + "".join(rest),
    st.from_regex(r"-?[0-9]{1,8}(\.[05])?[a-z]?", fullmatch=True),
    st.lists(st.builds(str.__add__, blanks, tokens), max_size=12),
)
ends = st.sampled_from(["\n", "\r\n", "\r\r\n", "\r"])
texts = st.builds(
    lambda lines, last: "".join(line + end for line, end in lines) + last,
    st.lists(st.tuples(st.one_of(samples, others), ends), max_size=12),
    st.one_of(st.just(""), samples, others),
)


def outputs(data):
    n = data.count(b"\n") + data.count(b"\r") + 1
    of_samples = (n, np.float64), ((n, 6), np.float32), (n, np.uint8), (n, np.uint8), (n, np.int64)
    return [np.full(shape, 7, kind) for shape, kind in (*of_samples, ((n, 4), np.int64))]


@given(texts)
@example("1\r\r2\r\r\n3 4\r")
@settings(deadline=None, max_examples=300)
def test_parse_samples_is_its_oracle(text):
    check_samples(text)


def check_samples(text):
    data = text.encode("latin-1")
    got, want = outputs(data), outputs(data)
    counts = parse_samples(np.frombuffer(data, np.uint8), *got)
    assert counts == oracles.parse_samples(data, *want)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_each_byte_within_tokens_and_around_them():
    for c in map(chr, range(1, 256)):
        check_samples(f"1 2{c}3 4{c}56789012 .{c}\n{c}5 6\n-{c}7\n1{c}2\t3{c}4\t5 6{c}7 8{c}")


def test_values_beyond_the_sixth_are_counted_by_tabs():
    rng = np.random.default_rng(0)
    gaps = ["\t", "\t\t", "\t\t\t", " ", "\t "]
    words = ["0", "9", "-5", "-.5", ".", "word", "...", "3."]
    lines = [
        "1\t" + "".join(map("".join, zip(rng.choice(words, 15), rng.choice(gaps, 15), strict=True)))
        for _ in range(400)
    ]
    ends = rng.choice(["\n", "\r\n", "\r\r\n", "\r"], len(lines))
    check_samples("".join(map("".join, zip(lines, ends, strict=True))))


def test_marks_of_quality_are_of_some_letters_and_lengths_alone():
    marks = [c + "." * n for c in map(chr, range(33, 127)) for n in (1, 2, 3, 11, 12, 13, 15, 16)]
    check_samples("".join(f"1 2 {word} 3\n" for word in marks))
    check_samples("".join(f"1 2 3 4 5 6 7 8 {word} 9\n" for word in marks))


@given(
    st.lists(
        st.lists(
            st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0]), min_size=6, max_size=6
        ),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from([3, 6]),
    st.booleans(),
)
@example([[4.0, 3.0, 0.0, 1.0, 1.0, 1.0]], 3, False)  # a recording without pupils
@settings(deadline=None, max_examples=300)
def test_settle_samples_is_its_oracle(samples, width, has_pupil):
    got, want = np.array(samples, np.float32), np.array(samples, np.float32)
    assert settle_samples(got, width, has_pupil) == oracles.settle_samples(want, width, has_pupil)
    np.testing.assert_array_equal(got, want)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.lists(st.sampled_from([math.nan, 0.0, 1.0, 2.5]), min_size=6, max_size=6),
            st.integers(1, 7),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([(6, 0), (3, 0), (3, 3)]),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=300)
def test_place_samples_is_its_oracle(samples, layout, previous):
    times, values, fields = zip(*samples, strict=True)
    arrays = np.array(times, float), np.array(values, np.float32), np.array(fields, np.uint8)
    got, want = np.empty((8, len(times)), np.float32), np.empty((8, len(times)), np.float32)
    assert place_samples(*arrays, *layout, float(previous), got) == oracles.place_samples(
        *arrays, *layout, float(previous), want
    )
    np.testing.assert_array_equal(got, want)


def test_no_samples_are_placed():
    none = np.empty((0, 6), np.float32)
    of_each = np.empty(0), none, np.empty(0, np.uint8)
    assert place_samples(*of_each, 6, 0, 0.0, np.empty((8, 0), np.float32)) == (0, 0, 0, 0)


def test_place_samples_finds_a_sample_without_a_time():
    times = np.array([1.0, math.nan])
    got = place_samples(
        times,
        np.ones((2, 6), np.float32),
        np.full(2, 7, np.uint8),
        6,
        0,
        0.0,
        np.empty((8, 2), "f4"),
    )
    assert got[0] == 1


def test_more_values_than_a_byte_counts():
    data = ("1" + " 2" * 300 + " ...\n").encode()
    got = outputs(data)
    parse_samples(np.frombuffer(data, np.uint8), *got)
    assert got[3].tolist()[0] == 255


@given(st.one_of(tokens, decimals))
@example("0.0000000000000000000000001")
@settings(deadline=None, max_examples=300)
def test_parse_number_gives_the_nearest_double(token):
    data = token.encode()
    want = oracles.parse_number(data, 0, len(data))
    got = _parse_number(np.frombuffer(data, np.uint8), 0, len(data), 46)
    assert got == want or (math.isnan(got) and math.isnan(want)) or abs(got - want) < 1e-18


@given(
    st.sampled_from(["", "+", "-"]),
    st.text("0123456789", max_size=20),
    st.text("0123456789", max_size=22),
)
@example("", "0", "0" * 17 + "123")
@example("", "12345678901234567", "")
@example("", "1", "23456789012345678901")
@example("-", "1" * 19, "")
@settings(deadline=None, max_examples=300)
def test_parse_number_keeps_15_digits_and_all_before_the_point(sign, before, after):
    data = np.frombuffer(f"{sign}{before}.{after}".encode(), np.uint8)
    counted = before.lstrip("0")
    kept = after[: max(15 - len(counted), 0)]
    if not counted:  # zeros behind the point are no digits of it, but there are 18 places at most
        zeros = len(after) - len(after.lstrip("0"))
        kept = after[: min(zeros + 15, 18)]
    want = float(f"{sign}{before}.{kept}") if before or after else math.nan
    if len(counted) > 18:
        want = math.nan
    np.testing.assert_array_equal(_parse_number(data, 0, data.size, 46), want)
