"""Tables on a terminal, whatever script the names are in."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from gazetrack_cli.printing import print_table


@pytest.mark.parametrize("name", ["anna", "안나", "参加者", "Zoe\u0308", "é"])
def test_columns_stand_below_one_another_in_any_script(capsys, name):
    print_table(["recording", "ms"], [[name, "12"], ["b", "1,234"]])
    lines = capsys.readouterr().out.splitlines()
    assert {cell_len(line) for line in lines} == {len("recording  1,234")}
    assert lines[1].startswith(name)
    assert lines[0] == "recording     ms"
    assert lines[2] == "b          1,234"
