"""The kernel of EyeLink's lines of eye movements against its oracle: parse_events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels.event_lines import parse_events
from gazetrack.kernels.text import parse_samples
from tests import oracles
from tests.kernels.test_text import blanks, decimals, others, outputs, tokens

pytestmark = pytest.mark.kernel

events = st.builds(
    lambda word, eye, rest: word + eye + "".join(rest),
    st.sampled_from(["EFIX", "ESACC", "EBLINK", "SFIX", "SSACC", "SBLINK", "EFIXX", "MSG", "END"]),
    st.sampled_from([" L", "\tR  ", " X", " LR", ""]),
    st.lists(st.builds(str.__add__, blanks, st.one_of(decimals, tokens)), max_size=11),
)

of_times = st.builds(
    lambda word, eye, start, end, rest: " ".join([word, eye, str(start), str(end), *rest]),
    st.sampled_from(["EFIX", "ESACC", "EBLINK", "SFIX", "SSACC", "SBLINK"]),
    st.sampled_from(["L", "R", "X L", "LR L"]),
    st.integers(2, 4),
    st.integers(2, 4),
    st.lists(decimals.filter(bool), max_size=8),
)

fields = {"EFIX": 8, "ESACC": 11, "EBLINK": 5, "SFIX": 3, "SSACC": 3, "SBLINK": 3}
short_and_whole = [
    " ".join([word, "R", *map(str, range(1, n - 1))])
    for word, needed in fields.items()
    for n in (needed - 1, needed, needed + 1)
]


@given(st.lists(st.one_of(events, of_times, others), max_size=8))
@example(short_and_whole)
@example(
    [
        "EFIX L   100\t200\t101\t  960.0\t  -540.5\t   1200",
        "EBLINK R 5 7 3",
        "ESACC L 9 8 1 1 1 1 1 1 1",
        "EBLINK L 5 4294967295 1",
    ]
)
@settings(deadline=None, max_examples=300)
def test_parse_events_is_its_oracle(lines):
    data = np.frombuffer("\n".join(["", *lines, ""]).encode(), np.uint8)
    places = outputs(data.tobytes())
    _, n, _ = parse_samples(data, *places)
    got, want = ((np.zeros(n, np.uint8), np.full((n, 10), -7.0)) for _ in range(2))
    parse_events(data, places[5][:n], *got)
    oracles.parse_events(data, places[5][:n], *want)
    np.testing.assert_array_equal(got[0], want[0])
    for kind, width in ((1, 7), (2, 10), (3, 4), (4, 2), (5, 2), (6, 2)):
        of_kind = got[0] == kind
        np.testing.assert_allclose(got[1][of_kind, :width], want[1][of_kind, :width], rtol=1e-15)
