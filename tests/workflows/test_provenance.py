"""The metadata of a table say what it was made of, and no more names than may be told."""

from __future__ import annotations

import gzip
from hashlib import sha256

import pytest

import gazetrack
from gazetrack.readers.head import read_head
from gazetrack.tables.store import read_meta
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.provenance import provenance


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An export, and the samples that were converted from it."""
    folder = tmp_path_factory.mktemp("provenance")
    example = gazetrack.write_example(folder, n_images=2, size=(40, 56))
    example.exports[0].rename(folder / "anna.asc")
    gazetrack.convert(folder / "anna.asc", samples=True)
    return folder


def said(path, format, *, named):
    digest = sha256(path.read_bytes()).hexdigest()
    outcome = Outcome(str(path), format=format, sha256=digest)
    return provenance(gazetrack.read(path), read_head(path), outcome, named=named)


def digest_of(path):
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("named", [True, False])
def test_an_export_is_named_by_its_file_or_by_its_bytes(folder, named):
    export = folder / "anna.asc"
    found = said(export, "eyelink_asc", named=named)
    name = "anna.asc" if named else f"sha256-{digest_of(export)[:12]}"
    assert found["source"] == {"file": name, "sha256": digest_of(export)}
    recording = gazetrack.read(export)
    assert {key: found[key] for key in recording.facts()} == recording.facts()
    assert set(found["placement"]) == set(recording.placements)


def test_a_table_of_samples_is_made_of_its_export(folder):
    samples = folder / "anna.samples.parquet"
    source = said(samples, "gazetrack_samples", named=True)["source"]
    assert source["file"] == "anna.samples.parquet"
    assert source["made_of"] == read_meta(samples)["source"]
    assert source["made_of"]["file"] == "anna.asc"
    unnamed = said(samples, "gazetrack_samples", named=False)["source"]
    assert unnamed["made_of"] == {"sha256": digest_of(folder / "anna.asc")}


def test_a_packed_table_of_samples_is_not_looked_into(folder):
    packed = folder / "packed.samples.parquet.gz"
    packed.write_bytes(gzip.compress((folder / "anna.samples.parquet").read_bytes()))
    assert "made_of" not in said(packed, "gazetrack_samples", named=True)["source"]
