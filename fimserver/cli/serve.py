"""Run the language server: the command that editors start."""

import click

from fimserver.cli.choice import Choice, chosen_now
from fimserver.engine.interface import Engine
from fimserver.settings import Settings


@click.command("serve")
@click.option("--tcp", "tcp_port", type=click.IntRange(1, 65535), metavar="PORT", help="Serve one client on loopback.")
@click.pass_obj
def serve_command(choice: Choice, tcp_port: int | None) -> None:
    """Run the language server; editors start this.

    It speaks on standard input and output. With --tcp it waits for one client on loopback instead, for debugging.
    """
    from fimserver.errors import FimError
    from fimserver.logs import set_up_logging
    from fimserver.lsp.following import SettingsFile
    from fimserver.lsp.serve import serve

    def new_engine(settings: Settings, *, chat: bool = False) -> Engine:
        from fimserver.cli import engines  # once `initialize` is answered: the event loop takes a while to load

        return engines.new_engine(settings, choice.script, chat=chat)

    followed = SettingsFile(choice.settings_file, lambda: chosen_now(choice))
    set_up_logging("server", choice.settings.privacy.log_level)
    try:
        serve(new_engine, choice.settings, problems=choice.problems, followed=followed, tcp_port=tcp_port)
    except OSError as error:
        raise FimError(f"Port {tcp_port} cannot be used: {error.strerror or error}. Choose another.") from error
