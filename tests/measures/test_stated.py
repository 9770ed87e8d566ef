"""Tables of trials, typed by people or told by samples."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import InputError, SchemaError
from gazetrack.measures.stated import read_trials
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.store import write_table


def read(path, text):
    path.write_text(text)
    return read_trials(path)


def test_a_table_of_trials(tmp_path):
    found = read(
        tmp_path / "trials.csv",
        "recording,trial,stimulus,onset_ms,duration_ms,answer\n007,NA,cat.png,10,20.5,yes\n",
    )
    assert found.to_dict("records") == [
        {"recording": "007", "trial": "NA", "stimulus": "cat.png", "start_ms": 10, "end_ms": 30.5}
    ]
    found = read(tmp_path / "trials.tsv", "stimulus\tonset_ms\toffset_ms\ncat\t10\t25\n")
    assert found["end_ms"].tolist() == [25]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stimulus,onset_ms\ncat,1\n", "no column duration_ms"),
        ("stimulus,onset,duration_ms\ncat,1,2\n", "no column onset_ms"),
        ("stimulus,onset_ms,duration_ms\ncat,1,2\ncat,x,2\n", "trial 2 has 'x' as onset_ms"),
        ("stimulus,onset_ms,offset_ms\ncat,5,2\n", "trial 1 lasts from 5 to 2 ms"),
        (
            "stimulus,onset_ms,duration_ms,offset_ms\ncat,0,5,5.4\ncat,10,5,25\n",
            "trial 2 ends at 25 ms by offset_ms and at 15 ms by duration_ms",
        ),
    ],
)
def test_what_is_no_table_of_trials_is_told(tmp_path, text, message):
    with pytest.raises(SchemaError, match=message):
        read(tmp_path / "trials.csv", text)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_trials(tmp_path / "none.csv")
    with pytest.raises(InputError, match="holds no trials"):
        read(tmp_path / "trials.csv", "stimulus,onset_ms,duration_ms\n")
    with pytest.raises(InputError, match="by its name"):
        read(tmp_path / "trials.txt", "x")


def test_samples_tell_when_trials_were(tmp_path):
    columns = {
        "recording": "r",
        "trial": np.array(["a", "a", "", "b", "b", "b"], object),
        "stimulus": np.array(["cat", "cat", "", "dog", "dog", "dog"], object),
        "t_ms": np.arange(6) * 10.0,
    }
    write_table(tmp_path / "r.samples.parquet", conform(columns, SAMPLES), {})
    found = read_trials(tmp_path / "r.samples.parquet")
    assert found[["trial", "stimulus", "start_ms", "end_ms"]].values.tolist() == [
        ["a", "cat", 0, 20],
        ["b", "dog", 30, 60],
    ]


def test_trials_of_samples_never_overlap(tmp_path):
    columns = {
        "recording": "r",
        "trial": np.array(["a", "a", "a", "b", "b"], object),
        "stimulus": "cat",
        "t_ms": np.array([0.0, 10, 20, 28, 38]),
    }
    write_table(tmp_path / "r.samples.parquet", conform(columns, SAMPLES), {})
    found = read_trials(tmp_path / "r.samples.parquet")
    assert found[["start_ms", "end_ms"]].values.tolist() == [[0, 28], [28, 48]]
