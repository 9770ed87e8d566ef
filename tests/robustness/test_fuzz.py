"""A few seconds of what `benchmarks/fuzz.py` does by hand with a million inputs."""

import sys
from importlib.util import find_spec

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _goals_fuzz
import fuzz

needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="Atheris is not installed: it has no wheel here"
)


@pytest.mark.slow
@needs_atheris
def test_a_parser_gives_tables_or_errors_of_ours():
    found = fuzz.fuzz("gazepoint", inputs=250, seconds=None, seed=7)
    assert found["failures"] == {}
    assert found["inputs"] >= 250
    assert found["parsed"] > 0


@pytest.mark.slow
@needs_atheris
def test_a_failure_is_noted_and_kept(tmp_path, monkeypatch):
    # Of a parser that fails at everything that is no golden export.
    monkeypatch.setattr(fuzz, "seeds_of", lambda _parser: [ROOT / "pyproject.toml"])
    (tmp_path / "sitecustomize.py").write_text(
        "import gazetrack.readers.arff as arff\n"
        "def read(head, options):\n"
        "    raise KeyError('made up')\n"
        "arff.read = read\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = fuzz.fuzz("arff", inputs=20, seconds=None, seed=7, keep=tmp_path / "kept")
    assert [name.split(" ")[0] for name in found["failures"]] == ["KeyError"]
    assert (tmp_path / "kept" / "arff-0.input").read_bytes()


def test_every_parser_has_exports_to_begin_with():
    from gazetrack.readers import registry

    # EDF is binary and SR Research's own: no file of it is ours to commit.
    assert set(fuzz.parsers()) == set(registry.BUILTIN) - {"eyelink_edf"}
    assert fuzz.columns_of("generic")
    assert not fuzz.columns_of("gazepoint")


def searched(parser, inputs, failures=(), parsed=9):
    facts = {"parser": parser, "inputs": inputs, "parsed": parsed}
    return facts | {"failures": dict.fromkeys(failures, "")}


def test_the_goal_asks_for_a_million_inputs_of_each_parser_without_a_failure():
    enough = [searched("a", 1_000_000), searched("b", 2_000_000)]
    assert _goals_fuzz.counted(enough, 7).met
    assert _goals_fuzz.counted([*enough, searched("c", 999_999)], 7).met is False
    failing = _goals_fuzz.counted([*enough, searched("c", 1_000_000, ["KeyError at a.py:1"])], 7)
    assert failing.met is False
    assert failing.figure == (
        "1 of 4,000,000, at least 1,000,000 for each of 3 parsers, of which at least 9 were read"
    )
    refuses_all = searched("c", 1_000_000, parsed=0)
    assert _goals_fuzz.counted([*enough, refuses_all], 7).met is False
