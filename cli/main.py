"""The command `gazetrack`. Commands are imported when they are called, so that help is quick."""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from .errors import debug_option, run_command
from .examples import examples
from .study_option import with_study

# name: (module, one line of help)
COMMANDS = {
    "bids": "Write exports as a BIDS eye-tracking data set.",
    "compact": "Merge the small files of a data set into a few large ones.",
    "compare": "Say how well two tables of fixations agree.",
    "completion": "Print what makes a shell complete our commands.",
    "convert": "Convert eye-tracker exports to fixation tables.",
    "dataset": "List public data sets, describe one, or fetch it.",
    "demo": "Run everything once on a built-in example.",
    "doctor": "Say what is installed, what is wrong, what to do.",
    "events": "Tell saccades, blinks and fixations, tracker's and detected.",
    "fixations": "Detect fixations in the samples of an export.",
    "formats": "List the export formats that can be read.",
    "info": "Say what an export is and what it holds.",
    "measures": "Measure areas of interest, scanpaths, saliency maps.",
    "models": "List the prompt models that refine maps, or install one.",
    "plot": "Draw scanpaths, maps, and other figures of gaze.",
    "pupil": "Make pupil sizes ready: filters, gaps, smoothing, baseline.",
    "quality": "Report the data quality of exports or sample tables.",
    "refine": "Refine stored maps by a dense CRF or a prompt model.",
    "render": "Render fixation tables into gaze track maps.",
    "report": "Write one page about recordings, to look at.",
    "run": "Take all steps of a study that one file describes.",
    "scrub-check": "Look for names that must not be in a folder.",
    "warm-up": "Compile what this machine needs, once.",
}
# These are called for a study as a whole, or for none.
WITHOUT_STUDY = ("completion", "demo", "doctor", "formats", "run", "warm-up")


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f".{cmd_name.replace('-', '_')}", __package__).command
        assert isinstance(command, click.Command)  # noqa: S101 - a module's contract
        return command if cmd_name in WITHOUT_STUDY else with_study(command, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from gazetrack.errors import did_you_mean

            similar = did_you_mean(args[0], COMMANDS).strip()
            hint = similar or f"commands are {', '.join(sorted(COMMANDS))}."
            sentence = hint[0].upper() + hint[1:]
            raise click.UsageError(f"{error.message} {sentence}", ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what may follow; names and help of commands are known without importing them."""
        found = [
            CompletionItem(name, help=COMMANDS[name])
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from gazetrack.version import __version__

        click.echo(f"gazetrack {__version__}")
        context.exit()


@click.command(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gazetrack info raw.tsv
        gazetrack convert raw.tsv
        gazetrack render --levels 4 --images images
        gazetrack convert --help
        """
    ),
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Print the version.",
)
@debug_option
def cli() -> None:
    """Turn eye-tracker exports into fixation tables and gaze track maps."""


def main() -> NoReturn:
    """Run `gazetrack`."""
    run_command(cli, "gazetrack")
