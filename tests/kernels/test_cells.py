"""find_cells, parse_cells, pick_cells, recode and their words against their oracles."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels import _words
from gazetrack.kernels.cells import find_cells, parse_cells, pick_cells, recode
from tests import oracles

pytestmark = pytest.mark.kernel

digits = st.text("0123456789", max_size=9)
numbers = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "-", "+"]),
        digits,
        st.sampled_from(["", ".", ","]),
        digits,
    ),
    st.sampled_from(
        [
            "",
            "",
            ".",
            "-",
            "NA",
            "nan",
            "N/A",
            "1e5",
            "--1",
            "1_0",
            "inf",
            "0x1",
            "1.2.3",
            "nAN",
            "+",
            "5 ",
        ]
    ),
)
texts = st.one_of(
    st.text("ab", max_size=3),
    st.sampled_from(["Eye Tracker", "Mouse", "a longer text of one cell", "é"]),
)


def table(rows):
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def find_as_the_oracle(data, delimiter, room):
    cells = np.frombuffer(data, np.uint8)
    got, want = np.zeros(room, np.int32), np.zeros(room, np.int32)
    found = find_cells(cells, delimiter, got)
    assert found == oracles.find_cells(data, delimiter, want)
    np.testing.assert_array_equal(got[: max(found[0], 0)], want[: max(found[0], 0)])


@given(
    st.integers(0, 300),
    st.integers(0, 2**32 - 1),
    st.sampled_from([b"a\tb", b"\t\n,", bytes(range(64))]),
    st.sampled_from([9, 44]),
    st.integers(72, 400),
)
@settings(deadline=None, max_examples=150)
def test_find_cells_is_its_oracle(n, seed, alphabet, delimiter, room):
    data = bytes(np.random.default_rng(seed).choice(np.frombuffer(alphabet, np.uint8), n))
    find_as_the_oracle(data, delimiter, room)


@pytest.mark.parametrize("room", [127, 128])
def test_as_many_cells_are_found_as_there_is_room_for(room):
    find_as_the_oracle(b"\t\n" * 64, 9, 72 + room)


@given(
    st.lists(st.tuples(numbers, texts, numbers, texts), min_size=1, max_size=12),
    st.sampled_from([46, 44]),
    st.integers(0, 3),
)
@example([("1.5", "", "2", "a"), ("", "a", "2", "a"), ("12345678.25", "", "", "b")], 46, 0)
@example([("1", "", "2", "a")], 46, 0)  # a digit with less than a word behind it
@settings(deadline=None, max_examples=300)
def test_parse_cells_is_its_oracle(rows, mark, first):
    data = np.frombuffer(table(rows), np.uint8)
    ends = np.empty(data.size + 72, np.int32)
    found, lines = find_cells(data, 9, ends)
    wanted, ends = np.array([0, 2, 1, 3]), ends[:found].reshape(lines, 4)
    results = []
    for kernel in (parse_cells, oracles.parse_cells):
        room = first + lines + 2
        values = np.full((1, room), -7.0), np.full((1, room), -7.0, np.float32)
        codes = np.full((2, room), -7, np.int32)
        spans, counts = np.zeros((2, lines, 2), np.int32), np.zeros(3, np.int64)
        done = kernel(data, ends, wanted, mark, (*values, codes), first, spans, counts)
        outside = np.delete(np.vstack([*values, codes]), np.s_[first : first + lines], axis=1)
        assert (outside == -7).all()  # rows of other blocks
        names = [
            [bytes(data[slice(*spans[j, code])]) for code in codes[j, first : first + done]]
            for j in range(2)
        ]
        results.append(
            (
                done,
                np.vstack(values)[:, first : first + done],
                names,
                counts[2] if done == lines else 0,
            )
        )
    (done, values, names, marked), want = results
    assert (done, names, marked) == (want[0], want[2], want[3])
    np.testing.assert_array_equal(values, want[1])


def test_a_row_of_another_width_is_not_plain():
    data = np.frombuffer(b"1\t2\t3\n4\n", np.uint8)
    ends = np.empty(100, np.int32)
    assert find_cells(data, 9, ends) == (4, 2)
    done = parse_cells(
        data,
        ends[:4].reshape(2, 2),
        np.array([0]),
        46,
        (np.empty((1, 2)), np.empty((0, 2), np.float32), np.empty((0, 2), np.int32)),
        0,
        np.empty((0, 2, 2), np.int32),
        np.empty(1, np.int64),
    )
    assert done == 0


def parsed_texts(rows):
    """Return the values, the texts and their codes of rows of a number and a text each."""
    n, data = len(rows), np.frombuffer(table(rows), np.uint8)
    ends = np.empty(data.size + 72, np.int32)
    find_cells(data, 9, ends)
    values = np.empty((1, n)), np.empty((0, n), np.float32)
    codes, spans = np.empty((1, n), np.int32), np.empty((1, n, 2), np.int32)
    cells, counts = ends[: 2 * n].reshape(n, 2), np.empty(2, np.int64)
    assert parse_cells(data, cells, np.array([0, 1]), 46, (*values, codes), 0, spans, counts) == n
    texts = [bytes(data[slice(*spans[0, code])]).decode() for code in codes[0]]
    return values[0][0].tolist(), texts, codes[0].tolist()


def test_a_text_that_comes_again_keeps_its_code():
    """Whatever stands before it; it is longer than a word, and another is of its length."""
    texts = ["Eye Tracker of A", "Eye Tracker of B", "Mouse"]
    rows = [(str(7**i), texts[i % 3]) for i in range(9)]
    assert parsed_texts(rows) == ([7.0**i for i in range(9)], texts * 3, [0, 1, 2] * 3)


def test_texts_that_differ_in_one_byte_are_two():
    texts = [
        "a" * place + byte + "a" * (length - place - 1)
        for length in range(1, 20)
        for place in range(length)
        for byte in "ab"
    ]
    assert parsed_texts([("1", text) for text in texts])[1] == texts


ragged = st.lists(
    st.lists(
        st.sampled_from(
            [
                "",
                "",
                "1",
                "a b",
                '"',
                '""',
                '"a\t""b"',
                '"a\nb"',
                " ",
                "1,5",
                "-",
                "é",
                "0",
                "9",
                "+E",
                "-.0e",
                '" "',
            ]
        ),
        max_size=6,
    ),
    max_size=8,
)


@given(
    ragged,
    st.sampled_from([0, 34]),
    st.sets(st.integers(0, 3), min_size=1),
    st.integers(0, 2),
    st.integers(3, 5),
    st.integers(0, 2),
    st.integers(0, 3),
)
@example(
    [["1", "2", "3"], ["1"], ["1", "2", "3", "4", "", ""], ["1", "2", "3", "4", "a"]],
    0,
    {0, 3},
    0,
    4,
    0,
    0,
)
@example([["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "a", "b", "c"]], 0, {0, 3}, 0, 4, 0, 0)
@example([["1", "2", "3"], ["1", "2"], ["1"], ["1", "2", "3", "4"]], 0, {0, 3}, 0, 4, 2, 2)
@settings(deadline=None, max_examples=500)
def test_pick_cells_is_its_oracle(rows, quote, wanted, nameless, usual, most_lost, last_kind):
    data = table(rows)
    columns, widths = sorted(wanted), (4 - nameless, 4, usual, most_lost, last_kind)
    results = []
    for kernel in (pick_cells, oracles.pick_cells):
        out, facts = (
            np.zeros(len(data) + (len(columns) + 2) * data.count(b"\n"), np.uint8),
            np.zeros(12, np.int64),
        )
        cells = np.frombuffer(data, np.uint8)
        found = kernel(cells, (9, quote), np.array(columns), widths, out, facts)
        results.append((bytes(out[: found[0]]), facts.tolist(), found))
    (got, facts, (_, read, refused)), (want, expected, (_, bad, left_open)) = results
    assert (got, facts, refused) == (want, expected, bad)
    assert (read < len(data)) == left_open


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=9),
    st.lists(st.integers(0, 99), min_size=4, max_size=4),
)
@settings(deadline=None)
def test_recode_is_its_oracle(codes, lookup):
    got, want = np.array(codes, np.int32), np.array(codes, np.int32)
    recode(got, np.array(lookup, np.int32))
    oracles.recode(want, lookup)
    np.testing.assert_array_equal(got, want)


WRAPS = {"over": "ignore"}  # whole numbers may; where nothing is compiled, numpy says so


@given(st.binary(min_size=8, max_size=8), st.integers(0, 128))
@example(bytes(8), 0)
@example(b"\x30" * 8, 48)
@settings(deadline=None)
def test_words_have_a_twin_for_where_numba_is_switched_off(data, limit):
    word = np.uint64(int.from_bytes(data, "little"))
    with np.errstate(**WRAPS):
        assert _words._fast_without_lowest(word) == _words._slow_without_lowest(word)
        for below in {limit, min(data), min(max(data), 128)}:
            fast = _words._fast_bytes_before(word, below)
            assert fast == _words._slow_bytes_before(word, below)


def compiled_anew(intrinsic):
    """What is written for the compiler itself, compiled whether or not anything else is."""
    fresh = numba.extending.intrinsic(intrinsic.__wrapped__)

    @numba.njit
    def call(*arguments):
        return fresh(*arguments)

    return call


def test_what_numba_has_no_name_for_is_its_twin(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    word_at = compiled_anew(_words._word_at)
    marks_at = compiled_anew(_words._marks_at)
    trailing_zeros = compiled_anew(_words._trailing_zeros)
    data = np.random.default_rng(0).integers(0, 256, 200).astype(np.uint8)
    for at in range(200 - 64 + 1):
        word = np.uint64(word_at(data, at))
        assert word == _words._slow_word_at(data, at)
        assert trailing_zeros(word) == _words._slow_trailing_zeros(word)
        one, other = data[at + 63], data[at // 2]
        marks = np.uint64(marks_at(data, at, one, other))
        assert marks == _words._slow_marks_at(data, at, one, other)
        assert trailing_zeros(marks) == _words._slow_trailing_zeros(marks)
    assert trailing_zeros(np.uint64(0)) == _words._slow_trailing_zeros(np.uint64(0)) == 64


def test_the_twins_read_nothing_behind_the_data():
    data = np.zeros(70, np.uint8)
    assert _words._slow_word_at(data, 62) == _words._slow_marks_at(data, 6, 1, 1) == 0
    with pytest.raises(ValueError, match="reshape"):
        _words._slow_word_at(data, 63)
    with pytest.raises(ValueError, match="reshape"):
        _words._slow_marks_at(data, 7, 1, 1)


@given(st.binary(min_size=80, max_size=80), st.integers(0, 16), st.integers(0, 255))
@settings(deadline=None, max_examples=30)
def test_words_are_read_as_their_twins_read_them(data, at, other):
    bytes_ = np.frombuffer(data, np.uint8)
    word = np.uint64(_words.word_at(bytes_, at))
    assert word == _words._slow_word_at(bytes_, at)
    marks = _words.marks_at(bytes_, at, data[at], other)
    assert marks == _words._slow_marks_at(bytes_, at, data[at], other)
    assert _words.trailing_zeros(word) == _words._slow_trailing_zeros(word)


@given(st.text("0123456789.,'x ", min_size=1, max_size=8), st.sampled_from([46, 44, 39]))
@settings(deadline=None, max_examples=500)
def test_short_numbers_are_exact(token, mark):
    word = np.uint64(int.from_bytes(token.encode(), "little"))
    with np.errstate(**WRAPS):
        got = _words._fast_short_number(word, len(token), mark)
    assert got == _words._slow_short_number(word, len(token), mark)
    want = oracles.parse_number(token.replace(chr(mark), ".").encode(), 0, len(token))
    other = "." in token and mark != 46
    assert (got == want and not other) or (math.isinf(got) and (other or math.isnan(want)))
