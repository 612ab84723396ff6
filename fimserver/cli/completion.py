"""Turn a shell's name into the script by which it completes our commands, options and models.

eval "$(fimserver completion bash)"      in ~/.bashrc; zsh likewise in ~/.zshrc
fimserver completion fish | source       in ~/.config/fish/config.fish
"""

from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem, get_completion_class

# What ours is called where click looks for it: the program's name makes it.
_VARIABLE = "_FIMSERVER_COMPLETE"

SHELLS: Mapping[str, str] = {
    "bash": 'eval "$(fimserver completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(fimserver completion zsh)"   in ~/.zshrc',
    "fish": "fimserver completion fish | source   in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\b\n" + "\n".join(SHELLS.values()))
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print the script by which your shell completes commands, options and models.

    It is read when the shell starts:
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "fimserver", _VARIABLE).source())


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the models of the catalogue that begin so, or leave a path to the shell."""
    from fimserver.models.catalogue import catalogue

    if incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(name) for name in catalogue() if name.startswith(incomplete)]
