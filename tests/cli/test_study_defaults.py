"""A study file may say every option of every command, each checked by its own type."""

from __future__ import annotations

from importlib import import_module

import click
import pytest

from gazetrack.errors import ConfigError
from gazetrack_cli.main import COMMANDS, WITHOUT_STUDY, cli
from gazetrack_cli.study_defaults import SHARED, WRITTEN, unit_of
from gazetrack_cli.study_jobs import commands_of, jobs_of, load_study

TOLD = commands_of(cli)
OPTIONS = [
    (name, option)
    for name, command in TOLD.items()
    for option in command.params
    if isinstance(option, click.Option) and option.expose_value and option.name != "is_dry_run"
]


def test_two_spellings_of_a_key_are_refused_with_both_lines(study):
    text = '[convert]\n[report]\nmax_gap = 10\nmax-gap = "900 ms"\n'
    with pytest.raises(ConfigError, match=r"toml:6: \[report\] max_gap and max-gap .*line 5"):
        study(text)


@pytest.mark.parametrize("value", ["nan", "inf", '"nan"'])
def test_a_limit_that_is_no_number_is_refused_before_anything_is_done(study, value):
    with pytest.raises(ConfigError, match=r"toml:4: \[report\] max-loss: (nan|inf) is no number"):
        study(f"[report]\nmax-loss = {value}\n")


@pytest.fixture
def study(tmp_path):
    """The study of a text, in a folder with some files."""
    (tmp_path / "exports").mkdir()
    for name in ("raw.csv", "there.csv", "aois.json"):
        (tmp_path / name).write_text("x")
    (tmp_path / "images").mkdir()

    def read(text):
        (tmp_path / "study.toml").write_text('[study]\ninputs = ["exports"]\n' + text)
        return load_study(tmp_path / "study.toml", cli)

    return read


def a_value(option):
    """Something that an option takes, in TOML."""
    kind = option.type
    if option.is_flag:
        return "true"
    if isinstance(kind, click.Choice):
        return f'"{kind.choices[0]}"'
    if isinstance(kind, click.Path):
        return '["images"]' if option.multiple else '"images"'
    if option.nargs == 2:
        return "[-200, 0]"
    if "KEY=VALUE" in (option.metavar or ""):
        return "{ a = 1, b_ms = '0.5 s' }"
    if option.name == "ratios":
        return "[0.5, 1]"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        low = getattr(kind, "min", None)
        high = getattr(kind, "max", None)
        if low is not None and high is not None:
            return str((low + high) / 2)
        return str(max(low or 1, 1))
    return '["text"]' if option.multiple else '"text"'


@pytest.mark.parametrize(
    ("name", "option"), OPTIONS, ids=[f"{name} {option.opts[-1]}" for name, option in OPTIONS]
)
def test_every_option_of_every_command_may_be_said(study, name, option):
    key = next(each for each in option.opts if each.startswith("--")).removeprefix("--")
    value = a_value(option)
    if isinstance(option.type, click.types.IntParamType):
        value = str(int(float(value)))
    told = study(f"[{name}]\n{key} = {value}").defaults(name).values
    assert option.name in told
    # With underscores as well as with hyphens.
    assert study(f"[{name}]\n{key.replace('-', '_')} = {value}").defaults(name).values == told


def test_every_command_but_those_about_no_study_takes_one():
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        cli.get_command(context, name)  # asked twice, it is there once
        names = [each.name for each in command.params]
        assert names.count("study") == (name not in WITHOUT_STUDY)


def test_what_commands_share_and_write_is_theirs():
    names = {name.removeprefix("--") for _, option in OPTIONS for name in option.opts}
    assert set(SHARED) <= names
    assert set(WRITTEN) <= {option.name for _, option in OPTIONS}


@pytest.mark.parametrize(
    ("name", "option", "unit"),
    [
        ("quality", "window_ms", "ms"),
        ("measures", "max_gap_ms", "ms"),
        ("measures", "margin_px", "px"),
        ("measures", "margin_deg", "deg"),
        ("render", "min_duration_ms", "ms"),
        ("render", "max_total_mb", "MB"),
        ("pupil", "baseline_ms", "ms"),
        ("plot", "seconds", "s"),
        ("convert", "fov", "deg"),
        ("convert", "jobs", ""),
        ("convert", "eye", ""),
    ],
)
def test_units_of_options_are_those_of_their_names(name, option, unit):
    (found,) = (each for each in TOLD[name].params if each.name == option)
    assert unit_of(found) == unit


@pytest.mark.parametrize(
    ("name", "text", "option", "value"),
    [
        ("quality", 'window = "0.1 s"', "window_ms", 100),
        ("quality", "window = 100", "window_ms", 100),
        ("pupil", 'baseline-ms = ["-0.2 s", 0]', "baseline_ms", [-200, 0]),
        ("measures", 'margin-deg = "30 arcmin"', "margin_deg", 0.5),
        ("render", 'max-total-mb = "2 GB"', "max_total_mb", 2048),
        ("render", "ratios = [0.25, 0.5, 1]", "ratios", "0.25,0.5,1"),
        ("render", "size = 224", "size", "224"),
        ("events", "set = { min_duration_ms = '0.06 s' }", "settings", ["min_duration_ms=60"]),
        ("events", "set = ['min_duration_ms=60']", "settings", ["min_duration_ms=60"]),
        ("convert", "columns = { x = 'GazeX', t = 'Time[s]' }", "columns", "x=GazeX,t=Time[s]"),
        ("measures", "labels = { 1 = 'polyp', 2 = 'tool' }", "labels", "1=polyp,2=tool"),
        ("measures", 'scanpaths = ["dtw", "mannan"]', "scanpaths", "dtw,mannan"),
        ("convert", "samples = true", "samples", True),
        ("convert", 'cluster = "local"', "cluster", "local"),
    ],
)
def test_a_value_becomes_what_could_be_typed(study, name, text, option, value):
    assert study(f"[{name}]\n{text}").defaults(name).values[option] == value


def test_paths_are_seen_from_the_file(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "exports")
    found = study(
        '[measures]\naois = "aois.json"\n[quality]\ntargets = "there.csv"\nout = "q.csv"\n'
        '[convert]\ncluster = "raw.csv"\nout = "s3://lab/tables"\n'
    )
    measures = found.defaults("measures")
    assert measures.values["aois"] == str(tmp_path / "aois.json")
    assert measures.values["tables"] == [str(tmp_path / "results" / "tables")]
    assert set(measures.reads) == {tmp_path / "aois.json", tmp_path / "results" / "tables"}
    assert not measures.elsewhere
    quality = found.defaults("quality").values
    assert quality["targets"] == str(tmp_path / "there.csv")
    assert quality["out"] == str(tmp_path / "q.csv")
    convert = found.defaults("convert")
    assert convert.values["cluster"] == str(tmp_path / "raw.csv")
    assert (convert.values["out"], convert.elsewhere) == ("s3://lab/tables", True)
    assert convert.values["key"] == str(tmp_path / "gazetrack.key")
    # Images lie beside the study where nobody says otherwise.
    assert found.defaults("render").values["images"] == str(tmp_path / "images")


def test_what_the_study_says_once_holds_for_all_and_a_table_says_more(study):
    found = study('trial_by = "stimulus"\njobs = 2\nfov = 40\n[events]\njobs = 3\n')
    convert, events = found.defaults("convert").values, found.defaults("events").values
    assert (convert["jobs"], convert["trial_by"], convert["fov"]) == (2, "stimulus", 40)
    assert (events["jobs"], events["trial_by"]) == (3, "stimulus")
    assert "trial_by" not in found.defaults("quality").values
    assert found.defaults("compare").values == {}


def test_tables_go_into_a_data_set_in_place_of_a_folder(study):
    values = study('[convert]\ndataset = "data"\n').defaults("convert").values
    assert values["dataset"].endswith("/data")
    assert "out" not in values


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[convert]\nsampels = true", 4, "did you mean 'samples'?"),
        ("[convert]\nstudy = 'x'", 4, "study is no option of this command"),
        ("[convert]\ndry-run = true", 4, "dry-run is no option of this command"),
        ("[convert]\nsamples = 'yes'", 4, "yes is neither true nor false - give true or false"),
        ("[convert]\neye = 'middle'", 4, "- give one of auto, left, right, both"),
        ("[convert]\neye = 3", 4, "- give one of auto, left, right, both"),
        ('[convert]\nreport = "a\\u0000b"', 4, "has a character that no name"),
        ("[convert]\njobs = 0", 4, "0 is not in the range x>=1"),
        ("[convert]\njobs = true", 4, "True is neither a text nor a number"),
        ("[convert]\njobs = 1.5", 4, "1.5 is no whole number"),
        ("[convert]\njobs = [1]", 4, "a list stands where a single value does"),
        ("[convert]\njobs = { a = 1 }", 4, "a table stands where a value does"),
        ("[convert]\njobs = 2020-01-01", 4, "2020-01-01 is neither a text nor a number"),
        ("[quality]\nwindow = '3 cm'", 4, "'cm' is no unit of time: use ms, s or min - give a num"),
        ("[quality]\nwindow = 'long'", 4, "'long' is not a valid float"),
        ("[quality]\ntargets = 'gone.csv'", 4, "there is no gone.csv in "),
        ("[quality]\ntargets = ''", 4, "a name is empty"),
        ("[render]\nratios = 'a,b'", 4, "'a,b' is not like .25,.5,1"),
        ("[events]\nset = { min_duration_ms = '3 kg' }", 4, "'kg' is no unit of time"),
        ("[events]\nset = { a = [1] }", 4, "[1] is neither a text nor a number"),
        ("[measures]\ntrials = ['there.csv', 'gone.csv']", 4, "there is no gone.csv"),
        ("[[convert]]\n[[convert]]\nsampels = 1", 5, "did you mean 'samples'?"),
        ("images = 's3://lab/images'\n[plot]", 3, "is an address, and this takes files of this"),
        ("scren = '1x1'", 3, "did you mean 'screen'?"),
        (
            "levels = 3",
            3,
            "an option of single commands: write it into [plot] or [render]",
        ),
        ("participant = 'nobody'", 3, "- give one of keep, hash, drop"),
        ("screen = '1 x 1 x 1'", 3, "is not like 1920x1080"),
        ("images = 'pictures'", 3, "[study] images: there is no pictures in"),
        ("[warm-up]\n", 3, "'warm-up' is neither [study] nor a command"),
    ],
)
def test_what_cannot_be_is_refused_with_file_line_table_and_key(study, text, line, said):
    with pytest.raises(ConfigError) as refused:
        study(text)
    assert refused.value.line == line
    assert said in refused.value.whole()
    assert f"study.toml:{line}: [" in str(refused.value) or "is neither [study]" in said


def test_options_about_another_kind_of_measures_are_refused(study, tmp_path):
    (tmp_path / "masks").mkdir()
    found = study('[measures]\nmasks = "masks"\nreference = "a"\n')
    command = import_module("gazetrack_cli.measures").command
    with pytest.raises(click.UsageError, match="--reference is about another kind of measures"):
        command.main([], standalone_mode=False, default_map=found.defaults("measures").values)
    found = study('[measures]\nscanpaths = "dtw"\naoi-name = "a"\n')
    with pytest.raises(click.UsageError, match="--aoi-name is about another kind of measures"):
        command.main([], standalone_mode=False, default_map=found.defaults("measures").values)


def test_what_a_step_before_makes_need_not_be_there_yet(study, tmp_path):
    text = "[render]\nout = 'drawn'\n[refine]\n[report]\nmaps = 'results/refined'\n"
    found = study(text)
    assert found.defaults("report").values["maps"] == str(tmp_path / "results" / "refined")
    assert found.defaults("refine").values["maps"] == str(tmp_path / "drawn")
    steps = {job.name: job for job in jobs_of(found)}
    assert steps["report"].after == ("refine",)
    assert tmp_path / "results" / "refined" in steps["report"].reads
    assert steps["refine"].after == ("render",)
    # Without a table of its own nothing is made, and nothing is after itself.
    for text in ("[report]\nmaps = 'results/maps'", "[render]\nimages = 'results/report.html'"):
        with pytest.raises(ConfigError, match="there is no results"):
            study(text)


def test_a_report_shows_the_maps_that_are_rendered_wherever_they_are(study, tmp_path):
    found = study("[render]\nout = 'drawn'\n[report]")
    assert found.defaults("report").values["maps"] == str(tmp_path / "drawn")
