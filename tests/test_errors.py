"""The form of every error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack import errors
from gazetrack.errors import (
    MAX_MESSAGE_CHARS,
    GazetrackError,
    InputError,
    ParseError,
    quote,
    readable,
)

CLASSES = [
    c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, GazetrackError)
]


def test_the_form():
    error = ParseError(
        "the cell 'x' is no number", path="a/raw.tsv", line=12, column=3, hint="export it again"
    )
    assert str(error) == "a/raw.tsv:12:3: the cell 'x' is no number - export it again [PARSE]"
    assert str(InputError("is empty", path="a.tsv")) == "a.tsv: is empty [INPUT]"
    assert str(ParseError("ends", path="a.gz", byte=99)) == "a.gz: ends (byte 99) [PARSE]"
    assert str(ParseError("no", path="a", line=4)) == "a:4: no [PARSE]"


@given(
    st.text(max_size=2000),
    st.text(max_size=400),
    st.one_of(st.none(), st.text(max_size=600)),
    st.sampled_from(CLASSES),
)
def test_messages_are_one_short_printable_line(what, path, hint, kind):
    text = str(kind(what, path=path or "x", line=10**9, column=10**6, hint=hint))
    assert text.isprintable()
    assert len(text) <= MAX_MESSAGE_CHARS
    assert text.endswith(f" [{kind.code}]")


def test_a_long_hint_leaves_room_for_what_is_wrong():
    text = str(ParseError("w" * 90, path="p" * 500, line=7, hint="h" * 500))
    assert "w" * 80 in text
    assert "h" * 39 + "\u2026" in text


def test_of_a_long_path_the_name_of_the_file_stays():
    assert "/raw.tsv:3: ends" in str(ParseError("ends", path="folder/" * 40 + "raw.tsv", line=3))


@given(st.text(), st.integers(1, 100))
def test_quote_is_printable_and_short(text, limit):
    shown = quote(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


@pytest.mark.parametrize("kind", CLASSES)
def test_every_kind_has_a_code_and_an_exit_code(kind):
    assert kind.code.isupper()
    assert 1 <= kind.exit_code <= 8


def test_of_a_long_message_paths_are_shortened_and_never_what_to_do():
    long = "/home/" + "very_long_folder/" * 12
    what = (
        "holds no images (looked in images/ and the folder itself) "
        f"and no gaze (looked for {long}maps/maps.parquet)"
    )
    hint = "name --images and --fixations or --maps, or see how it looks with: gazetrack demo"
    text = str(InputError(what, path=long, hint=hint))
    assert len(text) <= MAX_MESSAGE_CHARS
    assert f" - {hint} [INPUT]" in text
    assert "maps/maps.parquet)" in text
    assert "looked in images/ and the folder itself" in text
    assert InputError(
        what, path=long, hint=hint
    ).whole() == f"{long}: {what} - {hint} [INPUT]".replace("/:", ":")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.csv", "a.csv"),
        ("caf\u00e9", "caf\u00e9"),
        ("caf\udce9", "caf\\xe9"),
        ("\udcc3\udca9", "\u00e9"),
    ],
)
def test_names_of_files_are_text_in_tables(name, shown):
    assert readable(name) == shown
    assert str(InputError("no", path="caf\udce9")) == "caf\\xe9: no [INPUT]"


@pytest.mark.parametrize("value", [-1, 2.5, float("nan"), True, "3", None])
def test_what_is_no_count_is_refused_by_its_name(value):
    with pytest.raises(errors.ConfigError, match=r"^seed=.* whole number from 0 on"):
        errors.refuse_no_count(value, "seed")
    errors.refuse_no_count(0, "seed")
    with pytest.raises(errors.ConfigError, match="line=0 - use a whole number from 1 on"):
        errors.refuse_no_count(0, "line", 1)
