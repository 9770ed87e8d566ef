"""The documentation site: its navigation, its pages of public names, and the check of its links.

`make docs` builds all of it strictly, as `.ci/run` does; what needs no build is here.
"""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

import gazetrack
import gradtrack_model
from docs import site_pages
from docs.site_pages import COPIES, copied, pages, with_links_to_copies
from tests.places import ROOT
from tests.site_check import problems

NAVIGATION = yaml.safe_load((ROOT / "docs" / "_toc.yml").read_text("utf-8"))


def named(entries):
    """All pages that stand in a part of the navigation."""
    for entry in entries:
        if "file" in entry:
            yield entry["file"]
        yield from named(entry.get("entries", ()))


def test_every_page_is_in_the_navigation_once():
    there = Counter([NAVIGATION["root"], *named(NAVIGATION["entries"])])
    found = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "notebooks").glob("*.ipynb")]
    written = {str(path.relative_to(ROOT / "docs").with_suffix("")) for path in found}
    made = {f"generated/{copy.removesuffix('.md')}" for copy in COPIES.values()}
    missing = written - set(there)
    assert not missing, f"add a line to docs/_toc.yml for: {', '.join(sorted(missing))}"
    assert there == Counter(written | made | {"generated/api/index"})


def test_the_site_has_four_rooms():
    assert [room.get("title", room["file"]) for room in NAVIGATION["entries"]] == [
        "getting-started",
        "how-to",
        "Concepts",
        "reference",
    ]


@pytest.mark.parametrize("package", [gazetrack, gradtrack_model], ids=lambda one: one.__name__)
def test_every_public_name_has_its_place(package):
    text = "\n".join(pages().values())
    names = {name for name in package.__all__ if not name.startswith("_")}
    described = {name for name in names if f":: {package.__name__}.{name}\n" in text}
    listed = {name for name in names if f":py:obj:`{name} <{package.__name__}.{name}>`" in text}
    assert described == listed == names


def test_links_to_pages_outside_of_the_docs_lead_to_copies():
    text = "[a](../CHANGELOG.md) [b](../benchmarks/results/result.json)"
    assert with_links_to_copies(text) == text.replace("../CHANGELOG.md", "generated/changelog.md")
    names = "[every name](../gazetrack/__init__.pyi)"
    assert with_links_to_copies(names) == "[every name](generated/api/index.rst)"


def test_links_of_copies_hold_where_these_lie(tmp_path, monkeypatch):
    monkeypatch.setattr(site_pages, "ROOT", tmp_path)
    monkeypatch.setattr(site_pages, "GENERATED", tmp_path / "docs" / "generated")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "card.md").write_text(
        "[1](../docs/b.md#c) [2](https://e.org) [3](#d) [4](e.py)"
    )
    assert copied("a/card.md") == "[1](../b.md#c) [2](https://e.org) [3](#d) [4](../../a/e.py)"


def test_what_is_wrong_with_a_built_site_is_seen(tmp_path):
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1>')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">1</a><a href="b.html#gone">2</a><a href="c.html">3</a>'
        '<a href="https://example.org">4</a><script src="https://example.org/x.js"></script>'
        '<link rel="stylesheet" href="//example.org/x.css"><img src="b.png">'
    )
    (tmp_path / "own.css").write_text(
        "@font-face {src: url(x.woff)} .a {background: url('//e.org/x')}"
    )
    found = list(problems(tmp_path))
    assert [one.partition(" ")[2] for one in found] == [
        "fetches https://example.org/x.js",
        "fetches //example.org/x.css",
        "links to b.html#gone, an anchor that is not there",
        "links to c.html, which is not there",
        "links to b.png, which is not there",
        "fetches from the network",
    ]
