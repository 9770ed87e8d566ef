from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.images.segments import DEFAULT, TABLE, Code, Segment, name_segments, parse_code

LIVER = "123037004,SCT,Anatomical Structure;10200004,SCT,Liver"


def test_the_table_names_what_dicom_lists_for_segments():
    from pydicom.sr.codedict import codes

    categories = {(c.value, c.meaning) for c in codes.cid7150.concepts.values()}
    types = {(c.value, c.meaning) for c in codes.cid7151.concepts.values()}
    for segment in name_segments(list(TABLE)):
        assert (segment.category.value, segment.category.meaning) in categories
        assert segment.category.scheme == segment.kind.scheme == "SCT"
        # The context groups may be extended, and no type of theirs is a polyp.
        if segment.label != "polyp":
            assert (segment.kind.value, segment.kind.meaning) in types
    assert str(codes.SCT.PolypOfColon.value) == name_segments(["polyp"])[0].kind.value


def test_segments_are_named_by_class_by_label_or_by_code():
    (unnamed,) = name_segments([""])
    assert (unnamed.label, unnamed.kind) == (DEFAULT, Code("52988006", "SCT", "Lesion"))
    assert [s.kind.meaning for s in name_segments(["Liver", "cyst"])] == ["Liver", "Cyst"]
    (named,) = name_segments([""], ["Polyp"])
    assert (named.label, named.kind.value) == ("Polyp", "68496003")
    (coded,) = name_segments([""], ["my liver"], [LIVER])
    assert coded == Segment(
        "my liver",
        Code("123037004", "SCT", "Anatomical Structure"),
        Code("10200004", "SCT", "Liver"),
    )
    (plain,) = name_segments([""], codes=["1,99LAB,a thing, of ours"])
    assert plain.kind == Code("1", "99LAB", "a thing, of ours")
    assert plain.category.meaning == "Morphologically Abnormal Structure"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a", "b"], ["x"]), r"--segment-label is given 1 times - give it once for each .*: a, b"),
        (([""], ["x", "y"]), r"--segment-label is given 2 times - .*: one"),
        ((["a"], (), ["1,S,m", "2,S,m"]), "--segment-code is given 2 times"),
        ((["gizmo"],), r"which thing 'gizmo' is in codes is not known - give it by --segment-code"),
        ((["a"], (), ["gizmo"]), r"'gizmo' is no code - write VALUE,SCHEME,MEANING"),
        ((["a"], (), ["1,S,m;"]), r"'' is no code"),
        ((["a"], (), ["1,S,m\nn"]), "is no code"),
        ((["a"], (), ["12345678901234567,S,m"]), "does not fit DICOM - value and scheme take 16"),
        ((["a"], (), [f"1,S,{65 * 'm'}"]), "does not fit DICOM"),
        ((["a"], ["lab\\el"], ["1,S,m"]), r"does not fit DICOM - use 1 to 64 characters"),
        ((["a"], [65 * "l"], ["1,S,m"]), "does not fit DICOM"),
    ],
)
def test_names_that_are_none_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        name_segments(*arguments)


def test_longest_names_fit():
    assert parse_code(f"{16 * '1'},{16 * 'S'},{64 * 'm'}").meaning == 64 * "m"
    assert name_segments([""], [64 * "l"], [LIVER])[0].label == 64 * "l"
