"""Which packages are installed, in which version, and what those that are not would give."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib import import_module
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    entry_points,
    version,
)
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from gazetrack.errors import quote
from gazetrack.version import __version__
from gazetrack.workflows.doctor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OURS = "gazetrack"
# What each extra gives, in a few words; those of developers are left out.
EXTRAS = {
    "model": "training, prediction and evaluation: gradtrack-train and its like",
    "report": "reports of studies, runs and comparisons as HTML",
    "medical": "images and volumes in DICOM, NRRD and NIfTI, and predictions as DICOM-SEG",
    "export": "networks as ONNX files",
    "sam": "maps and predictions drawn by a prompt model such as MobileSAM",
    "pdf": "PDFs in folders that gazetrack scrub-check looks through",
    "xdf": "recordings of LabStreamingLayer (XDF)",
    "edf": "EyeLink EDF files",
    "hdf5": "PsychoPy's ioHub files (HDF5)",
    "s3": "exports and tables in buckets of S3",
    "gs": "exports and tables in Google Cloud Storage",
    "az": "exports and tables in Azure",
    "datasets": "gazetrack dataset get: public data sets by name",
    "interop": "tables for and from MNE-Python, pymovements, polars, DuckDB and xarray",
    "nnunet": "nnU-Net v2, whose trainer nnUNetTrainerGaze learns soft maps of gaze",
    "cluster": "--cluster: many recordings on a batch queue or Dask's scheduler",
    "loggers": "runs of gradtrack-train logged in MLflow or Weights & Biases",
    "examples": "what the examples and notebooks need besides",
}
FOR_DEVELOPERS = ("test", "docs", "dev")
# Where a package is imported under another name.
_MODULES = {"pillow": "PIL"}


def check_packages() -> Iterator[Finding]:
    """Yield what is known of Python, of this package, of what it needs and of its extras."""
    try:
        ours = distribution(_OURS)
    except PackageNotFoundError:
        yield _python(">=3")
        what = f"{__version__}, and not installed: which packages it needs is not known"
        do = 'install it: pip install -c constraints.txt "."'
        yield Finding(section="program", name=_OURS, what=what, state="problem", do=do)
        return
    yield _python(ours.metadata["Requires-Python"] or ">=3")
    yield _program(ours)
    requirements = [Requirement(line) for line in ours.requires or ()]
    for needed in requirements:
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield _needed(needed)
    for extra in ours.metadata.get_all("Provides-Extra") or ():
        if extra not in FOR_DEVELOPERS:
            yield _extra(extra, requirements)


def _python(supported: str) -> Finding:
    from packaging.specifiers import SpecifierSet

    number = platform.python_version()
    what = f"{number} ({platform.python_implementation()}, {platform.platform(terse=True)})"
    facts = {"version": number, "supported": supported, "executable": sys.executable}
    if SpecifierSet(supported).contains(number, prereleases=True):
        return Finding(section="program", name="Python", what=what, facts=facts)
    return Finding(
        section="program",
        name="Python",
        what=f"{what}; supported is {supported}",
        state="problem",
        do=f"make an environment with Python {supported}, and install gazetrack there",
        facts=facts,
    )


def _program(ours: Distribution) -> Finding:
    """Return which gazetrack this is, and whether the shell would start the same one."""
    place = str(Path(__file__).resolve().parents[2])
    called = shutil.which(_OURS)
    facts = {"version": ours.version, "folder": place, "on_path": called}
    what = f"{ours.version}, in {place}"
    if called is None:
        what = f"{what}; the program gazetrack is on no folder of PATH"
        do = "activate its environment, or type: python -m gazetrack"
        return Finding(section="program", name=_OURS, what=what, state="note", do=do, facts=facts)
    if Path(called).parent.resolve() != Path(sys.executable).parent.resolve():
        what = f"{what}; a shell starts another one: {called}"
        do = "activate the environment that is meant, or type: python -m gazetrack"
        return Finding(section="program", name=_OURS, what=what, state="note", do=do, facts=facts)
    return Finding(section="program", name=_OURS, what=what, facts=facts)


def _needed(requirement: Requirement) -> Finding:
    """Return whether a package that is always needed is there, new enough, and can be imported."""
    name, supported = requirement.name, str(requirement.specifier)
    found = _version_of(name)
    facts = {"version": found, "supported": supported}
    problem = _mismatch(requirement, found) or _import_error(name)
    if not problem:
        what = f"{found} (supported: {supported})"
        return Finding(section="packages", name=name, what=what, facts=facts)
    return Finding(
        section="packages",
        name=name,
        what=problem,
        state="problem",
        do=f'pip install --upgrade --force-reinstall "{name}{supported}"',
        facts=facts,
    )


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _mismatch(requirement: Requirement, found: str | None) -> str:
    """Return why an installed version does not do; empty where it does."""
    if found is None:
        return f"not installed (supported: {requirement.specifier})"
    if not requirement.specifier.contains(found, prereleases=True):
        return f"{found} is installed, and supported is {requirement.specifier}"
    return ""


def _import_error(name: str) -> str:
    """Return what is said when a package is imported; empty where all is well."""
    module = _MODULES.get(name, name.replace("-", "_"))
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever an import raises is what was found
        return f"cannot be imported: {type(error).__name__}: {quote(error, 160)}"
    return ""


def _extra(extra: str, requirements: Iterable[Requirement]) -> Finding:
    """Return whether the packages of an extra are there, and what they give."""
    own = [
        one
        for one in requirements
        if one.marker is not None
        and one.marker.evaluate({"extra": extra})
        and not one.marker.evaluate({"extra": ""})
    ]
    versions = {one.name: _version_of(one.name) for one in own}
    gives = EXTRAS.get(extra, "")
    facts = {"versions": versions, "supported": {one.name: str(one.specifier) for one in own}}
    do = f'pip install "gazetrack[{extra}]"'
    unfit = [f"{one.name}: {why}" for one in own if (why := _mismatch(one, versions[one.name]))]
    if not unfit:
        listed = ", ".join(f"{name} {found}" for name, found in versions.items())
        what = f"{gives} ({listed})"
        return Finding(section="extras", name=extra, what=what, facts=facts)
    missing = [name for name, found in versions.items() if found is None]
    if len(missing) == len(unfit):  # what is there would do
        what = f"not installed; it gives {gives}"
        return Finding(section="extras", name=extra, what=what, state="note", do=do, facts=facts)
    old = "; ".join(why for why in unfit if not why.endswith(")"))
    return Finding(
        section="extras", name=extra, what=old, state="problem", do=f"{do} --upgrade", facts=facts
    )


def check_readers() -> Iterator[Finding]:
    """Yield the readers of other packages, and whether each can be imported."""
    for point in entry_points(group="gazetrack.readers"):
        try:
            point.load()
        except Exception as error:  # noqa: BLE001 - whatever an import raises is what was found
            yield Finding(
                section="readers",
                name=point.name,
                what=f"{point.value}: {type(error).__name__}: {quote(error, 160)}",
                state="problem",
                do="update or uninstall the package that it comes with",
            )
        else:
            yield Finding(section="readers", name=point.name, what=point.value)
