"""Real exports, one a folder of vendors: there and back through pymovements, and into MNE."""

from __future__ import annotations

import contextlib
import warnings

import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, GazetrackError
from gazetrack.interop.losses import ConversionWarning
from tests.interop.recordings import in_order, plain

MOST_BYTES = 2_000_000
FOLDERS = 12


def first_readable(folder):
    """The smallest file of a folder that holds samples, as a recording; None without any."""
    for path in sorted(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        if path.is_file() and path.stat().st_size < MOST_BYTES:
            try:
                recording = gazetrack.read(path)
            except GazetrackError:
                continue
            if recording.sample_table is not None:
                return recording
    return None


@pytest.mark.real_data
def test_real_exports_there_and_back(data_dir):
    n_back = 0
    n_in_mne = 0
    for folder in sorted(path for path in (data_dir / "exports").iterdir() if path.is_dir()):
        own = first_readable(folder)
        if own is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConversionWarning)
            back = gazetrack.from_pymovements(gazetrack.to_pymovements(own))
            # It refuses several recordings or clocks, and times that are not even.
            with contextlib.suppress(ConfigError):
                n_in_mne += gazetrack.to_mne(own).n_times > 0
        pd.testing.assert_frame_equal(plain(back.samples), plain(own.samples), check_exact=True)
        left, right = in_order(back.events), in_order(own.events)
        pd.testing.assert_frame_equal(left, right, atol=1e-6)
        assert back.facts() == own.facts(), folder.name
        n_back += 1
    assert n_back >= FOLDERS
    assert n_in_mne >= FOLDERS // 2
