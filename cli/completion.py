"""gazetrack completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from . import options as opt
from .examples import examples
from .programs import PROGRAMS, completes

SHELLS = ("bash", "zsh", "fish")
# What ends in "=" goes on, so that no blank may follow it; fish knows that by itself. Of click's
# script: what stands there, and what is put in its place.
_WITHOUT_BLANK = {
    "bash": (
        "COMPREPLY+=($value)",
        "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace",
    ),
    "zsh": (
        'completions+=("$key")',
        '[[ "$key" == *= ]] && compadd -U -S "" -- "$key" || completions+=("$key")',
    ),
}


@click.command(
    "completion",
    short_help="Print what makes a shell complete our commands.",
    epilog=examples(
        """
        # bash, for good; then open a new terminal
        gazetrack completion bash > ~/.gazetrack-completion.bash
        echo '. ~/.gazetrack-completion.bash' >> ~/.bashrc
        # zsh, below the line that calls compinit
        gazetrack completion zsh > ~/.gazetrack-completion.zsh
        echo '. ~/.gazetrack-completion.zsh' >> ~/.zshrc
        # fish
        gazetrack completion fish > ~/.config/fish/conf.d/gazetrack.fish
        """
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@opt.debug_option
def command(shell: str) -> None:
    """Print the script that makes a shell complete gazetrack and the gradtrack programs.

    Commands, options, choices, files, and names of formats, detectors, presets and models are then
    completed by the Tab key. The script asks the programs themselves, so it need not be written
    again after an update.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the shells of `SHELLS`
    for program in PROGRAMS:
        asked = kind(click.Command(program), {}, program, completes(program))
        script = asked.source()
        if shell in _WITHOUT_BLANK:
            stands, better = _WITHOUT_BLANK[shell]
            script = script.replace(stands, better)
        click.echo(script)
