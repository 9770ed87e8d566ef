"""What a public data set is: its files, where they are from, and how its makers are named."""

from __future__ import annotations

from dataclasses import dataclass

CONTENTS = ("gaze", "fixations")


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A file that is fetched from where the data set is published.

    Parameters
    ----------
    url : str
        Its address on the server of the data set.
    name : str
        What it is called here; archives end in ``.zip``.
    content : {"gaze", "fixations"}
        What its tables hold: samples, or fixations alone.
    layouts : tuple of str
        The layouts that its tables have, the usual one first.
    md5 : str
        Its published digest, by which it is known to be whole and unchanged; empty where the server
        packs the file anew each time, so that there is none.
    """

    url: str
    name: str
    content: str
    layouts: tuple[str, ...]
    md5: str = ""

    @property
    def is_archive(self) -> bool:
        """Whether it is unpacked after it was fetched."""
        return self.name.endswith(".zip")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A public data set.

    Parameters
    ----------
    name : str
        What users call it, in one word.
    title : str
        What its makers call the whole of it.
    about : str
        Who was recorded doing what, in one sentence.
    home : str
        Where it is published and its terms are said.
    citation : str
        The publication that is cited for it, with its DOI where it has one.
    files : tuple of DataFile
        What is fetched, each file with its digest.
    licence : str
        The licence that its makers state; empty where it was not found.
    """

    name: str
    title: str
    about: str
    home: str
    citation: str
    files: tuple[DataFile, ...]
    licence: str = ""

    @property
    def terms(self) -> str:
        """The licence, or where to look for it."""
        unknown = "not known here: read the terms at its home before you use it or pass it on"
        return self.licence or unknown

    @property
    def layouts(self) -> tuple[str, ...]:
        """The layouts of all its tables, each once."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.layouts))
