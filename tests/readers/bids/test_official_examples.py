"""Data sets of the form of the official examples, whose own tables of gaze are empty.

The sidecars stand where those of eyetracking_binocular and eyetracking_fmri of
https://github.com/bids-standard/bids-examples stand, with their keys; the rows are made up. The
third has the gaze beside EEG.
"""

from __future__ import annotations

import gzip
import json

import pytest

from gazetrack.workflows.read import InputOptions, read_files

COLUMNS = ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
PHYSIO = {
    "PhysioType": "eyetrack",
    "Columns": COLUMNS,
    "Manufacturer": "SR-Research",
    "ManufacturersModelName": "EYELINK II CL",
    "SampleCoordinateSystem": "gaze-on-screen",
    "SamplingFrequency": 1000,
    "timestamp": {"Units": "ms", "Origin": "System startup"},
    "x_coordinate": {"Units": "pixel"},
    "y_coordinate": {"Units": "pixel"},
    "pupil_size": {"Description": "Pupil area", "Units": "a.u."},
}
SCREEN = {
    "ScreenDistance": 0.6,
    "ScreenOrigin": ["top", "left"],
    "ScreenSize": [0.696, 0.391],
    "ScreenResolution": [1919, 1079],
}
EVENT_COLUMNS = ["onset", "duration", "trial_type", "blink", "message"]
EVENTS = "2001\t3\tfixation\t0\tn/a\n2004\t2\tsaccade\t1\tn/a\n2002\tn/a\tn/a\tn/a\tSYNC\n"


def rows(first_x):
    return "".join(f"{2000 + i}\t{first_x + i}\t{300 + i}\t{900 + i}\n" for i in range(8))


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".json"):
            path.write_text(json.dumps(content))
        elif name.endswith(".gz"):
            path.write_bytes(gzip.compress(content.encode()))
        else:
            path.write_text(content)
    return root


def recordings(root):
    """What is in a data set; an error in any of its files fails."""
    return [found for _, found in read_files([root], InputOptions(recursive=True))]


def test_both_eyes_of_the_binocular_example_are_one_recording(tmp_path):
    begin = "sub-01/beh/sub-01_task-FreeView_run-01"
    files = {
        "dataset_description.json": {"Name": "a", "BIDSVersion": "1.11.1"},
        "task-FreeView_physio.json": PHYSIO,
        "task-FreeView_events.json": {"TaskName": "FreeView", "StimulusPresentation": SCREEN},
        "task-FreeView_physioevents.json": {"Columns": EVENT_COLUMNS, "OnsetSource": "timestamp"},
        f"{begin}_events.tsv": "onset\tduration\ttrial_number\n1785.3\t32.06\t1\n",
    }
    for number, eye in ((1, "left"), (2, "right")):
        table = f"{begin}_recording-eye{number}"
        files[f"{table}_physio.json"] = {"RecordedEye": eye, "StartTime": 0}
        files[f"{table}_physio.tsv.gz"] = rows(100 * number)
        files[f"{table}_physioevents.tsv.gz"] = EVENTS
    (found,) = recordings(write(tmp_path, files))
    assert (found.eyes, found.rate_hz, found.origin_ms) == ("binocular", 1000, 2000)
    assert found.samples["left_x_px"].tolist() == [100 + i for i in range(8)]
    assert found.samples["right_x_px"].tolist() == [200 + i for i in range(8)]
    assert found.samples["x_px"].tolist() == [150 + i for i in range(8)]
    assert (found.screen.width_px, found.screen.width_mm) == (1919, 696)
    # Each eye's fixation and saccade, and the message that both files hold.
    events = found.events
    assert events[["kind", "eye", "onset_ms"]].to_numpy().tolist() == [
        ["fixation", "left", 1],
        ["fixation", "right", 1],
        ["message", "", 2],
        ["saccade", "left", 4],
        ["saccade", "right", 4],
    ]
    assert events["x_px"][0] == pytest.approx(102)


def test_the_fmri_example_of_before_the_release_is_on_the_trackers_clock(tmp_path):
    begin = "sub-01/ses-01/func/sub-01_ses-01_task-rest_run-01"
    files = {
        "dataset_description.json": {"Name": "a", "BIDSVersion": "1.11.1"},
        "task-rest_physio.json": PHYSIO,
        # Centimetres, though metres are asked for, as in the example.
        "task-rest_events.json": {"StimulusPresentation": SCREEN | {"ScreenDistance": 120}},
        "task-rest_physioevents.json": {
            "Columns": EVENT_COLUMNS,
            "ForeignIndexColumn": "timestamp",
        },
        "task-rest_events.tsv": "onset\tduration\n0\t1\n",
        f"{begin}_bold.json": {"RepetitionTime": 1.3},
        f"{begin}_recording-eye1_physio.json": {"StartTime": 45446, "RecordedEye": "left"},
        f"{begin}_recording-eye1_physio.tsv.gz": rows(100),
        f"{begin}_recording-eye1_physioevents.tsv.gz": EVENTS,
    }
    (found,) = recordings(write(tmp_path, files))
    assert (found.eyes, found.screen.distance_mm) == ("left", 1200)
    assert found.events["onset_ms"].tolist() == [1, 4, 2]
    assert any("ScreenDistance 120 taken as cm" in note for note in found.notes)


def test_gaze_beside_eeg_is_read_and_the_heart_is_left_alone(tmp_path):
    begin = "sub-01/eeg/sub-01_task-rest"
    of_both = {"RecordedEye": "cyclopean", "StartTime": 0}
    files = {
        "dataset_description.json": {"Name": "a", "BIDSVersion": "1.11.1"},
        f"{begin}_eeg.json": {"TaskName": "rest", "SamplingFrequency": 500},
        f"{begin}_channels.tsv": "name\ttype\tunits\nCz\tEEG\tuV\n",
        f"{begin}_events.json": {"StimulusPresentation": SCREEN},
        f"{begin}_events.tsv": "onset\tduration\tstimulus\n0\t0.004\tface.png\n",
        f"{begin}_recording-eye1_physio.json": PHYSIO | of_both,
        f"{begin}_recording-eye1_physio.tsv.gz": rows(100),
        f"{begin}_recording-heart_physio.json": {"Columns": ["cardiac", "respiratory"]},
        f"{begin}_recording-heart_physio.tsv.gz": "1\t2\n3\t4\n",
    }
    (found,) = recordings(write(tmp_path, files))
    assert found.eyes == "combined"
    assert found.samples["stimulus"].tolist() == ["face.png"] * 4 + [""] * 4


def test_a_table_of_either_eye_that_lacks_its_sidecar_is_named(tmp_path):
    begin = "sub-01/beh/sub-01_task-a_recording-eye"
    whole = {f"{begin}{n}_physio.tsv.gz": rows(n) for n in (1, 2)}
    whole |= {f"{begin}{n}_physio.json": PHYSIO | {"RecordedEye": "left"} for n in (1, 2)}
    for lacking in (1, 2):
        root = tmp_path / str(lacking)
        write(root, whole | {"dataset_description.json": {}})
        (root / f"{begin}{lacking}_physio.json").unlink()
        # Of the folder as well: nothing is passed over.
        (found,) = recordings(root)
        assert f"without its sidecar sub-01_task-a_recording-eye{lacking}_physio.json" in str(found)


@pytest.mark.real_data
def test_the_official_example_says_that_its_table_is_empty(data_dir):
    folder = data_dir / "exports" / "bids_eyetrack" / "bids_examples" / "eyetracking_binocular"
    found = recordings(folder)
    assert found
    assert all("empty" in str(one) for one in found)
