"""Pages of HTML, taken apart for tests."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "line", "polyline"}


class Page(HTMLParser):
    """Tags, references and text of a page; closing tags must fit."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.names, self.text, self._open = [], [], set(), "", []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.references += [
            value for name, value in attrs if name in ("src", "href", "action", "data")
        ]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read_page(path):
    text = path.read_text("utf-8")
    assert len(text) < 5_000_000
    assert not re.search(r"https?:|//[a-z]", re.sub(r"data:image/\w+;base64,[\w+/=]+", "", text))
    page = Page(text)
    assert not {"script", "iframe", "object", "link", "base"} & set(page.tags)
    assert not [name for name in page.names if name.startswith("on")]
    return page
