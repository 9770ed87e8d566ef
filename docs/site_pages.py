"""Pages of the site that no hand writes, made anew by each build in `docs/generated/`.

Those of the public names are made from `__init__.pyi`: a group for each wing, so that a new public
name is on the site without a line here. Pages of the repository that lie outside of `docs/` are
copies, and links to them lead there.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ROOT / "docs" / "generated"

# Pages of the repository that the site has as well.
COPIES = {
    "gradtrack_model/weights/kvasir-lite.md": "kvasir-lite.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}

# The wings of the packages in the words of a reader, in the order the data flow.
TITLES = {
    "gazetrack": {
        "tables": "Recordings and tables",
        "events": "Events",
        "measures": "Measures",
        "maps": "Tracks and maps",
        "sam": "Prompt models",
        "figures": "Figures",
        "workflows": "Verbs: one call from files to files or tables",
        "interop": "Other programs",
        "simulate": "Simulated studies",
        "datasets": "Public data sets",
        "errors": "Errors",
    },
    "gradtrack_model": {
        "verbs": "Verbs",
        "training": "Training",
        "evaluation": "Prediction and evaluation",
        "weights": "Checkpoints",
        "study": "Comparisons of methods",
        "config": "Configuration",
        "settings": "Configuration",
    },
}


def public_names(package):
    """The public names of a package: {title of a group: [name, …]}, from its `__init__.pyi`."""
    stub = ast.parse((ROOT / package / "__init__.pyi").read_text("utf-8"))
    groups = {title: [] for title in TITLES[package].values()}
    for line in stub.body:
        if isinstance(line, ast.ImportFrom):
            # A wing that is public as a whole is a name itself.
            wing = (line.module or line.names[0].name).partition(".")[0]
            title = TITLES[package].get(wing, wing.replace("_", " ").capitalize())
            names = [alias.asname or alias.name for alias in line.names]
            groups.setdefault(title, []).extend(n for n in names if not n.startswith("_"))
    return {title: sorted(names, key=str.lower) for title, names in groups.items() if names}


def first_line(thing):
    """The summary of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def title_of(text):
    """An RST title."""
    return f"{text}\n{'=' * len(text)}\n"


def described(package, name):
    """The directive that takes the docstring of a public name."""
    thing = getattr(importlib.import_module(package), name)
    heading = f"{name}\n{'-' * len(name)}\n"
    if inspect.ismodule(thing):
        return f"{heading}\n.. automodule:: {package}.{name}\n   :members:\n"
    if inspect.isclass(thing):
        options = "   :members:\n"
        return f"{heading}\n.. autoclass:: {package}.{name}\n{options}"
    return f"{heading}\n.. autofunction:: {package}.{name}\n"


def pages():
    """{file name: text} of the pages of the public names: one a group, and the list of all."""
    made = {}
    listed = [title_of("API: the public names")]
    for package in TITLES:
        listed += [package, "-" * len(package), ""]
        for title, names in public_names(package).items():
            slug = f"{package}-{title.partition(':')[0].lower().replace(' ', '-')}"
            parts = [title_of(f"{package}: {title.partition(':')[0].lower()}")]
            parts += [described(package, name) for name in names]
            made[f"{slug}.rst"] = "\n".join(parts)
            listed += [f":doc:`{title} <{slug}>`", "", ".. list-table::", "   :widths: 30 70", ""]
            for name in names:
                thing = getattr(importlib.import_module(package), name)
                listed += [f"   * - :py:obj:`{name} <{package}.{name}>`"]
                listed += [f"     - {first_line(thing)}"]
            listed.append("")
    made["index.rst"] = "\n".join(listed) + "\n"
    return made


def with_links_to_copies(text):
    """The text of a page of `docs/`, whose links to copied pages lead to the copies.

    The list of public names leads to their pages.
    """
    leads_to = COPIES | {"gazetrack/__init__.pyi": "api/index.rst"}
    for source, copy in leads_to.items():
        text = text.replace(f"](../{source}", f"](generated/{copy}")
    return text


def copied(source):
    """The text of a page outside of `docs/`, with links that hold where its copy lies."""
    folder = (ROOT / source).parent

    def moved(found):
        target = os.path.relpath(folder / found[1], GENERATED)
        return f"]({target}"

    text = (ROOT / source).read_text("utf-8")
    return re.sub(r"\]\((?![a-z]+:|#)([^)#\s]+)", moved, text)


def write_pages():
    """Write all pages; one that says what it said before is left as it is, for quick builds."""
    made = {f"api/{name}": text for name, text in pages().items()}
    made |= {copy: copied(source) for source, copy in COPIES.items()}
    (GENERATED / "api").mkdir(parents=True, exist_ok=True)
    for old in (GENERATED / "api").glob("*.rst"):
        if f"api/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        page = GENERATED / name
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
