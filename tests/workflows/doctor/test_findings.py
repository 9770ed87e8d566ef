"""Sizes as people read them, and findings that JSON can hold."""

import json
from dataclasses import asdict

import pytest

from gazetrack.workflows.doctor.findings import Finding, shown_bytes


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (5 * 2**30, "5.0 GiB"),
        (3 * 2**40, "3.0 TiB"),
        (5000 * 2**40, "5000.0 TiB"),
    ],
)
def test_sizes_are_shown_in_powers_of_1024(count, shown):
    assert shown_bytes(count) == shown


def test_a_finding_is_well_and_asks_nothing_by_default():
    finding = Finding(section="machine", name="cores", what="2", facts={"cores": 2})
    assert (finding.state, finding.do) == ("ok", "")
    assert json.loads(json.dumps(asdict(finding)))["facts"] == {"cores": 2}
