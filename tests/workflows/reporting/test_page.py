import base64
import hashlib
import json
import re

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.reporting import page as pages
from gazetrack.workflows.reporting.entries import RecordingEntry, Reported
from gazetrack.workflows.reporting.options import ReportOptions
from gazetrack.workflows.reporting.page import page_of
from gazetrack.workflows.reporting.pictures import MapPictures, Pictures


def written(*found, pictures=None, maps=None, **choices):
    return page_of(found, pictures or Pictures(), maps or MapPictures(), ReportOptions(**choices))


def entry(name="anna"):
    return RecordingEntry(name=name, participant="", eyes={}, events={}, trials=())


def test_the_policy_lets_the_one_style_and_the_one_script_through(page):
    text = page.read_text("utf-8")
    policy = re.search(r'Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data:;")
    for name in ("style", "script"):
        (inside,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_nothing_in_the_page_refers_to_anything_outside_it(page):
    text = page.read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text)
    assert not re.search(r"\son[a-z]+=|\sstyle=", text)


def test_what_was_left_out_is_listed_with_its_reason(page):
    text = page.read_text("utf-8")
    assert "Inputs that could not be read (1)" in text
    assert re.search(r"reader-03\.asc:\d+: .* \[PARSE\]", text)
    assert "notes.csv" in text
    assert "Stimuli without an image in the folder of images (1)" in text


def test_provenance_and_thresholds_are_in_the_page(page, study):
    text = page.read_text("utf-8")
    assert hashlib.sha256(study.exports[0].read_bytes()).hexdigest() in text
    assert "lost ≤ 1 %" in text
    assert "RMS-S2S ≤ 5 deg" in text
    assert "the export&#39;s own" in text
    assert re.search(r"certain: lines of [A-Z, ]+", text)


def test_the_trials_are_data_and_images_are_there_once(page):
    text = page.read_text("utf-8")
    data = json.loads(re.search(r'id="r0-data">(.*?)</script>', text, re.DOTALL)[1])
    assert [trial["stimulus"] for trial in data] == ["lesion-001.png", "lesion-002.png"]
    assert data[0]["image"] == 0
    assert data[1]["image"] is None
    pictures = json.loads(re.search(r'id="pictures">(.*?)</script>', text, re.DOTALL)[1])
    assert len(pictures["images"]) == 1
    assert len(pictures["maps"]) == 4


def test_names_are_escaped_and_marks_that_turn_text_are_shown():
    text = written(Reported(outcome=Outcome("x"), entries=(entry("</script><b>\u202e"),)))
    assert "&lt;/script&gt;&lt;b&gt;\\u202e" in text
    assert text.count("</script>") == 2
    assert "\u202e" not in text


def test_a_failed_input_has_a_row_with_its_whole_error():
    error = InputError("x" * 500, hint="do this")
    text = written(
        Reported(outcome=Outcome("a/b.asc", "failed", error=error)),
        Reported(outcome=Outcome("x"), entries=(entry(),)),
    )
    assert 'data-status="not read"' in text
    assert "<small><bdi>xxx" in text  # without the name of the file, which stands above it
    assert "x" * 500 in text


def test_the_same_inputs_give_the_same_bytes():
    found = Reported(outcome=Outcome("x"), entries=(entry(),))
    assert written(found) == written(found)


def test_without_jinja_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pages, "installed", lambda: False)
    with pytest.raises(ConfigError, match=re.escape("gazetrack[report]")):
        pages.check_installed()
