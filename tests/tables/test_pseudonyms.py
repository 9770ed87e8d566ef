"""Names of participants: what stands for them, and that what differed still differs."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError, ParseError, quote, quoting_nothing
from gazetrack.maps.track import build_tracks
from gazetrack.readers.text.ahead import in_threads
from gazetrack.tables.placement import Placement
from gazetrack.tables.pseudonyms import Pseudonyms, read_key
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


def test_both_spellings_of_a_letter_give_one_pseudonym_and_composed_names_keep_theirs():
    composed, decomposed = (unicodedata.normalize(form, "Zoë Ärzt") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert HASH.of(decomposed) == HASH.of(composed) == HASH.of(composed.upper())
    # What names without a decomposed letter were called before this was looked at.
    assert HASH.of("Ada") == "pa8b373bd9a0f"
    assert HASH.of(composed) == "pf5dc43e50f44"


HIDDEN = Pseudonyms("drop", b"k" * 32, stimuli="hash", messages="drop")


def test_stimuli_get_pseudonyms_by_which_images_can_be_renamed():
    stimuli = ["Ada.png", "Bob scan.dcm", "", "a.b.c longer suffix.notasuffix"]
    shown = recording(["P"] * 4, stimulus=stimuli, trial=["Ada", "bob scan", "3", "x"])
    placed = Placement(0, 0, 10, 10, 10, 10)
    shown = replace(shown, placements={"Ada.png": placed}, notes=("Ada.png has no size",))
    found = replace(HIDDEN, messages="keep").apply(shown, DIGEST)
    names = column(found, "stimulus")
    assert names == [HIDDEN.of_stimulus(name) for name in stimuli]
    assert [name[-4:] for name in names[:2]] == [".png", ".dcm"]
    assert list(found.placements) == names[:1]
    assert column(found, "trial") == [names[0][:-4], names[1][:-4], "3", "x"]
    assert found.notes == (f"{names[0]} has no size",)
    assert Pseudonyms("drop", b"o" * 32, stimuli="hash").of_stimulus("Ada.png") != names[0]
    assert HASH.of_stimulus("Ada.png") == "Ada.png"
    # Whether somebody is called like a stimulus cannot be seen.
    assert HASH.of("ada")[1:] != replace(HIDDEN, policy="hash").of_stimulus("ada")[1:]


def test_texts_of_events_are_left_out_and_trials_numbered():
    kept = recording(["P"] * 3, trial=["12", "patient Ada", "again"])
    events = conform(
        {
            "kind": np.array(["message", "fixation"], object),
            "text": np.array(["hello Ada", "FIXA"], object),
            "trial": np.array(["again", ""], object),
        },
        EVENTS,
    )
    found = HIDDEN.apply(replace(kept, event_table=events), DIGEST)
    assert column(found, "trial") == ["12", "t2", "t1"]
    assert found.event_table["text"].to_pylist() == ["", ""]
    assert found.event_table["trial"].to_pylist() == ["t1", ""]
    assert found.event_table.schema == events.schema
    assert found.event_table["kind"].to_pylist() == ["message", "fixation"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"stimuli": "hash", "key": b"k" * 32}, "names of participants are kept"),
        ({"messages": "drop"}, "names of participants are kept"),
        ({"policy": "drop", "stimuli": "hash"}, "a key of 0 bytes"),
        ({"policy": "drop", "stimuli": "drop"}, "no policy 'drop' for stimuli"),
        ({"policy": "drop", "messages": "hash"}, "no policy 'hash' for messages"),
    ],
)
def test_stimuli_and_messages_are_hidden_with_names_and_with_a_key(given, told):
    with pytest.raises(ConfigError, match=told):
        Pseudonyms(**given)


def test_what_the_export_says_of_its_tracker_is_a_text_as_well():
    kept = replace(recording(["Ada"]), tracker="of Ada", software="1.2", mended={"Ada short": 2})
    found = HASH.apply(kept, DIGEST)
    assert (found.tracker, found.software) == (f"of {HASH.of('Ada')}", "1.2")
    assert found.mended == {f"{HASH.of('Ada')} short": 2}
