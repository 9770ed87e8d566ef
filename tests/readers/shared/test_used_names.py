"""Names are coded in the order in which they are used, part by part."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.readers.shared.used_names import Combinations, UsedNames


@given(
    names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=8),
    picks=st.lists(st.integers(0, 100), max_size=30),
    cut=st.integers(0, 30),
)
def test_names_are_those_of_the_codes_in_the_order_of_their_appearance(names, picks, cut):
    codes = np.array([pick % len(names) for pick in picks], np.int32)
    used = UsedNames()
    # The list of names grows from part to part.
    n_first = max(codes[:cut].max(initial=0) + 1, 1)
    own = np.concatenate([used.coded(codes[:cut], names[:n_first]), used.coded(codes[cut:], names)])
    texts = [names[code] for code in codes]
    assert [used.used[code] for code in own] == texts
    assert used.used == list(dict.fromkeys(texts))


def test_combinations_are_coded_as_they_come():
    found = Combinations()
    first = found.coded([np.array([0, 0, 1]), np.array([5, 5, 5])], 3)
    more = found.coded([np.array([1, 0]), np.array([5, 6])], 2)
    assert first.tolist() == [0, 0, 1]
    assert more.tolist() == [1, 2]
    assert list(found.found) == [(0, 5), (1, 5), (0, 6)]
    assert Combinations().coded([], 2).tolist() == [0, 0]
    assert Combinations().coded([], 0).tolist() == []
