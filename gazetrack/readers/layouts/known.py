"""All layouts by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.readers.layouts.reports import REPORTS
from gazetrack.readers.layouts.samples import SAMPLE_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.readers.layouts.layout import Layout

LAYOUTS: Mapping[str, Layout] = {layout.name: layout for layout in (*SAMPLE_TABLES, *REPORTS)}
