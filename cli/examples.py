"""Examples at the end of a command's help, each a line that can be typed as it stands."""

from __future__ import annotations

from inspect import cleandoc

_PARAGRAPH_AS_IT_IS = "\b"  # by which click knows a paragraph that it must not fill


def examples(text: str) -> str:
    """Return the end of a command's help.

    Parameters
    ----------
    text : str
        Command lines, and before them comments that begin with ``#``.
    """
    listed = [f"  {line}" for line in cleandoc(text).splitlines()]
    return "\n".join([_PARAGRAPH_AS_IT_IS, "Examples:", *listed])
