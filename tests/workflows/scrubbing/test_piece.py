"""A piece says where it lies, and is compared by what it holds."""

from __future__ import annotations

from gazetrack.workflows.scrubbing.piece import NotSearched, Piece


def test_a_piece_is_known_by_place_and_bytes():
    assert Piece(("a",), b"x", is_text=True) == Piece(("a",), b"x", is_text=True)
    assert Piece(("a",), b"x", is_text=True) != Piece(("b",), b"x", is_text=True)


def test_what_is_not_searched_is_no_error_of_the_user():
    assert issubclass(NotSearched, Exception)
    assert str(NotSearched("encrypted")) == "encrypted"
