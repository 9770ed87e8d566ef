"""What the segments of a DICOM segmentation are called, in words and in codes.

Codes: SNOMED CT as DICOM PS3.16 lists them for segments, in context groups 7150 (categories), 7151
and 7159 (types); their numbers are pydicom's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LABEL_CHARS = 64  # of a Long String, DICOM PS3.5 6.2
_MAX_VALUE_CHARS = 16  # of a Short String
_ABNORMAL = "MorphologicallyAbnormalStructure"
_ANATOMY = "AnatomicalStructure"
# Where a segment has no name: what somebody looks for in a medical image is a lesion more often
# than not.
DEFAULT = "lesion"
# By name: pydicom's keywords of category and type.
TABLE = {
    DEFAULT: (_ABNORMAL, "Lesion"),
    "abscess": (_ABNORMAL, "Abscess"),
    "cyst": (_ABNORMAL, "Cyst"),
    "edema": (_ABNORMAL, "Edema"),
    "hemorrhage": (_ABNORMAL, "Hemorrhage"),
    "mass": (_ABNORMAL, "Mass"),
    "necrosis": (_ABNORMAL, "Necrosis"),
    "neoplasm": (_ABNORMAL, "Neoplasm"),
    "nodule": (_ABNORMAL, "Nodule"),
    "polyp": (_ABNORMAL, "PolypOfColon"),
    "tumor": (_ABNORMAL, "Neoplasm"),
    "aorta": (_ANATOMY, "Aorta"),
    "bladder": (_ANATOMY, "Bladder"),
    "brain": (_ANATOMY, "Brain"),
    "breast": (_ANATOMY, "Breast"),
    "heart": (_ANATOMY, "Heart"),
    "kidney": (_ANATOMY, "Kidney"),
    "liver": (_ANATOMY, "Liver"),
    "lung": (_ANATOMY, "Lung"),
    "pancreas": (_ANATOMY, "Pancreas"),
    "prostate": (_ANATOMY, "Prostate"),
    "spleen": (_ANATOMY, "Spleen"),
}
_CODE = re.compile(r"([^,;\\\s]+),([A-Za-z0-9_.-]+),([^;\\]+)")


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Parameters
    ----------
    value : str
        The code, such as ``52988006``, at most 16 characters.
    scheme : str
        Who defines it, such as ``SCT`` for SNOMED CT, at most 16 characters.
    meaning : str
        What it means in words, at most 64 characters.
    """

    value: str
    scheme: str
    meaning: str

    def __post_init__(self) -> None:
        short = (self.value, self.scheme)
        fits = all(0 < len(text) <= _MAX_VALUE_CHARS for text in short)
        if not fits or not 0 < len(self.meaning) <= MAX_LABEL_CHARS:
            what = f"the code {quote(','.join((*short, self.meaning)))} does not fit DICOM"
            hint = f"value and scheme take {_MAX_VALUE_CHARS} characters, the meaning 64"
            raise ConfigError(what, hint=hint)


@dataclass(frozen=True)
class Segment:
    """A segment: its name for people, and what it is in codes.

    Parameters
    ----------
    label : str
        Shown by viewers, at most 64 characters.
    category : Code
        The kind of thing, such as an anatomical structure.
    kind : Code
        The thing itself, such as the liver.
    """

    label: str
    category: Code
    kind: Code

    def __post_init__(self) -> None:
        plain = self.label.isprintable() and "\\" not in self.label
        if not plain or not 0 < len(self.label) <= MAX_LABEL_CHARS:
            what = f"the label {quote(self.label)!r} does not fit DICOM"
            raise ConfigError(what, hint=f"use 1 to {MAX_LABEL_CHARS} characters, and no backslash")


def name_segments(
    classes: Sequence[str], labels: Sequence[str] = (), codes: Sequence[str] = ()
) -> tuple[Segment, ...]:
    """Return the segments of a network's classes.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes, without the background; of a network of one, its name may be empty.
    labels : sequence of str
        What the user calls them, in the order of the classes; none for the classes' own names.
    codes : sequence of str
        What they are, ``VALUE,SCHEME,MEANING`` in the order of the classes, each with a category in
        front where it is no abnormal structure: ``CATEGORY;TYPE``. None for those of `TABLE`.

    Returns
    -------
    tuple of Segment

    Raises
    ------
    ConfigError
        Other numbers of labels or codes than of classes, a text that is no code, a name that is not
        in `TABLE` and has no code, or pydicom is not installed.

    Examples
    --------
    >>> (segment,) = name_segments(["polyp"])
    >>> segment.kind
    Code(value='68496003', scheme='SCT', meaning='Polyp of colon')
    """
    for option, given in (("--segment-label", labels), ("--segment-code", codes)):
        if given and len(given) != len(classes):
            what = f"{option} is given {len(given)} times"
            hint = f"give it once for each class: {', '.join(filter(None, classes)) or 'one'}"
            raise ConfigError(what, hint=hint)
    names = labels or [name or DEFAULT for name in classes]
    if not codes:
        return tuple(_of_table(name) for name in names)
    return tuple(_coded(name, code) for name, code in zip(names, codes, strict=True))


def _of_table(label: str) -> Segment:
    found = TABLE.get(label.strip().lower())
    if found is None:
        what = f"which thing {quote(label)!r} is in codes is not known"
        hint = 'give it by --segment-code, such as "68496003,SCT,Polyp of colon"'
        raise ConfigError(what, hint=hint)
    category, kind = found
    return Segment(label, _concept(category), _concept(kind))


def _coded(label: str, text: str) -> Segment:
    *category, kind = (parse_code(part) for part in text.split(";", 1))
    return Segment(label, category[0] if category else _concept(_ABNORMAL), kind)


def parse_code(text: str) -> Code:
    """Return the code that ``VALUE,SCHEME,MEANING`` stands for; errors as in `name_segments`."""
    match = _CODE.fullmatch(text.strip())
    if match is None or not match[3].isprintable():
        what = f"{quote(text)!r} is no code"
        hint = 'write VALUE,SCHEME,MEANING, such as "68496003,SCT,Polyp of colon"'
        raise ConfigError(what, hint=hint)
    return Code(match[1], match[2], match[3].strip())


def _concept(keyword: str) -> Code:
    found: Any = getattr(_codes().SCT, keyword)
    return Code(found.value, found.scheme_designator, found.meaning)


def _codes() -> Any:
    try:
        return import_module("pydicom.sr.codedict").codes
    except ImportError:
        hint = 'pip install "gazetrack[medical]"'
        raise ConfigError("codes need pydicom, which is not installed", hint=hint) from None
