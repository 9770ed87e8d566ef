from gazetrack.workflows.reporting.entries import shown_eye


def test_both_eyes_together_come_before_either_and_the_better_eye_before_the_other():
    left, right, both = {"loss": 0.3}, {"loss": 0.1}, {"loss": 0.5}
    assert shown_eye({"left": left, "right": right, "both": both}) is both
    assert shown_eye({"left": left, "right": right}) is right
    assert shown_eye({}) == {}
