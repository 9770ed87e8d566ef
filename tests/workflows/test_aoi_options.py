"""What a user may choose when measuring areas."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.workflows.aoi_options import aoi_options


def test_options_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="max_gap_ms"):
        aoi_options(max_gap_ms=-1)
