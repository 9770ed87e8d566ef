"""Exports as a BIDS data set: valid, whole, and the same table when it is read again."""

from __future__ import annotations

import errno
import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gazetrack
from gazetrack.errors import ConfigError, DataError, GazetrackError, InputError, OutputError
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.bids import write as module
from gazetrack.workflows.read import InputOptions, read_files
from tests.bids_sets import SCREEN, errors_of, write_samples
from tests.places import GOLDEN

# Exports of eight vendors, one of them of a camera on the head, one with several recordings.
VENDORS = (
    "eyelink_asc/mono_inputs/input.asc",
    "eyelink_asc/remote_href/input.asc",
    "tobii_pro/brackets_comma/input.tsv",
    "smi/raw_messages/input.txt",
    "gazepoint/all_gaze/input.csv",
    "viewpoint/binocular/input.txt",
    "eyetribe/pytribe/input.tsv",
    "pupil_core/gaze/input.csv",
    "vr_headset/vive/input.csv",
)


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_back(dataset):
    options = InputOptions(recursive=True)
    return [found for _, found in read_files([dataset], options)]


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return [write_samples(folder / f"{name}.samples.parquet") for name in ("anna", "Ben_2")]


@pytest.fixture(scope="module")
def vendors(tmp_path_factory):
    out = tmp_path_factory.mktemp("vendors") / "dataset"
    outcomes = gazetrack.write_bids([GOLDEN / name for name in VENDORS], out, screen=SCREEN)
    return out, outcomes


def test_the_validator_finds_no_error_in_exports_of_eight_vendors(vendors):
    out, outcomes = vendors
    assert len({outcome.format for outcome in outcomes}) == 8
    assert errors_of(out) == []
    derived = out / "derivatives" / "gazetrack"
    assert errors_of(derived) == []
    assert list(derived.rglob("*_desc-fixations_events.tsv"))
    assert len(list(derived.rglob("*_desc-quality_beh.tsv"))) >= len(VENDORS)


def test_the_validator_of_the_tests_can_fail(vendors, tmp_path):
    out, _ = vendors
    table = next(out.rglob("*_physio.tsv.gz"))
    other = tmp_path / "broken" / table.relative_to(out)
    other.parent.mkdir(parents=True)
    other.write_bytes(table.read_bytes())
    codes = {code for _, code, _, _ in errors_of(tmp_path / "broken")}
    assert "MISSING_DATASET_DESCRIPTION" in codes
    assert codes & {"SIDECAR_KEY_REQUIRED", "TSV_COLUMN_MISSING", "NOT_INCLUDED"}


@pytest.mark.parametrize("name", VENDORS)
def test_each_vendors_gaze_is_read_again_as_it_was(name, tmp_path):
    gazetrack.write_bids(GOLDEN / name, tmp_path / "set", screen=SCREEN, derivatives=False)
    before = gazetrack.read(GOLDEN / name, screen=SCREEN)
    again = read_back(tmp_path / "set")
    for back in again:
        (subject,) = back.participants.values()
        assert subject
        assert set(back.events["participant"]) <= {subject}
    labels = before.arrow()["recording"].unify_dictionaries().unique().to_pylist()
    assert len(again) == len(labels)
    for label, back in zip(labels, again, strict=True):
        mine = before.samples[before.samples["recording"] == label]
        assert_same(mine, back)
        events = before.events[before.events["recording"] == label]
        kinds = events.sort_values("onset_ms", kind="stable")["kind"].tolist()
        assert sorted(back.events["kind"]) == sorted(kinds)


def assert_same(mine, back):
    """Times to the microsecond, all numbers and names to the last bit."""
    np.testing.assert_allclose(back.samples["t_ms"], mine["t_ms"] - mine["t_ms"].iloc[0], atol=2e-3)
    for column in mine.columns.drop(["recording", "t_ms"]):
        there = back.samples[column].to_numpy()
        np.testing.assert_array_equal(there, mine[column].to_numpy(), err_msg=column)


floats = st.floats(-5000, 5000, width=32) | st.just(float("nan"))
pupils = st.floats(1, 9000, width=32) | st.just(float("nan"))
names = st.text("abcé\"'=#_ 1", max_size=4).map(str.strip)


@st.composite
def tables(draw):
    n = draw(st.integers(2, 12))
    steps = draw(st.lists(st.integers(1, 20_000), min_size=n, max_size=n))
    column = lambda of: np.array(draw(st.lists(of, min_size=n, max_size=n)), np.float32)  # noqa: E731
    made = {"t_ms": np.cumsum(steps) / 1000}
    for eye in draw(st.sampled_from([("left",), ("right",), ("left", "right")])):
        made |= {f"{eye}_x_px": column(floats), f"{eye}_y_px": column(floats)}
        made[f"{eye}_pupil"] = column(pupils)
    if draw(st.booleans()):
        made |= {"x_px": column(floats), "y_px": column(floats)}
    trials = sorted(draw(st.lists(names, min_size=n, max_size=n)))
    return made | {"trial": np.array(trials, object)}


@settings(max_examples=15, deadline=None)
@given(made=tables())
def test_any_table_of_samples_is_the_same_again(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    path = write_samples(folder / "one.samples.parquet", n=len(made["t_ms"]), **_blank(made))
    before = gazetrack.read(path, screen=SCREEN)
    gazetrack.write_bids(path, folder / "set", screen=SCREEN, derivatives=False)
    (back,) = read_back(folder / "set")
    assert_same(before.samples, back)


def _blank(made):
    """All columns of gaze that are not given, as missing; the combined gaze as the mean."""
    nothing = np.full(len(made["t_ms"]), np.nan, np.float32)
    every = {
        f"{eye}_{what}": nothing for eye in ("left", "right") for what in ("x_px", "y_px", "pupil")
    }
    every |= made
    for axis in ("x_px", "y_px"):
        if axis not in made:
            left, right = every[f"left_{axis}"], every[f"right_{axis}"]
            mean = (left + right) / np.float32(2)
            every[axis] = np.where(np.isnan(mean), np.where(np.isnan(left), right, left), mean)
    return every


@pytest.mark.slow
def test_the_same_exports_give_the_same_bytes_whoever_works(exports, tmp_path):
    for name, jobs in (("one", 1), ("two", 2)):
        gazetrack.write_bids(exports, tmp_path / name / "set", jobs=jobs, screen=SCREEN)
    first = bytes_of(tmp_path / "one")
    assert first == bytes_of(tmp_path / "two")
    packed = [data for name, data in first.items() if name.endswith(".gz")]
    assert packed
    # Neither a time nor a name in the header of gzip.
    assert all(data[3] == 0 and data[4:8] == b"\0\0\0\0" for data in packed)


def test_names_say_who_and_how_often(exports, tmp_path):
    outcomes = gazetrack.write_bids(exports, tmp_path / "set", screen=SCREEN, task="look")
    names = {path.name for path in (tmp_path / "set").rglob("*_physio.tsv.gz")}
    assert names == {
        f"sub-{who}_task-look_recording-eye{eye}_physio.tsv.gz"
        for who in ("anna", "Ben2")
        for eye in (1, 2)
    }
    written = [entry["path"] for outcome in outcomes for entry in outcome.outputs]
    assert all(Path(path).is_file() for path in written)
    facts = json.loads((tmp_path / "set" / "dataset_description.json").read_text())
    assert facts["BIDSVersion"].startswith("1.11")


def test_rules_tell_subject_task_and_run(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    files = [
        write_samples(folder / f"{name}.samples.parquet", t_ms=np.arange(12) * step)
        for name, step in (("s1_read_2", 4.0), ("s1_read_1", 5.0), ("s2_rest_1", 6.0))
    ]
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[match]\nfile = 's(?P<subject>[0-9])_(?P<task>[a-z]+)_(?P<run>[0-9])'\n"
        '[labels.subject]\n"1" = "one"\n'
        '[task.read]\nTaskName = "reading"\n'
        '[dataset]\nName = "Reading"\nAuthors = ["A", "B"]\nLicense = "CC0"\n'
        '[hed]\nversion = "8.3.0"\nevent = "Sensory-event"\n'
    )
    people = tmp_path / "people.tsv"
    people.write_text("participant_id\tage\none\t30\nsub-2\t\n")
    out = tmp_path / "set"
    gazetrack.write_bids(files, out, screen=SCREEN, rules=rules, participants=people)
    assert {path.name for path in out.rglob("*_events.json") if "derivatives" not in str(path)} == {
        "sub-one_task-read_run-2_events.json",
        "sub-one_task-read_run-1_events.json",
        "sub-2_task-rest_run-1_events.json",
    }
    assert errors_of(out) == []
    assert (out / "participants.tsv").read_text() == (
        "participant_id\tage\nsub-2\tn/a\nsub-one\t30\n"
    )
    table = next(out.rglob("sub-one_task-read_run-1_events.tsv")).read_text()
    assert table.splitlines()[0].endswith("HED")
    assert json.loads((out / "dataset_description.json").read_text())["HEDVersion"] == "8.3.0"


def test_a_broken_hed_annotation_is_found_by_the_validator(exports, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('[hed]\nversion = "8.3.0"\nevent = "No-such-tag"\n')
    gazetrack.write_bids(exports[:1], tmp_path / "set", screen=SCREEN, rules=rules)
    assert {code for _, code, _, _ in errors_of(tmp_path / "set")} == {"HED_ERROR"}


def test_recordings_of_one_name_are_runs_in_their_order(tmp_path):
    files = []
    for number in (1, 2):
        path = tmp_path / f"x{number}.samples.parquet"
        files.append(write_samples(path, n=10 + number))
    rules = tmp_path / "rules.toml"
    rules.write_text("[match]\nfile = '(?P<subject>x)[0-9]'\n")
    outcomes = gazetrack.write_bids(files, tmp_path / "set", screen=SCREEN, rules=rules)
    for number, outcome in enumerate(outcomes, 1):
        assert f"_run-{number}_" in outcome.outputs[0]["path"]


def test_recordings_in_one_file_that_names_nobody_are_of_one_subject(tmp_path):
    labels = ["x"] * 6 + ["x_2"] * 6
    path = write_samples(tmp_path / "x.samples.parquet", recording=labels)
    gazetrack.write_bids(path, tmp_path / "set", screen=SCREEN)
    names = sorted(path.name for path in (tmp_path / "set").rglob("*_events.tsv"))
    assert names[-2:] == ["sub-x_task-gaze_run-1_events.tsv", "sub-x_task-gaze_run-2_events.tsv"]


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_no_name_is_left_under_a_pseudonym(policy, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    path = folder / "annabella.asc"
    path.write_bytes((GOLDEN / "eyelink_asc" / "mono_inputs" / "input.asc").read_bytes())
    key = b"k" * 32 if policy == "hash" else b""
    outcomes = gazetrack.write_bids(
        path, tmp_path / "set", screen=SCREEN, pseudonyms=Pseudonyms(policy, key)
    )
    assert errors_of(tmp_path / "set") == []
    told = json.dumps([outcome.as_json() for outcome in outcomes])
    texts = [told, *(name for name in bytes_of(tmp_path / "set"))]
    for name, data in bytes_of(tmp_path / "set").items():
        texts.append((gzip.decompress(data) if name.endswith(".gz") else data).decode())
    assert not any("annabella" in text.lower() for text in texts)


def test_without_a_screen_the_error_names_the_option(exports, tmp_path):
    with pytest.raises(DataError, match=r"screen's resolution, size and distance.*--screen"):
        gazetrack.write_bids(exports[0], tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_one_bad_export_leaves_the_others_alone(exports, tmp_path):
    bad = tmp_path / "bad.asc"
    bad.write_bytes(b"\0" * 100)
    outcomes = gazetrack.write_bids(
        [bad, exports[0]], tmp_path / "set", screen=SCREEN, errors="report"
    )
    assert [outcome.status for outcome in outcomes] == ["failed", "ok"]
    assert errors_of(tmp_path / "set") == []


@pytest.mark.parametrize("label", ["two words", "a_b", "é", ""])
def test_a_task_that_bids_forbids_is_refused_before_any_work(label, exports, tmp_path):
    with pytest.raises(ConfigError, match="--task: BIDS forbids"):
        gazetrack.write_bids(exports, tmp_path / "set", screen=SCREEN, task=label)
    assert not (tmp_path / "set").exists()


def test_a_participant_that_bids_forbids_needs_a_label(tmp_path):
    path = write_samples(tmp_path / "Zoë.samples.parquet", recording="Zoë")
    with pytest.raises(DataError, match=r"'Zoë' as a subject.*\[labels.subject\] of --rules"):
        gazetrack.write_bids(path, tmp_path / "set", screen=SCREEN)
    rules = tmp_path / "rules.toml"
    rules.write_text('[labels.subject]\n"Zoë" = "01"\n')
    gazetrack.write_bids(path, tmp_path / "set", screen=SCREEN, rules=rules)
    assert (tmp_path / "set" / "sub-01").is_dir()


def test_a_folder_that_is_not_empty_is_left_as_it_is(exports, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty - choose a new folder"):
        gazetrack.write_bids(exports, tmp_path, screen=SCREEN)
    assert bytes_of(tmp_path) == {"mine.txt": b"mine"}


def test_a_data_set_of_ours_alone_is_replaced_when_that_is_asked_for(exports, tmp_path):
    out = tmp_path / "set"
    gazetrack.write_bids(exports, out, screen=SCREEN, task="look")
    gazetrack.write_bids(exports[:1], out, screen=SCREEN, task="see", force=True)
    assert {path.name for path in out.glob("sub-*")} == {"sub-anna"}
    assert list(out.rglob("*task-look*")) == []
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    for other in ("notes.txt", "sub-anna/anat/sub-anna_T1w.json", "derivatives/fmriprep/a"):
        (out / other).parent.mkdir(parents=True, exist_ok=True)
        (out / other).write_text("mine")
        before = bytes_of(out)
        with pytest.raises(OutputError, match="holds more than gazetrack has written"):
            gazetrack.write_bids(exports, out, screen=SCREEN, force=True)
        assert bytes_of(out) == before
        (out / other).unlink()
        if other.startswith("derivatives"):
            (out / other).parent.rmdir()
    # Nor is an edit lost, also one that is made while exports are read.
    for name in ("participants.tsv", "README.md", "dataset_description.json"):
        ours = (out / name).read_text()
        (out / name).write_text(ours + "mine\n")
        before = bytes_of(out)
        with pytest.raises(OutputError, match=f"changed since gazetrack has written it: {name}"):
            gazetrack.write_bids(exports, out, screen=SCREEN, force=True)
        assert bytes_of(out) == before
        (out / name).write_text(ours)

    def edit(done, n):
        (out / "README.md").write_text("mine")

    with pytest.raises(OutputError, match=r"changed since .* README\.md"):
        gazetrack.write_bids(exports, out, screen=SCREEN, force=True, progress=edit)
    assert (out / "README.md").read_text() == "mine"
    (out / ".gazetrack.json").unlink()
    with pytest.raises(OutputError, match="no data set that gazetrack has written"):
        gazetrack.write_bids(exports, out, screen=SCREEN, force=True)


def test_one_participant_under_two_names_is_refused(tmp_path):
    files = [
        write_samples(tmp_path / "p_1.samples.parquet", n=9),
        write_samples(tmp_path / "P1.samples.parquet", n=10),
    ]
    with pytest.raises(DataError, match=r"'P1' and 'p_1' of .* would both be sub-P1"):
        gazetrack.write_bids(files, tmp_path / "set", screen=SCREEN)
    assert not (tmp_path / "set").exists()
    rules = tmp_path / "rules.toml"
    rules.write_text('[labels.subject]\n"P1" = "1"\n"p_1" = "1"\n')
    gazetrack.write_bids(files, tmp_path / "set", screen=SCREEN, rules=rules)
    assert [path.name for path in (tmp_path / "set").glob("sub-*")] == ["sub-1"]


def test_one_recording_under_two_names_is_refused(exports, tmp_path):
    twin = tmp_path / "twin.samples.parquet"
    twin.write_bytes(exports[0].read_bytes())
    with pytest.raises(DataError, match="same bytes"):
        gazetrack.write_bids([exports[0], twin], tmp_path / "set", screen=SCREEN)
    assert [path.name for path in tmp_path.iterdir()] == [twin.name]


def test_a_disk_that_fails_at_the_last_call_is_told(exports, tmp_path, monkeypatch):
    def read_only(folder):
        raise OSError(errno.EROFS, "Read-only file system", str(folder))

    monkeypatch.setattr(module, "shutil", SimpleNamespace(rmtree=read_only))
    with pytest.raises(OutputError, match="cannot be written: Read-only file system"):
        gazetrack.write_bids(exports, tmp_path / "set", screen=SCREEN, derivatives=False)
    assert not (tmp_path / "set").exists()


def test_a_folder_without_exports_is_an_error(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "notes.txt").write_text("nothing\n")
    with pytest.raises(InputError, match="no export of a known format"):
        gazetrack.write_bids(tmp_path / "raw", tmp_path / "set")


def test_a_table_of_participants_and_dropped_names_do_not_go_together(tmp_path):
    with pytest.raises(ConfigError, match="leave out --participants"):
        gazetrack.BidsOptions(out=tmp_path, participants="a.tsv", pseudonyms=Pseudonyms("drop"))


def test_a_gaze_file_without_its_sidecar_is_named_when_it_is_read(exports, tmp_path):
    gazetrack.write_bids(exports[:1], tmp_path / "set", screen=SCREEN)
    sidecar = next((tmp_path / "set").rglob("*eye1_physio.json"))
    sidecar.unlink()
    with pytest.raises(GazetrackError, match=f"without its sidecar {sidecar.name}"):
        gazetrack.read(sidecar.with_suffix(".tsv.gz"))


# Small real exports of six vendors, by their folders: those whose files are the smallest.
REAL = (
    "eyelink_asc/pspm_PCF24_short.asc",
    "tobii_pro_lab/posluoglu_Participant16_excerpt.tsv",
    "smi/pymovements_didec_example.txt",
    "arrington_viewpoint/pspm_viewpoint_test_data.txt",
    "tobii_studio/emdat_P63-All-Data.tsv",
    "gazepoint",
)


@pytest.mark.real_data
def test_the_validator_finds_no_error_in_real_exports(data_dir, tmp_path):
    out = tmp_path / "set"
    paths = [data_dir / "exports" / name for name in REAL]
    outcomes = gazetrack.write_bids(paths, out, screen=SCREEN, errors="report")
    written = {outcome.format for outcome in outcomes if outcome.outputs}
    assert len(written) >= 5
    assert errors_of(out) == []


def test_a_data_set_of_bids_keeps_its_subjects_sessions_tasks_and_runs(exports, tmp_path):
    files = [
        write_samples(tmp_path / f"S1_look_day{day}_{run}.samples.parquet", n=9 + 3 * day + run)
        for day, run in ((1, 1), (1, 2), (2, 1))
    ]
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[match]\nfile = 'S(?P<subject>1)_(?P<task>look)_day(?P<session>[0-9])_(?P<run>[0-9])'\n"
    )
    gazetrack.write_bids(files, tmp_path / "first", screen=SCREEN, rules=rules)
    gazetrack.write_bids(tmp_path / "first", tmp_path / "again", recursive=True)
    names = [
        sorted(str(path.relative_to(tmp_path / one)) for path in (tmp_path / one).rglob("*"))
        for one in ("first", "again")
    ]
    assert names[0] == names[1]
    assert any("ses-2/beh/sub-1_ses-2_task-look_run-1_events.tsv" in name for name in names[1])
    for one in read_back(tmp_path / "first"):
        assert set(one.participants.values()) == {"1"}
    # Rules of the new data set say more than the names of the old one.
    rules.write_text("[match]\nrecording = 'ses-(?P<session>[0-9])_(?P<task>task)'\n")
    gazetrack.write_bids(
        tmp_path / "first", tmp_path / "other", recursive=True, rules=rules, derivatives=False
    )
    assert list((tmp_path / "other").rglob("sub-1_ses-2_task-task_run-1_events.tsv"))


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_a_label_of_the_rules_does_not_give_a_name_away(policy, tmp_path):
    path = tmp_path / "two.samples.parquet"
    write_samples(path, recording=["Anna Meyer"] * 6 + ["Bert Klein"] * 6)
    rules = tmp_path / "rules.toml"
    rules.write_text("[match]\nrecording = '(?P<subject>(?P<task>Anna|Bert)) .*'\n")
    key = b"k" * 32 if policy == "hash" else b""
    choices = {"screen": SCREEN, "rules": rules, "pseudonyms": Pseudonyms(policy, key)}
    gazetrack.write_bids(path, tmp_path / "open", screen=SCREEN, rules=rules)
    assert list((tmp_path / "open").rglob("sub-Anna_task-Anna_events.tsv"))
    with pytest.raises(DataError, match=r"task label .* holds a part of a participant's name"):
        gazetrack.write_bids(path, tmp_path / "set", **choices)
    assert not (tmp_path / "set").exists()
    with rules.open("a") as file:
        file.write('[labels.task]\n"Anna" = "a"\n"Bert" = "b"\n')
    gazetrack.write_bids(path, tmp_path / "set", **choices)
    names = " ".join(path.name for path in (tmp_path / "set").rglob("*_events.tsv"))
    assert set(re.findall("task-([a-z]+)_", names)) == {"a", "b"}


def test_rules_that_nothing_fits_are_told_first(exports, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('[labels.subject]\n"ana" = "07"\n"Ben_2" = "08"\n')
    bad = tmp_path / "bad.asc"
    bad.write_text("no export\n")
    outcomes = gazetrack.write_bids(
        [bad, *exports], tmp_path / "set", screen=SCREEN, rules=rules, errors="report"
    )
    words = "'ana' in [labels.subject] of the rules fits no name: did you mean 'anna'?"
    assert [one.notes[:1] for one in outcomes][1] == [words]


@pytest.mark.parametrize(
    ("paths", "out", "choices", "words"),
    [
        (None, "o", {}, "NoneType is no path of an export"),
        ([3], "o", {}, "int is no path of an export"),
        ("samples", "o", {}, "DataFrame is no path of an export"),
        (["recording"], "o", {}, "Recording is no path of an export"),
        ("a.asc", None, {}, "out is NoneType, no path"),
        ("a.asc", "o", {"task": 3}, "task is int, no label"),
        ("a.asc", "o", {"rules": 3}, "rules is int, no path"),
    ],
)
def test_what_is_no_path_is_an_error_of_ours(paths, out, choices, words, exports):
    recording = gazetrack.read(exports[0])
    given = recording.samples if paths == "samples" else paths
    given = [recording] if paths == ["recording"] else given
    with pytest.raises(ConfigError, match=words):
        gazetrack.write_bids(given, out, **choices)
