"""Run the language server: the command that editors start."""

from functools import partial

import click

from fimserver.cli.choice import Choice


@click.command("serve")
@click.option("--tcp", "tcp_port", type=click.IntRange(1, 65535), metavar="PORT", help="Serve one client on loopback.")
@click.pass_obj
def serve_command(choice: Choice, tcp_port: int | None) -> None:
    """Run the language server; editors start this.

    It speaks on standard input and output. With --tcp it waits for one client on loopback instead, for debugging.
    """
    from fimserver.cli.engines import new_engine
    from fimserver.errors import FimError
    from fimserver.logs import set_up_logging
    from fimserver.lsp.serve import serve

    set_up_logging("server", choice.settings.privacy.log_level)
    try:
        serve(partial(new_engine, script=choice.script), choice.settings, tcp_port=tcp_port)
    except OSError as error:
        raise FimError(f"Port {tcp_port} cannot be used: {error.strerror or error}. Choose another.") from error
