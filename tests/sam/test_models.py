"""Where prompt models are found, and that only the right files go by a known name."""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.publish import sha256_of
from gazetrack.sam import models
from gazetrack.sam.models import add_model, find_model, known_models

FILES = {"dist/encoder.onnx": b"the encoder", "dist/sam.onnx": b"the decoder"}


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A known model `toy` whose files are FILES; nothing is installed."""
    monkeypatch.setenv("GAZETRACK_MODELS", str(tmp_path / "models"))
    folder = written(tmp_path / "files", FILES)
    digests = [sha256_of(folder / name) for name in FILES]
    toy = dataclasses.replace(
        models.KNOWN["mobilesam"],
        name="toy",
        fetch="fetch toy",
        encoder_sha256=digests[0],
        decoder_sha256=digests[1],
    )
    monkeypatch.setitem(models.KNOWN, "toy", toy)
    return toy


def written(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def packed(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as package:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))
    return path


def test_a_model_that_was_added_is_found_by_its_name(known, tmp_path):
    with pytest.raises(ConfigError, match="toy is not installed - fetch toy"):
        find_model("toy")
    package = packed(tmp_path / "toy.tgz", {"README.md": b"!", **FILES})
    folder = add_model("toy", package)
    assert folder == tmp_path / "models" / "toy"
    found = find_model("toy")
    assert found.name == "toy"
    assert {path.name: path.read_bytes() for path in found.paths} == {
        "encoder.onnx": b"the encoder",
        "decoder.onnx": b"the decoder",
    }


@pytest.mark.parametrize("inside", [".", "dist", "package/dist"])
def test_a_folder_does_as_well_as_a_package(known, tmp_path, inside):
    files = {f"{inside}/{name.removeprefix('dist/')}": data for name, data in FILES.items()}
    folder = written(tmp_path / "given", files)
    assert find_model(folder).name == "toy"
    add_model("toy", folder)
    assert find_model("toy").name == "toy"


def test_a_package_laid_into_the_folder_of_models_by_hand_is_found(known, tmp_path):
    written(tmp_path / "models" / "toy", FILES)
    assert find_model("toy").name == "toy"


def test_other_files_do_not_go_by_the_name(known, tmp_path):
    changed = {**FILES, "dist/sam.onnx": b"another"}
    folder = written(tmp_path / "models" / "toy", changed)
    with pytest.raises(InputError, match="is no file of toy: its SHA-256 is") as error:
        find_model("toy")
    assert error.value.path == folder / "dist" / "sam.onnx"
    written(folder, {"dist/sam.onnx": b"the encoder"})
    with pytest.raises(InputError, match="holds one file of toy twice"):
        find_model("toy")
    # In a folder of the user's own they go by its name.
    assert find_model(written(tmp_path / "mine", changed)).name == "mine"
    # Even where that is a known one: what other files learned from, the name does not say.
    other = find_model(written(tmp_path / "elsewhere" / "toy", changed))
    assert other.name == "toy (other files)"
    assert other.learned_from == models.UNKNOWN_LESSONS
    with pytest.raises(InputError, match=r"has no decoder.onnx of toy: no file in it has"):
        add_model("toy", tmp_path / "mine")
    with pytest.raises(InputError, match=r"has no encoder.onnx and no decoder.onnx"):
        add_model("toy", packed(tmp_path / "p.tgz", {"encoder.onnx": b"x"}))


def test_damaged_packages_are_refused_and_nothing_is_installed(known, tmp_path, monkeypatch):
    package = packed(tmp_path / "toy.tgz", {**FILES, "noise": os.urandom(5000)})
    cut = tmp_path / "cut.tgz"
    cut.write_bytes(package.read_bytes()[:2000])
    for damaged in (cut, written(tmp_path, {"no.tgz": b"no package"}) / "no.tgz"):
        with pytest.raises(InputError, match="cannot be read as a package"):
            add_model("toy", damaged)
    monkeypatch.setattr(models, "_MAX_UNPACKED", 4999)
    with pytest.raises(InputError, match="it unpacks to more than"):
        add_model("toy", package)
    assert not (tmp_path / "models").exists()


def test_names_and_links_in_a_package_decide_nothing(known, tmp_path):
    package = tmp_path / "toy.tgz"
    with tarfile.open(package, "w:gz") as opened:
        link = tarfile.TarInfo("package/encoder.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
        for name, data in (("../../a.onnx", b"the encoder"), ("/b.onnx", b"the decoder")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    folder = add_model("toy", package)
    assert sorted(path.name for path in folder.iterdir()) == ["decoder.onnx", "encoder.onnx"]
    assert not any(tmp_path.rglob("a.onnx"))


def test_what_is_neither_name_nor_folder_is_refused(known, tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'mobilesam'"):
        find_model("mobilsam")
    with pytest.raises(ConfigError, match="no model 'tog' is known"):
        add_model("tog", tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        add_model("toy", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds 0 .onnx files"):
        find_model(tmp_path / "empty")
    three = written(tmp_path / "three", {f"{n}.onnx": b"" for n in "abc"})
    with pytest.raises(InputError, match=r"holds 3 .onnx files: a.onnx, b.onnx, c.onnx"):
        find_model(three)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_regular_file_is_not_read(known, tmp_path):
    folder = written(tmp_path / "pipes", {"a.onnx": b""})
    os.mkfifo(folder / "b.onnx")
    with pytest.raises(InputError, match=r"holds 1 .onnx files: a.onnx"):
        find_model(folder)
    os.mkfifo(tmp_path / "toy.tgz")
    with pytest.raises(InputError, match="no such file or folder"):
        add_model("toy", tmp_path / "toy.tgz")


def test_the_list_says_what_is_installed(known, tmp_path):
    def state():
        (found,) = (one for one in known_models() if one.model.name == "toy")
        return found.installed, found.problem

    assert state() == (False, "")
    written(tmp_path / "models" / "toy", {"a.onnx": b"1", "b.onnx": b"2"})
    installed, problem = state()
    assert not installed
    assert "is no file of toy" in problem
    for path in (tmp_path / "models" / "toy").iterdir():
        path.unlink()
    add_model("toy", written(tmp_path / "good", FILES))
    assert state() == (True, "")


def test_without_the_variable_models_are_in_the_users_own_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("GAZETRACK_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.models_folder().parts[-2:] == ("gazetrack", "models")


def test_what_is_known_says_where_it_is_from_and_how_to_get_it():
    for name, known in models.KNOWN.items():
        assert known.name == name
        assert "Apache-2.0" in known.licence
        assert known.archive in known.how
        assert all(len(digest) == 64 for digest in known.digests.values())
