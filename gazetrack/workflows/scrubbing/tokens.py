"""What is looked for: each token in all the spellings and encodings that programs give a text."""

from __future__ import annotations

import hashlib
import html
import quopri
import re
import unicodedata
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    View = Callable[[bytes], str]

LEAST_CHARS = 3  # fewer are in everything
MOST_CHARS = 200
# In packed data three letters come up by chance; there only longer tokens mean something.
LEAST_CHARS_IN_BYTES = 6
_HASHES = ("md5", "sha1", "sha256", "sha512")
_HASH_DIGITS = 12  # as many as shortened digests have at least
_LEAST_HASH_DIGITS = 8  # of a digest that stands alone
_HEX = re.compile(r"[0-9a-f]{8,}")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_BETWEEN_WORDS = re.compile(r"[\s._,?-]+")
_JOINERS = ("", " ", "_", "-", ".")
_WITHOUT_MARKS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe"})
_DATE = re.compile(
    r"(?P<y>\d{4})[-/. ](?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})"
    r"|(?P<D>\d{1,2})[-/. ](?P<M>\d{1,2})[-/. ](?P<Y>\d{4})"
)
_QUOTED = re.compile(rb"=(?:[0-9A-F]{2}|\r?\n)")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_HEADS = 2**20  # kinds of beginnings that are told apart
_REPEATED_BYTES = 2**12
_MOST_SEEN = 2**14
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))")
_LAST_CODE = 0x10FFFF


def fold(text: str) -> str:
    """Return a text without what two spellings of a name may differ in: case and accents.

    Parameters
    ----------
    text : str
        Any text, composed (NFC) or decomposed (NFD).
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _MARKS.sub("", folded)


@dataclass(frozen=True)
class Hit:
    """A token that stands in some bytes.

    Parameters
    ----------
    line : int
        The token's line in the file of tokens, from 1.
    form : str
        In what form it stands there, such as ``UTF-16`` or ``md5``; empty for plain text.
    end : int
        Offset behind its last byte, from the beginning of the bytes that were searched.
    """

    line: int
    form: str
    end: int


class Tokens:
    """Texts to be looked for.

    Parameters
    ----------
    texts : dict of int to str
        Each token by the number of its line.

    Raises
    ------
    ConfigError
        There is none, or one is too short or too long to be looked for.
    """

    def __init__(self, texts: dict[int, str]) -> None:
        if not texts:
            raise ConfigError("no token to look for", hint="write one a line")
        for line, text in texts.items():
            # A letter of a script such as Chinese is as seldom as several of the Latin one.
            if len(fold(text).encode("utf-8", "surrogatepass")) < LEAST_CHARS:
                what = f"line {line} has {len(text)} characters, which are in every file"
                raise ConfigError(what, hint=f"give tokens of {LEAST_CHARS} characters and more")
            if len(text) > MOST_CHARS:
                what = f"line {line} has {len(text)} characters"
                raise ConfigError(what, hint=f"give a token a line, of {MOST_CHARS} at most")
        self.texts = texts
        written = {line: sorted(spellings(text)) for line, text in texts.items()}
        joined = {line: _squeezed_spellings(found) for line, found in written.items()}
        self._written, self._joined = _Spellings(written), _Spellings(joined)
        self._digests = {
            digest: (line, name)
            for line, text in texts.items()
            for digest, name in digests(text).items()
        }
        self._seen: dict[tuple[bytes, bool], tuple[Hit, ...]] = {}
        self._digest_heads = {digest[:_HASH_DIGITS]: digest for digest in self._digests}
        self._short_heads = {digest[:_LEAST_HASH_DIGITS]: digest for digest in self._digests}

    @classmethod
    def of_file(cls, path: Path) -> Tokens:
        """Read tokens: one a line, in UTF-8; what is blank is passed over.

        Raises
        ------
        ConfigError
            The file cannot be read, or a token cannot be looked for.
        """
        try:
            lines = path.read_text("utf-8-sig").splitlines()
            return cls({n: line.strip() for n, line in enumerate(lines, 1) if line.strip()})
        except (OSError, UnicodeError) as error:
            hint = "name a text file in UTF-8, with a token a line"
            raise ConfigError("cannot be read", path=path, hint=hint) from error
        except ConfigError as error:
            raise ConfigError(error.what, path=path, hint=error.hint) from None

    def hits(self, data: bytes, *, packed: bool = False) -> Iterator[Hit]:
        """Find every token in some bytes, in whatever encoding.

        Parameters
        ----------
        data : bytes
            Not too many at a time: they are decoded in several ways.
        packed : bool
            Whether these are no text, so that short tokens come up in them by chance.

        Yields
        ------
        Hit
            The first place of each token in each form.
        """
        if len(data) > _REPEATED_BYTES:
            yield from self._hits(data, packed=packed)
            return
        # Names and meanings of columns are the same in every table.
        key = (data, packed)
        if key not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[key] = tuple(self._hits(data, packed=packed))
        yield from self._seen[key]

    def _hits(self, data: bytes, *, packed: bool) -> Iterator[Hit]:
        known: set[tuple[int, str]] = set()
        for form, view in views(data):
            text = fold(view(data))
            least = LEAST_CHARS_IN_BYTES if packed else LEAST_CHARS
            found = self._written.found(text, least) | self._hashed_in(text)
            joined = self._joined.found(_squeezed(text), least)
            # A token that stands there plainly is found in its other forms as well.
            new = sorted(key for key in found | joined if key not in known)
            known.update(new)
            for line, hash_name in new:
                shown_form = " of ".join(name for name in (hash_name, form) if name)
                is_plain = (line, hash_name) in found
                spelling = found[line, hash_name] if is_plain else joined[line, hash_name]
                end = _end(data, view, spelling, squeezed=not is_plain)
                yield Hit(line, shown_form, end)

    def lines_in(self, text: str) -> list[int]:
        """Return the lines of the tokens that stand in a short text, such as a file's name."""
        return sorted({hit.line for hit in self.hits(text.encode("utf-8", "surrogateescape"))})

    def _hashed_in(self, text: str) -> dict[tuple[int, str], str]:
        """Return which tokens' digests stand in a folded text, whole or shortened."""
        found = {}
        for match in _HEX.finditer(text):
            run = match[0]
            heads = [run[at : at + _HASH_DIGITS] for at in range(len(run) - _HASH_DIGITS + 1)]
            digest = next(
                (self._digest_heads[head] for head in heads if head in self._digest_heads), ""
            )
            if not heads:
                digest = self._short_heads.get(run[:_LEAST_HASH_DIGITS], "")
                digest = digest if digest.startswith(run) else ""
            if digest:
                found[self._digests[digest]] = digest[: min(len(run), _HASH_DIGITS)]
        return found


class _Spellings:
    """The spellings of each token, found by their first three letters in one pass over a text."""

    def __init__(self, of_lines: Mapping[int, Sequence[str]]) -> None:
        # By head and by length: many tokens, such as the codes of a study, begin alike.
        self._of_head: dict[int, dict[int, dict[str, list[int]]]] = {}
        self._is_head = np.zeros(_HEADS, np.bool_)
        self._short: list[tuple[str, int]] = []
        for line, texts in of_lines.items():
            for text in texts:
                if len(text) < LEAST_CHARS:
                    self._short.append((text, line))
                    continue
                head = int(_heads(text[:LEAST_CHARS])[0])
                of_length = self._of_head.setdefault(head, {}).setdefault(len(text), {})
                of_length.setdefault(text, []).append(line)
                self._is_head[head] = True

    def found(self, text: str, least: int) -> dict[tuple[int, str], str]:
        """Return which tokens stand in a folded text, and the longest of their spellings there."""
        found = {(line, ""): spelling for spelling, line in self._short if spelling in text}
        heads = _heads(text)
        for at in np.flatnonzero(self._is_head[heads]).tolist():
            for length, of_length in self._of_head[int(heads[at])].items():
                spelling = text[at : at + length]
                for line in of_length.get(spelling, ()) if length >= least else ():
                    if length > len(found.get((line, ""), "")):
                        found[line, ""] = spelling
        return found


def _heads(text: str) -> npt.NDArray[np.uint32]:
    """Return a small number for each three letters that follow each other in a text."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if len(codes) < LEAST_CHARS:
        return np.empty(0, np.uint32)
    # Any mixture does: what begins alike is compared letter by letter.
    mixed = (codes[:-2] * np.uint32(31) + codes[1:-1]) * np.uint32(769) + codes[2:]
    return mixed % np.uint32(_HEADS)


def _squeezed(text: str) -> str:
    return _BETWEEN_WORDS.sub("", text)


def _squeezed_spellings(texts: Iterable[str]) -> list[str]:
    """Return the spellings of several words as one, however they were joined.

    Numbers are left out: in a table they stand side by side without meaning a date.
    """
    joined = {_squeezed(text) for text in texts if _BETWEEN_WORDS.search(text)}
    return sorted(one for one in joined if len(one) >= LEAST_CHARS_IN_BYTES and not one.isdigit())


def spellings(token: str) -> set[str]:
    """Return the folded forms in which programs write a text.

    Parameters
    ----------
    token : str
        A name, an address, a date.

    Returns
    -------
    set of str
        Itself; words joined otherwise (``anna_meyer``); umlauts as two letters, or as what stands
        for a letter that a program did not know; UTF-8 that was read as latin-1.
    """
    composed = unicodedata.normalize("NFC", token)
    forms = {composed, composed.lower().translate(_WITHOUT_MARKS)}
    for form, unknown in product((composed, unicodedata.normalize("NFD", token)), ("_", "?", "")):
        forms.add(_NOT_ASCII.sub(unknown, form))
    forms |= {composed.encode().decode(code, "replace") for code in ("latin-1", "cp1252")}
    folded = {fold(form) for form in forms}
    for form in list(folded):
        words = [word for word in _BETWEEN_WORDS.split(form) if word]
        folded |= {joiner.join(words) for joiner in _JOINERS}
    # What little is left of a name in another script would be in every file.
    least = min(len(fold(composed)), LEAST_CHARS_IN_BYTES)
    folded |= _dates(composed)
    named = {form for form in folded if len(form) >= least and _is_telling(form)}
    return named | {fold(composed)}


def _is_telling(form: str) -> bool:
    """Whether letters are left: marks alone, or two ASCII letters, would be in every file."""
    return any(map(str.isalnum, form)) and (len(form) >= LEAST_CHARS or not form.isascii())


def _dates(text: str) -> set[str]:
    """Return the usual ways to write a date in digits, none of what is no date."""
    match = _DATE.fullmatch(text)
    if match is None:
        return set()
    year, month, day = match["y"] or match["Y"], match["m"] or match["M"], match["d"] or match["D"]
    parts = year, month.zfill(2), day.zfill(2)
    short = year, month.lstrip("0"), day.lstrip("0")
    return {
        joiner.join(order)
        for joiner in ("-", "/", ".", "_", " ", "")
        for order in (parts, parts[::-1], *((short, short[::-1]) if joiner else ()))
    }


def digests(token: str) -> dict[str, str]:
    """Return the plain hashes of a text, in hexadecimal digits, with the name of each function.

    Parameters
    ----------
    token : str
        Hashed as it is, in small and capital letters, composed and decomposed, and with the line
        end that ``echo`` adds.
    """
    cases = {token, token.lower(), token.upper(), token.casefold(), token.title()}
    texts = {unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in cases}
    texts |= {text + "\n" for text in texts}
    encoded = {text.encode(code, "ignore") for text in texts for code in ("utf-8", "latin-1")}
    return {
        hashlib.new(name, data, usedforsecurity=False).hexdigest(): name
        for name in _HASHES
        for data in encoded
    }


def views(data: bytes) -> Iterator[tuple[str, View]]:
    """Return the ways in which some bytes may be meant as text.

    Yields
    ------
    tuple of (str, callable)
        What the way is called, and the function that decodes.
    """
    yield "", _utf8
    if not data.isascii():
        yield "latin-1", _latin1
    if b"\0" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        for code, skipped in product(("utf-16-le", "utf-16-be"), (0, 1)):
            yield "UTF-16", _utf16(code, skipped)
    if b"&" in data and b";" in data:
        yield "HTML entities", lambda part: html.unescape(_utf8(part))
    if b"\\" in data:
        yield "escapes", lambda part: _without_escapes(_utf8(part))
    if b"=" in data and b"\0" not in data and _QUOTED.search(data):
        yield "quoted-printable", lambda part: _utf8(quopri.decodestring(part))
    if b"%" in data:
        yield "an address", lambda part: unquote(_utf8(part))


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _latin1(data: bytes) -> str:
    # Its superset of Windows, which has letters such as Š where latin-1 has control characters.
    return data.decode("cp1252", "replace")


def _utf16(code: str, skipped: int) -> View:
    # In UTF-32 each letter has two more bytes, which are zero: a letter of its own in UTF-16.
    return lambda data: data[skipped:].decode(code, "replace").replace("\0", "")


def _without_escapes(text: str) -> str:
    r"""Return a text with what JSON and Python escape, ``\u00fc`` and ``\xfc``, as letters."""

    def letter(match: re.Match[str]) -> str:
        code = int(next(filter(None, match.groups())), 16)
        return chr(code) if code <= _LAST_CODE else match[0]

    unescaped = _JSON_ESCAPE.sub(letter, text)
    # Two halves of one letter beyond the first 65,536 become that letter.
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _end(data: bytes, view: View, spelling: str, *, squeezed: bool) -> int:
    """Return the offset behind a spelling's first place: the shortest beginning that has it."""
    low, high = 0, len(data)
    while low < high:
        middle = (low + high) // 2
        text = fold(view(data[:middle]))
        if spelling in (_squeezed(text) if squeezed else text):
            high = middle
        else:
            low = middle + 1
    return low
