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
        .replace("<upload_id>", "{id}")
        .replace("<webhook_id>", "{id}")
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


@pytest.mark.parametrize("name", tenfold.commands)
def test_every_command_has_help_and_is_in_the_readme(name: str) -> None:
    command: click.Command = tenfold.commands[name]

    assert command.help
    assert name in (ROOT / "README.md").read_text()
