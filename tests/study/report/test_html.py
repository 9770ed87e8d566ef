"""Pages: text from data is escaped, nothing is left blank, and what is missing is said."""

from __future__ import annotations

import base64

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.study.report import html

RUN = {"name": "<b>full</b>, seed 0", "cells": ["0.5"], "link": ""}
PAGE = {
    "title": "Comparison",
    "lead": "two images",
    "header": ["method"],
    "rows": [["<script>"]],
    "policy": "",
    "plot": "",
    "runs": [RUN],
}


def test_text_from_data_is_escaped(tmp_path):
    path = html.write_page(tmp_path / "page.html", "comparison.html", PAGE)
    text = path.read_text("utf-8")
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;full&lt;/b&gt;" in text
    assert "<script>" not in text


def test_a_name_that_the_page_lacks_is_an_error(tmp_path):
    from jinja2 import UndefinedError

    page = {key: value for key, value in PAGE.items() if key != "rows"}
    with pytest.raises(UndefinedError, match="rows"):
        html.write_page(tmp_path / "page.html", "comparison.html", page)
    assert list(tmp_path.iterdir()) == []


def test_without_jinja2_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"gazetrack\[report\]"):
        html.write_page(tmp_path / "page.html", "comparison.html", PAGE)
    assert list(tmp_path.iterdir()) == []


def test_a_uri_holds_its_bytes():
    kind, _, data = html.data_uri(b"\x00picture", "image/png").partition(";base64,")
    assert kind == "data:image/png"
    assert base64.b64decode(data) == b"\x00picture"
