"""Spellings and encodings of a token, and where in some bytes it stands."""

from __future__ import annotations

import hashlib
import html
import json
import unicodedata
from urllib.parse import quote

import pytest

from gazetrack.errors import ConfigError
from gazetrack.workflows.scrubbing.tokens import Tokens, digests, fold, spellings

NAME = "Jürgen Müller-Strauß"
TOKENS = Tokens({1: "Nobody Else", 4: NAME, 5: "anna.k@example.org", 6: "李小龙先生"})


def lines(data, **how):
    return {hit.line for hit in TOKENS.hits(data, **how)}


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        NAME.upper(),
        unicodedata.normalize("NFD", NAME),
        "juergen.mueller.strauss",
        "J_rgen_M_ller-Strau_",
        "Jurgen Muller_Strauss",
        "J?rgen M?ller-Strau?",
        NAME.encode().decode("latin-1"),
        html.escape(NAME).replace("ü", "&uuml;"),
        NAME.encode("ascii", "xmlcharrefreplace").decode(),
        json.dumps(NAME),
        ascii(NAME),
        quote(NAME),
    ],
)
def test_a_name_is_found_however_it_is_written(text):
    data = b"before, " + text.encode() + b", behind"
    (hit,) = TOKENS.hits(data)
    assert hit.line == 4
    # A closing quote, or a letter that the program did not know, may stand behind it.
    assert -2 <= hit.end - (len(data) - len(b", behind")) <= 0


@pytest.mark.parametrize(
    "code", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "utf-8-sig"]
)
@pytest.mark.parametrize("before", ["", "x", "\n\nabc"])
def test_a_name_is_found_in_every_encoding(code, before):
    assert lines((before + NAME).encode(code)) == {4}


def test_letters_of_another_script_are_found():
    assert lines("号码 李小龙先生。".encode()) == {6}
    assert lines("号码 李小龙先生 1".encode("utf-16")) == {6}


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("text", [NAME, NAME.lower(), NAME.upper(), NAME + "\n"])
@pytest.mark.parametrize("digits", [None, 12, 8])
def test_a_plain_hash_is_found_whole_and_shortened(name, text, digits):
    digest = hashlib.new(name, text.encode()).hexdigest()[:digits]
    (hit,) = TOKENS.hits(f"id-{digest}.csv".encode())
    assert (hit.line, hit.form) == (4, name)


def test_what_is_like_a_token_is_none():
    other = hashlib.sha256(b"somebody else").hexdigest()
    text = f"Jürgen Müller, Mueller-Strauss, anna@example.org {other} 0123456789abcdef"
    assert not lines(text.encode())
    assert not lines(b"")


def test_short_tokens_are_not_looked_for_in_what_is_packed():
    short = Tokens({1: "Ada"})
    assert [hit.line for hit in short.hits(b"\x00\x81Ada")] == [1]
    assert not list(short.hits(b"\x00\x81Ada", packed=True))
    assert lines(b"\x00\x81" + NAME.encode(), packed=True) == {4}


def test_each_token_is_told_once_and_at_its_first_place():
    text = f"{NAME} and {NAME}, anna.k@example.org".encode()
    assert [(hit.line, hit.end) for hit in TOKENS.hits(text)] == [(4, 23), (5, len(text))]


@pytest.mark.parametrize(
    ("texts", "told"),
    [({}, "no token"), ({3: "ab"}, "line 3 has 2"), ({2: "a" * 201}, "line 2 has 201")],
)
def test_what_cannot_be_looked_for_is_refused(texts, told):
    with pytest.raises(ConfigError, match=told):
        Tokens(texts)


def test_tokens_are_read_with_their_lines(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes(b"\xef\xbb\xbfAnna Kowalski\r\n\r\n  12.03.1985  \r\n")
    assert Tokens.of_file(path).texts == {1: "Anna Kowalski", 3: "12.03.1985"}
    path.write_bytes("Müller".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        Tokens.of_file(path)


def test_folding_forgets_case_and_accents_alone():
    assert fold("ÉCOLE") == fold("école") == fold(unicodedata.normalize("NFD", "École")) == "ecole"
    assert fold("abc") != fold("abd")


def test_few_letters_that_are_left_of_a_name_are_no_spelling():
    # What a program has lost of it must not leave what stands in every file.
    assert all(len(text) >= 6 for text in spellings("Łukasz Żółć"))
    assert "12031985" in spellings("12.03.1985")


def test_digests_are_those_of_the_tools():
    assert digests("abc")[hashlib.md5(b"abc\n", usedforsecurity=False).hexdigest()] == "md5"


@pytest.mark.parametrize(
    "text",
    ["1987-03-12", "1987/03/12", "12.03.1987", "12.3.1987", "19870312", "12/03/1987", "1987_03_12"],
)
def test_a_date_is_found_however_it_is_written(text):
    for token in ("1987-03-12", "12.03.1987"):
        assert list(Tokens({1: token}).hits(f"born {text}.".encode()))
    assert not list(Tokens({1: "1988-03-12"}).hits(text.encode()))


@pytest.mark.parametrize("code", ["utf-8", "utf-16", "utf-32", "utf-32-be"])
def test_two_letters_of_another_script_are_a_name(code):
    tokens = Tokens({1: "王芳"})
    assert [hit.line for hit in tokens.hits("id 王芳 x".encode(code))] == [1]
    assert not list(tokens.hits("id 王小 __ ?? x".encode(code)))


def test_names_in_wide_letters_and_in_letters_by_post_are_found():
    tokens = Tokens({1: "Ödön Kowalski"})
    for text in (b"=C3=96d=C3=B6n Kowal=\nski", "Ödön Kowalski".encode("utf-32")):
        assert list(tokens.hits(text))
