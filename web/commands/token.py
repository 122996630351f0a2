"""`tenfold token`: what signs in while there are no users."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def token(as_json: bool) -> None:
    """Print the start-up token of the server that you run on this machine.

    It is for programs, while there are no users: `export TENFOLD_KEY=$(tenfold token)`.
    """
    from web.client.start_token import find_token
    from web.commands.console import print_json
    from web.commands.server import connection

    server = connection().server
    found = find_token(server)
    if found is None:
        raise click.ClickException(
            f"You run no server at {server} that asks for a start-up token. With containers, "
            "`docker compose logs web` shows it; once there are users, use a key."
        )
    if as_json:
        print_json({"server": server, "token": found})
    else:
        click.echo(found)
