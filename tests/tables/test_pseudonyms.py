"""Names of participants: what stands for them, and that what differed still differs."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError, ParseError, quote, quoting_nothing
from gazetrack.maps.track import build_tracks
from gazetrack.readers.text.ahead import in_threads
from gazetrack.tables.placement import Placement
from gazetrack.tables.pseudonyms import Pseudonyms, cleaner, read_key
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform

DIGEST = "0123456789abcdef" * 4
HASH, DROP = Pseudonyms("hash", b"k" * 32), Pseudonyms("drop")
BOTH = pytest.mark.parametrize("pseudonyms", [HASH, DROP], ids=["hash", "drop"])


def recording(participants, **columns):
    n = len(participants)
    given = {
        "participant": participants,
        "recording": ["rec"] * n,
        "stimulus": ["a.png"] * n,
        "trial": ["1"] * n,
    }
    given = {name: np.array(values, object) for name, values in (given | columns).items()}
    numbers = {
        "index": np.arange(n),
        "onset_ms": np.arange(n) * 300.0,
        "duration_ms": 200.0,
        "x_px": np.arange(n) + 1.0,
    }
    size = {"y_px": 1.0, "image_width_px": 100.0, "image_height_px": 100.0, "eye": "both"}
    return Recording(
        name="file",
        format="generic",
        sample_table=None,
        event_table=conform({}, EVENTS),
        fixation_table=conform(given | numbers | size, FIXATIONS),
    )


def column(found, name):
    return found.fixation_table[name].to_pylist()


@BOTH
def test_two_people_with_recordings_of_one_name_stay_two(pseudonyms):
    found = pseudonyms.apply(recording(["Ada", "Bob", "Ada", "Bob"]), DIGEST)
    one, two, *again = column(found, "recording")
    assert one != two
    assert again == [one, two]
    assert [track.x.tolist() for track in build_tracks(found.fixation_table)] == [[1, 3], [2, 4]]


def test_the_names_of_recordings_are_of_the_person_and_the_file():
    found = HASH.apply(recording(["Ada", "Ada"], recording=["one", "two"]), DIGEST)
    person = HASH.of("Ada")
    assert column(found, "recording") == [f"{person}-01234567.1", f"{person}-01234567.2"]
    assert (found.name, set(column(found, "participant"))) == (f"{person}-01234567", {person})
    assert (
        HASH.apply(recording(["ADA"]), "f" * 64).name == f"{person}-ffffffff"
    )  # another file of hers
    assert HASH.apply(recording(["Bob"]), DIGEST).name.startswith(HASH.of("Bob"))
    dropped = DROP.apply(recording(["Ada", "Ada"], recording=["one", "two"]), DIGEST)
    assert column(dropped, "recording") == ["r0123456789ab.1", "r0123456789ab.2"]
    assert (dropped.name, set(column(dropped, "participant"))) == ("r0123456789ab", {""})


def test_a_recording_of_nobody_is_named_under_the_key_alone():
    found = HASH.apply(recording([""], recording=["Ada Test"]), DIGEST)
    other = Pseudonyms("hash", b"o" * 32).apply(recording([""], recording=["Ada Test"]), DIGEST)
    assert found.name.startswith("r")
    assert found.name != other.name


@BOTH
def test_a_participant_called_like_an_image_does_not_rename_it(pseudonyms):
    shown = recording(["img1", "img1"], stimulus=["img1.png", "img2.png"])
    shown = replace(shown, placements={"img1.png": Placement(0, 0, 10, 10, 10, 10)})
    found = pseudonyms.apply(shown, DIGEST)
    assert column(found, "stimulus") == ["img1.png", "img2.png"]
    assert list(found.placements) == ["img1.png"]
    assert "img1" not in str(column(found, "participant")) + str(column(found, "recording"))
    assert [
        note for note in found.notes if note.startswith("1 stimuli are called like a participant")
    ]


@BOTH
def test_a_persons_name_is_taken_out_of_stimuli_and_said(pseudonyms):
    shown = recording(["Ada Test"] * 2, stimulus=["ada_test.png", "b.png"])
    shown = replace(shown, placements={"ada_test.png": Placement(0, 0, 10, 10, 10, 10)})
    found = pseudonyms.apply(shown, DIGEST)
    name, other = column(found, "stimulus")
    assert other == "b.png"
    assert name.endswith(".png")
    assert "ada" not in name
    assert list(found.placements) == [name]
    assert [note for note in found.notes if "names of 1 stimuli held a participant's name" in note]


@BOTH
def test_what_differed_still_differs(pseudonyms):
    trials = ["11", "12", "Ada", "Bob", "person1", pseudonyms.of("Ada"), "ada", "ADA"]
    found = pseudonyms.apply(recording(["Ada", "Bob", *["12"] * 6], trial=trials), DIGEST)
    assert len(set(column(found, "trial"))) == len(set(trials))
    assert column(found, "trial")[:2] == ["11", "12"]  # numbers stand for too much else
    assert not {"Ada", "Bob", "ada", "ADA"} & set(column(found, "trial"))


@BOTH
def test_samples_that_several_people_share_are_refused(pseudonyms):
    samples = conform({"recording": ["rec"] * 2, "t_ms": [0.0, 4.0]}, SAMPLES)
    with pytest.raises(DataError, match="do not say whose"):
        pseudonyms.apply(replace(recording(["Ada", "Bob"]), sample_table=samples), DIGEST)
    kept = replace(recording(["Ada", "Ada"]), sample_table=samples)
    assert set(pseudonyms.apply(kept, DIGEST).sample_table["recording"].to_pylist()) == set(
        column(pseudonyms.apply(kept, DIGEST), "recording")
    )


@BOTH
def test_texts_lose_the_names_of_people_recordings_and_the_file(pseudonyms):
    said = ["hello Ada-Test!", "Adam waits", "start of File", "write to ada@example.org", "REC 12"]
    events = conform(
        {
            "recording": "rec",
            "participant": "Ada Test",
            "kind": "message",
            "text": np.array(said, object),
        },
        EVENTS,
    )
    spoken = replace(
        recording(["Ada Test"]),
        event_table=events,
        notes=("the recording Rec of ada test",),
        start_ns=5,
    )
    found = pseudonyms.apply(
        replace(spoken, origin_ms=1.7e12, dropped={"Ada Test": 2, "rows": 1}), DIGEST, ["file"]
    )
    texts = found.event_table["text"].to_pylist()
    assert texts[1] == "Adam waits"
    assert texts[4].endswith(" 12")
    assert not [
        text
        for text in (*texts, *found.notes, *found.dropped)
        if {"ada", "rec", "file"} & words(text)
    ]
    assert (found.start_ns, found.origin_ms, sum(found.dropped.values())) == (None, 0.0, 3)


def words(text):
    return {word.strip("!.").lower() for word in text.replace("-", " ").replace("@", " ").split()}


def test_keeping_changes_nothing():
    kept = recording(["Ada"])
    assert Pseudonyms().apply(kept, DIGEST) is kept


def test_names_are_found_however_they_are_written():
    clean = cleaner({"Ada Test": "X", "P 1": "Y", "7": "Z", "12": "Z", "a": "Z"})
    assert clean("AdaTest ada_test ADA-TEST Ada  Test") == "X X X X"
    assert cleaner({"O'Brien (left)": "X"})("o'brien (left) and left") == "X) and left"
    assert clean("p1 P_1 P12 7 12 a AdaTests") == "Y Y P12 7 12 a AdaTests"


def test_thousands_of_names_take_no_longer():
    clean = cleaner({f"Participant {i} recording {i % 7}": f"p{i}" for i in range(20_000)})
    texts = [
        f"TRIALID {i} the cross is at 400 300 and then participant 77 Recording_0"
        for i in range(2000)
    ]
    began = time.process_time()
    cleaned = [clean(text) for text in texts]
    assert time.process_time() - began < 10  # with a pattern of all names it takes minutes
    assert {text.rpartition(" ")[2] for text in cleaned} == {"p77"}


def test_the_key_is_private_from_its_first_byte(tmp_path, monkeypatch):
    modes, replace_file = [], os.replace

    def watched(source, target):
        modes.append(stat.S_IMODE(os.stat(source).st_mode))  # noqa: PTH116 - the temporary file before it has its name
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", watched)
    before = os.umask(0)
    try:
        key = read_key(tmp_path / "k.key")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "k.key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "k.key") == key


def test_nothing_is_quoted_where_nothing_may_be():
    def refuse(cell):
        raise ParseError(f"{quote(cell)!r} is no number", hint=f"not {quote(cell)}")

    with quoting_nothing():
        assert quote("Ada") == "…"
        with (
            pytest.raises(ParseError, match=r"^'…' is no number - not … \[PARSE\]$"),
            in_threads(refuse, ["Ada"]) as found,
        ):
            list(found)
        with quoting_nothing(nothing=False):
            assert quote("Ada") == "Ada"
    assert quote("Ada") == "Ada"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("hsah", b"k" * 32), "no policy 'hsah'.*keep, hash, drop"),
        (("hash",), "a key of 0 bytes.*32 bytes"),
        (("hash", b"short"), "a key of 5 bytes"),
    ],
)
def test_a_policy_that_is_none_and_a_missing_key_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        Pseudonyms(*given)


@BOTH
def test_a_person_whom_the_recording_alone_names_has_no_name_left(pseudonyms):
    known = replace(recording([""]), participants={"rec": "Ada"})
    found = pseudonyms.apply(known, DIGEST)
    ((label, who),) = found.participants.items() or ((None, None),)
    assert label == found.fixation_table["recording"][0].as_py()
    assert who == pseudonyms.of("Ada")
    assert "Ada" not in found.name


@pytest.mark.parametrize("content", ["abc", "zz" * 32, "ab" * 31])
def test_a_file_that_is_no_key_is_refused(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(ConfigError, match="is no key of 64 hexadecimal digits"):
        read_key(path)
    assert path.read_text() == content
