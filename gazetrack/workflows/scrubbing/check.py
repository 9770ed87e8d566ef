"""Look into every file of a folder for tokens that must not be there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, GazetrackError, InputError, readable
from gazetrack.workflows.engine import run
from gazetrack.workflows.scrubbing.contents import pieces_of
from gazetrack.workflows.scrubbing.piece import NotSearched, Piece
from gazetrack.workflows.scrubbing.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazetrack.errors import WorkerLost

_CHUNK_BYTES = 2**20
_OVERLAP_BYTES = 4096  # more than the longest token takes in its longest form


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A token that stands in a folder.

    Parameters
    ----------
    file : str
        The file's path within the folder; parts that hold a token show its line instead.
    place : str
        Where in the file, or that its name holds the token.
    line : int
        The token's line in the file of tokens, from 1: the token itself is quoted nowhere.
    form : str
        In what form it stands there, such as ``UTF-16`` or ``md5``; empty for plain text.
    """

    file: str
    place: str
    line: int
    form: str = ""


@dataclass(frozen=True, kw_only=True)
class ScrubReport:
    """What a search found.

    Parameters
    ----------
    n_files, n_tokens : int
        How many files were searched, and for how many tokens.
    findings : list of Finding
        In the order of the files' names: the first place of each token in each part of a file.
    errors : list of GazetrackError
        What could not be looked into, so that nobody knows what it holds.
    """

    n_files: int
    n_tokens: int
    findings: list[Finding] = field(default_factory=list)
    errors: list[GazetrackError] = field(default_factory=list)


@dataclass
class _Searched:
    findings: list[Finding]
    error: GazetrackError | None = None


def scrub_check(
    folder: str | Path,
    tokens_file: str | Path,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ScrubReport:
    """Look for each token in all files below a folder, and in their names.

    Parameters
    ----------
    folder : path-like
        Is looked through with all that lies below it; links are not followed.
    tokens_file : path-like
        A text file in UTF-8 with a token a line: names, addresses, dates of birth.
    jobs : int
        Number of processes that search at once.
    progress : callable, optional
        Called with the number of files searched and of all, before the first and after each.

    Returns
    -------
    ScrubReport
        What was found, and what could not be searched. Without either, no token is there in any of
        the forms that are looked for.

    Raises
    ------
    ConfigError
        The tokens cannot be looked for, or lie in the folder themselves.
    InputError
        There is no such folder.
    """
    root, listed = Path(folder), Path(tokens_file)
    if not root.is_dir():
        raise InputError("no such folder", path=root, hint="name the folder that is given away")
    tokens = Tokens.of_file(listed)
    if listed.resolve().is_relative_to(root.resolve()):
        hint = "move it out: the names would be given away with the folder"
        raise ConfigError("the tokens lie in the folder itself", path=listed, hint=hint)
    paths = sorted(_everything(root))
    report = ScrubReport(n_files=sum(map(_is_file, paths)), n_tokens=len(tokens.texts))
    engine = run.Engine.of(jobs)
    work = partial(_searched, root=root, tokens=tokens)
    for searched in run.over(
        work, paths, engine, total=len(paths), lost=partial(_lost, root=root, tokens=tokens),
        progress=progress,
    ):  # fmt: skip
        report.findings.extend(searched.findings)
        if searched.error is not None:
            report.errors.append(searched.error)
    return report


def _everything(root: Path) -> Iterator[Path]:
    """Return all files, folders and links below a folder."""

    def refuse(error: OSError) -> None:
        raise InputError("cannot be listed", path=error.filename) from error

    for folder, folders, files in os.walk(root, onerror=refuse):
        yield from (Path(folder, name) for name in (*folders, *files))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _searched(path: Path, root: Path, tokens: Tokens) -> _Searched:
    """Return what stands in a file, in its name, or in what a link points to."""
    shown = _shown(path.relative_to(root), tokens)
    names = {path.name: "its name"}
    if path.is_symlink():
        names[str(path.readlink())] = "what the link points to"
    findings = [
        Finding(file=shown, place=place, line=line)
        for name, place in names.items()
        for line in tokens.lines_in(name)
    ]
    if not _is_file(path):
        return _Searched(findings)
    try:
        for piece in pieces_of(path):
            findings += _in_piece(piece, shown, tokens)
    except (NotSearched, OSError) as error:
        reason = str(error) if isinstance(error, NotSearched) else error.strerror or "unreadable"
        what = f"cannot be searched: {reason}"
        hint = "look at it yourself, or leave it out of what is given away"
        return _Searched(findings, InputError(what, path=shown, hint=hint))
    return _Searched(list(dict.fromkeys(findings)))


def _in_piece(piece: Piece, shown: str, tokens: Tokens) -> Iterator[Finding]:
    """Return the first place of each token in some bytes."""
    known: set[tuple[int, str]] = set()
    for first in range(0, max(len(piece.data), 1), _CHUNK_BYTES):
        chunk = piece.data[first : first + _CHUNK_BYTES + _OVERLAP_BYTES]
        for hit in tokens.hits(chunk, packed=not piece.is_text):
            if (hit.line, hit.form) in known:
                continue
            known.add((hit.line, hit.form))
            yield Finding(
                file=shown,
                place=", ".join((*piece.where, _position(piece, first + hit.end))),
                line=hit.line,
                form=hit.form,
            )


def _position(piece: Piece, end: int) -> str:
    if not piece.is_text:
        return f"byte {end}"
    lines_before = piece.data[: max(end - 1, 0)].count(b"\n")
    return f"line {lines_before + 1}"


def _shown(path: Path, tokens: Tokens) -> str:
    """Return a path whose parts quote no token."""
    parts = []
    for part in path.parts:
        lines = tokens.lines_in(part)
        suffix = "".join(Path(part).suffixes[-1:]) if lines else ""
        kept = "" if tokens.lines_in(suffix) else suffix
        parts.append(f"<token {lines[0]}>{kept}" if lines else readable(part))
    return "/".join(parts)


def _lost(path: Path, error: WorkerLost, *, root: Path, tokens: Tokens) -> _Searched:
    shown = _shown(path.relative_to(root), tokens)
    hint = "look at it yourself, or try it with fewer --jobs"
    return _Searched([], type(error)(error.what, path=shown, hint=hint))
