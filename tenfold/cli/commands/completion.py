"""`tenfold completion`."""

from pathlib import Path

import click
from click.shell_completion import get_completion_class

# Where each shell looks for completion scripts, in the home directory; zsh needs the directory in its fpath.
PLACES = {
    "bash": Path(".local/share/bash-completion/completions/tenfold"),
    "zsh": Path(".zfunc/_tenfold"),
    "fish": Path(".config/fish/completions/tenfold.fish"),
}


@click.command()
@click.argument("shell", type=click.Choice(list(PLACES)))
@click.option("--install", is_flag=True, help="Write it to the directory where the shell looks for it.")
@click.pass_context
def completion(context: click.Context, shell: str, install: bool) -> None:
    """Print the completion script for SHELL.

    It completes commands, options, IDs and names. IDs and names come from the server. To try it:
    source <(tenfold completion bash)
    """
    kind = get_completion_class(shell)
    assert kind is not None, f"click has no completion for {shell}"
    script = kind(context.find_root().command, {}, "tenfold", "_TENFOLD_COMPLETE").source()
    if not install:
        click.echo(script)
        return
    path = Path.home() / PLACES[shell]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script + "\n", encoding="utf-8")
    click.echo(path)
    if shell == "zsh":
        click.echo("Add this line to ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit && compinit", err=True)
