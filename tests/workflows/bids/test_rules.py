"""Rules of a study: what they find, and every way to write them wrongly."""

from __future__ import annotations

import re

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.bids.rules import Rules, read_rules


def rules_of(folder, text):
    path = folder / "rules.toml"
    path.write_text(text, "utf-8")
    return read_rules(path)


def test_what_the_file_says_comes_before_what_the_export_says(tmp_path):
    rules = rules_of(
        tmp_path,
        "[match]\nfile = ['nothing(?P<run>9)', 'S(?P<subject>[0-9]+)']\n"
        "participant = '(?P<subject>.+)/(?P<session>.+)'\n"
        '[labels.session]\n"first" = "pre"\n',
    )
    texts = {"file": "raw/S12.asc", "recording": "x", "participant": "anna/first"}
    assert rules.found(texts) == {"subject": "12", "session": "first"}
    assert rules.label("session", "first") == "pre"
    assert rules.label("session", "other") == ""
    assert rules.found({"file": "x"}) == {}


def test_without_a_file_nothing_is_found():
    assert read_rules(None) == Rules()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[macth]\n", "did you mean 'match'"),
        ("[match]\nfil = 'a(?P<run>b)'\n", "did you mean 'file'"),
        ("[match]\nfile = '(?P<subjct>b)'\n", "did you mean 'subject'"),
        ("[match]\nfile = '('\n", "no regular expression"),
        ("[match]\nfile = 'S1'\n", "no named group"),
        ("[match]\nfile = 3\n", "'3', no text"),
        ("match = 3\n", r"[match] is no section"),
        ('[labels.subject]\n"a" = "a_b"\n', "such as ab"),
        ('[labels.subjects]\n"a" = "b"\n', "did you mean 'subject'"),
        ('[dataset]\nAuthor = "A"\n', "did you mean 'Authors'"),
        ('[dataset]\nAuthors = "A"\n', "no list of texts"),
        ('[task.look]\nTaskname = "a"\n', "did you mean 'TaskName'"),
        ('[task.free-view]\nTaskName = "a"\n', "such as freeview"),
        ("[colour]\na = 1\n", "'colour' as a section is not known"),
        ('[labels.subject]\n"Anna" = 1\n', "'Anna' in [labels.subject] is '1', no text"),
        ('[task.look]\nTaskName = "a\\tb"\n', "holds a tab, a line end or another sign"),
        ('[labels.run]\n"\u00e9" = "1"\n"e\u0301" = "2"\n', "accents written in two ways"),
        ('[hed]\nevent = "a"\n', "without a version"),
        ('[hed]\nversion = "8.3.0"\nstimulus = "a"\n', "did you mean 'stimuli'"),
    ],
)
def test_what_is_written_wrongly_is_named(text, words, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        rules_of(tmp_path, text)
    assert caught.value.path.name == "rules.toml"


def test_no_file_and_no_toml_are_errors_of_the_input(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_rules(tmp_path / "no.toml")
    with pytest.raises(InputError, match="no TOML"):
        rules_of(tmp_path, "[match\n")


def test_stimuli_have_annotations_of_their_own(tmp_path):
    text = '[hed]\nversion = "8.3.0"\nevent = "Event"\n[hed.stimuli]\n"a.png" = "Sensory-event"\n'
    hed = rules_of(tmp_path, text).hed
    assert (hed.of("a.png"), hed.of("b.png")) == ("Sensory-event", "Event")


def test_accents_may_be_written_in_either_way(tmp_path):
    one, other = "Jos\u00e9", "Jose\u0301"
    for mine, theirs in ((one, other), (other, one)):
        text = f"[match]\nfile = '(?P<subject>{mine})'\n[labels.subject]\n'{mine}' = '01'\n"
        rules = rules_of(tmp_path, text)
        (found,) = rules.found({"file": f"{theirs}.tsv"}).values()
        assert rules.label("subject", found) == rules.label("subject", theirs) == "01"
        assert rules.fits({"file": theirs}) == {"file"}
    assert rules.fits({"file": "x"}) == frozenset()
