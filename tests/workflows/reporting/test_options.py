from dataclasses import fields

from gazetrack.workflows.reporting.options import ReportChoices, ReportOptions


def test_the_choices_are_the_fields():
    names = {field.name for field in fields(ReportOptions)}
    assert set(ReportChoices.__annotations__) <= names
    inherited = ReportChoices.__required_keys__ | ReportChoices.__optional_keys__
    assert inherited == names
