"""The fixation tables published with GazeMedSeg.

They hold fixations of radiologists and students, as fractions of the image they looked at. Source:
Zhong et al., "Weakly-supervised Medical Image Segmentation with Gaze Annotations", MICCAI 2024,
https://github.com/med-air/GazeMedSeg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.text.header import Kind, header_of, needed_header
from gazetrack.readers.text.table import read_columns

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

FORMAT = Format(
    name="gazemedseg",
    title="GazeMedSeg fixation table",
    suffixes=(".csv",),
    provides="fixations",
    units="ms; fractions of the image, converted to image pixels",
    lost="nothing",
    source="https://github.com/med-air/GazeMedSeg",
)
_NUMBERS = {
    "index": "CURRENT_FIX_INDEX",
    "x": "CURRENT_FIX_X",
    "y": "CURRENT_FIX_Y",
    "duration": "CURRENT_FIX_DURATION",
    "pupil": "CURRENT_FIX_PUPIL",
    "onset": "CURRENT_FIX_START",
    "height": "IMAGE_HEIGHT",
    "width": "IMAGE_WIDTH",
}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is not None and {"IMAGE", *_NUMBERS.values()} <= set(header.names):
        return Verdict(Level.CERTAIN, "CURRENT_FIX_ columns with IMAGE_WIDTH and IMAGE_HEIGHT")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a fixation table whose positions are fractions of the image.

    Raises
    ------
    ParseError
        A damaged row or cell, or an image without a size.
    """
    header = needed_header(head)
    wanted: dict[str, tuple[int, Kind]] = {"image": (header.index("IMAGE", head.path), "text")}
    wanted |= {key: (header.index(name, head.path), "float64") for key, name in _NUMBERS.items()}
    table = read_columns(head, header, wanted)
    width = table.number("width")
    height = table.number("height")
    # Without a size a fraction is no position: such fixations are dropped, and counted.
    sized = (width > 0) & (height > 0)
    x = np.where(sized, table.number("x") * width, np.nan)
    y = np.where(sized, table.number("y") * height, np.nan)
    columns = {
        "recording": head.stem,
        "stimulus": table.text("image"),
        "index": table.number("index"),
        "eye": "both",
        "onset_ms": table.number("onset"),
        "duration_ms": table.number("duration"),
        "x_px": x,
        "y_px": y,
        "pupil": table.number("pupil"),
        "image_width_px": width,
        "image_height_px": height,
    }
    return fixation_recording(head.stem, FORMAT.name, columns, table.n_rows)
