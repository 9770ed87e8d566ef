"""Which parameters the docstrings document, and in how many words."""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEWEST_WORDS = 5
_SECTIONS = re.compile(r"^(?:Parameters|Attributes)\n-+\n", re.MULTILINE)
_HEADING = re.compile(r"^\w[\w ]*\n-{3,}$", re.MULTILINE)
_ENTRY = re.compile(r"^(\*{0,2}\w[^\n]*)\n((?:(?:    [^\n]*)?\n)*)", re.MULTILINE)


class Parameter(NamedTuple):
    path: Path
    line: int
    name: str
    description: str


def documented(path: Path) -> Iterator[Parameter]:
    """Yield the entries of all sections of parameters in a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        text = inspect.cleandoc(ast.get_docstring(node) or "") + "\n"
        for section in _SECTIONS.finditer(text):
            end = _HEADING.search(text, section.end())
            entries = text[section.end() : end.start() if end else len(text)]
            for name, description in _ENTRY.findall(entries):
                words = " ".join(description.split())
                yield Parameter(path, node.lineno, name.partition(" : ")[0], words)


def too_short(path: Path) -> list[str]:
    """Return where a parameter is described in fewer than `FEWEST_WORDS` words."""
    return [
        f"{found.path}:{found.line}: {found.name}: {found.description!r}"
        for found in documented(path)
        if len(found.description.split()) < FEWEST_WORDS
    ]
