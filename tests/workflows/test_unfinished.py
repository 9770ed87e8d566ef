"""Results kept beside an unfinished output: found again by all that they depend on."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import OutputError
from gazetrack.workflows.unfinished import Kept

VALUES = np.zeros((1, 4, 5), np.float32)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "maps.parquet")


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        (VALUES, ("image", 5.0)),
        (VALUES, ("another", 3.0)),
        (VALUES, ("image",)),
        (VALUES + 1, ("image", 3.0)),
        (VALUES.reshape(1, 5, 4), ("image", 3.0)),
        (VALUES.astype(np.int32), ("image", 3.0)),  # of the same bytes
    ],
)
def test_a_key_is_of_the_same_gaze_image_and_parameters_alone(values, facts):
    key = Kept.key(VALUES, "image", 3.0)
    assert Kept.key(VALUES.copy(), "image", 3.0) == key
    assert Kept.key(values, *facts) != key


def test_what_is_put_is_got_until_all_is_cleared(kept, tmp_path):
    key = kept.key(VALUES, "image", 3.0)
    result = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    assert kept.get(key) is None
    kept.put(key, result)
    np.testing.assert_array_equal(kept.get(key), result)
    assert kept.folder == tmp_path / ".maps.parquet.kept"
    assert kept.get(kept.key(VALUES, "image", 5.0)) is None
    kept.clear()
    assert not kept.folder.exists()
    kept.clear()


@pytest.mark.parametrize("left", [b"", b"PK\x03\x04 no zip", slice(-30), slice(20)])
def test_what_was_cut_short_is_not_there(kept, left):
    kept.put("key", np.full((1, 4, 5), 7, np.uint8))
    path = kept.folder / "key.npz"
    path.write_bytes(path.read_bytes()[left] if isinstance(left, slice) else left)
    assert kept.get("key") is None


def test_a_place_that_cannot_be_written_is_an_output_error(kept):
    kept.folder.write_text("no folder")
    with pytest.raises(OutputError):
        kept.put("key", np.zeros((1, 2, 2), np.uint8))


def test_a_folder_is_known_by_a_mark_that_no_other_has(kept):
    with kept.marked() as mark:
        first = mark.read_bytes()
    assert not kept.folder.exists()
    kept.put("key", VALUES)
    with kept.marked() as mark:
        assert mark.read_bytes() != first
    assert [path.name for path in kept.folder.iterdir()] == ["key.npz"]
