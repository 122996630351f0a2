"""`tenfold recipe`."""

import click

from tenfold.cli.completions import complete_recipes
from tenfold.cli.output import output_option, print_json, print_lines, print_list, table_option
from tenfold.cli.server import connect


@click.group()
def recipe() -> None:
    """List and show the recipes for training."""


@recipe.command("list")
@table_option
def list_recipes(as_json: bool) -> None:
    """List the recipes."""
    with connect() as client:
        found = client.recipes()
    rows = [(recipe["name"], f"{recipe['parameters']:,}", recipe["description"]) for recipe in found]
    print_list(found, ("RECIPE", "PARAMETERS", "DESCRIPTION"), rows, as_json=as_json, empty="No recipes.")


@recipe.command("show")
@click.argument("name", metavar="RECIPE", shell_complete=complete_recipes)
@output_option
def show_recipe(name: str, as_json: bool) -> None:
    """Show the hyperparameters and published results of a recipe."""
    with connect() as client:
        recipes = {recipe["name"]: recipe for recipe in client.recipes()}
    if name not in recipes:
        raise click.ClickException(f"Unknown recipe {name!r}. Choose one of: {', '.join(recipes)}.")
    found = recipes[name]
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['title']}. {found['description']}")
    print_lines([("parameters", f"{found['parameters']:,}")])
    print_lines([(key, str(value)) for key, value in found["plan"].items()])
    print_lines([(f"published {key}", f"{value:.6g}") for key, value in found["published"].items()])
