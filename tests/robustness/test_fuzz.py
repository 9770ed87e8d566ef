"""A few seconds of what `benchmarks/fuzz.py` does by hand with a million inputs."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _fuzz_changes
import _fuzz_others
import _fuzz_state
import _goals_fuzz
import fuzz

needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="Atheris is not installed: it has no wheel here"
)


@pytest.mark.slow
@needs_atheris
@pytest.mark.parametrize(
    ("parser", "inputs"),
    [("gazepoint", 250), ("areas", 1500), ("data_set", 1500), ("fixation_table", 1000)],
)
def test_a_parser_gives_tables_or_errors_of_ours(parser, inputs):
    found = fuzz.fuzz(parser, inputs=inputs, seconds=None, seed=7)
    assert found["failures"] == {}
    assert found["inputs"] >= inputs
    assert found["parsed"] > 0


@pytest.mark.slow
@needs_atheris
def test_a_failure_is_noted_and_kept(tmp_path, monkeypatch):
    # Of a parser that fails at everything that is no golden export.
    monkeypatch.setattr(fuzz, "seeds_of", lambda _parser: [(ROOT / "pyproject.toml").read_bytes()])
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


def test_all_that_parses_is_searched_or_left_out_with_a_reason():
    from gazetrack.readers import registry

    readers = {*registry.BUILTIN}
    searched = {*fuzz.targets()}
    left_out = _fuzz_others.LEFT_OUT
    assert searched & readers == readers - {*left_out}
    assert searched == (readers - {*left_out}) | {*_fuzz_others.OTHERS}
    assert all(len(why.split()) > 5 for why in left_out.values())


def found_of(parser, inputs, failures=(), parsed=9):
    facts = {"parser": parser, "inputs": inputs, "parsed": parsed, "portions": 2, "seconds": 1.5}
    return facts | {"failures": dict.fromkeys(failures, "")}


def test_the_goal_asks_for_a_million_inputs_of_each_parser_without_a_failure():
    enough = [found_of("a", 1_000_000), found_of("b", 2_000_000)]
    assert _goals_fuzz.counted(enough, 7).met
    assert _goals_fuzz.counted([*enough, found_of("c", 999_999)], 7).met is None
    failing = _goals_fuzz.counted([*enough, found_of("c", 1_000_000, ["KeyError at a.py:1"])], 7)
    assert failing.met is False
    assert failing.figure == (
        "1 of 4,000,000, at least 1,000,000 (a) for each of 3 parsers, of which at least 9 were "
        "read"
    )
    assert "6 portions on these sources" in failing.how
    refuses_all = found_of("c", 1_000_000, parsed=0)
    assert _goals_fuzz.counted([*enough, refuses_all], 7).met is False


def test_portions_add_up_as_long_as_the_sources_stay(tmp_path, monkeypatch):
    sources = {"a": "one", "b": "two"}
    asked = []

    def fuzz_once(name, *, inputs, seconds, seed, keep, corpus):
        asked.append((name, inputs, seed))
        (corpus / str(len(asked))).write_bytes(b"x")
        return found_of(name, 40 if name == "a" else 30, ["E at x.py:1"] if inputs < 65 else ())

    monkeypatch.setattr(fuzz, "fuzz", fuzz_once)
    monkeypatch.setattr(fuzz, "sources_of", sources.get)

    def on(inputs=90):
        limits = {"inputs": inputs, "seconds": 60.0, "portion": 9.0, "seed": 7}
        return {row["parser"]: row for row in fuzz.continued(["a", "b"], tmp_path, **limits)}

    first = on(inputs=70)
    # The one with the fewest inputs is next, and each portion has a seed of its own.
    assert asked == [("a", 70, 7), ("b", 70, 7), ("b", 40, 8), ("a", 30, 8), ("b", 10, 9)]
    assert (first["a"]["inputs"], first["b"]["inputs"]) == (80, 90)
    assert first["a"]["seconds"] == 3.0
    assert first["a"]["failures"].keys() == {"E at x.py:1"}
    again = on()
    assert again["a"]["inputs"] == 120
    assert again["b"]["inputs"] == 90
    assert len(list(tmp_path.glob("b/*"))) == 3
    sources["a"] = "changed"
    assert on(inputs=30)["a"]["inputs"] == 40
    state = _fuzz_state.State(tmp_path)
    assert state.ever("a") == 160
    assert state.of("a", "changed")["failures"] == {"E at x.py:1": ""}
    assert len(state.of("a", "one")["commits"]) == 1


def test_two_calls_at_once_add_up(tmp_path):
    one, other = _fuzz_state.State(tmp_path), _fuzz_state.State(tmp_path)
    one.add("a", "d", found_of("a", 40), "c1")
    other.add("a", "d", found_of("a", 2), "c2")
    assert _fuzz_state.State(tmp_path).of("a", "d")["inputs"] == 42
    assert _fuzz_state.State(tmp_path).of("a", "d")["commits"] == ["c1", "c2"]


def test_a_corpus_keeps_its_small_inputs(tmp_path, monkeypatch):
    monkeypatch.setattr(_fuzz_state, "_MOST_KEPT", 2)
    state = _fuzz_state.State(tmp_path)
    for length in (5, 1, 3):
        (state.corpus("a") / str(length)).write_bytes(b"x" * length)
    assert sorted(path.name for path in state.corpus("a").iterdir()) == ["1", "3"]


def test_the_digest_is_of_the_sources_alone(tmp_path):
    package = tmp_path / "top" / "package"
    package.mkdir(parents=True)
    (package / "one.py").write_text("1")
    (tmp_path / "top" / "two.py").write_text("2")
    modules = ("top.package", "top.two")
    before = _fuzz_state.digest_of(modules, tmp_path)
    (tmp_path / "top" / "three.py").write_text("3")
    assert _fuzz_state.digest_of(modules, tmp_path) == before
    (package / "one.py").write_text("one")
    assert _fuzz_state.digest_of(modules, tmp_path) != before


def test_the_words_of_the_seeds_are_tokens():
    assert fuzz.tokens_of([b"MSG\t12.5 \xff\xfe", b"MSG"]) == (
        '"\\x4d\\x53\\x47"\n"\\x31\\x32\\x2e\\x35"\n"\\xff\\xfe"\n'
    )


def test_small_changes_leave_a_table_a_table():
    table = b"t,x,y\n" + b"".join(b"%d,%d.5,7\n" % (row, row) for row in range(9))
    changed = {
        _fuzz_changes.gently_changed(np.random.default_rng(seed), table) for seed in range(400)
    }
    assert len(changed) > 300
    assert sum(text.startswith(b"t,x,y\n") for text in changed) > 100
    widths = [{line.count(b",") for line in text.splitlines()} for text in changed]
    assert sum(len(found) == 1 for found in widths) > 150
    # Of any bytes, something comes out.
    for nothing in (b"", b"\n", b"\0\xff", b"9" * 400):
        for seed in range(30):
            rng = np.random.default_rng(seed)
            assert isinstance(_fuzz_changes.gently_changed(rng, nothing), bytes)


@pytest.mark.slow
@needs_atheris
def test_a_second_call_goes_on_from_the_first(tmp_path):
    limits = {"seconds": 20.0, "portion": 20.0, "seed": 7}
    first = fuzz.continued(["study"], tmp_path, inputs=300, **limits)[0]
    second = fuzz.continued(["study"], tmp_path, inputs=600, **limits)[0]
    assert first["failures"] == second["failures"] == {}
    assert first["inputs"] >= 300
    assert second["inputs"] > first["inputs"]
    assert list(tmp_path.glob("study/*"))
