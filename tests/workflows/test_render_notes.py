"""What the outcome of a table says of stimuli that are not rendered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError
from gazetrack.images.folder import find_images
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.track import Track
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.render_notes import (
    by_image,
    count_used,
    image_sizes,
    observers_of,
    take_note,
)
from gazetrack.workflows.table_tracks import TableTracks

ONE = np.ones(1)
TRACK = Track("one", "1", "a.png", x=ONE, y=ONE, duration_ms=300 * ONE, width=80, height=60)


def noted(unreadable=None, tracks=(TRACK,), **found):
    facts = {"n_rows": 5, "dropped": {"off": 1}, "missing_images": (), "misfits": {}}
    outcome = Outcome("one.fixations.parquet")
    take_note(outcome, TableTracks(tracks, **(facts | found)), unreadable or {}, "images")
    return outcome


def test_a_table_with_all_its_images_is_counted_and_nothing_else():
    outcome = noted()
    assert (outcome.status, outcome.error, outcome.notes) == ("ok", None, [])
    assert (outcome.rows_in, outcome.dropped) == (5, {"off": 1})


def test_missing_images_are_named_with_one_that_may_be_meant():
    outcome = noted(missing_images=("b", "c", "d", "e"), alike={"b": "bb"})
    assert outcome.status == "partial"
    assert isinstance(outcome.error, InputError)
    assert "no image for 4 of 5 stimuli: b, c, d, …" in str(outcome.error)
    assert "is 'b' 'bb'? add them to images" in str(outcome.error)


def test_an_image_that_cannot_be_read_is_not_called_missing():
    damaged = InputError("is damaged", path="images/b.png")
    assert noted({"b": damaged}, missing_images=("b.png",)).error is damaged


def test_images_of_another_shape_and_of_another_case_are_told():
    outcome = noted(misfits={"b": "80x60, not 60x80"}, by_case={"A": "a"})
    assert isinstance(outcome.error, DataError)
    assert "first b: 80x60, not 60x80" in str(outcome.error)
    assert outcome.notes == ["1 images found by ignoring upper and lower case: first 'A' is 'a'"]


def test_a_table_of_which_nothing_is_left_fails():
    with pytest.raises(InputError, match="holds no fixation"):
        noted(tracks=())
    with pytest.raises(InputError, match="no image for 1 of 1 stimuli"):
        noted(tracks=(), missing_images=("b",))


def test_sizes_are_those_of_images_that_can_be_read(tmp_path):
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG and nothing more")
    sizes, errors = image_sizes(find_images(tmp_path))
    assert sizes == {"a": (80, 60)}
    assert list(errors) == ["b"]


def test_tracks_of_an_image_come_together_and_are_counted_by_reason():
    outcomes = [Outcome(name) for name in "ab"]
    other = replace(TRACK, stimulus="b.png")
    work = [(TRACK, outcomes[0]), (other, outcomes[0]), (TRACK, outcomes[1])]
    assert by_image(work) == [[work[0], work[2]], [work[1]]]
    for group in by_image(work):
        count_used(group, MapParams(drop_first=0))
    assert [one.rows_out for one in outcomes] == [2, 1]
    count_used(work[:1], MapParams(min_duration_ms=400))
    assert outcomes[0].rows_out == 2
    assert sum(outcomes[0].dropped.values()) == 1


def test_observers_are_counted_and_unnamed_people_are_not():
    anna, ben = (replace(TRACK, recording=name, participant=name) for name in ("anna", "ben"))
    outcome = Outcome("one.fixations.parquet")
    rows = [[(anna, outcome), (ben, outcome)], [(anna, outcome)]]
    told = observers_of(rows, pooled=True)
    assert told == {"pooled": True, "participants": 2, "recordings": 2, "most_tracks_a_map": 2}
    nobody = replace(TRACK, participant="")
    told = observers_of([[(nobody, outcome)], [(anna, outcome)]], pooled=False)
    assert told == {"pooled": False, "participants": None, "recordings": 2, "most_tracks_a_map": 1}
