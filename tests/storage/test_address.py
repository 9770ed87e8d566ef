"""Addresses: which texts are any, their parts, and that no secret of theirs is shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from gazetrack.storage.address import (
    UrlPath,
    is_url,
    joined,
    local_or_url,
    parent_of,
    shown,
    shown_path,
    without_secrets,
)

SIGNED = "https://ann:pa%24s@host.org/box/raw.tsv?X-Amz-Signature=abc&X-Amz-Date=1"


@pytest.mark.parametrize("text", ["s3://b/a", "gs://b", "memory://x", "az+x.y-z://b", "S3://b"])
def test_a_scheme_of_two_letters_or_more_makes_an_address(text):
    assert is_url(text)


@pytest.mark.parametrize("text", ["C://raw.tsv", "c:/raw.tsv", "C:\\raw.tsv", "raw", "a/b://c", ""])
def test_drives_and_paths_are_none(text):
    assert not is_url(text)
    assert local_or_url(text) == Path(text)


def test_a_path_is_no_address_whatever_it_is_called():
    assert not is_url(Path("s3://bucket/raw.tsv"))


def test_files_of_this_machine_are_paths(tmp_path):
    place = tmp_path / "a b.tsv"
    assert local_or_url(place.as_uri()) == place
    assert local_or_url(f"local://{place}") == place
    assert local_or_url("s3://b/raw.tsv") == "s3://b/raw.tsv"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        (SIGNED, "https://host.org/box/raw.tsv"),
        ("sftp://ann@host/raw.tsv", "sftp://host/raw.tsv"),
        ("abfs://box:key@acc.dfs.core.windows.net/a", "abfs://box@acc.dfs.core.windows.net/a"),
        ("az://box/raw.tsv?sv=2020&sig=abc", "az://box/raw.tsv"),
        ("s3://bucket/what? now.tsv", "s3://bucket/what? now.tsv"),
        ("s3://bucket/me@work.tsv", "s3://bucket/me@work.tsv"),
    ],
)
def test_what_is_shown_has_no_user_password_or_token(url, plain):
    assert shown(url) == plain
    assert str(shown_path(url)) == plain


def test_a_path_of_an_address_keeps_its_scheme_in_all_that_is_made_of_it():
    path = shown_path("s3://bucket/s01/raw.tsv.gz")
    assert isinstance(path, Path)
    assert (path.name, str(path.parent)) == ("raw.tsv.gz", "s3://bucket/s01")
    assert str(path.with_name("b.tsv")) == "s3://bucket/s01/b.tsv"
    assert str(path.parent / "c") == f"{path.parent / 'c'}" == "s3://bucket/s01/c"
    assert path.as_posix() == "s3://bucket/s01/raw.tsv.gz"
    again = pickle.loads(pickle.dumps(path))  # noqa: S301 - our own
    assert isinstance(again, UrlPath)
    assert again == path
    assert hash(again) == hash(path)
    assert not path.exists()


def test_a_folder_of_a_signed_address_keeps_its_token_behind_the_name():
    assert parent_of("az://box/s01/raw.tsv?sig=a/b") == "az://box/s01?sig=a/b"
    assert joined("az://box/s01/?sig=a/b", "x.parquet") == "az://box/s01/x.parquet?sig=a/b"


def test_texts_of_other_programs_lose_the_secrets_of_an_address():
    said = f"GET {SIGNED} failed for ann with pa$s and X-Amz-Signature=abc&X-Amz-Date=1"
    told = without_secrets(said, [SIGNED])
    assert "pa" not in told.replace("path", "")
    assert "abc" not in told
