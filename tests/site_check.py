"""The built site, looked at: `python -m tests.site_check build/docs/html`.

Links and anchors within it lead somewhere, and a page asks the network for nothing: scripts,
styles, fonts and pictures are files of the site. Sphinx sees neither raw HTML nor what themes add.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches to show a page; an `<a href>` it does not.
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}
# Links that say what another page is, and fetch nothing.
ONLY_NAMED = {"canonical", "next", "prev", "search", "index", "author"}
IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(https?:)?//""")


class Page(HTMLParser):
    """What a page fetches, where it leads, and the anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.links, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        where = found.get(FETCHED.get(tag, ""))
        if where and not (tag == "link" and found.get("rel") in ONLY_NAMED):
            self.fetched.append(where)
            self.links.append(where)


def pages_of(folder):
    """The pages of the site; `_static` has templates of the theme, which nobody sees."""
    return [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]


def problems(folder):
    """One line for each link that leads nowhere, and each thing that needs the network."""
    pages = {path: Page(path.read_text("utf-8")) for path in pages_of(folder)}
    for path, page in pages.items():
        name = path.relative_to(folder)
        for where in page.fetched:
            if urlsplit(where).scheme in ("http", "https") or where.startswith("//"):
                yield f"{name} fetches {where}"
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{name} links to {link}, which is not there"
                continue
            is_page = parts.fragment and target in pages
            if is_page and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name} links to {link}, an anchor that is not there"
    for path in sorted(folder.rglob("*.css")):
        if IN_STYLES.search(path.read_text("utf-8")):
            yield f"{path.relative_to(folder)} fetches from the network"


def main(folder):
    """Print what is wrong, and say so by the exit status."""
    folder = Path(folder).resolve()
    found = list(problems(folder))
    n_pages = len(pages_of(folder))
    lines = [*found, f"{n_pages} pages, {len(found)} problems"]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(found) or not n_pages


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
