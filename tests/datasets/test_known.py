"""The data sets that are known: their files, digests and layouts hold together."""

import re

import pymovements
import pytest

from gazetrack.datasets.known import DATASETS
from gazetrack.readers.layouts.known import LAYOUTS
from tests.public_tables import TABLES

FILES = [(dataset, file) for dataset in DATASETS.values() for file in dataset.files]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_each_says_what_it_is_and_where_its_terms_are(dataset):
    assert re.fullmatch("[a-z0-9_]+", dataset.name)
    assert dataset.home.startswith("https://")
    assert dataset.citation
    assert dataset.terms
    names = [file.name for file in dataset.files]
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize(("dataset", "file"), FILES, ids=lambda part: part.name)
def test_each_file_has_an_address_a_layout_and_perhaps_a_digest(dataset, file):
    assert file.url.startswith("https://")
    assert file.content in ("gaze", "fixations")
    assert set(file.layouts) <= set(LAYOUTS)
    assert file.layouts
    assert re.fullmatch("([0-9a-f]{32})?", file.md5)
    is_of_fixations = not any(LAYOUTS[name].rate_hz for name in file.layouts)
    assert is_of_fixations == (file.content == "fixations")


def test_every_layout_is_of_a_data_set():
    assert {name for dataset in DATASETS.values() for name in dataset.layouts} == set(LAYOUTS)


OTHER_NAMES = {
    "sb_sat_fixations": "SBSAT",
    "copco_fixations": "CopCo",
    "onestop": "OneStop",
    "provo": "Provo",
    "code_comprehension": "CodeComprehension",
    "gaze4hate": "Gaze4Hate",
    "didec": "DIDEC",
    "fake_news": "FakeNewsPerception",
}
PYMOVEMENTS = {table.layout: table.pymovements for table in TABLES if table.pymovements}


@pytest.mark.parametrize(("dataset", "file"), FILES, ids=lambda part: part.name)
def test_addresses_and_digests_are_those_of_pymovements(dataset, file):
    names = [(PYMOVEMENTS | OTHER_NAMES)[layout] for layout in file.layouts]
    theirs = {
        (resource.source.url, resource.source.md5 or "")
        for name in names
        for resource in pymovements.DatasetLibrary.get(name).resources
    }
    assert (file.url, file.md5) in theirs
