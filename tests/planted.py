"""Exports of every format in which each place that can hold a person's name holds a made-up one.

They are the golden exports, with names, codes, e-mail addresses and dates of birth written over
what stands there. Nobody is called like this.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import cycle
from typing import TYPE_CHECKING

from gazetrack.readers import registry
from tests.places import GOLDEN
from tests.xdf_files import Stream, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_FIRST = ("Jörkel", "Zoëvine", "Ånkreth", "Śwjetlan", "Quentrude", "Éloïsande", "Brunhexe")
_LAST = ("Müßlinger", "van Drægvold", "O'Quörk", "Ñandúbar", "Whittlepox", "Çırakgözlü", "Kvjeld")
N_PEOPLE = 50
# What tells the first rows of a file from the column names to what stands below them.
_CELLS = {
    "begaze": {"participant": "name", "color": "code"},
    "eyelink_report": {"recording_session_label": "name"},
    "eyelink_samples": {"recording_session_label": "name"},
    "generic": {"who": "name"},
    "imotions": {"name": "name", "age": "born", "studyname": "code"},
    "pupil_cloud": {"recording id": "name", "section id": "code"},
    "tobii_mapped": {"participant name": "name", "recording name": "code"},
    "tobii_pro": {
        "participant name": "name", "participantname": "name", "timeline name": "mail",
        "recording name": "code", "recordingname": "code", "exportdate": "born",
    },
}  # fmt: skip
# Columns that are data, and may be called after people all the same.
_DATA = dict.fromkeys(
    ("stimulus", "stimulusname", "media_name", "medianame", "presented stimulus name", "image",
     "sourcestimuliname", "presented media name", "stimuliname", "trial", "event value", "user",
     "video name", "dicom_id", "studioeventdata"),
    "name",
)  # fmt: skip
# What stands in headers and messages: a pattern, and what is written over it or added to it.
_TEXTS = {
    "adhawk": [],
    "arff": [(r"(?i)(@relation) .*", r"\1 '{name}'\n% {mail}, born {born}")],
    "eyelink_asc": [
        (r"CONVERTED FROM \S+", r"CONVERTED FROM C:\\{name}\\{code}.edf"),
        (r"(\*\* DATE: .*)", r"\1\n** RECORDED BY {name}, {mail}\n** TITLE: {name} {born}"),
        (r"(SERIAL NUMBER:) .*", r"\1 {code}"),
        (r"(MSG\t900 .*)", r"\1\nMSG\t901 mail {mail} born {born}\nMSG\t902 file {file} begins"),
    ],
    "eyetribe": [(r"(MSG\t\S+ \S+\t\d+)\t(?:trial 1|image on).*", r"\1\tof {file}, {mail} {born}")],
    "gazepoint": [(r"trial start a.png", "of {file}, {mail} {born}")],
    "imotions": [
        (r"(?m)^(#Study name|#Study :)[, ].*", r"\1,{code}"),
        (r"(?m)^#Respondent Name,r", "#Respondent Name,{name}\n#Respondent Age,{born}"),
    ],
    "smi": [
        (r"(Converted from:)\t.*", "\\1\t{mail}"),
        (r"(Subject:)\t.*", "\\1\t{name}"),
        (r"(Date:)\t.*", "\\1\t{born}"),
        (r"(# Message:) UE-keypress.*", r"\1 said {name0} {mail} {born}"),
    ],
    "tobii_logs": [(r"image on, grey.png", "of {file}, {mail} {born}")],
    "tobii_studio": [
        (r"(Participant|Subject): *\t?P9", "\\1:\t{name}"),
        (r"(Machine Name:)\t.*", "\\1\t{code}"),
        (r"(?m)^(Recording(?: name)?): *\t?(Rec \d+)", "\\1:\t{code}"),
    ],
    "viewpoint": [
        (r"(?m)^(3\tScreenSize.*)", "3\tComment {name} {mail} {born}\n\\1"),
        (r"(?m)^(12\t *\S+)\tB", "\\1\tof {file}, {mail} {born}"),
    ],
    "webgazer": [
        (r'"trial_index": (\d)', r'"participant": "{name}", "trial_index": \1'),
        (r"(# benchmark_run_at,)\S+", r"\1{born}\n# participant,{name}\n# mail,{mail}"),
    ],
}


def people() -> list[dict[str, str]]:
    """Return 50 people: name, code, e-mail address and date of birth of each, 200 tokens."""
    found = []
    for n in range(N_PEOPLE):
        first, last = _FIRST[n % 7], _LAST[n // 7 % 7]
        plain = re.sub(r"\W", "", last.lower())
        found.append(
            {
                "name": f"{first} {last}{'' if n < 49 else ' jun.'}",
                "code": f"VPX-{plain[:4]}-{7919 * (n + 1) % 100000:05}",
                "mail": f"{first.lower()}.{plain}@klinik-süd{n}.example.org",
                "born": f"{n % 27 + 1:02}.{n % 11 + 1:02}.{1931 + n}",
            }
        )
    return found


def tokens() -> list[str]:
    """Return everything that is planted, and must not be found again."""
    return [token for person in people() for token in person.values()]


def plant(
    folder: Path, *, formats: Sequence[str] = (), damaged: bool = True, in_data: bool = False
) -> Iterator[Path]:
    """Write an export of every golden folder, each into a folder and a file called after somebody.

    Parameters
    ----------
    folder : pathlib.Path
        Is made, and holds nothing else.
    formats : sequence of str
        Only the first export of each of these formats; of all formats all exports by default.
    damaged : bool
        Whether there is a second one of each text, with a name in place of a number.
    in_data : bool
        Whether stimuli, trials and messages are called after people as well.

    Yields
    ------
    pathlib.Path
        Each export that was written.
    """
    rotation = cycle(people())
    cases = [
        path
        for name in formats or registry.BUILTIN
        for path in sorted((GOLDEN / name).glob("*/input.*"))[: 1 if formats else None]
    ]
    for number, source in enumerate(sorted(cases)):
        format_name, owner = source.parts[-3], next(rotation)
        below = folder / format_name / unicodedata.normalize("NFD", owner["name"])
        below.mkdir(parents=True, exist_ok=True)
        path = below / f"{owner['code']} {owner['mail']} {number}{source.suffix}"
        data = source.read_bytes()
        if format_name == "xdf":
            path.write_bytes(write([_stream(owner)]))
            yield path
            continue
        try:
            text, encoding = _decoded(data)
        except UnicodeDecodeError:
            path.write_bytes(data)
            yield path
            continue
        known = owner | {"file": path.stem, "name0": owner["name"]}
        text = _with_texts(text, format_name, rotation, known)
        columns = _CELLS.get(format_name, {}) | (_DATA if in_data else {})
        text = _with_cells(text, columns, rotation)
        path.write_bytes(text.encode(encoding))
        yield path
        broken = _damaged(text, next(rotation)["name"])
        if damaged and broken != text:
            cut = below / f"{owner['born']} {number}{source.suffix}"
            cut.write_bytes(broken.replace(path.stem, cut.stem).encode(encoding))
            yield cut


def _decoded(data: bytes) -> tuple[str, str]:
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}
    encoding = marks.get(data[:2], "utf-8")
    return data.decode(encoding), encoding


def _with_texts(
    text: str, format_name: str, rotation: Iterator[dict[str, str]], owner: dict[str, str]
) -> str:
    for pattern, template in _TEXTS.get(format_name, ()):

        def planted(match: re.Match[str], template: str = template) -> str:
            person = next(rotation) | {name: owner[name] for name in ("file", "name0")}
            # Whose recording it is, is said in one place, and told again in others.
            if "{name}" in template and "Subject" in match[0]:
                person["name"] = owner["name"]
            return re.sub(r"\{(\w+)\}", lambda field: person[field[1]], match.expand(template))

        text = re.sub(pattern, planted, text)
    return text


def _with_cells(text: str, columns: Mapping[str, str], rotation: Iterator[dict[str, str]]) -> str:
    """Write over the cells of columns that hold names; equal cells stay equal."""
    lines = text.splitlines()
    for at, line in enumerate(lines):  # noqa: B007 - used behind the loop
        delimiter = max("\t;,", key=line.count)
        header = [cell.strip('\ufeff" ').lower() for cell in line.split(delimiter)]
        if len(header) > 2 and set(columns) & set(header):
            break
    else:
        return text
    new: dict[tuple[str, str], str] = {}
    for row in range(at + 1, len(lines)):
        cells = lines[row].split(delimiter)
        for place, column in enumerate(header):
            if column in columns and place < len(cells) and cells[place]:
                key = (column, cells[place])
                new.setdefault(key, next(rotation)[columns[column]])
                cells[place] = new[key]
        lines[row] = delimiter.join(cells)
    return "\n".join(lines) + "\n"


def _damaged(text: str, name: str) -> str:
    """Return a text with a name in place of the last fraction in it: trials are whole numbers."""
    fractions = list(re.finditer(r"(?<![^\t;, ])-?\d+[.]\d+(?![^\t;, \n])", text))
    if not fractions:
        return text
    first, behind = fractions[-1].span()
    return text[:first] + name + text[behind:]


def _stream(owner: dict[str, str]) -> Stream:
    samples = [(n / 60, (0.5, 0.5)) for n in range(30)]
    channels = ({"label": "x"}, {"label": "y"})
    said = f"<subject>{owner['name']}</subject><mail>{owner['mail']}</mail>"
    return Stream(1, "gaze", "Gaze", samples, channels, rate=60, extra=said)
