"""The house rules, so that nobody has to remember them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

import gazetrack
import gazetrack_cli
import gradtrack_model
from gazetrack.events import detectors
from gazetrack.readers import registry
from gazetrack_cli import compare_methods, train
from gradtrack_model.verbs.parts import Parts
from tests.docstrings import too_short
from tests.places import ROOT

PACKAGES = {
    module.__name__: Path(module.__file__).parent
    for module in (gazetrack, gradtrack_model, gazetrack_cli)
}
SOURCES = sorted(path for folder in PACKAGES.values() for path in folder.rglob("*.py"))
HEAVY = ("numba", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "torch")


def read(*patterns):
    return "\n".join(
        path.read_text("utf-8") for pattern in patterns for path in sorted(ROOT.glob(pattern))
    )


def read_one(path):
    return path.read_text("utf-8")


def kernels():
    """(module, function name, number of parameters) of every public kernel."""
    for path in sorted((PACKAGES["gazetrack"] / "kernels").glob("[!_]*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            decorated = isinstance(node, ast.FunctionDef) and any(
                "jit" in ast.unparse(d) for d in node.decorator_list
            )
            if decorated and not node.name.startswith("_"):
                yield path.stem, node.name, len(node.args.args)


@pytest.mark.parametrize(("module", "name", "parameters"), list(kernels()))
def test_every_kernel_has_an_oracle_a_test_and_a_benchmark(module, name, parameters):
    assert re.search(rf"^def {name}\(", read("tests/oracles.py"), re.MULTILINE), (
        "no oracle in tests/oracles.py"
    )
    assert name in read("tests/kernels/*.py"), "no test in tests/kernels/"
    assert name in read("benchmarks/bench_*.py"), "no benchmark in benchmarks/"
    assert parameters <= 8


def test_tests_of_kernels_are_where_they_are_run_without_compilation():
    assert "-m kernel tests/kernels" in read("Makefile")
    marked = {path for path in ROOT.glob("tests/**/test_*.py") if "mark.kernel" in read_one(path)}
    assert {path.parent.name for path in marked - {Path(__file__)}} == {"kernels"}


def test_oracles_know_nothing_of_the_code_they_judge():
    tree = ast.parse(read("tests/oracles.py"))
    imports = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not [line for line in imports if "gazetrack" in line]


def test_every_reader_is_in_the_table_under_its_name_and_has_golden_files():
    folder = PACKAGES["gazetrack"] / "readers"
    names = [
        path.relative_to(folder.parent).with_suffix("") for path in sorted(folder.rglob("[!_]*.py"))
    ]
    modules = [import_module(".".join(("gazetrack", *name.parts))) for name in names]
    found = {module.FORMAT.name: module.__name__ for module in modules if hasattr(module, "FORMAT")}
    assert found == registry.BUILTIN
    # An EDF can be written by SR Research's software alone; its tests have one of a stub's.
    for name in set(found) - {"eyelink_edf"}:
        assert list((ROOT / "tests" / "golden" / name).glob("*/expected.json")), (
            f"no golden file for {name}"
        )


def test_no_reader_imports_another():
    readers = set(registry.BUILTIN.values())
    for path in sorted((PACKAGES["gazetrack"] / "readers").rglob("*.py")):
        if path.name == "registry.py":
            continue
        inside = path.relative_to(PACKAGES["gazetrack"].parent).with_suffix("")
        others = readers - {".".join(inside.parts)}
        assert not others & set(imported_by(path, ".".join(inside.parts[:-1]))), path


def statements(tree):
    """How many things are said inside: docstrings are not counted."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    texts = [
        node
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    return len(nodes) - len(texts)


def circles(modules):
    """Modules that import each other in a loop; `modules` has the names that each imports."""
    left = {name: {other for other in found if other in modules} for name, found in modules.items()}
    while True:
        free = {name for name, found in left.items() if not found & set(left)}
        if not free:
            return sorted(left)
        left = {name: found for name, found in left.items() if name not in free}


def imported_by(path, package):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = node.module or ""
        if node.level:
            base = ".".join([package, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_imports_one_that_imports_it(package):
    root = PACKAGES[package]
    modules = {}
    for path in root.rglob("*.py"):
        if path.name != "__init__.py":
            name = ".".join((package, *path.relative_to(root).with_suffix("").parts))
            modules[name] = set(imported_by(path, name.rpartition(".")[0]))
    assert circles(modules) == []


def commands():
    from gazetrack_cli import calibrate, compare_methods, evaluate, predict, train, view
    from gazetrack_cli.main import COMMANDS, cli

    context = click.Context(cli)
    for name in COMMANDS:
        yield f"gazetrack {name}", cli.get_command(context, name)
    yield from (("gradtrack-train", train.command), ("gradtrack-predict", predict.command))
    yield from (
        ("gradtrack-evaluate", evaluate.command),
        ("gradtrack-calibrate", calibrate.command),
        ("gradtrack-compare", compare_methods.command),
        ("gradtrack-view", view.command),
    )


def test_the_contracts_of_imports_hold():
    lint = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", lint, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_has_help_and_is_in_the_docs(name, command):
    assert command.help
    assert "Examples:" in (command.epilog or ""), "give it epilog=examples(…) of cli/examples.py"
    widest = max(map(len, command.epilog.splitlines()))
    assert widest <= 78, "an example is wider than a terminal: go on behind a backslash"
    assert name in read("docs/commands.md")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"
            assert all(
                len(opt) == 2 or opt == opt.lower().replace("_", "-") for opt in parameter.opts
            )
    assert command.callback
    body = ast.parse(textwrap.dedent(inspect.getsource(command.callback)))
    assert statements(body) <= 23, "a command parses, makes one library call, and prints"


def test_the_commands_of_the_group_have_the_summary_of_their_module():
    from gazetrack_cli.main import COMMANDS

    for name, command in commands():
        if name.startswith("gazetrack "):
            assert command.get_short_help_str(100) == COMMANDS[name.split()[1]]


def loaded_by(code):
    check = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_a_comparison_takes_no_option_that_is_of_one_training_alone():
    # What it takes over from gradtrack-train must be a setting or a part of the data set: anything
    # else would reach the library as a part, and be refused in words that no user understands.
    theirs = {option.name for option in train.command.params}
    inherited = {option.name for option in compare_methods.command.params} & theirs
    rest = dict.fromkeys(inherited)
    train.settings_of(rest)
    of_the_command = {"data", "preset", "config_file", "settings", "out", "force"}
    of_the_command |= {"quiet", "as_json", "debug"}
    assert set(rest) - of_the_command == set(Parts.__annotations__)


def test_import_gazetrack_is_light():
    assert loaded_by("import gazetrack") == ""


@pytest.mark.parametrize("module", ["maps.parameters", "events.detectors", "tables.eyes"])
def test_what_names_the_choices_is_light(module):
    assert loaded_by(f"import gazetrack.{module}") == ""


@pytest.mark.parametrize("name", ["fixations", "plot", "refine", "render"])
def test_the_help_of_a_command_is_light(name):
    code = f"""
from gazetrack_cli.main import cli
cli.main([{name!r}, "--help"], prog_name="gazetrack", standalone_mode=False)"""
    assert loaded_by(code) == ""


@pytest.mark.parametrize("module", ["images", "images.folder", "images.slices"])
def test_images_load_no_compiler(module):
    assert "numba" not in loaded_by(f"import gazetrack.{module}").split()


def test_help_is_light():
    code = """
from gazetrack_cli.main import cli
cli.main(["--help"], prog_name="gazetrack", standalone_mode=False)"""
    assert loaded_by(code) == ""


def option(command, name):
    (found,) = (parameter for parameter in command.params if parameter.name == name)
    return found


@pytest.mark.parametrize("name", ["render", "plot"])
def test_the_options_of_maps_are_the_parameters_with_their_defaults(name):
    from gazetrack.maps.parameters import KINDS, PRESETS, SHARES_OF, TRUNCATIONS, MapParams

    command = import_module(f"gazetrack_cli.{name}").command
    choices = {"kind": KINDS, "preset": PRESETS, "by": SHARES_OF, "truncation": TRUNCATIONS}
    for field, known in choices.items():
        assert list(option(command, field).type.choices) == list(known)
    for field in dataclasses.fields(MapParams):
        found = option(command, field.name)
        overrides = isinstance(found.default, str | int | float)
        assert not overrides, "a default of the command's would override the preset's"
        if field.name != "ratios":
            shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
            assert found.help.endswith(f"  [default: {shown}]")


def test_the_options_of_refine_are_the_parameters_with_their_defaults():
    from gazetrack.maps.parameters import PRESETS, CRFParams
    from gazetrack_cli.refine import command

    assert option(command, "preset").type.choices == tuple(PRESETS)
    for field in dataclasses.fields(CRFParams):
        found = option(command, field.name)
        assert not isinstance(found.default, int | float)
        assert found.help.endswith(f"  [default: {field.default:g}]")


def test_every_detector_is_in_the_table_under_its_name():
    folder = PACKAGES["gazetrack"] / "events"
    found = {}
    for path in sorted(folder.glob("[!_]*.py")):
        module = import_module(f"gazetrack.events.{path.stem}")
        for kind in vars(module).values():
            own = inspect.isclass(kind) and kind.__module__ == module.__name__
            if own and "name" in vars(kind) and hasattr(kind, "runs"):
                found[kind.name] = kind
    assert found == dict(detectors.DETECTORS)


def test_the_detectors_are_the_commands_choices():
    from gazetrack_cli.fixations import command

    found = option(command, "detector")
    assert list(found.type.choices) == list(detectors.DETECTORS)
    assert found.default == detectors.DEFAULT


@pytest.mark.parametrize("name", ["convert", "info"])
def test_the_eyes_are_the_commands_choices(name):
    from gazetrack.tables.eyes import DEFAULT_EYE, EYE_CHOICES

    found = option(import_module(f"gazetrack_cli.{name}").command, "eye")
    assert tuple(found.type.choices) == EYE_CHOICES
    assert found.default == DEFAULT_EYE


def test_the_public_names_exist():
    for name in gazetrack.__all__:
        assert getattr(gazetrack, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        gazetrack.nonsense  # noqa: B018


# Kernels have one test file a subject, readers their golden folders; a version is a number.
NEEDS_NO_TWIN = ("gazetrack/kernels/", "gazetrack/readers/", "gazetrack/version.py")


def test_every_module_has_a_test_file_of_its_name():
    without = set()
    for package in ("gazetrack", "gradtrack_model"):
        for path in PACKAGES[package].rglob("[!_]*.py"):
            inside = path.relative_to(PACKAGES[package])
            twin = ROOT / "tests" / inside.parent / f"test_{inside.name}"
            name = f"{package}/{inside.as_posix()}"
            if not twin.exists() and not name.startswith(NEEDS_NO_TWIN):
                without.add(name)
    assert without == set(), "write tests/<wing>/test_<module>.py"


def test_every_extra_is_described():
    from gazetrack.workflows.doctor.packages import EXTRAS, FOR_DEVELOPERS

    stated = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    described = {*EXTRAS, *FOR_DEVELOPERS}
    assert described == set(stated), "say in gazetrack.workflows.doctor.packages what it gives"


def test_every_package_is_shipped():
    stated = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]
    there = {
        ".".join((name, *path.parent.relative_to(root).parts))
        for name, root in PACKAGES.items()
        for path in root.rglob("__init__.py")
    }
    assert sorted(stated) == sorted(there)


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_shipped(package):
    assert (PACKAGES[package] / "py.typed").exists()
    assert (
        package
        in read("pyproject.toml").split("[tool.setuptools.package-data]")[1].split("[tool.ruff]")[0]
    )


# Each rule of one file: what it finds against it. All are asked of a file that is read once.


def code_from_data(path, nodes):
    """Calls and imports that run what a file of data holds."""
    calls = {"eval", "exec", "pickle.load", "pickle.loads", "yaml.load", "os.system"}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            if {"pickle", "marshal", "shelve", "yaml"} & set(names):
                yield node, ", ".join(names)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in calls or (called == "torch.load" and path.name != "pretrained.py"):
                yield node, called
            for keyword in node.keywords:
                truth = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                if keyword.arg in ("shell", "allow_pickle") and truth:
                    yield node, keyword.arg


def prints_or_exits(path, nodes):
    """Of the library; commands may."""
    if PACKAGES["gazetrack_cli"] in path.parents:
        return
    for node in nodes:
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if called in ("print", "sys.exit", "exit", "quit"):
            yield node, called


def large_rooms(path, nodes):
    """Statements are counted, not lines: a limit of lines makes people write wide ones."""
    if statements(nodes[0]) > 260:
        yield nodes[0], "one room too few? see CONTRIBUTING"
    limit = 75 if path.parent.name == "kernels" else 50
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and statements(node) > limit:
            yield node, node.name


def whole_configurations(path, nodes):
    """Functions that take all settings."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            taken = [ast.unparse(arg.annotation or ast.Constant("")) for arg in arguments(node)]
            if any("TrainConfig" in annotation for annotation in taken):
                yield node, f"{path.stem}.{node.name}"


def arguments(function):
    taken = function.args
    return [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]


MOST_BY_PLACE = 5


def from_kernels(nodes):
    """Names that a module imports from the kernels, whose arguments are arrays by place."""
    return {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gazetrack.kernels")
        for alias in node.names
    }


def is_command(function):
    """Whether click calls the function, which it does by names."""
    return any("click.command" in ast.unparse(one) for one in function.decorator_list)


def by_place(node):
    """How many arguments a call gives, or a function takes, by place; a starred one counts once."""
    if isinstance(node, ast.Call):
        return len(node.args)
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def more_than_five_by_place(path, nodes):
    """Nobody takes or gives more, but kernels."""
    if path.parent.name == "kernels":
        return
    kernels = from_kernels(nodes)
    for node in nodes:
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            exempt = name in kernels
        elif isinstance(node, ast.FunctionDef):
            exempt, name = is_command(node), node.name
        else:
            continue
        if by_place(node) > MOST_BY_PLACE and not exempt:
            yield node, name


def test_the_rule_of_five_arguments_notices():
    six = "(a, b, c, d, e, f)"
    assert by_place(ast.parse(f"call{six}").body[0].value) == 6
    assert by_place(ast.parse(f"def taken{six}: pass").body[0]) == 6
    assert by_place(ast.parse("def taken(self, a, b, *, c, d, e, f): pass").body[0]) == 2
    assert from_kernels(ast.walk(ast.parse("from gazetrack.kernels.gaussian import splat"))) == {
        "splat"
    }


OPTIONS = ("Options", "Params", "Config")


def options_by_place(path, nodes):
    """Options are frozen and go by name."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name.endswith(OPTIONS):
            decorators = [ast.unparse(one) for one in node.decorator_list]
            if "dataclass(frozen=True, kw_only=True)" not in decorators:
                yield node, node.name


TO_A_PATH = (
    "write_text",
    "write_bytes",
    "to_csv",
    "to_parquet",
    "to_json",
    "save_file",
    "savetxt",
    "tofile",
)
# Into a buffer or a published file, never to a path.
TO_ANYTHING = ("savefig", "save", "savez", "dump")


def written_but_not_published(path, nodes):
    """Outputs are published, and nothing else writes."""
    if path.name in ("publish.py", "base.py"):
        return
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = node.func.attr
        if called == "open":
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            modes = [one.value for one in given if isinstance(one, ast.Constant)]
            if [m for m in modes if isinstance(m, str) and set(m) <= set("wxab+t") and m]:
                yield node, "opened to be written"
        elif called in TO_A_PATH:
            yield node, f"{called} without publishing"
        elif called in TO_ANYTHING and node.args:
            target = ast.unparse(node.args[0])
            if "path" in target or "/" in target:
                yield node, f"{called} to {target}"


RULES = (
    code_from_data,
    large_rooms,
    more_than_five_by_place,
    options_by_place,
    prints_or_exits,
    whole_configurations,
    written_but_not_published,
)


def against(rule, path, nodes):
    """Where the rule does not hold in a file, and what is there."""
    return [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}: {what}"
        for node, what in rule(path, nodes)
    ]


@pytest.fixture(scope="module")
def found():
    """What each rule finds in all files, by its name."""
    places = {rule.__name__: [] for rule in RULES}
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        for rule in RULES:
            places[rule.__name__] += against(rule, path, nodes)
    return places


@pytest.mark.parametrize(
    "rule", [rule.__name__ for rule in RULES if rule is not whole_configurations]
)
def test_a_rule_of_the_house_holds_in_every_file(found, rule):
    assert found[rule] == []


def test_sections_of_the_configuration_are_passed_and_seldom_the_whole(found):
    # A function that takes a section says in its signature which settings change what it does.
    whole = found["whole_configurations"]
    assert any("loop.train" in place for place in whole)
    assert len(whole) < 10, whole


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (code_from_data, "import pickle"),
        (code_from_data, "eval(text)"),
        (code_from_data, "torch.load(path)"),
        (code_from_data, "run(line, shell=True)"),
        (large_rooms, "x = 1\n" * 261),
        (large_rooms, "def f():\n" + "    x = 1\n" * 50),
        (more_than_five_by_place, "f(1, 2, 3, 4, 5, 6)"),
        (more_than_five_by_place, "def f(a, b, c, d, e, g): pass"),
        (options_by_place, "class MapOptions: pass"),
        (prints_or_exits, "print(1)"),
        (prints_or_exits, "sys.exit(1)"),
        (written_but_not_published, "path.open('w')"),
        (written_but_not_published, "path.write_text('')"),
        (written_but_not_published, "figure.savefig(path)"),
    ],
)
def test_a_rule_of_the_house_notices(rule, code):
    path = PACKAGES["gazetrack"] / "made_up.py"
    nodes = list(ast.walk(ast.parse(code)))
    assert len(against(rule, path, nodes)) == 1


def test_every_parameter_is_described():
    short = [place for path in SOURCES for place in too_short(path)]
    assert short == [], "say what it is, with its unit and shape"
