"""Messages in logs of the Open Gaze API, and what else such a log has of its own."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import UnknownFormat
from gazetrack.readers.gazepoint.messages import Messages
from tests.places import GOLDEN

LOG = GOLDEN / "gazepoint" / "open_gaze" / "input.tsv"
TEXTS = ["", "0", "start", "end"]
NAMES = {"recording": ["log"], "trial": ["1"]}


@pytest.mark.parametrize("cut", range(9))
def test_a_message_is_where_the_text_changes_wherever_the_parts_end(cut):
    codes = np.array([0, 2, 2, 1, 2, 3, 1, 1], np.int32)
    t = 10.0 * np.arange(8)
    messages = Messages()
    for part in (slice(0, cut), slice(cut, 8)):
        messages.take(codes[part], np.zeros(8, np.int32)[part], t[part])
    found = messages.columns(TEXTS, NAMES)
    assert found["text"] == ["start", "start", "end"]
    assert found["onset_ms"] == [10.0, 40.0, 50.0]
    assert found["recording"] == ["log"] * 3


def test_messages_are_of_the_showing_they_came_in():
    messages = Messages()
    messages.take(np.array([2, 3], np.int32), np.array([0, 1], np.int32), np.array([5.0, 0.0]))
    found = messages.columns(TEXTS, {"recording": ["log_1", "log_2"], "trial": ["1", "2"]})
    assert found["recording"] == ["log_1", "log_2"]
    assert found["trial"] == ["1", "2"]


def test_a_log_of_pygaze_is_read_with_its_messages_and_pupils_in_millimetres():
    found = gazetrack.read(LOG)
    assert found.format == "gazepoint"
    messages = found.events[found.events["kind"] == "message"]
    assert list(messages["text"]) == ["trial start a.png", "key=space\u00e9"]
    np.testing.assert_allclose(messages["onset_ms"], [1000 * 2 / 60, 1000 * 9 / 60], atol=0.01)
    assert (found.events["kind"] == "fixation").sum() == 2
    np.testing.assert_allclose(found.samples["left_pupil"], 3.1, rtol=1e-6)
    assert found.samples["right_pupil"].isna().tolist() == [i == 4 for i in range(12)]
    assert found.samples["x_px"].isna().tolist() == [i == 5 for i in range(12)]


def test_a_log_without_gaze_says_what_it_lacks(tmp_path):
    text = LOG.read_text("utf-8").replace("FPOGX", "OTHER")
    (tmp_path / "log.tsv").write_text(text, "utf-8")
    with pytest.raises(UnknownFormat, match="a log of the Open Gaze API without FPOGX"):
        gazetrack.read(tmp_path / "log.tsv")
