"""Addresses such as ``s3://bucket/raw.tsv``: what they are called, and what they may not show.

An address may carry a password or a token. What is shown, stored or reported of it never does.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

# Two letters at least: C:// is a drive of Windows.
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
_SCHEME_OF_PATH = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")
_LOCAL = ("file", "local")
# What stands in front of @ is a container there, and no user.
_CONTAINERS = ("abfs", "abfss", "wasb", "wasbs")


class UrlPath(type(Path())):  # type: ignore[misc] # the class of this system's paths
    """An address as a path: its name, its folder, what is shown of it; it is never opened.

    Credentials are not in it.
    """

    def __str__(self) -> str:
        return _SCHEME_OF_PATH.sub(r"\1://", self.as_posix_of_parts(), count=1)

    def as_posix_of_parts(self) -> str:
        """Return the parts with slashes between them, whatever the system's own separator is."""
        parts: str = super().__str__()
        return parts.replace(os.sep, "/")

    def as_posix(self) -> str:
        """Return the address."""
        return str(self)

    def __fspath__(self) -> str:
        return str(self)


def is_url(text: object) -> bool:
    """Tell whether something is an address with a scheme, and no path of this machine.

    >>> is_url("s3://bucket/raw.tsv"), is_url("C://raw.tsv"), is_url("raw.tsv")
    (True, False, False)
    """
    return isinstance(text, str) and _SCHEME.match(text) is not None


def scheme_of(url: str) -> str:
    """Return the scheme of an address in lower case, such as ``s3``."""
    match = _SCHEME.match(url)
    return "" if match is None else match["scheme"].lower()


def local_or_url(place: str | os.PathLike[str]) -> Path | str:
    """Return a path of this machine as a path, and any other address as it is.

    >>> local_or_url("file:///data/a%20b.tsv").as_posix(), local_or_url("s3://bucket/a.tsv")
    ('/data/a b.tsv', 's3://bucket/a.tsv')
    """
    if not isinstance(place, str) or not is_url(place):
        return Path(place)
    if scheme_of(place) not in _LOCAL:
        return place
    from urllib.request import url2pathname  # it imports all of HTTP

    rest = place.partition("://")[2]
    return Path(url2pathname(rest) if scheme_of(place) == "file" else unquote(rest))


def output_folder(out: str | os.PathLike[str] | None) -> tuple[Path | None, str]:
    """Return a folder of outputs as a path to show, and its address where it lies elsewhere."""
    if out is None:
        return None, ""
    place = local_or_url(out)
    return (place, "") if isinstance(place, Path) else (shown_path(place), place)


def shown(url: str) -> str:
    """Return an address as it may be shown: without user, password and query.

    >>> shown("https://ann:secret@host/a.tsv?X-Signature=1"), shown("abfs://box@host/a.tsv")
    ('https://host/a.tsv', 'abfs://box@host/a.tsv')
    """
    match = _SCHEME.match(url)
    if match is None:
        return url
    host, slash, key = url[match.end() :].partition("/")
    user, at, server = host.rpartition("@")
    if at:
        is_container = scheme_of(url) in _CONTAINERS
        host = f"{user.partition(':')[0]}@{server}" if is_container else server
    # A key of an object may hold a question mark; a query has a name and a value.
    plain = re.split(r"\?(?=[^/]*=)", f"{host}{slash}{key}", maxsplit=1)[0]
    return f"{match[0]}{plain}"


def shown_path(url: str) -> UrlPath:
    """Return an address as a path, as it may be shown."""
    return UrlPath(shown(url))


def joined(folder: str, name: str) -> str:
    """Return the address of what is called so in a folder; a query of the folder stays behind it.

    >>> joined("s3://bucket/out/", "a.parquet")
    's3://bucket/out/a.parquet'
    """
    plain, mark, query = _split_query(folder)
    return f"{plain.rstrip('/')}/{name}{mark}{query}"


def parent_of(url: str) -> str:
    """Return the folder of an address.

    >>> parent_of("s3://bucket/out/a.parquet")
    's3://bucket/out'
    """
    plain, mark, query = _split_query(url)
    return f"{plain.rstrip('/').rpartition('/')[0]}{mark}{query}"


def without_secrets(text: str, urls: Iterable[str]) -> str:
    """Return a text in which addresses stand as they may be shown."""
    for url in urls:
        text = text.replace(url, shown(url))
        host = urlsplit(url).netloc
        user, at, _ = host.rpartition("@")
        if at and ":" in user:
            text = text.replace(unquote(user.partition(":")[2]), "…")
        if query := _split_query(url)[2]:
            text = text.replace(query, "…")
    return text


def _split_query(url: str) -> tuple[str, str, str]:
    plain, *rest = re.split(r"\?(?=[^/]*=)", url, maxsplit=1)
    return (plain, "?", rest[0]) if rest else (plain, "", "")
