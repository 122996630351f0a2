"""The docs name everything that a person can set, call, run or choose."""

from pathlib import Path

import click
import pytest
from flask import Flask

from trainer.parameters import TrainingParameters
from trainer.plans import Plan
from trainer.recipes import RECIPES, Recipe
from web.api import api
from web.commands import tenfold
from web.commands.lazy import Entry
from web.commands.reference import reference
from web.forms import as_text
from web.settings import WebSettings
from worker.sweep_parameters import SweepParameters

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", WebSettings.model_fields)
def test_every_setting_is_documented_with_its_meaning(name: str) -> None:
    line = f"`TENFOLD_{name.upper()}`"
    [documented] = [
        row for row in (ROOT / "docs" / "settings.md").read_text().splitlines() if row.startswith(f"| {line}")
    ]

    assert WebSettings.model_fields[name].description in documented


def api_calls() -> list[str]:
    app = Flask(__name__)
    app.register_blueprint(api)
    return sorted(
        f"{method} {rule.rule.removeprefix('/api/v1')}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


@pytest.mark.parametrize("call", api_calls())
def test_every_call_is_documented(call: str) -> None:
    generic = (
        call.replace("<job_id>", "{id}")
        .replace("<model_id>", "{id}")
        .replace("<name>", "{name}")
        .replace("<int:row>", "{row}")
        .replace("<path:name>", "{name}")
    )

    assert f"`{generic}`" in (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_is_in_the_readme_with_its_parameters(recipe: Recipe) -> None:
    [row] = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{recipe.name}`")]

    assert f"{recipe.parameters:,}" in row


@pytest.mark.parametrize("name", Plan.model_fields)
def test_every_hyper_parameter_is_documented_with_its_default_and_meaning(name: str) -> None:
    field = Plan.model_fields[name]
    [row] = [
        line for line in (ROOT / "docs" / "training.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    ]

    assert f"| `{as_text(field.default)}` |" in row
    assert field.description in row.replace("\\|", "|")


@pytest.mark.parametrize("name", set(SweepParameters.model_fields) - set(TrainingParameters.model_fields))
def test_every_parameter_of_a_sweep_is_documented(name: str) -> None:
    [row] = [
        line for line in (ROOT / "docs" / "training.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    ]

    assert SweepParameters.model_fields[name].description in row.replace("\\|", "|")


def commands() -> dict[str, click.Command]:
    context = click.Context(tenfold)
    found = {name: tenfold.get_command(context, name) for name in tenfold.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_reference_of_commands_has_every_command_and_option_as_it_is() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == reference(), (
        "run: python -m web.commands.reference > docs/commands.md"
    )


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=commands())
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, f"{name} --{parameter.name}"


@pytest.mark.parametrize("entry", tenfold.entries.values(), ids=tenfold.entries)
def test_the_list_of_commands_says_of_each_what_its_help_says_first(entry: Entry) -> None:
    assert entry.summary == entry.load().get_short_help_str(limit=1000)


# What needs no server, or is no outcome to be read by a program.
WITHOUT_JSON = {"up", "reproduce", "completion"}


@pytest.mark.parametrize("name", commands().keys() - WITHOUT_JSON)
def test_every_command_can_print_json(name: str) -> None:
    command = commands()[name]
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]

    assert all("--json" in [name for option in leaf.params for name in option.opts] for leaf in leaves)
