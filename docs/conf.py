"""The documentation site: the pages of this folder, the notebooks, and every public name.

`make docs` builds it with Sphinx into `build/docs/html`; neither that nor reading it needs the
network. The pages stay plain Markdown that also reads well where nothing but Markdown is shown;
what stands where is in `_toc.yml`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from pygments.lexer import Lexer
from pygments.lexers.shell import BashLexer, BashSessionLexer

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the build knows this checkout, installed or not

from docs.site_pages import with_links_to_copies, write_pages  # noqa: E402 - found by the line above
from gazetrack.version import __version__  # noqa: E402

project = "gazetrack"
author = "The gazetrack authors"
copyright = author  # noqa: A001 - Sphinx's word
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_external_toc",
]

# Pages are Markdown as GitHub reads it, with anchors for headings down to the third level.
myst_heading_anchors = 3
myst_enable_extensions: list[str] = []
# Notebooks are shown as they were run: tests/test_notebooks.py runs them against the library.
nb_execution_mode = "off"

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the docstrings, with units and shapes
add_module_names = False
toc_object_entries = False  # every name has a heading already
default_role = "py:obj"  # names of ours in docstrings are links where they have a page

copybutton_prompt_text = "$ "  # what is copied from a session is what one types
copybutton_only_copy_prompt_lines = True

html_theme = "pydata_sphinx_theme"
html_title = "gazetrack"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "navigation_depth": 3,
}

# The extension of the navigation looks at every object there is, and PyTorch has one that warns.
warnings.filterwarnings("ignore", message=".*torch.distributed.reduce_op.*")


class CommandLexer(Lexer):
    """Blocks of commands: a session where lines begin with a prompt, else lines for a shell."""

    name = "Commands, or a session of them"
    aliases = ("console",)

    def get_tokens_unprocessed(self, text):
        """Tokens of whichever lexer fits."""
        is_session = any(line.startswith("$ ") for line in text.splitlines())
        lexer = BashSessionLexer() if is_session else BashLexer()
        yield from lexer.get_tokens_unprocessed(text)


def setup(app):
    """Make the pages that are made, and read all others as they are meant."""
    write_pages()
    app.add_lexer("console", CommandLexer)
    app.connect("source-read", lead_to_copies)


def lead_to_copies(_app, page, source):
    """Let links of a page to others outside of `docs/` lead to their copies on the site."""
    if not page.startswith("generated/"):
        source[0] = with_links_to_copies(source[0])
